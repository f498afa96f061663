//! The host: the debugging tool's end, as a state machine (SPEC section 5).
//!
//! ```text
//!  TCP, WebSocket, UART, SPI ──► feed ──► poll_event ──► events ──► the program
//!                            ◄── poll_transmit ◄──────── request ◄──┘
//! ```
//!
//! `poll_event` is the host's main loop: what has arrived is processed there and nowhere else, and the agent's
//! Heartbeats are answered there. So call it from the loop that acts for the operator: if that loop stands still, the
//! agent is to detect it (SPEC section 5.7).

pub mod command;
mod config;
mod device;
mod event;
mod handshake;
mod messages;
mod registers;
#[cfg(test)]
mod tests;
mod waiting;

use core::fmt;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Bye, Cause, Frame};
use feedrate::{Encode, EncodeError, Instant};

use self::command::{Command, Ticket};
pub use self::config::HostConfig;
pub use self::device::Device;
pub use self::event::{Answer, Closed, Event};
pub use self::registers::RegisterSet;
use self::waiting::Waiting;
use crate::endpoint::Endpoint;
use crate::limits::{FIRST_LIMIT, TOKEN};
use crate::line::{Line, LineEnd};
use crate::link::{LaneId, Link};
use crate::role::Role;
use crate::session::seal::{Checksum, HEADER, LONGEST_TAG, Progress, Seal};
use crate::session::{SendError, Session, SessionEvent, SessionState};
use crate::sizes::{Buffer, Desk, Sizes, fill};
use crate::stream::{Stream, StreamError};
use crate::time::{GOODBYE, HANDSHAKE, NEVER, deadline, earlier, later, ms, passed};

/// The debugging tool's end of a session, on a [`Stream`] or on a [`Link`].
///
/// ```
/// use feedrate::Instant;
/// use feedrate::rdp::frame::GetStatus;
/// use feedrate_rdp::host::{Event, Host, HostConfig};
/// use feedrate_rdp::session::Checksum;
/// use feedrate_rdp::stream::Stream;
///
/// let mut host: Host = Host::new(HostConfig::new(), Stream::host(), Checksum::new());
/// // Once there is a connection; the nonce is random.
/// host.connect(b"my token", *b"sixteen bytes ok", Instant::ZERO)?;
///
/// // The loop: what is to be sent comes out, what has arrived goes in, and events come in between.
/// let mut bytes = [0; 1024];
/// while let length @ 1.. = host.poll_transmit(&mut bytes) {
///     // Send bytes[..length].
/// }
/// let (now, mut arrived) = (Instant::from_millis(20), &b""[..]);
/// host.feed(&mut arrived, now)?;
/// let mut active = false;
/// while let Some(event) = host.poll_event(now) {
///     match event {
///         Event::Active => active = true,
///         Event::Closed(why) => return Err(why.into()),
///         _ => {}
///     }
/// }
/// if active {
///     let ticket = host.request(&GetStatus, now)?;
///     // ... and in the loop: if let Some(status) = ticket.read(&answer) { ... }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Host<L: Line = Stream<Desk>, Z = Checksum> {
    endpoint: Endpoint<L, Z>,
    config: HostConfig,
    token: [u8; TOKEN],
    token_length: usize,
    nonce: [u8; 16],
    device: Option<Device>,
    waiting: Waiting,
    /// The channel of the message that the last event lent.
    lent: Option<Channel>,
    /// When the line, or the session's end, began.
    since: Instant,
    /// When a message with a correct tag has arrived.
    heard: Option<Instant>,
    /// Sequence of Agree.
    agreed_by: Option<u32>,
    /// Why the session is being ended, and whether this side has answered the other one's goodbye.
    ending: Option<Closed>,
    answered: bool,
    /// What is still to be reported.
    closed: Option<Closed>,
    ignored: u32,
}

/// A token is longer than the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token of {0} bytes, expected at most 384")]
pub struct TokenTooLong(pub usize);

/// Something has happened: [`Host::poll_ready`].
#[derive(Debug)]
pub struct Ready(What);

impl Ready {
    /// Why the session is over, if that is what has happened.
    pub const fn closed(&self) -> Option<Closed> {
        match self.0 {
            What::Closed(why) => Some(why),
            _ => None,
        }
    }
}

#[derive(Debug)]
enum What {
    Message(Channel),
    Unknown(u32),
    Closed(Closed),
}

/// The outcome of a message, before it is borrowed.
enum Step {
    /// There was none.
    Nothing,
    /// It has been dealt with.
    Again,
    /// It is for the program: the oldest one of this channel.
    Hand(Channel),
}

impl<L: Line, Z: Seal> Host<L, Z> {
    /// A host that has not been asked to connect, on this line: [`Stream::host`] or [`Link::host`].
    pub const fn new(config: HostConfig, line: L, seal: Z) -> Self {
        Self {
            endpoint: Endpoint::new(line, Session::new(Role::Host, seal)),
            config,
            token: [0; TOKEN],
            token_length: 0,
            nonce: [0; 16],
            device: None,
            waiting: Waiting::NONE,
            lent: None,
            since: Instant::ZERO,
            heard: None,
            agreed_by: None,
            ending: None,
            answered: false,
            closed: None,
            ignored: 0,
        }
    }

    /// Another session: the state of an earlier one is discarded.
    fn renew(&mut self, token: &[u8], nonce: [u8; 16], now: Instant) -> Result<(), TokenTooLong> {
        if token.len() > TOKEN {
            return Err(TokenTooLong(token.len()));
        }
        self.token_length = fill(&mut self.token, token);
        self.nonce = nonce;
        self.endpoint.session.renew();
        (self.device, self.agreed_by, self.heard) = (None, None, None);
        (self.waiting, self.lent, self.since) = (Waiting::NONE, None, now);
        (self.ending, self.answered, self.closed) = (None, false, None);
        Ok(())
    }

    /// When [`poll_event`](Self::poll_event) or `poll_transmit` should be called at the latest, if nothing arrives
    /// before. It may have passed already, as long as a line is busy or there is no room: wait for the line then, and
    /// not for the time.
    pub fn deadline(&self) -> Option<Instant> {
        let Self { endpoint: Endpoint { line, session, .. }, since, .. } = self;
        let state = session.state();
        let over = state == SessionState::Closed;
        let begins = state == SessionState::Idle && line.connection().is_some();
        let left = self.answered && line.is_idle();
        if self.closed.is_some() || !over && (begins || left || line.end().is_some()) {
            // At once.
            return Some(Instant::ZERO);
        }
        let own = match (state, &self.device) {
            (SessionState::Active, Some(device)) => {
                let lost = self.heard.map_or(NEVER, |heard| later(heard, ms(device.loss)));
                let oldest = self.waiting.oldest();
                earlier(lost, oldest.map_or(NEVER, |at| at.saturating_add(self.config.patience)))
            }
            (SessionState::Connecting, _) => later(*since, HANDSHAKE),
            (SessionState::Disconnecting, _) => later(*since, GOODBYE),
            // Nothing but the line is left, which the peer is to close.
            (SessionState::Closed, _) if L::PEER_CLOSES && line.connection().is_some() => {
                later(*since, GOODBYE)
            }
            _ => NEVER,
        };
        deadline(earlier(own, line.deadline().unwrap_or(NEVER)))
    }

    /// The state of the session.
    pub const fn state(&self) -> SessionState {
        self.endpoint.session.state()
    }

    /// What Welcome stated about the device, once it has arrived.
    pub const fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// The line, for its counters.
    pub const fn line(&self) -> &L {
        &self.endpoint.line
    }

    /// Messages that were replayed, malformed, of a kind that this version does not know, or of no use.
    pub const fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Sends a command. Its answer comes as an [`Event::Answer`], which the ticket recognises.
    ///
    /// # Errors
    ///
    /// [`SendError::NotActive`]; [`SendError::Credit`]: as many commands as the agent grants, or eight, wait for
    /// their answers; [`SendError::Full`]: the line is busy, or four Halts and Releases wait; [`SendError::Encode`]:
    /// it is longer than the agent accepts, or cannot be encoded at all.
    pub fn request<C: Command>(&mut self, command: &C, now: Instant) -> Result<Ticket<C>, SendError> {
        self.send(&command.frame(), now).map(Ticket::new)
    }

    /// There is one code for all commands.
    #[inline(never)]
    fn send(&mut self, frame: &Frame<'_>, now: Instant) -> Result<u32, SendError> {
        self.settle();
        let Some(device) = self.device.filter(|_| self.state() == SessionState::Active) else {
            return Err(SendError::NotActive);
        };
        // A command that goes on no channel is not one of this crate's.
        let channel = frame.channel().unwrap_or(Channel::Ordinary);
        if !self.waiting.has_place(channel, device.credit) {
            return Err(match channel {
                Channel::Urgent => SendError::Full,
                Channel::Ordinary => SendError::Credit,
            });
        }
        let limit = match channel {
            Channel::Urgent => FIRST_LIMIT,
            Channel::Ordinary => L::Message::SIZE.min(device.longest.into()),
        };
        let tag = Z::TAG.min(LONGEST_TAG);
        let size = frame.encoded_length()?.saturating_add(HEADER).saturating_add(tag);
        if size > limit {
            return Err(EncodeError::TooLarge { what: "message", size, limit }.into());
        }
        let sent = self.endpoint.send(frame, channel, self.endpoint.session.heard(), now);
        match sent {
            Ok(sequence) => self.waiting.sent(channel, sequence, now),
            Err(SendError::OutOfSequences) => self.say_goodbye(Cause::UsedUp, now),
            Err(_) => {}
        }
        sent
    }

    /// Ends the session. [`Event::Closed`] follows.
    pub fn end(&mut self, now: Instant) {
        self.settle();
        match self.state() {
            SessionState::Active => self.say_goodbye(Cause::Asked, now),
            SessionState::Idle | SessionState::Connecting => self.close(Closed::Ended(Cause::Asked)),
            SessionState::Disconnecting | SessionState::Closed => {}
        }
    }

    /// What has happened. Call it until it returns `None`, and in every round of the loop: it is here that Heartbeats
    /// are answered.
    #[must_use]
    pub fn poll_event(&mut self, now: Instant) -> Option<Event<'_>> {
        let ready = self.poll_ready(now)?;
        self.take(ready)
    }

    /// As [`poll_event`](Self::poll_event), in two steps: for a loop that has more to do before it lends the event. An
    /// event that is not [taken](Self::take) at once is gone.
    #[must_use]
    pub fn poll_ready(&mut self, now: Instant) -> Option<Ready> {
        self.settle();
        self.let_go_of_line(now);
        if let Some(parting) = self.parting() {
            return Some(parting);
        }
        self.begin(now);
        loop {
            self.seal_records(now);
            match self.message(now) {
                Step::Again => {}
                Step::Hand(channel) => {
                    self.lent = Some(channel);
                    return Some(Ready(What::Message(channel)));
                }
                Step::Nothing => {
                    self.follow_line();
                    self.follow_time(now);
                    return self.parting();
                }
            }
        }
    }

    /// The event that [is ready](Self::poll_ready). `None`: it has been taken.
    pub fn take(&mut self, ready: Ready) -> Option<Event<'_>> {
        let channel = match ready.0 {
            What::Message(channel) => self.lent.filter(|lent| *lent == channel)?,
            What::Unknown(request) => return Some(Event::Unknown { request }),
            What::Closed(why) => return Some(Event::Closed(why)),
        };
        let message = self.endpoint.line.message(channel)?.message;
        let end = message.len().saturating_sub(Z::TAG.min(LONGEST_TAG));
        let frame = Frame::read_from_agent(message.get(HEADER..end).unwrap_or_default()).ok()?;
        Some(match frame {
            Frame::State(state) => Event::State(state),
            Frame::Stopped(stopped) => Event::Stopped(stopped),
            Frame::Done(done) if Some(done.request) == self.agreed_by => {
                self.agreed_by = None;
                Event::Active
            }
            frame => Event::Answer(Answer { request: frame.request()?, frame }),
        })
    }

    /// The message that the last event lent has been dealt with.
    fn settle(&mut self) {
        if let Some(channel) = self.lent.take() {
            self.endpoint.line.drop_message(channel);
        }
    }

    /// What remains to be reported about a session that is over.
    fn parting(&mut self) -> Option<Ready> {
        if self.state() != SessionState::Closed {
            return None;
        }
        let what = match self.waiting.give_up() {
            Some(request) => What::Unknown(request),
            None => What::Closed(self.closed.take()?),
        };
        Some(Ready(what))
    }

    /// The line that the session is on, and no other: its end is the session's (SPEC section 5.3).
    fn follow_line(&mut self) {
        let Some(end) = self.endpoint.line.end() else { return };
        if self.state() != SessionState::Closed {
            let silent = self.heard.is_none() && self.state() == SessionState::Connecting;
            self.close(if silent && end == LineEnd::Gone { Closed::HungUp } else { Closed::Line(end) });
        }
    }

    /// What is due without any input.
    fn follow_time(&mut self, now: Instant) {
        if self.state() == SessionState::Connecting
            && self.endpoint.session.seal().progress() == Progress::Pending
        {
            self.since = now;
        }
        let waited = passed(self.since, now);
        match (self.state(), &self.device) {
            (SessionState::Connecting, _) if waited >= HANDSHAKE => self.close(Closed::HandshakeTimeout),
            (SessionState::Disconnecting, _)
                if waited >= GOODBYE || self.answered && self.endpoint.line.is_idle() =>
            {
                self.close(Closed::Ended(Cause::Asked));
            }
            (SessionState::Active, Some(device)) => {
                let silent = self.heard.is_some_and(|heard| passed(heard, now) >= ms(device.loss));
                let patience = self.config.patience;
                if silent {
                    self.say_goodbye(Cause::PeerLost, now);
                } else if self.waiting.oldest().is_some_and(|at| now >= at.saturating_add(patience)) {
                    self.ending = Some(Closed::Patience);
                    self.say_goodbye(Cause::Asked, now);
                }
            }
            _ => {}
        }
    }

    fn say_goodbye(&mut self, reason: Cause, now: Instant) {
        if self.endpoint.session.advance(SessionEvent::End) {
            self.since = now;
            self.ending = self.ending.or(Some(Closed::Ended(reason)));
            let heard = self.endpoint.session.heard();
            let _ = self.endpoint.send(&Bye { reason }, Channel::Urgent, heard, now);
        }
    }

    /// The session is over: because of what ended it, or because of `why` if nothing else did.
    fn close(&mut self, why: Closed) {
        // Whoever said goodbye first waits for the end of the stream, which the other side closes (SPEC 5.8).
        let peer_closes = L::PEER_CLOSES && self.state() == SessionState::Disconnecting && !self.answered;
        let session = &mut self.endpoint.session;
        for event in
            [SessionEvent::Start, SessionEvent::End, SessionEvent::HandshakeFailed, SessionEvent::Ended]
        {
            session.advance(event);
        }
        self.closed = self.closed.or(self.ending).or(Some(why));
        if !peer_closes {
            self.endpoint.line.close();
        }
    }

    /// The peer has had its time to close the stream.
    fn let_go_of_line(&mut self, now: Instant) {
        if self.state() == SessionState::Closed && passed(self.since, now) >= GOODBYE {
            self.endpoint.line.close();
        }
    }
}

impl<S: Sizes, Z: Seal> Host<Stream<S>, Z> {
    /// Begins a session, on a new connection. `nonce` is random.
    ///
    /// # Errors
    ///
    /// [`TokenTooLong`].
    pub fn connect(&mut self, token: &[u8], nonce: [u8; 16], now: Instant) -> Result<(), TokenTooLong> {
        self.renew(token, nonce, now)?;
        // A host's line is never busy.
        let _ = self.endpoint.line.connect();
        self.begin(now);
        self.seal_records(now);
        Ok(())
    }

    /// Takes what has arrived, as far as there is room for it: the rest stays in `input`, until
    /// [`poll_event`](Self::poll_event) has made room.
    ///
    /// # Errors
    ///
    /// [`StreamError`]: it cannot be RDPv3. The connection is to be closed.
    pub fn feed(&mut self, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        self.settle();
        self.endpoint.line.feed(input, now)
    }

    /// Writes what is to be sent into `out`, and returns how many bytes. 0: there is nothing to send now.
    #[must_use]
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        self.endpoint.line.poll_transmit(out)
    }

    /// The connection has ended, and with it the session.
    pub fn disconnect(&mut self) {
        self.endpoint.line.disconnect();
    }

    /// Whether the connection is to be closed: the session is over, everything has been sent, and the peer has closed
    /// it if that is its part; or what came is not RDPv3.
    pub fn is_finished(&self) -> bool {
        self.endpoint.line.is_finished()
    }
}

impl<S: Sizes, Z: Seal> Host<Link<S>, Z> {
    /// Begins a session. `cookie` and `nonce` are random.
    ///
    /// # Errors
    ///
    /// [`TokenTooLong`].
    pub fn connect(
        &mut self,
        token: &[u8],
        cookie: u32,
        nonce: [u8; 16],
        now: Instant,
    ) -> Result<(), TokenTooLong> {
        self.renew(token, nonce, now)?;
        self.endpoint.line.open(cookie, now);
        Ok(())
    }

    /// Takes what has arrived on a lane: all of it.
    pub fn feed(&mut self, lane: LaneId, input: &[u8], now: Instant) {
        self.settle();
        self.endpoint.line.feed(lane, input, now);
    }

    /// Writes the next packet that is to be sent on a lane into `out`, which has the lane's MTU, and returns its
    /// length. 0: there is nothing to send now. Once the session is [over](Event::Closed) there may be one more,
    /// which tells the agent.
    #[must_use]
    pub fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        self.endpoint.line.poll_transmit(lane, out, now)
    }

    /// The line of a lane is gone. Without its signal lane the session ends.
    pub fn disconnect(&mut self, lane: LaneId, now: Instant) {
        self.endpoint.line.disconnect(lane, now);
    }

    /// The line of a lane that was gone is back.
    pub fn reconnect(&mut self, lane: LaneId) {
        self.endpoint.line.reconnect(lane);
    }
}

impl<L: Line + fmt::Debug, Z> fmt::Debug for Host<L, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("session", &self.endpoint.session)
            .field("line", &self.endpoint.line)
            .finish_non_exhaustive()
    }
}
