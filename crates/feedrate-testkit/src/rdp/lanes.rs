//! An agent and a host on two lanes, packet by packet, with whatever is to be done to the packets.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::Domains;
use feedrate::rdp::packet::{Header, Lane, Packet, PacketType, Packets};
use feedrate::{Decoder, Grow};
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Closed, Event, Host, HostConfig};
use feedrate_rdp::link::{LaneId, Link, LinkStatus};
use feedrate_rdp::session::{Checksum, Seal, SessionState};
use feedrate_rdp::sizes::{Board, Desk};

use super::rig::{Authority, authority, token};
use crate::machine::{Fake, Journal};

/// The lanes.
pub const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

/// What is done to a packet: to the agent or to the host, on which lane.
pub type Spoil<'s> = &'s mut dyn FnMut(bool, LaneId, &mut Vec<u8>);

/// All of it. A lane takes a packet a millisecond in each direction.
pub struct Lanes<Z: Seal = Checksum> {
    /// The agent.
    pub agent: Agent<CortexM, Authority, Link<Board>, Z>,
    /// The host.
    pub host: Host<Link<Desk>, Z>,
    /// The machine.
    pub machine: Fake,
    /// The time of both.
    pub now: Instant,
    /// How the host's session ended.
    pub closed: Option<Closed>,
    /// Answers that the host was given.
    pub answers: u32,
    /// Packets of the agent, as they were sent.
    pub sent: Vec<(LaneId, Vec<u8>)>,
}

impl<Z: Seal> Lanes<Z> {
    /// Nobody has said anything.
    pub fn new(config: AgentConfig, bulk: bool, seals: [Z; 2]) -> Self {
        let bulk = bulk.then_some(Lane::SPI);
        let [agents, hosts] = seals;
        let machine = Fake { journal: Journal::kept(), stopped: false, ..Fake::new() };
        let mut lanes = Self {
            agent: Agent::new(config, Link::agent(Lane::UART, bulk), authority as Authority, agents),
            host: Host::new(HostConfig::new(), Link::host(Lane::UART, bulk), hosts),
            machine,
            now: Instant::from_millis(1_000_000),
            closed: None,
            answers: 0,
            sent: Vec::new(),
        };
        lanes.agent.run(&mut lanes.machine, lanes.now);
        lanes
    }

    /// A session begins, with this cookie.
    pub fn connect(&mut self, cookie: u32) {
        let token = token(Domains::ALL, 3_600);
        self.closed = None;
        self.host.connect(&token, cookie, [cookie as u8; 16], self.now).expect("a short token");
    }

    /// A session is active on a good line.
    pub fn open(&mut self, cookie: u32) {
        self.connect(cookie);
        for _ in 0..5_000 {
            self.turn(&mut |_, _, _| {});
            if self.host.state() == SessionState::Active && self.is_active() {
                return;
            }
        }
        panic!("no session: {:?}, {:?}", self.host, self.agent);
    }

    /// Whether the agent's session is active.
    pub fn is_active(&self) -> bool {
        self.agent.state() == SessionState::Active
    }

    /// The connection that the agent has.
    pub fn connection(&self) -> u16 {
        match self.agent.line().status() {
            LinkStatus::Open(connection) => connection,
            other => panic!("{other:?}"),
        }
    }

    /// A millisecond passes.
    pub fn turn(&mut self, spoil: Spoil<'_>) {
        self.now = self.now.saturating_add(Duration::from_millis(1));
        let now = self.now;
        let mut out = [0; 512];
        for lane in LANES {
            let length = self.host.poll_transmit(lane, &mut out, now);
            let mut packet = out[..length].to_vec();
            spoil(true, lane, &mut packet);
            self.agent.feed(lane, &packet, now);
        }
        self.run();
        for lane in LANES {
            let length = self.agent.poll_transmit(lane, &mut out, now);
            if length > 0 {
                self.sent.push((lane, out[..length].to_vec()));
            }
            let mut packet = out[..length].to_vec();
            spoil(false, lane, &mut packet);
            self.host.feed(lane, &packet, now);
        }
        while let Some(event) = self.host.poll_event(now) {
            match event {
                Event::Answer(_) => self.answers += 1,
                Event::Closed(why) => self.closed = Some(why),
                _ => {}
            }
        }
    }

    /// The agent runs.
    pub fn run(&mut self) {
        self.machine.pass_to(self.now.as_millis());
        while let Some(cause) = self.machine.stop_now() {
            self.agent.stopped(&mut self.machine, cause, self.now);
        }
        self.agent.run(&mut self.machine, self.now);
    }

    /// So many milliseconds pass on a good line.
    pub fn pass(&mut self, milliseconds: u32) {
        (0..milliseconds).for_each(|_| self.turn(&mut |_, _, _| {}));
    }

    /// Packets of this type that the agent has sent on the signal lane: connection, position and payload.
    pub fn sent_of(&self, kind: PacketType) -> Vec<(u16, u32, Vec<u8>)> {
        let read = |packet: &[u8]| {
            let mut decoder = Decoder::new(Packets, Grow::new(512));
            let mut input = packet;
            let packet: Option<Packet<'_>> = decoder.feed(&mut input).ok().flatten();
            packet.map(|packet| (packet.header, packet.payload().to_vec()))
        };
        let signal = self.sent.iter().filter(|(lane, _)| *lane == LaneId::Signal);
        let packets = signal.filter_map(|(_, packet)| read(packet));
        let mine = packets.filter(|(header, _)| header.kind == kind);
        mine.map(|(Header { connection, position, .. }, payload)| (connection, position, payload)).collect()
    }
}

impl<Z: Seal> std::fmt::Debug for Lanes<Z> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, {:?}", self.host, self.agent)
    }
}
