//! One schedule: two ends, the lines between them, and a clock that jumps to whatever comes next.

use std::collections::{HashMap, HashSet};

use feedrate::rdp::frame::{Domains, Fingerprint};
use feedrate::rdp::packet::{Framing, Line};
use feedrate_rdp::Millis;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::host::{Closed, Event as HostEvent, Host, HostConfig};
use feedrate_rdp::link::{Board, Channel, Desk, LaneId, LinkStatus, Sizes};
use feedrate_rdp::session::{Checksum, SendError, SessionState};

use super::ask::Ask;
use super::check::{Outcome, Sent, Session, UNAWARE, conclude, ensure};
use super::line::Wire;
use super::machine::{FATAL, machine};
use super::plan::{BRIEF, Event, Faults, Memory, Plan};
use super::tally::Tally;
use crate::machine::{Fake, Held, Sabotage};
use crate::random::Random;

/// How long after the last fault everything has to be settled, in milliseconds: patience, and a link that gives up,
/// come first.
const SETTLED: u64 = 45_000;
/// A schedule that takes more steps than that hangs.
const STEPS: u64 = 400_000;
/// The starts of an agent that its name can tell of.
const NAMES: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// No bulk lane, and no more memory than the least.
enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Send = [u8; 514];
    type Message = [u8; 512];
    type Queue = [u8; 516];
}

/// Odd sizes, and any lane.
enum Middle {}

impl Sizes for Middle {
    type Lane = [u8; 1024];
    type Send = [u8; 1337];
    type Message = [u8; 601];
    type Queue = [u8; 777];
}

type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;
type Checked = Result<(), String>;

fn authority(token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    let grant = Grant { operator: *b"operator", domains: Domains::ALL, lasts: u32::MAX };
    match token {
        b"all" => Ok(grant),
        b"look" => Ok(Grant { domains: Domains::OBSERVE, ..grant }),
        b"brief" => Ok(Grant { lasts: BRIEF as u32, ..grant }),
        _ => Err(7),
    }
}

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

const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

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
        let agent = Self::agent(&plan, 0, &mut random);
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

    fn agent(plan: &Plan, boot: usize, random: &mut Random) -> Box<Agent<CortexM, Authority, A>> {
        let mut number: [u8; 12] = random.bytes();
        number[9] = boot as u8;
        if plan.same_boots {
            // Connections are counted from the sum of these pairs: packets of one boot's connections are taken for
            // the next one's.
            let (mut even, mut odd) = (0xFF, 0xFE);
            for pair in number[..10].chunks_exact(2) {
                even ^= pair[0];
                odd ^= pair[1];
            }
            [number[10], number[11]] = [even, odd];
        }
        let (heartbeat, loss, tolerance) = plan.times;
        let config = AgentConfig::board(number, NAMES[boot % NAMES.len()])
            .signal(plan.signal)
            .bulk(plan.agent_bulk.then_some(Line::SPI))
            .heartbeat(heartbeat)
            .loss(loss)
            .tolerance(tolerance);
        Box::new(Agent::new(config, authority as Authority, Checksum))
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

    fn feed(&mut self, lane: usize, direction: usize, bytes: &[u8]) -> Checked {
        let now = self.clock();
        let wire = &mut self.wires[lane][direction];
        if self.plan.faults[lane].touch_bytes() {
            let forged = wire.forged(bytes, &self.carried);
            self.tally.add("packets", "intact that nobody sent (collisions)", forged);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = if self.plan.pieces { 1 + self.random.index(9) } else { rest.len() };
            let (piece, behind) = rest.split_at(most.min(rest.len()));
            rest = behind;
            match direction {
                0 => self.agent.feed(LANES[lane], piece, now),
                _ => self.host.feed(LANES[lane], piece, now),
            }
        }
        if direction == 0 {
            self.agent_due = true
        } else {
            self.host_due = true
        };
        Ok(())
    }

    fn run_agent(&mut self) -> Checked {
        let now = self.clock();
        self.look()?;
        while let Some(cause) = self.machine.stop_now() {
            let active = self.agent.state() == SessionState::Active;
            self.say(|| format!("machine: stops, {cause:?}"));
            self.agent.stopped(&mut self.machine, cause, now);
            // One of many steps, of which nobody wants to know, goes on at once.
            if active && self.machine.stopped && self.machine.pending.is_none() {
                let captures = self.machine.journal.captures.last();
                self.last_stop = captures.map(|captures| captures.len() as u32);
            }
        }
        let before = self.machine.journal.executed.len();
        self.agent.run(&mut self.machine, now);
        self.say(|| {
            let link = self.agent.link();
            let rooms = [Channel::Signal, Channel::Bulk]
                .map(|channel| (link.room(channel), link.is_channel_idle(channel)));
            format!("agent: has run, channels {rooms:?}, queued {:?}", link.queued())
        });
        for executed in &self.machine.journal.executed[before..] {
            self.say(|| format!("machine: {:?}, {} effects", executed.record, executed.effects));
        }
        (self.agent_due, self.agent_at) =
            (self.machine.pending.is_some_and(|(at, _)| at <= self.now), self.now + self.plan.agent_pace);
        self.look()?;
        if self.agent_state != SessionState::Active {
            self.last_stop = None;
            ensure!(
                self.machine.is_left_alone(),
                "the agent is {:?}, and in the machine stays {:?} {:?}",
                self.agent_state,
                self.machine.held,
                self.machine.slots
            );
        }
        if let Some(misuse) = &self.machine.misuse {
            return Err(misuse.clone());
        }
        for (addr, Held { value, since }) in &self.machine.held {
            let value = value.as_slice().try_into().map_or(0, u64::from_be_bytes);
            let lease = self.leases.get(&value).copied();
            let Some(lease) = lease else {
                return Err(format!("{addr:#x} is held at {value:#x}, which nobody sent"));
            };
            ensure!(self.now < since + u64::from(lease), "{addr:#x} is held for longer than {lease} ms");
        }
        Ok(())
    }

    fn run_host(&mut self) -> Checked {
        let now = self.clock();
        self.host_at = self.now + self.plan.host_pace;
        self.host_due = false;
        let Self { host, machine, sessions, told, tally, .. } = self;
        let session = sessions.last_mut().expect("there is one from the start on");
        loop {
            let ignored = host.ignored();
            let Some(event) = host.event(now) else {
                session.ignored |= host.ignored() > ignored;
                break;
            };
            if self.trace {
                eprintln!("{:>7} host: {event:?}", self.now);
            }
            ensure!(!session.closed, "{event:?} after the end");
            let mut checked = Ok(());
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
                    checked = session.answered(answer.request, &answer.frame, machine)
                }
                HostEvent::Stopped(stopped) => {
                    *told = Some(stopped.capture);
                    checked = session.stopped(&stopped, machine);
                }
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
                session.key = Some((device.name().parse().expect("a number"), device.session));
            }
            session.ignored |= host.ignored() > ignored || host.state() == SessionState::Disconnecting;
            match checked {
                // What was passed over may have told of registers.
                Err(error) if error.contains(UNAWARE) && session.ignored => {
                    tally.add(
                        "all",
                        "registers that the host does not know of, after a message that it has passed over",
                        1,
                    );
                }
                checked => checked?,
            }
        }
        if let (None, Some(device)) = (session.key, host.device()) {
            session.key = Some((device.name().parse().expect("a number"), device.session));
        }
        self.look()?;
        if self.host_state == SessionState::Closed
            && self.session().closed
            && self.reconnect_at.is_none()
            && !self.still
        {
            self.reconnect_at = Some(self.now + self.random.pick(&[0, 1, 50, 400, 2_000]));
        }
        self.ask()
    }

    fn ask(&mut self) -> Checked {
        while !self.still && self.host_state == SessionState::Active && self.now >= self.ask_at {
            let ask = Ask::random(&mut self.random, self.unique, self.plan.fatal);
            let now = self.clock();
            match ask.send(&mut *self.host, now) {
                Ok(sequence) => {
                    self.unique += 1;
                    if let Ask::Force { lease, value, .. } = ask {
                        self.leases.insert(value, lease);
                    }
                    self.say(|| format!("host: asks {sequence} {ask:?}"));
                    self.tally.add("commands", "sent", 1);
                    let before =
                        self.session().sent.insert(sequence, Sent { ask, outcome: Outcome::Waiting });
                    ensure!(before.is_none(), "two commands are {sequence}");
                    ensure!(self.session().active_at.is_some(), "sent before Active");
                }
                Err(SendError::Full) => {}
                Err(error) => return Err(format!("{ask:?}: {error}")),
            }
            let often = if self.random.chance(3_000) { 0 } else { self.plan.eagerness };
            self.ask_at = self.now + self.random.below(2 * often + 1) + u64::from(self.host_full());
        }
        Ok(())
    }

    fn host_full(&mut self) -> bool {
        self.session().waiting() >= 8 || !self.host.link().is_idle()
    }

    /// What is to happen at this time.
    fn events(&mut self) {
        let now = self.clock();
        while let Some((_, event)) = self.plan.events.first().copied().filter(|(at, _)| *at <= self.now) {
            self.plan.events.remove(0);
            self.say(|| format!("event: {event:?}"));
            self.tally.add("events", format!("{event:?}").split(' ').next().unwrap_or_default(), 1);
            match event {
                Event::AgentRestarts => {
                    self.machine.restart();
                    let boot = self.machine.journal.boot as usize;
                    self.agent = Self::agent(&self.plan, boot, &mut self.random);
                    (self.agent_state, self.agent_link) = (SessionState::Idle, LinkStatus::Idle);
                    self.last_stop = None;
                    self.agent_due = true;
                    self.foreign |= self.plan.same_boots;
                }
                Event::HostReconnects => self.connect(),
                Event::Silence { lane, direction, until } => self.wires[lane][direction].silent_until = until,
                Event::AgentHangs { until } => self.agent_hangs = until,
                Event::HostHangs { until } => self.host_hangs = until,
                Event::Interlock => self.machine.interlock ^= true,
                Event::Bye => self.host.bye(now),
                Event::ReplayRun { lane, direction } => {
                    let recorded = self.wires[lane][direction].recorded.clone();
                    let first = if self.random.chance(4_000) { 0 } else { self.random.index(recorded.len()) };
                    let count = self.random.pick(&[2, 5, 20, 100]);
                    for packet in recorded.into_iter().skip(first).take(count) {
                        self.tally.add("packets", "replayed", 1);
                        let Self { wires, random, tally, .. } = self;
                        wires[lane][direction].put(packet, self.now, &Faults::default(), random, tally);
                    }
                }
            }
        }
        if self.reconnect_at.is_some_and(|at| at <= self.now) {
            self.connect();
        }
    }

    /// Everything that there is to be sent now.
    fn poll(&mut self) {
        let now = self.clock();
        let mut packet = [0; 1024];
        for (lane, id) in LANES.into_iter().enumerate() {
            for direction in 0..2 {
                while self.wires[lane][direction].is_free(self.now) {
                    let length = match direction {
                        0 => self.host.poll(id, &mut packet, now),
                        _ => self.agent.poll(id, &mut packet, now),
                    };
                    if length == 0 {
                        break;
                    }
                    self.send(lane, direction, &packet[..length]);
                }
            }
        }
    }

    fn send(&mut self, lane: usize, direction: usize, packet: &[u8]) {
        let faults = if self.quiet { Faults::default() } else { self.plan.faults[lane] };
        self.say(|| {
            format!("{} {:?}: {}", ["-->", "<--"][direction], LANES[lane], self.wires[lane][0].show(packet))
        });
        let Self { wires, random, tally, carried, .. } = self;
        wires[lane][direction].send(packet, self.now, &faults, random, tally);
        if !random.chance(faults.replay) {
            return;
        }
        // Something of earlier comes again: mostly from this wire, now and then from another one.
        let mut from = (lane, direction);
        if random.chance(700) {
            from.1 = 1 - direction;
            self.foreign = true;
        }
        if random.chance(700) && self.plan.signal.framing == Framing::Serial {
            from.0 = 1 - lane;
        }
        let recorded = &wires[from.0][from.1].recorded;
        let first = random.index(recorded.len());
        let count = if random.chance(3_000) { 6 } else { 1 };
        for again in recorded.iter().skip(first).take(count).cloned().collect::<Vec<_>>() {
            tally.add("packets", "replayed", 1);
            Wire::remember(carried, &again);
            wires[lane][direction].put(again, self.now, &faults, random, tally);
        }
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
