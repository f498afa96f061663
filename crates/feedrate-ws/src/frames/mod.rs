//! Frames: WebSocket's lowest layer as a [`Protocol`](feedrate::Protocol) for [`feedrate::Decoder`].
//!
//! A [`Receiver`](crate::Receiver) is built on this. By itself it is for programs that put messages together in their
//! own way, or forward frames unchanged: a proxy, a tap. It checks the order of frames, but not that text is UTF-8.

mod look;
mod parts;
mod whole;

use core::fmt;
use core::marker::PhantomData;

use crate::header::{Expected, Header};
use crate::mode::{InPieces, Joined, Whole};
use crate::opcode::Kind;
use crate::role::Role;

pub(crate) use look::{Look, QUICK};

/// The frames that one side of a connection receives.
///
/// All rules for headers are checked, at the first byte that shows a violation. A violation loses the stream.
///
/// # Whole
///
/// A frame comes out as a [`Frame`](crate::frame::Frame) with its payload unmasked: in place in `&mut [u8]`; in the
/// decoder's storage if the input is `&[u8]` or the frame came in pieces. A frame that is longer than the storage is
/// refused alone, and the next one follows.
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
/// With [`in_pieces`](Self::in_pieces) a frame comes out as [`Part`](crate::frame::Part)s, as it arrives: its header,
/// and its payload as far as it is there. Frames of any length then need a storage of 14 bytes, for a header that is
/// cut.
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
    /// The key for the next of those bytes.
    key: [u8; 4],
    role: Role,
    /// Which data frames may come next, as bits: [`Next`].
    next: u8,
    /// The opcodes that may begin a message, as bits.
    kinds: u8,
    compressed: bool,
    mode: PhantomData<M>,
}

/// The bits of [`Frames::next`]. The first three are at the positions of their opcodes, and stand for uncompressed
/// frames.
struct Next;

impl Next {
    const CONTINUATION: u8 = 1;
    const TEXT: u8 = 2;
    const BINARY: u8 = 4;
    /// A continuation of a compressed message.
    const COMPRESSED: u8 = 8;
    /// A frame was refused without being looked at.
    const ANY: u8 = 16;
}

impl Frames {
    /// For the side with this role, which receives the frames: those that a server receives are masked.
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
    /// Messages may be compressed, as [agreed](crate::handshake): then RSV1 in a message's first frame is not a
    /// violation. Nothing is decompressed here.
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

    /// The side that receives the frames.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Bytes of the current frame's payload that are still to come.
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

    /// Whether the latest data frame was the last of its message.
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

    /// A frame begins: none of its payload has been handed out.
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
