//! The host on either kind of line: both do the same, through different calls.

use feedrate::Instant;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::host::command::{Command, Ticket};
use feedrate_rdp::host::{Device, Event, Host, HostConfig, TokenTooLong};
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, SendError};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::Stream;

pub(crate) enum Session {
    /// TCP.
    Stream(Box<Host>),
    /// A serial line, perhaps with a second one beside it.
    Link(Box<Host<Link<Desk>>>),
}

macro_rules! either {
    ($session:expr, $host:ident => $do:expr) => {
        match $session {
            Session::Stream($host) => $do,
            Session::Link($host) => $do,
        }
    };
}

impl Session {
    pub(crate) fn stream(config: HostConfig) -> Self {
        Self::Stream(Box::new(Host::new(config, Stream::host(), Checksum::new())))
    }

    pub(crate) fn serial(config: HostConfig, bulk: bool) -> Self {
        let line = Link::host(Lane::UART, bulk.then_some(Lane::SPI));
        Self::Link(Box::new(Host::new(config, line, Checksum::new())))
    }

    pub(crate) fn connect(
        &mut self,
        token: &[u8],
        cookie: u32,
        nonce: [u8; 16],
        now: Instant,
    ) -> Result<(), TokenTooLong> {
        match self {
            Self::Stream(host) => host.connect(token, nonce, now),
            Self::Link(host) => host.connect(token, cookie, nonce, now),
        }
    }

    /// Feeds the host as far as there is room.
    pub(crate) fn feed(&mut self, lane: LaneId, input: &mut &[u8], now: Instant) {
        match self {
            // Bytes that are not RDPv3 end the session, which is reported as an event.
            Self::Stream(host) => drop(host.feed(input, now)),
            Self::Link(host) => {
                host.feed(lane, input, now);
                *input = &[];
            }
        }
    }

    pub(crate) fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        match self {
            Self::Stream(host) if lane == LaneId::Signal => host.poll_transmit(out),
            Self::Stream(_) => 0,
            Self::Link(host) => host.poll_transmit(lane, out, now),
        }
    }

    pub(crate) fn disconnect(&mut self, lane: LaneId, now: Instant) {
        match self {
            Self::Stream(host) => host.disconnect(),
            Self::Link(host) => host.disconnect(lane, now),
        }
    }

    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Whether nothing more is to come, once the session is over.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Stream(host) => host.is_finished(),
            Self::Link(_) => true,
        }
    }

    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<Event<'_>> {
        either!(self, host => host.poll_event(now))
    }

    pub(crate) fn request<C: Command>(&mut self, command: &C, now: Instant) -> Result<Ticket<C>, SendError> {
        either!(self, host => host.request(command, now))
    }

    pub(crate) fn end(&mut self, now: Instant) {
        either!(self, host => host.end(now));
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        either!(self, host => host.deadline())
    }

    pub(crate) fn device(&self) -> Option<&Device> {
        either!(self, host => host.device())
    }
}
