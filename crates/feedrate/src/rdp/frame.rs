//! Debug frames: what a message says (SPEC section 6).

use super::answer::{
    Audit, Axes, BreakpointSet, Breakpoints, CursorAt, Done, Metrics, Plc, Refused, Registers, Status,
    Stopped,
};
use super::answer::{Memory, State, Welcome};
use super::request::{
    Agree, Breakpoint, Bye, Force, Heartbeat, Hello, PushPolicy, ReadAudit, ReadMemory, ReadPlc,
    ReadRegisters, Release, SetAxis, SetWatchpoint, Step,
};
use super::wire::{Field, Reader, Writer};
use crate::encode::{Encode, EncodeError, Output};

/// `GDBP`, with which every debug frame begins.
pub const MAGIC: u32 = 0x4744_4250;
/// Version of the debug frame.
pub const VERSION: u8 = 1;
/// Bytes of magic, version and kind.
pub(super) const HEADER: usize = 6;

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It ends before its fields do.
    Short,
    /// There are bytes behind its last field.
    Long,
    /// A field has a value that is in no table.
    Value,
}

/// What is wrong with a debug frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It does not begin with `GDBP`, a version and a kind.
    #[error("not a debug frame: it does not begin with GDBP, a version and a kind")]
    Magic,
    /// It is of another version.
    #[error("debug frame of version {0}, expected 1")]
    Version(u8),
    /// Its body is not what its kind says.
    #[error("debug frame of kind {kind:#04x}: {}", match .problem {
        Problem::Short => "the body ends before its last field does",
        Problem::Long => "there are bytes behind the body's last field",
        Problem::Value => "a field has a value that is in no table",
    })]
    Malformed {
        /// The kind.
        kind: u8,
        /// What is wrong.
        problem: Problem,
    },
}

macro_rules! frames {
    ($($(#[$doc:meta])* $Kind:ident $(($Body:ident $(<$life:lifetime>)?))? = $number:literal,)*) => {
        /// A debug frame.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Frame<'a> {
            $($(#[$doc])* $Kind $(($Body $(<$life>)?))?,)*
            /// A kind that this version does not know.
            Unknown {
                /// The kind's number.
                kind: u8,
                /// The body.
                body: &'a [u8],
            },
        }

        impl<'a> Frame<'a> {
            /// Reads a whole debug frame.
            ///
            /// # Errors
            ///
            /// See [`FrameError`].
            ///
            /// ```
            /// use feedrate::rdp::{Breakpoint, Frame};
            ///
            /// let frame = Frame::read(b"GDBP\x01\x01\0\0\0\0\x20\0\x01\0\0\0\0\x07")?;
            /// assert_eq!(frame, Frame::SetBreakpoint(Breakpoint { addr: 0x2000_0100, id: 7 }));
            /// # Ok::<(), feedrate::rdp::FrameError>(())
            /// ```
            pub fn read(bytes: &'a [u8]) -> Result<Self, FrameError> {
                Self::read_of::<{ HOST | AGENT }>(bytes)
            }

            /// The same, but kinds that none of these sides sends are unknown, and no code is there for them.
            pub(super) fn read_of<const SIDES: u8>(bytes: &'a [u8]) -> Result<Self, FrameError> {
                let Some(([m0, m1, m2, m3, version, kind], body)) = bytes.split_first_chunk::<HEADER>() else {
                    return Err(FrameError::Magic);
                };
                if u32::from_be_bytes([*m0, *m1, *m2, *m3]) != MAGIC {
                    return Err(FrameError::Magic);
                }
                if *version != VERSION {
                    return Err(FrameError::Version(*version));
                }
                let mut reader = Reader::new(body);
                let frame = match *kind {
                    $($number if SIDES & senders($number) != 0 => Self::$Kind $(($Body::read(&mut reader)))?,)*
                    kind => Self::Unknown { kind, body: reader.rest() },
                };
                match reader.problem() {
                    None => Ok(frame),
                    Some(problem) => Err(FrameError::Malformed { kind: *kind, problem }),
                }
            }

            /// The kind's number.
            pub const fn kind(&self) -> u8 {
                match self {
                    $(Self::$Kind { .. } => $number,)*
                    Self::Unknown { kind, .. } => *kind,
                }
            }

            /// The kind's name, as the specification spells it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind { .. } => stringify!($Kind),)*
                    Self::Unknown { .. } => "Unknown",
                }
            }
        }

        impl<'a> Body for Frame<'a> {
            fn kind(&self) -> u8 {
                self.kind()
            }

            fn write_body(&self, out: &mut Writer<'_>) {
                match self {
                    $(frames!(@pattern body $Kind $($Body)?) => { $({ let _: &$Body $(<$life>)? = body; body.write(out); })? })*
                    Self::Unknown { body, .. } => out.put(body),
                }
            }
        }

        /// The kinds' numbers.
        #[allow(non_upper_case_globals, dead_code, reason = "spelled as the specification spells them")]
        pub(super) mod kind {
            $(pub(in crate::rdp) const $Kind: u8 = $number;)*
        }
    };
    (@pattern $body:ident $Kind:ident $Body:ident) => { Self::$Kind($body) };
    (@pattern $body:ident $Kind:ident) => { Self::$Kind };
}

frames! {
    /// Stop at an address, by whatever means.
    SetBreakpoint(Breakpoint) = 0x01,
    /// Stop there no longer.
    ClearBreakpoint(Breakpoint) = 0x02,
    /// Which breakpoints there are, from an id on.
    ListBreakpoints(Breakpoint) = 0x03,
    /// Stop at an address, by a comparator of the processor.
    SetHardwareBreakpoint(Breakpoint) = 0x04,
    /// Stop at an address, by patching the instruction.
    SetSoftwareBreakpoint(Breakpoint) = 0x05,
    /// Stop when data is accessed.
    SetWatchpoint(SetWatchpoint) = 0x06,
    /// Stop.
    Halt = 0x10,
    /// Go on.
    Resume = 0x11,
    /// Execute some instructions.
    Step(Step) = 0x12,
    /// What is in the registers.
    ReadRegisters(ReadRegisters) = 0x18,
    /// What is in memory.
    ReadMemory(ReadMemory) = 0x19,
    /// Hold a variable at a value.
    Force(Force<'a>) = 0x1A,
    /// Let go of a variable.
    Release(Release) = 0x1B,
    /// How the agent is.
    GetStatus = 0x28,
    /// Where the machine is to take an axis to be.
    SetAxis(SetAxis) = 0x29,
    /// Where the axes are.
    ReadAxes = 0x2A,
    /// What is in the PLC's registers.
    ReadPlc(ReadPlc) = 0x2B,
    /// Where the G-code program stands.
    ReadCursor = 0x2C,
    /// What is in the audit log.
    ReadAudit(ReadAudit) = 0x30,
    /// What the agent counts.
    ReadMetrics = 0x31,
    /// Which breakpoints are allowed.
    PushPolicy(PushPolicy<'a>) = 0x32,
    /// The host begins a session.
    Hello(Hello<'a>) = 0x40,
    /// The host has seen the machine's state.
    Agree(Agree) = 0x41,
    /// The sender is there.
    Heartbeat(Heartbeat) = 0x42,
    /// The sender ends the session.
    Bye(Bye) = 0x43,
    /// It has been done.
    Done(Done) = 0x80,
    /// The breakpoint is set.
    BreakpointSet(BreakpointSet) = 0x81,
    /// Which breakpoints there are.
    Breakpoints(Breakpoints<'a>) = 0x83,
    /// The program stands still.
    Stopped(Stopped<'a>) = 0x92,
    /// What is in the registers.
    Registers(Registers<'a>) = 0x98,
    /// What is in memory.
    Memory(Memory<'a>) = 0x99,
    /// How the agent is.
    Status(Status) = 0xA8,
    /// Where the axes are.
    Axes(Axes<'a>) = 0xAA,
    /// What is in the PLC's registers.
    Plc(Plc<'a>) = 0xAB,
    /// Where the G-code program stands.
    Cursor(CursorAt) = 0xAC,
    /// What is in the audit log.
    Audit(Audit<'a>) = 0xB0,
    /// What the agent counts.
    Metrics(Metrics<'a>) = 0xB1,
    /// The agent accepts the session.
    Welcome(Welcome<'a>) = 0xC0,
    /// How the machine is.
    State(State<'a>) = 0xC1,
    /// It has not been done.
    Error(Refused) = 0xFF,
}

impl Encode for Frame<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        write(self, out)
    }
}

/// Who sends a kind.
pub(super) const HOST: u8 = 1;
/// Who sends a kind.
pub(super) const AGENT: u8 = 2;

const fn senders(number: u8) -> u8 {
    match number {
        kind::Heartbeat | kind::Bye => HOST | AGENT,
        0..0x80 => HOST,
        0x80.. => AGENT,
    }
}

/// What becomes a debug frame: a [`Frame`], or one kind's body alone, so that nothing is linked that is never sent.
pub(super) trait Body {
    fn kind(&self) -> u8;
    fn write_body(&self, out: &mut Writer<'_>);
}

macro_rules! body {
    ($($Body:ident $(<$life:lifetime>)? = $Kind:ident,)*) => {$(
        impl $crate::rdp::frame::Body for $Body $(<$life>)? {
            fn kind(&self) -> u8 {
                $crate::rdp::frame::kind::$Kind
            }

            fn write_body(&self, out: &mut $crate::rdp::wire::Writer<'_>) {
                $crate::rdp::wire::Field::write(self, out);
            }
        }
    )*};
}
pub(super) use body;

/// Writes a whole debug frame.
pub(super) fn write(body: &dyn Body, out: &mut dyn Output) -> Result<(), EncodeError> {
    let mut out = Writer::new(out);
    MAGIC.write(&mut out);
    out.byte(VERSION);
    out.byte(body.kind());
    body.write_body(&mut out);
    out.finish()
}
