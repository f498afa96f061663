//! How the program under debug is, as Status, State and Heartbeat tell it (SPEC section 6.4).

use super::field::{Field, Reader, Writer, enumeration};

enumeration! {
    /// How the program under debug is.
    #[non_exhaustive]
    pub enum RunState {
        /// It runs.
        Running = 1,
        /// It stands still.
        Stopped = 2,
        /// It is being stepped.
        Stepping = 3,
    }
}

/// 0 for `None`.
impl Field<'_> for Option<RunState> {
    fn read(reader: &mut Reader<'_>) -> Self {
        let mut ahead = *reader;
        if u8::read(&mut ahead) == 0 {
            *reader = ahead;
            return None;
        }
        Some(RunState::read(reader))
    }

    fn write(&self, out: &mut Writer<'_>) {
        match self {
            Some(run) => run.write(out),
            None => out.byte(0),
        }
    }
}
