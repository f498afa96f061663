//! What happens on a host.

use core::fmt;

use feedrate::rdp::frame::{ByeReason, Error, Fingerprint, Frame, State, Stopped};

use crate::link::LinkEnd;

/// An answer that no [`Ticket`](super::command::Ticket) has looked at yet.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Sequence of the command.
    pub request: u32,
    /// The debug frame.
    pub frame: Frame<'a>,
}

/// What happens on a host.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The agent has told how the machine is, and the host agrees. Next comes [`Active`](Self::Active).
    State(State<'a>),
    /// Commands can be sent.
    Active,
    /// A command was answered.
    Answer(Answer<'a>),
    /// The program stands still.
    Stopped(Stopped<'a>),
    /// The session ends before a command was answered: it was executed once, or not at all. The audit log of the next
    /// session tells.
    Unknown {
        /// Sequence of the command.
        request: u32,
    },
    /// The session is over.
    Closed(Closed),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// One of the two sides has said goodbye.
    #[error("{0}")]
    Bye(ByeReason),
    /// The link ended.
    #[error("{0}")]
    Link(LinkEnd),
    /// The agent refuses the session.
    #[error("the agent refuses the session: {} ({}, detail {})", .0.code, .0.code.name(), .0.detail)]
    Refused(Error),
    /// The link is there, and the agent says nothing.
    #[error("the agent does not answer the handshake")]
    HandshakeTimeout,
    /// The agent's Welcome is not for this Hello.
    #[error("the agent answers another handshake than this one")]
    WrongHandshake,
    /// It is another device.
    #[error("this is device {}, not the one that is meant", Hex(.0))]
    WrongDevice(Fingerprint),
    /// A command was not answered in time.
    #[error("a command was not answered in time")]
    Patience,
}

impl Closed {
    /// The reason as [`ByeReason`], as far as there is one.
    pub const fn reason(&self) -> Option<ByeReason> {
        match self {
            Self::Bye(reason) => Some(*reason),
            Self::Link(_) => Some(ByeReason::LinkLost),
            _ => None,
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
