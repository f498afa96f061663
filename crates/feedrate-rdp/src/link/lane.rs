//! Lanes: what comes in on each, and what is counted (SPEC section 2).

use feedrate::rdp::packet::{Lane, Packets};
use feedrate::{Decoder, Fault, Storage};

use crate::sizes::{Buffer, fill, shift_down};

/// A lane.
// Exhaustive: SPEC section 2 has these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneId {
    /// The one that is always there: UART.
    Signal,
    /// The fast one beside it: SPI.
    Bulk,
}

/// What has happened on a lane since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    /// Intact packets received.
    pub received: u32,
    /// Packets sent.
    pub sent: u32,
    /// Packets refused before their CRC was checked.
    pub header_failures: u32,
    /// Packets refused for their CRC.
    pub crc_failures: u32,
    /// Packets sent whose bytes had been sent before.
    pub resent: u32,
    /// Packets that were longer than the lane allows.
    pub overlong: u32,
}

impl LaneCounts {
    const NONE: Self =
        Self { received: 0, sent: 0, header_failures: 0, crc_failures: 0, resent: 0, overlong: 0 };

    /// In the order of their metrics (SPEC section 8.13).
    pub(super) const fn in_order(&self) -> [u32; 6] {
        [self.received, self.sent, self.header_failures, self.crc_failures, self.resent, self.overlong]
    }
}

/// A lane at work.
#[repr(C)]
pub(super) struct Port<B> {
    /// The longest payload of a packet.
    pub(super) payload: usize,
    pub(super) counts: LaneCounts,
    pub(super) decoder: Decoder<Packets, Held<B>>,
}

impl<B: Buffer> Port<B> {
    pub(super) const fn new(lane: Lane) -> Self {
        let held = Held::new(lane.frame());
        Self { decoder: Decoder::new(Packets, held), payload: lane.payload(), counts: LaneCounts::NONE }
    }
}

/// A decoder's storage in a [`Buffer`].
#[repr(C)]
pub(super) struct Held<B> {
    length: usize,
    limit: usize,
    memory: B,
}

impl<B: Buffer> Held<B> {
    /// For messages of at most `limit` bytes, or as many as there is memory for.
    const fn new(limit: usize) -> Self {
        Self { length: 0, limit: if limit < B::SIZE { limit } else { B::SIZE }, memory: B::ZERO }
    }
}

impl<B: Buffer> Storage for Held<B> {
    fn limit(&self) -> usize {
        self.limit
    }

    fn held(&self) -> &[u8] {
        self.memory.bytes().get(..self.length).unwrap_or_default()
    }

    fn held_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut().get_mut(..self.length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let free = self.memory.bytes_mut().get_mut(self.length..).unwrap_or_default();
        if bytes.len() > free.len() {
            return Err(Fault::Memory { needed: bytes.len() });
        }
        self.length = self.length.saturating_add(fill(free, bytes));
        Ok(())
    }

    fn discard(&mut self, n: usize) {
        shift_down(self.held_mut(), n);
        self.length = self.length.saturating_sub(n);
    }

    fn truncate(&mut self, n: usize) {
        self.length = self.length.min(n);
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}
