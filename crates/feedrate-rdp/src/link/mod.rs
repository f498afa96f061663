//! A serial line: two channels of messages over one or two lanes that lose, repeat and reorder data and flip bits
//! (SPEC section 4).

mod ack;

mod health;
mod lane;
mod receive;
mod sender;
mod state;
mod status;
mod transmit;

#[cfg(test)]
mod tests;

use core::fmt;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::Lane;

use self::lane::Port;
pub use self::lane::{LaneCounts, LaneId};
use self::sender::Sender;
use self::state::Core;
pub use self::status::{LinkCounts, LinkStatus};
use self::transmit::Place;
use crate::gate::Gate;
use crate::inbox::Arrived;
use crate::line::{Line, LineEnd, ResetReason, sealed};
use crate::role::Role;
use crate::sizes::{Board, Buffer, Sizes, number, sound};
use crate::stream::report;
use crate::time::deadline;

/// A serial line: `feed` what arrives on a lane, and `poll_transmit` for what is to be sent on it.
///
/// Everything happens on the caller's clock, and nothing blocks. What goes over it are the messages of the
/// [`Agent`](crate::agent::Agent) or the [`Host`](crate::host::Host) that has it.
///
/// ```
/// use feedrate::Instant;
/// use feedrate::rdp::packet::Lane;
/// use feedrate_rdp::link::{LaneId, Link, LinkStatus};
///
/// let (mut host, mut agent): (Link, Link) = (Link::host(Lane::UART, None), Link::agent(Lane::UART, None));
/// let now = Instant::from_millis(1_500);
/// host.open(0x1234_5678, now);
///
/// let mut packet = [0; 64];
/// let length = host.poll_transmit(LaneId::Signal, &mut packet, now);
/// agent.feed(LaneId::Signal, &packet[..length], now);
/// let length = agent.poll_transmit(LaneId::Signal, &mut packet, now);
/// host.feed(LaneId::Signal, &packet[..length], now);
/// assert_eq!([host.status(), agent.status()], [LinkStatus::Open(1); 2]);
/// ```
#[repr(C)]
pub struct Link<S: Sizes = Board> {
    signal: Port<S::Lane>,
    bulk: Port<S::Lane>,
    core: Core<S>,
}

impl<S: Sizes> Link<S> {
    /// An agent's, without a connection. `bulk` is the bulk lane, if there is one.
    pub const fn agent(signal: Lane, bulk: Option<Lane>) -> Self {
        Self::new(Role::Agent, signal, bulk)
    }

    /// A host's, without a connection. `bulk` is the bulk lane, if there is one.
    pub const fn host(signal: Lane, bulk: Option<Lane>) -> Self {
        Self::new(Role::Host, signal, bulk)
    }

    const fn new(role: Role, signal: Lane, bulk: Option<Lane>) -> Self {
        const { sound::<S>() };
        let (has_bulk, bulk) = match bulk {
            Some(lane) => (true, lane),
            None => (false, Lane::SPI),
        };
        Self { signal: Port::new(signal), bulk: Port::new(bulk), core: Core::new(role, has_bulk) }
    }

    /// Begins a connection: for the host. `cookie` is random.
    pub fn open(&mut self, cookie: u32, now: Instant) {
        self.signal.decoder.reset();
        self.bulk.decoder.reset();
        let core = &mut self.core;
        core.restart(now);
        core.cookie = cookie;
        core.status = LinkStatus::Opening;
        (core.open_at, core.openings) = (now, 0);
        (core.refused, core.unanswered) = (false, false);
    }

    /// Takes what has arrived on a lane: all of `input`.
    pub fn feed(&mut self, lane: LaneId, mut input: &[u8], now: Instant) {
        let core = &mut self.core;
        let Port { decoder, counts, .. } = match lane {
            LaneId::Signal => &mut self.signal,
            LaneId::Bulk => &mut self.bulk,
        };
        while core.packet(lane, decoder.feed(&mut input), counts, now) {}
    }

    /// Writes the next packet for a lane into `out`, which has the lane's MTU at least, and returns its bytes; 0 if
    /// there is nothing to send now.
    #[must_use]
    pub fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        let Port { payload, counts, .. } = match lane {
            LaneId::Signal => &mut self.signal,
            LaneId::Bulk => &mut self.bulk,
        };
        self.core.poll(lane, Place { payload: *payload, out, counts }, now)
    }

    /// The state of the link.
    pub const fn status(&self) -> LinkStatus {
        self.core.status
    }

    /// The line of a lane is gone: the peer has hung up, the cable is out. Without its signal lane a connection ends;
    /// without its bulk lane it continues.
    pub fn disconnect(&mut self, lane: LaneId, now: Instant) {
        match lane {
            LaneId::Signal => {
                self.core.end(LineEnd::Gone, None);
                self.core.reset = None;
            }
            LaneId::Bulk => {
                if self.core.health.damage(now) {
                    self.core.damaged(now);
                }
            }
        }
    }

    /// The line of a lane has been replaced. A partial packet is discarded, and on the signal lane the connection has
    /// ended.
    pub fn reconnect(&mut self, lane: LaneId) {
        match lane {
            LaneId::Signal => {
                self.signal.decoder.reset();
                self.core.end(LineEnd::Gone, None);
                self.core.reset = None;
            }
            LaneId::Bulk => self.bulk.decoder.reset(),
        }
    }

    /// What a lane has counted.
    pub const fn lane_counts(&self, lane: LaneId) -> LaneCounts {
        match lane {
            LaneId::Signal => self.signal.counts,
            LaneId::Bulk => self.bulk.counts,
        }
    }

    /// What the link has counted beside that.
    pub const fn counts(&self) -> LinkCounts {
        self.core.counts
    }
}

impl<S: Sizes> Line for Link<S> {}

impl<S: Sizes> sealed::Line for Link<S> {
    type Message = S::Message;
    const CREDIT: u8 = crate::sizes::credit::<S>();
    const PEER_CLOSES: bool = false;

    fn connection(&self) -> Option<u32> {
        self.core.open().map(u32::from)
    }

    fn end(&self) -> Option<LineEnd> {
        match self.core.status {
            LinkStatus::Ended(end) => Some(end),
            _ => None,
        }
    }

    fn message(&mut self, channel: Channel) -> Option<Arrived<'_>> {
        self.core.inboxes.message(channel)
    }

    fn drop_message(&mut self, channel: Channel) {
        self.core.inboxes.drop_message(channel);
    }

    fn room(&self, channel: Channel) -> usize {
        self.core.sender(channel).room()
    }

    fn send(&mut self, channel: Channel, message: &[u8], now: Instant) -> bool {
        let open = self.core.open().is_some();
        let Core { senders: [urgent, ordinary], outgoing: [memory, ordinary_memory], .. } = &mut self.core;
        let (sender, memory) = match channel {
            Channel::Urgent => (urgent, memory),
            Channel::Ordinary => (ordinary, ordinary_memory),
        };
        open && sender.push(memory.bytes_mut(), message, now)
    }

    fn is_idle(&self) -> bool {
        self.core.senders.iter().all(Sender::is_idle)
    }

    fn has_left(&self) -> bool {
        let [_, ordinary] = &self.core.senders;
        ordinary.is_idle()
    }

    fn accept(&mut self, limit: usize) {
        self.core.inboxes.accept(limit);
    }

    fn set_gate(&mut self, gate: Option<Gate>) {
        self.core.inboxes.set_gate(gate);
    }

    fn set_busy(&mut self, busy: bool) {
        self.core.busy = busy;
    }

    fn close(&mut self) {
        self.core.end(LineEnd::Closed, Some(ResetReason::SessionEnded));
    }

    fn deadline(&self) -> Option<Instant> {
        deadline(self.core.deadline())
    }

    fn take_crc_failure(&mut self) -> bool {
        core::mem::take(&mut self.core.crc_failure)
    }

    fn count_from(&mut self, first: u16) {
        if self.core.status == LinkStatus::Idle {
            self.core.connection = first;
        }
    }

    fn metrics(&self, put: &mut dyn FnMut(u16, u32)) {
        let Core { inboxes, senders, counts, has_bulk, .. } = &self.core;
        let ([a, b], [c, d]) = (inboxes.most(), senders.each_ref().map(Sender::most));
        let [a, b, c, d] = [a, b, c, d].map(number);
        report(8, &[a, b, c, d, counts.stray, counts.damaged], put);
        report(0x100, &self.signal.counts.in_order(), put);
        if *has_bulk {
            report(0x110, &self.bulk.counts.in_order(), put);
        }
    }
}

impl<S: Sizes> fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("role", &self.core.role)
            .field("status", &self.core.status)
            .finish_non_exhaustive()
    }
}
