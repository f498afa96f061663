//! The closing handshake and its time-out: RFC 6455, section 7.1.

use feedrate::{Instant, Storage};

use super::Sender;
use super::closing::{Reported, StreamEvent};
use super::error::SendError;
use super::keys::Keys;
use crate::close::Close;
use crate::close_code::CloseCode;
use crate::opcode::{CONTROL, Opcode};
use crate::role::Role;

impl<S: Storage, K: Keys> Sender<S, K> {
    /// Queues a close frame after everything queued so far; pings and pongs may still overtake it. A reason of more
    /// than 123 bytes is cut after the last character that fits. From `now` on, closing may take as long as
    /// [`patience`](Self::patience) allows.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`] if a close frame has been queued already; [`SendError::Full`] if there is no memory.
    pub fn close(&mut self, code: CloseCode, reason: &str, now: Instant) -> Result<(), SendError> {
        self.say_goodbye(Some(Close { code, reason }))?;
        self.start_clock(now);
        Ok(())
    }

    /// Drops all queued data of which nothing has been written yet, and queues a close frame instead. Returns how many
    /// bytes were dropped, headers included.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`], if a close frame has been written already.
    pub fn close_now(&mut self, code: CloseCode, reason: &str, now: Instant) -> Result<usize, SendError> {
        let before = self.queue.unsent();
        if !self.cut_off(Close { code, reason }) {
            return Err(SendError::Closing);
        }
        self.start_clock(now);
        Ok(before)
    }

    /// Whether a close frame has been queued, on our own account or in answer to the peer's. If so, nothing more can be
    /// sent.
    pub const fn is_closing(&self) -> bool {
        self.closing.said
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): closing must have ended by then. `None`: closing has not
    /// begun, or the deadline has passed.
    pub const fn deadline(&self) -> Option<Instant> {
        if self.closing.is_timed() { Some(self.until) } else { None }
    }

    /// Handles everything that is due at `now`. Before the [`deadline`](Self::deadline) this does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closing.is_timed() && now >= self.until {
            self.closing.reported = Reported::Late;
        }
    }

    /// What to do with the stream, apart from reading and writing. Call it whenever something has been written, fed or
    /// sent, and after [`handle_timeout`](Self::handle_timeout).
    ///
    /// ```
    /// use feedrate::{Array, Instant};
    /// use feedrate_ws::{Receiver, Role, Sender, StreamEvent};
    ///
    /// let mut receiver = Receiver::new(Role::Server, Array::<512>::new());
    /// let mut sender = Sender::server(Array::<1024>::new());
    /// // The client closes, and the answer is queued.
    /// let mut input = &b"\x88\x80mask"[..];
    /// receiver.feed(&mut input, Instant::ZERO, &mut sender)?;
    /// assert_eq!(sender.poll_event(), None);
    /// sender.transmitted(sender.transmit().len());
    /// assert_eq!(sender.poll_event(), Some(StreamEvent::Finished));
    /// // The client has five seconds to close the stream.
    /// let deadline = sender.deadline().unwrap();
    /// sender.handle_timeout(deadline);
    /// assert_eq!(sender.poll_event(), Some(StreamEvent::TimedOut));
    /// # Ok::<(), feedrate_ws::Error>(())
    /// ```
    #[must_use]
    pub fn poll_event(&mut self) -> Option<StreamEvent> {
        match self.closing.reported {
            Reported::Nothing if self.is_finished() => {
                self.closing.reported = Reported::Finished;
                Some(StreamEvent::Finished)
            }
            Reported::Late => {
                self.closing.reported = Reported::TimedOut;
                Some(StreamEvent::TimedOut)
            }
            _ => None,
        }
    }

    /// Whether it is this side's turn to close the stream, and nothing is left to write.
    fn is_finished(&self) -> bool {
        // RFC 6455, section 7.1.1: the server closes first, so that it holds the TIME_WAIT state.
        let turn = match K::ROLE {
            Role::Server => self.closing.heard,
            Role::Client => false,
        };
        self.closing.said && self.queue.len() == 0 && (turn || self.closing.failed)
    }

    /// Starts the clock if a close frame has been queued.
    fn start_clock(&mut self, now: Instant) {
        if self.closing.said {
            start(&mut self.until, self.patience, now);
        }
    }

    fn say_goodbye(&mut self, close: Option<Close<'_>>) -> Result<(), SendError> {
        if self.closing.said {
            return Err(SendError::Closing);
        }
        let (bytes, n) = close.map_or(([0; CONTROL], 0), Close::to_bytes);
        let payload = bytes.get(..n).unwrap_or_default();
        let header = self.header(Opcode::Close, payload);
        let before = self.queue.mark();
        if !self.queue.push(&header, payload) {
            return Err(self.full(n));
        }
        self.closing.said = true;
        self.closing.queued = u8::try_from(self.queue.mark().saturating_sub(before)).unwrap_or(u8::MAX);
        Ok(())
    }

    /// Whether a close frame is at the end of the queue, and none of it has been written.
    pub(super) fn is_close_waiting(&self) -> bool {
        usize::from(self.closing.queued) <= self.queue.unsent()
    }

    /// Queues the answer after everything queued so far, which answers earlier messages.
    fn answer_close(&mut self, close: Option<Close<'_>>) {
        if !self.closing.said && self.say_goodbye(close).is_err() {
            // Without memory no close frame can be queued.
            self.closing.said = true;
        }
    }

    /// The peer's close frame has been received.
    pub(super) fn hear_close(&mut self, close: Option<Close<'_>>, now: Instant) {
        self.closing.heard = true;
        self.answer_close(close);
        self.start_clock(now);
    }

    /// The peer broke a rule.
    pub(super) fn fail(&mut self, code: CloseCode, now: Instant) {
        self.closing.failed = true;
        let close = Close { code, reason: "" };
        if self.queue.is_blocked() {
            self.cut_off(close);
        } else {
            if self.closing.said && self.is_close_waiting() {
                self.queue.drop_last(usize::from(self.closing.queued));
                self.closing.said = false;
            }
            self.answer_close(Some(close));
        }
        self.start_clock(now);
    }

    /// Closes because a client requires an extension that was not agreed on.
    #[cfg(feature = "deflate")]
    pub(super) fn miss(&mut self, extension: &str, now: Instant) {
        self.cut_off(Close { code: CloseCode::EXTENSION, reason: extension });
        self.start_clock(now);
    }

    /// Queues a close frame instead of all data that has not begun. `false`: a close frame is on the wire already.
    fn cut_off(&mut self, close: Close<'_>) -> bool {
        if self.closing.said && !self.is_close_waiting() {
            return false;
        }
        self.queue.drop_unsent();
        let (bytes, n) = close.to_bytes();
        let payload = bytes.get(..n).unwrap_or_default();
        let header = self.header(Opcode::Close, payload);
        // There is always room for it, and without memory no close frame can be queued.
        self.queue.push_urgent(&header, payload);
        (self.closing.said, self.closing.queued) = (true, u8::MAX);
        true
    }
}

/// Starts the clock at `now`, unless it runs already.
#[cfg_attr(target_os = "none", inline(never))]
fn start(until: &mut Instant, patience: u32, now: Instant) {
    if *until == Instant::MAX {
        let patience = u64::from(patience).saturating_mul(1_000);
        *until = Instant::from_micros(now.as_micros().saturating_add(patience));
    }
}
