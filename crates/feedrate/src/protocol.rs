//! What a [`Protocol`] has to say: how far a message reaches, and what it is.

#[cfg(doc)]
use crate::error::Error;
use crate::error::Fault;
use crate::input::Bytes;

/// How far the thing that starts at the front of the stream reaches.
///
/// What a protocol returns is a function of the bytes alone: more bytes behind the ones it has seen may turn
/// [`Need`](Extent::Need) into something else, and let [`Piece`](Extent::Piece) and [`Skip`](Extent::Skip) reach
/// further. They change nothing more: a length that was returned once is not asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Extent {
    /// At least this many bytes in total, counted from the front, are needed to say more. A number of bytes that are
    /// here already counts as one more than those.
    Need(usize),
    /// One message of this many bytes. [Inside](Protocol::inside) a message that comes in pieces it may be 0: an event
    /// that takes no bytes, such as the end of the body.
    Message(usize),
    /// Up to this many bytes of a body that need not be held together: whatever is there is handed out.
    /// 0 counts as 1.
    Piece(usize),
    /// One message that reaches up to and including the next occurrence of these bytes.
    Until(&'static [u8]),
    /// One message that reaches up to the next silence of the line: [`Decoder::gap`](crate::Decoder::gap).
    Silence,
    /// This many bytes cannot belong to a message and are given up. 0 counts as 1.
    Skip(usize),
}

/// What to do when the bytes cannot be a message.
///
/// | | [`extent`](Protocol::extent) fails | longer than the storage | [`check`](Protocol::check) fails |
/// |---|---|---|---|
/// | `Close` | the stream is lost | of known length: refused alone; otherwise lost | refused alone |
/// | `Hunt` | one byte is given up | one byte is given up | one byte is given up |
/// | `Delimiter` | the stream is lost | refused alone | refused alone |
/// | `Silence` | refused up to the silence | refused up to the silence | refused alone |
///
/// "Refused alone" is one [`Error::Message`]: the message is passed over, and the next one is intact. Whatever the
/// recovery, an error of [`parse`](Protocol::parse) refuses its message alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing can be trusted any more: the decoder is dead until [`Decoder::reset`](crate::Decoder::reset). Right for
    /// streams that lose no bytes, such as TCP.
    Close,
    /// Give up **one byte**, not one message, and look again at the next one. Right for a serial line whose messages
    /// carry a header or a checksum: a length made of noise must never take the intact message behind it along.
    Hunt,
    /// Every message ends in a delimiter that occurs nowhere else ([`Extent::Until`]): one that is too long, or
    /// malformed, costs itself and never the next. Right for COBS.
    Delimiter,
    /// Messages are apart by silence ([`Extent::Silence`]): whatever is wrong with one, or was noise, is one error, and
    /// ends at the next silence. Right for Modbus RTU.
    Silence,
}

/// A protocol: how far a message reaches, whether it may be believed, and what it is.
///
/// [`guide`](crate::guide) walks through writing one. The [crate's front page](crate) has the loop that drives it.
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
///     type Bytes<'a> = &'a [u8];
///     type Message<'a> = &'a [u8];
///     type Error = Fault;
///
///     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> {
///         Ok(Extent::Until(b"\n"))
///     }
///
///     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
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
    /// What a frame is handed to [`parse`](Self::parse) as: `&'a [u8]`, `&'a mut [u8]` if its bytes have to be changed
    /// before they mean something (unmasked, unstuffed), or [`Lent<'a>`](crate::Lent) for whichever the input is.
    ///
    /// In an `impl`, spell the signature of `parse` as it is here, with `Self::Bytes<'a>` and `Self::Message<'a>`: the
    /// types themselves in their place are error E0195 in some of the cases.
    type Bytes<'a>: Bytes<'a>;

    /// What [`Decoder::feed`](crate::Decoder::feed) hands out: a view of the frame's bytes.
    type Message<'a>;

    /// What can be wrong. [`Fault`] holds what the decoder finds by itself. The error is kept when the stream is lost,
    /// and told again, hence `Clone`.
    type Error: core::error::Error + Clone + From<Fault>;

    /// What happens when the bytes cannot be a message.
    const RECOVERY: Recovery = Recovery::Close;

    /// Measures what starts at `head[0]`, in O(header). `head` may be empty, and may reach past the message.
    ///
    /// # Errors
    ///
    /// Nothing that follows can be believed: see [`Recovery`].
    fn extent(&self, head: &[u8]) -> Result<Extent, Self::Error>;

    /// Whether a whole frame may be believed: checksums go here, as a frame that fails can be looked at again then
    /// ([`Recovery::Hunt`]). Bodies in [pieces](Extent::Piece) are not asked about.
    ///
    /// # Errors
    ///
    /// The frame is not a message: see [`Recovery`].
    #[inline]
    fn check(&self, frame: &[u8]) -> Result<(), Self::Error> {
        let _ = frame;
        Ok(())
    }

    /// Reads one frame of exactly the extent that was asked for. It may change its bytes, this once.
    ///
    /// # Errors
    ///
    /// This message is malformed. It has been consumed, and the next one is intact.
    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error>;

    /// A shortcut for the most common kind of message: how many bytes the one at the front of `head` has, exactly as
    /// [`extent`](Self::extent) would have it. It may reach past `head`. `None` leaves it to `extent`.
    ///
    /// A frame that was measured by this is not asked about by [`check`](Self::check).
    /// [`Decoder::feed`](crate::Decoder::feed) has this inlined into its caller's loop. Without it everything works as
    /// well, and slower.
    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        let _ = head;
        None
    }

    /// [`parse`](Self::parse) of a frame that [`glance`](Self::glance) measured and that is whole where it lies: for
    /// what need not be asked of it any more.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    #[inline]
    fn quick<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
        self.parse(frame)
    }

    /// A delimited message is arriving ([`Extent::Until`]), and `so_far[from..]` are bytes of it that have not been
    /// shown before: so it can be refused at the first byte that shows it, and not only at its end. What is counted on
    /// the way begins anew when `from` is 0.
    ///
    /// # Errors
    ///
    /// As [`extent`](Self::extent).
    #[inline]
    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), Self::Error> {
        let _ = (so_far, from);
        Ok(())
    }

    /// A message of `length` bytes is longer than the storage can ever hold. `Some(n)`: its first `n` bytes are to be
    /// parsed alone, and `extent` will then cut the rest into [pieces](Extent::Piece). `None`: it is refused.
    fn head(&self, head: &[u8], length: usize) -> Option<usize> {
        let _ = (head, length);
        None
    }

    /// Whether the protocol is in the middle of a message that it hands out in pieces, so that the stream must not end.
    fn inside(&self) -> bool {
        false
    }

    /// `n` bytes were given up, or belonged to a message that was refused.
    fn skipped(&mut self, n: usize) {
        let _ = n;
    }

    /// Back to how the protocol was when it was made.
    fn reset(&mut self) {}
}
