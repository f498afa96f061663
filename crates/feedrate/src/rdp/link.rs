//! The link: two channels of messages over one or two lanes (SPEC section 4).

use core::fmt;

use super::buffer::{Queue, Sizes};
use super::channel::{Received, Receiver, Sender, Tick, ahead};
use super::lane::{Health, Lane, LaneCounts, LaneId, count};
use super::packet::{Header, Line, Packet, PacketError, PacketType, Payload};
use super::time::{Millis, earlier, reached, since};
use crate::encode::{Encode, SliceOutput};
use crate::protocol::{Error, Fault};

/// Generation of the protocol.
const GENERATION: u8 = 3;
/// At least every so often an ACK is sent, in milliseconds.
const ACK: u32 = 200;
/// How often OPEN is sent, in milliseconds, and how many times.
const OPEN: u32 = 250;
const OPENINGS: u8 = 20;
/// How far two answers to stray packets are apart, in milliseconds.
const STRAY: u32 = 200;
/// The longest message before the handshake has said something else.
pub(super) const FIRST_LIMIT: usize = 512;
/// Bytes of an ACK's payload.
const ACK_SIZE: usize = 21;

/// What is wrong, as an ACK tells it.
mod nack {
    pub(super) const GAP: [u8; 2] = [1, 2];
    pub(super) const HEADER: u8 = 4;
    pub(super) const CRC: u8 = 8;
}

/// Which of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The debugging tool.
    Host,
    /// The controller.
    Agent,
}

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// What is small and urgent.
    Signal,
    /// Bulk.
    Bulk,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkEnd {
    /// This side closed it.
    #[error("the link was closed")]
    Closed,
    /// The peer closed it.
    #[error("the peer ended the link: {}", match .0 {
        1 => "its session has ended",
        2 => "it speaks another generation of the protocol",
        3 => "it has no such connection",
        4 => "a message was longer than it accepts",
        5 => "it was not heard",
        _ => "for a reason that this version does not know",
    })]
    Reset(u8),
    /// The peer sent a record that is empty or too long.
    #[error("the peer sent a record that is empty or too long")]
    BadRecord,
    /// The peer acknowledges nothing.
    #[error("the peer acknowledges nothing")]
    NoProgress,
    /// No ACCEPT came.
    #[error("nobody answers")]
    NoAnswer,
    /// The peer speaks another generation of the protocol.
    #[error("the peer speaks another generation of the protocol")]
    Generation,
    /// The signal lane lost its framing, or the line behind it is gone.
    #[error("the line is gone, or what comes over it is not RDPv3")]
    Lane,
    /// Another host has come.
    #[error("another host has come")]
    Replaced,
}

/// How the link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// There has been no connection yet.
    Idle,
    /// The host waits for the agent's answer.
    Opening,
    /// There is a connection with this number.
    Open(u16),
    /// There was one.
    Ended(LinkEnd),
}

/// The link: `feed` what arrives on a lane, `poll` for what is to be sent on it, and look for messages in between.
///
/// Everything happens on the caller's clock, and nothing blocks.
pub struct Link<S: Sizes> {
    signal: Lane<S::Lane>,
    bulk: Lane<S::Lane>,
    core: Core<S>,
}

/// All but the lanes.
struct Core<S: Sizes> {
    role: Role,
    has_bulk: bool,
    status: LinkStatus,
    connection: u16,
    cookie: u32,
    /// DATA of this connection has arrived.
    heard: bool,
    senders: [Sender<S::Send>; 2],
    receivers: [Receiver<S::Message>; 2],
    queue: Queue<S::Queue>,
    limit: usize,
    health: Health,
    /// What this side has seen on its bulk lane, and failures on the signal lane.
    intact: u16,
    failures: (u16, u16),
    signal_failures: u16,
    nack: u8,
    ack_due: bool,
    ack_at: Millis,
    ack_number: u32,
    heard_ack: u32,
    accept_due: bool,
    open_at: Millis,
    openings: u8,
    reset: Option<(u16, u32, u8)>,
    stray_at: Option<Millis>,
    rekey: bool,
    counts: LinkCounts,
}

/// What a link counts beside its [lanes](LaneCounts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounts {
    /// Packets of another connection, or for another version.
    pub stray: u32,
    /// How often the bulk lane became damaged.
    pub damaged: u32,
}

impl<S: Sizes> Link<S> {
    /// A link without a connection. `bulk` is the bulk lane, if there is one.
    ///
    /// `first` is the number that an agent's connections are counted from: something that is not the same after each reset.
    pub const fn new(role: Role, signal: Line, bulk: Option<Line>, first: u16) -> Self {
        let (has_bulk, bulk) = match bulk {
            Some(line) => (true, line),
            None => (false, Line::SPI),
        };
        Self { signal: Lane::new(signal), bulk: Lane::new(bulk), core: Core::new(role, has_bulk, first) }
    }

    /// Counts an agent's connections from another number, before there is one.
    pub(super) fn count_from(&mut self, first: u16) {
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

    /// Writes the next packet for a lane into `out`, which has the lane's MTU, and answers its bytes; 0 if there is nothing to send now.
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
    pub(super) const fn ended_at(&self) -> Option<Millis> {
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

    /// The line behind a lane is gone: the peer has hung up, the cable is out. Without its signal lane a link ends; without its bulk lane it goes on.
    pub fn disconnect(&mut self, lane: LaneId, now: Millis) {
        match lane {
            LaneId::Signal if self.core.open().is_some() || self.core.status == LinkStatus::Opening => {
                self.core.end(LinkEnd::Lane, None);
            }
            LaneId::Signal => {}
            LaneId::Bulk => {
                if self.core.health.damage(now) {
                    count(&mut self.core.counts.damaged);
                }
            }
        }
    }

    /// Whether what has arrived on a lane with stream framing cannot be RDPv3, so that the line is to be closed. It lasts until [`reconnect`](Self::reconnect).
    pub const fn is_lost(&self, lane: LaneId) -> bool {
        match lane {
            LaneId::Signal => self.signal.decoder.is_lost(),
            LaneId::Bulk => self.bulk.decoder.is_lost(),
        }
    }

    /// Forgets the bytes of a packet that has not all arrived, and a stream that was lost: the line behind a lane is another one now.
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
            if receiver.deliver(&mut self.core.queue).is_none() {
                // There was no room for it, and there is none yet.
                continue;
            }
        }
    }

    /// The longest message that is accepted from now on.
    pub fn accept(&mut self, limit: usize) {
        self.core.limit = limit;
    }

    /// Ends the connection, and tells the peer.
    pub fn close(&mut self, reason: u8) {
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
    pub(super) fn ends(&self) -> [u32; 2] {
        self.core.senders.each_ref().map(Sender::end)
    }

    /// Whether both channels have been acknowledged as far as `ends`.
    pub(super) fn have_passed(&self, ends: [u32; 2]) -> bool {
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

impl<S: Sizes> Core<S> {
    const fn new(role: Role, has_bulk: bool, first: u16) -> Self {
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
    fn restart(&mut self, now: Millis) {
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
    fn end(&mut self, end: LinkEnd, reset: Option<(u16, u32, u8)>) {
        self.status = LinkStatus::Ended(end);
        self.reset = self.reset.or(reset);
        (self.ack_due, self.accept_due) = (false, false);
    }

    /// The connection, if there is one.
    fn open(&self) -> Option<u16> {
        match self.status {
            LinkStatus::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Takes what a lane's decoder answers. `false`: there is nothing left.
    fn packet(
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
            PacketType::Ack if mine && packet.payload().len() >= ACK_SIZE => {
                self.acknowledged(header.position, packet.payload(), now);
            }
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
            self.reset = Some((connection, 0, 3));
        }
    }

    /// An agent is asked for a connection.
    fn opened(&mut self, cookie: u32, mut payload: Payload<'_>, now: Millis) {
        let mut fields = [0; 2];
        let length = payload.copy_to(&mut fields);
        let [generation, lanes] = fields;
        if length < fields.len() || generation != GENERATION {
            self.reset = Some((0, cookie, 2));
            return;
        }
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
    fn accepted(&mut self, header: Header, mut payload: Payload<'_>, now: Millis) {
        if self.status != LinkStatus::Opening || header.position != self.cookie {
            return;
        }
        let mut fields = [0; 2];
        let length = payload.copy_to(&mut fields);
        let [generation, lanes] = fields;
        if length < fields.len() || header.connection == 0 {
            return count(&mut self.counts.stray);
        }
        if generation != GENERATION {
            return self.end(LinkEnd::Generation, None);
        }
        self.connection = header.connection;
        self.status = LinkStatus::Open(header.connection);
        self.health.agreed = self.has_bulk && lanes & 2 != 0;
        (self.ack_at, self.nack) = (now, 0);
    }

    fn data(&mut self, header: Header, payload: Payload<'_>) {
        self.heard = true;
        self.ack_due = true;
        let [signal, bulk] = &mut self.receivers;
        let [signal_gap, bulk_gap] = nack::GAP;
        let (receiver, gap) = if header.is_bulk() { (bulk, bulk_gap) } else { (signal, signal_gap) };
        match receiver.receive(header.position, payload, self.limit, &mut self.queue) {
            Ok(Received::Gap) => self.nack |= gap,
            Ok(Received::Known | Received::Taken) => {}
            Err(_) => self.end(LinkEnd::BadRecord, Some((self.connection, 0, 4))),
        }
    }

    fn acknowledged(&mut self, number: u32, mut payload: Payload<'_>, now: Millis) {
        let mut bytes = [0; ACK_SIZE];
        payload.copy_to(&mut bytes);
        let ack = Ack::from_bytes(bytes);
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
    fn tick(&mut self, now: Millis) {
        let Some(connection) = self.open() else { return };
        let [signal, bulk] = &mut self.senders;
        let ticks = [signal.tick(now), bulk.tick(now)];
        if ticks.contains(&Tick::Lost) {
            return self.end(LinkEnd::NoProgress, Some((connection, 0, 5)));
        }
        let [_, bulk] = ticks;
        if bulk == Tick::Retransmit && self.health.is_usable() && self.health.damage(now) {
            count(&mut self.counts.damaged);
        }
    }

    fn poll_signal(&mut self, mut place: Place<'_>, now: Millis) -> usize {
        if let Some((connection, position, reason)) = self.reset {
            let length =
                place.put(Packet::new(Header::new(PacketType::Reset, connection, position), &[reason]));
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
            let length = place.put(Packet::new(header, &[GENERATION, lanes]));
            if length > 0 {
                self.openings = self.openings.saturating_add(1);
                self.open_at = now.wrapping_add(OPEN);
            }
            return length;
        }
        let Some(connection) = self.open() else { return 0 };
        if self.accept_due {
            let header = Header::new(PacketType::Accept, connection, self.cookie);
            let length = place.put(Packet::new(header, &[GENERATION, lanes]));
            self.accept_due = length == 0;
            return length;
        }
        if self.ack_due || since(now, self.ack_at) >= ACK {
            let number = self.ack_number.wrapping_add(1);
            let header = Header::new(PacketType::Ack, connection, number);
            let length = place.put(Packet::new(header, &self.ack().to_bytes()));
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

    fn poll_bulk(&mut self, mut place: Place<'_>, now: Millis) -> usize {
        let Some(connection) = self.open() else { return 0 };
        if self.health.is_usable() {
            let [_, bulk] = &mut self.senders;
            return place.data(Header::new(PacketType::Data, connection, 0), bulk, true, now);
        }
        if !self.health.probe_due(now) {
            return 0;
        }
        self.health.probed(now);
        place.put(Packet::new(Header::new(PacketType::Probe, connection, 0), &[]))
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

    fn deadline(&self) -> Option<Millis> {
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

fn reason(mut payload: Payload<'_>) -> u8 {
    let mut reason = [0];
    payload.copy_to(&mut reason);
    let [reason] = reason;
    reason
}

/// Where a packet goes.
struct Place<'o> {
    line: Line,
    out: &'o mut [u8],
    counts: &'o mut LaneCounts,
}

impl Place<'_> {
    /// Answers how many bytes it took; 0 if there was no room.
    #[inline(never)]
    fn put(&mut self, packet: Packet<'_>) -> usize {
        let length =
            packet.framed(self.line.framing).encode(&mut SliceOutput::new(self.out)).unwrap_or_default();
        if length > 0 {
            count(&mut self.counts.sent);
        }
        length
    }

    fn data<B: super::buffer::Buffer>(
        &mut self,
        header: Header,
        sender: &mut Sender<B>,
        bulk: bool,
        now: Millis,
    ) -> usize {
        let most = self.line.framing.payload(self.line.mtu.min(self.out.len()));
        let Some(chunk) = sender.chunk(most) else { return 0 };
        let header = Header { position: chunk.position, ..header }.data(bulk, chunk.tries);
        let length = self.put(Packet::in_two(header, chunk.bytes));
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

/// The payload of ACK (SPEC section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ack {
    next: [u32; 2],
    window: [u16; 2],
    intact: u16,
    failures: (u16, u16),
    nack: u8,
    signal_failures: u16,
}

impl Ack {
    fn to_bytes(self) -> [u8; ACK_SIZE] {
        let [[a, b, c, d], [g, h, i, j]] = self.next.map(u32::to_be_bytes);
        let [[e, f], [k, l]] = self.window.map(u16::to_be_bytes);
        let [m, n] = self.intact.to_be_bytes();
        let [o, p] = self.failures.0.to_be_bytes();
        let [q, r] = self.failures.1.to_be_bytes();
        let [t, u] = self.signal_failures.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, self.nack, t, u]
    }

    fn from_bytes(bytes: [u8; ACK_SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = bytes;
        Self {
            next: [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([g, h, i, j])],
            window: [u16::from_be_bytes([e, f]), u16::from_be_bytes([k, l])],
            intact: u16::from_be_bytes([m, n]),
            failures: (u16::from_be_bytes([o, p]), u16::from_be_bytes([q, r])),
            nack: s,
            signal_failures: u16::from_be_bytes([t, u]),
        }
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
