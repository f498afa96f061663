//! What happens when a packet arrives (SPEC sections 3 and 4).

use core::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, Packet, PacketError, PacketType};
use feedrate::{Error, Fault, Instant};

use super::ack::{Ack, nack};
use super::lane::{LaneCounts, LaneId};
use super::sender::{ahead, size};
use super::state::{ACK, Core, GENERATION};
use super::status::LinkStatus;
use crate::count::count;
use crate::line::{LineEnd, ResetReason};
use crate::role::Role;
use crate::sizes::{Sizes, number};

/// The minimum interval between two answers to packets of no connection, or to foreign OPENs.
const QUIET: Duration = Duration::from_millis(200);

impl<S: Sizes> Core<S> {
    /// Takes what a lane's decoder returns. `false`: there is nothing left.
    pub(super) fn packet(
        &mut self,
        lane: LaneId,
        packet: Result<Option<Packet<'_>>, Error<PacketError>>,
        counts: &mut LaneCounts,
        now: Instant,
    ) -> bool {
        match packet {
            Ok(None) => return false,
            Ok(Some(packet)) => {
                count(&mut counts.received);
                self.receive(lane, &packet, now);
            }
            Err(Error::Message(error)) => self.failure(lane, error, counts),
            // Zeros delimit: nothing loses a lane.
            Err(Error::Lost(_)) => return false,
        }
        true
    }

    fn failure(&mut self, lane: LaneId, error: PacketError, counts: &mut LaneCounts) {
        let (counter, bit) = match error {
            PacketError::Fault(Fault::TooLong { .. }) => (&mut counts.overlong, nack::HEADER),
            PacketError::Crc => (&mut counts.crc_failures, nack::CRC),
            _ => (&mut counts.header_failures, nack::HEADER),
        };
        count(counter);
        let [header, crc] = &mut self.failures;
        let failures = match (lane, bit) {
            (LaneId::Signal, _) => &mut self.signal_failures,
            (LaneId::Bulk, nack::CRC) => crc,
            (LaneId::Bulk, _) => header,
        };
        *failures = failures.wrapping_add(1);
        self.nack |= bit;
        self.ack_due = self.open().is_some();
    }

    fn receive(&mut self, lane: LaneId, packet: &Packet<'_>, now: Instant) {
        let (header, payload) = (packet.header, packet.payload());
        let opens = matches!(header.kind, PacketType::Open | PacketType::Accept | PacketType::Reset);
        if !header.is_known() || opens && lane == LaneId::Bulk {
            return count(&mut self.counts.stray);
        }
        let mine = self.open() == Some(header.connection);
        if mine && lane == LaneId::Bulk {
            self.intact = self.intact.wrapping_add(1);
        }
        match (header.kind, self.role) {
            (PacketType::Open, Role::Agent) => self.opened(header.position, payload, now),
            (PacketType::Accept, Role::Host) => self.accepted(header, payload, now),
            (PacketType::Reset, _) => self.told(header, payload, mine),
            (PacketType::Data, _) if mine && !payload.is_empty() => self.data(header, payload, now),
            (PacketType::Ack, _) if mine => match Ack::read(payload) {
                Some(ack) => self.acknowledged(header.position, ack, now),
                None => count(&mut self.counts.stray),
            },
            (PacketType::Probe, _) if mine => {}
            (PacketType::Data | PacketType::Ack, Role::Agent) if !mine => {
                count(&mut self.counts.stray);
                self.refuse(header.connection, 0, ResetReason::NoConnection, now);
            }
            _ => count(&mut self.counts.stray),
        }
    }

    /// An agent's answer to what it does not accept, not too often.
    fn refuse(&mut self, connection: u16, cookie: u32, reason: ResetReason, now: Instant) {
        let [stray, busy] = &mut self.quiet_until;
        let until = if reason == ResetReason::Busy { busy } else { stray };
        if self.reset.is_none() && now >= *until {
            *until = now.saturating_add(QUIET);
            self.reset = Some((connection, cookie, reason));
        }
    }

    /// A host requests a connection from an agent (SPEC section 4.1).
    fn opened(&mut self, cookie: u32, payload: &[u8], now: Instant) {
        let &[GENERATION, lanes, ..] = payload else {
            self.reset = self.reset.or(Some((0, cookie, ResetReason::Generation)));
            return;
        };
        if self.open().is_some() && cookie == self.cookie {
            self.accept_due |= !self.heard;
            return;
        }
        if self.busy {
            return self.refuse(0, cookie, ResetReason::Busy, now);
        }
        self.restart(now);
        self.cookie = cookie;
        self.connection = self.connection.wrapping_add(1).max(1);
        self.status = LinkStatus::Open(self.connection);
        self.health.agreed = self.has_bulk && lanes & 2 != 0;
        (self.accept_due, self.reset) = (true, None);
    }

    /// A host gets its answer.
    fn accepted(&mut self, header: Header, payload: &[u8], now: Instant) {
        if self.status != LinkStatus::Opening || header.position != self.cookie {
            return;
        }
        let (&[generation, lanes, ..], 1..) = (payload, header.connection) else {
            return count(&mut self.counts.stray);
        };
        if generation != GENERATION {
            return self.end(LineEnd::Generation, None);
        }
        self.connection = header.connection;
        self.status = LinkStatus::Open(header.connection);
        self.health.agreed = self.has_bulk && lanes & 2 != 0;
        self.ack_at = now.saturating_add(ACK);
        // What came before was noise, or of another connection.
        (self.intact, self.failures, self.signal_failures, self.nack) = (0, [0; 2], 0, 0);
    }

    /// The peer ends the connection, or refuses one.
    fn told(&mut self, header: Header, payload: &[u8], mine: bool) {
        let reason = ResetReason(payload.first().copied().unwrap_or_default());
        let opening = self.status == LinkStatus::Opening;
        match (opening && header.connection == 0 && header.position == self.cookie, reason) {
            (true, ResetReason::Busy) => self.refused = true,
            (refused, _) if refused || mine => self.end(LineEnd::Reset(reason), None),
            _ => count(&mut self.counts.stray),
        }
    }

    /// SPEC section 4.2.
    fn data(&mut self, header: Header, payload: &[u8], now: Instant) {
        self.heard = true;
        self.ack_due = true;
        let channel = header.channel();
        let [urgent, ordinary] = &mut self.expected;
        let [urgent_gap, ordinary_gap] = nack::GAP;
        let (expected, gap) = match channel {
            Channel::Urgent => (urgent, urgent_gap),
            Channel::Ordinary => (ordinary, ordinary_gap),
        };
        let Some(known) = ahead(*expected, header.position) else {
            self.nack |= gap;
            return;
        };
        let mut new = payload.get(size(known)..).unwrap_or_default();
        while !new.is_empty() {
            match self.inboxes.take(channel, new, now) {
                Ok(0) => break,
                Ok(taken) => {
                    new = new.get(taken..).unwrap_or_default();
                    *expected = expected.wrapping_add(number(taken));
                }
                Err(_) => return self.end(LineEnd::BadRecord, Some(ResetReason::BadRecord)),
            }
        }
    }

    /// SPEC section 4.3.
    fn acknowledged(&mut self, number: u32, ack: Ack, now: Instant) {
        let [urgent, ordinary] = &mut self.senders;
        let ([next_0, next_1], [window_0, window_1], [gap_0, gap_1]) = (ack.next, ack.window, nack::GAP);
        let new = ahead(number, self.heard_ack).is_some_and(|n| n > 0);
        if !new || !urgent.believes(next_0) || !ordinary.believes(next_1) {
            return;
        }
        self.heard_ack = number;
        let failed = nack::HEADER | nack::CRC;
        urgent.acknowledge(next_0, window_0, ack.nack & (gap_0 | failed) != 0, now);
        ordinary.acknowledge(next_1, window_1, ack.nack & (gap_1 | failed) != 0, now);
        if self.health.report(ack.intact, ack.failures, now) {
            self.damaged(now);
        }
        self.crc_failure |= ack.nack & nack::CRC != 0;
    }
}
