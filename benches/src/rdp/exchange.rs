//! A whole request with its answer: ReadMemory of 64 bytes, from the host's call to the host's event, over lanes that
//! are variables.

use feedrate::rdp::frame::{Domains, Fingerprint, ReadMemory};
use feedrate::rdp::packet::Line;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::host::command::{self, Ticket};
use feedrate_rdp::host::{Event, Host, HostConfig};
use feedrate_rdp::link::{Board, LaneId, Sizes};
use feedrate_rdp::session::{Checksum, SessionState};
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
        *b"a machine at rest"[..16].first_chunk().expect("16 bytes")
    }

    fn is_stopped(&self) -> bool {
        true
    }

    fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> {
        Ok(())
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

fn authority(_: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    Ok(Grant { operator: *b"a bench\0", domains: Domains::ALL, lasts: i32::MAX as u32 })
}

type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;

/// Both ends, and a session between them.
#[derive(Debug)]
pub struct Pair {
    agent: Box<Agent<CortexM, Authority, Board, Checksum>>,
    host: Box<Host>,
    machine: Machine,
    line: Line,
    now: u32,
}

impl Pair {
    /// # Panics
    ///
    /// If there is no session.
    pub fn new(line: Line) -> Self {
        let config = AgentConfig::board(*b"boot no. 815", "bench").signal(line).bulk(None);
        let mut host = Box::new(Host::new(HostConfig::new(line), Checksum));
        host.connect(b"token", 1, [7; 16], 0).expect("a short token");
        let machine = Machine { memory: std::array::from_fn(|i| i as u8) };
        let agent = Box::new(Agent::new(config, authority as Authority, Checksum));
        let mut pair = Self { agent, host, machine, line, now: 0 };
        for _ in 0..1000 {
            pair.turn(None);
            if pair.host.state() == SessionState::Active {
                return pair;
            }
        }
        panic!("no session: {:?}", pair.host);
    }

    /// Asks `times` times, each time for what has been answered before.
    pub fn ask(&mut self, times: usize) -> Sum {
        let mut sum = Sum::default();
        for i in 0..times {
            let read = ReadMemory { addr: (i & 0x3F) as u64, length: LENGTH };
            let ticket = self.host.request(&command::ReadMemory(read), self.now).expect("an idle session");
            let mut turns = 0;
            let answer = loop {
                if let Some(answer) = self.turn(Some(&ticket)) {
                    break answer;
                }
                turns += 1;
                assert!(turns < 100, "no answer: {:?}", self.host);
            };
            sum.add(answer.0);
            sum.add(answer.1.into());
        }
        sum
    }

    /// What the host has to send to the agent, what the agent has to send to the host, and the answer's length and
    /// first byte.
    fn turn(&mut self, ticket: Option<&Ticket<command::ReadMemory>>) -> Option<(usize, u8)> {
        self.now += 1;
        let (mut packet, now) = ([0; 1024], self.now);
        let packet = &mut packet[..self.line.mtu];
        loop {
            let length = self.host.poll(LaneId::Signal, packet, now);
            if length == 0 {
                break;
            }
            agent_feed(&mut self.agent, &packet[..length], now);
        }
        agent_run(&mut self.agent, &mut self.machine, now);
        loop {
            let length = agent_poll(&mut self.agent, packet, now);
            if length == 0 {
                break;
            }
            self.host.feed(LaneId::Signal, &packet[..length], now);
        }
        let mut seen = None;
        while let Some(event) = self.host.event(now) {
            if let (Event::Answer(answer), Some(ticket)) = (event, ticket) {
                let memory = ticket.read(&answer).expect("the only one").expect("it is mapped");
                let data = memory.data.as_slice();
                seen = Some((data.len(), data[0]));
            }
        }
        seen
    }
}

// The agent's half, each a function of its own, so that what it takes can be told from the host's.

#[inline(never)]
fn agent_feed<S: Sizes>(agent: &mut Agent<CortexM, Authority, S, Checksum>, input: &[u8], now: u32) {
    agent.feed(LaneId::Signal, input, now);
}

#[inline(never)]
fn agent_run<S: Sizes>(agent: &mut Agent<CortexM, Authority, S, Checksum>, machine: &mut Machine, now: u32) {
    agent.run(machine, now);
}

#[inline(never)]
fn agent_poll<S: Sizes>(
    agent: &mut Agent<CortexM, Authority, S, Checksum>,
    out: &mut [u8],
    now: u32,
) -> usize {
    agent.poll(LaneId::Signal, out, now)
}
