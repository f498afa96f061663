//! One schedule: two ends, the lines between them, and a clock that jumps to whatever comes next.

mod ends;
mod events;
mod lanes;
mod setup;

use std::collections::{HashMap, HashSet};

use feedrate::rdp::packet::{Framing, Line};
use feedrate_rdp::Millis;
use feedrate_rdp::agent::Agent;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Host, HostConfig};
use feedrate_rdp::link::{Board, Desk, LaneId, LinkStatus, Sizes};
use feedrate_rdp::session::{Checksum, SessionState};

use self::setup::{Authority, Middle, Tiny, agent};
use super::ask::Ask;
use super::check::{Checked, Session, conclude, ensure};
use super::machine::{FATAL, machine};
use super::plan::{Memory, Plan};
use super::tally::Tally;
use super::wire::Wire;
use crate::machine::{Fake, Sabotage};
use crate::random::Random;

/// How long after the last fault everything has to be settled, in milliseconds: patience, and a link that gives up,
/// come first.
const SETTLED: u64 = 45_000;
/// A schedule that takes more steps than that hangs.
const STEPS: u64 = 400_000;
const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

/// Runs the schedule that belongs to a number. It answers what happened, or which promise was broken.
///
/// # Errors
///
/// The promise that was broken, and when.
pub fn simulate(seed: u64, sabotage: Sabotage, trace: bool) -> Result<Tally, String> {
    let mut random = Random::new(seed);
    let plan = Plan::new(&mut random);
    if trace {
        eprintln!("{plan:#?}");
    }
    match plan.memory {
        Memory::DeskBoard => Sim::<Desk, Board>::new(plan, random, sabotage, trace).run(),
        Memory::DeskTiny => Sim::<Desk, Tiny>::new(plan, random, sabotage, trace).run(),
        Memory::DeskMiddle => Sim::<Desk, Middle>::new(plan, random, sabotage, trace).run(),
        Memory::DeskDesk => Sim::<Desk, Desk>::new(plan, random, sabotage, trace).run(),
        Memory::BoardBoard => Sim::<Board, Board>::new(plan, random, sabotage, trace).run(),
        Memory::BoardTiny => Sim::<Board, Tiny>::new(plan, random, sabotage, trace).run(),
    }
}

struct Sim<H: Sizes, A: Sizes> {
    plan: Plan,
    random: Random,
    trace: bool,
    now: u64,
    host: Box<Host<H>>,
    agent: Box<Agent<CortexM, Authority, A>>,
    machine: Fake,
    /// Of each lane, to the agent and to the host.
    wires: [[Wire; 2]; 2],
    /// Packets that were carried from one wire to another.
    carried: HashSet<u64>,
    sessions: Vec<Session>,
    host_state: SessionState,
    agent_state: SessionState,
    /// The connection that the agent's session is on: another one is another session.
    agent_link: LinkStatus,
    host_hangs: u64,
    agent_hangs: u64,
    host_at: u64,
    agent_at: u64,
    host_due: bool,
    agent_due: bool,
    ask_at: u64,
    reconnect_at: Option<u64>,
    unique: u32,
    /// Of each value that was to be forced.
    leases: HashMap<u64, u32>,
    /// Packets may have come back to their sender, or from another connection of the same number.
    foreign: bool,
    /// No faults any more.
    quiet: bool,
    /// No commands any more.
    still: bool,
    /// The capture of the last stop that the host has to hear of.
    last_stop: Option<u32>,
    told: Option<u32>,
    spins: u64,
    tally: Tally,
}

impl<H: Sizes, A: Sizes> Sim<H, A> {
    fn new(plan: Plan, mut random: Random, sabotage: Sabotage, trace: bool) -> Self {
        let mut machine = machine(random.clone(), sabotage);
        machine.interlock = random.chance(300);
        let wire = |lane: usize| {
            let line = if lane == 0 { plan.signal } else { Line::SPI };
            [(); 2].map(|()| Wire::new(line, plan.rates[lane], plan.latency, plan.jitter))
        };
        let wires = [wire(0), wire(1)];
        let config =
            HostConfig::new(plan.signal).bulk(plan.host_bulk.then_some(Line::SPI)).patience(plan.patience);
        let agent = agent(&plan, 0, &mut random);
        Self {
            random,
            trace,
            now: 0,
            host: Box::new(Host::new(config, Checksum)),
            agent,
            machine,
            wires,
            carried: HashSet::new(),
            sessions: Vec::new(),
            host_state: SessionState::Idle,
            agent_state: SessionState::Idle,
            agent_link: LinkStatus::Idle,
            host_hangs: 0,
            agent_hangs: 0,
            host_at: 0,
            agent_at: 0,
            host_due: true,
            agent_due: true,
            ask_at: 0,
            reconnect_at: None,
            unique: 0,
            leases: HashMap::new(),
            foreign: false,
            quiet: false,
            still: false,
            last_stop: None,
            told: None,
            spins: 0,
            tally: Tally::default(),
            plan,
        }
    }

    /// The clock of both sides.
    fn clock(&self) -> Millis {
        self.plan.clock.wrapping_add(self.now as u32)
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>7} {}", self.now, what());
        }
    }

    fn run(mut self) -> Result<Tally, String> {
        let result = self.schedule();
        result.map_err(|error| format!("at {} ms: {error}", self.now))?;
        let ended = match self.host_state {
            SessionState::Active => "Active",
            _ => "not Active",
        };
        self.tally.add("host at the end", ended, 1);
        self.tally.add("all", "schedules", 1);
        self.tally.add("all", "sessions", self.sessions.len() as u64);
        self.tally.add("all", "virtual seconds", self.now / 1000);
        self.tally.add("all", "steps with a deadline in the past", self.spins);
        for (lane, name) in LANES.into_iter().zip(["signal", "bulk"]) {
            for counts in [self.host.link().lane_counts(lane), self.agent.link().lane_counts(lane)] {
                self.tally.add(
                    "packets",
                    format!("received, {name} (last incarnation)"),
                    u64::from(counts.received),
                );
                self.tally.add(
                    "packets",
                    format!("CRC failures, {name} (last incarnation)"),
                    u64::from(counts.crc_failures),
                );
                self.tally.add(
                    "packets",
                    format!("header failures, {name} (last incarnation)"),
                    u64::from(counts.header_failures),
                );
            }
        }
        Ok(self.tally)
    }

    fn schedule(&mut self) -> Checked {
        self.connect();
        let mut steps = 0;
        let mut step = |this: &mut Self| {
            steps += 1;
            ensure!(steps < STEPS, "it hangs: {:?}, {:?}", this.host, this.agent);
            this.step()
        };
        while self.now < self.plan.faults_until {
            step(self)?;
        }
        self.quiet = true;
        self.say(|| "no faults from here on".into());
        // Commands go on for a while.
        let until = self.now + self.random.below(1_500);
        while self.now < until {
            step(self)?;
        }
        self.still = true;
        self.reconnect_at = None;
        let until = self.now + SETTLED;
        while !self.is_settled() {
            step(self)?;
            ensure!(self.now < until, "nothing settles: {:?}, {:?}", self.host, self.agent);
        }
        self.afterwards(&mut step)?;
        conclude(&self.sessions, &self.machine, &mut self.tally)
    }

    /// On a good line there is a session, whatever happened before.
    fn afterwards(&mut self, step: &mut impl FnMut(&mut Self) -> Checked) -> Checked {
        for wire in self.wires.iter_mut().flatten() {
            wire.silent_until = 0;
        }
        // What is late comes now, and whoever hung goes on.
        let until = self.now + 6_500;
        while self.now < until {
            step(self)?;
        }
        // What came from elsewhere may have been an ACK of this connection's number, and the real ones are ignored
        // for long.
        if self.host_state != SessionState::Active || self.foreign {
            self.foreign = false;
            self.plan.token = b"all";
            self.connect();
            let until = self.now + 15_000;
            while self.session().active_at.is_none() {
                step(self)?;
                ensure!(
                    self.now < until && !self.session().closed,
                    "no session on a good line: {:?}, {:?}",
                    self.host,
                    self.agent
                );
            }
            self.tally.add("all", "sessions on a good line afterwards", 1);
        }
        self.still = false;
        let until = self.now + 1_000;
        while self.now < until {
            step(self)?;
        }
        self.still = true;
        let until = self.now + SETTLED;
        while !self.is_settled() {
            step(self)?;
            ensure!(self.now < until, "nothing settles on a good line: {:?}, {:?}", self.host, self.agent);
        }
        let session = self.session();
        let fatal = session.sent.values().any(|sent| matches!(sent.ask, Ask::Force { addr: FATAL, .. }));
        let (closed, bad) = (session.closed, session.token == b"bad");
        // Eight long answers take longer than a second on the slowest line.
        // What is stale is not believed, and so no answer: a tolerance of less than the line's delays.
        let impatient = self.plan.patience < 5_000 || self.host.ignored() > 0;
        ensure!(!closed || fatal || bad || impatient, "a session on a good line has ended");
        Ok(())
    }

    fn session(&mut self) -> &mut Session {
        self.sessions.last_mut().expect("there is one from the start on")
    }

    fn is_settled(&mut self) -> bool {
        match self.host_state {
            SessionState::Active => {
                // What the host was not told because it was stale, it will not be told.
                let told = self.last_stop <= self.told || self.host.ignored() > 0;
                self.session().waiting() == 0 && self.machine.pending.is_none() && told
            }
            SessionState::Closed => self.session().closed,
            _ => false,
        }
    }

    /// The host begins a session.
    fn connect(&mut self) {
        if let Some(session) = self.sessions.last_mut() {
            session.abandoned = true;
        }
        if self.plan.signal.framing == Framing::Stream {
            // Another TCP connection.
            self.wires[0].iter_mut().for_each(Wire::cut);
            self.agent.reconnect(LaneId::Signal);
        }
        let (cookie, nonce) = (self.random.number() as u32, self.random.bytes());
        self.say(|| format!("host: connects with {cookie:08x}"));
        let now = self.clock();
        self.host.connect(self.plan.token, cookie, nonce, now).expect("a short token");
        self.sessions.push(Session::new(self.plan.token));
        (self.host_state, self.host_due) = (self.host.state(), true);
        (self.last_stop, self.told) = (None, None);
        self.reconnect_at = None;
    }

    fn step(&mut self) -> Checked {
        self.machine.now = self.now;
        self.events();
        for lane in 0..2 {
            for direction in 0..2 {
                while let Some(bytes) = self.wires[lane][direction].arrive(self.now) {
                    self.feed(lane, direction, &bytes)?;
                }
            }
        }
        self.look()?;
        if self.agent_due && self.now >= self.agent_at && self.now >= self.agent_hangs {
            self.run_agent()?;
        }
        if self.host_due && self.now >= self.host_at && self.now >= self.host_hangs {
            self.run_host()?;
        }
        self.poll();
        self.advance();
        Ok(())
    }

    /// The states go only one way.
    fn look(&mut self) -> Checked {
        fn order(state: SessionState) -> u8 {
            match state {
                SessionState::Idle => 0,
                SessionState::Connecting => 1,
                SessionState::Active => 2,
                SessionState::Disconnecting => 3,
                SessionState::Closed => 4,
            }
        }
        let host = self.host.state();
        ensure!(order(host) >= order(self.host_state), "host: from {:?} to {host:?}", self.host_state);
        if host != self.host_state {
            self.say(|| format!("host: {host:?}"));
        }
        self.host_state = host;
        let agent = self.agent.state();
        let link = self.agent.link().status();
        let another = matches!(link, LinkStatus::Open(_)) && link != self.agent_link;
        if agent != self.agent_state {
            self.say(|| format!("agent: {agent:?}, {link:?}"));
        }
        // The agent looks at its link when it is run.
        let back = order(agent) < order(self.agent_state);
        ensure!(!back || another, "agent: from {:?} to {agent:?} on {link:?}", self.agent_state);
        if back || agent == SessionState::Idle {
            self.agent_link = link;
        }
        self.agent_state = agent;
        Ok(())
    }

    /// On to whatever comes next.
    fn advance(&mut self) {
        let clock = self.clock();
        let now = self.now;
        let after = |deadline: Millis| now + u64::from(deadline.wrapping_sub(clock).min(1 << 31)) % (1 << 31);
        let mut next = now + 10_000;
        let mut at = |time: Option<u64>| next = time.map_or(next, |time| next.min(time));
        for wire in self.wires.iter().flatten() {
            at(wire.next_arrival());
            at((!wire.is_free(now)).then(|| wire.free_at()));
        }
        let host = self.host.deadline().map(after);
        let agent = self.agent.deadline().map(after);
        let past = [host, agent].into_iter().flatten().any(|time| time <= now);
        self.spins += u64::from(past);
        // A lane that is busy is not ready for anything either.
        at(host.map(|time| time.max(self.host_at).max(self.host_hangs)));
        at(agent.map(|time| time.max(self.agent_at).max(self.agent_hangs)));
        at(self.host_due.then_some(self.host_at.max(self.host_hangs)));
        at(self.agent_due.then_some(self.agent_at.max(self.agent_hangs)));
        at(self.machine.pending.map(|(time, _)| time.max(self.agent_at).max(self.agent_hangs)));
        at(self.reconnect_at);
        at(self.plan.events.first().map(|(time, _)| *time));
        if !self.still && self.host_state == SessionState::Active {
            at(Some(self.ask_at.max(self.host_at).max(self.host_hangs)));
        }
        if !self.quiet {
            at(Some(self.plan.faults_until));
        }
        self.now = next.max(now + 1);
        let reached = |time: Option<u64>| time.is_some_and(|time| time <= self.now);
        self.host_due |= reached(host) || (!self.still && self.now >= self.ask_at);
        self.agent_due |= reached(agent) || reached(self.machine.pending.map(|(time, _)| time));
    }
}
