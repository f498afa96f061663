//! One line's end: the line, the session on it, and what leads from one session to the next (SPEC sections 5.3, 5.7 and
//! 5.8).

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Bye, Cause, Domains, Heartbeat, List, Metrics, Record, SealRecord, Secret, Stopped,
};

use super::device::Device;
use super::metrics;
use super::record::Entry;
use super::stops::Event;
use super::visit::{EXPIRED, End, Visit};
use super::withdraw::What;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::endpoint::Endpoint;
use crate::gate::Gate;
use crate::limits::FIRST_LIMIT;
use crate::line::sealed::Line;
use crate::role::Role;
use crate::session::clock::in_units;
use crate::session::seal::{CHECKSUM, Progress, SEAL_RECORD, Seal};
use crate::session::{SendError, Session, SessionEvent, SessionState};
use crate::sizes::Buffer;
use crate::target::Target;
use crate::time::{GOODBYE, HANDSHAKE, NEVER, Span, earlier, later, ms, passed};

/// Room for whatever answers a command on channel 0 of an active session.
const SHORT: usize = 64;
/// Room that events leave for the answers to Halt and Release, of which four may be unanswered (SPEC section 5.6).
const ANSWERS: usize = 128;
/// From here on the session's clock is used up (SPEC section 5.6): a day is left for a goodbye.
const LAST: u32 = u32::MAX - 8_640_000;

#[repr(C)]
pub(super) struct Seat<A: Arch, U, L: Line, Z> {
    pub(super) visit: Visit<A>,
    authority: U,
    /// The connection that the session is on.
    connection: Option<u32>,
    /// When the line began, or the session's end.
    since: Instant,
    /// A command on channel 1 waits for the next run, or for room.
    waits: bool,
    /// This side has said goodbye first, on a stream: the other one closes it (SPEC section 5.8).
    peer_closes: bool,
    /// [`Device::breaks`], as it was last seen here.
    breaks: u32,
    pub(super) endpoint: Endpoint<L, Z>,
}

impl<A: Arch, U: Authorize, L: Line, Z: Seal> Seat<A, U, L, Z> {
    pub(super) const fn new(line: L, authority: U, seal: Z, observer: bool) -> Self {
        Self {
            endpoint: Endpoint::new(line, Session::new(Role::Agent, seal)),
            visit: Visit::new(observer, L::Message::SIZE, L::CREDIT),
            authority,
            connection: None,
            since: Instant::ZERO,
            waits: false,
            peer_closes: false,
            breaks: 0,
        }
    }

    pub(super) const fn state(&self) -> SessionState {
        self.endpoint.session.state()
    }

    fn is_active(&self) -> bool {
        self.state() == SessionState::Active
    }

    /// Acts on everything that has arrived on channel 0. What came before the line ended is not lost: it may be a Halt.
    #[inline(never)]
    pub(super) fn urgent<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        loop {
            // What has arrived may be the last record, followed by what is sealed already.
            if !self.seal_records(now) {
                return;
            }
            let gone = self.endpoint.line.connection().is_none();
            // Nobody begins a session on a line that has ended.
            let lets =
                if gone { self.is_active() } else { self.endpoint.has_room(Channel::Urgent, self.need()) };
            if !lets {
                return;
            }
            if self.state() == SessionState::Closed || !self.message(device, target, Channel::Urgent, now) {
                return;
            }
            // State is sent between two messages of a handshake.
            self.tell_state(device, target, now);
        }
    }

    /// Room for whatever answers a message on channel 0.
    fn need(&self) -> usize {
        if self.is_active() { SHORT } else { FIRST_LIMIT }
    }

    /// Acts on one command on channel 1.
    #[inline(never)]
    pub(super) fn ordinary<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        let open = self.state() != SessionState::Closed && self.endpoint.line.connection().is_some();
        if open && self.endpoint.has_room(Channel::Ordinary, L::Message::SIZE) {
            self.message(device, target, Channel::Ordinary, now);
        }
        self.waits = open && self.endpoint.line.message(Channel::Ordinary).is_some();
    }

    /// Whether a command on channel 1 waits, be it for room, or an answer to one: what goes before it is kept short.
    pub(super) fn is_awaited(&self) -> bool {
        self.waits || !self.endpoint.line.has_left()
    }

    /// Looks at the next message of a channel. `false`: there is none.
    fn message<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        channel: Channel,
        now: Instant,
    ) -> bool {
        let Self { endpoint, visit, authority, .. } = self;
        let time = visit.tell_time(now);
        let handled = endpoint.handle(channel, time, now, |opened, reply| {
            visit.message(device, authority, target, channel, opened, reply, now);
        });
        let Some(((), sent)) = handled else { return false };
        let sent = match self.visit.metrics_due.take() {
            None => sent,
            Some(request) => {
                let line = &self.endpoint.line;
                let (metrics, count) =
                    metrics::all(&device.counts, device.clock.seconds(), |put| line.metrics(put));
                let metrics = List::new(metrics.get(..count).unwrap_or(&metrics));
                self.endpoint.send(&Metrics { request, metrics }, channel, time, now).map(|_| ())
            }
        };
        if let (Err(error), Some(_)) = (sent, self.endpoint.line.connection()) {
            // An answer that cannot be sent must not be lost silently. (If the line has ended, its end reports the
            // loss.)
            let cause = match error {
                SendError::OutOfSequences => Cause::UsedUp,
                _ => Cause::TargetFailed,
            };
            self.visit.end = self.visit.end.or(Some(End::Bye(cause)));
        }
        self.conclude(device, target, now);
        true
    }

    /// What the last message or event led to, beside what was sent.
    pub(super) fn conclude<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        match self.visit.end.take() {
            None => {
                if let (true, Some(started)) = (self.visit.state_due, self.visit.started) {
                    // From Welcome on, the host may send what Welcome has granted.
                    let line = &mut self.endpoint.line;
                    line.accept(L::Message::SIZE);
                    line.set_gate(Some(Gate::new(started, in_units(device.config.tolerance))));
                }
            }
            Some(End::Bye(cause)) => self.goodbye(device, target, cause, now),
            Some(End::Answered(cause)) => {
                self.leave(device, target, cause, now);
                self.close(now);
            }
            Some(End::Failed) => self.close(now),
            Some(End::Done) => {
                self.close(now);
                self.peer_closes = L::PEER_CLOSES;
            }
        }
    }

    /// Ends a session during which the agent's clock broke (SPEC section 8.10).
    pub(super) fn follow_clock<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        if self.breaks == device.breaks {
            return;
        }
        self.breaks = device.breaks;
        match self.state() {
            SessionState::Active => self.goodbye(device, target, Cause::ClockBroken, now),
            // It would wait for a time that does not come.
            _ => self.close(now),
        }
    }

    /// The line that the session is on, and no other: its end is the session's (SPEC section 5.3).
    pub(super) fn follow_line<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        let connection = self.endpoint.line.connection();
        if connection == self.connection {
            return;
        }
        self.connection = connection;
        self.peer_closes = false;
        self.leave(device, target, Cause::LineLost, now);
        self.close(now);
        if connection.is_some() {
            self.endpoint.session.renew();
            self.visit.renew();
        }
    }

    /// What is due without any input. `gap`: how long there was no run.
    pub(super) fn follow_time<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        gap: Span,
        now: Instant,
    ) {
        let state = self.state();
        if state == SessionState::Connecting && self.endpoint.session.seal().progress() == Progress::Pending {
            self.since = later(self.since, gap);
        }
        // A clock that has stepped back does not make anybody wait until it has caught up.
        self.since = self.since.min(now);
        let waited = passed(self.since, now);
        match state {
            SessionState::Active => self.follow_session(device, target, now),
            // A peer that begins a line and gets no further is notified that it has ended.
            SessionState::Idle | SessionState::Connecting
                if self.connection.is_some() && waited >= HANDSHAKE =>
            {
                self.close(now);
                self.endpoint.line.close();
            }
            SessionState::Disconnecting if waited >= GOODBYE => self.close(now),
            // An answer to the peer's goodbye, or the reason why there is no session, has arrived.
            SessionState::Closed
                if (self.endpoint.line.is_idle() && !self.peer_closes) || waited >= GOODBYE =>
            {
                self.endpoint.line.close();
            }
            _ => {}
        }
    }

    fn follow_session<T: Target<Arch = A>>(&mut self, device: &mut Device<A>, target: &mut T, now: Instant) {
        let clock = self.visit.clock(now);
        let silent = clock.saturating_sub(self.visit.heartbeats.heard());
        let expired = self.visit.grant.and_then(|grant| grant.expired);
        let cause = if silent >= in_units(device.config.loss) {
            Cause::PeerLost
        } else if clock >= LAST {
            Cause::UsedUp
        } else if target.generation() != self.visit.generation {
            Cause::ProgramChanged
        } else if expired.is_some_and(|at| passed(at, now) >= EXPIRED) {
            Cause::SessionExpired
        } else {
            return self.expire(device, target, now);
        };
        self.goodbye(device, target, cause, now);
    }

    /// The expiry of the grant is detected once, and is final (SPEC section 8.2).
    fn expire<T: Target<Arch = A>>(&mut self, device: &mut Device<A>, target: &mut T, now: Instant) {
        let Some(grant) = &mut self.visit.grant else { return };
        if grant.expired.is_none() && now >= grant.until {
            grant.expired = Some(now);
            if !self.visit.observer {
                device.withdraw(target, What::All, Cause::GrantExpired, self.visit.who(now));
                let axes = super::device::standing(target);
                device.stops.give_up_steps(axes);
            }
        }
    }

    /// What the machine itself does not permit any more (SPEC section 8.2), and what the interlock does not hold.
    pub(super) fn follow_machine<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        let who = self.visit.who(now);
        device.withdraw(target, What::Leases(now), Cause::LeaseEnded, who);
        let permitted = target.permitted();
        if !permitted.contains(Domains::FORCE) {
            device.withdraw(target, What::Forces, Cause::PermissionWithdrawn, who);
        }
        if !permitted.contains(Domains::CONTROL) {
            device.withdraw(target, What::Traps, Cause::PermissionWithdrawn, who);
            let axes = super::device::standing(target);
            device.stops.give_up_steps(axes);
        }
        device.hold(target, who);
        device.retry(target);
    }

    /// Sends the next record of the seal's handshake (SPEC section 5.5). `false`: nothing can be opened before the
    /// seal has processed the last one.
    fn seal_records(&mut self, now: Instant) -> bool {
        let session = &mut self.endpoint.session;
        let connecting = session.state() == SessionState::Connecting && !session.is_sealed();
        if Z::SUITE == CHECKSUM || !connecting {
            return true;
        }
        if session.seal().progress() == Progress::Pending
            || !self.endpoint.has_room(Channel::Urgent, FIRST_LIMIT)
        {
            return false;
        }
        let mut record = [0; SEAL_RECORD];
        if let Some(length) = self.endpoint.session.seal().next_record(&mut record) {
            let record = Secret::new(record.get(..length).unwrap_or(&record));
            let record = SealRecord { suite: Z::SUITE, record };
            if self.endpoint.send(&record, Channel::Urgent, 0, now).is_err() {
                self.close(now);
                return false;
            }
        }
        self.endpoint.session.seal_from_now();
        true
    }

    pub(super) fn tell_state<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        if self.visit.state_due && self.endpoint.has_room(Channel::Urgent, FIRST_LIMIT) {
            self.visit.state_due = false;
            let time = self.visit.tell_time(now);
            let endpoint = &mut self.endpoint;
            self.visit.agreed =
                device.tell_state(target, |state| endpoint.send(state, Channel::Urgent, time, now).is_ok());
        }
    }

    /// Reports a stop to the host. `false`: there is no room now.
    pub(super) fn tell_stop(&mut self, device: &Device<A>, event: Event, now: Instant) -> bool {
        let mask = self.visit.known.news(&device.captures) | crate::arch::bit(A::PC);
        let Event { request, reason, more, axes, detail } = event;
        let (capture, values) = (device.captures.number(), device.captures.values(mask));
        let stopped = Stopped { request, reason, more, axes, detail, capture, values };
        let time = self.visit.tell_time(now);
        match self.endpoint.send_beside(&stopped, Channel::Urgent, ANSWERS, time, now) {
            Err(SendError::Full) => return false,
            Err(SendError::OutOfSequences) => self.visit.end = Some(End::Bye(Cause::UsedUp)),
            Err(_) => self.visit.end = Some(End::Bye(Cause::TargetFailed)),
            Ok(_) => self.visit.known.told(&device.captures, mask),
        }
        true
    }

    /// Challenges the host, if that is due (SPEC section 5.7).
    pub(super) fn heartbeat<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        now: Instant,
    ) {
        if !self.is_active() || !self.visit.heartbeats.is_due(now) {
            return;
        }
        let (challenge, time) = (device.next_challenge(), self.visit.tell_time(now));
        let heartbeat = Heartbeat { run: Some(device.run_state(target)), challenge };
        match self.endpoint.send_beside(&heartbeat, Channel::Urgent, ANSWERS, time, now) {
            Ok(_) => {
                let next = later(now, ms(device.config.interval()));
                self.visit.heartbeats.sent(challenge, time, next);
            }
            // It is sent when there is room.
            Err(SendError::Full) => {}
            Err(_) => self.goodbye(device, target, Cause::UsedUp, now),
        }
    }

    /// Ends a session that is active.
    pub(super) fn goodbye<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        cause: Cause,
        now: Instant,
    ) {
        if self.leave(device, target, cause, now) {
            let time = self.visit.tell_time(now);
            let _ = self.endpoint.send(&Bye { reason: cause }, Channel::Urgent, time, now);
        }
    }

    /// The session leaves Active: nothing that it holds stays in the machine, except that a stopped program stays
    /// stopped (SPEC section 5.8). `false`: it was not active.
    fn leave<T: Target<Arch = A>>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        cause: Cause,
        now: Instant,
    ) -> bool {
        if !self.is_active() {
            return false;
        }
        self.endpoint.session.advance(SessionEvent::End);
        self.since = now;
        let who = self.visit.who(now);
        if !self.visit.observer {
            device.last_end.cause = cause;
            device.last_end.count = 0;
            // What ends is reported in State.
            let held = device.forces.held.iter().flatten().filter(|held| held.stuck.is_none());
            for (place, held) in device.last_end.ended.iter_mut().zip(held) {
                *place = held.addr;
                device.last_end.count = device.last_end.count.saturating_add(1);
            }
            device.withdraw(target, What::All, cause, who);
            device.stops.forget();
        }
        if self.visit.granted().contains(Domains::CONTROL) {
            // An observer could fill the log by coming and going.
            let (kind, time) = (Record::SESSION_ENDED, who.clock);
            let entry = Entry { who, kind, sequence: 0, time, addr: 0, value: 0 };
            device.record_event(target, &entry, cause, Ok(()), 1);
        }
        true
    }

    /// The session is over, whatever its state was.
    pub(super) fn close(&mut self, now: Instant) {
        for event in [SessionEvent::End, SessionEvent::HandshakeFailed, SessionEvent::Ended] {
            self.endpoint.session.advance(event);
        }
        self.since = now;
    }

    /// Whether others are refused (SPEC section 5.3).
    pub(super) fn set_busy(&mut self) {
        let busy = matches!(self.state(), SessionState::Active | SessionState::Disconnecting);
        self.endpoint.line.set_busy(busy);
    }

    /// When there is something to do for the session, if nothing arrives before.
    #[inline(never)]
    pub(super) fn deadline(&self, device: &Device<A>) -> Instant {
        let line = &self.endpoint.line;
        let over = self.state() == SessionState::Closed && self.connection.is_some();
        let idle = over && line.is_idle() && !self.peer_closes;
        let told = !self.visit.state_due && device.stops.due.is_none_or(|_| self.visit.observer);
        let room = self.waits && self.endpoint.has_room(Channel::Ordinary, L::Message::SIZE)
            || !told && self.endpoint.has_room(Channel::Urgent, FIRST_LIMIT);
        if line.connection() != self.connection || idle || room {
            // At once.
            return Instant::ZERO;
        }
        let session = match self.state() {
            SessionState::Active => self.visit.deadline(ms(device.config.loss)),
            SessionState::Disconnecting => later(self.since, GOODBYE),
            SessionState::Connecting => later(self.since, HANDSHAKE),
            SessionState::Idle | SessionState::Closed if self.connection.is_none() => NEVER,
            SessionState::Idle => later(self.since, HANDSHAKE),
            SessionState::Closed => later(self.since, GOODBYE),
        };
        earlier(session, line.deadline().unwrap_or(NEVER))
    }
}
