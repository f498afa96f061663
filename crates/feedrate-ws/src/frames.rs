//! Frames, one behind the other: WebSocket's lowest layer as a [`Protocol`] of [`feedrate::Decoder`].
//!
//! A [`Receiver`](crate::Receiver) is made of this. Alone it is for those who put messages together in their own way, or pass frames on as
//! they are: a proxy, a tap. What one frame may follow is checked, that text is UTF-8 is not.

use core::fmt;
use core::marker::PhantomData;

use feedrate::{Extent, Fault, Lent, Protocol};

use crate::frame::{Expected, Frame, Header, Measured};
use crate::message::Kind;
use crate::receiver::{InPieces, Role, Whole};
use crate::{Violation, mask};

/// The frames that one side of a connection gets.
///
/// All rules that headers can break are checked, at the first byte that shows it, and a violation loses the stream.
///
/// # Whole
///
/// A frame comes out as a [`Frame`], its payload unmasked: where it lies, from `&mut [u8]`, and in the decoder's storage from `&[u8]` or if
/// it came in pieces. One that is longer than the storage is refused alone, and the frame behind it comes next.
///
/// ```
/// use feedrate::{Array, Decoder};
/// use feedrate_ws::Role;
/// use feedrate_ws::frame::{Frames, Opcode};
///
/// let mut decoder = Decoder::new(Frames::new(Role::Server), Array::<512>::new());
/// // RFC 6455, section 5.7: a masked text message, "Hello".
/// let mut chunk = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let mut input = &mut chunk[..];
/// while let Some(frame) = decoder.feed(&mut input)? {
///     assert!(frame.fin && frame.opcode == Opcode::Text);
///     assert_eq!(frame.payload, b"Hello");
/// }
/// # Ok::<(), feedrate::Error<feedrate_ws::frame::FrameError>>(())
/// ```
///
/// # In pieces
///
/// With [`in_pieces`](Self::in_pieces) a frame comes out as the [`Part`]s in which it arrives: its header, and its payload as far as that is
/// here. Frames of any length need a storage of 14 bytes, for a header that is cut.
///
/// ```
/// use feedrate::{Array, Decoder};
/// use feedrate_ws::Role;
/// use feedrate_ws::frame::Frames;
///
/// let mut decoder = Decoder::new(Frames::new(Role::Server).in_pieces(), Array::<14>::new());
/// let mut hello = Vec::new();
/// for mut input in [&b"\x81\x85\x37"[..], b"\xfa\x21\x3d\x7f", b"\x9f\x4d\x51\x58"] {
///     while let Some(part) = decoder.feed(&mut input)? {
///         if let Some(header) = part.header {
///             assert_eq!(header.length, 5);
///         }
///         part.payload.copy_to(&mut hello);
///     }
/// }
/// assert_eq!(hello, b"Hello");
/// # Ok::<(), feedrate::Error<feedrate_ws::frame::FrameError>>(())
/// ```
pub struct Frames<M = Whole> {
    /// Bytes of the frame's payload that have not been handed out.
    remaining: u64,
    /// The key for the next of them.
    key: [u8; 4],
    role: Role,
    message: Begun,
    compressed: bool,
    only: Option<Kind>,
    mode: PhantomData<M>,
}

/// The message that has begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    No,
    Plain,
    Compressed,
    /// A frame was refused, and nobody has looked at it.
    Unknown,
}

impl Frames {
    /// The frames that the side with this role gets: those that a server gets are masked.
    pub const fn new(role: Role) -> Self {
        Self {
            remaining: 0,
            key: [0; 4],
            role,
            message: Begun::No,
            compressed: false,
            only: None,
            mode: PhantomData,
        }
    }

    /// Hands out the parts of frames as they arrive.
    #[must_use]
    pub const fn in_pieces(self) -> Frames<InPieces> {
        let Self { remaining, key, role, message, compressed, only, mode: _ } = self;
        Frames { remaining, key, role, message, compressed, only, mode: PhantomData }
    }
}

impl<M> Frames<M> {
    /// Messages may be compressed, as [agreed](crate::handshake): RSV1 in the first frame of one is no violation then. Nothing is decompressed here.
    #[must_use]
    pub const fn compressed(mut self, agreed: bool) -> Self {
        self.compressed = agreed;
        self
    }

    /// Accepts messages of one kind only.
    #[must_use]
    pub const fn only(mut self, kind: Kind) -> Self {
        self.only = Some(kind);
        self
    }

    /// Which side gets them.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Bytes of the frame's payload that are still to come, in pieces.
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    #[cfg(feature = "deflate")]
    pub(crate) const fn set_compressed(&mut self, agreed: bool) {
        self.compressed = agreed;
    }

    pub(crate) const fn set_only(&mut self, kind: Kind) {
        self.only = Some(kind);
    }

    /// Whether the data frame that came last was the last of its message.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.message, Begun::No)
    }

    /// The key for the next byte of the payload.
    #[cfg(feature = "deflate")]
    pub(crate) const fn next_key(&self) -> Option<[u8; 4]> {
        match self.role {
            Role::Server => Some(self.key),
            Role::Client => None,
        }
    }

    const fn expected(&self) -> Expected {
        Expected {
            compressed: self.compressed,
            masked: Some(matches!(self.role, Role::Server)),
            in_message: match self.message {
                Begun::No => Some(false),
                Begun::Plain | Begun::Compressed => Some(true),
                Begun::Unknown => None,
            },
            only: self.only,
        }
    }

    /// A frame has begun, and nothing of its payload has been handed out.
    #[inline]
    const fn begin(&mut self, header: &Header) {
        self.remaining = header.length;
        if let Some(key) = header.mask {
            self.key = key;
        }
        if header.opcode.is_control() {
            return;
        }
        self.message = match (header.fin, self.message) {
            (true, _) => Begun::No,
            (false, Begun::Compressed) => Begun::Compressed,
            (false, _) if header.rsv1 => Begun::Compressed,
            (false, _) => Begun::Plain,
        };
    }

    /// What most frames are, in a few instructions: the header of a data frame of up to 65,535 bytes that breaks no rule.
    #[inline(always)]
    pub(crate) fn look(&self, bytes: &[u8]) -> Option<Look> {
        let [first, second, rest @ ..] = bytes else { return None };
        // Without reserved bits.
        let kind = match (first & 0x7f, self.message) {
            (0x1, Begun::No) => Some(Kind::Text),
            (0x2, Begun::No) => Some(Kind::Binary),
            (0x0, Begun::Plain) => None,
            _ => return None,
        };
        if let (Some(kind), Some(only)) = (kind, self.only) {
            if kind != only {
                return None;
            }
        }
        let mask = match self.role {
            Role::Server => 0x80,
            Role::Client => 0,
        };
        let (length, rest, size) = match second ^ mask {
            // What has no payload is left to others: nothing would be handed out for it.
            short @ 1..=125 => (usize::from(short), rest, 2_usize),
            126 => {
                let (bytes, rest) = rest.split_first_chunk()?;
                let length = u16::from_be_bytes(*bytes);
                if length < 126 {
                    return None;
                }
                (usize::from(length), rest, 4)
            }
            _ => return None,
        };
        let (key, here, size) = match self.role {
            Role::Server => {
                let (key, payload) = rest.split_first_chunk()?;
                (Some(*key), payload.len(), size.saturating_add(4))
            }
            Role::Client => (None, rest.len(), size),
        };
        Some(Look { fin: first & 0x80 != 0, kind, key, size, length, here })
    }
}

/// A header that was looked at.
pub(crate) struct Look {
    pub(crate) fin: bool,
    /// `None`: it goes on with a message.
    pub(crate) kind: Option<Kind>,
    key: Option<[u8; 4]>,
    /// Bytes of the header.
    pub(crate) size: usize,
    /// Bytes of payload.
    pub(crate) length: usize,
    /// Bytes behind the header.
    here: usize,
}

impl Look {
    /// Whether it is a message of one frame.
    #[inline(always)]
    pub(crate) const fn is_single(&self) -> bool {
        self.fin && self.kind.is_some()
    }

    #[inline(always)]
    pub(crate) const fn is_whole(&self) -> bool {
        self.length <= self.here
    }

    #[inline(always)]
    const fn frame(&self) -> usize {
        self.size.saturating_add(self.length)
    }

    #[inline(always)]
    fn header(&self) -> Header {
        let length = u64::try_from(self.length).unwrap_or(u64::MAX);
        let opcode = self.kind.map_or(crate::frame::Opcode::Continuation, Kind::opcode);
        Header { fin: self.fin, rsv1: false, opcode, mask: self.key, length }
    }
}

impl Protocol for Frames<Whole> {
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = Frame<'a>;
    type Error = FrameError;

    fn extent(&self, head: &[u8]) -> Result<Extent, FrameError> {
        Ok(match Measured::of(head, &self.expected())? {
            Measured::Need(n) => Extent::Need(n),
            Measured::Whole(header, n) => {
                // What no memory can have is longer than any storage.
                let length = usize::try_from(header.length).unwrap_or(usize::MAX);
                Extent::Message(length.saturating_add(n))
            }
        })
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Frame<'a>, FrameError> {
        let Measured::Whole(header, n) = Measured::of(frame, &self.expected())? else {
            return Err(FrameError::NotReady);
        };
        self.begin(&header);
        self.remaining = 0;
        let payload = frame.get_mut(n..).unwrap_or_default();
        if let Some(key) = header.mask {
            mask::apply(payload, key);
        }
        let Header { fin, rsv1, opcode, mask, length: _ } = header;
        Ok(Frame { fin, rsv1, opcode, mask, payload })
    }

    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        self.look(head).map(|look| look.frame())
    }

    fn inside(&self) -> bool {
        !self.has_ended()
    }

    fn skipped(&mut self, _: usize) {
        // Whether its message goes on, the refused frame was not asked.
        self.message = Begun::Unknown;
    }

    fn reset(&mut self) {
        self.message = Begun::No;
    }
}

impl Protocol for Frames<InPieces> {
    type Bytes<'a> = Lent<'a>;
    type Message<'a> = Part<'a>;
    type Error = FrameError;

    fn extent(&self, head: &[u8]) -> Result<Extent, FrameError> {
        if self.remaining > 0 {
            return Ok(Extent::Piece(usize::try_from(self.remaining).unwrap_or(usize::MAX)));
        }
        Ok(match Measured::of(head, &self.expected())? {
            Measured::Need(n) => Extent::Need(n),
            Measured::Whole(_, n) => Extent::Message(n),
        })
    }

    fn parse<'a>(&mut self, bytes: Self::Bytes<'a>) -> Result<Part<'a>, FrameError> {
        if self.remaining > 0 {
            return Ok(self.piece(None, bytes));
        }
        let Measured::Whole(header, n) = Measured::of(bytes.as_bytes(), &self.expected())? else {
            return Err(FrameError::NotReady);
        };
        self.begin(&header);
        Ok(self.piece(Some(header), behind(bytes, n)))
    }

    /// Of a data frame that is whole here all is handed out at once, and of any other its header first.
    #[inline(always)]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        if self.remaining > 0 {
            let n = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(head.len());
            return (n > 0).then_some(n);
        }
        self.look(head).filter(Look::is_whole).map(|look| look.frame())
    }

    #[inline(always)]
    fn quick<'a>(&mut self, bytes: Self::Bytes<'a>) -> Result<Part<'a>, FrameError> {
        if self.remaining > 0 {
            return Ok(self.piece(None, bytes));
        }
        let Some(look) = self.look(bytes.as_bytes()) else { return self.parse(bytes) };
        let header = look.header();
        if self.message == Begun::No && header.fin {
            // It leaves nothing behind.
            let payload = Payload { bytes: behind(bytes, look.size), key: header.mask };
            return Ok(Part { header: Some(header), payload, last: true });
        }
        self.begin(&header);
        Ok(self.piece(Some(header), behind(bytes, look.size)))
    }

    fn inside(&self) -> bool {
        self.remaining > 0 || !self.has_ended()
    }

    fn reset(&mut self) {
        (self.remaining, self.message) = (0, Begun::No);
    }
}

impl Frames<InPieces> {
    #[inline(always)]
    fn piece<'a>(&mut self, header: Option<Header>, bytes: Lent<'a>) -> Part<'a> {
        let n = bytes.as_bytes().len();
        let key = match self.role {
            Role::Server => Some(self.key),
            Role::Client => None,
        };
        self.key = mask::advance(self.key, n);
        self.remaining = self.remaining.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        Part { header, payload: Payload { bytes, key }, last: self.remaining == 0 }
    }
}

#[inline(always)]
fn behind(bytes: Lent<'_>, n: usize) -> Lent<'_> {
    match bytes {
        Lent::Shared(bytes) => Lent::Shared(bytes.get(n..).unwrap_or_default()),
        Lent::Mutable(bytes) => Lent::Mutable(bytes.get_mut(n..).unwrap_or_default()),
    }
}

/// Some of a frame: what of it has arrived.
///
/// Where a frame is cut into parts depends on where its bytes were cut. The first has the header.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The header, if the frame begins here.
    pub header: Option<Header>,
    /// The next bytes of the payload, if some are here.
    pub payload: Payload<'a>,
    /// Whether the frame ends here.
    pub last: bool,
}

/// Bytes of a frame's payload, as they lie in the input, and their key.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    bytes: Lent<'a>,
    key: Option<[u8; 4]>,
}

impl<'a> Payload<'a> {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.bytes.as_bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.as_bytes().is_empty()
    }

    /// The bytes as they came: masked, if there is a key.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// The key for the first of the bytes, as long as they are masked.
    pub const fn key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// Unmasks the bytes where they lie.
    ///
    /// # Errors
    ///
    /// The payload as it was, if it is masked and came from `&[u8]`: [copy](Self::copy_to) it.
    pub fn unmask(self) -> Result<&'a [u8], Self> {
        match (self.bytes, self.key) {
            (bytes, None) => Ok(bytes.into_bytes()),
            (Lent::Mutable(bytes), Some(key)) => {
                mask::apply(bytes, key);
                Ok(bytes)
            }
            (bytes, key) => Err(Self { bytes, key }),
        }
    }

    /// Appends the bytes to `to`, unmasked.
    #[cfg(feature = "alloc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alloc")))]
    pub fn copy_to(&self, to: &mut alloc::vec::Vec<u8>) {
        let at = to.len();
        to.extend_from_slice(self.as_bytes());
        if let Some(key) = self.key {
            mask::apply(to.get_mut(at..).unwrap_or_default(), key);
        }
    }

    /// Unmasks the bytes where they lie, in blocks that stay in the cache while `check` looks at them. Those that cannot be are left as they are.
    pub(crate) fn unmask_checked<E>(
        self,
        block: usize,
        mut check: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        match (self.bytes, self.key) {
            (Lent::Mutable(bytes), Some(key)) => {
                for block in bytes.chunks_mut(block) {
                    // A block is a multiple of the key.
                    mask::apply(block, key);
                    check(block)?;
                }
                Ok(bytes)
            }
            (bytes, _) => {
                let bytes = bytes.into_bytes();
                check(bytes)?;
                Ok(bytes)
            }
        }
    }
}

/// What can be wrong with a stream of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The peer broke a rule.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A frame that is to be whole is longer than the storage: [`Fault::TooLong`].
    #[error("frame of {declared} bytes, but the storage holds at most {limit}")]
    TooLong {
        /// Length in bytes, header included.
        declared: usize,
        /// The storage's limit in bytes.
        limit: usize,
    },
    /// The stream ended inside a frame, or a message: [`Fault::Truncated`].
    #[error(
        "the stream ended inside a message, with {held} bytes of a frame here and at least {missing} missing"
    )]
    Truncated {
        /// Bytes of the frame that had arrived.
        held: usize,
        /// The least number of bytes that would have had to follow.
        missing: usize,
    },
    /// The storage could not grow: [`Fault::Memory`].
    #[error("no memory for {needed} bytes")]
    Memory {
        /// Bytes asked for.
        needed: usize,
    },
    /// What was ready is not there: [`Fault::NotReady`].
    #[error("no frame is ready: it has been taken, or the buffer is another one")]
    NotReady,
}

// Not a variant with the fault in it: this way the error is no larger than a violation, which an idle connection has room for.
impl From<Fault> for FrameError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLong { declared, limit } => Self::TooLong { declared, limit },
            Fault::Truncated { held, missing } => Self::Truncated { held, missing },
            Fault::Memory { needed } => Self::Memory { needed },
            _ => Self::NotReady,
        }
    }
}

impl<M> Clone for Frames<M> {
    fn clone(&self) -> Self {
        let Self { remaining, key, role, message, compressed, only, mode: _ } = *self;
        Self { remaining, key, role, message, compressed, only, mode: PhantomData }
    }
}

impl<M> fmt::Debug for Frames<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("role", &self.role)
            .field("remaining", &self.remaining)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}
