//! The agent's clock, which the knobs can make jump and stand still.

use std::time::Duration;

use feedrate::Instant;

/// How long it has run at the start, in microseconds: it can go back as far.
const START: u64 = 1_000_000_000_000;

/// The agent's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    started: std::time::Instant,
    /// How far it is ahead, in microseconds.
    ahead: i64,
    /// It stands still at this time, in microseconds.
    frozen: Option<u64>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: std::time::Instant::now(), ahead: 0, frozen: None }
    }

    /// Microseconds of the machine's own time, which no knob touches.
    pub(crate) fn real(&self) -> u64 {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        START.saturating_add(passed)
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.micros())
    }

    /// Waits until the time is a later one, unless the clock stands still.
    pub(crate) fn later(&self, than: Instant) -> Instant {
        loop {
            let now = self.now();
            if now != than || self.frozen.is_some() {
                return now;
            }
            std::hint::spin_loop();
        }
    }

    fn micros(&self) -> u64 {
        self.frozen.unwrap_or_else(|| self.real().saturating_add_signed(self.ahead))
    }

    /// Goes on from a later time, or from an earlier one.
    pub(crate) fn jump(&mut self, milliseconds: i64) {
        let micros = milliseconds.saturating_mul(1000);
        self.ahead = self.ahead.saturating_add(micros);
        self.frozen = self.frozen.map(|at| at.saturating_add_signed(micros));
    }

    /// Stands still, or goes on from there.
    pub(crate) fn freeze(&mut self, still: bool) {
        if still {
            self.frozen = Some(self.micros());
        } else if let Some(at) = self.frozen.take() {
            self.ahead = i64::try_from(i128::from(at) - i128::from(self.real())).unwrap_or_default();
        }
    }

    /// How long it is until then.
    pub(crate) fn until(&self, deadline: Option<Instant>) -> Duration {
        deadline.map_or(Duration::MAX, |deadline| deadline.saturating_since(self.now()))
    }
}
