//! What can go wrong in a session: [`Error`].

use std::io;

use feedrate::pg;
use feedrate_pg::client;

/// Why the next event could not be returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed, the server was late, or what it sent is not what the protocol allows.
    #[error("{0}")]
    Connection(#[from] crate::Error<pg::Error, io::Error>),
    /// What the server sent may not come where it came, or cannot be read.
    #[error("{0}")]
    Session(#[from] client::Error),
}

impl Error {
    /// Whether the session is over.
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_over(),
            Self::Session(error) => error.is_lost(),
        }
    }
}
