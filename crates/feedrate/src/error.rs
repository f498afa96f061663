//! What can go wrong with a stream, whatever its protocol, and how badly.

/// What a decoder can find wrong by itself, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// A message declares more bytes than the storage can ever hold.
    #[error("message of {declared} bytes, but the storage holds at most {limit}")]
    TooLong {
        /// Length in bytes, as the message declares it, or the least that it can be.
        declared: usize,
        /// The storage's limit in bytes.
        limit: usize,
    },
    /// The stream ended inside a message, or the line fell silent there.
    #[error("the stream ended inside a message, with {held} bytes of it here and at least {missing} missing")]
    Truncated {
        /// Bytes of the message that had arrived.
        held: usize,
        /// The least number of bytes that would have had to follow.
        missing: usize,
    },
    /// The storage could not grow, although it was below its limit.
    #[error("no memory for {needed} bytes")]
    Memory {
        /// Bytes asked for.
        needed: usize,
    },
    /// What was [ready](crate::Decoder::ready) is not there: it has been taken, or it was another buffer.
    #[error("no message is ready: it has been taken, or the buffer is another one")]
    NotReady,
}

/// The two severities. There is nothing between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: that there is no third is a promise, and who feeds on has to tell these two apart.
pub enum Error<E> {
    /// This message is malformed, or too long to be held. It has been passed over and the stream is intact: feed on.
    #[error("message refused: {0}")]
    Message(E),
    /// The stream is lost: no byte that follows can be believed. Every call returns this until
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
