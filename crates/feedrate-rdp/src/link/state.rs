//! What a link does: which packet means what, and which one goes next.

use feedrate::rdp::packet::{Framed, Header, Line, Packet, PacketError, PacketType};
use feedrate::{Encode, Error, Fault, SliceOutput};

use super::ack::{Ack, nack};
use super::buffer::{Buffer, Queue, Sizes};
use super::channel::{Received, Receiver, Sender, Tick, ahead};
use super::lane::{Health, LaneCounts, LaneId};
use super::status::{LinkCounts, LinkEnd, LinkStatus, ResetReason};
use crate::count::count;
use crate::limits::FIRST_LIMIT;
use crate::role::Role;
use crate::time::{Millis, earlier, reached, since};

/// Generation of the protocol.
const GENERATION: u8 = 3;
/// At least every so often an ACK is sent, in milliseconds.
const ACK: u32 = 200;
/// How often OPEN is sent, in milliseconds, and how many times.
const OPEN: u32 = 250;
const OPENINGS: u8 = 20;
/// How far two answers to stray packets are apart, in milliseconds.
const STRAY: u32 = 200;

/// All but the lanes.
pub(super) struct Core<S: Sizes> {
    pub(super) role: Role,
    pub(super) has_bulk: bool,
    pub(super) status: LinkStatus,
    pub(super) connection: u16,
    pub(super) cookie: u32,
    /// DATA of this connection has arrived.
    pub(super) heard: bool,
    pub(super) senders: [Sender<S::Send>; 2],
    pub(super) receivers: [Receiver<S::Message>; 2],
    pub(super) queue: Queue<S::Queue>,
    pub(super) limit: usize,
    pub(super) health: Health,
    /// What this side has seen on its bulk lane, and failures on the signal lane.
    pub(super) intact: u16,
    pub(super) failures: (u16, u16),
    pub(super) signal_failures: u16,
    pub(super) nack: u8,
    pub(super) ack_due: bool,
    pub(super) ack_at: Millis,
    pub(super) ack_number: u32,
    pub(super) heard_ack: u32,
    pub(super) accept_due: bool,
    pub(super) open_at: Millis,
    pub(super) openings: u8,
    pub(super) reset: Option<(u16, u32, ResetReason)>,
    pub(super) stray_at: Option<Millis>,
    pub(super) rekey: bool,
    pub(super) counts: LinkCounts,
}

impl<S: Sizes> Core<S> {
    pub(super) const fn new(role: Role, has_bulk: bool, first: u16) -> Self {
        Self {
            role,
            has_bulk,
            status: LinkStatus::Idle,
            connection: first,
            cookie: 0,
            heard: false,
            senders: [Sender::NEW, Sender::NEW],
            receivers: [Receiver::NEW, Receiver::NEW],
            queue: Queue::EMPTY,
            limit: FIRST_LIMIT,
            health: Health::NEW,
            intact: 0,
            failures: (0, 0),
            signal_failures: 0,
            nack: 0,
            ack_due: false,
            ack_at: 0,
            ack_number: 0,
            heard_ack: 0,
            accept_due: false,
            open_at: 0,
            openings: 0,
            reset: None,
            stray_at: None,
            rekey: false,
            counts: LinkCounts { stray: 0, damaged: 0 },
        }
    }

    /// Nothing of an earlier connection is left.
    pub(super) fn restart(&mut self, now: Millis) {
        self.senders.iter_mut().for_each(Sender::restart);
        self.receivers.iter_mut().for_each(Receiver::restart);
        self.queue.clear();
        self.limit = FIRST_LIMIT;
        self.health = Health::NEW;
        (self.intact, self.failures, self.signal_failures) = (0, (0, 0), 0);
        (self.nack, self.ack_due, self.ack_at) = (0, false, now);
        (self.ack_number, self.heard_ack) = (0, 0);
        (self.heard, self.accept_due, self.rekey) = (false, false, false);
    }

    #[inline(never)]
    pub(super) fn end(&mut self, end: LinkEnd, reset: Option<(u16, u32, ResetReason)>) {
        self.status = LinkStatus::Ended(end);
        self.reset = self.reset.or(reset);
        (self.ack_due, self.accept_due) = (false, false);
    }

    /// The connection, if there is one.
    pub(super) fn open(&self) -> Option<u16> {
        match self.status {
            LinkStatus::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Takes what a lane's decoder returns. `false`: there is nothing left.
    pub(super) fn packet(
        &mut self,
        lane: LaneId,
        packet: Result<Option<Packet<'_>>, Error<PacketError>>,
        counts: &mut LaneCounts,
        now: Millis,
    ) -> bool {
        match packet {
            Ok(None) => return false,
            Ok(Some(packet)) => {
                count(&mut counts.received);
                self.receive(lane, &packet, now);
            }
            Err(Error::Message(error)) => self.failure(lane, error, counts),
            Err(Error::Lost(error)) => {
                self.failure(lane, error, counts);
                match lane {
                    LaneId::Signal if self.open().is_some() || self.status == LinkStatus::Opening => {
                        self.end(LinkEnd::Lane, None);
                    }
                    _ => {}
                }
                return false;
            }
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
        let failures = match (lane, bit) {
            (LaneId::Signal, _) => &mut self.signal_failures,
            (LaneId::Bulk, nack::CRC) => &mut self.failures.1,
            (LaneId::Bulk, _) => &mut self.failures.0,
        };
        *failures = failures.wrapping_add(1);
        self.nack |= bit;
        self.ack_due = self.open().is_some();
    }

    fn receive(&mut self, lane: LaneId, packet: &Packet<'_>, now: Millis) {
        let header = packet.header;
        if !header.is_known() {
            return count(&mut self.counts.stray);
        }
        let mine = self.open() == Some(header.connection);
        if mine && lane == LaneId::Bulk {
            self.intact = self.intact.wrapping_add(1);
        }
        match header.kind {
            PacketType::Open if self.role == Role::Agent => {
                self.opened(header.position, packet.payload(), now)
            }
            PacketType::Accept if self.role == Role::Host => self.accepted(header, packet.payload(), now),
            PacketType::Reset if self.role == Role::Host && self.status == LinkStatus::Opening => {
                if header.connection == 0 && header.position == self.cookie {
                    let reason = reason(packet.payload());
                    self.end(LinkEnd::Reset(reason), None);
                }
            }
            PacketType::Reset if mine => {
                let reason = reason(packet.payload());
                self.end(LinkEnd::Reset(reason), None);
            }
            PacketType::Data if mine && !packet.payload().is_empty() => self.data(header, packet.payload()),
            PacketType::Ack if mine => match packet.payload().first_chunk() {
                Some(ack) => self.acknowledged(header.position, Ack::from_bytes(*ack), now),
                None => count(&mut self.counts.stray),
            },
            PacketType::Probe if mine => {}
            PacketType::Data | PacketType::Ack if !mine => self.stray(header.connection, now),
            _ => count(&mut self.counts.stray),
        }
    }

    fn stray(&mut self, connection: u16, now: Millis) {
        count(&mut self.counts.stray);
        let quiet = self.stray_at.is_none_or(|at| since(now, at) >= STRAY);
        if self.role == Role::Agent && self.reset.is_none() && quiet {
            self.stray_at = Some(now);
            self.reset = Some((connection, 0, ResetReason::NoConnection));
        }
    }

    /// An agent is asked for a connection.
    fn opened(&mut self, cookie: u32, payload: &[u8], now: Millis) {
        let &[GENERATION, lanes, ..] = payload else {
            self.reset = Some((0, cookie, ResetReason::Generation));
            return;
        };
        if self.open().is_some() && cookie == self.cookie {
            self.accept_due |= !self.heard;
            return;
        }
        self.restart(now);
        self.cookie = cookie;
        self.connection = self.connection.wrapping_add(1).max(1);
        self.status = LinkStatus::Open(self.connection);
        self.health.agreed = self.has_bulk && lanes & 2 != 0;
        (self.accept_due, self.reset) = (true, None);
    }

    /// A host gets its answer.
    fn accepted(&mut self, header: Header, payload: &[u8], now: Millis) {
        if self.status != LinkStatus::Opening || header.position != self.cookie {
            return;
        }
        let (&[generation, lanes, ..], 1..) = (payload, header.connection) else {
            return count(&mut self.counts.stray);
        };
        if generation != GENERATION {
            return self.end(LinkEnd::Generation, None);
        }
        self.connection = header.connection;
        self.status = LinkStatus::Open(header.connection);
        self.health.agreed = self.has_bulk && lanes & 2 != 0;
        (self.ack_at, self.nack) = (now, 0);
    }

    fn data(&mut self, header: Header, payload: &[u8]) {
        self.heard = true;
        self.ack_due = true;
        let [signal, bulk] = &mut self.receivers;
        let [signal_gap, bulk_gap] = nack::GAP;
        let (receiver, gap) = if header.is_bulk() { (bulk, bulk_gap) } else { (signal, signal_gap) };
        match receiver.receive(header.position, payload, self.limit, &mut self.queue) {
            Ok(Received::Gap) => self.nack |= gap,
            Ok(Received::Known | Received::Taken) => {}
            Err(_) => self.end(LinkEnd::BadRecord, Some((self.connection, 0, ResetReason::BadRecord))),
        }
    }

    fn acknowledged(&mut self, number: u32, ack: Ack, now: Millis) {
        let [signal, bulk] = &mut self.senders;
        let [next_signal, next_bulk] = ack.next;
        if ahead(number, self.heard_ack).is_none_or(|n| n == 0)
            || !signal.believes(next_signal)
            || !bulk.believes(next_bulk)
        {
            return;
        }
        self.heard_ack = number;
        let [window_signal, window_bulk] = ack.window;
        let [gap_signal, gap_bulk] = nack::GAP;
        let failed = ack.nack & (nack::HEADER | nack::CRC) != 0;
        signal.acknowledge(next_signal, window_signal, failed || ack.nack & gap_signal != 0, now);
        bulk.acknowledge(next_bulk, window_bulk, failed || ack.nack & gap_bulk != 0, now);
        if self.health.report(ack.intact, ack.failures, now) {
            count(&mut self.counts.damaged);
            if !bulk.is_idle() {
                bulk.go_back(now);
            }
        }
        self.rekey |= ack.nack & nack::CRC != 0;
    }

    /// What time alone brings about.
    pub(super) fn tick(&mut self, now: Millis) {
        let Some(connection) = self.open() else { return };
        let [signal, bulk] = &mut self.senders;
        let ticks = [signal.tick(now), bulk.tick(now)];
        if ticks.contains(&Tick::Lost) {
            return self.end(LinkEnd::NoProgress, Some((connection, 0, ResetReason::NotHeard)));
        }
        let [_, bulk] = ticks;
        if bulk == Tick::Retransmit && self.health.is_usable() && self.health.damage(now) {
            count(&mut self.counts.damaged);
        }
    }

    pub(super) fn poll_signal(&mut self, mut place: Place<'_>, now: Millis) -> usize {
        if let Some((connection, position, reason)) = self.reset {
            let header = Header::new(PacketType::Reset, connection, position);
            let length = place.put(header, (&[reason.0], &[]));
            if length > 0 {
                self.reset = None;
            }
            return length;
        }
        let lanes = if self.has_bulk { 3 } else { 1 };
        if self.status == LinkStatus::Opening && reached(now, self.open_at) {
            if self.openings >= OPENINGS {
                self.end(LinkEnd::NoAnswer, None);
                return 0;
            }
            let header = Header::new(PacketType::Open, 0, self.cookie);
            let length = place.put(header, (&[GENERATION, lanes], &[]));
            if length > 0 {
                self.openings = self.openings.saturating_add(1);
                self.open_at = now.wrapping_add(OPEN);
            }
            return length;
        }
        let Some(connection) = self.open() else { return 0 };
        if self.accept_due {
            let header = Header::new(PacketType::Accept, connection, self.cookie);
            let length = place.put(header, (&[GENERATION, lanes], &[]));
            self.accept_due = length == 0;
            return length;
        }
        if self.ack_due || since(now, self.ack_at) >= ACK {
            let number = self.ack_number.wrapping_add(1);
            let header = Header::new(PacketType::Ack, connection, number);
            let length = place.put(header, (&self.ack().to_bytes(), &[]));
            if length > 0 {
                (self.ack_number, self.ack_at) = (number, now);
                (self.ack_due, self.nack) = (false, 0);
            }
            return length;
        }
        let [signal, bulk] = &mut self.senders;
        let header = Header::new(PacketType::Data, connection, 0);
        match place.data(header, signal, false, now) {
            0 if self.health.is_usable() => 0,
            0 => place.data(header, bulk, true, now),
            length => length,
        }
    }

    pub(super) fn poll_bulk(&mut self, mut place: Place<'_>, now: Millis) -> usize {
        let Some(connection) = self.open() else { return 0 };
        if self.health.is_usable() {
            let [_, bulk] = &mut self.senders;
            return place.data(Header::new(PacketType::Data, connection, 0), bulk, true, now);
        }
        if !self.health.probe_due(now) {
            return 0;
        }
        self.health.probed(now);
        place.put(Header::new(PacketType::Probe, connection, 0), (&[], &[]))
    }

    fn ack(&self) -> Ack {
        Ack {
            next: self.receivers.each_ref().map(Receiver::next),
            window: self.receivers.each_ref().map(|receiver| receiver.window(&self.queue)),
            intact: self.intact,
            failures: self.failures,
            nack: self.nack,
            signal_failures: self.signal_failures,
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        match self.status {
            LinkStatus::Opening => Some(self.open_at),
            LinkStatus::Open(_) => {
                let senders = self.senders.iter().map(Sender::deadline).fold(self.health.deadline(), earlier);
                earlier(senders, Some(self.ack_at.wrapping_add(ACK)))
            }
            LinkStatus::Idle | LinkStatus::Ended(_) => None,
        }
    }
}

fn reason(payload: &[u8]) -> ResetReason {
    ResetReason(payload.first().copied().unwrap_or_default())
}

/// Where a packet goes.
pub(super) struct Place<'o> {
    pub(super) line: Line,
    pub(super) out: &'o mut [u8],
    pub(super) counts: &'o mut LaneCounts,
}

impl Place<'_> {
    /// Returns how many bytes it took; 0 if there was no room.
    #[inline(never)]
    fn put(&mut self, header: Header, payload: (&[u8], &[u8])) -> usize {
        let packet = Framed::new(header, payload, self.line.framing);
        let length = packet.encode(&mut SliceOutput::new(self.out)).unwrap_or_default();
        if length > 0 {
            count(&mut self.counts.sent);
        }
        length
    }

    fn data<B: Buffer>(&mut self, header: Header, sender: &mut Sender<B>, bulk: bool, now: Millis) -> usize {
        let most = self.line.framing.payload(self.line.mtu.min(self.out.len()));
        let Some(chunk) = sender.chunk(most) else { return 0 };
        let header = Header { position: chunk.position, ..header }.data(bulk, chunk.tries);
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
