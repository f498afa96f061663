//! One message as received: its raw bytes, parsed on demand.

use core::fmt;
use core::marker::PhantomData;

use super::answer::Answer;
use super::error::{Error, Problem};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Protocol};

/// Bytes of type byte and length.
pub(crate) const HEADER: usize = 5;

/// One whole message as received, of the direction `D`: [`Backend`](super::Backend) or [`Frontend`](super::Frontend).
///
/// The raw bytes serve for forwarding and the type byte for routing; only [`message`](Self::message) parses the fields.
///
/// ```
/// use feedrate::{Array, Decoder, pg::{Backend, backend::{CommandComplete, Message}}};
///
/// let mut decoder = Decoder::new(Backend::established(), Array::<256>::new());
/// let mut input = &b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"[..];
/// let frame = decoder.feed(&mut input)?.unwrap();
/// assert_eq!(frame.tag(), CommandComplete::TAG);
/// assert_eq!(frame.raw(), b"C\0\0\0\x0dSELECT 1\0");
/// let Message::CommandComplete(complete) = frame.message()? else { unreachable!() };
/// assert_eq!(complete.rows(), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Frame<'a, D> {
    raw: &'a [u8],
    tag: u8,
    kind: Kind,
    direction: PhantomData<D>,
}

/// What determines the meaning of a frame besides its type byte. Usually it is `Tagged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tagged,
    Answer(Answer),
    Startup,
    DirectTls,
    EncryptionResponse,
    UntrustedError,
    PlainError,
}

/// A direction of the conversation. It cannot be implemented outside of this crate.
pub trait Direction: Sized + sealed::Direction {
    /// The messages of this direction.
    type Message<'a>;
}

pub(crate) mod sealed {
    use super::{Error, Frame};
    use crate::pg::shape::Shape;

    pub trait Direction: Sized {
        fn message<'a>(frame: &Frame<'a, Self>) -> Result<<Self as super::Direction>::Message<'a>, Error>
        where
            Self: super::Direction;

        /// A direction whose startup phase is over.
        fn established() -> Self;

        fn name(frame: &Frame<'_, Self>) -> &'static str;

        /// The fields of a message that is to be streamed. `None`: it cannot be at this point of the connection.
        fn shapes(&self, tag: u8) -> Option<&'static [Shape]>;
    }
}

impl<'a, D> Frame<'a, D>
where
    D: Direction + for<'b> Protocol<Bytes<'b> = &'b [u8], Message<'b> = Frame<'b, D>, Error = Error>,
{
    /// A frame from one complete message in memory. It may be of any kind that is sent after authentication, and must
    /// be within the default limits.
    ///
    /// ```
    /// use feedrate::pg::backend::{self, Message};
    ///
    /// let frame = backend::Frame::from_bytes(b"Z\0\0\0\x05I")?;
    /// assert!(matches!(frame.message()?, Message::ReadyForQuery(_)));
    ///
    /// let error = backend::Frame::from_bytes(b"Z\0\0\0\x05II").unwrap_err();
    /// assert_eq!(error.to_string(), "ReadyForQuery at byte 6: 1 bytes after the end of the message");
    /// # Ok::<(), feedrate::pg::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly one message of this direction. The fields are only checked by
    /// [`message`](Self::message).
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut direction = D::established();
        let length = match direction.extent(bytes)? {
            Extent::Message(length) | Extent::Need(length) => length,
            // Nothing else is returned for a message with a type byte.
            _ => HEADER,
        };
        let tag = bytes.first().copied().unwrap_or_default();
        let problem = match bytes.len().checked_sub(length) {
            Some(0) => return direction.parse(bytes),
            Some(more) => Problem::Behind(more),
            None => Problem::Short { what: "message", needed: length, left: bytes.len() },
        };
        let name = Self::new(bytes, tag, Kind::Tagged).name();
        Err(Error::new(name, length.min(bytes.len()), problem))
    }
}

impl<'a, D: Direction> Frame<'a, D> {
    #[inline]
    pub(crate) const fn new(raw: &'a [u8], tag: u8, kind: Kind) -> Self {
        Self { raw, tag, kind, direction: PhantomData }
    }

    /// The type byte, or 0 for startup packets and one-byte answers, which have none.
    #[inline]
    pub const fn tag(&self) -> u8 {
        self.tag
    }

    /// All bytes of the message, as received.
    #[inline]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes after the type byte and the length; in an untagged packet, after the length.
    pub fn body(&self) -> &'a [u8] {
        let header = match self.kind {
            Kind::Startup => 4,
            Kind::DirectTls | Kind::EncryptionResponse => 0,
            Kind::PlainError => 1,
            Kind::Tagged | Kind::Answer(_) | Kind::UntrustedError => HEADER,
        };
        self.raw.get(header..).unwrap_or_default()
    }

    /// The message's name, as the documentation spells it.
    pub fn name(&self) -> &'static str {
        D::name(self)
    }

    /// Parses the message, and checks it to its last byte.
    ///
    /// # Errors
    ///
    /// If the body is malformed. The frame is intact, and so is the stream.
    #[inline]
    pub fn message(&self) -> Result<D::Message<'a>, Error> {
        D::message(self)
    }

    #[inline]
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }
}

/// Writes the bytes as received.
impl<D> Encode for Frame<'_, D> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(self.raw)
    }
}

impl<D> Clone for Frame<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Frame<'_, D> {}

impl<D> PartialEq for Frame<'_, D> {
    fn eq(&self, other: &Self) -> bool {
        (self.raw, self.kind) == (other.raw, other.kind)
    }
}

impl<D> Eq for Frame<'_, D> {}

/// A [`Frame`] that owns its bytes, so that it can be kept or sent to another thread.
///
/// ```
/// use feedrate::{Array, Decoder, pg::{Backend, OwnedFrame, backend::Message}};
///
/// let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
/// let mut kept = Vec::new();
/// let mut input = &b"Z\0\0\0\x05I"[..];
/// while let Some(frame) = decoder.feed(&mut input)? {
///     kept.push(OwnedFrame::from(frame));
/// }
/// assert!(matches!(kept[0].as_frame().message()?, Message::ReadyForQuery(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
#[cfg_attr(docsrs, doc(cfg(feature = "alloc")))]
pub struct OwnedFrame<D> {
    raw: alloc::boxed::Box<[u8]>,
    tag: u8,
    kind: Kind,
    direction: PhantomData<D>,
}

#[cfg(feature = "alloc")]
impl<D> OwnedFrame<D> {
    /// Borrows it as a [`Frame`].
    pub const fn as_frame(&self) -> Frame<'_, D> {
        Frame { raw: &self.raw, tag: self.tag, kind: self.kind, direction: PhantomData }
    }
}

#[cfg(feature = "alloc")]
impl<D> From<Frame<'_, D>> for OwnedFrame<D> {
    fn from(frame: Frame<'_, D>) -> Self {
        Self { raw: frame.raw.into(), tag: frame.tag, kind: frame.kind, direction: PhantomData }
    }
}

#[cfg(feature = "alloc")]
impl<D> Encode for OwnedFrame<D> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        self.as_frame().write(out)
    }
}

#[cfg(feature = "alloc")]
impl<D> Clone for OwnedFrame<D> {
    fn clone(&self) -> Self {
        self.as_frame().into()
    }
}

#[cfg(feature = "alloc")]
impl<D> PartialEq for OwnedFrame<D> {
    fn eq(&self, other: &Self) -> bool {
        self.as_frame() == other.as_frame()
    }
}

#[cfg(feature = "alloc")]
impl<D> Eq for OwnedFrame<D> {}

#[cfg(feature = "alloc")]
impl<D: Direction> fmt::Debug for OwnedFrame<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_frame().fmt(f)
    }
}

/// The body may be a password, and is only counted.
#[cfg(feature = "defmt")]
impl<D: Direction> defmt::Format for Frame<'_, D> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Frame({=str}, {=usize} bytes)", self.name(), self.raw.len());
    }
}

/// The body may be a password, and is only counted.
impl<D: Direction> fmt::Debug for Frame<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("name", &self.name()).field("length", &self.raw.len()).finish()
    }
}
