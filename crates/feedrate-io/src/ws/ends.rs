//! The transport and the sending half, as they are together: [`Ends`].

use core::task::{Context, Poll, ready};
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Instant;
use feedrate_ws::{Answer, Close, CloseCode};

use super::half::Half;
use crate::limits::Late;
use crate::timer::Timer;
use crate::tokio::line::Line;

/// What the receiving side needs of the transport and of the sending half, wherever these are.
pub(super) trait Ends {
    /// Writes what waits. Ready: all of it has been, or nothing can be written any more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Says that no more will be sent. Ready: it has been, or cannot be.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Whether the peer sends no more.
    fn ended(&self) -> bool;

    /// Why nothing could be written, told once.
    fn failure(&mut self) -> io::Result<()>;

    fn half<R>(&mut self, act: impl FnOnce(&mut Half) -> R) -> R;

    /// Nothing more will be sent: whoever waits for room hears it.
    fn rouse(&self);

    fn now(&self) -> Instant;

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()>;

    /// As [`Watch::reading`](crate::Watch::reading).
    fn reading(&mut self, ended: bool, held: usize, now: Instant);

    fn deadline(&self) -> Option<Instant>;

    fn check(&self, now: Instant) -> Result<(), Late>;

    fn write_deadline(&self) -> Option<Instant>;

    fn check_write(&self, now: Instant) -> Result<(), Late>;
}

/// Both in one hand.
pub(super) struct Joint<T, C> {
    pub(super) line: Line<T, C>,
    pub(super) half: Half,
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Timer> Ends for Joint<T, C> {
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.line.poll_write(cx, &mut self.half)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = ready!(self.line.poll_shutdown(cx, &mut self.half));
        Poll::Ready(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        self.line.poll_read_or_cut(cx, space)
    }

    fn ended(&self) -> bool {
        self.line.ended
    }

    fn failure(&mut self) -> io::Result<()> {
        self.line.failure()
    }

    fn half<R>(&mut self, act: impl FnOnce(&mut Half) -> R) -> R {
        act(&mut self.half)
    }

    fn rouse(&self) {}

    fn now(&self) -> Instant {
        self.line.timer.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.line.timer.poll_until(cx, at)
    }

    fn reading(&mut self, ended: bool, held: usize, now: Instant) {
        self.line.watch.reading(ended, held, now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.line.watch.deadline()
    }

    fn check(&self, now: Instant) -> Result<(), Late> {
        self.line.watch.check(now)
    }

    fn write_deadline(&self) -> Option<Instant> {
        self.line.watch.write_deadline()
    }

    fn check_write(&self, now: Instant) -> Result<(), Late> {
        self.line.watch.check_write(now)
    }
}

/// What a receiver has to say, said to the sending half when there is something.
pub(super) struct Answers<'a, X>(pub(super) &'a mut X);

impl<X: Ends> Answer for Answers<'_, X> {
    fn pong(&mut self, payload: &[u8]) {
        self.0.half(|half| half.pong(payload));
    }

    fn closed(&mut self, close: Option<Close<'_>>, now: Instant) {
        self.0.half(|half| half.closed(close, now));
    }

    fn failed(&mut self, code: CloseCode, now: Instant) {
        self.0.half(|half| half.failed(code, now));
    }
}
