//! The link: two channels of messages over one or two lanes (SPEC section 4).

mod ack;
pub(crate) mod buffer;
mod channel;
mod lane;
mod state;
mod status;

use core::fmt;

use feedrate::rdp::packet::Line;

pub use self::buffer::{Board, Buffer, Desk, Sizes};
use self::channel::{Sender, ahead};
use self::lane::Lane;
pub use self::lane::{LaneCounts, LaneId};
use self::state::{Core, Place};
pub use self::status::{LinkCounts, LinkEnd, LinkStatus, ResetReason};
use crate::count::count;
use crate::role::Role;
use crate::time::Millis;

/// Which of the two streams.
// Exhaustive: rewritten with the safe RDPv3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// What is small and urgent.
    Signal,
    /// Bulk.
    Bulk,
}

/// The link: `feed` what arrives on a lane, `poll` for what is to be sent on it, and look for messages in between.
///
/// Everything happens on the caller's clock, and nothing blocks.
pub struct Link<S: Sizes> {
    signal: Lane<S::Lane>,
    bulk: Lane<S::Lane>,
    core: Core<S>,
}

impl<S: Sizes> Link<S> {
    /// A link without a connection. `bulk` is the bulk lane, if there is one.
    ///
    /// `first` is the number that an agent's connections are counted from: something that is not the same after each
    /// reset.
    pub const fn new(role: Role, signal: Line, bulk: Option<Line>, first: u16) -> Self {
        let (has_bulk, bulk) = match bulk {
            Some(line) => (true, line),
            None => (false, Line::SPI),
        };
        Self { signal: Lane::new(signal), bulk: Lane::new(bulk), core: Core::new(role, has_bulk, first) }
    }

    /// Counts an agent's connections from another number, before there is one.
    pub(crate) fn count_from(&mut self, first: u16) {
        if self.core.status == LinkStatus::Idle {
            self.core.connection = first;
        }
    }

    /// Begins a connection: for the host. `cookie` is random.
    pub fn open(&mut self, cookie: u32, now: Millis) {
        self.signal.decoder.reset();
        self.bulk.decoder.reset();
        self.core.restart(now);
        self.core.cookie = cookie;
        self.core.status = LinkStatus::Opening;
        (self.core.open_at, self.core.openings) = (now, 0);
    }

    /// Takes what has arrived on a lane: all of `input`.
    pub fn feed(&mut self, lane: LaneId, mut input: &[u8], now: Millis) {
        let core = &mut self.core;
        let Lane { decoder, counts, .. } = match lane {
            LaneId::Signal => &mut self.signal,
            LaneId::Bulk => &mut self.bulk,
        };
        while core.packet(lane, decoder.feed(&mut input), counts, now) {}
    }

    /// Writes the next packet for a lane into `out`, which has the lane's MTU, and returns its bytes; 0 if there is
    /// nothing to send now.
    #[must_use]
    pub fn poll(&mut self, lane: LaneId, out: &mut [u8], now: Millis) -> usize {
        self.core.tick(now);
        match lane {
            LaneId::Signal => {
                let Lane { line, counts, .. } = &mut self.signal;
                self.core.poll_signal(Place { line: *line, out, counts }, now)
            }
            LaneId::Bulk if self.core.has_bulk => {
                let Lane { line, counts, .. } = &mut self.bulk;
                self.core.poll_bulk(Place { line: *line, out, counts }, now)
            }
            LaneId::Bulk => 0,
        }
    }

    /// When [`poll`](Self::poll) may next have something to send that it does not have now, even if nothing arrives.
    pub fn deadline(&self) -> Option<Millis> {
        self.core.deadline()
    }

    /// A time that has passed already, if the link has ended: whoever is on it has something to do at once.
    pub(crate) const fn ended_at(&self) -> Option<Millis> {
        match self.core.status {
            LinkStatus::Ended(_) => Some(self.core.ack_at),
            _ => None,
        }
    }

    /// How the link is.
    pub const fn status(&self) -> LinkStatus {
        self.core.status
    }

    /// Puts a message behind those that are under way on a channel. `false`: there is no [room](Self::room).
    #[must_use]
    pub fn send(&mut self, channel: Channel, message: &[u8], now: Millis) -> bool {
        let [signal, bulk] = &mut self.core.senders;
        matches!(self.core.status, LinkStatus::Open(_))
            && match channel {
                Channel::Signal => signal.push(message, now),
                Channel::Bulk => bulk.push(message, now),
            }
    }

    /// Bytes of the longest message that a channel has room for.
    pub fn room(&self, channel: Channel) -> usize {
        let [signal, bulk] = &self.core.senders;
        match channel {
            Channel::Signal => signal.room(),
            Channel::Bulk => bulk.room(),
        }
    }

    /// Whether everything that was sent on a channel has been acknowledged.
    pub fn is_channel_idle(&self, channel: Channel) -> bool {
        let [signal, bulk] = &self.core.senders;
        match channel {
            Channel::Signal => signal.is_idle(),
            Channel::Bulk => bulk.is_idle(),
        }
    }

    /// The line behind a lane is gone: the peer has hung up, the cable is out. Without its signal lane a link ends;
    /// without its bulk lane it goes on.
    pub fn disconnect(&mut self, lane: LaneId, now: Millis) {
        match lane {
            LaneId::Signal if self.core.open().is_some() || self.core.status == LinkStatus::Opening => {
                self.core.end(LinkEnd::Gone, None);
            }
            LaneId::Signal => {}
            LaneId::Bulk => {
                if self.core.health.damage(now) {
                    count(&mut self.core.counts.damaged);
                }
            }
        }
    }

    /// Whether what has arrived on a lane with stream framing cannot be RDPv3, so that the line is to be closed. It
    /// lasts until [`reconnect`](Self::reconnect).
    pub const fn is_lost(&self, lane: LaneId) -> bool {
        match lane {
            LaneId::Signal => self.signal.decoder.is_lost(),
            LaneId::Bulk => self.bulk.decoder.is_lost(),
        }
    }

    /// Forgets the bytes of a packet that has not all arrived, and a stream that was lost: the line behind a lane is
    /// another one now.
    pub fn reconnect(&mut self, lane: LaneId) {
        match lane {
            LaneId::Signal => self.signal.decoder.reset(),
            LaneId::Bulk => self.bulk.decoder.reset(),
        }
    }

    /// Whether everything that was sent has been acknowledged.
    pub fn is_idle(&self) -> bool {
        self.core.senders.iter().all(Sender::is_idle)
    }

    /// The oldest message that has arrived and not been [dropped](Self::drop_message).
    pub fn message(&mut self) -> Option<&mut [u8]> {
        self.core.queue.front()
    }

    /// Drops the oldest message.
    pub fn drop_message(&mut self) {
        self.core.queue.pop();
        for receiver in &mut self.core.receivers {
            // One that waited for room may have it now.
            receiver.deliver(&mut self.core.queue);
        }
    }

    /// The longest message that is accepted from now on.
    pub fn accept(&mut self, limit: usize) {
        self.core.limit = limit;
    }

    /// Ends the connection, and tells the peer.
    pub fn close(&mut self, reason: ResetReason) {
        if let LinkStatus::Open(connection) = self.core.status {
            self.core.end(LinkEnd::Closed, Some((connection, 0, reason)));
        } else if self.core.status == LinkStatus::Opening {
            self.core.end(LinkEnd::Closed, None);
        }
    }

    /// Whether the peer has told of a CRC failure since this was last asked.
    pub fn take_rekey(&mut self) -> bool {
        core::mem::take(&mut self.core.rekey)
    }

    /// Positions of both channels behind the last byte that was handed over for sending.
    pub(crate) fn ends(&self) -> [u32; 2] {
        self.core.senders.each_ref().map(Sender::end)
    }

    /// Whether both channels have been acknowledged as far as `ends`.
    pub(crate) fn have_passed(&self, ends: [u32; 2]) -> bool {
        self.core.senders.iter().zip(ends).all(|(sender, end)| ahead(sender.acknowledged(), end).is_some())
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

    /// Bytes in the receive queue: now, and at most.
    pub fn queued(&self) -> (usize, usize) {
        (self.core.queue.len(), self.core.queue.most())
    }

    /// Bytes that waited on a channel, at most.
    pub fn most_waiting(&self) -> [usize; 2] {
        self.core.senders.each_ref().map(Sender::most)
    }
}

impl<S: Sizes> fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("role", &self.core.role)
            .field("status", &self.core.status)
            .field("queue", &self.core.queue)
            .finish_non_exhaustive()
    }
}
