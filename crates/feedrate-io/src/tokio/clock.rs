//! tokio's clock as a [`Timer`].

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use ::tokio::time::{Instant as Time, Sleep, sleep_until};
use feedrate::Instant;

use crate::timer::Timer;

/// tokio's clock, paused or not. Its timer is armed when something first has to wait, and stays armed for the earliest
/// time that was asked for: that wakes the task too early now and then, and costs nothing otherwise.
pub struct Clock {
    start: Time,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Clock {
    /// Time counts from now on.
    pub fn new() -> Self {
        Self { start: Time::now(), sleep: None }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Clock {
    /// The same time, with a timer of its own.
    fn clone(&self) -> Self {
        Self { start: self.start, sleep: None }
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        self.start.elapsed().into()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let Some(at) = self.start.checked_add(at.saturating_since(Instant::ZERO)) else {
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if Time::now() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        Poll::Pending
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish_non_exhaustive()
    }
}
