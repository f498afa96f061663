//! Judges the time in what arrives, at its arrival (SPEC section 5.6).

use feedrate::Instant;

use crate::time::{divided, passed};

/// Judges the time in what arrives (SPEC section 5.6): an agent's session clock, and how old a message may be.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    started: Instant,
    tolerance: u32,
}

impl Gate {
    /// A clock that was started at `started`, and a tolerance in its units of 10 ms.
    pub(crate) const fn new(started: Instant, tolerance: u32) -> Self {
        Self { started, tolerance }
    }

    /// Units of 10 ms since the start, rounded down.
    pub(crate) fn clock(&self, now: Instant) -> u32 {
        units(self.started, now)
    }

    /// Whether what arrives now, and was written at `time`, is neither from the future nor too old.
    pub(crate) fn admits(&self, time: u32, now: Instant) -> bool {
        self.clock(now).checked_sub(time).is_some_and(|age| age <= self.tolerance)
    }
}

/// Units of 10 ms from one point in time to another, rounded down.
#[inline(never)]
pub(crate) fn units(started: Instant, now: Instant) -> u32 {
    // 10,000 is 16 times 625.
    u32::try_from(divided(passed(started, now) >> 4, 625)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_division_makes_them() {
        let mut micros = 1_u64;
        for n in 0..100_000_u64 {
            micros = micros.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n);
            for passed in [micros >> (n % 64), n, n * 10_000, (n * 10_000).saturating_sub(1), u64::MAX - n] {
                let expected = u32::try_from(passed / 10_000).unwrap_or(u32::MAX);
                assert_eq!(
                    units(Instant::from_micros(7), Instant::from_micros(passed.saturating_add(7))),
                    expected,
                    "{passed}"
                );
            }
        }
    }

    /// SPEC section 5.6: 0 <= a - t <= tolerance.
    #[test]
    fn a_gate_admits_what_is_neither_early_nor_late() {
        let gate = Gate::new(Instant::from_millis(5_000), 3);
        let at = |millis: u64| Instant::from_millis(5_000 + millis);
        assert_eq!([0, 9, 10, 19, 20].map(|millis| gate.clock(at(millis))), [0, 0, 1, 1, 2]);
        assert_eq!([0, 1, 4, 5, 6].map(|time| gate.admits(time, at(59))), [false, false, true, true, false]);
        assert_eq!([0, 3, 4].map(|time| gate.admits(time, at(39))), [true, true, false]);
        // A clock that goes back counts as standing still.
        assert_eq!(gate.clock(Instant::ZERO), 0);
        assert!(gate.admits(0, Instant::ZERO) && !gate.admits(1, Instant::ZERO));
        assert_eq!(gate.clock(Instant::MAX), u32::MAX);
    }
}
