//! Which packet goes next (SPEC sections 3 and 4).

use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, PacketType, Scattered};
use feedrate::{Encode, Instant, SliceOutput};

use super::ack::{self, Ack};
use super::lane::{LaneCounts, LaneId};
use super::sender::{Sender, Tick};
use super::state::{ACK, Core, GENERATION, OPEN, OPENINGS};
use super::status::LinkStatus;
use crate::count::count;
use crate::line::{LineEnd, ResetReason};
use crate::sizes::{Buffer, Sizes};

impl<S: Sizes> Core<S> {
    /// What is due without any input.
    fn tick(&mut self, now: Instant) {
        if self.open().is_none() {
            return;
        }
        let [urgent, ordinary] = &mut self.senders;
        let ticks = [urgent.tick(now), ordinary.tick(now)];
        if ticks.contains(&Tick::Lost) {
            return self.end(LineEnd::NoProgress, Some(ResetReason::NoProgress));
        }
        let [_, ordinary] = ticks;
        if ordinary == Tick::Retransmit && self.health.is_usable() && self.health.damage(now) {
            count(&mut self.counts.damaged);
        }
    }

    pub(super) fn poll(&mut self, lane: LaneId, mut place: Place<'_>, now: Instant) -> usize {
        self.tick(now);
        let mut payload = [[0; 4]; ack::WORDS];
        if let Some((header, size)) = self.next(lane, &mut payload, now) {
            let length = place.put(header, (payload.as_flattened().get(..size).unwrap_or_default(), &[]));
            if length > 0 {
                self.sent(header, now);
            }
            return length;
        }
        let Some(connection) = self.open() else { return 0 };
        let header = Header::new(PacketType::Data, connection, 0);
        let takes_ordinary = self.takes_ordinary(lane);
        let ([urgent, ordinary], [memory, ordinary_memory]) = (&mut self.senders, &self.outgoing);
        // Channel 0 goes over the signal lane, and first.
        let mut length = 0;
        if lane == LaneId::Signal {
            self.ack_last = false;
            length = place.data(header, (urgent, memory.bytes()), Channel::Urgent, now);
        }
        if length == 0 && takes_ordinary {
            return place.data(header, (ordinary, ordinary_memory.bytes()), Channel::Ordinary, now);
        }
        length
    }

    /// Channel 1 goes over the bulk lane, if that can be trusted.
    fn takes_ordinary(&self, lane: LaneId) -> bool {
        self.health.is_usable() == (lane == LaneId::Bulk)
    }

    /// What goes over a lane before DATA does, and how long its payload is.
    fn next(&mut self, lane: LaneId, payload: &mut [[u8; 4]], now: Instant) -> Option<(Header, usize)> {
        let connection = self.open();
        if lane == LaneId::Bulk {
            let due = now >= self.health.probe_at();
            return connection.filter(|_| due).map(|open| (Header::new(PacketType::Probe, open, 0), 0));
        }
        let [first, ..] = payload else { return None };
        if let Some((connection, position, reason)) = self.reset {
            *first = [reason.0, 0, 0, 0];
            return Some((Header::new(PacketType::Reset, connection, position), 1));
        }
        *first = [GENERATION, if self.has_bulk { 3 } else { 1 }, 0, 0];
        if let Some(connection) = connection {
            if self.accept_due {
                return Some((Header::new(PacketType::Accept, connection, self.cookie), 2));
            }
            if !self.ack_due && now < self.ack_at {
                return None;
            }
            // A busy bulk lane makes one due after another, and a Halt would wait for all of them.
            let [urgent, ordinary] = &self.senders;
            let ordinary = self.takes_ordinary(lane).then_some(ordinary);
            if self.ack_last && (urgent.has_chunk() || ordinary.is_some_and(Sender::has_chunk)) {
                return None;
            }
            payload.iter_mut().zip(self.ack().to_words()).for_each(|(to, from)| *to = from);
            return Some((Header::new(PacketType::Ack, connection, self.ack_number), ack::SIZE));
        }
        if self.status != LinkStatus::Opening || now < self.open_at {
            return None;
        }
        self.unanswered |= self.openings > 0 && !self.refused;
        if self.openings >= OPENINGS {
            self.end(if self.unanswered { LineEnd::NoAnswer } else { LineEnd::Busy }, None);
            return None;
        }
        Some((Header::new(PacketType::Open, 0, self.cookie), 2))
    }

    /// What follows from that it has been sent.
    fn sent(&mut self, header: Header, now: Instant) {
        match header.kind {
            PacketType::Reset => self.reset = None,
            PacketType::Open => {
                self.openings = self.openings.saturating_add(1);
                self.refused = false;
                self.open_at = now.saturating_add(OPEN);
            }
            PacketType::Accept => self.accept_due = false,
            PacketType::Probe => self.health.probed(now),
            _ => {
                self.ack_number = self.ack_number.wrapping_add(1);
                self.ack_at = now.saturating_add(ACK);
                (self.ack_due, self.ack_last, self.nack) = (false, true, 0);
            }
        }
    }

    fn ack(&self) -> Ack {
        Ack {
            next: self.expected,
            window: self.inboxes.windows(),
            intact: self.intact,
            failures: self.failures,
            nack: self.nack,
            signal_failures: self.signal_failures,
        }
    }
}

/// Where a packet goes.
pub(super) struct Place<'o> {
    pub(super) out: &'o mut [u8],
    /// The longest payload.
    pub(super) payload: usize,
    pub(super) counts: &'o mut LaneCounts,
}

impl Place<'_> {
    /// Returns how many bytes it took; 0 if there was no room.
    #[inline(never)]
    fn put(&mut self, header: Header, payload: (&[u8], &[u8])) -> usize {
        let packet = Scattered::new(header, payload);
        let length = packet.encode(&mut SliceOutput::new(self.out)).unwrap_or_default();
        if length > 0 {
            count(&mut self.counts.sent);
        }
        length
    }

    #[inline(never)]
    fn data(
        &mut self,
        header: Header,
        (sender, memory): (&mut Sender, &[u8]),
        channel: Channel,
        now: Instant,
    ) -> usize {
        let Some(chunk) = sender.chunk(memory, self.payload) else { return 0 };
        let header = Header { position: chunk.position, ..header }.data(channel, chunk.tries);
        let length = self.put(header, chunk.bytes);
        if length > 0 {
            if chunk.tries > 0 {
                count(&mut self.counts.resent);
            }
            let taken = chunk.len();
            sender.sent(taken, now);
        }
        length
    }
}
