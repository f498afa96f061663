//! Why a message was not queued.

/// Why a message was not queued. None of it has been queued or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// The queue has no room for it now: try again when more has been written.
    #[error("message takes {needed} bytes in the queue, and {free} are free now")]
    Full {
        /// Bytes that the message takes, headers included.
        needed: usize,
        /// Free bytes.
        free: usize,
    },
    /// The queue will never have room for it: send it in pieces.
    #[error("message takes {needed} bytes in the queue, expected at most {limit}")]
    TooLong {
        /// Bytes that the message takes, headers included.
        needed: usize,
        /// The most that the queue holds.
        limit: usize,
    },
    /// The close frame has been queued, and nothing may follow it.
    #[error("the close frame has been queued, expected nothing after it")]
    Closing,
    /// A message in pieces has begun, and has to end first.
    #[error("a message in pieces has not ended, expected more of it")]
    Unfinished,
    /// A control frame has 125 bytes of payload at most.
    #[error("control frame of {length} bytes, expected at most 125")]
    ControlTooLong {
        /// Bytes.
        length: usize,
    },
    /// The ping before it is still in the queue.
    #[error("a ping is waiting to be written, expected one at a time")]
    PingPending,
}
