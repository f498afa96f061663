//! A host and an agent, on each kind of line and with a seal that has a handshake.

use core::cell::Cell;
use core::time::Duration;

use feedrate::rdp::frame::{Error, ErrorCode, Fingerprint, GetStatus};
use feedrate::rdp::packet::Lane;

use super::*;
use crate::agent::{Agent, AgentConfig};
use crate::arch::CortexM;
use crate::authority::{Claim, Grant};
use crate::line::ResetReason;
use crate::session::seal::Context;
use crate::sizes::Board;
use crate::target::{Refusal, Target};

struct Servo {
    recovers: bool,
}

impl Target for Servo {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        *b"servo 7, fw 1.02"
    }

    fn is_stopped(&self) -> bool {
        false
    }

    fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> {
        Err(Refusal::WrongState)
    }

    fn recover(&mut self) -> Result<(), Refusal> {
        if self.recovers { Ok(()) } else { Err(Refusal::WrongState) }
    }
}

type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;

fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    let grant = Grant::new(*b"maria\0\0\0", Domains::ALL, Duration::from_secs(60));
    if claim.token == b"token" { Ok(grant) } else { Err(1) }
}

const CONFIG: AgentConfig = AgentConfig::new(*b"boot no. 815", 815, "servo");

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Looks at all events, asks for the status as soon as it can, and says goodbye when it has it.
struct Tool {
    answered: Option<u8>,
    closed: Option<Closed>,
}

impl Tool {
    const NEW: Self = Self { answered: None, closed: None };

    fn turn<L: Line, Z: Seal>(&mut self, host: &mut Host<L, Z>, now: Instant) {
        let mut active = false;
        while let Some(event) = host.poll_event(now) {
            match event {
                Event::Active => active = true,
                Event::Answer(answer) => self.answered = Some(answer.frame.kind()),
                Event::Closed(why) => self.closed = Some(why),
                _ => {}
            }
        }
        if active {
            host.request(&GetStatus, now).unwrap();
        }
        if self.answered.is_some() {
            host.end(now);
        }
    }
}

type Links = (Host<Link<Desk>>, Agent<CortexM, Authority, Link<Board>>);

fn links() -> Links {
    let (uart, spi) = (Lane::UART, Some(Lane::SPI));
    (
        Host::new(HostConfig::new(), Link::host(uart, spi), Checksum::new()),
        Agent::new(CONFIG, Link::agent(uart, spi), authority, Checksum::new()),
    )
}

/// Up to the session's end; returns when that was.
fn play(links: &mut Links, servo: &mut Servo, tool: &mut Tool) -> u64 {
    let (host, agent) = links;
    for millis in 1..20_000 {
        let (now, mut packet) = (at(millis), [0; 512]);
        for lane in [LaneId::Signal, LaneId::Bulk] {
            while let length @ 1.. = host.poll_transmit(lane, &mut packet, now) {
                agent.feed(lane, &packet[..length], now);
            }
        }
        agent.run(servo, now);
        for lane in [LaneId::Signal, LaneId::Bulk] {
            while let length @ 1.. = agent.poll_transmit(lane, &mut packet, now) {
                host.feed(lane, &packet[..length], now);
            }
        }
        tool.turn(host, now);
        if tool.closed.is_some() {
            return millis;
        }
    }
    panic!("it does not end: {host:?}");
}

#[test]
fn on_a_serial_line() {
    let (mut links, mut tool) = (links(), Tool::NEW);
    links.0.connect(b"token", 7, NONCE, at(0)).unwrap();
    play(&mut links, &mut Servo { recovers: true }, &mut tool);
    assert_eq!((tool.answered, tool.closed), (Some(0xA8), Some(Closed::Ended(Cause::Asked))));
    // The agent is told, so that the next one need not wait.
    let (host, agent) = &mut links;
    let mut packet = [0; 64];
    let length = host.poll_transmit(LaneId::Signal, &mut packet, at(20_000));
    assert!(length > 0);
    agent.feed(LaneId::Signal, &packet[..length], at(20_000));
    agent.run(&mut Servo { recovers: true }, at(20_000));
    assert_eq!(agent.state(), SessionState::Closed);
}

#[test]
fn a_serial_line_whose_agent_refuses() {
    let (mut links, mut tool) = (links(), Tool::NEW);
    links.0.connect(b"another token", 7, NONCE, at(0)).unwrap();
    play(&mut links, &mut Servo { recovers: true }, &mut tool);
    let refused = Error { request: 0, code: ErrorCode::BadToken, detail: 1 };
    assert_eq!(tool.closed, Some(Closed::Refused(refused)));
}

#[test]
fn a_serial_line_that_is_busy_or_dead() {
    let (mut both, mut tool) = (links(), Tool::NEW);
    both.0.connect(b"token", 7, NONCE, at(0)).unwrap();
    let ended = play(&mut both, &mut Servo { recovers: false }, &mut tool);
    assert_eq!(tool.closed, Some(Closed::Line(LineEnd::Busy)));
    assert!((5000..5300).contains(&ended), "{ended}");

    let mut host = links().0;
    host.connect(b"token", 7, NONCE, at(0)).unwrap();
    for millis in 0..6000 {
        let _ = host.poll_transmit(LaneId::Signal, &mut [0; 64], at(millis));
    }
    assert!(matches!(host.poll_event(at(6000)), Some(Event::Closed(Closed::Line(LineEnd::NoAnswer)))));
}

#[test]
fn a_serial_line_that_is_unplugged_and_plugged_in_again() {
    let (mut both, mut tool) = (links(), Tool::NEW);
    both.0.connect(b"token", 7, NONCE, at(0)).unwrap();
    both.0.disconnect(LaneId::Signal, at(1));
    assert_eq!(play(&mut both, &mut Servo { recovers: true }, &mut tool), 1);
    assert_eq!(tool.closed, Some(Closed::Line(LineEnd::Gone)));
    tool = Tool::NEW;
    both.0.reconnect(LaneId::Signal);
    both.0.connect(b"token", 8, NONCE, at(0)).unwrap();
    play(&mut both, &mut Servo { recovers: true }, &mut tool);
    assert_eq!(tool.closed, Some(Closed::Ended(Cause::Asked)));
}

#[test]
fn an_agent_that_has_no_such_connection() {
    let (mut both, mut tool) = (links(), Tool::NEW);
    both.0.connect(b"token", 7, NONCE, at(0)).unwrap();
    let (host, agent) = &mut both;
    let mut packet = [0; 64];
    agent.run(&mut Servo { recovers: true }, at(0));
    let length = host.poll_transmit(LaneId::Signal, &mut packet, at(0));
    agent.feed(LaneId::Signal, &packet[..length], at(0));
    let length = agent.poll_transmit(LaneId::Signal, &mut packet, at(0));
    host.feed(LaneId::Signal, &packet[..length], at(0));
    assert!(host.poll_event(at(0)).is_none());
    assert_eq!(host.state(), SessionState::Connecting);
    // It is reset, and knows nothing of that.
    *agent = links().1;
    play(&mut both, &mut Servo { recovers: true }, &mut tool);
    assert_eq!(tool.closed, Some(Closed::Line(LineEnd::Reset(ResetReason::NoConnection))));
}

#[test]
fn the_handshake_s_time_begins_with_the_line() {
    let (mut host, mut agent) = links();
    host.connect(b"token", 7, NONCE, at(0)).unwrap();
    let mut packet = [0; 64];
    agent.run(&mut Servo { recovers: true }, at(0));
    let mut closed = None;
    for millis in 0..9000 {
        let length = host.poll_transmit(LaneId::Signal, &mut packet, at(millis));
        // For three seconds nobody is there, and then for one packet.
        if length > 0 && (3000..3251).contains(&millis) {
            agent.feed(LaneId::Signal, &packet[..length], at(millis));
            let length = agent.poll_transmit(LaneId::Signal, &mut packet, at(millis));
            host.feed(LaneId::Signal, &packet[..length], at(millis));
        }
        if let Some(Event::Closed(why)) = host.poll_event(at(millis)) {
            closed = closed.or(Some((why, millis)));
        }
    }
    let (why, when) = closed.unwrap();
    assert_eq!(why, Closed::HandshakeTimeout);
    assert!((8000..8300).contains(&when), "{when}");
}

/// Three records, and then tags. Not cryptography.
#[derive(Clone)]
struct Keyed {
    role: Role,
    /// Records that have passed.
    passed: u8,
    /// The third one is refused.
    picky: bool,
    /// So often an agent's is asked before it is through with the third one.
    slow: Cell<u32>,
    key: u8,
}

impl Keyed {
    const fn new() -> Self {
        Self { role: Role::Host, passed: 0, picky: false, slow: Cell::new(0), key: 0 }
    }

    fn is_mine(&self) -> bool {
        (self.passed % 2 == 0) == (self.role == Role::Host)
    }

    fn sum(&self, context: &Context, frame: &[u8]) -> u8 {
        frame.iter().chain(&context.header).fold(self.key ^ context.direction(), |sum, byte| sum ^ byte)
    }
}

impl Seal for Keyed {
    const SUITE: u16 = 0xFF00;
    const TAG: usize = 7;

    fn bind(&mut self, host_nonce: &[u8; 16], device_nonce: &[u8; 16]) {
        self.key = host_nonce.iter().chain(device_nonce).fold(0x5A, |sum, byte| sum.rotate_left(1) ^ byte);
    }

    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
        assert_eq!(self.progress(), Progress::Ready);
        tag.fill(self.sum(context, frame));
        frame.iter_mut().for_each(|byte| *byte ^= self.key);
    }

    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
        frame.iter_mut().for_each(|byte| *byte ^= self.key);
        tag == [self.sum(context, frame); 7]
    }

    fn begin(&mut self, role: Role) {
        (self.role, self.passed) = (role, 0);
    }

    fn progress(&self) -> Progress {
        match (self.passed, self.slow.get()) {
            (3, 0) => Progress::Ready,
            (3, left) if self.role == Role::Agent => {
                self.slow.set(left - 1);
                Progress::Pending
            }
            (3, _) => Progress::Ready,
            _ => Progress::Records,
        }
    }

    fn next_record(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.passed == 3 || !self.is_mine() {
            return None;
        }
        self.passed += 1;
        out[0] = self.passed;
        Some(1)
    }

    fn take_record(&mut self, record: &[u8]) -> Result<(), u32> {
        if self.is_mine() || record != [self.passed + 1] || self.picky && self.passed == 1 {
            return Err(77);
        }
        self.passed += 1;
        Ok(())
    }
}

/// A whole session over a stream: what the tool has seen of it, and the suite of the device.
fn session<H: Seal, A: Seal>(config: HostConfig, host: H, agent: A) -> (Tool, Option<u16>) {
    let mut host = Host::<Stream<Desk>, H>::new(config, Stream::host(), host);
    let line = Stream::<Board>::agent();
    let mut agent = Agent::<CortexM, Authority, _, A>::new(CONFIG, line, authority, agent);
    let (mut tool, mut suite) = (Tool::NEW, None);
    agent.connect().unwrap();
    host.connect(b"token", NONCE, at(0)).unwrap();
    for millis in 0..7000 {
        let (now, mut bytes) = (at(millis), [0; 100]);
        let length = host.poll_transmit(&mut bytes);
        let mut rest = &bytes[..length];
        agent.feed(&mut rest, now).unwrap();
        assert!(rest.is_empty());
        agent.run(&mut Servo { recovers: true }, now);
        let length = agent.poll_transmit(&mut bytes);
        let _ = host.feed(&mut &bytes[..length], now);
        if agent.is_finished() {
            agent.disconnect();
            host.disconnect();
        }
        suite = suite.or(host.device().map(|device| device.suite));
        tool.turn(&mut host, now);
        if host.is_finished() && tool.closed.is_some() {
            return (tool, suite);
        }
    }
    panic!("it does not end: {host:?}");
}

#[test]
fn on_a_stream() {
    let (tool, suite) = session(HostConfig::new(), Checksum::new(), Checksum::new());
    assert_eq!((tool.answered, tool.closed), (Some(0xA8), Some(Closed::Ended(Cause::Asked))));
    assert_eq!(suite, Some(0));
}

#[test]
fn with_a_seal_that_has_a_handshake() {
    let (tool, suite) = session(HostConfig::new().suite(0xFF00), Keyed::new(), Keyed::new());
    assert_eq!((tool.answered, tool.closed), (Some(0xA8), Some(Closed::Ended(Cause::Asked))));
    assert_eq!(suite, Some(0xFF00));
    // An agent that computes for a while has the Hello before it knows what to do with it.
    let slow = Keyed { slow: Cell::new(200), ..Keyed::new() };
    let (tool, suite) = session(HostConfig::new(), Keyed::new(), slow);
    assert_eq!((tool.answered, suite), (Some(0xA8), Some(0xFF00)));
}

#[test]
fn seals_that_do_not_fit() {
    let no_seal = |detail| {
        let error = Error { request: 0, code: ErrorCode::NoSeal, detail };
        Some(Closed::Refused(error))
    };
    // The agent has no such seal.
    let (tool, _) = session(HostConfig::new(), Keyed::new(), Checksum::new());
    assert_eq!((tool.closed, tool.answered), (no_seal(0), None));
    // The host has none.
    let (tool, _) = session(HostConfig::new(), Checksum::new(), Keyed::new());
    assert_eq!((tool.closed, tool.answered), (no_seal(0xFF00), None));
    // Either side's refuses the other's record.
    let picky = Keyed { picky: true, ..Keyed::new() };
    let (tool, _) = session(HostConfig::new(), picky, Keyed::new());
    assert_eq!((tool.closed, tool.answered), (Some(Closed::Seal(77)), None));
}

#[test]
fn a_seal_s_records_have_their_time() {
    let mut host = Host::<Stream<Desk>, _>::new(HostConfig::new(), Stream::host(), Keyed::new());
    let line = Stream::<Board>::agent();
    let mut agent = Agent::<CortexM, Authority, _, _>::new(CONFIG, line, authority, Keyed::new());
    host.connect(b"token", NONCE, at(0)).unwrap();
    agent.run(&mut Servo { recovers: true }, at(0));
    let mut tool = Tool::NEW;
    // Each of the first two waits for four seconds.
    for (round, millis) in [4000, 8000, 8001, 8002, 8003, 8004].into_iter().enumerate() {
        if round == 0 {
            agent.connect().unwrap();
        }
        let (now, mut bytes) = (at(millis), [0; 1024]);
        let length = host.poll_transmit(&mut bytes);
        agent.feed(&mut &bytes[..length], now).unwrap();
        agent.run(&mut Servo { recovers: true }, now);
        let length = agent.poll_transmit(&mut bytes);
        host.feed(&mut &bytes[..length], now).unwrap();
        tool.turn(&mut host, now);
    }
    assert_eq!((tool.closed, tool.answered), (Some(Closed::Ended(Cause::Asked)), Some(0xA8)));
}
