//! A line that loses nothing: TCP, WebSocket (SPEC section 5.1).

use core::fmt;

use feedrate::Instant;
use feedrate::rdp::Channel;

use crate::gate::Gate;
use crate::inbox::{Arrived, BadRecord, Inboxes, Records};
use crate::line::{Line, LineEnd, sealed};
use crate::ring::Ring;
use crate::sizes::{Board, Buffer, LENGTH, Sizes, fill, number, sound};

/// A line that loses nothing: `connect` for each connection, `feed` what arrives on it, and `poll_transmit` for what
/// is to be sent on it.
///
/// ```
/// use feedrate::Instant;
/// use feedrate_rdp::stream::Stream;
///
/// let mut stream: Stream = Stream::agent();
/// stream.connect()?;
/// let mut input = &b"GET / HTTP/1.1"[..];
/// let error = stream.feed(&mut input, Instant::ZERO).unwrap_err();
/// assert_eq!((error.length, error.limit), (0x4745, 512));
/// assert!(stream.is_finished());
/// # Ok::<(), feedrate_rdp::stream::Busy>(())
/// ```
///
/// The bytes of a WebSocket are the payloads of its binary messages, one after another.
#[repr(C)]
pub struct Stream<S: Sizes = Board> {
    /// Connections so far.
    connection: u32,
    status: Status,
    busy: bool,
    /// The channel of which a record is being sent, and how much of it is left. None if that is 0.
    sending: Channel,
    left: usize,
    outboxes: [Ring; 2],
    inboxes: Inboxes<S>,
    outgoing: [S::Send; 2],
}

#[derive(Debug, Clone, Copy)]
enum Status {
    Idle,
    Open,
    Ended(LineEnd),
    Lost(StreamError),
}

/// Bit 15 of a record's first two bytes.
const ORDINARY: u8 = 0x80;

/// What has arrived cannot be RDPv3: the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no stream of RDPv3: a record of {length} bytes on a channel where 18 to {limit} are possible")]
#[non_exhaustive]
pub struct StreamError {
    /// The record's channel.
    pub channel: Channel,
    /// Its length as it declares it, in bytes.
    pub length: u16,
    /// The maximum length.
    pub limit: u16,
}

/// Another connection is refused: somebody has a session, or the machine has not recovered from a reset (SPEC section
/// 5.3). The new one is to be closed; the old one is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("busy: another host has a session, or the machine has not recovered from a reset")]
#[non_exhaustive]
pub struct Busy;

impl<S: Sizes> Stream<S> {
    /// An agent's, without a connection.
    pub const fn agent() -> Self {
        Self::new()
    }

    /// A host's, without a connection.
    pub const fn host() -> Self {
        Self::new()
    }

    const fn new() -> Self {
        const { sound::<S>() };
        Self {
            status: Status::Idle,
            connection: 0,
            busy: false,
            inboxes: Inboxes::new(Records::STREAM),
            outboxes: [const { Ring::new(S::Send::SIZE) }; 2],
            outgoing: [S::Send::ZERO; 2],
            sending: Channel::Urgent,
            left: 0,
        }
    }

    /// There is a new connection. It takes the place of an older one, which is to be closed.
    ///
    /// # Errors
    ///
    /// [`Busy`]: it is the new one that is to be closed.
    pub fn connect(&mut self) -> Result<(), Busy> {
        if self.busy {
            return Err(Busy);
        }
        self.connection = self.connection.wrapping_add(1);
        self.status = Status::Open;
        self.inboxes.restart();
        self.stop_sending();
        Ok(())
    }

    /// Takes what has arrived, as far as there is room for it: the rest stays in `input`, until messages have been
    /// acted on. What arrives when there is no connection is discarded.
    ///
    /// # Errors
    ///
    /// [`StreamError`] if that cannot be RDPv3, and from then on, up to the next connection. This one is to be
    /// closed.
    pub fn feed(&mut self, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        match self.status {
            Status::Open => {}
            Status::Lost(error) => {
                *input = &[];
                return Err(error);
            }
            Status::Idle | Status::Ended(_) => *input = &[],
        }
        while let Some(first) = input.first() {
            let channel = match self.inboxes.inside() {
                Some(channel) => channel,
                None if first & ORDINARY == 0 => Channel::Urgent,
                None => Channel::Ordinary,
            };
            match self.inboxes.take(channel, input, now) {
                Ok(0) => break,
                Ok(taken) => *input = input.get(taken..).unwrap_or_default(),
                Err(BadRecord { length, limit }) => {
                    let error = StreamError { channel, length, limit };
                    self.status = Status::Lost(error);
                    self.stop_sending();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Writes what is to be sent next into `out`, as much as fits, and returns how much that is. 0: there is nothing.
    ///
    /// What is urgent comes first, but not inside a record that has begun: an `out` that is no larger than what the
    /// line takes now lets it wait the least.
    #[must_use]
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        let mut written = 0_usize;
        while let Some(free @ [_, ..]) = out.get_mut(written..) {
            let ([urgent, ordinary], [memory, ordinary_memory]) = (&mut self.outboxes, &self.outgoing);
            if self.left == 0 {
                self.sending = if urgent.is_empty() { Channel::Ordinary } else { Channel::Urgent };
            }
            let (ring, memory) = match self.sending {
                Channel::Urgent => (urgent, memory.bytes()),
                Channel::Ordinary => (ordinary, ordinary_memory.bytes()),
            };
            if self.left == 0 {
                self.left = record(ring.head(memory));
            }
            let (first, second) = ring.slices(memory, 0, self.left.min(free.len()));
            let taken = first.len().saturating_add(second.len());
            if taken == 0 {
                break;
            }
            fill(free, first);
            fill(free.get_mut(first.len()..).unwrap_or_default(), second);
            ring.drop_front(taken);
            self.left = self.left.saturating_sub(taken);
            written = written.saturating_add(taken);
        }
        written
    }

    /// The connection is gone.
    pub fn disconnect(&mut self) {
        if matches!(self.status, Status::Open) {
            self.status = Status::Ended(LineEnd::Gone);
        }
        self.stop_sending();
    }

    /// Whether the connection is to be closed: its session is over and all has been sent, or it is lost.
    pub fn is_finished(&self) -> bool {
        match self.status {
            Status::Idle | Status::Open => false,
            Status::Ended(_) | Status::Lost(_) => sealed::Line::is_idle(self),
        }
    }

    fn stop_sending(&mut self) {
        self.outboxes.iter_mut().for_each(Ring::clear);
        self.left = 0;
    }
}

/// Bytes of a record of which this is the head; 0 if there is none.
fn record(head: Option<[u8; LENGTH]>) -> usize {
    head.map_or(0, |[high, low]| LENGTH.saturating_add(u16::from_be_bytes([high & !ORDINARY, low]).into()))
}

impl<S: Sizes> Line for Stream<S> {}

impl<S: Sizes> sealed::Line for Stream<S> {
    type Message = S::Message;
    const CREDIT: u8 = crate::sizes::credit::<S>();
    const PEER_CLOSES: bool = true;

    fn connection(&self) -> Option<u32> {
        matches!(self.status, Status::Open).then_some(self.connection)
    }

    fn end(&self) -> Option<LineEnd> {
        match self.status {
            Status::Idle | Status::Open => None,
            Status::Ended(end) => Some(end),
            Status::Lost(_) => Some(LineEnd::Lost),
        }
    }

    fn message(&mut self, channel: Channel) -> Option<Arrived<'_>> {
        self.inboxes.message(channel)
    }

    fn drop_message(&mut self, channel: Channel) {
        self.inboxes.drop_message(channel);
    }

    fn room(&self, channel: Channel) -> usize {
        let [urgent, ordinary] = &self.outboxes;
        match channel {
            Channel::Urgent => urgent.room(),
            Channel::Ordinary => ordinary.room(),
        }
    }

    fn send(&mut self, channel: Channel, message: &[u8], _: Instant) -> bool {
        let ([urgent, ordinary], [memory, ordinary_memory]) = (&mut self.outboxes, &mut self.outgoing);
        let (ring, memory, bit) = match channel {
            Channel::Urgent => (urgent, memory, 0),
            Channel::Ordinary => (ordinary, ordinary_memory, ORDINARY),
        };
        matches!(self.status, Status::Open) && ring.push(memory.bytes_mut(), bit, message)
    }

    fn is_idle(&self) -> bool {
        self.outboxes.iter().all(Ring::is_empty)
    }

    fn has_left(&self) -> bool {
        let [_, ordinary] = &self.outboxes;
        ordinary.is_empty()
    }

    fn accept(&mut self, limit: usize) {
        self.inboxes.accept(limit);
    }

    fn set_gate(&mut self, gate: Option<Gate>) {
        self.inboxes.set_gate(gate);
    }

    fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    fn close(&mut self) {
        if matches!(self.status, Status::Open) {
            self.status = Status::Ended(LineEnd::Closed);
        } else {
            // Called twice: a peer that does not take what is left must not keep the connection.
            self.stop_sending();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn take_crc_failure(&mut self) -> bool {
        false
    }

    fn count_from(&mut self, _: u16) {}

    fn metrics(&self, put: &mut dyn FnMut(u16, u32)) {
        let ([a, b], [c, d]) = (self.inboxes.most(), self.outboxes.each_ref().map(Ring::most));
        report(8, &[a, b, c, d].map(number), put);
    }
}

/// Metrics whose numbers follow one another.
#[inline(never)]
pub(crate) fn report(first: u16, values: &[u32], put: &mut dyn FnMut(u16, u32)) {
    for (metric, value) in (first..).zip(values) {
        put(metric, *value);
    }
}

impl<S: Sizes> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("status", &self.status)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Line as _;
    use super::*;
    use crate::sizes::Desk;
    use crate::sizes::tests::Tiny;
    use std::vec;
    use std::vec::Vec;

    const NOW: Instant = Instant::from_millis(7);

    fn open<S: Sizes>() -> Stream<S> {
        let mut stream = Stream::agent();
        stream.connect().unwrap();
        stream
    }

    fn message(channel: Channel, length: usize) -> Vec<u8> {
        let mut message = vec![channel.number(); length];
        message[4..8].fill(0);
        message
    }

    fn record(channel: Channel, length: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        [&[high | channel.number() << 7, low], &message(channel, length)[..]].concat()
    }

    fn send<S: Sizes>(stream: &mut Stream<S>, channel: Channel, length: usize) {
        assert!(stream.send(channel, &message(channel, length), NOW));
    }

    fn polled<S: Sizes>(stream: &mut Stream<S>, most: usize) -> Vec<u8> {
        let mut out = vec![0xEE; most];
        let length = stream.poll_transmit(&mut out);
        assert!(out[length..].iter().all(|byte| *byte == 0xEE));
        out.truncate(length);
        out
    }

    fn drain<S: Sizes>(stream: &mut Stream<S>, channel: Channel) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(Arrived { message, .. }) = stream.message(channel) {
            all.push(message.to_vec());
            stream.drop_message(channel);
        }
        all
    }

    use Channel::{Ordinary, Urgent};

    #[test]
    fn urgent_records_come_first_but_never_into_another_one() {
        for cut in 0..=322 {
            let mut stream = open::<Desk>();
            send(&mut stream, Ordinary, 320);
            send(&mut stream, Ordinary, 40);
            let mut sent = polled(&mut stream, cut);
            assert_eq!(sent.len(), cut);
            send(&mut stream, Urgent, 20);
            send(&mut stream, Urgent, 30);
            loop {
                let more = polled(&mut stream, 1 + cut % 50);
                if more.is_empty() {
                    break;
                }
                sent.extend(more);
            }
            let urgent = [record(Urgent, 20), record(Urgent, 30)].concat();
            let [first, second] = [320, 40].map(|length| record(Ordinary, length));
            let expected =
                if cut == 0 { [urgent, first, second].concat() } else { [first, urgent, second].concat() };
            assert!(sent == expected, "{cut}");
            assert!(stream.is_idle());
        }
    }

    /// A ring that is written and read in every position.
    #[test]
    fn records_stay_whole_where_the_ring_ends() {
        let mut stream = open::<Tiny>();
        for length in (18..=512).chain((18..=512).rev()) {
            send(&mut stream, Ordinary, length);
            assert_eq!(stream.room(Ordinary), (514 - 2 - length).saturating_sub(2));
            let whole: Vec<u8> =
                [polled(&mut stream, 1), polled(&mut stream, 1), polled(&mut stream, 600)].concat();
            assert!(whole == record(Ordinary, length), "{length}");
        }
        assert!(!stream.send(Ordinary, &[0; 513], NOW));
        assert!(stream.is_idle());
    }

    #[test]
    fn however_it_was_split() {
        let records =
            [(Urgent, 18), (Ordinary, 512), (Urgent, 512), (Ordinary, 20), (Ordinary, 18), (Urgent, 77)];
        let bytes = records.map(|(channel, length)| record(channel, length)).concat();
        let of = |wanted| {
            let mine = records.into_iter().filter(move |(channel, _)| *channel == wanted);
            mine.map(|(channel, length)| message(channel, length)).collect::<Vec<_>>()
        };
        for at in 0..=bytes.len() {
            let mut stream = open::<Desk>();
            let (mut first, mut second) = bytes.split_at(at);
            assert_eq!(stream.feed(&mut first, NOW), Ok(()));
            assert_eq!(stream.feed(&mut second, NOW), Ok(()));
            assert!(first.is_empty() && second.is_empty());
            assert_eq!(
                [Urgent, Ordinary].map(|channel| drain(&mut stream, channel)),
                [of(Urgent), of(Ordinary)]
            );
        }
        let mut stream = open::<Desk>();
        bytes.chunks(1).for_each(|mut byte| assert_eq!(stream.feed(&mut byte, NOW), Ok(())));
        assert_eq!([Urgent, Ordinary].map(|channel| drain(&mut stream, channel)), [of(Urgent), of(Ordinary)]);
    }

    #[test]
    fn what_has_no_room_waits_outside() {
        let mut stream = open::<Tiny>();
        let bytes = [record(Ordinary, 300), record(Ordinary, 300), record(Urgent, 20)].concat();
        let mut input = &bytes[..];
        assert_eq!(stream.feed(&mut input, NOW), Ok(()));
        assert_eq!(input.len(), bytes.len() - 514);
        assert!(stream.message(Urgent).is_none());
        assert_eq!(stream.feed(&mut input, NOW), Ok(()));
        assert_eq!(input.len(), bytes.len() - 514);
        stream.drop_message(Ordinary);
        assert_eq!(stream.feed(&mut input, NOW), Ok(()));
        assert!(input.is_empty());
        assert_eq!(drain(&mut stream, Urgent), [message(Urgent, 20)]);
        assert_eq!(drain(&mut stream, Ordinary), [message(Ordinary, 300)]);

        // A full channel 1 leaves channel 0 alone, as long as what comes is for that.
        let bytes = [record(Ordinary, 512), record(Urgent, 512), record(Ordinary, 18)].concat();
        let mut input = &bytes[..];
        assert_eq!(stream.feed(&mut input, NOW), Ok(()));
        assert_eq!(input.len(), 20, "not even the length of one that has no room");
        assert_eq!(drain(&mut stream, Urgent), [message(Urgent, 512)]);
    }

    /// SPEC section 5.3: one line, one session.
    #[test]
    fn a_busy_stream_refuses_and_another_one_is_replaced() {
        let mut stream = Stream::<Tiny>::agent();
        assert_eq!((stream.connection(), stream.end(), stream.is_finished()), (None, None, false));
        stream.set_busy(true);
        assert_eq!(stream.connect(), Err(Busy));
        assert_eq!(stream.connection(), None);

        stream.set_busy(false);
        assert_eq!(stream.connect(), Ok(()));
        let first = stream.connection();
        stream.accept(512);
        stream.set_gate(Some(Gate::new(NOW, 0)));
        stream.set_busy(true);
        let bytes = [record(Urgent, 18), record(Ordinary, 18)[..5].to_vec()].concat();
        assert_eq!(stream.feed(&mut &bytes[..], NOW), Ok(()));
        send(&mut stream, Ordinary, 100);
        assert_eq!(polled(&mut stream, 10), record(Ordinary, 100)[..10]);
        assert_eq!(stream.connect(), Err(Busy));
        assert_eq!(stream.connection(), first);
        assert!(stream.message(Urgent).is_some() && !stream.is_idle());

        stream.set_busy(false);
        assert_eq!(stream.connect(), Ok(()));
        assert!(stream.connection().is_some() && stream.connection() != first);
        assert_eq!((stream.end(), stream.is_idle(), stream.is_finished()), (None, true, false));
        assert!(stream.message(Urgent).is_none());
        // Nothing of the old one is in front of, or behind, what the new one sends and gets.
        let bytes = record(Urgent, 18);
        assert_eq!(stream.feed(&mut &bytes[..], NOW), Ok(()));
        assert_eq!(drain(&mut stream, Urgent), [message(Urgent, 18)]);
        send(&mut stream, Urgent, 20);
        assert_eq!(polled(&mut stream, 100), record(Urgent, 20));
    }

    #[test]
    fn what_cannot_be_rdp_loses_the_stream() {
        for (bad, channel) in [([0, 17], Urgent), ([0x80, 17], Ordinary), ([0x82, 1], Ordinary)] {
            let mut stream = open::<Desk>();
            send(&mut stream, Urgent, 20);
            let bytes = [&record(Urgent, 18), &bad[..], &record(Urgent, 18)].concat();
            let length = u16::from_be_bytes(bad) & 0x7FFF;
            let error = Err(StreamError { channel, length, limit: 512 });
            let mut input = &bytes[..];
            assert_eq!(stream.feed(&mut input, NOW), error);
            assert_eq!(stream.feed(&mut input, NOW), error);
            assert_eq!((stream.connection(), stream.end()), (None, Some(LineEnd::Lost)));
            assert!(stream.is_finished() && polled(&mut stream, 100).is_empty());
            assert!(!stream.send(Urgent, &[0; 20], NOW));
            // What came before is there.
            assert_eq!(drain(&mut stream, Urgent), [message(Urgent, 18)]);
            stream.disconnect();
            assert_eq!(stream.end(), Some(LineEnd::Lost));
            stream.connect().unwrap();
            assert_eq!(stream.feed(&mut &record(Urgent, 18)[..], NOW), Ok(()));
            assert!(stream.message(Urgent).is_some());
        }
    }

    #[test]
    fn a_closed_stream_still_sends_what_it_has() {
        let mut stream = open::<Desk>();
        send(&mut stream, Ordinary, 20);
        send(&mut stream, Urgent, 30);
        stream.close();
        assert_eq!((stream.connection(), stream.end()), (None, Some(LineEnd::Closed)));
        assert!(!stream.send(Urgent, &message(Urgent, 20), NOW));
        let mut input = &record(Urgent, 18)[..];
        assert_eq!(stream.feed(&mut input, NOW), Ok(()));
        assert!(input.is_empty() && stream.message(Urgent).is_none());
        assert!(!stream.is_finished());
        assert_eq!(polled(&mut stream, 53), [record(Urgent, 30), record(Ordinary, 20)].concat()[..53]);
        assert!(!stream.is_finished());
        assert_eq!(polled(&mut stream, 53).len(), 1);
        assert!(stream.is_finished());
        stream.disconnect();
        assert_eq!(stream.end(), Some(LineEnd::Closed));
    }

    #[test]
    fn a_connection_that_is_gone() {
        let mut stream = open::<Desk>();
        assert_eq!(stream.feed(&mut &record(Urgent, 18)[..], NOW), Ok(()));
        send(&mut stream, Urgent, 30);
        stream.disconnect();
        assert_eq!((stream.connection(), stream.end()), (None, Some(LineEnd::Gone)));
        assert!(stream.is_finished() && polled(&mut stream, 100).is_empty());
        // It may have been Bye.
        assert_eq!(drain(&mut stream, Urgent), [message(Urgent, 18)]);
        let mut idle = Stream::<Desk>::host();
        idle.disconnect();
        idle.close();
        assert_eq!((idle.end(), idle.is_finished()), (None, false));
        assert_eq!(idle.feed(&mut &record(Urgent, 18)[..], NOW), Ok(()));
        assert!(idle.message(Urgent).is_none());
    }

    /// SPEC section 8.13: those of lanes and of packets are not there.
    #[test]
    fn metrics() {
        let mut stream = open::<Desk>();
        let bytes = [record(Ordinary, 100), record(Urgent, 20), record(Urgent, 18)].concat();
        assert_eq!(stream.feed(&mut &bytes[..], NOW), Ok(()));
        send(&mut stream, Ordinary, 200);
        send(&mut stream, Urgent, 30);
        assert_eq!(polled(&mut stream, 1000).len(), 234);
        stream.connect().unwrap();
        let mut all = Vec::new();
        stream.metrics(&mut |metric, value| all.push((metric, value)));
        assert_eq!(all, [(8, 42), (9, 102), (10, 32), (11, 202)]);
    }
}
