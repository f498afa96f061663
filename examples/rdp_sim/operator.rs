//! The agent on the operator's line, which is a byte stream or a serial line.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::Domains;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, AgentConfig, Observer, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::Sizes;
use feedrate_rdp::stream::{Busy, Stream, StreamError};

use crate::machine::Machine;

/// Messages of 512 bytes, and room for 4 commands of any length.
pub(crate) enum Room {}

impl Sizes for Room {
    type Lane = [u8; 512];
    type Urgent = [u8; 640];
    type Ordinary = [u8; 4 * 514];
    type Send = [u8; 1024];
    type Message = [u8; 512];
}

pub(crate) type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
pub(crate) type Watcher = Observer<CortexM, Authority, Stream<Room>>;

/// Who may do what. A real one would check a signature, the device and the date.
fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    const HOUR: Duration = Duration::from_secs(3600);
    let control = Domains(Domains::OBSERVE.0 | Domains::CONTROL.0);
    let (operator, domains, lasts) = match claim.token {
        b"operator" => (*b"operator", Domains::ALL, HOUR),
        b"observer" => (*b"observer", Domains::OBSERVE, HOUR),
        b"control" => (*b"control\0", control, HOUR),
        b"brief" => (*b"brief\0\0\0", Domains::ALL, Duration::from_millis(500)),
        b"glimpse" => (*b"glimpse\0", Domains::OBSERVE, Duration::from_millis(500)),
        _ => return Err(1),
    };
    Ok(Grant::new(operator, domains, lasts))
}

/// An observers' line on which nobody is.
pub(crate) const fn watcher() -> Watcher {
    Observer::new(Stream::agent(), authority as Authority, Checksum::new())
}

/// The agent. Both kinds of line do the same with other calls.
pub(crate) enum Operator {
    Stream(Box<Agent<CortexM, Authority, Stream<Room>>>),
    Serial(Box<Agent<CortexM, Authority, Link<Room>>>),
}

impl Operator {
    /// On a byte stream.
    pub(crate) fn stream(config: AgentConfig) -> Self {
        Self::Stream(Box::new(Agent::new(config, Stream::agent(), authority, Checksum::new())))
    }

    /// On a UART, with or without SPI beside it.
    pub(crate) fn serial(config: AgentConfig, bulk: bool) -> Self {
        let line = Link::agent(Lane::UART, bulk.then_some(Lane::SPI));
        Self::Serial(Box::new(Agent::new(config, line, authority, Checksum::new())))
    }

    pub(crate) fn run(&mut self, machine: &mut Machine, now: Instant) {
        match self {
            Self::Stream(agent) => agent.run(machine, now),
            Self::Serial(agent) => agent.run(machine, now),
        }
    }

    /// After each run.
    pub(crate) fn watch(&mut self, watcher: &mut Watcher, machine: &mut Machine, now: Instant) {
        match self {
            Self::Stream(agent) => watcher.run(agent, machine, now),
            Self::Serial(agent) => watcher.run(agent, machine, now),
        }
    }

    pub(crate) fn stopped(&mut self, machine: &mut Machine, cause: StopCause, now: Instant) {
        match self {
            Self::Stream(agent) => agent.stopped(machine, cause, now),
            Self::Serial(agent) => agent.stopped(machine, cause, now),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Stream(agent) => agent.deadline(),
            Self::Serial(agent) => agent.deadline(),
        }
    }

    /// There is a new connection.
    pub(crate) fn connect(&mut self, lane: LaneId) -> Result<(), Busy> {
        match self {
            Self::Stream(agent) => agent.connect(),
            Self::Serial(agent) => {
                agent.reconnect(lane);
                Ok(())
            }
        }
    }

    /// The connection has ended.
    pub(crate) fn disconnect(&mut self, lane: LaneId, now: Instant) {
        match self {
            Self::Stream(agent) => agent.disconnect(),
            Self::Serial(agent) => agent.disconnect(lane, now),
        }
    }

    pub(crate) fn feed(&mut self, lane: LaneId, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        match self {
            Self::Stream(agent) => agent.feed(input, now),
            Self::Serial(agent) => {
                agent.feed(lane, input, now);
                *input = &[];
                Ok(())
            }
        }
    }

    pub(crate) fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        match self {
            Self::Stream(agent) => agent.poll_transmit(out),
            Self::Serial(agent) => agent.poll_transmit(lane, out, now),
        }
    }

    /// Whether a byte stream is to be closed.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Stream(agent) => agent.is_finished(),
            Self::Serial(_) => false,
        }
    }
}
