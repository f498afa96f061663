//! A whole request with its answer: ReadMemory of 64 bytes, from the host's call to the host's event, over a line
//! that is a variable.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::{Class, Domains, Fingerprint, ReadMemory, Region};
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::host::command::Ticket;
use feedrate_rdp::host::{Event, Host, HostConfig};
use feedrate_rdp::line::Line;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::sizes::{Board, Desk};
use feedrate_rdp::stream::Stream;
use feedrate_rdp::target::{Memory, Refusal, Target};

use crate::Sum;

/// Bytes that are read.
pub const LENGTH: u16 = 64;

/// Not the testkit's `Fake`: what a machine does is counted with the agent's instructions, and this one does no more
/// than to copy the bytes. Whatever one that can do everything looks at first would be counted too.
#[derive(Debug)]
struct Machine {
    memory: [u8; 256],
}

impl Target for Machine {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        *b"a machine at res"
    }

    fn is_stopped(&self) -> bool {
        true
    }

    fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> {
        Ok(())
    }

    fn recover(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn map(&self) -> &[Region] {
        const { &[Region { first: 0, last: 255, class: Class::Plain }] }
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }
}

impl Memory for Machine {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let start = (addr & 0x7F) as usize;
        into.copy_from_slice(&self.memory[start..start + into.len()]);
        Ok(into.len())
    }
}

fn authority(_: &Claim<'_>) -> Result<Grant, u32> {
    Ok(Grant::new(*b"a bench\0", Domains::ALL, Duration::from_secs(86_400)))
}

type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
type On<L> = Agent<CortexM, Authority, L>;
/// Length and first byte of an answer.
type Seen = (usize, u8);

const CONFIG: AgentConfig = AgentConfig::new(*b"boot no. 815", 815, "bench");
const NONCE: [u8; 16] = [7; 16];

/// Both ends, and a session between them.
#[derive(Debug)]
pub struct Pair {
    ends: Ends,
    machine: Machine,
    millis: u64,
}

#[derive(Debug)]
enum Ends {
    Serial { agent: Box<On<Link<Board>>>, host: Box<Host<Link<Desk>>>, mtu: usize },
    Stream { agent: Box<On<Stream<Board>>>, host: Box<Host<Stream<Desk>>> },
}

impl Pair {
    /// On a signal lane.
    ///
    /// # Panics
    ///
    /// If there is no session.
    pub fn serial(lane: Lane) -> Self {
        let link = Link::agent(lane, None);
        let agent = Box::new(Agent::new(CONFIG, link, authority as Authority, Checksum::new()));
        let mut host =
            Box::new(Host::new(HostConfig::new(), Link::<Desk>::host(lane, None), Checksum::new()));
        host.connect(b"token", 1, NONCE, Instant::ZERO).expect("a short token");
        Self::active(Ends::Serial { agent, host, mtu: lane.mtu() })
    }

    /// On a byte stream.
    ///
    /// # Panics
    ///
    /// If there is no session.
    pub fn stream() -> Self {
        let stream = Stream::agent();
        let mut agent = Box::new(Agent::new(CONFIG, stream, authority as Authority, Checksum::new()));
        let mut host = Box::new(Host::new(HostConfig::new(), Stream::<Desk>::host(), Checksum::new()));
        agent.connect().expect("nobody else is there");
        host.connect(b"token", NONCE, Instant::ZERO).expect("a short token");
        Self::active(Ends::Stream { agent, host })
    }

    fn active(ends: Ends) -> Self {
        let mut pair =
            Self { ends, machine: Machine { memory: std::array::from_fn(|i| i as u8) }, millis: 0 };
        for _ in 0..1000 {
            pair.turn(None);
            let state = match &pair.ends {
                Ends::Serial { host, .. } => host.state(),
                Ends::Stream { host, .. } => host.state(),
            };
            if state == SessionState::Active {
                return pair;
            }
        }
        panic!("no session: {pair:?}");
    }

    /// Asks `times` times, each time for what has been answered before.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub fn ask(&mut self, times: usize) -> Sum {
        let mut sum = Sum::default();
        for i in 0..times {
            let read = ReadMemory { addr: (i & 0x3F) as u64, length: LENGTH };
            let now = Instant::from_millis(self.millis);
            let ticket = match &mut self.ends {
                Ends::Serial { host, .. } => host.request(&read, now),
                Ends::Stream { host, .. } => host.request(&read, now),
            };
            let ticket = ticket.expect("an idle session");
            let mut turns = 0;
            let answer = loop {
                if let Some(answer) = self.turn(Some(&ticket)) {
                    break answer;
                }
                turns += 1;
                assert!(turns < 100, "no answer: {self:?}");
            };
            sum.add(answer.0);
            sum.add(answer.1.into());
        }
        sum
    }

    /// What the host has to send to the agent, what the agent has to send to the host, and the answer.
    fn turn(&mut self, ticket: Option<&Ticket<ReadMemory>>) -> Option<Seen> {
        self.millis += 1;
        let (mut bytes, now) = ([0; 1024], Instant::from_millis(self.millis));
        match &mut self.ends {
            Ends::Serial { agent, host, mtu } => {
                let packet = &mut bytes[..*mtu];
                while let length @ 1.. = host.poll_transmit(LaneId::Signal, packet, now) {
                    agent_feed_lane(agent, &packet[..length], now);
                }
                agent_run(agent, &mut self.machine, now);
                while let length @ 1.. = agent_poll_lane(agent, packet, now) {
                    host.feed(LaneId::Signal, &packet[..length], now);
                }
                events(host, ticket, now)
            }
            Ends::Stream { agent, host } => {
                while let length @ 1.. = host.poll_transmit(&mut bytes) {
                    agent_feed_stream(agent, &bytes[..length], now);
                }
                agent_run(agent, &mut self.machine, now);
                while let length @ 1.. = agent_poll_stream(agent, &mut bytes) {
                    let mut arrived = &bytes[..length];
                    host.feed(&mut arrived, now).expect("RDPv3");
                    assert!(arrived.is_empty(), "there is room");
                }
                events(host, ticket, now)
            }
        }
    }
}

/// What has happened on the host: the answer, if it has come.
fn events<L: Line>(host: &mut Host<L>, ticket: Option<&Ticket<ReadMemory>>, now: Instant) -> Option<Seen> {
    let mut seen = None;
    while let Some(event) = host.poll_event(now) {
        if let (Event::Answer(answer), Some(ticket)) = (event, ticket) {
            let memory = ticket.read(&answer).expect("the only one").expect("it is mapped");
            let data = memory.data.as_slice();
            seen = Some((data.len(), data[0]));
        }
    }
    seen
}

// The agent's half, each a function of its own, so that what it takes can be told from the host's.

#[inline(never)]
fn agent_feed_lane(agent: &mut On<Link<Board>>, input: &[u8], now: Instant) {
    agent.feed(LaneId::Signal, input, now);
}

#[inline(never)]
fn agent_feed_stream(agent: &mut On<Stream<Board>>, mut input: &[u8], now: Instant) {
    agent.feed(&mut input, now).expect("RDPv3");
    assert!(input.is_empty(), "there is room");
}

#[inline(never)]
fn agent_run<L: Line>(agent: &mut On<L>, machine: &mut Machine, now: Instant) {
    agent.run(machine, now);
}

#[inline(never)]
fn agent_poll_lane(agent: &mut On<Link<Board>>, out: &mut [u8], now: Instant) -> usize {
    agent.poll_transmit(LaneId::Signal, out, now)
}

#[inline(never)]
fn agent_poll_stream(agent: &mut On<Stream<Board>>, out: &mut [u8]) -> usize {
    agent.poll_transmit(out)
}
