//! The agent's clock, which the knobs can make jump and stand still.

use std::task::{Context, Poll};

use feedrate::Instant;
use feedrate_io::Timer;

/// How long it has run at the start, in microseconds: it can go back as far.
const START: u64 = 1_000_000_000_000;

/// The agent's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Time since the start, and what wakes whoever waits for it.
    inner: feedrate_io::tokio::Clock,
    /// How far it is ahead, in microseconds.
    ahead: i64,
    /// It stands still at this time, in microseconds.
    frozen: Option<u64>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { inner: feedrate_io::tokio::Clock::new(), ahead: 0, frozen: None }
    }

    /// Microseconds of the machine's own time, which no knob touches.
    pub(crate) fn real(&self) -> u64 {
        START.saturating_add(self.inner.now().as_micros())
    }

    /// Waits until the time is a later one, unless the clock stands still.
    pub(crate) fn later(&self, than: Instant) {
        while self.now() == than && self.frozen.is_none() {
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
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.micros())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        if at <= self.now() {
            return Poll::Ready(());
        }
        if self.frozen.is_some() {
            return Poll::Pending;
        }
        let inner = at.as_micros().saturating_sub(START).saturating_add_signed(self.ahead.saturating_neg());
        self.inner.poll_until(cx, Instant::from_micros(inner)).map(|()| ())
    }
}
