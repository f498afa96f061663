//! What happens on a host.

use core::fmt;

use feedrate::rdp::frame::{Cause, Error, Fingerprint, Frame, State, Stopped};

use crate::line::LineEnd;

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
    /// The agent has reported the state of the machine, and the host agrees. [`Active`](Self::Active) follows.
    State(State<'a>),
    /// Commands can be sent.
    Active,
    /// A command was answered.
    Answer(Answer<'a>),
    /// The program has stopped.
    Stopped(Stopped<'a>),
    /// The session ends before a command was answered: it was executed once, or not at all. The audit log shows
    /// which, in the next session.
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
    /// One of the two sides has ended it, for this reason.
    #[error("{0}")]
    Ended(Cause),
    /// The line ended.
    #[error("{0}")]
    Line(LineEnd),
    /// The peer closed the stream before it had sent anything.
    #[error("the peer hung up without a word: another host has a session, or it is no RDPv3 agent")]
    HungUp,
    /// The agent refuses the session.
    #[error("the agent refuses the session: {} ({}, detail {})", .0.code, .0.code.name(), .0.detail)]
    Refused(Error),
    /// The line exists, but nobody answers, or the handshake is not completed.
    #[error("nobody answers the handshake")]
    HandshakeTimeout,
    /// The handshake's bytes were not of this session.
    #[error("the agent's answer to the handshake is not of this session")]
    NotOfSession,
    /// The host's own seal refuses what the agent sends, with a code of its own.
    #[error("the seal refuses the agent's record, code {0}")]
    Seal(u32),
    /// Welcome repeats another nonce, or is not the agent's first message.
    #[error("the agent welcomes another host than this one")]
    WrongWelcome,
    /// Welcome names a version of the protocol that was not offered.
    #[error("the agent wants version {0} of the protocol, expected 3")]
    WrongVersion(u8),
    /// Welcome names another suite than the one in use.
    #[error("the agent has suite {named} in use, expected {used}")]
    WrongSuite {
        /// The one in Welcome.
        named: u16,
        /// The one in use.
        used: u16,
    },
    /// Both sides have a better suite than the one in use: somebody has removed it on the way.
    #[error(
        "suite {used} is in use, although both sides have suite {better}: the line has been tampered with"
    )]
    Downgraded {
        /// The one in use.
        used: u16,
        /// The better one.
        better: u16,
    },
    /// The suite in use is below the least that is wanted.
    #[error("suite {used} is in use, expected at least {least}")]
    WeakSuite {
        /// The one in use.
        used: u16,
        /// [`HostConfig::suite`](super::HostConfig::suite).
        least: u16,
    },
    /// It is another device.
    #[error("this is device {}, not the one that is meant", Hex(.0))]
    WrongDevice(Fingerprint),
    /// It is another generation of the program.
    #[error("the program is of generation {found}, expected {expected}")]
    WrongProgram {
        /// The one in Welcome.
        found: u32,
        /// [`HostConfig::generation`](super::HostConfig::generation).
        expected: u32,
    },
    /// A command was not answered in time.
    #[error("a command was not answered in time")]
    Patience,
}

impl Closed {
    /// The reason of SPEC section 5.8, as far as there is one.
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Ended(cause) => Some(*cause),
            Self::Line(_) | Self::HungUp => Some(Cause::LineLost),
            Self::NotOfSession => Some(Cause::IntegrityLost),
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
