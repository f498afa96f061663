//! How much a packet may take on a serial lane (SPEC section 2).

use super::cobs;
use super::header::OVERHEAD;

/// A serial lane, and how large its packets may be.
///
/// ```
/// use feedrate::rdp::packet::Lane;
///
/// assert_eq!((Lane::UART.mtu(), Lane::UART.payload()), (64, 45));
/// assert_eq!(Lane::new(128).map(Lane::payload), Some(109));
/// assert_eq!(Lane::new(2048), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lane {
    mtu: usize,
}

impl Lane {
    /// The least MTU of a lane.
    pub const LEAST: usize = 64;
    /// The greatest MTU of a lane.
    pub const MOST: usize = 1024;

    /// A UART: 64 bytes.
    pub const UART: Self = Self { mtu: 64 };
    /// SPI: 512 bytes.
    pub const SPI: Self = Self { mtu: 512 };

    /// A lane on which a packet occupies at most `mtu` bytes. `None`: that is not 64 to 1024.
    pub const fn new(mtu: usize) -> Option<Self> {
        if mtu < Self::LEAST || mtu > Self::MOST {
            return None;
        }
        Some(Self { mtu })
    }

    /// The maximum number of bytes that a packet occupies on the lane, delimiters included.
    pub const fn mtu(self) -> usize {
        self.mtu
    }

    /// The longest packet that always fits.
    pub const fn packet(self) -> usize {
        cobs::shortest(self.mtu)
    }

    /// The longest payload of a packet that always fits.
    pub const fn payload(self) -> usize {
        self.packet().saturating_sub(OVERHEAD)
    }

    /// The most bytes of a packet that a decoder has to hold: the limit that its storage should have. The zero before
    /// the packet does not count.
    pub const fn frame(self) -> usize {
        self.mtu.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_s_sizes() {
        assert_eq!((Lane::UART.packet(), Lane::SPI.packet()), (61, 507));
        assert_eq!((Lane::UART.payload(), Lane::SPI.payload()), (45, 491));
        for mtu in 0..=1 << 17 {
            let lane = Lane::new(mtu);
            assert_eq!(lane.is_some(), (64..=1024).contains(&mtu), "{mtu}");
            assert_eq!(lane.map_or(mtu, Lane::mtu), mtu);
        }
    }
}
