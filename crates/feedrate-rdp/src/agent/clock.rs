//! The clock that drives the agent (SPEC sections 8.9 and 8.10).

use feedrate::Instant;

use crate::time::{Span, divided, passed};

/// The longest gap that is counted in full: some 46 days. A longer one is a clock that has jumped.
const LONGEST: Span = 4_000_000_000_000;

/// How far the clock may step back: interrupts may have read it earlier.
const BACK: Span = 100_000;

/// What the clock has shown.
pub(super) struct Clock {
    /// The latest time that has been seen.
    latest: Option<Instant>,
    /// When the agent ran last, and how often the clock has shown this time.
    ran: Option<Instant>,
    same: u32,
    /// How long the agent has run.
    up: Span,
}

/// What a run finds.
pub(super) struct Run {
    pub(super) now: Instant,
    /// How long the agent has not run.
    pub(super) gap: Span,
    /// The clock has stepped back, or stands still.
    pub(super) broken: bool,
}

impl Clock {
    pub(super) const NEW: Self = Self { latest: None, ran: None, same: 0, up: 0 };

    /// The time, when something arrives. It does not step back.
    #[inline(never)]
    pub(super) fn see(&mut self, now: Instant) -> Instant {
        let now = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(now);
        now
    }

    /// The time, when the agent runs.
    #[inline(never)]
    pub(super) fn run(&mut self, now: Instant, frozen: u32) -> Run {
        let latest = self.latest.unwrap_or(now);
        let stepped = passed(now, latest) > BACK;
        // A run that finds the clock where the last one has left it. They are counted until the host is heard: a
        // clock that advances only now and then is no better than one that stands still.
        if self.ran.is_some() && latest >= now && self.ran == self.latest {
            self.same = self.same.saturating_add(1);
        }
        let stands = self.same >= frozen;
        if stands {
            self.same = 0;
        }
        let now = if stepped { now } else { latest.max(now) };
        let gap = passed(self.ran.unwrap_or(now), now);
        self.up = self.up.saturating_add(gap.min(LONGEST));
        (self.latest, self.ran) = (Some(now), Some(now));
        Run { now, gap, broken: stepped || stands }
    }

    /// The host has been heard, or there is none: runs without progress are counted anew.
    pub(super) fn forgive(&mut self) {
        self.same = 0;
    }

    /// Milliseconds since the agent's first run.
    pub(super) fn uptime(&self) -> u64 {
        // 1000 is 8 times 125.
        divided(self.up >> 3, 125)
    }

    /// Seconds since the agent's first run.
    pub(super) fn seconds(&self) -> u32 {
        // 1,000,000 is 64 times 15,625.
        u32::try_from(divided(self.up >> 6, 15_625)).unwrap_or(u32::MAX)
    }

    /// When the agent ran last.
    pub(super) const fn ran(&self) -> Option<Instant> {
        self.ran
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_millis(milliseconds)
    }

    #[test]
    fn small_steps_back_are_no_steps_and_large_ones_break_it() {
        let mut clock = Clock::NEW;
        assert!(!clock.run(at(1000), 10).broken);
        assert_eq!(clock.see(at(1050)), at(1050));
        let run = clock.run(at(950), 10);
        assert_eq!((run.now, run.broken), (at(1050), false));
        assert_eq!(clock.see(at(900)), at(1050));
        assert!(clock.run(at(949), 10).broken);
        // It goes on from where it is.
        let run = clock.run(at(960), 10);
        assert_eq!((run.now, run.gap, run.broken), (at(960), 11_000, false));
        assert_eq!(clock.uptime(), 61);
    }

    #[test]
    fn a_clock_that_stands_still_for_long_is_broken() {
        let mut clock = Clock::NEW;
        for _ in 0..10 {
            assert!(!clock.run(at(7), 10).broken);
        }
        assert!(clock.run(at(7), 10).broken);
        for _ in 0..9 {
            assert!(!clock.run(at(7), 10).broken);
        }
        // A tick now and then does not help it.
        assert!(!clock.run(at(8), 10).broken);
        assert!(clock.run(at(8), 10).broken);
        for _ in 0..100 {
            assert!(!clock.run(at(8), 10).broken);
            clock.forgive();
        }
    }

    #[test]
    fn uptime_loses_nothing_between_runs() {
        let mut clock = Clock::NEW;
        for micros in (0..=10_000).step_by(700) {
            clock.run(Instant::from_micros(micros), 10);
        }
        assert_eq!((clock.uptime(), clock.seconds()), (9, 0));
        // A day without a run.
        clock.run(Instant::from_micros(86_400_000_000), 10);
        assert_eq!((clock.uptime(), clock.seconds()), (86_400_000, 86_400));
    }
}
