//! Lanes' kinds: how packets are delimited, and how large they may be (SPEC section 2).

use super::cobs;
use super::header::{LONGEST, OVERHEAD};

/// How packets are delimited on a lane.
// Exhaustive: SPEC section 2 has these two, and a lane is one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
///
/// ```
/// use feedrate::rdp::packet::{Framing, Line};
///
/// const RADIO: Line = Line::new(Framing::Serial, 128);
/// assert_eq!(RADIO.framing.payload(RADIO.mtu), 109);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Line {
    /// How packets are delimited.
    pub framing: Framing,
    /// The most bytes that a packet takes on the lane, delimiters or length included.
    pub mtu: usize,
}

impl Line {
    /// Serial framing, 64 bytes.
    pub const UART: Self = Self::new(Framing::Serial, 64);
    /// Serial framing, 512 bytes.
    pub const SPI: Self = Self::new(Framing::Serial, 512);
    /// Stream framing, 1024 bytes: for WebSocket too.
    pub const TCP: Self = Self::new(Framing::Stream, 1024);

    /// A lane with this framing, on which a packet takes at most `mtu` bytes.
    pub const fn new(framing: Framing, mtu: usize) -> Self {
        Self { framing, mtu }
    }

    /// The most bytes of a packet that a decoder looks at together, which is the limit that its storage should have.
    /// The zero in front is none of them.
    pub const fn frame(self) -> usize {
        match self.framing {
            Framing::Serial => self.mtu.saturating_sub(1),
            Framing::Stream => self.mtu,
        }
    }
}
