//! Debug frames: the contents of a message (SPEC section 6). Each kind is described in a file of its own, named after
//! it.
//!
//! ```
//! use feedrate::Encode;
//! use feedrate::rdp::frame::{Frame, ReadMemory};
//!
//! let mut bytes = heapless::Vec::<u8, 32>::new();
//! ReadMemory { addr: 0x2000_0000, length: 4 }.encode(&mut bytes)?;
//! match Frame::read(&bytes)? {
//!     Frame::ReadMemory(read) => assert_eq!(read.length, 4),
//!     other => panic!("{}", other.name()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! SPEC is `SPEC.md` of the crate `feedrate-rdp`, which has the two ends that exchange these frames.

mod agree;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod audit;
mod axes;
mod body;
mod breakpoint;
mod breakpoint_set;
mod breakpoints;
mod bye;
mod cause;
mod cursor;
mod done;
mod error;
mod field;
mod fingerprint;
mod force;
mod get_status;
mod halt;
mod heartbeat;
mod hello;
mod list;
mod list_variables;
mod location;
mod map;
mod memory;
mod metrics;
mod plc;
mod push_policy;
mod read_audit;
mod read_axes;
mod read_cursor;
mod read_map;
mod read_memory;
mod read_metrics;
mod read_plc;
mod read_registers;
mod registers;
mod release;
mod release_audit;
mod renew;
mod resume;
mod run_state;
mod seal_record;
mod set_axis;
mod set_watchpoint;
mod state;
mod status;
mod step;
mod step_range;
mod stopped;
mod values;
mod variables;
mod welcome;
mod write_memory;
mod write_register;

pub use self::agree::Agree;
pub use self::audit::{Audit, Operator, Record};
pub use self::axes::Axes;
pub use self::body::{Body, HEADER, MAGIC, VERSION, write};
pub use self::breakpoint::Breakpoint;
pub use self::breakpoint_set::BreakpointSet;
pub use self::breakpoints::{Breakpoints, Listed, SetAs};
pub use self::bye::Bye;
pub use self::cause::Cause;
pub use self::cursor::Cursor;
pub use self::done::Done;
pub use self::error::{Error, ErrorCode};
pub use self::field::Problem;
pub use self::fingerprint::Fingerprint;
pub use self::force::Force;
pub use self::get_status::GetStatus;
pub use self::halt::Halt;
pub use self::heartbeat::Heartbeat;
pub use self::hello::Hello;
pub use self::list::{Bytes, Count, List, Secret, ToEnd};
pub use self::list_variables::ListVariables;
pub use self::location::Location;
pub use self::map::{Class, Map, Region};
pub use self::memory::Memory;
pub use self::metrics::{Metric, Metrics};
pub use self::plc::Plc;
pub use self::push_policy::{Action, PushPolicy, Rule};
pub use self::read_audit::ReadAudit;
pub use self::read_axes::ReadAxes;
pub use self::read_cursor::ReadCursor;
pub use self::read_map::ReadMap;
pub use self::read_memory::ReadMemory;
pub use self::read_metrics::ReadMetrics;
pub use self::read_plc::ReadPlc;
pub use self::read_registers::ReadRegisters;
pub use self::registers::Registers;
pub use self::release::Release;
pub use self::release_audit::ReleaseAudit;
pub use self::renew::Renew;
pub use self::resume::Resume;
pub use self::run_state::RunState;
pub use self::seal_record::SealRecord;
pub use self::set_axis::SetAxis;
pub use self::set_watchpoint::{Access, SetWatchpoint};
pub use self::state::State;
pub use self::status::Status;
pub use self::step::Step;
pub use self::step_range::StepRange;
pub use self::stopped::{Reason, Standing, Stopped};
pub use self::values::Values;
pub use self::variables::{Type, Variable, Variables};
pub use self::welcome::{Capabilities, Domains, Durability, Lifecycle, StopEffect, Welcome};
pub use self::write_memory::WriteMemory;
pub use self::write_register::WriteRegister;

use self::body::{AGENT, BOTH, HOST};
use self::breakpoint::{
    ClearBreakpoint, ListBreakpoints, SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint,
};
use self::field::{Field, Reader, Writer};
use crate::encode::{Encode, EncodeError, Output};
use crate::rdp::channel::Channel;

/// Why bytes are not a valid debug frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// It does not begin with `GDBP`, a version and a kind.
    #[error("not a debug frame: it does not begin with GDBP, a version and a kind")]
    Magic,
    /// It is of another version.
    #[error("debug frame of version {0}, expected 1")]
    Version(u8),
    /// Its body is not what its kind requires.
    #[error("debug frame of kind {kind:#04x}: {}", match .problem {
        Problem::Short => "the body ends before its last field does",
        Problem::Long => "there are bytes after the body's last field",
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
    ($($Kind:ident $(<$life:lifetime>)? $(($Body:ident))?,)*) => {
        /// A debug frame.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Frame<'a> {
            $(#[doc = concat!("The frame ", stringify!($Kind), ".")] $Kind(body_of!($Kind $(<$life>)? $($Body)?)),)*
            /// A kind that this version does not know.
            Unknown {
                /// The kind's number.
                kind: u8,
                /// The body.
                body: &'a [u8],
            },
        }

        impl<'a> Frame<'a> {
            /// As [`read`](Self::read), but kinds that these sides do not send are unknown, and no code is generated
            /// for them.
            #[inline]
            fn read_of<const SIDES: u8>(bytes: &'a [u8]) -> Result<Self, FrameError> {
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
                // A body is read to its final place: each kind is a small function, and none of them moves a frame.
                let mut result = Ok(Self::Unknown { kind: *kind, body });
                let read: ReadBody = match *kind {
                    SetBreakpoint::KIND..=SetSoftwareBreakpoint::KIND if SIDES & HOST != 0 => read_shared,
                    $($Kind::KIND if SIDES & $Kind::SENDER != 0 => {
                        |reader, to| *to = Frame::$Kind(Field::read(reader))
                    })*
                    _ => |reader, _| _ = reader.rest(),
                };
                if let Ok(frame) = &mut result {
                    read(&mut reader, frame);
                }
                if let Some(problem) = reader.problem() {
                    result = Err(FrameError::Malformed { kind: *kind, problem });
                }
                result
            }

            /// The kind's number.
            pub const fn kind(&self) -> u8 {
                match self {
                    Self::Unknown { kind, .. } => *kind,
                    known => known.known_kind(),
                }
            }

            /// The same for a known kind. All of it is constant, so that it becomes a table.
            #[inline(never)]
            const fn known_kind(&self) -> u8 {
                match self {
                    $(Self::$Kind(_) => $Kind::KIND,)*
                    Self::Unknown { .. } => 0,
                }
            }

            /// The kind's name, as the specification spells it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind(_) => stringify!($Kind),)*
                    Self::Unknown { .. } => "Unknown",
                }
            }
        }

        impl Body for Frame<'_> {
            fn kind(&self) -> u8 {
                self.kind()
            }

            fn write_body(&self, out: &mut Writer<'_>) {
                match self {
                    $(Self::$Kind(body) => _ = Field::write(body, out),)*
                    Self::Unknown { body, .. } => _ = out.put(body),
                }
            }
        }

        #[cfg(feature = "arbitrary")]
        impl<'a> ::arbitrary::Arbitrary<'a> for Frame<'a> {
            fn arbitrary(u: &mut ::arbitrary::Unstructured<'a>) -> ::arbitrary::Result<Self> {
                // One in sixteen is of any kind, and so mostly unknown.
                let kind = if u.ratio(1, 16)? { u.arbitrary()? } else { *u.choose(&[$($Kind::KIND),*])? };
                Ok(match kind {
                    $($Kind::KIND => Self::$Kind(u.arbitrary()?),)*
                    kind => Self::Unknown { kind, body: u.arbitrary()? },
                })
            }
        }
    };
}

type ReadBody = for<'a> fn(&mut Reader<'a>, &mut Frame<'a>);

/// Reads the body that five kinds share, so that its code is there once. The frame that is replaced states which of
/// them it is.
fn read_shared<'a>(reader: &mut Reader<'a>, to: &mut Frame<'a>) {
    let body = Breakpoint::read(reader);
    *to = match to.kind() {
        SetBreakpoint::KIND => Frame::SetBreakpoint(body),
        ClearBreakpoint::KIND => Frame::ClearBreakpoint(body),
        ListBreakpoints::KIND => Frame::ListBreakpoints(body),
        SetHardwareBreakpoint::KIND => Frame::SetHardwareBreakpoint(body),
        _ => Frame::SetSoftwareBreakpoint(body),
    };
}

/// The body of a kind: of its own name, or one that it shares.
macro_rules! body_of {
    ($Kind:ident $(<$life:lifetime>)?) => { $Kind $(<$life>)? };
    ($Kind:ident $Body:ident) => { $Body };
}

frames! {
    SetBreakpoint(Breakpoint),
    ClearBreakpoint(Breakpoint),
    ListBreakpoints(Breakpoint),
    SetHardwareBreakpoint(Breakpoint),
    SetSoftwareBreakpoint(Breakpoint),
    SetWatchpoint,
    Halt,
    Resume,
    Step,
    StepRange,
    ReadRegisters,
    ReadMemory,
    Force<'a>,
    Release,
    Renew,
    WriteMemory<'a>,
    WriteRegister,
    GetStatus,
    SetAxis,
    ReadAxes,
    ReadPlc,
    ReadCursor,
    ReadAudit,
    ReadMetrics,
    PushPolicy<'a>,
    ListVariables,
    ReadMap,
    ReleaseAudit,
    Hello<'a>,
    Agree,
    Heartbeat,
    Bye,
    SealRecord<'a>,
    Done,
    BreakpointSet,
    Breakpoints<'a>,
    Stopped<'a>,
    Registers<'a>,
    Memory<'a>,
    Status,
    Axes<'a>,
    Plc<'a>,
    Cursor,
    Audit<'a>,
    Metrics<'a>,
    Variables<'a>,
    Map<'a>,
    Welcome<'a>,
    State<'a>,
    Error,
}

impl<'a> Frame<'a> {
    /// Reads a whole debug frame.
    ///
    /// # Errors
    ///
    /// See [`FrameError`].
    ///
    /// ```
    /// use feedrate::rdp::frame::{Breakpoint, Frame, FrameError};
    ///
    /// let frame = Frame::read(b"GDBP\x01\x01\0\0\0\0\x20\0\x01\0\0\0\0\x07")?;
    /// assert_eq!(frame, Frame::SetBreakpoint(Breakpoint { addr: 0x2000_0100, id: 7 }));
    /// # Ok::<(), FrameError>(())
    /// ```
    pub fn read(bytes: &'a [u8]) -> Result<Self, FrameError> {
        Self::read_of::<BOTH>(bytes)
    }

    /// Reads a whole debug frame from a host: kinds that no host sends are [unknown](Self::Unknown), and no code is
    /// generated to read them.
    ///
    /// # Errors
    ///
    /// See [`FrameError`].
    ///
    /// ```
    /// use feedrate::rdp::frame::{Done, Frame, FrameError};
    ///
    /// let done = b"GDBP\x01\x80\0\0\0\x07";
    /// assert_eq!(Frame::read_from_agent(done)?, Frame::Done(Done { request: 7 }));
    /// assert!(matches!(Frame::read_from_host(done)?, Frame::Unknown { kind: 0x80, .. }));
    /// # Ok::<(), FrameError>(())
    /// ```
    #[inline]
    pub fn read_from_host(bytes: &'a [u8]) -> Result<Self, FrameError> {
        Self::read_of::<HOST>(bytes)
    }

    /// Reads a whole debug frame from an agent: kinds that no agent sends are [unknown](Self::Unknown), and no code is
    /// generated to read them.
    ///
    /// # Errors
    ///
    /// See [`FrameError`].
    #[inline]
    pub fn read_from_agent(bytes: &'a [u8]) -> Result<Self, FrameError> {
        Self::read_of::<AGENT>(bytes)
    }
}

impl Frame<'_> {
    /// Sequence of the command that this is the reply to: `None` for kinds that are not a reply.
    pub const fn request(&self) -> Option<u32> {
        Some(match self {
            Self::Done(reply) => reply.request,
            Self::BreakpointSet(reply) => reply.request,
            Self::Breakpoints(reply) => reply.request,
            Self::Registers(reply) => reply.request,
            Self::Memory(reply) => reply.request,
            Self::Status(reply) => reply.request,
            Self::Axes(reply) => reply.request,
            Self::Plc(reply) => reply.request,
            Self::Cursor(reply) => reply.request,
            Self::Audit(reply) => reply.request,
            Self::Metrics(reply) => reply.request,
            Self::Variables(reply) => reply.request,
            Self::Map(reply) => reply.request,
            Self::Error(reply) => reply.request,
            _ => return None,
        })
    }
}

impl Frame<'_> {
    /// The channel on which a kind that a host sends goes (SPEC sections 5.6 and 6.2). `None` for kinds that only an
    /// agent sends, which go on their command's channel, and for unknown ones.
    pub const fn channel(&self) -> Option<Channel> {
        match self {
            Self::Unknown { .. } => None,
            known => Channel::of_kind(known.kind()),
        }
    }
}

impl Encode for Frame<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        write(self, out)
    }
}
