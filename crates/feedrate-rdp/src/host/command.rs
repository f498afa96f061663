//! What a host can ask for, each with the type of its answer.

use core::marker::PhantomData;

use feedrate::rdp::frame::{
    self, Audit, Axes, BreakpointSet, Breakpoints, Cursor, Done, Error, ErrorCode, Frame, Memory, Metrics,
    Plc, Registers, Status,
};

use super::event::Answer;

/// A command, and what it is answered with.
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

macro_rules! commands {
    ($(
        $(#[$doc:meta])*
        $Name:ident $(<$life:lifetime>)? $(($Body:ty))? -> $Answer:ident $(<$answer_life:lifetime>)?;
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Name $(<$life>)? $((pub $Body))?;

        impl $(<$life>)? Command for $Name $(<$life>)? {
            type Answer<'a> = $Answer $(<$answer_life>)?;

            fn frame(&self) -> Frame<'_> {
                commands!(@frame self $Name $($Body)?)
            }

            fn answer<'a>(frame: &Frame<'a>) -> Option<Self::Answer<'a>> {
                match frame {
                    Frame::$Answer(answer) => Some(*answer),
                    _ => None,
                }
            }
        }
    )*};
    (@frame $this:ident $Name:ident $Body:ty) => { Frame::$Name($this.0) };
    (@frame $this:ident $Name:ident) => { Frame::$Name(frame::$Name) };
}

commands! {
    /// Stop at an address, by whatever means.
    SetBreakpoint(frame::Breakpoint) -> BreakpointSet;
    /// Stop at an address, by a comparator of the processor.
    SetHardwareBreakpoint(frame::Breakpoint) -> BreakpointSet;
    /// Stop at an address, by patching the instruction.
    SetSoftwareBreakpoint(frame::Breakpoint) -> BreakpointSet;
    /// Stop when data is accessed.
    SetWatchpoint(frame::SetWatchpoint) -> BreakpointSet;
    /// Stop there no longer. An address of 0 means whatever it is.
    ClearBreakpoint(frame::Breakpoint) -> Done;
    /// Which breakpoints there are, from an id on.
    ListBreakpoints(frame::Breakpoint) -> Breakpoints<'a>;
    /// Stop.
    Halt -> Done;
    /// Go on.
    Resume -> Done;
    /// Execute some instructions.
    Step(frame::Step) -> Done;
    /// What is in the registers.
    ReadRegisters(frame::ReadRegisters) -> Registers<'a>;
    /// What is in memory.
    ReadMemory(frame::ReadMemory) -> Memory<'a>;
    /// Hold a variable at a value.
    Force<'f>(frame::Force<'f>) -> Done;
    /// Let go of a variable.
    Release(frame::Release) -> Done;
    /// How the agent is.
    GetStatus -> Status;
    /// Where the machine is to take an axis to be.
    SetAxis(frame::SetAxis) -> Done;
    /// Where the axes are.
    ReadAxes -> Axes<'a>;
    /// What is in the PLC's registers.
    ReadPlc(frame::ReadPlc) -> Plc<'a>;
    /// Where the G-code program stands.
    ReadCursor -> Cursor;
    /// What is in the audit log.
    ReadAudit(frame::ReadAudit) -> Audit<'a>;
    /// What the agent counts.
    ReadMetrics -> Metrics<'a>;
    /// Which breakpoints are allowed.
    PushPolicy<'f>(frame::PushPolicy<'f>) -> Done;
}
