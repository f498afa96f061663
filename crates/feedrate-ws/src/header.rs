//! A frame's header: RFC 6455, section 5.2.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| length (7)  |  length (16 or 64), if 126/127|
//! |I|S|S|S|  (4)  |A|             |                               |
//! |N|V|V|V|       |S|             |                               |
//! | |1|2|3|       |K|             |                               |
//! +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//! | length, continued             | masking key, if MASK          |
//! +-------------------------------+-------------------------------+
//! ```

use crate::error::Violation;
use crate::opcode::{CONTROL, Kind, Opcode};

/// The longest header in bytes.
pub const HEADER: usize = 14;

pub(crate) const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
const RSV1: u8 = 0x40;
pub(crate) const OPCODE: u8 = 0x0f;
pub(crate) const MASK: u8 = 0x80;
pub(crate) const LENGTH: u8 = 0x7f;

/// A frame's header.
///
/// ```
/// use feedrate_ws::frame::{Header, Opcode};
///
/// let header = Header { fin: true, rsv1: false, opcode: Opcode::Text, mask: Some([1, 2, 3, 4]), length: 300 };
/// let (bytes, n) = header.to_bytes();
/// assert_eq!(bytes[..n], [0x81, 0x80 | 126, 1, 44, 1, 2, 3, 4]);
/// assert_eq!(Header::parse(&bytes[..n]), Ok(Some((header, n))));
/// // Not complete yet.
/// assert_eq!(Header::parse(&bytes[..3]), Ok(None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// With permessage-deflate: the message is compressed. Without it, a violation.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key, in the frames that a client sends.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: u64,
}

impl Header {
    /// Reads the header at the front of `bytes`, and returns its size too. `None`: it is incomplete, and good so far.
    ///
    /// # Errors
    ///
    /// Every violation that the header alone shows, at the first byte that shows it: a reserved bit or opcode, a
    /// control frame that is fragmented or too long, a length that is invalid or uses too many bytes. The
    /// [`Receiver`](crate::Receiver) checks the rest: whether compression has been negotiated, who masks, and the order
    /// of frames.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let anything = Expected { compressed: true, masked: None, in_message: None, only: None };
        Ok(match Measured::of(bytes, &anything)? {
            Measured::Whole(header, n) => Some((header, n)),
            Measured::Need(_) => None,
        })
    }

    /// Bytes that it takes.
    #[inline]
    pub(crate) const fn size(&self) -> usize {
        let key = if self.mask.is_some() { 4_usize } else { 0 };
        key.saturating_add(match self.length {
            ..126 => 2,
            126..0x1_0000 => 4,
            _ => 10,
        })
    }

    #[inline]
    const fn first_byte(&self) -> u8 {
        self.opcode.bits() | if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 }
    }

    /// The header of a short frame without a mask: most frames of a server.
    #[inline]
    pub(crate) fn to_two_bytes(self) -> Option<[u8; 2]> {
        match (self.mask, u8::try_from(self.length)) {
            (None, Ok(length @ ..126)) => Some([self.first_byte(), length]),
            _ => None,
        }
    }

    /// The header's bytes: as many of the array as the number says.
    #[inline]
    pub fn to_bytes(&self) -> ([u8; HEADER], usize) {
        let first = self.first_byte();
        let (mask, key_length) = if self.mask.is_some() { (MASK, 4_usize) } else { (0, 0) };
        let [a, b, c, d] = self.mask.unwrap_or_default();
        if let Some(n) = u8::try_from(self.length).ok().filter(|n| *n < 126) {
            ([first, mask | n, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0], key_length.saturating_add(2))
        } else if let Ok(n) = u16::try_from(self.length) {
            let [n0, n1] = n.to_be_bytes();
            ([first, mask | 126, n0, n1, a, b, c, d, 0, 0, 0, 0, 0, 0], key_length.saturating_add(4))
        } else {
            let [n0, n1, n2, n3, n4, n5, n6, n7] = self.length.to_be_bytes();
            let bytes = [first, mask | 127, n0, n1, n2, n3, n4, n5, n6, n7, a, b, c, d];
            (bytes, key_length.saturating_add(10))
        }
    }
}

/// A header, as far as it has arrived.
pub(crate) enum Measured {
    /// At least this many bytes of it are needed. It stops at each byte that can show a violation.
    Need(usize),
    /// All of it, and its size in bytes.
    Whole(Header, usize),
}

impl Measured {
    /// # Errors
    ///
    /// A violation, at the first byte that shows it.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn of(bytes: &[u8], expected: &Expected) -> Result<Self, Violation> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(Self::Need(1)) };
        let (fin, rsv1, opcode) = expected.first_byte(first)?;
        let Some((&second, rest)) = rest.split_first() else { return Ok(Self::Need(2)) };
        expected.second_byte(second, opcode)?;
        let (length, least, rest, size) = match second & LENGTH {
            126 => match rest.split_first_chunk() {
                Some((bytes, rest)) => (u64::from(u16::from_be_bytes(*bytes)), 126, rest, 4),
                None => return Ok(Self::Need(4)),
            },
            127 => match rest.split_first_chunk() {
                _ if rest.first().is_some_and(|byte| byte & 0x80 != 0) => {
                    return Err(Violation::LengthTopBit);
                }
                Some((bytes, rest)) => (u64::from_be_bytes(*bytes), 0x1_0000, rest, 10),
                None => return Ok(Self::Need(if rest.is_empty() { 3 } else { 10 })),
            },
            short => (u64::from(short), 0, rest, 2_usize),
        };
        if length < least {
            return Err(Violation::NotMinimal { length });
        }
        if second & MASK == 0 {
            return Ok(Self::Whole(Header { fin, rsv1, opcode, mask: None, length }, size));
        }
        let size = size.saturating_add(4);
        Ok(match rest.first_chunk() {
            Some(key) => Self::Whole(Header { fin, rsv1, opcode, mask: Some(*key), length }, size),
            None => Self::Need(size),
        })
    }
}

/// The headers that are allowed, according to the handshake and the frames before.
pub(crate) struct Expected {
    /// permessage-deflate has been agreed upon.
    pub(crate) compressed: bool,
    /// Whether the peer masks. `None`: not known.
    pub(crate) masked: Option<bool>,
    /// Whether a message has begun and not ended. `None`: not known.
    pub(crate) in_message: Option<bool>,
    /// Only messages of this kind are accepted.
    pub(crate) only: Option<Kind>,
}

impl Expected {
    fn first_byte(&self, byte: u8) -> Result<(bool, bool, Opcode), Violation> {
        let (fin, rsv1) = (byte & FIN != 0, byte & RSV1 != 0);
        let opcode = Opcode::from_bits(byte & OPCODE);
        // RFC 7692, section 6: the bit belongs to the message, and is in its first frame.
        let compressed = self.compressed && matches!(opcode, Some(Opcode::Text | Opcode::Binary) | None);
        if byte & RSV & !(if compressed { RSV1 } else { 0 }) != 0 {
            return Err(Violation::Reserved { bits: (byte & RSV) >> 4 });
        }
        let opcode = opcode.ok_or(Violation::Opcode(byte & OPCODE))?;
        match (opcode, self.in_message) {
            (Opcode::Continuation, Some(false)) => Err(Violation::Continuation),
            (Opcode::Text | Opcode::Binary, Some(true)) => Err(Violation::Interrupted(opcode)),
            _ if opcode.is_control() && !fin => Err(Violation::ControlFragmented(opcode)),
            _ => match (self.only, Kind::of(opcode)) {
                (Some(only), Some(kind)) if only != kind => Err(Violation::Unsupported(kind)),
                _ => Ok((fin, rsv1, opcode)),
            },
        }
    }

    fn second_byte(&self, byte: u8, opcode: Opcode) -> Result<(), Violation> {
        match (byte & MASK != 0, self.masked) {
            (true, Some(false)) => Err(Violation::Masked),
            (false, Some(true)) => Err(Violation::Unmasked),
            _ if opcode.is_control() && usize::from(byte & LENGTH) > CONTROL => {
                Err(Violation::ControlTooLong(opcode))
            }
            _ => Ok(()),
        }
    }
}
