//! The receiving side: what has been read ([`Source`]), and how far the connection is ([`State`]).

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::mem::take;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use feedrate::{Buffer, Grow, Instant, Storage};
use feedrate_ws::{Close, CloseCode, Event, Ready, Receiver, StreamEvent};

use super::ends::{Answers, Ends};
use super::error::Error;
use super::mode::Mode;
use super::pings::{Due, Pings};
use crate::limits::Late;
use crate::tokio::lease::Lease;

/// Bytes that are read before others have their turn: a peer that never stops would keep them waiting.
const TURN: usize = 128 * 1024;

/// Memory to read to, only while there is something to be read.
pub(super) struct Intake {
    pub(super) buffer: Buffer<Lease>,
    leased: bool,
}

impl Intake {
    pub(super) const fn new() -> Self {
        Self { buffer: Buffer::new(Lease::NONE), leased: false }
    }

    /// With what has been read already.
    pub(super) fn of(unread: &[u8]) -> Self {
        let mut buffer = Buffer::new(Lease::holding(unread.to_vec(), false));
        buffer.filled(unread.len());
        Self { buffer, leased: !unread.is_empty() }
    }

    /// Reads, when nothing is unread.
    pub(super) fn poll_read(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !self.leased {
            (self.buffer, self.leased) = (Buffer::new(Lease::new(false)), true);
        }
        let polled = read(self.buffer.space());
        match &polled {
            Poll::Ready(Ok(n)) => self.buffer.filled(*n),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => (self.buffer, self.leased) = (Buffer::new(Lease::NONE), false),
        }
        polled
    }
}

/// The receiver, and what it has not looked at.
pub(super) struct Source<M> {
    pub(super) receiver: Receiver<Grow, M>,
    pub(super) intake: Intake,
}

impl<M: Mode> Source<M> {
    #[inline]
    fn ready(&mut self, now: Instant, ends: &mut impl Ends) -> Result<Option<Ready>, feedrate_ws::Error> {
        M::ready(&mut self.receiver, &mut self.intake.buffer, now, &mut Answers(ends))
    }

    #[inline]
    pub(super) fn take(
        &mut self,
        ready: Ready,
        now: Instant,
        ends: &mut impl Ends,
    ) -> Result<Option<Event<'_, M::Data<'_>>>, feedrate_ws::Error> {
        M::take(&mut self.receiver, ready, &mut self.intake.buffer, now, &mut Answers(ends))
    }

    /// Bytes of a message that has begun and not ended: at least 1 then.
    fn begun(&self) -> usize {
        match self.receiver.end() {
            Err(end) if end.inside => self.receiver.storage().held().len().max(1),
            _ => 0,
        }
    }
}

/// Why the peer has closed the connection, as its close frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    said: Option<(CloseCode, String)>,
}

impl Closed {
    /// The code, if the frame had one.
    pub fn code(&self) -> Option<CloseCode> {
        self.said.as_ref().map(|(code, _)| *code)
    }

    /// The same for people. It comes from the peer, and may have anything in it.
    pub fn reason(&self) -> &str {
        self.said.as_ref().map_or("", |(_, reason)| reason)
    }

    fn new(close: Option<Close<'_>>) -> Self {
        Self { said: close.map(|close| (close.code, close.reason.to_owned())) }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// All has come that counts: what is left is to write, and to let the peer read it.
    Last,
    Over,
}

pub(super) struct State {
    phase: Phase,
    /// When something was read last.
    pub(super) now: Instant,
    /// Something was read, and messages came of it, since the deadlines were told last.
    moved: bool,
    ended: bool,
    pub(super) pings: Pings,
    closing: Duration,
    /// The sending half is to be closed, and has been.
    finished: bool,
    shut: bool,
    /// Bytes read since others had their turn.
    turn: usize,
    pub(super) closed: Option<Closed>,
    violation: Option<feedrate_ws::Error>,
}

impl State {
    pub(super) const fn new(pings: Pings, closing: Duration, now: Instant) -> Self {
        Self {
            phase: Phase::Open,
            now,
            moved: false,
            ended: false,
            pings,
            closing,
            finished: false,
            shut: false,
            turn: 0,
            closed: None,
            violation: None,
        }
    }

    /// Goes on to what can be taken: a message, or, with `all`, whatever the peer says. `None`: the connection is over.
    pub(super) fn poll_ready<M: Mode>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<M>,
        ends: &mut impl Ends,
        all: bool,
    ) -> Poll<Result<Option<Ready>, Error>> {
        loop {
            if self.phase != Phase::Open {
                return self.poll_last(cx, ends).map_ok(|()| None);
            }
            match source.ready(self.now, ends) {
                Ok(Some(ready)) if all || ready.is_message() => {
                    self.ended |= ready.is_message();
                    return Poll::Ready(Ok(Some(ready)));
                }
                Ok(Some(ready)) => {
                    match source.take(ready, self.now, ends) {
                        Ok(Some(event)) => self.note(&event),
                        Ok(None) => {}
                        Err(violation) => self.fail(violation),
                    }
                    continue;
                }
                Ok(None) => {}
                Err(violation) => {
                    self.fail(violation);
                    continue;
                }
            }
            let written = ends.poll_write(cx).is_ready();
            if ends.ended() {
                if written {
                    self.phase = Phase::Over;
                    ends.failure().map_err(Error::Io)?;
                    return Poll::Ready(source.receiver.end().map(|()| None).map_err(Error::Truncated));
                }
                ready!(self.poll_deadlines(cx, source, ends))?;
                continue;
            }
            if self.turn >= TURN {
                self.turn = 0;
                source.intake = Intake::new();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match source.intake.poll_read(|space| ends.poll_read(cx, space)) {
                Poll::Ready(Ok(n)) => {
                    (self.now, self.moved) = (ends.now(), true);
                    self.turn = self.turn.saturating_add(n);
                }
                Poll::Ready(Err(error)) => {
                    self.phase = Phase::Over;
                    return Poll::Ready(Err(Error::Io(error)));
                }
                Poll::Pending => {
                    self.turn = 0;
                    if take(&mut self.moved) {
                        self.pings.heard(self.now);
                    }
                    ends.reading(take(&mut self.ended), source.begun(), self.now);
                    ready!(self.poll_deadlines(cx, source, ends))?;
                }
            }
        }
    }

    /// Ready when something is due: it has been done.
    fn poll_deadlines<M: Mode>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<M>,
        ends: &mut impl Ends,
    ) -> Poll<Result<(), Error>> {
        let (closing, is_closing) = ends.half(|half| (half.deadline(), half.is_closing()));
        // Nothing follows a close frame, no ping either; and nothing can come behind the end.
        let pings = self.pings.deadline().filter(|_| !is_closing && !ends.ended());
        let Some(first) = [ends.deadline(), closing, pings].into_iter().flatten().min() else {
            return Poll::Pending;
        };
        ready!(ends.poll_until(cx, first));
        let now = ends.now().max(first);
        let mut late = ends.check(now).err();
        if closing.is_some_and(|closing| closing <= now) {
            ends.half(|half| half.handle_timeout(now));
            late = Some(Late::Closing(self.closing));
        }
        if pings.is_some() && late.is_none() {
            match self.pings.due(now) {
                Due::Nothing => {}
                Due::Late(patience) => late = Some(Late::Pong(patience)),
                Due::Ping(payload) => {
                    // It has been silent for a while: it had better not hold memory.
                    M::release(&mut source.receiver);
                    ends.half(|half| {
                        half.release();
                        // One that waits already asks the same.
                        let _ = half.ping(&payload);
                    });
                }
            }
        }
        Poll::Ready(match late {
            Some(late) => {
                self.phase = Phase::Over;
                Err(Error::Late(late))
            }
            None => Ok(()),
        })
    }

    /// What the peer said that is no message.
    pub(super) fn note<D>(&mut self, event: &Event<'_, D>) {
        match event {
            Event::Pong(payload) => self.pings.pong(payload, self.now),
            Event::Closed(close) => {
                (self.closed, self.phase) = (Some(Closed::new(*close)), Phase::Last);
            }
            _ => {}
        }
    }

    pub(super) fn fail(&mut self, violation: feedrate_ws::Error) {
        (self.violation, self.phase) = (Some(violation), Phase::Last);
    }

    /// Ends the connection: what waits is written, and read by the peer. The violation is told then.
    pub(super) fn poll_last(
        &mut self,
        cx: &mut Context<'_>,
        ends: &mut impl Ends,
    ) -> Poll<Result<(), Error>> {
        if self.phase == Phase::Last {
            ends.rouse();
            ready!(self.poll_gone(cx, ends));
            self.phase = Phase::Over;
        }
        Poll::Ready(self.violation.take().map_or(Ok(()), |violation| Err(Error::Violation(violation))))
    }

    /// Ready when the peer is gone, or has had the time to. What it sends is dropped.
    fn poll_gone(&mut self, cx: &mut Context<'_>, ends: &mut impl Ends) -> Poll<()> {
        // Not the connection's own memory, of which a message may be lent.
        let mut dropped = Intake::new();
        loop {
            let written = ends.poll_write(cx).is_ready();
            while let Some(event) = ends.half(|half| half.poll_event()) {
                match event {
                    StreamEvent::Finished => self.finished = true,
                    _ => return Poll::Ready(()),
                }
            }
            // A peer that is done need not wait until whoever holds the connection drops it.
            if (self.finished || written && ends.ended()) && !self.shut {
                self.shut = ends.poll_shutdown(cx).is_ready();
            }
            if ends.ended() {
                if self.shut {
                    return Poll::Ready(());
                }
            } else {
                match dropped.poll_read(|space| ends.poll_read(cx, space)) {
                    Poll::Ready(Ok(n)) => {
                        dropped.buffer.consume(n);
                        continue;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            let closing = ends.half(|half| half.deadline());
            let Some(first) = [ends.write_deadline(), closing].into_iter().flatten().min() else {
                return Poll::Pending;
            };
            ready!(ends.poll_until(cx, first));
            let now = ends.now().max(first);
            if ends.check_write(now).is_err() {
                return Poll::Ready(());
            }
            ends.half(|half| half.handle_timeout(now));
        }
    }
}
