//! A simulator of RDPv3: one schedule after another, each all made of one number.
//!
//! A host and an agent, a machine behind the agent, and lines between them that do everything that lines do; clocks
//! that are wrong in every way; hosts that die, agents that hang and start again, and somebody who has no token. What
//! happened is held against what the protocol promises (SPEC section 12).

mod ask;
mod attack;
mod carrying;
mod check;
mod checked;
mod clock;
mod drive;
mod ends;
mod fault;
mod ledger;
mod lines;
mod machine;
mod plan;
mod sabotage;
mod socket;
mod tally;
mod turns;
mod verdict;
mod wire;

use feedrate_rdp::agent::AgentConfig;
use feedrate_rdp::session::SessionState;

use self::ask::Ask;
use self::check::Session;
use self::checked::{Checked, ensure};
use self::clock::Clock;
pub use self::drive::{Drift, Latency, drift, halt_latency};
use self::ends::{AgentEnd, HostEnd, agent, host};
pub use self::fault::Sabotage;
use self::ledger::Ledger;
use self::lines::Lines;
use self::machine::{FATAL, machine, mixed};
use self::plan::{MS, Plan};
pub use self::tally::Tally;
use crate::machine::Fake;
use crate::random::Random;

/// How long after the last fault everything has to be settled: patience, and a link that gives up, come first.
const SETTLED: u64 = 45_000 * MS;
/// A schedule that takes more steps than that hangs.
const STEPS: u64 = 1_000_000;

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
    World::new(plan, random, sabotage, trace).run()
}

struct World {
    plan: Plan,
    /// The plan as it was, whose events are not used up.
    whole: Plan,
    random: Random,
    sabotage: Sabotage,
    trace: bool,
    /// The world's time, in microseconds.
    now: u64,
    host: Box<dyn HostEnd>,
    agent: Box<dyn AgentEnd>,
    /// The agent's, and the host's.
    clocks: [Clock; 2],
    machine: Fake,
    ledger: Ledger,
    lines: Lines,
    /// The host's sessions: the present one is the last.
    sessions: Vec<Session>,
    /// Starts of the agent.
    boot: u32,
    host_state: SessionState,
    agent_state: SessionState,
    host_dead_until: Option<u64>,
    host_hangs: u64,
    agent_hangs: u64,
    host_at: u64,
    agent_at: u64,
    ran_at: u64,
    host_due: bool,
    agent_due: bool,
    host_spins: u32,
    agent_spins: u32,
    ask_at: u64,
    reconnect_at: Option<u64>,
    jammed_until: u64,
    recovers: u64,
    thaws: u64,
    forbidden: bool,
    unique: u32,
    /// Packets may have come back to their sender, or from another connection of the same number.
    foreign: bool,
    /// No faults any more.
    quiet: bool,
    /// No commands any more.
    still: bool,
    tally: Tally,
}

impl World {
    fn new(plan: Plan, mut random: Random, sabotage: Sabotage, trace: bool) -> Self {
        let mut machine = machine(random.clone(), u64::from(plan.times[3]) * MS);
        if sabotage == Sabotage::Mixed {
            machine.memory = mixed;
        }
        let clocks = plan.drifts.map(|drift| Clock::new(random.below(1 << 45), drift));
        let lines = Lines::new(&plan);
        let config = config(&plan, 0, &mut random);
        Self {
            agent: agent(&plan, config),
            host: host(&plan),
            whole: plan.clone(),
            plan,
            random,
            sabotage,
            trace,
            now: 0,
            clocks,
            machine,
            ledger: Ledger::default(),
            lines,
            sessions: Vec::new(),
            boot: 0,
            host_state: SessionState::Idle,
            agent_state: SessionState::Idle,
            host_dead_until: None,
            host_hangs: 0,
            agent_hangs: 0,
            host_at: 0,
            agent_at: 0,
            ran_at: 0,
            host_due: true,
            agent_due: true,
            host_spins: 0,
            agent_spins: 0,
            ask_at: 0,
            reconnect_at: None,
            jammed_until: 0,
            recovers: 0,
            thaws: u64::MAX,
            forbidden: false,
            unique: 0,
            foreign: false,
            quiet: false,
            still: false,
            tally: Tally::default(),
        }
    }

    fn config(&mut self) -> AgentConfig {
        config(&self.plan, self.boot, &mut self.random)
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>10} {}", self.now, what());
        }
    }

    fn run(mut self) -> Result<Tally, String> {
        let result = self.schedule();
        result.map_err(|error| format!("at {} us: {error}", self.now))?;
        let ended = match self.host_state {
            SessionState::Active => "Active",
            _ => "not Active",
        };
        self.tally.add("host at the end", ended, 1);
        self.tally.add("all", if self.plan.stream { "on streams" } else { "on serial lines" }, 1);
        self.tally.add("all", "schedules", 1);
        self.tally.add("all", "sessions", self.sessions.len() as u64);
        self.tally.add("all", "virtual seconds", self.now / 1_000_000);
        Ok(self.tally)
    }

    fn schedule(&mut self) -> Checked {
        self.connect();
        let mut steps = 0;
        let mut step = |this: &mut Self| {
            steps += 1;
            ensure!(steps < STEPS, "it hangs: {}, {}", this.host.show(), this.agent.show());
            this.step()
        };
        while self.now < self.plan.faults_until {
            step(self)?;
        }
        self.quiet = true;
        self.say(|| "no faults from here on".into());
        // Commands go on for a while.
        let until = self.now + self.random.below(1_500 * MS);
        while self.now < until {
            step(self)?;
        }
        self.still = true;
        self.reconnect_at = None;
        let until = self.now + SETTLED;
        while !self.is_settled() {
            step(self)?;
            ensure!(self.now < until, "nothing settles: {}, {}", self.host.show(), self.agent.show());
        }
        self.afterwards(&mut step)?;
        verdict::conclude(&self.whole, &self.sessions, &self.ledger, &mut self.tally)
    }

    /// On a good line there is a session, whatever happened before.
    fn afterwards(&mut self, step: &mut impl FnMut(&mut Self) -> Checked) -> Checked {
        self.lines.wires.iter_mut().flatten().for_each(|wire| wire.silent_until = 0);
        self.machine.permits = |_, _| true;
        self.machine.permitted = feedrate::rdp::frame::Domains::ALL;
        (self.jammed_until, self.forbidden) = (0, false);
        // What is late comes now, and whoever hung goes on.
        let until = self.now + 7_500 * MS;
        while self.now < until {
            step(self)?;
        }
        // What came from elsewhere may have been an ACK of this connection's number, and the real ones are ignored
        // for long.
        if self.host_state != SessionState::Active || self.foreign || self.host_dead_until.is_some() {
            self.foreign = false;
            self.plan.token = b"all";
            self.connect();
            let until = self.now + 15_000 * MS;
            while self.session().active_at.is_none() {
                step(self)?;
                if self.session().closed && self.reconnect_at.is_none() {
                    // Somebody was before it, and is about to be lost.
                    self.reconnect_at = Some(self.now + 250 * MS);
                }
                ensure!(
                    self.now < until,
                    "no session on a good line: {}, {}",
                    self.host.show(),
                    self.agent.show()
                );
            }
            self.tally.add("all", "sessions on a good line afterwards", 1);
        }
        self.still = false;
        let until = self.now + 1_000 * MS;
        while self.now < until {
            step(self)?;
        }
        self.still = true;
        let until = self.now + SETTLED;
        while !self.is_settled() {
            step(self)?;
            ensure!(
                self.now < until,
                "nothing settles on a good line: {}, {}",
                self.host.show(),
                self.agent.show()
            );
        }
        // What is still under way, and answers nothing, arrives.
        let until = self.now + 5_000 * MS;
        while self.now < until {
            step(self)?;
        }
        if self.host_state == SessionState::Active {
            let Self { sessions, machine, .. } = self;
            sessions.last_mut().expect("there is one").registers_left_out(machine)?;
        }
        let session = self.sessions.last().expect("there is one from the start on");
        let fatal = session.sent.values().any(|sent| matches!(sent.ask, Ask::Force { addr: FATAL, .. }));
        let brief = matches!(session.token, b"bad" | b"brief");
        // Eight long answers take long on the slowest lines.
        let slow = self.plan.patience < 8_000 || self.plan.rates[0] < 10_000 || self.plan.times[1] < 1_000;
        ensure!(!session.closed || fatal || brief || slow, "a session on a good line has ended");
        Ok(())
    }

    fn session(&self) -> &Session {
        self.sessions.last().expect("there is one from the start on")
    }

    fn is_settled(&self) -> bool {
        match self.host_state {
            _ if self.host_dead_until.is_some() => true,
            SessionState::Active => self.session().waiting() == 0 && self.machine.pending.is_none(),
            SessionState::Closed => self.session().closed,
            _ => false,
        }
    }

    fn step(&mut self) -> Checked {
        self.machine.pass_to(self.now);
        self.ledger.follow(&self.machine.journal)?;
        self.events();
        self.arrivals()?;
        let period = self.plan.agent_period;
        self.agent_due |= period > 0 && self.now >= self.ran_at + period;
        if self.agent_due && self.now >= self.agent_at && self.now >= self.agent_hangs {
            self.run_agent()?;
        }
        let host_runs = self.host_dead_until.is_none() && self.now >= self.host_hangs;
        if self.host_due && self.now >= self.host_at && host_runs {
            self.run_host()?;
        }
        self.poll();
        self.advance();
        Ok(())
    }

    /// On to whatever comes next.
    fn advance(&mut self) {
        let now = self.now;
        let mut next = now + 10_000 * MS;
        let mut at = |time: Option<u64>| next = time.map_or(next, |time| next.min(time));
        at(self.lines.next(now));
        // A deadline that has passed waits for the line, or for room.
        let past = |when: Option<u64>, spins: &mut u32| {
            let when = when?;
            *spins = if when <= now { *spins + 1 } else { 0 };
            Some(if when <= now { now + (200 << (*spins).min(7)) } else { when })
        };
        let agent = self.agent.deadline().and_then(|deadline| self.clocks[0].when(deadline));
        let agent = past(agent, &mut self.agent_spins);
        let host = self.host.deadline().and_then(|deadline| self.clocks[1].when(deadline));
        let host = past(host, &mut self.host_spins).filter(|_| self.host_dead_until.is_none());
        let (agent_free, host_free) =
            (self.agent_at.max(self.agent_hangs), self.host_at.max(self.host_hangs));
        at(agent.map(|time| time.max(agent_free)));
        at(host.map(|time| time.max(host_free)));
        at(self.host_due.then_some(host_free).filter(|_| self.host_dead_until.is_none()));
        at(self.agent_due.then_some(agent_free));
        let period = self.plan.agent_period;
        at((period > 0).then(|| (self.ran_at + period).max(agent_free)));
        at(self.machine.pending.map(|(time, _)| time.max(agent_free)));
        if !self.machine.held.is_empty() {
            at(Some(self.machine.alive + self.machine.stall));
        }
        at(self.reconnect_at);
        at(self.host_dead_until.filter(|_| !self.still));
        at((self.thaws != u64::MAX).then_some(self.thaws));
        at(self.machine.fails.recover.map(|_| self.recovers.max(now + 10 * MS)));
        at(self.plan.events.first().map(|(time, _)| *time));
        if !self.still && self.host_state == SessionState::Active && self.host_dead_until.is_none() {
            at(Some(self.ask_at.max(host_free)));
        }
        if !self.quiet {
            at(Some(self.plan.faults_until));
        }
        self.now = next.max(now + 100);
        let reached = |time: Option<u64>| time.is_some_and(|time| time <= self.now);
        self.host_due |= reached(host) || (!self.still && self.now >= self.ask_at);
        self.agent_due |= reached(agent)
            || reached(self.machine.pending.map(|(time, _)| time))
            || self.machine.fails.recover.is_some();
    }
}

/// What the agent of this start of the controller is told.
fn config(plan: &Plan, boot: u32, random: &mut Random) -> AgentConfig {
    let mut number: [u8; 12] = random.bytes();
    if plan.same_boots {
        // Connections are counted from the sum of these pairs: packets of one boot's connections are taken for the
        // next one's.
        let (mut even, mut odd) = (0xFF, 0xFE);
        for pair in number[..10].chunks_exact(2) {
            even ^= pair[0];
            odd ^= pair[1];
        }
        [number[10], number[11]] = [even, odd];
    }
    let [heartbeat, loss, tolerance, stall] = plan.times;
    AgentConfig::new(number, boot, "simulated")
        .heartbeat(heartbeat)
        .loss(loss)
        .tolerance(tolerance)
        .stall(stall)
        .lease(600_000)
        .frozen(plan.frozen())
        .observers(true)
}
