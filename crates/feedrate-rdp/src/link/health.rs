//! Whether the bulk lane can be trusted (SPEC section 4.4, Fail-over).

use core::time::Duration;

use feedrate::Instant;

/// How long between two PROBEs, and how many have to arrive.
const PROBE: Duration = Duration::from_millis(250);
const ENOUGH: u16 = 4;

/// What the peer reports about the bulk lane, and what follows from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    /// Both sides have the lane.
    pub(super) agreed: bool,
    damaged: bool,
    /// Intact packets when it became damaged.
    since: u16,
    intact: u16,
    failures: [u16; 2],
    probe_at: Instant,
}

impl Health {
    pub(super) const NEW: Self = Self {
        agreed: false,
        damaged: false,
        since: 0,
        intact: 0,
        failures: [0; 2],
        probe_at: Instant::ZERO,
    };

    pub(super) const fn is_usable(&self) -> bool {
        self.agreed && !self.damaged
    }

    /// The lane lost something, or is silent. Returns whether that is news.
    pub(super) fn damage(&mut self, now: Instant) -> bool {
        let news = self.is_usable();
        if !self.damaged {
            self.probe_at = now;
        }
        self.damaged = true;
        self.since = self.intact;
        news
    }

    /// The peer's counters. Returns whether the lane has just become damaged.
    pub(super) fn report(&mut self, intact: u16, failures: [u16; 2], now: Instant) -> bool {
        self.intact = intact;
        if failures != self.failures {
            self.failures = failures;
            return self.damage(now);
        }
        if intact.wrapping_sub(self.since) >= ENOUGH {
            self.damaged = false;
        }
        false
    }

    /// When the next PROBE is due; [`Instant::MAX`] if none is.
    pub(super) fn probe_at(&self) -> Instant {
        if self.agreed && self.damaged { self.probe_at } else { Instant::MAX }
    }

    pub(super) fn probed(&mut self, now: Instant) {
        self.probe_at = now.saturating_add(PROBE);
    }
}
