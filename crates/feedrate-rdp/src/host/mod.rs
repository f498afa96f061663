//! The host: the debugging tool's end, as a state machine (SPEC section 5).

pub mod command;
mod config;
mod device;
mod event;

use core::fmt;

use feedrate::rdp::crc;
use feedrate::rdp::frame::{self, Agree, Bye, ByeReason, Bytes, Frame, FrameError, Heartbeat, Hello};

use self::command::{Command, Ticket};
pub use self::config::HostConfig;
pub use self::device::Device;
pub use self::event::{Answer, Closed, Event};
use crate::count::count;
use crate::endpoint::Endpoint;
use crate::limits::{LONGEST, NAME, TOKEN, VERSION};
use crate::link::buffer::{Buffer, Desk, Sizes, fill};
use crate::link::{LaneId, Link, LinkStatus, ResetReason};
use crate::role::Role;
use crate::session::seal::{Checksum, HEADER, LONGEST_TAG, Seal};
use crate::session::{Order, SendError, Session, SessionEvent, SessionState};
use crate::time::{Millis, earlier, since};
use crate::timers::{GOODBYE, HANDSHAKE};

/// Commands that may wait for their answers.
const OUTSTANDING: usize = 8;

/// The debugging tool's end of a session.
///
/// ```
/// use feedrate::rdp::packet::Line;
/// use feedrate_rdp::host::command::GetStatus;
/// use feedrate_rdp::host::{Event, Host, HostConfig};
/// use feedrate_rdp::link::LaneId;
///
/// let mut host: Host = Host::new(HostConfig::new(Line::TCP), Default::default());
/// // Both numbers are random.
/// host.connect(b"my token", 0x1234_5678, *b"sixteen bytes ok", 0)?;
///
/// // The loop: what has arrived goes in, what is to be sent comes out, and events come in between.
/// let mut packet = [0; 1024];
/// let length = host.poll(LaneId::Signal, &mut packet, 0);
/// // Send packet[..length], receive an answer, and:
/// host.feed(LaneId::Signal, &[], 20);
/// let mut status = None;
/// while let Some(event) = host.event(20) {
///     match event {
///         Event::Active => status = Some(()),
///         Event::Closed(why) => return Err(why.into()),
///         _ => {}
///     }
/// }
/// if status.is_some() {
///     let ticket = host.request(&GetStatus, 20)?;
///     // ... and in the loop: if let Some(status) = ticket.read(&answer) { ... }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Host<S: Sizes = Desk, Z = Checksum> {
    endpoint: Endpoint<S, Z>,
    config: HostConfig,
    token: [u8; TOKEN],
    token_length: usize,
    nonce: [u8; 16],
    device: Option<Device>,
    /// Sequences of the commands that have not been answered, and when they were sent.
    outstanding: [Option<(u32, Millis)>; OUTSTANDING],
    /// The message that the last event lent.
    lent: bool,
    since: Millis,
    agreed_by: Option<u32>,
    closed: Option<Closed>,
    goodbye: Option<ByeReason>,
    ignored: u32,
}

/// A token is longer than the protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token of {0} bytes, expected at most 384")]
pub struct TokenTooLong(pub usize);

/// What is to be handed out, before it is borrowed.
enum Step {
    Nothing,
    Again,
    Hand,
}

impl<S: Sizes, Z: Seal> Host<S, Z> {
    /// A host that has not been asked to connect.
    pub const fn new(config: HostConfig, seal: Z) -> Self {
        let link = Link::new(Role::Host, config.signal, config.bulk, 0);
        Self {
            endpoint: Endpoint::new(link, Session::new(Role::Host, seal)),
            config,
            token: [0; TOKEN],
            token_length: 0,
            nonce: [0; 16],
            device: None,
            outstanding: [None; OUTSTANDING],
            lent: false,
            since: 0,
            agreed_by: None,
            closed: None,
            goodbye: None,
            ignored: 0,
        }
    }

    /// Begins a session. `cookie` and `nonce` are random. What was there of an earlier session is forgotten.
    ///
    /// # Errors
    ///
    /// [`TokenTooLong`].
    pub fn connect(
        &mut self,
        token: &[u8],
        cookie: u32,
        nonce: [u8; 16],
        now: Millis,
    ) -> Result<(), TokenTooLong> {
        if token.len() > TOKEN {
            return Err(TokenTooLong(token.len()));
        }
        self.token_length = fill(&mut self.token, token);
        self.nonce = nonce;
        self.endpoint.renew(now);
        self.endpoint.link.open(cookie, now);
        (self.device, self.agreed_by, self.closed, self.goodbye) = (None, None, None, None);
        (self.outstanding, self.lent, self.since) = ([None; OUTSTANDING], false, now);
        Ok(())
    }

    /// Takes what has arrived on a lane: all of it.
    pub fn feed(&mut self, lane: LaneId, input: &[u8], now: Millis) {
        self.settle();
        self.endpoint.link.feed(lane, input, now);
    }

    /// Writes the next packet that is to be sent on a lane into `out`, which has the lane's MTU, and returns its
    /// length. 0: there is nothing to send now.
    #[must_use]
    pub fn poll(&mut self, lane: LaneId, out: &mut [u8], now: Millis) -> usize {
        self.endpoint.link.poll(lane, out, now)
    }

    /// The line behind a lane is gone. Without its signal lane the session ends.
    pub fn disconnect(&mut self, lane: LaneId, now: Millis) {
        self.endpoint.link.disconnect(lane, now);
    }

    /// When [`event`](Self::event) or [`poll`](Self::poll) should be called at the latest, if nothing arrives before.
    /// It may have passed already, as long as a lane is busy or there is no room: wait for the lane then, and not for
    /// the time.
    pub fn deadline(&self) -> Option<Millis> {
        let session = &self.endpoint.session;
        if session.state() != SessionState::Closed {
            if let Some(at) = self.endpoint.link.ended_at() {
                return Some(at);
            }
        }
        let own = match (session.state(), &self.device) {
            (SessionState::Active, Some(device)) => earlier(
                earlier(
                    Some(session.sent_at.wrapping_add(u32::from(device.heartbeat))),
                    Some(session.heard_at.wrapping_add(u32::from(device.loss))),
                ),
                self.outstanding
                    .iter()
                    .flatten()
                    .map(|(_, at)| Some(at.wrapping_add(self.config.patience)))
                    .fold(None, earlier),
            ),
            (SessionState::Connecting, _) => Some(self.since.wrapping_add(HANDSHAKE)),
            (SessionState::Disconnecting, _) => Some(self.since.wrapping_add(GOODBYE)),
            _ => None,
        };
        earlier(own, self.endpoint.link.deadline())
    }

    /// How far the session is.
    pub const fn state(&self) -> SessionState {
        self.endpoint.session.state()
    }

    /// What Welcome said of the device, once it has come.
    pub const fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// The link, to look at its counters.
    pub const fn link(&self) -> &Link<S> {
        &self.endpoint.link
    }

    /// Messages that were replayed, out of order, or of a kind that this version does not know.
    pub const fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Sends a command. Its answer comes as an [`Event::Answer`], which the ticket recognises.
    ///
    /// # Errors
    ///
    /// [`SendError::NotActive`], [`SendError::Full`] (eight commands wait for answers, or the link is busy),
    /// [`SendError::Encode`].
    pub fn request<C: Command>(&mut self, command: &C, now: Millis) -> Result<Ticket<C>, SendError> {
        self.settle();
        if self.state() != SessionState::Active {
            return Err(SendError::NotActive);
        }
        let free = self.outstanding.iter_mut().find(|place| place.is_none()).ok_or(SendError::Full)?;
        match self.endpoint.send(&command.frame(), false, now) {
            Ok(sequence) => {
                *free = Some((sequence, now));
                Ok(Ticket::new(sequence))
            }
            Err(error) => {
                if error == SendError::OutOfSequences {
                    self.say_goodbye(ByeReason::OutOfSequences, now);
                }
                Err(error)
            }
        }
    }

    /// Ends the session. [`Event::Closed`] follows.
    pub fn bye(&mut self, now: Millis) {
        match self.state() {
            SessionState::Active => self.say_goodbye(ByeReason::Asked, now),
            SessionState::Idle | SessionState::Connecting => {
                self.endpoint.session.advance(SessionEvent::Start);
                self.close(Closed::Bye(ByeReason::Asked));
            }
            SessionState::Disconnecting | SessionState::Closed => {}
        }
    }

    /// What has happened. Call until it returns `None`.
    #[must_use]
    pub fn event(&mut self, now: Millis) -> Option<Event<'_>> {
        self.settle();
        if let Some(event) = self.parting() {
            return Some(event);
        }
        self.follow_link(now);
        self.follow_time(now);
        loop {
            match self.message(now) {
                Step::Nothing => return self.parting(),
                Step::Again => {}
                Step::Hand => break,
            }
        }
        self.lent = true;
        let frame = Frame::read_from_agent(lent::<Z>(self.endpoint.link.message()?)).ok()?;
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

    /// The message that the last event lent is done with.
    fn settle(&mut self) {
        if core::mem::take(&mut self.lent) {
            self.endpoint.link.drop_message();
        }
    }

    /// What remains to be said of a session that is over.
    fn parting(&mut self) -> Option<Event<'static>> {
        if self.state() != SessionState::Closed {
            return None;
        }
        let waiting = self.outstanding.iter_mut().filter(|place| place.is_some());
        let first = waiting.min_by_key(|place| place.map_or(u32::MAX, |(sequence, _)| sequence));
        if let Some((request, _)) = first.and_then(Option::take) {
            return Some(Event::Unknown { request });
        }
        self.closed.take().map(Event::Closed)
    }

    fn follow_link(&mut self, now: Millis) {
        match (self.endpoint.link.status(), self.state()) {
            (LinkStatus::Open(_), SessionState::Idle) => {
                self.endpoint.session.advance(SessionEvent::Start);
                self.since = now;
                let token = self.token.get(..self.token_length).unwrap_or_default();
                let longest = u16::try_from(S::Message::SIZE.min(LONGEST)).unwrap_or(u16::MAX);
                let hello = Hello {
                    lowest: VERSION,
                    highest: VERSION,
                    nonce: self.nonce,
                    longest,
                    token: Bytes::new(token),
                };
                let _ = self.endpoint.send(&hello, false, now);
                self.endpoint.session.set_host_nonce(self.nonce);
                self.endpoint.link.accept(S::Message::SIZE);
            }
            (LinkStatus::Ended(end), state) if state != SessionState::Closed => {
                self.endpoint.session.advance(SessionEvent::Start);
                let why = self.goodbye.map_or(Closed::Link(end), Closed::Bye);
                self.close(why);
            }
            _ => {}
        }
    }

    fn follow_time(&mut self, now: Millis) {
        if self.endpoint.link.message().is_some() {
            // It has not been looked at yet; but the peer is there.
            self.endpoint.session.heard_at = now;
        }
        let waited = since(now, self.since);
        match (self.state(), &self.device) {
            (SessionState::Connecting, _) if waited >= HANDSHAKE => self.close(Closed::HandshakeTimeout),
            (SessionState::Disconnecting, _) if waited >= GOODBYE => {
                self.close(Closed::Bye(self.goodbye.unwrap_or(ByeReason::Asked)));
            }
            (SessionState::Active, Some(device)) => {
                let (heartbeat, loss) = (u32::from(device.heartbeat), u32::from(device.loss));
                let patience = self.config.patience;
                if since(now, self.endpoint.session.heard_at) >= loss {
                    self.say_goodbye(ByeReason::HeartbeatLost, now);
                } else if self.outstanding.iter().flatten().any(|(_, at)| since(now, *at) >= patience) {
                    self.say_goodbye(ByeReason::Asked, now);
                    self.close(Closed::Patience);
                } else if since(now, self.endpoint.session.sent_at) >= heartbeat {
                    let _ = self.endpoint.send(&Heartbeat { run: None }, false, now);
                }
            }
            _ => {}
        }
    }

    fn say_goodbye(&mut self, reason: ByeReason, now: Millis) {
        if self.endpoint.session.advance(SessionEvent::End) {
            self.since = now;
            self.goodbye = Some(reason);
            let _ = self.endpoint.send(&Bye { reason }, false, now);
        }
    }

    fn close(&mut self, why: Closed) {
        for event in [SessionEvent::End, SessionEvent::HandshakeFailed, SessionEvent::Ended] {
            self.endpoint.session.advance(event);
        }
        self.closed = self.closed.or(Some(why));
        self.endpoint.link.close(ResetReason::SessionEnded);
    }

    /// Looks at the next message, and does what the host itself has to do about it.
    fn message(&mut self, now: Millis) -> Step {
        let state = self.state();
        if state == SessionState::Closed || !self.endpoint.has_room() {
            return Step::Nothing;
        }
        if self.endpoint.link.take_rekey() {
            self.endpoint.session.ask_rekey();
        }
        let Some(message) = self.endpoint.link.message() else { return Step::Nothing };
        let Ok(opened) = self.endpoint.session.open(message, now) else {
            self.endpoint.link.drop_message();
            match state {
                SessionState::Active => self.say_goodbye(ByeReason::IntegrityLost, now),
                SessionState::Disconnecting => {}
                _ => self.close(Closed::Bye(ByeReason::IntegrityLost)),
            }
            return Step::Again;
        };
        let fresh = opened.order == Order::Fresh;
        let Ok(frame) = Frame::read_from_agent(opened.frame) else {
            let magic = matches!(Frame::read_from_agent(opened.frame), Err(FrameError::Magic));
            return self.pass_over(magic, now);
        };
        if !fresh {
            return self.pass_over(false, now);
        }
        match (state, frame) {
            (SessionState::Connecting, Frame::Welcome(welcome)) if self.device.is_none() => {
                let known = opened.is_first()
                    && welcome.host_nonce == self.nonce
                    && welcome.version == VERSION
                    && welcome.name.as_slice().len() <= NAME;
                let device = Device::new(&welcome);
                let nonce = welcome.device_nonce;
                self.endpoint.link.drop_message();
                if !known {
                    self.close(Closed::WrongHandshake);
                } else if self.config.device.is_some_and(|meant| meant != device.fingerprint) {
                    self.close(Closed::WrongDevice(device.fingerprint));
                } else {
                    self.device = Some(device);
                    // A late answer is still an answer.
                    self.endpoint.session.start_clock(nonce, u32::MAX, now);
                }
                Step::Again
            }
            (SessionState::Connecting, Frame::State(_))
                if self.device.is_some() && self.agreed_by.is_none() =>
            {
                let crc = crc::crc_32(&[opened.frame.get(frame::HEADER..).unwrap_or_default()]);
                self.agreed_by = self.endpoint.send(&Agree { crc }, false, now).ok();
                Step::Hand
            }
            (SessionState::Connecting, Frame::Done(done)) if Some(done.request) == self.agreed_by => {
                self.endpoint.session.advance(SessionEvent::HandshakeDone);
                Step::Hand
            }
            (SessionState::Connecting, Frame::Error(refused)) => {
                self.endpoint.link.drop_message();
                self.close(Closed::Refused(refused));
                Step::Again
            }
            (SessionState::Active, Frame::Bye(bye)) => {
                self.endpoint.link.drop_message();
                self.say_goodbye(bye.reason, now);
                Step::Again
            }
            (SessionState::Disconnecting, Frame::Bye(_)) => {
                self.endpoint.link.drop_message();
                self.close(Closed::Bye(self.goodbye.unwrap_or(ByeReason::Asked)));
                Step::Again
            }
            (SessionState::Active, Frame::Stopped(_)) => Step::Hand,
            (SessionState::Active, ref frame) => {
                let request = frame.request();
                let waiting = self.outstanding.iter_mut().find(|place| {
                    request.is_some_and(|request| place.is_some_and(|(sequence, _)| sequence == request))
                });
                if let Some(place) = waiting {
                    *place = None;
                    return Step::Hand;
                }
                if !matches!(frame, Frame::Heartbeat(_)) {
                    count(&mut self.ignored);
                }
                self.endpoint.link.drop_message();
                Step::Again
            }
            _ => self.pass_over(false, now),
        }
    }

    fn pass_over(&mut self, foreign: bool, now: Millis) -> Step {
        count(&mut self.ignored);
        self.endpoint.link.drop_message();
        if foreign {
            self.say_goodbye(ByeReason::IntegrityLost, now);
        }
        Step::Again
    }
}

/// The debug frame of a message that has been opened.
fn lent<Z: Seal>(message: &[u8]) -> &[u8] {
    let end = message.len().saturating_sub(Z::TAG.min(LONGEST_TAG));
    message.get(HEADER..end).unwrap_or_default()
}

impl<S: Sizes, Z> fmt::Debug for Host<S, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("session", &self.endpoint.session)
            .field("link", &self.endpoint.link)
            .finish_non_exhaustive()
    }
}
