//! Frames, one behind the other: WebSocket's lowest layer as a [`Protocol`] of [`feedrate::Decoder`].
//!
//! A [`Receiver`](crate::Receiver) is made of this. Alone it is for those who put messages together in their
//! own way, or pass frames on as
//! they are: a proxy, a tap. What one frame may follow is checked, that text is UTF-8 is not.

use core::fmt;
use core::marker::PhantomData;

use feedrate::{Extent, Lent, Protocol};

use crate::frame::{Expected, FIN, Frame, Header, MASK, Measured, OPCODE, Opcode};
use crate::mask;
use crate::message::Kind;
use crate::part::{FrameError, Part, Payload};
use crate::receiver::{InPieces, Role, Whole};

/// The frames that one side of a connection gets.
///
/// All rules that headers can break are checked, at the first byte that shows it, and a violation loses the
/// stream.
///
/// # Whole
///
/// A frame comes out as a [`Frame`], its payload unmasked: where it lies, from `&mut [u8]`, and in the
/// decoder's storage from `&[u8]` or if
/// it came in pieces. One that is longer than the storage is refused alone, and the frame behind it comes
/// next.
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
/// With [`in_pieces`](Self::in_pieces) a frame comes out as the [`Part`]s in which it arrives: its header,
/// and its payload as far as that is
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
    /// Which data frames may come next, as bits: [`Next`].
    next: u8,
    /// Those that may begin a message.
    kinds: u8,
    compressed: bool,
    mode: PhantomData<M>,
}

/// Whether there is a shortcut for what most frames are. What counts its flash does without.
pub(crate) const QUICK: bool = !cfg!(target_os = "none");

/// How frames come in parts.
pub trait Parts {
    /// A data frame that is whole in the input comes out in one part. The decoder's storage must not have a
    /// limit that such a frame could be too long for.
    const JOINED: bool;
}

impl Parts for InPieces {
    const JOINED: bool = false;
}

/// As [`InPieces`], for the receiver.
pub(crate) enum Joined {}

impl Parts for Joined {
    const JOINED: bool = true;
}

/// The bits of [`Frames::next`]. The first three are at the places of their opcodes, and of frames that are
/// as most are.
struct Next;

impl Next {
    const CONTINUATION: u8 = 1;
    const TEXT: u8 = 2;
    const BINARY: u8 = 4;
    /// A continuation of a compressed message.
    const COMPRESSED: u8 = 8;
    /// A frame was refused, and nobody has looked at it.
    const ANY: u8 = 16;
}

impl Frames {
    /// The frames that the side with this role gets: those that a server gets are masked.
    pub const fn new(role: Role) -> Self {
        Self {
            remaining: 0,
            key: [0; 4],
            role,
            next: Next::TEXT | Next::BINARY,
            kinds: Next::TEXT | Next::BINARY,
            compressed: false,
            mode: PhantomData,
        }
    }

    /// Hands out the parts of frames as they arrive.
    #[must_use]
    pub const fn in_pieces(self) -> Frames<InPieces> {
        self.into_mode()
    }

    pub(crate) const fn joined(self) -> Frames<Joined> {
        self.into_mode()
    }

    const fn into_mode<M>(self) -> Frames<M> {
        let Self { remaining, key, role, next, kinds, compressed, mode: _ } = self;
        Frames { remaining, key, role, next, kinds, compressed, mode: PhantomData }
    }
}

impl<M> Frames<M> {
    /// Messages may be compressed, as [agreed](crate::handshake): RSV1 in the first frame of one is no
    /// violation then. Nothing is decompressed here.
    #[must_use]
    pub const fn compressed(mut self, agreed: bool) -> Self {
        self.compressed = agreed;
        self
    }

    /// Accepts messages of one kind only.
    #[must_use]
    pub const fn only(mut self, kind: Kind) -> Self {
        self.set_only(kind);
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
        let only = match kind {
            Kind::Text => Next::TEXT,
            Kind::Binary => Next::BINARY,
        };
        if self.has_ended() {
            self.next = only;
        }
        self.kinds = only;
    }

    /// Whether the data frame that came last was the last of its message.
    pub(crate) const fn has_ended(&self) -> bool {
        self.next & (Next::CONTINUATION | Next::COMPRESSED | Next::ANY) == 0
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
            in_message: if self.next == Next::ANY { None } else { Some(!self.has_ended()) },
            only: match self.kinds {
                Next::TEXT => Some(Kind::Text),
                Next::BINARY => Some(Kind::Binary),
                _ => None,
            },
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
        self.next = match header.fin {
            true => self.kinds,
            false if header.rsv1 || self.next == Next::COMPRESSED => Next::COMPRESSED,
            false => Next::CONTINUATION,
        };
    }

    /// What most frames are, in a few instructions: the header of a data frame of up to 65,535 bytes that
    /// breaks no rule.
    #[inline(always)]
    pub(crate) fn look(&self, bytes: &[u8]) -> Option<Look> {
        let [first, second, rest @ ..] = bytes else { return None };
        let opcode = first & !FIN;
        if opcode > 2 || self.next.wrapping_shr(opcode.into()) & 1 == 0 {
            return None;
        }
        let bit = match self.role {
            Role::Server => MASK,
            Role::Client => 0,
        };
        let (length, rest, size) = match second ^ bit {
            // What has no payload is left to others: nothing would be handed out for it.
            short @ 1..=125 => (u16::from(short), rest, 2_usize),
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length), rest, 4)
            }
            _ => return None,
        };
        if size == 4 && length < 126 {
            return None;
        }
        let (key, here, size) = match self.role {
            Role::Server => {
                let (key, payload) = rest.split_first_chunk()?;
                (Some(*key), payload.len(), size.saturating_add(4))
            }
            Role::Client => (None, rest.len(), size),
        };
        Some(Look { first: *first, key, size, length: length.into(), here })
    }
}

/// A header that was looked at.
pub(crate) struct Look {
    first: u8,
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
        self.first > FIN
    }

    #[inline(always)]
    pub(crate) const fn is_whole(&self) -> bool {
        self.length <= self.here
    }

    #[inline(always)]
    fn header(&self) -> Header {
        let opcode = match self.first & OPCODE {
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            _ => Opcode::Continuation,
        };
        let length = u64::try_from(self.length).unwrap_or(u64::MAX);
        Header { fin: self.first & FIN != 0, rsv1: false, opcode, mask: self.key, length }
    }

    #[inline(always)]
    pub(crate) const fn is_text(&self) -> bool {
        self.first & OPCODE == 1
    }

    /// The payload, which can be unmasked where it lies.
    #[inline(always)]
    pub(crate) fn unmask<'a>(&self, payload: Lent<'a>) -> &'a [u8] {
        match (payload, self.key) {
            (Lent::Mutable(payload), Some(key)) => {
                mask::apply(payload, key);
                payload
            }
            (payload, _) => payload.into_bytes(),
        }
    }

    #[inline(always)]
    pub(crate) const fn frame(&self) -> usize {
        self.size.saturating_add(self.length)
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
        if QUICK { self.look(head).map(|look| look.frame()) } else { None }
    }

    fn inside(&self) -> bool {
        !self.has_ended()
    }

    fn skipped(&mut self, _: usize) {
        // Whether its message goes on, the refused frame was not asked.
        self.next = Next::ANY;
    }

    fn reset(&mut self) {
        self.next = self.kinds;
    }
}

impl<M: Parts> Protocol for Frames<M> {
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
        Ok(self.piece(Some(header), split(bytes, n).1))
    }

    /// A part of a payload; all of a data frame that is whole here, and of one that is not its header.
    // Longer than `extent` says, and so only where the decoder has no limit that could be asked about it.
    #[inline(always)]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        if !QUICK || !M::JOINED {
            return None;
        }
        if self.remaining > 0 {
            let n = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(head.len());
            return (n > 0).then_some(n);
        }
        self.look(head).map(|look| if look.is_whole() { look.frame() } else { look.size })
    }

    #[inline(always)]
    fn quick<'a>(&mut self, bytes: Self::Bytes<'a>) -> Result<Part<'a>, FrameError> {
        if !QUICK {
            return self.parse(bytes);
        }
        if self.remaining > 0 {
            return Ok(self.piece(None, bytes));
        }
        let Some(look) = self.look(bytes.as_bytes()) else { return self.parse(bytes) };
        let header = look.header();
        self.next = if header.fin { self.kinds } else { Next::CONTINUATION };
        if look.is_whole() {
            let payload = Payload { bytes: split(bytes, look.size).1, key: header.mask };
            return Ok(Part { header: Some(header), payload, last: true });
        }
        self.remaining = header.length;
        self.key = header.mask.unwrap_or_default();
        Ok(self.piece(Some(header), split(bytes, look.size).1))
    }

    fn inside(&self) -> bool {
        self.remaining > 0 || !self.has_ended()
    }

    fn reset(&mut self) {
        (self.remaining, self.next) = (0, self.kinds);
    }
}

impl<M: Parts> Frames<M> {
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

/// Cut after `n` bytes.
#[inline(always)]
fn split(bytes: Lent<'_>, n: usize) -> (&[u8], Lent<'_>) {
    match bytes {
        Lent::Shared(bytes) => {
            let (start, rest) = bytes.split_at_checked(n).unwrap_or_default();
            (start, Lent::Shared(rest))
        }
        Lent::Mutable(bytes) => {
            let (start, rest) = bytes.split_at_mut_checked(n).unwrap_or_default();
            (start, Lent::Mutable(rest))
        }
    }
}

impl<M> Clone for Frames<M> {
    fn clone(&self) -> Self {
        let Self { remaining, key, role, next, kinds, compressed, mode: _ } = *self;
        Self { remaining, key, role, next, kinds, compressed, mode: PhantomData }
    }
}

impl<M> fmt::Debug for Frames<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("role", &self.role)
            .field("remaining", &self.remaining)
            .field("inside", &!self.has_ended())
            .finish_non_exhaustive()
    }
}
