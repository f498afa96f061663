//! Why a command, or the program, failed; and the exit code that says so.

use std::fmt;

use feedrate::rdp::frame;
use feedrate_rdp::host::Closed;
use feedrate_rdp::line::LineEnd;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The agent has answered a command with an Error.
    Refused { what: String, refused: frame::Error },
    /// The command line, or a command on it, cannot be understood.
    Usage(String),
    /// There is no agent.
    NoPeer(String),
    /// There is no session, or no longer one.
    Closed {
        why: Closed,
        /// Commands that have no answer.
        unknown: usize,
        /// It had been active.
        active: bool,
    },
    /// Something did not come in time.
    TimedOut(String),
    /// An answer does not fit the question.
    Nonsense(String),
    /// Ctrl-C.
    Interrupted,
    /// The failure has been printed already; exit with this code.
    Told(u8),
}

/// What a refused command was.
pub(crate) trait Refusable<T> {
    fn of(self, what: &str) -> Result<T, Failure>;
}

impl<T> Refusable<T> for Result<T, frame::Error> {
    fn of(self, what: &str) -> Result<T, Failure> {
        self.map_err(|refused| Failure::Refused { what: what.into(), refused })
    }
}

impl Failure {
    /// As documented in `--help`.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 1,
            Self::Usage(_) => 2,
            Self::NoPeer(_) => 3,
            Self::Closed { why: Closed::Refused(_), .. } => 4,
            Self::Closed { why: Closed::WrongDevice(_) | Closed::WrongProgram { .. }, .. } => 5,
            Self::Closed { active: false, .. } => 3,
            Self::Closed { .. } | Self::Nonsense(_) => 6,
            Self::TimedOut(_) => 7,
            Self::Interrupted => 130,
            Self::Told(code) => *code,
        }
    }

    /// Whether another command can be sent after it.
    pub(crate) const fn leaves_session(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Usage(_) | Self::TimedOut(_) | Self::Told(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { what, refused } => {
                write!(f, "{what} was refused: {} ({:?}", refused.code, refused.code)?;
                if refused.detail == 0 { f.write_str(")") } else { write!(f, ", detail {})", refused.detail) }
            }
            Self::Usage(text) | Self::NoPeer(text) | Self::TimedOut(text) | Self::Nonsense(text) => {
                f.write_str(text)
            }
            Self::Closed { why: Closed::Refused(refused), .. } => {
                write!(f, "the agent refuses the session: {}", refused.code)?;
                write!(f, " ({:?}, detail {})", refused.code, refused.detail)
            }
            Self::Closed {
                why: why @ (Closed::Line(LineEnd::NoAnswer) | Closed::HandshakeTimeout), ..
            } => write!(f, "no RDPv3 agent there: {why}"),
            Self::Closed { why, active: false, .. } => write!(f, "there is no session: {why}"),
            Self::Closed { why, unknown, .. } => {
                write!(f, "the session has ended: {why}")?;
                if *unknown > 0 {
                    f.write_str("; the last command was executed once or not at all, see audit")?;
                }
                Ok(())
            }
            Self::Interrupted => f.write_str("interrupted"),
            Self::Told(code) => write!(f, "exit code {code}"),
        }
    }
}
