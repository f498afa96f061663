//! An agent, the machine behind it, and a host that does whatever the fuzzer likes.

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::crc;
use feedrate::rdp::frame::{Agree, Class, Domains, ErrorCode, Frame, Heartbeat, Hello, List, Region, Secret};
use feedrate_rdp::Role;
use feedrate_rdp::agent::{AgentConfig, StopCause};
use feedrate_rdp::link::LaneId;
use feedrate_rdp::session::SessionState;
use feedrate_rdp::target::Act;
use feedrate_testkit::machine::{Extensions, Failures, Fake, Journal, Log};
use feedrate_testkit::rdp::rig::token;

use super::checks::{Checks, FROZEN, Session};
use super::ends::{Ends, Noise, Now};
use super::{AROUND, FINGERPRINT, LONGEST, Speaker, bytes};

const CONFIG: AgentConfig = AgentConfig::new(*b"boot no. 815", 815, "fuzzed").frozen(FROZEN);

/// Regions of each class, next to one another and over one another, where [`sense`](super::sense) has its addresses.
pub const MAP: &[Region] = &[
    Region { first: 0x1000, last: 0x101F, class: Class::Plain },
    Region { first: 0x1008, last: 0x100B, class: Class::Protected },
    Region { first: 0x1020, last: 0x1027, class: Class::SideEffects },
    Region { first: 0x102C, last: 0x1040, class: Class::Plain },
];

pub struct World {
    pub ends: Ends,
    pub machine: Fake,
    pub peer: Speaker,
    pub checks: Checks,
    pub noise: Noise,
    /// The agent's clock, and what time it is, in microseconds.
    pub clock: u64,
    pub real: u64,
    /// Whether the host answers Heartbeats.
    pub lives: bool,
    /// Something has happened on the line that no host does, or that a line may take its time for.
    pub tainted: bool,
    config: AgentConfig,
    connections: u8,
    state: Option<u32>,
    welcomed: bool,
    refused: Option<ErrorCode>,
    done: bool,
}

impl World {
    /// Which line, which machine.
    pub fn new(flags: u16) -> Self {
        let flag = |n: u16| flags >> n & 1 == 1;
        let config = CONFIG.observers(flag(0)).policy(flag(1)).lease(3_000);
        let ends = if flag(2) { Ends::serial(config, flag(3)) } else { Ends::stream(config) };
        let all = Extensions::ALL;
        let has = match flags >> 4 & 7 {
            0..=3 => all,
            4 => Extensions { interlock: false, ..all },
            5 => Extensions { audit: false, ..all },
            6 => Extensions { forcing: false, memory: false, ..all },
            _ => Extensions { machine: false, breakpoints: false, ..all },
        };
        let machine = Fake {
            has,
            fingerprint: FINGERPRINT,
            stopped: flag(7),
            slowness: if flag(8) { 20 } else { 0 },
            map: MAP,
            stall: config.stall.into(),
            // Each time that they are read, another one has changed.
            registers: |machine| std::array::from_fn(|i| 0x1000 + (machine.captures + i as u64) / 17),
            memory: |addr, into| {
                into.fill(addr as u8);
                Ok(into.len().min(addr as usize % 300))
            },
            plc: |first, into| into.len().min(usize::from(first)),
            log: if flag(9) { Log::of::<48, 16>() } else { Log::of::<6, 3>() },
            journal: Journal::kept(),
            ..Fake::new()
        };
        let mut world = Self {
            ends,
            machine,
            peer: Speaker::new(Role::Host, [0; 16]),
            checks: Checks::new(config),
            noise: Noise::default(),
            clock: 1_000_000,
            real: 1_000_000,
            lives: true,
            tainted: false,
            config,
            connections: 0,
            state: None,
            welcomed: false,
            refused: None,
            done: false,
        };
        world.turn();
        world
    }

    pub fn now(&self) -> Now {
        Now { agent: Instant::from_micros(self.clock), peer: Instant::from_micros(self.real) }
    }

    pub fn is_active(&self) -> bool {
        self.ends.state() == SessionState::Active
    }

    /// The agent runs once.
    pub fn run(&mut self) {
        self.machine.pass_to(self.real / 1_000);
        while let Some(cause) = self.machine.stop_now() {
            self.stop(cause);
        }
        let (before, broken) = self.checks.before(&self.machine, self.clock);
        let now = self.now();
        self.ends.run(&mut self.machine, now.agent);
        self.judge();
        let active = self.is_active();
        self.checks.after(&self.machine, &before, active, broken);
    }

    fn judge(&mut self) {
        let deeds = self.machine.journal.take();
        self.checks.judge(&self.machine, &deeds);
    }

    /// The program has come to a stand.
    pub fn stop(&mut self, cause: StopCause) {
        self.checks.see(self.clock);
        let now = self.now().agent;
        self.ends.stopped(&mut self.machine, cause, now);
        self.judge();
    }

    /// All that happens now.
    pub fn turn(&mut self) {
        let mut quiet = 0;
        for _ in 0..200 {
            self.checks.see(self.clock);
            let now = self.now();
            let mut moved = self.ends.to_agent(&mut self.noise, now);
            self.run();
            moved |= self.ends.to_peer(&mut self.noise, now);
            for (channel, message) in self.ends.heard() {
                moved = true;
                self.hear(channel, &message);
            }
            quiet = if moved { 0 } else { quiet + 1 };
            if quiet > 2 {
                break;
            }
        }
        self.calm();
    }

    /// Nothing moves any more: whoever was owed an answer has it, and the agent does not ask to be run.
    fn calm(&self) {
        if self.tainted || self.noise.deaf || self.noise.lose > 0 || self.noise.spoil > 0 {
            return;
        }
        if let Some(session) = &self.checks.session {
            assert!(!session.is_owed(), "not answered: {:?}", session.owed);
            assert!(self.checks.challenges(), "no Heartbeat: {:?}", session.beats.last());
        }
        let deadline = self.ends.deadline().map(Instant::as_micros);
        if self.clock == self.checks.high {
            assert!(deadline.is_none_or(|at| at > self.clock), "it is to be run at {deadline:?}, and is");
        }
        if let Some(due) = self.checks.due(&self.machine) {
            assert!(deadline.is_some_and(|at| at <= due), "{deadline:?} is too late: {due}");
        }
    }

    fn hear(&mut self, channel: Channel, message: &[u8]) {
        let said = self.peer.open(channel, message);
        let frame = said.frame();
        match frame {
            Frame::Welcome(welcome) => {
                self.peer.bind(true, welcome.device_nonce);
                self.welcomed = true;
            }
            Frame::State(_) => self.state = Some(crc::crc_32(&[&said.frame[6..]])),
            Frame::Heartbeat(Heartbeat { challenge, .. }) => {
                if let Some(session) = &mut self.checks.session {
                    session.beats.push((challenge, said.time));
                }
                if self.lives {
                    self.say(Channel::Urgent, &bytes(&Frame::Heartbeat(Heartbeat { run: None, challenge })));
                }
            }
            Frame::Bye(bye) if !self.tainted => self.checks.bye(&self.machine, bye.reason),
            Frame::Bye(_) | Frame::Stopped(_) => {}
            Frame::Error(error) if self.checks.session.is_none() => self.refused = Some(error.code),
            Frame::Done(_) if self.checks.session.is_none() => self.done = true,
            _ => {
                let request = frame.request().unwrap_or_else(|| panic!("{frame:?}"));
                let Some(session) = &mut self.checks.session else { return };
                if let (Frame::Done(_), Some(Frame::Renew(renew))) =
                    (frame, session.frame(Channel::Ordinary, request))
                {
                    let (addr, lease) = (renew.addr, renew.lease);
                    self.checks.renewed(addr, lease);
                }
                let Some(session) = &mut self.checks.session else { return };
                if !self.tainted {
                    session.answered(channel, request);
                } else {
                    session.owed[channel.index()].retain(|owed| *owed != request);
                }
            }
        }
    }

    /// The host says something, as it should be said.
    pub fn say(&mut self, channel: Channel, frame: &[u8]) {
        let (sequence, time) = (self.peer.next, self.peer.heard);
        self.say_as(channel, sequence, time, frame);
    }

    /// The same with any sequence and time.
    pub fn say_as(&mut self, channel: Channel, sequence: u32, time: u32, frame: &[u8]) {
        let longest = if channel == Channel::Urgent { 512 } else { LONGEST };
        if !self.ends.is_open() || frame.len() > longest - AROUND {
            return;
        }
        let message = self.peer.message(channel, sequence, time, frame);
        if !self.ends.send(channel, &message, self.now()) {
            return;
        }
        self.peer.next = self.peer.next.max(sequence.saturating_add(1)).min(1 << 31);
        if let Some(session) = &mut self.checks.session {
            session.said(channel, sequence, time, frame);
        }
    }

    /// Somebody connects, and begins a session with this grant. It is active if nothing keeps it from that.
    pub fn connect(&mut self, domains: u8, seconds: u8) {
        let active = self.is_active();
        let busy = active || self.ends.state() == SessionState::Disconnecting;
        self.connections = self.connections.wrapping_add(1);
        let at_once = self.ends.connect(self.connections.into(), self.now());
        if !at_once {
            assert!(busy || self.checks.fresh, "a new connection is refused: {:?}", self.ends.state());
            return;
        }
        let stream = matches!(self.ends, Ends::Stream { .. });
        assert!(!(stream && active), "a new connection takes the place of one whose session is active");
        self.peer = Speaker::new(Role::Host, [self.connections; 16]);
        (self.state, self.welcomed, self.refused, self.done) = (None, false, None, false);
        // Of an earlier session, on a line whose peer has forgotten it.
        self.tainted |= active;
        self.turn();
        if active || !self.ends.is_open() {
            return;
        }
        self.tainted = self.noise.lose > 0 || self.noise.spoil > 0;
        let token = token(Domains(domains), seconds.into());
        let suites = [0];
        let hello = bytes(&Frame::Hello(Hello {
            lowest: 3,
            highest: 3,
            nonce: self.peer.host_nonce,
            longest: 600,
            suites: List::new(&suites),
            token: Secret::new(&token),
        }));
        self.say(Channel::Urgent, &hello);
        self.peer.bind(true, [0; 16]);
        self.turn();
        let (Some(crc), true) = (self.state, self.welcomed) else { return };
        let started = self.checks.high;
        let stuck = (!self.machine.held.is_empty()) || self.machine.slots.iter().any(Option::is_some);
        let control = Domains(domains).contains(Domains::CONTROL);
        assert!(!(stuck && control), "a session with control, although something is stuck");
        let heard = self.peer.heard;
        self.say(Channel::Urgent, &bytes(&Frame::Agree(Agree { crc })));
        let [.., a, b, c, d] = self.peer.device_nonce;
        let until = started.saturating_add(u64::from(seconds) * 1_000_000);
        let number = u32::from_be_bytes([a, b, c, d]);
        // What comes before Done is not its business yet, and nothing is executed.
        let granted = Domains(domains);
        let mut session = Session::new(number, granted, until, started, self.machine.generation.get(), heard);
        let last = self.peer.next - 1;
        session.last = [Some(last), None];
        session.owed[0].push_back(last);
        let mut session = Some(session);
        for _ in 0..20 {
            if self.done {
                break;
            }
            let now = self.now();
            self.ends.to_agent(&mut self.noise, now);
            self.checks.see(self.clock);
            let (before, broken) = self.checks.before(&self.machine, self.clock);
            self.ends.run(&mut self.machine, now.agent);
            if self.is_active() && self.checks.session.is_none() {
                self.checks.session = session.take();
                self.judge();
                self.checks.after(&self.machine, &before, true, broken);
                self.turn();
                return;
            }
            self.judge();
            self.checks.after(&self.machine, &before, false, broken);
            self.ends.to_peer(&mut self.noise, now);
        }
    }

    /// Time passes, and nobody runs.
    pub fn wait(&mut self, micros: u64) {
        self.clock += micros;
        self.real += micros;
        self.machine.pass_to(self.real / 1_000);
    }

    /// Time passes, with a run now and then.
    pub fn pass(&mut self, steps: u16, micros: u64) {
        for _ in 0..steps {
            self.wait(micros);
            self.turn();
        }
    }

    /// Time passes until the agent wants to run.
    pub fn sleep(&mut self) {
        let at = self.ends.deadline().map_or(0, Instant::as_micros);
        self.wait(at.saturating_sub(self.clock).min(4_000_000));
        self.turn();
    }

    /// Runs that find the clock where it is.
    pub fn stand(&mut self) {
        let active = self.is_active();
        for _ in 0..=FROZEN {
            self.run();
        }
        assert!(!(active && self.is_active()), "a clock that stands does not end the session");
        self.turn();
    }

    /// The controller starts again.
    pub fn restart(&mut self) {
        self.machine.restart();
        let boots = self.config.boots + 1;
        let mut boot = self.config.boot;
        boot[..4].copy_from_slice(&boots.to_be_bytes());
        (self.config.boot, self.config.boots) = (boot, boots);
        self.ends.restart(self.config);
        self.checks = Checks::new(self.config);
        // Whatever its clock begins with.
        self.clock = u64::from(boots) * 777;
        self.turn();
    }

    pub fn cut(&mut self, lane: LaneId) {
        self.ends.cut(lane, self.now());
        self.tainted = true;
        self.turn();
    }

    /// What works, and what is allowed.
    pub fn set(&mut self, which: u8, a: u32) {
        use feedrate_rdp::target::Refusal::{Fatal, Interlock, ReadOnly, WrongState};
        let refusal = [None, Some(Interlock), Some(ReadOnly), Some(WrongState)][a as usize % 4];
        match which % 11 {
            0 => self.machine.fails.release = refusal,
            1 => self.machine.fails.clear = refusal,
            2 => self.machine.fails.react = refusal,
            3 => self.machine.fails.recover = refusal,
            4 => {
                self.machine.refuses = if a % 9 == 8 { Some(Fatal(a)) } else { refusal };
                self.checks.fatal |= a % 9 == 8;
            }
            5 => self.machine.permitted = Domains(a as u8),
            6 => self.machine.generation.set(self.machine.generation.get().wrapping_add(a % 3)),
            7 | 8 => {
                self.machine.permits = [
                    |_: &Fake, _| true,
                    |_: &Fake, _| false,
                    |_: &Fake, act| !matches!(act, Act::Hold(_)),
                    |_: &Fake, act| !matches!(act, Act::KeepArmed(_)),
                    |_: &Fake, act| !matches!(act, Act::Step | Act::Resume | Act::Halt),
                    |_: &Fake, act| !matches!(act, Act::Hold(addr) | Act::KeepArmed(addr) if addr & 1 == 1),
                ][a as usize % 6];
            }
            9 => self.machine.fails = Failures::NONE,
            _ => {
                self.machine.permits = |_, _| true;
                self.machine.permitted = Domains::ALL;
            }
        }
        self.turn();
    }

    /// Left alone, and with a machine that works, it lets go of everything.
    pub fn leave_alone(mut self) {
        self.machine.fails = Failures::NONE;
        (self.lives, self.noise) = (false, Noise::default());
        self.pass(16, 5_000_000);
        assert!(self.machine.is_left_alone(), "{:x?} {:?}", self.machine.held, self.machine.slots);
        let state = self.ends.state();
        assert!(matches!(state, SessionState::Closed | SessionState::Idle), "{state:?}");
    }
}
