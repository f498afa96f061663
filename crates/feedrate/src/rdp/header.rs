//! What precedes a packet's payload (SPEC section 3).

use super::channel::Channel;
use super::crc;

/// Its bytes on the wire.
pub(super) const SIZE: usize = 12;
/// Bytes after the payload.
const CRC: usize = 4;
/// Bytes of a packet besides its payload.
pub(super) const OVERHEAD: usize = SIZE + CRC;
/// The longest packet on any lane.
pub(super) const LONGEST: usize = 1022;

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PacketType {
    /// Bytes of a channel's stream.
    Data,
    /// Acknowledges what has arrived.
    Ack,
    /// Sent by the host to begin a connection.
    Open,
    /// The agent's answer to that.
    Accept,
    /// The end of a connection.
    Reset,
    /// Tests the bulk lane.
    Probe,
    /// A type of a later version.
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

/// The fields before a packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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

    /// The same header for DATA of a channel, some of which has been sent `tries` times before.
    #[must_use]
    pub fn data(self, channel: Channel, tries: u8) -> Self {
        Self { flags: (tries.min(15) << 4) | channel.number(), ..self }
    }

    /// The channel that it belongs to.
    pub const fn channel(&self) -> Channel {
        if self.flags & Self::CHANNEL == 0 { Channel::Urgent } else { Channel::Ordinary }
    }

    /// How often some of the payload has been sent before.
    pub const fn tries(&self) -> u8 {
        self.flags >> 4
    }

    /// Whether it is for this version.
    pub const fn is_known(&self) -> bool {
        self.flags & Self::RESERVED == 0 && !matches!(self.kind, PacketType::Unknown(_))
    }

    /// What precedes a payload of `length` bytes on the wire.
    pub(super) fn to_bytes(self, length: u16) -> [u8; SIZE] {
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

    /// Whether the check after the fields is correct.
    #[inline(never)]
    pub(super) fn is_intact(bytes: &[u8; SIZE]) -> bool {
        let [fields @ .., check_0, check_1] = bytes;
        crc::header(fields).to_be_bytes() == [*check_0, *check_1]
    }

    /// The payload's length according to the header.
    pub(super) fn length(bytes: &[u8; SIZE]) -> usize {
        let [.., length_0, length_1, _, _] = *bytes;
        u16::from_be_bytes([length_0, length_1]).into()
    }

    /// The other fields.
    pub(super) fn from_bytes(bytes: &[u8; SIZE]) -> Self {
        let [kind, flags, c0, c1, p0, p1, p2, p3, ..] = *bytes;
        Self {
            kind: kind.into(),
            flags,
            connection: u16::from_be_bytes([c0, c1]),
            position: u32::from_be_bytes([p0, p1, p2, p3]),
        }
    }
}
