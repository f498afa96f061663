//! Clocks that are wrong in every way: they drift, jump, step back, and stand still.

use feedrate::Instant;

/// A clock, as one side sees it. Times of the world are microseconds.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// When the world's time was this, it showed that.
    at: u64,
    shown: u64,
    /// How fast it is: 1,000,000 is right.
    rate: u64,
    frozen: bool,
}

/// A clock that is right.
const RIGHT: u64 = 1_000_000;

impl Clock {
    /// It shows this at the world's beginning, and is so much too fast, in millionths.
    pub(super) fn new(shown: u64, drift: i64) -> Self {
        Self { at: 0, shown, rate: RIGHT.saturating_add_signed(drift), frozen: false }
    }

    pub(super) fn read(&self, now: u64) -> Instant {
        Instant::from_micros(self.shows(now))
    }

    fn shows(&self, now: u64) -> u64 {
        if self.frozen { self.shown } else { self.shown + (now - self.at) * self.rate / RIGHT }
    }

    /// When it will show this, if nothing is done to it.
    pub(super) fn when(&self, shown: Instant) -> Option<u64> {
        let missing = shown.as_micros().saturating_sub(self.shown);
        if missing == 0 {
            return Some(self.at);
        }
        let passes = u128::from(missing) * u128::from(RIGHT);
        let passes = u64::try_from(passes.div_ceil(u128::from(self.rate))).ok()?;
        (!self.frozen).then(|| self.at.saturating_add(passes))
    }

    fn anchor(&mut self, now: u64) {
        (self.shown, self.at) = (self.shows(now), now);
    }

    /// It jumps, forwards or back.
    pub(super) fn jump(&mut self, now: u64, by: i64) {
        self.anchor(now);
        self.shown = self.shown.saturating_add_signed(by);
    }

    /// It begins anew, with this.
    pub(super) fn restart(&mut self, now: u64, shown: u64) {
        (self.at, self.shown, self.frozen) = (now, shown, false);
    }

    /// It stands still, or goes on.
    pub(super) fn freeze(&mut self, now: u64, frozen: bool) {
        self.anchor(now);
        self.frozen = frozen;
    }

    /// It has another drift from now on.
    pub(super) fn drift(&mut self, now: u64, drift: i64) {
        self.anchor(now);
        self.rate = RIGHT.saturating_add_signed(drift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_what_it_will_show_when_it_says_so() {
        let mut clock = Clock::new(500, -20_000);
        for now in [0, 1, 49, 1_000_000, 86_400_000_000] {
            let shown = clock.read(now);
            assert!(clock.when(shown).is_some_and(|when| when <= now && clock.read(when) == shown), "{now}");
        }
        clock.jump(1_000, -300);
        assert_eq!(clock.read(1_000).as_micros(), 1_180);
        clock.freeze(2_000, true);
        assert_eq!((clock.read(9_000), clock.when(clock.read(9_000))), (clock.read(2_000), Some(2_000)));
        assert_eq!(clock.when(Instant::from_micros(9_999_999)), None);
    }
}
