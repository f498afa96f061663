//! What each side does when it is its turn, held against what may be; and what happens to them.

use feedrate_rdp::host::{Closed, Event as HostEvent};
use feedrate_rdp::session::{SendError, SessionState};
use feedrate_rdp::target::Refusal;

use super::World;
use super::ask::Ask;
use super::check::{Outcome, Sent, Session};
use super::checked::{Checked, ensure};
use super::ends::agent;
use super::plan::{Event, MS};
use super::socket::Owner;
use crate::machine::Held;

/// How far a state is.
fn order(state: SessionState) -> u8 {
    match state {
        SessionState::Idle => 0,
        SessionState::Connecting => 1,
        SessionState::Active => 2,
        SessionState::Disconnecting => 3,
        SessionState::Closed => 4,
    }
}

impl World {
    pub(super) fn run_agent(&mut self) -> Checked {
        let now = self.clocks[0].read(self.now);
        while let Some(cause) = self.machine.stop_now() {
            self.say(|| format!("machine: stops, {cause:?}"));
            self.agent.stopped(&mut self.machine, cause, now);
        }
        let before = self.machine.journal.entries.len();
        self.agent.run(&mut self.machine, now);
        self.ran_at = self.now;
        if self.trace {
            for entry in &self.machine.journal.entries[before..] {
                self.say(|| format!("machine: {:?}", entry.deed));
            }
        }
        self.agent_due = self.machine.pending.is_some_and(|(at, _)| at <= self.now);
        self.agent_at = self.now + self.plan.agent_pace;
        self.sabotage(before);
        self.ledger.follow(&self.machine.journal)?;
        let state = self.agent.state();
        if state != self.agent_state {
            self.say(|| format!("agent: {state:?}"));
            self.agent_state = state;
        }
        let recovered = self.machine.fails.recover.is_none();
        ensure!(
            state == SessionState::Active
                || self.ledger.is_stuck()
                || !recovered
                || self.machine.is_left_alone(),
            "the agent is {state:?}, and in the machine stays {:?} {:?}",
            self.machine.held,
            self.machine.slots
        );
        if let Some(misuse) = &self.machine.misuse {
            return Err(misuse.clone());
        }
        self.forces()
    }

    /// No force outlives its lease, nor its host.
    pub(super) fn forces(&self) -> Checked {
        let (percent, more) = self.plan.slack();
        let [_, loss, _, stall] = self.plan.times.map(|ms| u64::from(ms) * MS);
        let late = more + stall + self.plan.agent_pace.max(self.plan.agent_period) + 30 * MS;
        for (addr, Held { since, .. }) in &self.machine.held {
            let Some(holding) = self.ledger.held.get(addr) else {
                return Err(format!("{addr:#x} is held, and the journal does not know it"));
            };
            if self.ledger.is_stuck() {
                continue;
            }
            let session = self.sessions.iter().rev().find(|session| session.key == Some(holding.key));
            // The host may not have heard of its session yet.
            let Some(session) = session else {
                return Err(format!("{addr:#x} is held by nobody's session {:?}", holding.key));
            };
            let silent = self.now.saturating_sub(session.polled);
            ensure!(
                silent <= loss * percent / 100 + late,
                "{addr:#x} is held, and its host is gone for {silent} us"
            );
            let Some(Sent { ask: Ask::Force { lease, .. }, .. }) = session.sent.get(&holding.sequence) else {
                return Err(format!("{addr:#x} is held, and nobody has forced it"));
            };
            let renews = |sent: &Sent| matches!(sent.ask, Ask::Renew { addr: of, .. } if of == *addr);
            let held = self.now - since;
            ensure!(
                held <= u64::from(*lease) * MS * percent / 100 + late || session.sent.values().any(renews),
                "{addr:#x} is held for {held} us, of {lease} ms"
            );
        }
        Ok(())
    }

    pub(super) fn run_host(&mut self) -> Checked {
        let now = self.clocks[1].read(self.now);
        self.host_at = self.now + self.plan.host_pace;
        self.host_due = false;
        let Self { host, machine, sessions, ledger, tally, .. } = self;
        let session = sessions.last_mut().expect("there is one from the start on");
        session.polled = self.now;
        while let Some(event) = host.poll_event(now) {
            if self.trace {
                eprintln!("{:>10} host: {event:?}", self.now);
            }
            ensure!(!session.closed, "{event:?} after the end");
            match event {
                HostEvent::State(_) => {
                    ensure!(session.active_at.is_none() && !session.state_seen, "State for the second time");
                    session.state_seen = true;
                }
                HostEvent::Active => {
                    ensure!(session.active_at.is_none() && session.state_seen, "Active for the second time");
                    session.active_at = Some(self.now);
                }
                HostEvent::Answer(answer) => {
                    session.answered(answer.request, &answer.frame, machine, ledger)?;
                }
                HostEvent::Stopped(stopped) => session.stopped(&stopped, machine)?,
                HostEvent::Unknown { request } => match session.sent.get_mut(&request) {
                    Some(sent) if sent.outcome == Outcome::Waiting => sent.outcome = Outcome::Unknown,
                    other => return Err(format!("{request} is unknown, but {other:?}")),
                },
                HostEvent::Closed(why) => {
                    ensure!(session.waiting() == 0, "closed, and nothing is said of {:?}", session.sent);
                    session.closed = true;
                    let why = match why {
                        Closed::Refused(refused) => format!("Refused({})", refused.code.name()),
                        why => format!("{why:?}"),
                    };
                    tally.add("closed", why, 1);
                }
                other => return Err(format!("{other:?}")),
            }
            if let (None, Some(device)) = (session.key, host.device()) {
                session.key = Some((device.boot, device.session));
            }
        }
        if let (None, Some(device)) = (session.key, host.device()) {
            session.key = Some((device.boot, device.session));
        }
        let (state, closed) = (host.state(), session.closed);
        ensure!(order(state) >= order(self.host_state), "host: from {:?} to {state:?}", self.host_state);
        if state != self.host_state {
            self.say(|| format!("host: {state:?}"));
        }
        self.host_state = state;
        if state == SessionState::Closed && closed && self.reconnect_at.is_none() && !self.still {
            self.reconnect_at = Some(self.now + self.random.pick(&[0, 1, 50, 400, 2_000]) * MS);
        }
        self.ask()
    }

    fn ask(&mut self) -> Checked {
        while !self.still && self.host_state == SessionState::Active && self.now >= self.ask_at {
            let session = self.sessions.last_mut().expect("there is one from the start on");
            let ask = Ask::random(&mut self.random, self.unique, self.plan.fatal, &session.knows);
            let now = self.clocks[1].read(self.now);
            match ask.frame(|frame| self.host.ask(&frame, now)) {
                Ok(sequence) => {
                    self.unique += 1;
                    let sent = Sent { ask, outcome: Outcome::Waiting, at: self.now };
                    let before = session.sent.insert(sequence, sent);
                    ensure!(before.is_none(), "two commands are {sequence}");
                    ensure!(session.active_at.is_some(), "sent before Active");
                    self.tally.add("commands", "sent", 1);
                    self.say(|| format!("host: asks {sequence} {ask:?}"));
                }
                Err(error @ (SendError::Full | SendError::Credit)) => {
                    self.tally.add("commands", format!("not sent: {error:?}"), 1);
                    self.ask_at = self.now + 5 * MS;
                    continue;
                }
                Err(error) => return Err(format!("{ask:?}: {error}")),
            }
            let often = if self.random.chance(3_000) { 0 } else { self.plan.eagerness };
            self.ask_at = self.now + self.random.below(2 * often + 1) + 100;
        }
        Ok(())
    }

    /// The host begins a session.
    pub(super) fn connect(&mut self) {
        if let Some(session) = self.sessions.last_mut() {
            session.abandoned |= !session.closed;
        }
        let (cookie, nonce) = (self.random.number() as u32, self.random.bytes());
        self.say(|| format!("host: connects with {cookie:08x}"));
        if self.plan.stream {
            // The old connection may hang somewhere, without an end.
            if self.random.chance(5_000) {
                self.hang_up_host();
            }
            self.lines.at_host = Some(self.dial(Owner::Host));
        }
        let now = self.clocks[1].read(self.now);
        self.host.connect(self.plan.token, cookie, nonce, now);
        self.sessions.push(Session::new(self.plan.token, nonce, self.now));
        (self.host_state, self.host_due) = (self.host.state(), true);
        (self.reconnect_at, self.host_dead_until) = (None, None);
    }

    /// What the plan has for now.
    pub(super) fn events(&mut self) {
        while self.plan.events.first().is_some_and(|(at, _)| *at <= self.now) {
            let (_, event) = self.plan.events.remove(0);
            self.say(|| format!("{event:?}"));
            self.tally.add("events", format!("{event:?}").split([' ', '(']).next().unwrap_or_default(), 1);
            self.happen(event);
        }
        if self.jammed_until <= self.now {
            (self.machine.fails.release, self.machine.fails.clear) = (None, None);
        }
        if self.machine.fails.recover.is_some() && self.recovers <= self.now {
            self.machine.fails.recover = None;
            self.agent_due = true;
        }
        if self.thaws <= self.now {
            self.thaws = u64::MAX;
            self.clocks[0].freeze(self.now, false);
        }
        if self.host_dead_until.is_some_and(|until| until <= self.now) && !self.still {
            self.connect();
        }
        if self.reconnect_at.is_some_and(|at| at <= self.now) && self.host_dead_until.is_none() {
            self.connect();
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::AgentRestarts { recovers } => {
                self.machine.restart();
                self.boot += 1;
                let config = self.config();
                self.agent = agent(&self.plan, config);
                self.agent_state = SessionState::Idle;
                (self.agent_due, self.recovers) = (true, recovers);
                self.machine.fails.recover = (recovers > now).then_some(Refusal::WrongState);
                self.clocks[0].restart(now, 1 + self.random.below(1 << 40));
                self.thaws = u64::MAX;
                self.foreign |= self.plan.same_boots;
                if let Some(at) = self.lines.at_agent.take() {
                    // Whoever was connected hears of it, or does not.
                    if self.random.chance(5_000) {
                        self.lines.sockets[at].to_peer.end(now + self.plan.latency);
                    }
                }
            }
            Event::HostReconnects => self.connect(),
            Event::HostDies { until, notices } => {
                let session = self.sessions.last_mut().expect("there is one from the start on");
                session.abandoned |= !session.closed;
                self.host_dead_until = Some(until);
                if notices {
                    self.hang_up_host();
                } else {
                    self.lines.at_host = None;
                }
            }
            Event::Silence { lane, direction, until } => {
                if let Some(wires) = self.lines.wires.get_mut(lane) {
                    wires[direction].silent_until = until;
                } else if let (Some(at), true) = (self.lines.at_host, lane == 0) {
                    let socket = &mut self.lines.sockets[at];
                    let flow = if direction == 0 { &mut socket.to_agent } else { &mut socket.to_peer };
                    flow.silent_until = until;
                }
            }
            Event::AgentHangs { until } => self.agent_hangs = until,
            Event::HostHangs { until } => self.host_hangs = until,
            Event::Cut => {
                let clocks = [0, 1].map(|side| self.clocks[side].read(now));
                if self.plan.stream {
                    self.host.disconnect(clocks[1]);
                    self.hang_up_host();
                    self.hang_up_agent();
                } else {
                    self.lines.wires[0].iter_mut().for_each(super::wire::Wire::cut);
                    self.agent.disconnect(clocks[0]);
                    self.agent.connect();
                    self.host.disconnect(clocks[1]);
                }
                (self.agent_due, self.host_due) = (true, true);
            }
            Event::ClockJumps { by } => self.clocks[0].jump(now, by * MS as i64),
            Event::ClockFreezes { until } => {
                self.clocks[0].freeze(now, true);
                self.thaws = until;
            }
            Event::ClockDrifts { drift } => self.clocks[0].drift(now, drift),
            Event::HostClockJumps { by } => self.clocks[1].jump(now, by * MS as i64),
            Event::Attack(attack) => self.attack(attack),
            Event::Interlock => {
                self.forbidden ^= true;
                self.machine.permits = if self.forbidden { |_, _| false } else { |_, _| true };
            }
            Event::Permission => {
                use feedrate::rdp::frame::Domains;
                let all = self.machine.permitted == Domains::ALL;
                let less = self.random.pick(&[1, 1 | 4, 1 | 2, 0]);
                self.machine.permitted = if all { Domains(less) } else { Domains::ALL };
            }
            Event::Program => self.machine.generation.set(self.machine.generation.get() + 1),
            Event::Jam { traps, until } => {
                self.jammed_until = until;
                let refusal = Some(Refusal::ReadOnly);
                if traps { self.machine.fails.clear = refusal } else { self.machine.fails.release = refusal }
            }
            Event::Bye => self.host.end(self.clocks[1].read(now)),
        }
        (self.agent_due, self.host_due) = (true, true);
    }
}
