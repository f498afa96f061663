//! Both ends, whatever their lines and memory are.

use feedrate::Instant;
use feedrate::rdp::frame::Frame;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::host::command::Command;
use feedrate_rdp::host::{Device, Event, Host, HostConfig};
use feedrate_rdp::line::Line;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, SendError, SessionState};
use feedrate_rdp::sizes::{Board, Desk, Sizes};
use feedrate_rdp::stream::Stream;

use super::plan::{BRIEF, Memory, Plan};
use crate::machine::Fake;

/// No bulk lane, and no more memory than the least.
enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Urgent = [u8; 514];
    type Ordinary = [u8; 514];
    type Send = [u8; 642];
    type Message = [u8; 512];
}

/// Odd sizes, and any lane.
enum Middle {}

impl Sizes for Middle {
    type Lane = [u8; 1024];
    type Urgent = [u8; 555];
    type Ordinary = [u8; 1777];
    type Send = [u8; 1337];
    type Message = [u8; 601];
}

type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;

fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    use feedrate::rdp::frame::Domains;
    let grant =
        |domains, seconds| Ok(Grant::new(*b"operator", domains, core::time::Duration::from_secs(seconds)));
    match claim.token {
        b"all" => grant(Domains::ALL, u64::from(u32::MAX)),
        b"look" => grant(Domains::OBSERVE, 600),
        b"steer" => grant(Domains(Domains::OBSERVE.0 | Domains::CONTROL.0), 600),
        b"brief" => grant(Domains::ALL, BRIEF),
        _ => Err(7),
    }
}

/// Which lanes there are. A stream has one.
const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

/// The agent.
pub(super) trait AgentEnd {
    fn run(&mut self, machine: &mut Fake, now: Instant);
    fn stopped(&mut self, machine: &mut Fake, cause: StopCause, now: Instant);
    fn state(&self) -> SessionState;
    fn deadline(&self) -> Option<Instant>;
    /// Takes bytes, and returns how many; none if they cannot be RDPv3.
    fn feed(&mut self, lane: usize, bytes: &[u8], now: Instant) -> Option<usize>;
    fn poll(&mut self, lane: usize, out: &mut [u8], now: Instant) -> usize;
    /// Of a stream: whether there is no room for another one.
    fn connect(&mut self) -> bool;
    fn disconnect(&mut self, now: Instant);
    /// Of a stream: it is to be closed.
    fn is_finished(&self) -> bool;
    fn show(&self) -> String;
}

/// The host.
pub(super) trait HostEnd {
    fn connect(&mut self, token: &[u8], cookie: u32, nonce: [u8; 16], now: Instant);
    fn poll_event(&mut self, now: Instant) -> Option<Event<'_>>;
    fn ask(&mut self, frame: &Frame<'_>, now: Instant) -> Result<u32, SendError>;
    fn end(&mut self, now: Instant);
    fn state(&self) -> SessionState;
    fn device(&self) -> Option<&Device>;
    fn deadline(&self) -> Option<Instant>;
    fn feed(&mut self, lane: usize, bytes: &[u8], now: Instant) -> Option<usize>;
    fn poll(&mut self, lane: usize, out: &mut [u8], now: Instant) -> usize;
    fn disconnect(&mut self, now: Instant);
    fn is_finished(&self) -> bool;
    fn show(&self) -> String;
}

/// Any command.
struct Any<'f>(&'f Frame<'f>);

impl Command for Any<'_> {
    type Answer<'a> = Frame<'a>;

    fn frame(&self) -> Frame<'_> {
        *self.0
    }

    fn answer<'a>(frame: &Frame<'a>) -> Option<Frame<'a>> {
        Some(*frame)
    }
}

struct OnLink<T>(T);
struct OnStream<T>(T);

macro_rules! same_of_agents {
    () => {
        fn run(&mut self, machine: &mut Fake, now: Instant) {
            self.0.run(machine, now);
        }

        fn stopped(&mut self, machine: &mut Fake, cause: StopCause, now: Instant) {
            self.0.stopped(machine, cause, now);
        }

        fn state(&self) -> SessionState {
            self.0.state()
        }

        fn deadline(&self) -> Option<Instant> {
            self.0.deadline()
        }

        fn show(&self) -> String {
            format!("{:?}", self.0)
        }
    };
}

impl<S: Sizes> AgentEnd for OnLink<Agent<CortexM, Authority, Link<S>>> {
    same_of_agents!();

    fn feed(&mut self, lane: usize, bytes: &[u8], now: Instant) -> Option<usize> {
        self.0.feed(LANES[lane], bytes, now);
        Some(bytes.len())
    }

    fn poll(&mut self, lane: usize, out: &mut [u8], now: Instant) -> usize {
        self.0.poll_transmit(LANES[lane], out, now)
    }

    fn connect(&mut self) -> bool {
        self.0.reconnect(LaneId::Signal);
        true
    }

    fn disconnect(&mut self, now: Instant) {
        self.0.disconnect(LaneId::Signal, now);
    }

    fn is_finished(&self) -> bool {
        false
    }
}

impl<S: Sizes> AgentEnd for OnStream<Agent<CortexM, Authority, Stream<S>>> {
    same_of_agents!();

    fn feed(&mut self, _: usize, bytes: &[u8], now: Instant) -> Option<usize> {
        let mut rest = bytes;
        self.0.feed(&mut rest, now).ok()?;
        Some(bytes.len() - rest.len())
    }

    fn poll(&mut self, _: usize, out: &mut [u8], _: Instant) -> usize {
        self.0.poll_transmit(out)
    }

    fn connect(&mut self) -> bool {
        self.0.connect().is_ok()
    }

    fn disconnect(&mut self, _: Instant) {
        self.0.disconnect();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

macro_rules! same_of_hosts {
    () => {
        fn poll_event(&mut self, now: Instant) -> Option<Event<'_>> {
            self.0.poll_event(now)
        }

        fn ask(&mut self, frame: &Frame<'_>, now: Instant) -> Result<u32, SendError> {
            self.0.request(&Any(frame), now).map(|ticket| ticket.sequence())
        }

        fn end(&mut self, now: Instant) {
            self.0.end(now);
        }

        fn state(&self) -> SessionState {
            self.0.state()
        }

        fn device(&self) -> Option<&Device> {
            self.0.device()
        }

        fn deadline(&self) -> Option<Instant> {
            self.0.deadline()
        }

        fn show(&self) -> String {
            format!("{:?}", self.0)
        }
    };
}

impl<S: Sizes> HostEnd for OnLink<Host<Link<S>>> {
    same_of_hosts!();

    fn connect(&mut self, token: &[u8], cookie: u32, nonce: [u8; 16], now: Instant) {
        self.0.connect(token, cookie, nonce, now).expect("a short token");
    }

    fn feed(&mut self, lane: usize, bytes: &[u8], now: Instant) -> Option<usize> {
        self.0.feed(LANES[lane], bytes, now);
        Some(bytes.len())
    }

    fn poll(&mut self, lane: usize, out: &mut [u8], now: Instant) -> usize {
        self.0.poll_transmit(LANES[lane], out, now)
    }

    fn disconnect(&mut self, now: Instant) {
        self.0.disconnect(LaneId::Signal, now);
    }

    fn is_finished(&self) -> bool {
        false
    }
}

impl<S: Sizes> HostEnd for OnStream<Host<Stream<S>>> {
    same_of_hosts!();

    fn connect(&mut self, token: &[u8], _: u32, nonce: [u8; 16], now: Instant) {
        self.0.connect(token, nonce, now).expect("a short token");
    }

    fn feed(&mut self, _: usize, bytes: &[u8], now: Instant) -> Option<usize> {
        let mut rest = bytes;
        self.0.feed(&mut rest, now).ok()?;
        Some(bytes.len() - rest.len())
    }

    fn poll(&mut self, _: usize, out: &mut [u8], _: Instant) -> usize {
        self.0.poll_transmit(out)
    }

    fn disconnect(&mut self, _: Instant) {
        self.0.disconnect();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

fn agent_on<L: Line>(config: AgentConfig, line: L) -> Agent<CortexM, Authority, L> {
    Agent::new(config, line, authority as Authority, Checksum::new())
}

/// The agent of this start of the controller.
pub(super) fn agent(plan: &Plan, config: AgentConfig) -> Box<dyn AgentEnd> {
    fn with<S: Sizes + 'static>(plan: &Plan, config: AgentConfig) -> Box<dyn AgentEnd> {
        if plan.stream {
            Box::new(OnStream(agent_on(config, Stream::<S>::agent())))
        } else {
            let bulk = plan.agent_bulk.then_some(Lane::SPI);
            Box::new(OnLink(agent_on(config, Link::<S>::agent(plan.signal, bulk))))
        }
    }
    match plan.memory {
        Memory::DeskBoard | Memory::BoardBoard => with::<Board>(plan, config),
        Memory::DeskTiny | Memory::BoardTiny => with::<Tiny>(plan, config),
        Memory::DeskMiddle => with::<Middle>(plan, config),
        Memory::DeskDesk => with::<Desk>(plan, config),
    }
}

/// The host.
pub(super) fn host(plan: &Plan) -> Box<dyn HostEnd> {
    fn with<S: Sizes + 'static>(plan: &Plan, config: HostConfig) -> Box<dyn HostEnd> {
        if plan.stream {
            Box::new(OnStream(Host::<Stream<S>>::new(config, Stream::host(), Checksum::new())))
        } else {
            let bulk = plan.host_bulk.then_some(Lane::SPI);
            Box::new(OnLink(Host::<Link<S>>::new(config, Link::host(plan.signal, bulk), Checksum::new())))
        }
    }
    let config = HostConfig::new().patience(core::time::Duration::from_millis(plan.patience));
    match plan.memory {
        Memory::BoardBoard | Memory::BoardTiny => with::<Board>(plan, config),
        _ => with::<Desk>(plan, config),
    }
}
