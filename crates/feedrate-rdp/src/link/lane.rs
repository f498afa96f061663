//! Lanes: what comes in on each, what is counted, and whether the bulk lane can be trusted (SPEC sections 2 and 4.4).

use feedrate::Decoder;
use feedrate::rdp::packet::{Line, Packets};

use super::buffer::{Buffer, Held};
use crate::time::{Millis, reached};

/// A lane.
// Exhaustive: rewritten with the safe RDPv3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneId {
    /// The one that is always there: UART, TCP.
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
    /// Packets refused before their CRC was looked at.
    pub header_failures: u32,
    /// Packets refused for their CRC.
    pub crc_failures: u32,
    /// Packets sent whose bytes had been sent before.
    pub resent: u32,
    /// Packets that were longer than the lane allows.
    pub overlong: u32,
}

pub(super) struct Lane<B> {
    pub(super) decoder: Decoder<Packets, Held<B>>,
    pub(super) line: Line,
    pub(super) counts: LaneCounts,
}

impl<B: Buffer> Lane<B> {
    pub(super) const fn new(line: Line) -> Self {
        Self {
            decoder: Decoder::new(Packets::new(line.framing), Held::new(line.frame())),
            line,
            counts: LaneCounts {
                received: 0,
                sent: 0,
                header_failures: 0,
                crc_failures: 0,
                resent: 0,
                overlong: 0,
            },
        }
    }
}

/// How long between two PROBEs, in milliseconds, and how many have to arrive.
const PROBE: u32 = 250;
const ENOUGH: u16 = 4;

/// What the peer says of the bulk lane, and what follows from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    /// Both sides have the lane.
    pub(super) agreed: bool,
    damaged: Option<Damaged>,
    intact: u16,
    failures: (u16, u16),
}

#[derive(Debug, Clone, Copy)]
struct Damaged {
    /// Intact packets at the time.
    since: u16,
    probe_at: Millis,
}

impl Health {
    pub(super) const NEW: Self = Self { agreed: false, damaged: None, intact: 0, failures: (0, 0) };

    pub(super) const fn is_usable(&self) -> bool {
        self.agreed && self.damaged.is_none()
    }

    /// The lane lost something, or is silent. Returns whether that is news.
    pub(super) fn damage(&mut self, now: Millis) -> bool {
        let news = self.is_usable();
        let probe_at = self.damaged.map_or(now, |damaged| damaged.probe_at);
        self.damaged = Some(Damaged { since: self.intact, probe_at });
        news
    }

    /// The peer's counters. Returns whether the lane has just become damaged.
    pub(super) fn report(&mut self, intact: u16, failures: (u16, u16), now: Millis) -> bool {
        let failed = failures != self.failures;
        self.intact = intact;
        self.failures = failures;
        if failed {
            return self.damage(now);
        }
        if self.damaged.is_some_and(|damaged| intact.wrapping_sub(damaged.since) >= ENOUGH) {
            self.damaged = None;
        }
        false
    }

    pub(super) fn probe_due(&self, now: Millis) -> bool {
        self.agreed && self.damaged.is_some_and(|damaged| reached(now, damaged.probe_at))
    }

    pub(super) fn probed(&mut self, now: Millis) {
        if let Some(damaged) = &mut self.damaged {
            damaged.probe_at = now.wrapping_add(PROBE);
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.damaged.filter(|_| self.agreed).map(|damaged| damaged.probe_at)
    }
}
