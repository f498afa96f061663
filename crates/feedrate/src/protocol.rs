//! What a [`Protocol`] has to provide: how long a message is, and what it means.

#[cfg(doc)]
use crate::error::Error;
use crate::error::Fault;
use crate::input::Bytes;

/// How far the thing that starts at the front of the stream reaches.
///
/// What a protocol returns must depend on the bytes alone. Given more bytes, [`Need`](Extent::Need) may become
/// something else, and [`Piece`](Extent::Piece) and [`Skip`](Extent::Skip) may reach further; nothing else may change.
/// The decoder does not ask again for a length that it has been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Extent {
    /// At least this many bytes in total, counted from the front, are needed to decide. If that many are there already,
    /// one more byte than there is will be awaited.
    Need(usize),
    /// One message of this many bytes. It may be 0 [inside](Protocol::inside) a message that comes in pieces: an event
    /// that takes no bytes, such as the end of the body.
    Message(usize),
    /// Up to this many bytes of a body that is handed out in pieces, as it arrives. 0 counts as 1.
    Piece(usize),
    /// One message, up to and including the next occurrence of these bytes.
    Until(&'static [u8]),
    /// One message, up to the next silence of the line: [`Decoder::gap`](crate::Decoder::gap).
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
/// "Refused alone" means one [`Error::Message`]: the message is skipped, and the next one is intact. Whatever the
/// recovery, an error of [`parse`](Protocol::parse) refuses its message alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing that follows can be trusted: the decoder is dead until [`Decoder::reset`](crate::Decoder::reset). Right
    /// for streams that lose no bytes, such as TCP.
    Close,
    /// Give up **one byte**, not one message, and search again from the next byte. Right for a serial line whose
    /// messages have a header or a checksum: a length made of noise must never swallow the intact message behind it.
    Hunt,
    /// Every message ends with a delimiter that occurs nowhere else ([`Extent::Until`]): a message that is too long or
    /// malformed costs only itself, never the next. Right for COBS.
    Delimiter,
    /// Messages are separated by silence ([`Extent::Silence`]): whatever is wrong between two silences is one error.
    /// Right for Modbus RTU.
    Silence,
}

/// A protocol: how long a message is, whether it is intact, and what it means.
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
    /// The type in which [`parse`](Self::parse) gets a frame: `&'a [u8]`; `&'a mut [u8]` if the bytes have to be
    /// changed before they mean something (unmasked, unstuffed); or [`Lent<'a>`](crate::Lent) for whichever the input
    /// is.
    ///
    /// In an `impl`, copy the signature of `parse` as it is here, with `Self::Bytes<'a>` and `Self::Message<'a>`. The
    /// concrete types in their place cause error E0195 in some cases.
    type Bytes<'a>: Bytes<'a>;

    /// What [`Decoder::feed`](crate::Decoder::feed) hands out: a view of the frame's bytes.
    type Message<'a>;

    /// The protocol's errors. [`Fault`] holds those that the decoder finds by itself. An error that loses the stream is
    /// kept and returned again, hence `Clone`.
    type Error: core::error::Error + Clone + From<Fault>;

    /// What happens when the bytes cannot be a message.
    const RECOVERY: Recovery = Recovery::Close;

    /// Measures the message that starts at `head[0]`, in time proportional to its header. `head` may be empty, and may
    /// reach past the message.
    ///
    /// # Errors
    ///
    /// Nothing that follows can be trusted: see [`Recovery`].
    fn extent(&self, head: &[u8]) -> Result<Extent, Self::Error>;

    /// Checks a whole frame. Checksums belong here and not in `parse`, so that the bytes of a frame that fails can be
    /// searched again ([`Recovery::Hunt`]). Not called for [pieces](Extent::Piece).
    ///
    /// # Errors
    ///
    /// The frame is not a message: see [`Recovery`].
    #[inline]
    fn check(&self, frame: &[u8]) -> Result<(), Self::Error> {
        let _ = frame;
        Ok(())
    }

    /// Reads one frame of exactly the length that `extent` returned. It may change the bytes; they are not looked at
    /// again.
    ///
    /// # Errors
    ///
    /// This message is malformed. It has been consumed, and the next one is intact.
    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error>;

    /// A shortcut for the most common kind of message: the length of the one at the front of `head`, exactly as
    /// [`extent`](Self::extent) would return it. The message may reach past `head`. `None` leaves it to `extent`.
    ///
    /// [`check`](Self::check) is not called for a frame that this has measured. [`Decoder::feed`](crate::Decoder::feed)
    /// inlines this into its caller's loop. It is optional: without it, decoding is merely slower.
    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        let _ = head;
        None
    }

    /// Replaces [`parse`](Self::parse) for a frame that [`glance`](Self::glance) has measured and that is complete in
    /// the input: it can skip what `glance` has checked.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    #[inline]
    fn quick<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
        self.parse(frame)
    }

    /// Called while a delimited message ([`Extent::Until`]) arrives, so that it can be refused at its first bad byte
    /// and not only at its end. `so_far[from..]` are the new bytes. When `from` is 0 a message begins: restart any
    /// counters.
    ///
    /// # Errors
    ///
    /// As [`extent`](Self::extent).
    #[inline]
    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), Self::Error> {
        let _ = (so_far, from);
        Ok(())
    }

    /// Called for a message whose `length` is beyond the storage's limit. `Some(n)`: its first `n` bytes are parsed by
    /// themselves, and `extent` then cuts the rest into [pieces](Extent::Piece). `None`: it is refused.
    fn head(&self, head: &[u8], length: usize) -> Option<usize> {
        let _ = (head, length);
        None
    }

    /// Whether the protocol is in the middle of a message that it hands out in pieces. If the stream ends there, that
    /// is an error.
    fn inside(&self) -> bool {
        false
    }

    /// Reports that `n` bytes were given up, or belonged to a refused message.
    fn skipped(&mut self, n: usize) {
        let _ = n;
    }

    /// Resets the protocol to its initial state.
    fn reset(&mut self) {}
}
