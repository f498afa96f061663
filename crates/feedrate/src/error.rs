//! Errors of a stream, whatever its protocol, and their severity.

/// Errors that a decoder finds by itself, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// A message is longer than the storage's limit.
    #[error("message of {declared} bytes, but the storage holds at most {limit}")]
    TooLong {
        /// Length in bytes, as the message declares it, or its minimum.
        declared: usize,
        /// The storage's limit in bytes.
        limit: usize,
    },
    /// The stream ended, or the line fell silent, inside a message.
    #[error("the stream ended inside a message, with {held} bytes of it here and at least {missing} missing")]
    Truncated {
        /// Bytes of the message that had arrived.
        held: usize,
        /// The least number of bytes that were missing.
        missing: usize,
    },
    /// The storage could not grow, although it was below its limit.
    #[error("no memory for {needed} bytes")]
    Memory {
        /// Bytes asked for.
        needed: usize,
    },
    /// The message that was [ready](crate::Decoder::ready) is not there: it has been taken, or this is another buffer.
    #[error("no message is ready: it has been taken, or this is another buffer")]
    NotReady,
}

/// An error, in one of exactly two severities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: that there is no third severity is a promise, and every caller has to distinguish these two.
pub enum Error<E> {
    /// This message is malformed, or too long to be held. It is skipped and the stream is intact: keep feeding.
    #[error("message refused: {0}")]
    Message(E),
    /// The stream is lost: nothing that follows can be trusted. Every call returns this until
    /// [`Decoder::reset`](crate::Decoder::reset).
    #[error("lost stream: {0}")]
    Lost(E),
}

impl<E> Error<E> {
    /// What went wrong, of whichever severity.
    pub fn into_inner(self) -> E {
        match self {
            Self::Message(error) | Self::Lost(error) => error,
        }
    }

    /// Whether the stream is lost.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}
