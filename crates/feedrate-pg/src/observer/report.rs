//! What an observer can be asked for.

use core::fmt;
use core::ops::RangeInclusive;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Phase {
    /// The frontend's startup packets are due.
    Startup,
    /// The frontend has asked for encryption, and the answer is due.
    Encrypting,
    /// StartupMessage has come, AuthenticationOk has not.
    Authenticating,
    /// AuthenticationOk has come, the first ReadyForQuery has not.
    Starting,
    /// The first ReadyForQuery has come.
    Ready,
    /// The frontend has sent Terminate. What it has asked for before can still be responded to.
    Terminated,
    /// The server has sent a fatal error, or was only asked to cancel a query: nothing follows.
    Over,
}

/// How many ReadyForQuery the server still sends for what has passed: exact, or a range where nobody can know.
///
/// A message behind an error or a CopyInResponse that has not passed yet counts until that passes: the error may drop
/// it, the COPY may swallow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Owed {
    /// The least.
    pub least: u32,
    /// The most.
    pub most: u32,
}

impl Owed {
    /// The number, if it is known.
    pub const fn exact(self) -> Option<u32> {
        if self.least == self.most { Some(self.least) } else { None }
    }

    /// As a range.
    pub const fn range(self) -> RangeInclusive<u32> {
        self.least..=self.most
    }

    /// Whether it may be this many.
    pub const fn contains(self, number: u32) -> bool {
        self.least <= number && number <= self.most
    }
}

impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.least, self.most)
    }
}

/// Whether what is owed is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InStep {
    /// It is.
    Yes,
    /// A message came that its sender may not send, so one of both has another idea of what is owed.
    ///
    /// It is taken for known again when a Query sent after that has been responded to as expected, and nothing is owed.
    No,
    /// Nobody can know, until a message comes that tells.
    Unknown(Situation),
}

impl InStep {
    /// Whether what is owed is known.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// "yes", "no" or "unknown".
impl fmt::Display for InStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown(_) => "unknown",
        })
    }
}

/// A situation in which nobody can know what is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Situation {
    /// COPY FROM STDIN failed after the frontend had sent Syncs: those that the server came to before it failed were
    /// swallowed, the others are answered.
    SyncInCopy,
    /// The same in an extended query, with other messages behind: if a Sync was not swallowed, it has ended the
    /// skipping that began with the error, and the messages are responded to; otherwise they are skipped.
    SkippedAfterCopy,
    /// COPY FROM STDIN failed at a message that does not belong there, and which a server before 14 drops: or it failed
    /// before that, and the message is responded to.
    MessageInCopy,
    /// More of these at once than are followed, or than the queue has room for. It is taken for known again as after a
    /// message that may not come.
    Several,
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SyncInCopy => "was a Sync swallowed by the COPY that failed?",
            Self::SkippedAfterCopy => "does the server skip after the COPY that failed?",
            Self::MessageInCopy => "was a message dropped by the COPY that failed?",
            Self::Several => "several doubts at once",
        })
    }
}
