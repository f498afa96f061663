//! The sending half, of either role: [`Half`].

use core::task::{Context, Poll};

use ::tokio::io::AsyncWrite;
use feedrate::{Grow, Instant};
use feedrate_ws::{Answer, Close, CloseCode, Message, Piece, SendError, Sender, StreamEvent};

use super::error::Error;
use super::keys::RandomKeys;
use crate::timer::Timer;
use crate::tokio::line::{Line, Queue};

/// Shorter messages go together: to write each by itself would cost more than to copy it.
const LONG: usize = 16 * 1024;
/// So much is worth a write of its own.
const MUCH: usize = 64 * 1024;

/// A sender.
pub(super) enum Half {
    Server(Sender<Grow>),
    Client(Sender<Grow, RandomKeys>),
}

macro_rules! either {
    ($half:expr, $sender:ident => $what:expr) => {
        match $half {
            Half::Server($sender) => $what,
            Half::Client($sender) => $what,
        }
    };
}

impl Half {
    pub(super) fn queued(&self) -> usize {
        either!(self, sender => sender.queued())
    }

    pub(super) fn is_closing(&self) -> bool {
        either!(self, sender => sender.is_closing())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        either!(self, sender => sender.deadline())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        either!(self, sender => sender.handle_timeout(now));
    }

    pub(super) fn poll_event(&mut self) -> Option<StreamEvent> {
        either!(self, sender => sender.poll_event())
    }

    pub(super) fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        either!(self, sender => sender.ping(payload))
    }

    pub(super) fn close(&mut self, code: CloseCode, reason: &str, now: Instant) -> Result<(), SendError> {
        either!(self, sender => sender.close(code, reason, now))
    }

    pub(super) fn push(&mut self, message: Message<'_>) -> Result<(), SendError> {
        either!(self, sender => sender.send(message))
    }

    pub(super) fn piece(&mut self, piece: Piece<'_>) -> Result<(), SendError> {
        either!(self, sender => sender.piece(piece))
    }

    pub(super) fn release(&mut self) {
        either!(self, sender => sender.release());
    }

    /// Queues a message, or writes of a long one what is taken at once, from where it lies.
    fn send<T: AsyncWrite + Unpin, C: Timer>(
        &mut self,
        message: Message<'_>,
        line: &mut Line<T, C>,
        cx: &mut Context<'_>,
    ) -> Result<(), SendError> {
        if message.as_bytes().len() < LONG || !line.is_vectored() {
            return self.push(message);
        }
        either!(self, sender => sender.send_vectored(message, |parts| line.write_now(cx, parts)))
    }
}

impl Queue for Half {
    fn unsent(&self) -> &[u8] {
        either!(self, sender => sender.transmit())
    }

    fn sent(&mut self, n: usize) {
        either!(self, sender => sender.transmitted(n));
    }

    fn clear(&mut self) {
        while !self.unsent().is_empty() {
            self.sent(self.unsent().len());
        }
    }

    fn stuck(&mut self) {
        if !self.unsent().is_empty() {
            self.sent(0);
        }
    }
}

impl Answer for Half {
    fn pong(&mut self, payload: &[u8]) {
        either!(self, sender => sender.pong(payload));
    }

    fn closed(&mut self, close: Option<Close<'_>>, now: Instant) {
        either!(self, sender => sender.closed(close, now));
    }

    fn failed(&mut self, code: CloseCode, now: Instant) {
        either!(self, sender => sender.failed(code, now));
    }
}

/// What is to be queued.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Message(Message<'a>),
    Piece(Piece<'a>),
    Ping(&'a [u8]),
}

/// Ready when it has been queued, and nothing has happened to it before. `more`: more to be sent is likely to follow at
/// once, and a little can wait for it.
pub(super) fn poll_send<T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    half: &mut Half,
    what: What<'_>,
    more: bool,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    line.over().map_err(Error::Io)?;
    loop {
        let before = half.queued();
        let queued = match what {
            What::Message(message) => half.send(message, line, cx),
            What::Piece(piece) => half.piece(piece),
            What::Ping(payload) => half.ping(payload),
        };
        match queued {
            Ok(()) => {
                if !more || half.queued() >= MUCH {
                    // What the transport takes at once it gets at once; the rest goes with the next call.
                    let _ = line.poll_write(cx, half);
                }
                return Poll::Ready(Ok(()));
            }
            // There will be room.
            Err(SendError::Full { .. } | SendError::PingPending) if before > 0 => {}
            Err(error) => return Poll::Ready(Err(Error::Send(error))),
        }
        if line.poll_write(cx, half).is_ready() {
            line.refusal().map_err(Error::Io)?;
        } else if half.queued() == before {
            return line.poll_late_write(cx).map(|late| Err(Error::Late(late)));
        }
    }
}

/// Ready when all has been written.
pub(super) fn poll_flush<T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    half: &mut Half,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    match line.poll_write(cx, half) {
        Poll::Ready(()) => Poll::Ready(line.refusal().map_err(Error::Io)),
        Poll::Pending => line.poll_late_write(cx).map(|late| Err(Error::Late(late))),
    }
}
