//! One transport: [`Lane`].

use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::{Buffer, Instant};

use crate::limits::{Late, Limits};
use crate::timer::Timer;
use crate::tokio::Clock;
use crate::tokio::lease::Lease;
use crate::tokio::line::{Line, Queue};

/// The longest packet of any lane. Of a stream this much is taken at a time.
const PACKET: usize = 1024;
/// How long a peer may take nothing of what is sent to it.
const PROGRESS: Duration = Duration::from_secs(5);

pub(super) struct Lane<T> {
    line: Line<T, Clock>,
    /// What the protocol had no room for. There is memory only while something is in it.
    unread: Buffer<Lease>,
    packet: Packet,
    /// The peer sends no more. All that it has sent has been fed, and acted on: what comes of it is written, as far as
    /// it is taken at once.
    pub(super) ended: bool,
}

/// What has been taken from the protocol, and not all by the transport.
struct Packet {
    bytes: [u8; PACKET],
    from: usize,
    to: usize,
}

impl Queue for Packet {
    fn unsent(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    fn sent(&mut self, n: usize) {
        self.from = self.from.saturating_add(n).min(self.to);
    }

    fn clear(&mut self) {
        self.from = self.to;
    }
}

impl<T> Lane<T> {
    pub(super) fn new(io: T) -> Self {
        let limits = Limits::new().handshake(None).message(None).progress(PROGRESS);
        Self {
            line: Line::new(io, limits, Clock::new()),
            unread: Buffer::new(Lease::NONE),
            packet: Packet { bytes: [0; PACKET], from: 0, to: 0 },
            ended: false,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Lane<T> {
    /// Hands what has arrived to `feed`, which takes of it what it has room for. Ready with the number of bytes that
    /// were taken: 0 means that there is no room. Ready with an error, or with nothing: nothing more will arrive.
    pub(super) fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        feed: impl FnOnce(&mut &[u8]),
    ) -> Poll<io::Result<Option<usize>>> {
        if self.unread.unread().is_empty() {
            let mut memory = Lease::new(false);
            let n = ready!(self.line.poll_read(cx, memory.as_mut()))?;
            if n == 0 {
                return Poll::Ready(Ok(None));
            }
            self.unread = Buffer::new(memory);
            self.unread.filled(n);
        }
        let mut input = self.unread.unread();
        let before = input.len();
        feed(&mut input);
        let taken = before.saturating_sub(input.len());
        self.unread.consume(taken);
        if taken == before {
            self.unread = Buffer::new(Lease::NONE);
        }
        Poll::Ready(Ok(Some(taken)))
    }

    /// Writes what was taken from the protocol. Ready: all of it has been, or nothing can be any more.
    pub(super) fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Late>> {
        match self.line.poll_write(cx, &mut self.packet) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => self.line.poll_late_write(cx).map(Err),
        }
    }

    /// Takes from the protocol what is next, when the last piece [has gone](Self::poll_free). Returns how much it was.
    pub(super) fn fill(&mut self, poll_transmit: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let n = poll_transmit(&mut self.packet.bytes).min(PACKET);
        (self.packet.from, self.packet.to) = (0, n);
        n
    }
}

/// A transport that has done its part: the peer is still to read what it was told last. Closing a socket with bytes
/// unread would take that back.
pub(super) struct Leaving<T> {
    lane: Lane<T>,
    until: Instant,
    shut: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Leaving<T> {
    pub(super) fn new(lane: Lane<T>, linger: Duration) -> Self {
        let until = lane.line.timer.now().saturating_add(linger);
        Self { lane, until, shut: false }
    }

    /// Ready when it may go.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Lane { line, packet, .. } = &mut self.lane;
        if !self.shut {
            self.shut = line.poll_shutdown(cx, packet).is_ready();
        }
        let mut dropped = [0; PACKET];
        loop {
            match line.poll_read(cx, &mut dropped) {
                Poll::Ready(Ok(1..)) => {}
                // It is gone, and the end of what it sent may be before the end of what it is sent.
                Poll::Ready(Ok(0) | Err(_)) if self.shut => return Poll::Ready(()),
                Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => break,
            }
        }
        line.timer.poll_until(cx, self.until)
    }
}
