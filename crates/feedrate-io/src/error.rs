//! What can go wrong with a connection.

use feedrate::EncodeError;

use crate::limits::Late;

/// Why a connection could not do what it was asked to. `E` is the protocol's error, `I` the transport's.
///
/// A [`Protocol`](Self::Protocol) of the severity [`Message`](feedrate::Error::Message) is about one message, and a
/// [`Message`](Self::Message) about one of the caller's own: the connection goes on. After all others it is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E: core::error::Error + 'static, I: core::error::Error + 'static> {
    /// The transport failed.
    #[error("{0}")]
    Io(#[source] I),
    /// What the peer sent is not what the protocol allows.
    #[error("{0}")]
    Protocol(feedrate::Error<E>),
    /// A message cannot be sent: it can never fit into the queue, or cannot be written at all.
    #[error("cannot send: {0}")]
    Message(#[source] EncodeError),
    /// The peer took too long.
    #[error("{0}")]
    Late(#[source] Late),
}

impl<E: core::error::Error + 'static, I: core::error::Error + 'static> Error<E, I> {
    /// Whether the connection is over.
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Message(_) | Self::Protocol(feedrate::Error::Message(_)))
    }
}

#[cfg(feature = "std")]
impl<E: core::error::Error + 'static> From<std::io::Error> for Error<E, std::io::Error> {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
