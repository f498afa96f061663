//! The two things that a [`Protocol`] has to say, how far a message reaches and what it is, and what can go wrong.

/// How far the thing that starts at the front of the stream reaches.
///
/// A protocol's answer is a function of the bytes alone: more bytes behind the ones it has seen may turn
/// [`Need`](Extent::Need) into something else, and change nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// At least this many bytes in total, counted from the front, are needed to say more. A number that is here already means that only what
    /// follows will tell: another byte, or [silence](Protocol::silence).
    Need(usize),
    /// One message of this many bytes. It may be 0: an event that takes no bytes, such as the end of a streamed body.
    Message(usize),
    /// Up to this many bytes of a body that need not be held together: whatever is there is handed out.
    /// 0 counts as 1.
    Piece(usize),
    /// One message that reaches up to and including the next byte of this value.
    Until(u8),
    /// This many bytes cannot belong to a message and are given up. 0 counts as 1.
    Skip(usize),
}

/// What to do when the bytes cannot be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing can be trusted any more: the decoder is dead until [`Decoder::reset`](crate::Decoder::reset). Right for streams that lose
    /// no bytes, such as TCP.
    Close,
    /// Give up **one byte**, not one message, and look again at the next one. Right for a serial line whose messages
    /// carry a header or a checksum: a length made of noise must never take the intact message behind it along.
    Hunt,
    /// Every message ends in a delimiter that occurs nowhere else ([`Extent::Until`]): one that is too long, or bad, costs
    /// itself and never the next. Right for COBS.
    Delimiter,
}

/// A protocol: how far a message reaches, and what it is.
///
/// See the [crate's front page](crate) for the loop that drives it.
///
/// # Example
///
/// Lines that end in `\n`, as a protocol:
///
/// ```
/// use feedrate::{Decoder, Extent, Fault, Protocol};
///
/// struct Lines;
///
/// impl Protocol for Lines {
///     type Message<'a> = &'a [u8];
///     type Error = Fault;
///
///     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> {
///         Ok(Extent::Until(b'\n'))
///     }
///
///     fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<&'a [u8], Fault> {
///         Ok(frame.strip_suffix(b"\n").unwrap_or(frame))
///     }
/// }
///
/// let mut decoder = Decoder::new(Lines, feedrate::Array::<64>::new());
/// let mut lines = 0;
/// for mut chunk in [&b"GET"[..], b" /\r", b"\nHost: a\n"] {
///     while let Some(line) = decoder.feed(&mut chunk)? {
///         assert!(line == b"GET /\r" || line == b"Host: a");
///         lines += 1;
///     }
/// }
/// assert_eq!(lines, 2);
/// # Ok::<(), feedrate::Error<Fault>>(())
/// ```
pub trait Protocol {
    /// What [`Decoder::feed`](crate::Decoder::feed) hands out: a view of the frame's bytes.
    type Message<'a>;

    /// What can be wrong. [`Fault`] holds what the decoder finds by itself. The error is kept when the stream is lost,
    /// and told again, hence `Clone`.
    type Error: core::error::Error + Clone + From<Fault>;

    /// What happens when `extent` or `parse` fails.
    const RECOVERY: Recovery = Recovery::Close;

    /// Measures what starts at `head[0]`, in O(header). `head` may be empty, and may reach past the message.
    ///
    /// An error means that nothing that follows can be believed: see [`Recovery`].
    fn extent(&self, head: &[u8]) -> Result<Extent, Self::Error>;

    /// A shortcut for the most common kind of message: one that is whole at the front of `input`, shorter than `room` bytes,
    /// cannot be bad, and changes nothing in the protocol. The answer is the message and its length, exactly as `extent` and
    /// `parse` would have it; `None` leaves it to them.
    ///
    /// [`Decoder::feed`](crate::Decoder::feed) has this inlined into its caller's loop. Without it everything works as well, and slower.
    #[inline]
    fn glance<'a>(&self, input: &'a [u8], room: usize) -> Option<(Self::Message<'a>, usize)> {
        let _ = (input, room);
        None
    }

    /// Reads one frame of exactly the extent that was asked for.
    ///
    /// An error means that this message is bad. With [`Recovery::Close`] the frame has been consumed and the next
    /// one is intact.
    fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<Self::Message<'a>, Self::Error>;

    /// A message of `length` bytes is longer than the storage can ever hold. `Some(n)`: its first `n` bytes can be
    /// parsed alone, and `extent` will then cut the rest into pieces. `None`: it cannot be received.
    fn head(&self, head: &[u8], length: usize) -> Option<usize> {
        let _ = (head, length);
        None
    }

    /// The line fell silent while these bytes, which are not empty, were held. `Some(n)`: the first `n` of them are a
    /// whole message, ended by the silence. `None`: they are not.
    fn silence(&self, held: &[u8]) -> Option<usize> {
        let _ = held;
        None
    }

    /// Whether the protocol is in the middle of a message that it hands out in pieces, so that the stream must not end.
    fn inside(&self) -> bool {
        false
    }

    /// `n` bytes were given up, by [`Extent::Skip`] or [`Recovery::Hunt`].
    fn skipped(&mut self, n: usize) {
        let _ = n;
    }

    /// Back to how the protocol was when it was made.
    fn reset(&mut self) {}
}

/// What a decoder can find wrong by itself, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
    /// The stream ended inside a message.
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
}

/// The two severities. There is nothing between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error<E> {
    /// This message is bad. It has been passed over and the stream is intact: feed on.
    #[error("bad message: {0}")]
    Message(E),
    /// The stream is lost: no byte that follows can be believed. Every call answers this until [`Decoder::reset`](crate::Decoder::reset).
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
