//! Host and agent on a line that loses nothing: what is measured there, and what goes on for weeks.

use std::collections::VecDeque;

use feedrate::rdp::frame::{Domains, Frame, Halt, ReadMemory, Release, Resume, SetAxis};
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::AgentConfig;
use feedrate_rdp::host::{Closed, Event};
use feedrate_rdp::session::SessionState;
use feedrate_rdp::target::Audit;

use super::clock::Clock;
use super::ends::{AgentEnd, HostEnd, agent, host};
use super::plan::{MS, Plan};
use crate::machine::{Deed, Fake, Journal, Log};
use crate::random::Random;

const SECOND: u64 = 1_000 * MS;

/// One direction of a lane, or of a stream.
struct Pipe {
    /// Bytes a second.
    rate: u64,
    latency: u64,
    free_at: u64,
    cut: bool,
    queue: VecDeque<(u64, Vec<u8>)>,
}

impl Pipe {
    fn send(&mut self, bytes: &[u8], now: u64) {
        self.free_at = self.free_at.max(now) + (bytes.len() as u64 * SECOND).div_ceil(self.rate);
        if !self.cut {
            self.queue.push_back((self.free_at + self.latency, bytes.to_vec()));
        }
    }
}

/// All of it. There is one line, and it is there all the time.
struct Drive {
    now: u64,
    random: Random,
    host: Box<dyn HostEnd>,
    agent: Box<dyn AgentEnd>,
    machine: Fake,
    clocks: [Clock; 2],
    /// Of each lane the direction to the agent, and the one to the host.
    pipes: Vec<[Pipe; 2]>,
    stream: bool,
    due: [bool; 2],
    spins: [u32; 2],
}

impl Drive {
    fn new(plan: &Plan, random: Random) -> Self {
        let [heartbeat, loss, tolerance, stall] = plan.times;
        let config = AgentConfig::new(*b"boot no. 815", 815, "measured")
            .heartbeat(heartbeat)
            .loss(loss)
            .tolerance(tolerance)
            .stall(stall)
            .frozen(u32::MAX);
        let pipe =
            |rate| Pipe { rate, latency: plan.latency, free_at: 0, cut: false, queue: VecDeque::new() };
        let pipes =
            plan.rates[..if plan.stream { 1 } else { 2 }].iter().map(|rate| [pipe(*rate), pipe(*rate)]);
        let machine = Fake { fingerprint: super::machine::FINGERPRINT, stopped: false, ..Fake::new() };
        Self {
            now: 0,
            random,
            host: host(plan),
            agent: agent(plan, config),
            machine,
            clocks: plan.drifts.map(|drift| Clock::new(7 * SECOND, drift)),
            pipes: pipes.collect(),
            stream: plan.stream,
            due: [true; 2],
            spins: [0; 2],
        }
    }

    fn connect(&mut self) {
        if self.stream {
            let clock = self.clocks[0].read(self.now);
            self.agent.disconnect(clock);
            self.agent.run(&mut self.machine, clock);
            assert!(self.agent.connect(), "busy");
            self.pipes[0].iter_mut().for_each(|pipe| pipe.queue.clear());
        }
        let (cookie, nonce) = (self.random.number() as u32, self.random.bytes());
        self.host.connect(b"all", cookie, nonce, self.clocks[1].read(self.now));
        self.due = [true; 2];
    }

    /// Lets the present time pass, hands events to `on`, and goes on to what comes next, at `until` at the latest.
    fn step(&mut self, until: u64, mut on: impl FnMut(Event<'_>)) {
        let [agents, hosts] = [0, 1].map(|side| self.clocks[side].read(self.now));
        self.machine.pass_to(self.now);
        for lane in 0..self.pipes.len() {
            for direction in 0..2 {
                while let Some((at, bytes)) = self.pipes[lane][direction].queue.pop_front() {
                    if at > self.now {
                        self.pipes[lane][direction].queue.push_front((at, bytes));
                        break;
                    }
                    let taken = match direction {
                        0 => self.agent.feed(lane, &bytes, agents),
                        _ => self.host.feed(lane, &bytes, hosts),
                    };
                    assert_eq!(taken, Some(bytes.len()), "there is always room");
                    self.due[direction] = true;
                }
            }
        }
        while let Some(cause) = self.machine.stop_now() {
            self.agent.stopped(&mut self.machine, cause, agents);
            self.due[0] = true;
        }
        if std::mem::take(&mut self.due[0]) {
            self.agent.run(&mut self.machine, agents);
        }
        if std::mem::take(&mut self.due[1]) {
            while let Some(event) = self.host.poll_event(hosts) {
                on(event);
            }
        }
        self.poll();
        self.advance(until);
    }

    fn poll(&mut self) {
        let clocks = [0, 1].map(|side| self.clocks[side].read(self.now));
        let mut out = [0; 1024];
        for lane in 0..self.pipes.len() {
            for direction in 0..2 {
                while self.pipes[lane][direction].free_at <= self.now {
                    let length = match direction {
                        0 => self.host.poll(lane, &mut out, clocks[1]),
                        _ => self.agent.poll(lane, &mut out, clocks[0]),
                    };
                    if length == 0 {
                        break;
                    }
                    self.pipes[lane][direction].send(&out[..length], self.now);
                }
            }
        }
    }

    fn advance(&mut self, until: u64) {
        let now = self.now;
        let pipes = self.pipes.iter().flatten();
        let arrivals = pipes.clone().filter_map(|pipe| pipe.queue.front().map(|(at, _)| *at));
        let frees = pipes.map(|pipe| pipe.free_at).filter(|at| *at > now);
        let mut next = arrivals.chain(frees).min().unwrap_or(until).min(until);
        let deadlines = [self.agent.deadline(), self.host.deadline()];
        let mut reached = [None; 2];
        for (side, (reached, deadline)) in reached.iter_mut().zip(deadlines).enumerate() {
            let when = deadline.and_then(|deadline| self.clocks[side].when(deadline));
            // One that has passed waits for the line.
            self.spins[side] = if when.is_some_and(|when| when <= now) { self.spins[side] + 1 } else { 0 };
            let wait = 100 << self.spins[side].min(7);
            *reached = when.map(|when| if when <= now { now + wait } else { when });
            next = reached.map_or(next, |when| next.min(when));
        }
        if let Some((at, _)) = self.machine.pending {
            next = next.min(at);
        }
        self.now = next.max(now + 50);
        for (due, when) in self.due.iter_mut().zip(reached) {
            *due |= when.is_some_and(|when| when <= self.now);
        }
    }

    /// Goes on until the session is active.
    fn open(&mut self) {
        self.connect();
        let until = self.now + 10 * SECOND;
        let mut active = false;
        while !active {
            self.step(until, |event| active |= matches!(event, Event::Active));
            assert!(self.now < until, "no session: {}, {}", self.host.show(), self.agent.show());
        }
    }

    /// Asks; `false`: there is no room, or no credit.
    fn ask(&mut self, frame: &Frame<'_>) -> Option<u32> {
        let now = self.clocks[1].read(self.now);
        self.host.ask(frame, now).ok()
    }
}

/// What came of a measurement of [`halt_latency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// SPEC section 12's bound, in microseconds.
    pub bound: u64,
    /// The largest, and the median.
    pub largest: u64,
    /// In the middle.
    pub median: u64,
    /// How many Halts.
    pub halts: usize,
}

/// How long a Halt takes from the request to the call of the target's hook: on a signal lane of this many bytes a
/// second and an MTU of 64, whose bulk lane is cut, with as many reads waiting as there is credit, and a log that is
/// full.
pub fn halt_latency(rate: u64, halts: usize, seed: u64) -> Latency {
    let mut random = Random::new(seed);
    let plan = Plan {
        stream: false,
        host_bulk: true,
        agent_bulk: true,
        rates: [rate, 1_000_000],
        times: [1000, 4000, 60_000, 500],
        latency: 0,
        drifts: [0; 2],
        patience: 600_000,
        ..Plan::calm(&mut random)
    };
    let mut drive = Drive::new(&plan, random);
    drive.machine.journal = Journal::kept();
    drive.machine.log = Log::of::<1, 1>();
    drive.open();
    // The log is full, and the bulk lane is cut.
    let _ = drive.machine.log.append(feedrate::rdp::frame::Record::EMPTY, 0);
    drive.pipes[1].iter_mut().for_each(|pipe| pipe.cut = true);
    let (mut all, mut addr) = (Vec::new(), 0);
    let until = drive.now + 5 * SECOND;
    while drive.now < until {
        drive.read_on(&mut addr);
        drive.step(until, |_| {});
    }
    for _ in 0..halts {
        let at = drive.now + 300 * MS + drive.random.below(3 * SECOND);
        while drive.now < at {
            drive.read_on(&mut addr);
            drive.step(at, |event| assert!(!matches!(event, Event::Closed(_)), "{event:?}"));
        }
        drive.machine.journal.take();
        // Nothing could be resumed: there is no room in the log.
        drive.machine.stopped = false;
        let asked = drive.now;
        drive.ask(&Frame::Halt(Halt)).expect("there is always room for a Halt");
        drive.poll();
        let executed = loop {
            drive.read_on(&mut addr);
            drive.step(asked + 10 * SECOND, |event| assert!(!matches!(event, Event::Closed(_)), "{event:?}"));
            let halted = drive.machine.journal.entries.iter().find(|entry| entry.deed == Deed::Halted);
            if let Some(halted) = halted {
                break halted.at;
            }
            let late = drive.now >= asked + 10 * SECOND;
            assert!(!late, "Halt is not executed: {}, {}", drive.host.show(), drive.agent.show());
        };
        all.push(executed - asked);
    }
    all.sort_unstable();
    let bound = (3 * Lane::UART.mtu() as u64 + 48) * SECOND / rate;
    let (largest, median) = (all.last().copied().unwrap_or_default(), all[all.len() / 2]);
    Latency { bound, largest, median, halts: all.len() }
}

impl Drive {
    /// As many reads wait as there is credit.
    fn read_on(&mut self, addr: &mut u64) {
        while self.ask(&Frame::ReadMemory(ReadMemory { addr: *addr, length: 256 })).is_some() {
            *addr += 256;
        }
    }
}

/// What came of [`drift`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drift {
    /// Sessions: a grant lasts a day.
    pub sessions: u32,
    /// Commands.
    pub asked: u32,
    /// Those that were answered.
    pub answered: u32,
    /// Those that were refused.
    pub refused: u32,
    /// Halts that were executed.
    pub halts: u32,
}

/// So many hours of the world: one session of a day after another, on a stream or on a serial line, with a command
/// every ten minutes; the agent's clock and the host's are wrong by so many millionths.
///
/// # Errors
///
/// What went wrong.
pub fn drift(hours: u64, drifts: [i64; 2], stream: bool) -> Result<Drift, String> {
    let mut random = Random::new(hours);
    let plan = Plan { stream, drifts, rates: [11_520; 2], latency: 5 * MS, ..Plan::calm(&mut random) };
    let mut drive = Drive::new(&plan, random);
    drive.machine.log = Log::of::<60, 20>();
    let mut told = Drift::default();
    let end = hours * 3_600 * SECOND;
    while drive.now < end {
        drive.open();
        told.sessions += 1;
        let ends = drive.now + 86_000 * SECOND * 1_000_000 / (1_000_000 + drifts[0].unsigned_abs());
        let mut turn = 0;
        while drive.now < ends.min(end) {
            let next = (drive.now + 600 * SECOND).min(ends);
            let mut closed: Option<Closed> = None;
            while drive.now < next && closed.is_none() {
                drive.step(next, |event| match event {
                    Event::Closed(why) => closed = Some(why),
                    Event::Answer(answer) => {
                        told.answered += 1;
                        told.refused += u32::from(matches!(answer.frame, Frame::Error(_)));
                    }
                    _ => {}
                });
            }
            if let Some(why) = closed {
                return Err(format!("at {} s: {why}", drive.now / SECOND));
            }
            told.halts += u32::from(turn % 3 == 1 && drive.machine.stopped);
            let fingerprint = super::machine::FINGERPRINT;
            let frame = match turn % 3 {
                0 => Frame::Halt(Halt),
                1 => Frame::Resume(Resume),
                _ => Frame::SetAxis(SetAxis { axis: 0, position: turn, fingerprint }),
            };
            drive.ask(&frame).ok_or("there is no room for a command")?;
            drive.ask(&Frame::Release(Release { addr: 5, fingerprint })).ok_or("nor for a Release")?;
            told.asked += 2;
            drive.poll();
            turn += 1;
            // Somebody reads the log.
            drive.machine.log.release(u32::MAX);
        }
        // The last answers.
        let until = drive.now + SECOND;
        while drive.now < until {
            drive.step(until, |event| told.answered += u32::from(matches!(event, Event::Answer(_))));
        }
        drive.host.end(drive.clocks[1].read(drive.now));
        drive.poll();
        let until = drive.now + 10 * SECOND;
        while drive.agent.state() != SessionState::Closed || drive.host.state() != SessionState::Closed {
            drive.step(until, |_| {});
            if drive.now >= until {
                return Err(format!("a goodbye takes too long: {}", drive.agent.show()));
            }
        }
        drive.step(drive.now + SECOND, |_| {});
    }
    if let Some(misuse) = drive.machine.misuse {
        return Err(misuse);
    }
    let all = drive.machine.permitted == Domains::ALL;
    if all { Ok(told) } else { Err("the machine has changed".into()) }
}
