//! What a host can ask for (SPEC section 6.2): the bodies of the debug frames that are commands, each with the type
//! of its answer.
//!
//! ```
//! use feedrate::rdp::frame::{Breakpoint, Frame, ReadMemory};
//! use feedrate_rdp::host::command::{Command, SetBreakpoint};
//!
//! let read = ReadMemory { addr: 0x2000_0000, length: 4 };
//! assert_eq!(read.frame(), Frame::ReadMemory(read));
//! // Five kinds have one body, so that it takes a name of its own to say which is meant.
//! let set = SetBreakpoint(Breakpoint { addr: 0x2000_0100, id: 7 });
//! assert_eq!(set.frame().name(), "SetBreakpoint");
//! ```

use core::marker::PhantomData;

use feedrate::rdp::frame::{self, Breakpoint, Error, ErrorCode, Frame};

use super::event::Answer;

/// A command, and what it is answered with: the body of its debug frame, or one of the five here that share
/// [`Breakpoint`].
pub trait Command {
    /// The answer, if it was done.
    type Answer<'a>;

    /// The debug frame that asks for it.
    fn frame(&self) -> Frame<'_>;

    /// The answer in a debug frame, if it is one.
    fn answer<'a>(frame: &Frame<'a>) -> Option<Self::Answer<'a>>;
}

/// Stands for a command that has been sent: it recognises the answer.
#[derive(Debug)]
pub struct Ticket<C> {
    sequence: u32,
    command: PhantomData<fn() -> C>,
}

impl<C> Clone for Ticket<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Ticket<C> {}

impl<C: Command> Ticket<C> {
    pub(super) const fn new(sequence: u32) -> Self {
        Self { sequence, command: PhantomData }
    }

    /// The command's sequence, as the audit log has it.
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The answer, or why it was not done; `None` if this answers another command. An answer of a kind that this
    /// command does not have is [`ErrorCode::Malformed`].
    pub fn read<'a>(&self, answer: &Answer<'a>) -> Option<Result<C::Answer<'a>, Error>> {
        if answer.request != self.sequence {
            return None;
        }
        match answer.frame {
            Frame::Error(refused) => Some(Err(refused)),
            ref frame => {
                let foreign = Error {
                    request: self.sequence,
                    code: ErrorCode::Malformed,
                    detail: u32::from(frame.kind()),
                };
                Some(C::answer(frame).ok_or(foreign))
            }
        }
    }
}

/// Kinds that have a body of their own: it is the command.
macro_rules! bodies {
    ($($Name:ident $(<$life:lifetime>)? -> $Answer:ident $(<$answer_life:lifetime>)?;)*) => {$(
        impl $(<$life>)? Command for frame::$Name $(<$life>)? {
            type Answer<'a> = frame::$Answer $(<$answer_life>)?;

            fn frame(&self) -> Frame<'_> {
                Frame::$Name(*self)
            }

            fn answer<'a>(frame: &Frame<'a>) -> Option<Self::Answer<'a>> {
                match frame {
                    Frame::$Answer(answer) => Some(*answer),
                    _ => None,
                }
            }
        }
    )*};
}

bodies! {
    SetWatchpoint -> BreakpointSet;
    Halt -> Done;
    Resume -> Done;
    Step -> Done;
    StepRange -> Done;
    ReadRegisters -> Registers<'a>;
    ReadMemory -> Memory<'a>;
    Force<'f> -> Done;
    Release -> Done;
    Renew -> Done;
    WriteMemory<'f> -> Done;
    WriteRegister -> Done;
    GetStatus -> Status;
    SetAxis -> Done;
    ReadAxes -> Axes<'a>;
    ReadPlc -> Plc<'a>;
    ReadCursor -> Cursor;
    ReadAudit -> Audit<'a>;
    ReadMetrics -> Metrics<'a>;
    PushPolicy<'f> -> Done;
    ListVariables -> Variables<'a>;
    ReadMap -> Map<'a>;
    ReleaseAudit -> Done;
}

/// Kinds that share the body of 18 bytes.
macro_rules! breakpoints {
    ($($(#[$doc:meta])* $Name:ident -> $Answer:ident $(<$answer_life:lifetime>)?;)*) => {$(
        $(#[$doc])*
        // Exhaustive: it is a body, and this is its kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Name(pub Breakpoint);

        impl Command for $Name {
            type Answer<'a> = frame::$Answer $(<$answer_life>)?;

            fn frame(&self) -> Frame<'_> {
                Frame::$Name(self.0)
            }

            fn answer<'a>(frame: &Frame<'a>) -> Option<Self::Answer<'a>> {
                match frame {
                    Frame::$Answer(answer) => Some(*answer),
                    _ => None,
                }
            }
        }
    )*};
}

breakpoints! {
    /// Stop at an address, by whatever means.
    SetBreakpoint -> BreakpointSet;
    /// Stop at an address, by a comparator of the processor.
    SetHardwareBreakpoint -> BreakpointSet;
    /// Stop at an address, by patching the instruction.
    SetSoftwareBreakpoint -> BreakpointSet;
    /// Stop there no longer. An address of 0 means whatever it is.
    ClearBreakpoint -> Done;
    /// Which breakpoints there are, from an id on.
    ListBreakpoints -> Breakpoints<'a>;
}
