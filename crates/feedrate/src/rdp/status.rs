//! How the program under debug is.

use super::frame::Problem;
use super::wire::{Field, Reader, enumeration};
use crate::encode::{EncodeError, Output};

enumeration! {
    /// How the program under debug is.
    RunState:
    /// It runs.
    Running = 1,
    /// It stands still.
    Stopped = 2,
    /// It is being stepped.
    Stepping = 3,
}

/// 0 for `None`.
impl Field<'_> for Option<RunState> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Problem> {
        let mut ahead = *reader;
        if u8::read(&mut ahead)? == 0 {
            *reader = ahead;
            return Ok(None);
        }
        RunState::read(reader).map(Some)
    }

    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            Some(run) => run.write(out),
            None => out.put(&[0]),
        }
    }
}
