//! Lanes' kinds: how packets are delimited, and how large they may be (SPEC section 2).

use super::cobs;
use super::packet::{LONGEST, OVERHEAD};

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
