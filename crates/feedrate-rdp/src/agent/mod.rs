//! The agent: what runs in the controller, beside the program that is debugged (SPEC sections 5 and 8).
//!
//! ```text
//!  UART, SPI ──► feed ──► link ──► queue ──► run(&mut target) ──► answers ──► poll ──► UART, SPI
//!  a trap    ──► stopped(&mut target) ──────────────────────────► events  ──┘
//! ```
//!
//! [`feed`](Agent::feed) does not touch the target, so that it can be called from an interrupt; [`run`](Agent::run)
//! does what the peer asked for.

mod axes;
mod body;
mod breakpoints;
mod commands;
mod config;
mod execute;
mod fail;
mod forces;
mod handshake;
mod metrics;
mod policy;
mod registers;
mod stopping;
mod stops;

use core::fmt;

use feedrate::rdp::frame::{Bye, ByeReason, Heartbeat};

use self::body::{Body, End};
pub use self::config::AgentConfig;
use self::metrics::LinkFacts;
pub use self::stops::StopCause;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::endpoint::Endpoint;
use crate::link::buffer::{Board, Buffer, Sizes};
use crate::link::{LaneId, Link, LinkStatus, ResetReason};
use crate::role::Role;
use crate::session::seal::{Checksum, Seal};
use crate::session::{SendError, Session, SessionEvent, SessionState};
use crate::target::Target;
use crate::time::{Millis, earlier, since};
use crate::timers::{GOODBYE, HANDSHAKE};

/// The agent. It fits into a `static`: making one costs nothing, and every method takes `&mut self`, plain bytes and
/// the time.
///
/// ```
/// use feedrate::rdp::frame::Fingerprint;
/// use feedrate_rdp::agent::{Agent, AgentConfig};
/// use feedrate_rdp::arch::{Arch, CortexM};
/// use feedrate_rdp::authority::Grant;
/// use feedrate_rdp::link::{Board, LaneId};
/// use feedrate_rdp::session::Checksum;
/// use feedrate_rdp::target::{Refusal, Target};
///
/// struct Servo;
///
/// impl Target for Servo {
///     type Arch = CortexM;
///
///     fn fingerprint(&self) -> Fingerprint {
///         *b"servo 7, fw 1.02"
///     }
///
///     fn is_stopped(&self) -> bool {
///         false
///     }
///
///     fn read_registers(&mut self, _: &mut <CortexM as Arch>::Registers) -> Result<(), Refusal> {
///         Err(Refusal::WrongState)
///     }
/// }
///
/// fn authority(token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
///     Err(0)
/// }
///
/// type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;
/// let config = AgentConfig::board(*b"boot no. 815", "servo");
/// let mut agent = Agent::<CortexM, Authority, Board, Checksum>::new(config, authority, Checksum);
///
/// // In the interrupt, or wherever bytes come from:
/// agent.feed(LaneId::Signal, b"\0noise\0", 0);
/// // In the main loop:
/// agent.run(&mut Servo, 1);
/// let mut packet = [0; 64];
/// while let length @ 1.. = agent.poll(LaneId::Signal, &mut packet, 1) {
///     // Send packet[..length].
/// }
/// ```
pub struct Agent<A: Arch, U, S: Sizes = Board, Z = Checksum> {
    endpoint: Endpoint<S, Z>,
    body: Body<A, U>,
    /// The connection that the session is on.
    connection: Option<u16>,
    since: Millis,
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Agent<A, U, S, Z> {
    /// An agent to which nobody has talked yet.
    pub const fn new(config: AgentConfig, authority: U, seal: Z) -> Self {
        let link = Link::new(Role::Agent, config.signal, config.bulk, first_connection(config.boot));
        Self {
            endpoint: Endpoint::new(link, Session::new(Role::Agent, seal)),
            body: Body::new(config, authority, S::Message::SIZE),
            connection: None,
            since: 0,
        }
    }

    /// Replaces [`AgentConfig::boot`], for a device that has something to make it of only later than its `static`s.
    /// Call it before the first [`feed`](Self::feed).
    pub fn set_boot(&mut self, boot: [u8; 12]) {
        self.body.config.boot = boot;
        self.endpoint.link.count_from(first_connection(boot));
    }

    /// Takes what has arrived on a lane: all of it. It does not touch the target.
    pub fn feed(&mut self, lane: LaneId, input: &[u8], now: Millis) {
        self.endpoint.link.feed(lane, input, now);
    }

    /// Writes the next packet that is to be sent on a lane into `out`, which has the lane's MTU, and returns its
    /// length. 0: there is nothing to send now.
    #[must_use]
    pub fn poll(&mut self, lane: LaneId, out: &mut [u8], now: Millis) -> usize {
        self.endpoint.link.poll(lane, out, now)
    }

    /// The line behind a lane is another one now (a TCP client has come). What was there of a packet is forgotten.
    pub fn reconnect(&mut self, lane: LaneId) {
        self.endpoint.link.reconnect(lane);
    }

    /// The line behind a lane is gone. Without its signal lane the session ends.
    pub fn disconnect(&mut self, lane: LaneId, now: Millis) {
        self.endpoint.link.disconnect(lane, now);
    }

    /// When [`run`](Self::run) or [`poll`](Self::poll) should be called at the latest, if nothing arrives before. It
    /// may have passed already, as long as a lane is busy or there is no room: wait for the lane then, and not for
    /// the time.
    pub fn deadline(&self) -> Option<Millis> {
        if let (Some(_), Some(at)) = (self.connection, self.endpoint.link.ended_at()) {
            return Some(at);
        }
        let session = match self.endpoint.session.state() {
            SessionState::Active if self.body.stops.is_next() => Some(self.endpoint.session.heard_at),
            SessionState::Active => {
                let config = &self.body.config;
                let heartbeat = self.endpoint.session.sent_at.wrapping_add(u32::from(config.heartbeat));
                let loss = self.endpoint.session.heard_at.wrapping_add(u32::from(config.loss));
                earlier(self.body.forces.deadline(), earlier(Some(heartbeat), Some(loss)))
            }
            SessionState::Idle if self.connection.is_none() => None,
            SessionState::Idle | SessionState::Connecting => Some(self.since.wrapping_add(HANDSHAKE)),
            SessionState::Disconnecting | SessionState::Closed => Some(self.since.wrapping_add(GOODBYE)),
        };
        earlier(session, self.endpoint.link.deadline())
    }

    /// How far the session is.
    pub const fn state(&self) -> SessionState {
        self.endpoint.session.state()
    }

    /// The link, to look at its counters.
    pub const fn link(&self) -> &Link<S> {
        &self.endpoint.link
    }

    /// Does what the peer has asked for since the last call, as far as there is room for answers, and what time brings
    /// about.
    pub fn run<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) {
        self.body.started = self.body.started.or(Some(now));
        self.follow_link(target, now);
        self.follow_time(target, now);
        // The link first gets what is owed, so that answers and events stay in order.
        while self.flush(target, now) && self.command(target, now) {
            self.conclude(target, now);
        }
        // A command that waits, and be it for room, goes before the next of many steps.
        if self.body.stops.is_next() && self.endpoint.link.message().is_none() {
            self.body.go_on(target);
        }
        if self.state() == SessionState::Active
            && since(now, self.endpoint.session.sent_at) >= u32::from(self.body.config.heartbeat)
        {
            let run = Some(self.body.run_state(target));
            let _ = self.endpoint.send(&Heartbeat { run }, false, now);
        }
    }

    /// A connection that has begun or ended since the last call.
    fn follow_link<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) {
        let connection = match self.endpoint.link.status() {
            LinkStatus::Open(connection) => Some(connection),
            _ => None,
        };
        if connection == self.connection {
            return;
        }
        self.connection = connection;
        self.close(target);
        if connection.is_some() {
            self.endpoint.renew(now);
            self.body.grant = None;
            (self.body.state_due, self.body.agreed) = (false, None);
            self.since = now;
        }
    }

    fn follow_time<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) {
        self.body.forces.expire(target, now);
        if self.endpoint.link.message().is_some() {
            // It has not been looked at yet, for want of room to answer; but the peer is there.
            self.endpoint.session.heard_at = now;
        }
        let waited = since(now, self.since);
        match self.state() {
            SessionState::Active
                if since(now, self.endpoint.session.heard_at) >= u32::from(self.body.config.loss) =>
            {
                self.goodbye(target, ByeReason::HeartbeatLost, now);
            }
            SessionState::Connecting if waited >= HANDSHAKE => self.close(target),
            SessionState::Disconnecting if waited >= GOODBYE => self.close(target),
            // Whoever opens a connection and says nothing is told that it has ended.
            SessionState::Idle if self.connection.is_some() && waited >= HANDSHAKE => {
                self.endpoint.link.close(ResetReason::SessionEnded)
            }
            // An answer to the peer's goodbye, or the reason why there is no session, has arrived.
            SessionState::Closed if self.endpoint.link.is_idle() || waited >= GOODBYE => {
                self.endpoint.link.close(ResetReason::SessionEnded)
            }
            _ => {}
        }
    }

    /// Sends what is owed before another command is looked at. `false`: there is no room now.
    fn flush<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) -> bool {
        if !self.endpoint.has_room() {
            return false;
        }
        if core::mem::take(&mut self.body.state_due) {
            self.send_state(target, now);
        }
        if self.body.stops.is_due() {
            self.send_stop(now);
            return self.endpoint.has_room();
        }
        true
    }

    /// Looks at the next message. `false`: there is none.
    fn command<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) -> bool {
        let Self { endpoint, body, .. } = self;
        if endpoint.session.state() == SessionState::Closed {
            return false;
        }
        body.facts = LinkFacts::of(&endpoint.link);
        let sent = endpoint.handle(now, |opened, reply| body.message(target, opened, reply, now));
        match sent {
            None => false,
            Some(((), Ok(()))) => true,
            Some(((), Err(error))) => {
                // An answer that cannot be sent must not be lost without a word.
                let reason = match error {
                    SendError::OutOfSequences => ByeReason::OutOfSequences,
                    _ => ByeReason::TargetFailed,
                };
                self.body.end = self.body.end.or(Some(End::Bye(reason)));
                true
            }
        }
    }

    /// What the last message led to, beside its answer.
    fn conclude<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) {
        match self.body.end.take() {
            None => {
                if self.state() == SessionState::Connecting && self.body.grant.is_some() {
                    // From Welcome on, the host may send what it was told that it may.
                    self.endpoint.link.accept(S::Message::SIZE);
                }
            }
            Some(End::Failed) => {
                self.since = now;
                self.close(target);
            }
            Some(End::Bye(reason)) => self.goodbye(target, reason, now),
            Some(End::Answered) => {
                self.endpoint.session.advance(SessionEvent::End);
                self.since = now;
                self.close(target);
            }
        }
    }

    fn goodbye<T: Target<Arch = A>>(&mut self, target: &mut T, reason: ByeReason, now: Millis) {
        if self.endpoint.session.advance(SessionEvent::End) {
            self.since = now;
            self.body.withdraw(target);
            let _ = self.endpoint.send(&Bye { reason }, false, now);
        }
    }

    /// The session is over, however far it was.
    fn close<T: Target<Arch = A>>(&mut self, target: &mut T) {
        for event in [SessionEvent::End, SessionEvent::HandshakeFailed, SessionEvent::Ended] {
            self.endpoint.session.advance(event);
        }
        self.body.withdraw(target);
    }
}

/// What an agent's connections are counted from: another number after another boot, whichever of its bytes has changed.
const fn first_connection(boot: [u8; 12]) -> u16 {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = boot;
    u16::from_be_bytes([a ^ c ^ e ^ g ^ i ^ k, b ^ d ^ f ^ h ^ j ^ l])
}

impl<A: Arch, U, S: Sizes, Z> fmt::Debug for Agent<A, U, S, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("session", &self.endpoint.session)
            .field("link", &self.endpoint.link)
            .finish_non_exhaustive()
    }
}
