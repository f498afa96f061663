//! An agent on either kind of line, and the line's other end.

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::Stream;
use feedrate_testkit::machine::Fake;
use feedrate_testkit::rdp::rig::{Authority, authority};

use super::{Small, accept_all, is_open, send, take};

/// The agent's clock, which does what the fuzzer likes, and the peer's, which only goes on.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub agent: Instant,
    pub peer: Instant,
}

pub type On<L> = Agent<CortexM, Authority, L, Checksum>;

pub const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

/// What happens to the bytes between both ends.
#[derive(Debug, Default, Clone, Copy)]
pub struct Noise {
    /// The next packets are lost: so many.
    pub lose: u8,
    /// Of those after them a bit is flipped: in so many, at this place.
    pub spoil: u8,
    pub place: u8,
    /// Nothing of what the agent sends is taken off its line.
    pub deaf: bool,
}

#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Ends {
    Serial { agent: Box<On<Link<Small>>>, peer: Box<Link<Desk>>, bulk: bool },
    Stream { agent: Box<On<Stream<Small>>>, peer: Box<Stream<Desk>>, waiting: Vec<u8> },
}

impl Ends {
    pub fn serial(config: AgentConfig, bulk: bool) -> Self {
        let bulk_lane = bulk.then_some(Lane::SPI);
        let line = Link::agent(Lane::UART, bulk_lane);
        let agent = Box::new(Agent::new(config, line, authority as Authority, Checksum::new()));
        Self::Serial { agent, peer: Box::new(Link::host(Lane::UART, bulk_lane)), bulk }
    }

    pub fn stream(config: AgentConfig) -> Self {
        let agent = Box::new(Agent::new(config, Stream::agent(), authority as Authority, Checksum::new()));
        Self::Stream { agent, peer: Box::new(Stream::host()), waiting: Vec::new() }
    }

    /// The controller starts again: the agent is another one, and the cable is where it was.
    pub fn restart(&mut self, config: AgentConfig) {
        match self {
            Self::Serial { bulk, .. } => *self = Self::serial(config, *bulk),
            Self::Stream { .. } => *self = Self::stream(config),
        }
    }

    pub fn state(&self) -> SessionState {
        match self {
            Self::Serial { agent, .. } => agent.state(),
            Self::Stream { agent, .. } => agent.state(),
        }
    }

    pub fn run(&mut self, machine: &mut Fake, now: Instant) {
        match self {
            Self::Serial { agent, .. } => agent.run(machine, now),
            Self::Stream { agent, .. } => agent.run(machine, now),
        }
    }

    pub fn stopped(&mut self, machine: &mut Fake, cause: StopCause, now: Instant) {
        match self {
            Self::Serial { agent, .. } => agent.stopped(machine, cause, now),
            Self::Stream { agent, .. } => agent.stopped(machine, cause, now),
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Serial { agent, .. } => agent.deadline(),
            Self::Stream { agent, .. } => agent.deadline(),
        }
    }

    /// The peer begins a connection on the line as it is. `false`: it is refused, which only a stream tells at once.
    pub fn connect(&mut self, cookie: u32, now: Now) -> bool {
        match self {
            Self::Serial { peer, .. } => {
                peer.open(cookie, now.peer);
                true
            }
            Self::Stream { agent, peer, waiting } => {
                if agent.connect().is_err() {
                    return false;
                }
                waiting.clear();
                peer.connect().expect("a host's is never busy");
                accept_all(&mut **peer);
                true
            }
        }
    }

    /// The cable is out, and in again.
    pub fn cut(&mut self, lane: LaneId, now: Now) {
        match self {
            Self::Serial { agent, peer, .. } => {
                agent.disconnect(lane, now.agent);
                agent.reconnect(lane);
                peer.disconnect(lane, now.peer);
                peer.reconnect(lane);
            }
            Self::Stream { agent, peer, waiting } => {
                agent.disconnect();
                peer.disconnect();
                waiting.clear();
            }
        }
    }

    /// Whether the peer has a connection.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Serial { peer, .. } => is_open(&**peer),
            Self::Stream { peer, .. } => is_open(&**peer),
        }
    }

    /// Number of the connection, where packets need it.
    pub fn connection(&self) -> u16 {
        use feedrate_rdp::link::LinkStatus;
        match self {
            Self::Serial { peer, .. } => match peer.status() {
                LinkStatus::Open(connection) => connection,
                _ => 0,
            },
            Self::Stream { .. } => 0,
        }
    }

    /// The peer says something. `false`: there is no room.
    pub fn send(&mut self, channel: Channel, message: &[u8], now: Now) -> bool {
        match self {
            Self::Serial { peer, .. } => send(&mut **peer, channel, message, now.peer),
            Self::Stream { peer, .. } => send(&mut **peer, channel, message, now.peer),
        }
    }

    /// Bytes arrive at the agent that the peer's line knows nothing of.
    pub fn raw(&mut self, lane: LaneId, bytes: &[u8], now: Now) {
        match self {
            Self::Serial { agent, .. } => agent.feed(lane, bytes, now.agent),
            Self::Stream { waiting, .. } => waiting.extend(bytes),
        }
    }

    /// What the peer has to send goes to the agent, as far as it takes it. Whether there was anything.
    pub fn to_agent(&mut self, noise: &mut Noise, now: Now) -> bool {
        let mut some = false;
        let mut bytes = [0; 512];
        match self {
            Self::Serial { agent, peer, bulk } => {
                for lane in LANES.iter().take(1 + usize::from(*bulk)) {
                    let mtu = if *lane == LaneId::Signal { 64 } else { 512 };
                    while let length @ 1.. = peer.poll_transmit(*lane, &mut bytes[..mtu], now.peer) {
                        some = true;
                        if noise.passes(&mut bytes[..length]) {
                            agent.feed(*lane, &bytes[..length], now.agent);
                        }
                    }
                }
            }
            Self::Stream { agent, peer, waiting } => {
                while let length @ 1.. = peer.poll_transmit(&mut bytes) {
                    waiting.extend(&bytes[..length]);
                }
                let mut input = &waiting[..];
                if agent.feed(&mut input, now.agent).is_err() {
                    assert!(agent.is_finished(), "a stream that is lost is to be closed");
                    agent.disconnect();
                    peer.disconnect();
                    waiting.clear();
                    return false;
                }
                let taken = waiting.len() - input.len();
                some = taken > 0;
                waiting.drain(..taken);
            }
        }
        some
    }

    /// What the agent has to send goes to the peer. Whether there was anything.
    pub fn to_peer(&mut self, noise: &mut Noise, now: Now) -> bool {
        let mut some = false;
        let mut bytes = [0; 512];
        if noise.deaf {
            return false;
        }
        match self {
            Self::Serial { agent, peer, bulk } => {
                for lane in LANES.iter().take(1 + usize::from(*bulk)) {
                    let mtu = if *lane == LaneId::Signal { 64 } else { 512 };
                    while let length @ 1.. = agent.poll_transmit(*lane, &mut bytes[..mtu], now.agent) {
                        some = true;
                        if noise.passes(&mut bytes[..length]) {
                            peer.feed(*lane, &bytes[..length], now.peer);
                        }
                    }
                }
            }
            Self::Stream { agent, peer, .. } => {
                while let length @ 1.. = agent.poll_transmit(&mut bytes) {
                    some = true;
                    let mut input = &bytes[..length];
                    peer.feed(&mut input, now.peer).expect("what is sent is right");
                    assert!(input.is_empty(), "the peer has room for all that an agent sends at once");
                }
                if agent.is_finished() {
                    agent.disconnect();
                    peer.disconnect();
                }
            }
        }
        some
    }

    /// What has arrived at the peer.
    pub fn heard(&mut self) -> Vec<(Channel, Vec<u8>)> {
        match self {
            Self::Serial { peer, .. } => take(&mut **peer),
            Self::Stream { peer, .. } => take(&mut **peer),
        }
    }
}

impl Noise {
    /// Whether a packet gets through, as it is or spoilt by one bit, which is always found out.
    fn passes(&mut self, packet: &mut [u8]) -> bool {
        if self.lose > 0 {
            self.lose -= 1;
            return false;
        }
        if self.spoil > 0 {
            self.spoil -= 1;
            let at = usize::from(self.place) * packet.len() / 256;
            packet[at] ^= 1 << (self.place & 7);
        }
        true
    }
}
