//! Packets: what the link puts on a lane (SPEC sections 2 and 3).

use core::fmt;

use super::{cobs, crc};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Fault, Protocol, Recovery};

/// Bytes in front of the payload.
pub(super) const HEADER: usize = 12;
/// Bytes behind the payload.
const CRC: usize = 4;
/// Bytes of a packet beside its payload.
pub(super) const OVERHEAD: usize = HEADER + CRC;
/// Bytes of COBS that are put together before their CRC is calculated.
const BLOCK: usize = 64;
/// The longest packet on a lane with stream framing.
const LONGEST: usize = 1022;

/// How packets are delimited on a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// COBS between zero bytes: UART, SPI.
    Serial,
    /// Behind a length: TCP, WebSocket.
    Stream,
}

impl Framing {
    /// The longest payload of a packet that takes at most `mtu` bytes on the lane.
    pub const fn payload(self, mtu: usize) -> usize {
        let packet = match self {
            Self::Serial => cobs::shortest(mtu),
            Self::Stream => mtu.saturating_sub(2),
        };
        // Not `min`: it is not const.
        (if packet > LONGEST { LONGEST } else { packet }).saturating_sub(OVERHEAD)
    }
}

/// A kind of lane: how packets are delimited on it, and how large they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How packets are delimited.
    pub framing: Framing,
    /// The most bytes that a packet takes on the lane, delimiters or length included.
    pub mtu: usize,
}

impl Line {
    /// Serial framing, 64 bytes.
    pub const UART: Self = Self { framing: Framing::Serial, mtu: 64 };
    /// Serial framing, 512 bytes.
    pub const SPI: Self = Self { framing: Framing::Serial, mtu: 512 };
    /// Stream framing, 1024 bytes: for WebSocket too.
    pub const TCP: Self = Self { framing: Framing::Stream, mtu: 1024 };

    /// The most bytes of a packet that a decoder looks at together: the zero in front is none of them.
    pub(super) const fn frame(self) -> usize {
        match self.framing {
            Framing::Serial => self.mtu.saturating_sub(1),
            Framing::Stream => self.mtu,
        }
    }
}

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketType {
    /// Bytes of a channel's stream.
    Data,
    /// What has arrived.
    Ack,
    /// The host begins a connection.
    Open,
    /// The agent's answer to that.
    Accept,
    /// The end of a connection.
    Reset,
    /// Whether the bulk lane is well.
    Probe,
    /// For a later version.
    Unknown(u8),
}

impl From<u8> for PacketType {
    fn from(value: u8) -> Self {
        match value {
            1 => Self::Data,
            2 => Self::Ack,
            3 => Self::Open,
            4 => Self::Accept,
            5 => Self::Reset,
            6 => Self::Probe,
            other => Self::Unknown(other),
        }
    }
}

impl From<PacketType> for u8 {
    fn from(value: PacketType) -> Self {
        match value {
            PacketType::Data => 1,
            PacketType::Ack => 2,
            PacketType::Open => 3,
            PacketType::Accept => 4,
            PacketType::Reset => 5,
            PacketType::Probe => 6,
            PacketType::Unknown(other) => other,
        }
    }
}

/// The fields in front of a packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the packet is for.
    pub kind: PacketType,
    /// Bit 0: channel. Bits 1 to 3: reserved. Bits 4 to 7: retransmissions.
    pub flags: u8,
    /// Number of the connection.
    pub connection: u16,
    /// Depends on the type.
    pub position: u32,
}

impl Header {
    const CHANNEL: u8 = 0b0001;
    const RESERVED: u8 = 0b1110;

    /// A header whose flags are 0.
    pub const fn new(kind: PacketType, connection: u16, position: u32) -> Self {
        Self { kind, flags: 0, connection, position }
    }

    /// The same for DATA of a channel (0 or 1) whose bytes have been sent before `tries` times.
    #[must_use]
    pub fn data(self, bulk: bool, tries: u8) -> Self {
        let flags = (tries.min(15) << 4) | if bulk { Self::CHANNEL } else { 0 };
        Self { flags, ..self }
    }

    /// Whether it belongs to channel 1.
    pub const fn is_bulk(&self) -> bool {
        self.flags & Self::CHANNEL != 0
    }

    /// Whether it is for this version.
    pub const fn is_known(&self) -> bool {
        self.flags & Self::RESERVED == 0 && !matches!(self.kind, PacketType::Unknown(_))
    }

    fn to_bytes(self, length: u16) -> [u8; HEADER] {
        let [connection_0, connection_1] = self.connection.to_be_bytes();
        let [position_0, position_1, position_2, position_3] = self.position.to_be_bytes();
        let [length_0, length_1] = length.to_be_bytes();
        let start = [
            self.kind.into(),
            self.flags,
            connection_0,
            connection_1,
            position_0,
            position_1,
            position_2,
            position_3,
            length_0,
            length_1,
        ];
        let [check_0, check_1] = crc::header(&start).to_be_bytes();
        let [a, b, c, d, e, f, g, h, i, j] = start;
        [a, b, c, d, e, f, g, h, i, j, check_0, check_1]
    }

    /// The fields and the payload's length.
    fn from_bytes(bytes: &[u8; HEADER]) -> Result<(Self, usize), PacketError> {
        let (start, check) = bytes.split_at_checked(10).unwrap_or_default();
        let [kind, flags, c0, c1, p0, p1, p2, p3, l0, l1, ..] = *bytes;
        if crc::header(start).to_be_bytes() != *check {
            return Err(PacketError::Header);
        }
        let header = Self {
            kind: kind.into(),
            flags,
            connection: u16::from_be_bytes([c0, c1]),
            position: u32::from_be_bytes([p0, p1, p2, p3]),
        };
        Ok((header, usize::from(u16::from_be_bytes([l0, l1]))))
    }
}

/// What is wrong with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The bytes between two zeros are not COBS, or stand for too little.
    #[error("not a packet: its COBS encoding is broken, or it stands for fewer than 16 bytes")]
    Frame,
    /// The header check failed.
    #[error("the packet's header check failed")]
    Header,
    /// The header says another length than the packet has.
    #[error("the packet's header says {declared} bytes of payload, but it has {actual}")]
    Length {
        /// The length field, in bytes.
        declared: usize,
        /// What is there.
        actual: usize,
    },
    /// The CRC failed.
    #[error("the packet's CRC failed")]
    Crc,
    /// What the decoder finds: too long for the lane, or cut short by the end of the stream.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A packet: a view of the bytes that it came in, or of the bytes that it is to carry.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    /// The fields in front of the payload.
    pub header: Header,
    payload: Payload<'a>,
}

impl<'a> Packet<'a> {
    /// A packet to be sent.
    pub const fn new(header: Header, payload: &'a [u8]) -> Self {
        Self { header, payload: Payload::new(payload, &[]) }
    }

    /// One whose payload lies in two places.
    pub(super) const fn in_two(header: Header, (first, second): (&'a [u8], &'a [u8])) -> Self {
        Self { header, payload: Payload::new(first, second) }
    }

    /// The payload.
    pub const fn payload(&self) -> Payload<'a> {
        self.payload
    }

    /// Reads what a lane delimited.
    fn read(all: Payload<'a>) -> Result<Self, PacketError> {
        let mut rest = all;
        let mut header = [0; HEADER];
        if all.length < OVERHEAD || rest.copy_to(&mut header) != HEADER {
            return Err(PacketError::Frame);
        }
        let (header, declared) = Header::from_bytes(&header)?;
        let actual = all.length.saturating_sub(OVERHEAD);
        if declared != actual {
            return Err(PacketError::Length { declared, actual });
        }
        if !all.is_intact() {
            return Err(PacketError::Crc);
        }
        rest.length = actual;
        Ok(Self { header, payload: rest })
    }

    /// The bytes in front of the payload, and those behind it.
    fn ends(&self) -> Result<([u8; HEADER], [u8; CRC]), EncodeError> {
        let most = LONGEST.saturating_sub(OVERHEAD);
        let length =
            u16::try_from(self.payload.length).ok().filter(|length| usize::from(*length) <= most).ok_or(
                EncodeError::TooLarge { what: "payload of a packet", size: self.payload.length, limit: most },
            )?;
        let header = self.header.to_bytes(length);
        let crc = crc::crc_32([&header[..]].into_iter().chain(self.payload));
        Ok((header, crc.to_be_bytes()))
    }

    /// What the packet is on a lane.
    pub const fn framed(self, framing: Framing) -> Framed<'a> {
        Framed { packet: self, framing }
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet").field("header", &self.header).field("payload", &self.payload.length).finish()
    }
}

/// A [`Packet`] as it stands on a lane.
#[derive(Debug, Clone, Copy)]
pub struct Framed<'a> {
    packet: Packet<'a>,
    framing: Framing,
}

impl Encode for Framed<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let (header, crc) = self.packet.ends()?;
        let payload = self.packet.payload;
        let pieces = [&header[..]].into_iter().chain(payload).chain([&crc[..]]);
        match self.framing {
            Framing::Serial => cobs::write(out, pieces),
            Framing::Stream => {
                let length = u16::try_from(payload.length.saturating_add(OVERHEAD)).unwrap_or(u16::MAX);
                out.put(&length.to_be_bytes())?;
                for piece in pieces {
                    out.put(piece)?;
                }
                Ok(())
            }
        }
    }
}

/// The bytes that a packet carries, in pieces, wherever they lie. Iterating over it takes the pieces off.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    head: &'a [u8],
    behind: Behind<'a>,
    length: usize,
}

/// What lies behind the piece at hand.
#[derive(Clone, Copy)]
enum Behind<'a> {
    Plain(&'a [u8]),
    /// COBS, which begins with a code, or with the zero between two parts.
    Cobs {
        zero: bool,
        rest: &'a [u8],
    },
}

impl<'a> Payload<'a> {
    const fn new(first: &'a [u8], second: &'a [u8]) -> Self {
        let length = first.len().saturating_add(second.len());
        Self { head: first, behind: Behind::Plain(second), length }
    }

    fn from_cobs(encoded: &'a [u8]) -> Option<Self> {
        let length = cobs::length(encoded)?;
        Some(Self { head: &[], behind: Behind::Cobs { zero: false, rest: encoded }, length })
    }

    /// Number of bytes.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Takes off as many bytes as `into` has room for, and answers how many that were.
    pub fn copy_to(&mut self, into: &mut [u8]) -> usize {
        let wanted = into.len().min(self.length);
        let mut copied = 0_usize;
        while copied < wanted {
            if let (true, Behind::Cobs { zero: zero @ true, .. }) = (self.head.is_empty(), &mut self.behind) {
                // Not by way of a piece of one byte: in what is mostly zeros it would be most of the work.
                *zero = false;
                into.iter_mut().skip(copied).take(1).for_each(|to| *to = 0);
                copied = copied.saturating_add(1);
                continue;
            }
            if !self.refill() {
                break;
            }
            let n = wanted.saturating_sub(copied).min(self.head.len());
            let (piece, behind) = self.head.split_at_checked(n).unwrap_or_default();
            let end = copied.saturating_add(n);
            let to = into.get_mut(copied..end).unwrap_or_default();
            to.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            (self.head, copied) = (behind, end);
        }
        self.length = self.length.saturating_sub(copied);
        copied
    }

    /// Whether the last four bytes are the CRC of the others.
    fn is_intact(mut self) -> bool {
        let mut left = self.length.saturating_sub(CRC);
        let mut crc = crc::Crc32::new();
        if let Behind::Plain(_) = self.behind {
            self.take_off(left).for_each(|piece| crc.update(piece));
        } else {
            // COBS has many short pieces, and a CRC is fast over long ones.
            let mut block = [0; BLOCK];
            while left > 0 {
                let most = block.get_mut(..left.min(BLOCK)).unwrap_or_default();
                let copied = self.copy_to(most);
                crc.update(most.get(..copied).unwrap_or_default());
                left = if copied == 0 { 0 } else { left.saturating_sub(copied) };
            }
        }
        let mut expected = [0; CRC];
        self.copy_to(&mut expected);
        crc.finish().to_be_bytes() == expected
    }

    /// Takes off the first `n` bytes, or all, in pieces.
    pub(super) fn take_off(&mut self, n: usize) -> impl Iterator<Item = &'a [u8]> {
        let mut left = n;
        core::iter::from_fn(move || {
            let piece = self.piece(left)?;
            left = left.saturating_sub(piece.len());
            Some(piece)
        })
    }

    /// Whether there is a piece at hand, now or from what lies behind.
    #[inline]
    fn refill(&mut self) -> bool {
        while self.head.is_empty() {
            match &mut self.behind {
                Behind::Plain([]) => return false,
                Behind::Plain(second) => self.head = core::mem::take(second),
                Behind::Cobs { zero, .. } if *zero => {
                    *zero = false;
                    self.head = &[0];
                }
                Behind::Cobs { zero, rest } => match cobs::part(rest) {
                    Some(part) => (self.head, *zero) = part,
                    None => return false,
                },
            }
        }
        true
    }

    /// Takes off the next piece, cut to `most` bytes.
    #[cfg_attr(target_os = "none", inline(never))]
    fn piece(&mut self, most: usize) -> Option<&'a [u8]> {
        let most = most.min(self.length);
        if most == 0 {
            return None;
        }
        if !self.refill() {
            return None;
        }
        let (piece, rest) = self.head.split_at_checked(most).unwrap_or((self.head, &[]));
        self.head = rest;
        self.length = self.length.saturating_sub(piece.len());
        Some(piece)
    }
}

impl<'a> Iterator for Payload<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.piece(self.length)
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.flatten()).finish()
    }
}

/// Packets on a lane: the [`Protocol`] for a [`Decoder`](crate::Decoder), whose storage is as large as the lane's MTU.
///
/// ```
/// use feedrate::rdp::{Framing, Header, Packet, PacketType, Packets};
/// use feedrate::{Array, Decoder, Encode};
///
/// let mut line = heapless::Vec::<u8, 64>::new();
/// let header = Header::new(PacketType::Probe, 7, 0);
/// Packet::new(header, b"").framed(Framing::Serial).encode(&mut line)?;
///
/// let mut decoder = Decoder::new(Packets::new(Framing::Serial), Array::<64>::new());
/// let mut input = &line[..];
/// let packet = decoder.feed(&mut input)?.expect("it is whole");
/// assert_eq!(packet.header, header);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Packets {
    framing: Framing,
}

impl Packets {
    /// Packets on a lane with this framing.
    pub const fn new(framing: Framing) -> Self {
        Self { framing }
    }

    /// The lane's framing.
    pub const fn framing(&self) -> Framing {
        self.framing
    }
}

impl Protocol for Packets {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = Packet<'a>;
    type Error = PacketError;

    /// Of serial framing. A stream that is wrong is lost all the same: it is `extent` that fails then.
    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, head: &[u8]) -> Result<Extent, PacketError> {
        if self.framing == Framing::Serial {
            return Ok(if head.first() == Some(&0) { Extent::Skip(1) } else { Extent::Until(b"\0") });
        }
        let Some((length, behind)) = head.split_first_chunk() else {
            return Ok(Extent::Need(2));
        };
        let length = usize::from(u16::from_be_bytes(*length));
        if !(OVERHEAD..=LONGEST).contains(&length) {
            return Err(PacketError::Frame);
        }
        let Some(header) = behind.first_chunk() else {
            return Ok(Extent::Need(2 + HEADER));
        };
        // A length that is made of noise is found out before anything of that length is waited for.
        let (_, declared) = Header::from_bytes(header)?;
        let actual = length.saturating_sub(OVERHEAD);
        if declared != actual {
            return Err(PacketError::Length { declared, actual });
        }
        Ok(Extent::Message(length.saturating_add(2)))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Packet<'a>, PacketError> {
        match self.framing {
            Framing::Serial => {
                let encoded = frame.strip_suffix(&[0]).unwrap_or(frame);
                Packet::read(Payload::from_cobs(encoded).ok_or(PacketError::Frame)?)
            }
            Framing::Stream => Packet::read(Payload::new(frame.get(2..).unwrap_or_default(), &[])),
        }
    }
}
