//! Packets: what the link puts on a serial lane (SPEC sections 2 and 3).

use core::fmt;

pub use super::header::{Header, PacketType};
use super::header::{LONGEST, OVERHEAD};
pub use super::lane::Lane;
use super::{cobs, crc};
use crate::encode::{Encode, EncodeError, Output};
use crate::error::Fault;
use crate::protocol::{Extent, Protocol, Recovery};
use crate::scan::find;

/// The greatest encoded length of a packet, with the zero at its end.
const MOST: usize = cobs::longest(LONGEST) - 1;

/// What is wrong with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PacketError {
    /// The bytes between two zeros are not COBS, or the packet is not 16 to 1022 bytes long.
    #[error("not a packet: its COBS encoding is broken, or it is not 16 to 1022 bytes long")]
    Frame,
    /// The header check failed.
    #[error("the packet's header check failed")]
    Header,
    /// The header states another length than the packet has.
    #[error("the packet's header says {declared} bytes of payload, but it has {actual}")]
    Length {
        /// The length field, in bytes.
        declared: usize,
        /// The actual length.
        actual: usize,
    },
    /// The CRC failed.
    #[error("the packet's CRC failed")]
    Crc,
    /// An error that the decoder found: too long for the lane, or cut short by the end of the stream.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A packet: a view of received bytes, or of bytes to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fields before the payload.
    pub header: Header,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A packet to be sent.
    pub const fn new(header: Header, payload: &'a [u8]) -> Self {
        Self { header, payload }
    }

    /// The payload.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

/// As it is on a lane, between two zeros.
impl Encode for Packet<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        Scattered::new(self.header, (self.payload, &[])).write(out)
    }
}

/// The payload may be a secret: only its length is shown.
#[cfg(feature = "defmt")]
impl defmt::Format for Packet<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Packet({}, {=usize} bytes)", self.header, self.payload.len());
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet").field("header", &self.header).field("payload", &self.payload.len()).finish()
    }
}

/// A [`Packet`] to be sent whose payload lies in two places, one after the other, as in a ring.
#[derive(Clone, Copy)]
pub struct Scattered<'a> {
    header: Header,
    payload: (&'a [u8], &'a [u8]),
}

impl<'a> Scattered<'a> {
    /// A packet to be sent.
    pub const fn new(header: Header, payload: (&'a [u8], &'a [u8])) -> Self {
        Self { header, payload }
    }
}

/// As it is on a lane, between two zeros.
impl Encode for Scattered<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let (first, second) = self.payload;
        let size = first.len().saturating_add(second.len());
        let limit = const { LONGEST - OVERHEAD };
        let length = u16::try_from(size).ok().filter(|_| size <= limit).ok_or(EncodeError::TooLarge {
            what: "payload of a packet",
            size,
            limit,
        })?;
        let header = self.header.to_bytes(length);
        let crc = crc::crc_32(&[&header, first, second]).to_be_bytes();
        cobs::write(out, &[&header, first, second, &crc])
    }
}

/// The payload may be a secret: only its length is shown.
impl fmt::Debug for Scattered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.payload;
        f.debug_struct("Scattered")
            .field("header", &self.header)
            .field("payload", &first.len().saturating_add(second.len()))
            .finish()
    }
}

/// Packets on a serial lane: the [`Protocol`] for a [`Decoder`](crate::Decoder) whose storage has the limit that
/// [`Lane::frame`] says.
///
/// COBS is undone in place, so a payload is one slice: of the input, if that is `&mut [u8]` and holds the whole
/// packet; of the storage otherwise.
///
/// ```
/// use feedrate::rdp::packet::{Header, Packet, PacketType, Packets};
/// use feedrate::{Array, Decoder, Encode};
///
/// let mut line = heapless::Vec::<u8, 64>::new();
/// let packet = Packet::new(Header::new(PacketType::Data, 7, 0), b"zeros: \0\0");
/// packet.encode(&mut line)?;
///
/// let mut decoder = Decoder::new(Packets, Array::<64>::new());
/// let mut input = &mut line[..];
/// assert_eq!(decoder.feed(&mut input)?, Some(packet));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Packets;

impl Protocol for Packets {
    /// To be changed: COBS is undone in them.
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = Packet<'a>;
    type Error = PacketError;

    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, head: &[u8]) -> Result<Extent, PacketError> {
        Ok(if head.first() == Some(&0) { Extent::Skip(1) } else { Extent::Until(b"\0") })
    }

    /// A packet between two zeros, of which the first would be passed over, and the packet be looked for in another
    /// step.
    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        let [0, behind @ ..] = head else { return None };
        find(0, behind).filter(|length| *length > 0).map(|length| length.saturating_add(2))
    }

    /// The checks of SPEC section 3.1, in their order.
    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Packet<'a>, PacketError> {
        let zero = usize::from(frame.first() == Some(&0));
        let frame = frame.get_mut(zero..).unwrap_or_default();
        if frame.len() > MOST {
            return Err(PacketError::Frame);
        }
        let packet =
            cobs::decode(frame).filter(|packet| packet.len() <= LONGEST).ok_or(PacketError::Frame)?;
        let (checked, crc) = packet.split_last_chunk().ok_or(PacketError::Frame)?;
        let (header, payload) = checked.split_first_chunk().ok_or(PacketError::Frame)?;
        if !Header::is_intact(header) {
            return Err(PacketError::Header);
        }
        let (declared, actual) = (Header::length(header), payload.len());
        if declared != actual {
            return Err(PacketError::Length { declared, actual });
        }
        if crc::crc_32(&[checked]).to_be_bytes() != *crc {
            return Err(PacketError::Crc);
        }
        Ok(Packet { header: Header::from_bytes(header), payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Wherever a ring ends.
    #[test]
    fn a_payload_in_two_places_is_written_as_one() {
        let header = Header::new(PacketType::Data, 7, 0x0100);
        for fill in [0, 1, 255] {
            for length in [0, 1, 45, 242, 243, 491, 1006] {
                let payload: Vec<u8> = (0..length).map(|i| if i % 250 == 3 { 0 } else { fill }).collect();
                let mut whole = heapless::Vec::<u8, 1100>::new();
                Packet::new(header, &payload).encode(&mut whole).unwrap();
                for at in (0..=length).filter(|at| at % 7 == 0 || *at == length) {
                    let mut parts = heapless::Vec::<u8, 1100>::new();
                    let packet = Scattered::new(header, payload.split_at(at));
                    assert_eq!(packet.encode(&mut parts), Ok(whole.len()));
                    assert_eq!(packet.encoded_length(), Ok(whole.len()));
                    assert!(parts == whole, "{fill} {length} {at}");
                }
            }
        }
    }
}
