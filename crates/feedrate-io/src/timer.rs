//! A clock that wakes a task: [`Timer`].

use core::task::{Context, Poll};

use feedrate::Instant;

/// What a runtime offers to those who wait. There is one for tokio; another runtime's takes a dozen lines.
pub trait Timer {
    /// The time.
    fn now(&self) -> Instant;

    /// Ready when it is `at` or later. If it is not, the task is woken then, or earlier.
    ///
    /// It is asked whenever a connection has to wait, most often for a time that is later than the last: an
    /// implementation had better not arm its timer anew each time.
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()>;
}

/// No clock: no limit of time is ever passed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl Timer for Never {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}
