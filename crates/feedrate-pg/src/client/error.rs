//! What can be wrong with a server's message, and with a request.

use feedrate::EncodeError;
use feedrate::pg;

use crate::queue::{Full, Kind};

/// A message of the server's that may not come here, or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The body is malformed. What it was for is known, so the session goes on: its request is counted as answered.
    #[error(transparent)]
    Malformed(#[from] pg::Error),
    /// It is no answer to what has been sent. Nobody knows any more what answers what: close the connection.
    #[error("{name} came, {}", Due(*.due))]
    Unexpected {
        /// The message that came.
        name: &'static str,
        /// What is owed first, if anything.
        due: Option<Kind>,
    },
    /// The server takes what was sent behind a COPY from the client for data: close the connection. Only Sync and Flush
    /// may be sent behind it before CopyInResponse has come.
    #[error(
        "requests were sent behind a COPY from the client before its CopyInResponse: the server cannot read them"
    )]
    BehindCopy,
}

impl Error {
    /// Whether the connection is lost. Otherwise it goes on.
    pub const fn is_lost(&self) -> bool {
        !matches!(self, Self::Malformed(_))
    }
}

/// The second half of a sentence.
struct Due(Option<Kind>);

impl core::fmt::Display for Due {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(kind) => {
                write!(f, "where the response to {kind} is due, or a part of it that it has had already")
            }
            None => f.write_str("where no response is due"),
        }
    }
}

/// Why a request was not written. Nothing has changed, and nothing is in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// As many requests wait as there is room for.
    #[error(transparent)]
    Full(#[from] Full),
    /// It cannot be encoded, or the output is full.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The server has not said yet that it is ready for the first request.
    #[error("the session has not begun: its first ReadyForQuery has not come")]
    Starting,
    /// What was given up has not ended: receive more before something else is sent.
    #[error("what was abandoned has not ended: receive more first")]
    Abandoned,
    /// A request has failed, and the server drops everything up to the next Sync.
    #[error("a request has failed, and the server drops all others up to a Sync: send Sync")]
    Failed,
    /// A COPY has swallowed the Sync behind it, or will not: only another Sync shows where it has ended.
    #[error("a COPY may have swallowed the Sync behind it: send Sync")]
    Swallowed,
    /// A COPY is waiting for its data, which cannot have anything else between them.
    #[error("a COPY waits for data: send CopyData, and CopyDone or CopyFail at the end")]
    InCopy,
    /// There is no COPY to which this could belong, or it has ended.
    #[error("no COPY waits for data")]
    NoCopy,
    /// A COPY both ways cannot fail: a server ends the session then.
    #[error("CopyFail in a COPY both ways: send CopyDone")]
    CopyBoth,
    /// Terminate has been sent, or the server has ended the session.
    #[error("the session is over")]
    Over,
}
