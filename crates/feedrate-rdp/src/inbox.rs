//! What has arrived on a channel and has not been acted on yet.

use feedrate::Instant;
use feedrate::rdp::Channel;

use crate::gate::Gate;
use crate::limits::FIRST_LIMIT;
use crate::sizes::{Buffer, LENGTH, Sizes, fill, shift_down};

/// A message that has arrived.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// Its bytes, to be changed where they lie.
    pub message: &'a mut [u8],
    /// Whether the time in it was right when its last byte arrived (SPEC section 5.6).
    pub on_time: bool,
}

/// A record of a length that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadRecord {
    pub(crate) length: u16,
    pub(crate) limit: u16,
}

/// What records are like on a kind of line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records {
    /// The shortest message.
    least: u16,
    /// Which bits of a record's first two bytes are the length.
    mask: u16,
}

impl Records {
    /// SPEC section 4.2.
    pub(crate) const LINK: Self = Self { least: 1, mask: 0xFFFF };
    /// SPEC section 5.1: header, frame header, and the tag of suite 0. No suite has a shorter one.
    pub(crate) const STREAM: Self = Self { least: 18, mask: 0x7FFF };
}

/// In the length, as it is kept: the message was on time. A message has 4096 bytes at most.
const ON_TIME: u16 = 0x8000;
/// Where a message's time is, after the length and the sequence (SPEC section 5.2).
const TIME: usize = LENGTH + 4;

/// How much of a channel's memory is in use: records, one after another as they came, each in one piece. The last one
/// may not be complete yet.
struct Filled {
    /// Bytes of complete records.
    whole: usize,
    /// Bytes of the record after them, which is not complete.
    begun: usize,
    /// The high-water mark of both.
    most: usize,
}

impl Filled {
    const NOTHING: Self = Self { whole: 0, begun: 0, most: 0 };

    /// Bytes that there is room for, out of this many: they will be taken.
    fn window(&self, size: usize) -> u16 {
        let room = size.saturating_sub(self.whole).saturating_sub(self.begun);
        u16::try_from(room).unwrap_or(u16::MAX)
    }

    fn clear(&mut self) {
        (self.whole, self.begun) = (0, 0);
    }
}

/// A channel's memory, without its type, so that there is one code for all.
struct Tail<'i> {
    filled: &'i mut Filled,
    memory: &'i mut [u8],
}

impl<'i> Tail<'i> {
    /// Takes bytes of one record at most, and of its head or its message at most, as far as there is room, and
    /// returns how many.
    #[inline(never)]
    fn take(
        self,
        bytes: &[u8],
        rules: (Records, usize),
        gate: &Option<Gate>,
        now: Instant,
    ) -> Result<usize, BadRecord> {
        let Self { filled, memory } = self;
        let record = memory.get_mut(filled.whole..).unwrap_or_default();
        let wanted = if filled.begun < LENGTH { LENGTH } else { LENGTH.saturating_add(head(record).into()) };
        let room = record.len();
        let taken = fill(record.get_mut(filled.begun..wanted.min(room)).unwrap_or_default(), bytes);
        filled.begun = filled.begun.saturating_add(taken);
        filled.most = filled.most.max(filled.whole.saturating_add(filled.begun));
        if filled.begun < wanted {
            return Ok(taken);
        }
        let mut length = head(record);
        if wanted == LENGTH {
            let (Records { least, mask }, limit) = rules;
            let limit = u16::try_from(limit).unwrap_or(ON_TIME);
            length &= mask;
            if !(least..=limit).contains(&length) {
                return Err(BadRecord { length, limit });
            }
        } else {
            let time = record.get(TIME..wanted).and_then(<[u8]>::first_chunk).copied();
            let time = time.map(u32::from_be_bytes);
            if gate.is_none_or(|gate| time.is_some_and(|time| gate.admits(time, now))) {
                length |= ON_TIME;
            }
            filled.whole = filled.whole.saturating_add(filled.begun);
            filled.begun = 0;
        }
        fill(record, &length.to_be_bytes());
        Ok(taken)
    }

    fn front(self) -> Option<Arrived<'i>> {
        let (length, behind) = self.memory.get_mut(..self.filled.whole)?.split_first_chunk_mut::<LENGTH>()?;
        let length = u16::from_be_bytes(*length);
        let message = behind.get_mut(..usize::from(length & !ON_TIME))?;
        Some(Arrived { message, on_time: length & ON_TIME != 0 })
    }

    #[inline(never)]
    fn pop(self) {
        let Self { filled, memory } = self;
        let n = LENGTH.saturating_add((head(memory) & !ON_TIME).into());
        let Some(whole) = filled.whole.checked_sub(n) else { return };
        // What follows moves up. Commands are few and short, so that there is seldom anything to move.
        let held = memory.get_mut(..filled.whole.saturating_add(filled.begun));
        shift_down(held.unwrap_or_default(), n);
        filled.whole = whole;
    }
}

/// The first two bytes.
fn head(record: &[u8]) -> u16 {
    record.first_chunk().copied().map_or(0, u16::from_be_bytes)
}

/// What has arrived on both channels. Neither ever takes room from the other (SPEC section 4.2).
#[repr(C)]
pub(crate) struct Inboxes<S: Sizes> {
    gate: Option<Gate>,
    records: Records,
    /// The longest message on channel 1.
    limit: usize,
    urgent: Filled,
    ordinary: Filled,
    urgent_memory: S::Urgent,
    ordinary_memory: S::Ordinary,
}

impl<S: Sizes> Inboxes<S> {
    pub(crate) const fn new(records: Records) -> Self {
        Self {
            gate: None,
            records,
            limit: FIRST_LIMIT,
            urgent: Filled::NOTHING,
            ordinary: Filled::NOTHING,
            urgent_memory: S::Urgent::ZERO,
            ordinary_memory: S::Ordinary::ZERO,
        }
    }

    /// For another connection.
    pub(crate) fn restart(&mut self) {
        self.urgent.clear();
        self.ordinary.clear();
        self.limit = FIRST_LIMIT;
        self.gate = None;
    }

    pub(crate) fn accept(&mut self, limit: usize) {
        self.limit = limit.min(S::Message::SIZE);
    }

    pub(crate) fn set_gate(&mut self, gate: Option<Gate>) {
        self.gate = gate;
    }

    /// Takes what comes next on a channel: of one record at most. 0: there is no room.
    pub(crate) fn take(&mut self, channel: Channel, bytes: &[u8], now: Instant) -> Result<usize, BadRecord> {
        let (filled, memory, limit) = match channel {
            Channel::Urgent => (&mut self.urgent, self.urgent_memory.bytes_mut(), FIRST_LIMIT),
            Channel::Ordinary => (&mut self.ordinary, self.ordinary_memory.bytes_mut(), self.limit),
        };
        Tail { filled, memory }.take(bytes, (self.records, limit), &self.gate, now)
    }

    /// The channel of which a record has begun, where only one can have.
    pub(crate) fn inside(&self) -> Option<Channel> {
        match (self.urgent.begun, self.ordinary.begun) {
            (0, 0) => None,
            (0, _) => Some(Channel::Ordinary),
            _ => Some(Channel::Urgent),
        }
    }

    /// Bytes of each channel that there is room for.
    pub(crate) fn windows(&self) -> [u16; 2] {
        [self.urgent.window(S::Urgent::SIZE), self.ordinary.window(S::Ordinary::SIZE)]
    }

    pub(crate) fn most(&self) -> [usize; 2] {
        [self.urgent.most, self.ordinary.most]
    }

    /// The oldest message of a channel.
    pub(crate) fn message(&mut self, channel: Channel) -> Option<Arrived<'_>> {
        self.tail(channel).front()
    }

    /// Drops it.
    pub(crate) fn drop_message(&mut self, channel: Channel) {
        self.tail(channel).pop();
    }

    fn tail(&mut self, channel: Channel) -> Tail<'_> {
        let (filled, memory) = match channel {
            Channel::Urgent => (&mut self.urgent, self.urgent_memory.bytes_mut()),
            Channel::Ordinary => (&mut self.ordinary, self.ordinary_memory.bytes_mut()),
        };
        Tail { filled, memory }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizes::tests::{Roomy, Tiny};
    use std::vec::Vec;

    /// A message of this many bytes, written at that time.
    fn message(length: usize, time: u32) -> Vec<u8> {
        let header = [0, 0, 0, 7].into_iter().chain(time.to_be_bytes());
        header.chain((8..).map(|i: usize| i.to_le_bytes()[0])).take(length).collect()
    }

    fn records<'m>(messages: impl IntoIterator<Item = &'m Vec<u8>>, bit: u8) -> Vec<u8> {
        let record = |message: &'m Vec<u8>| {
            let [high, low] = u16::try_from(message.len()).unwrap().to_be_bytes();
            [&[high | bit, low], &message[..]].concat()
        };
        messages.into_iter().flat_map(record).collect()
    }

    /// All that there is room for.
    fn take<S: Sizes>(inboxes: &mut Inboxes<S>, channel: Channel, mut bytes: &[u8], now: u64) -> usize {
        let all = bytes.len();
        loop {
            match inboxes.take(channel, bytes, Instant::from_millis(now)).unwrap() {
                0 => return all - bytes.len(),
                taken => bytes = &bytes[taken..],
            }
        }
    }

    fn drain<S: Sizes>(inboxes: &mut Inboxes<S>, channel: Channel) -> Vec<(Vec<u8>, bool)> {
        let mut all = Vec::new();
        while let Some(Arrived { message, on_time }) = inboxes.message(channel) {
            all.push((message.to_vec(), on_time));
            inboxes.drop_message(channel);
        }
        all
    }

    #[test]
    fn however_it_was_split() {
        let messages = [1, 8, 511, 3, 512, 30].map(|length| message(length, 0));
        let stream = records(&messages, 0);
        let expected: Vec<_> = messages.into_iter().map(|message| (message, true)).collect();
        for channel in Channel::ALL {
            for at in 0..=stream.len() {
                let mut inboxes = Inboxes::<Roomy>::new(Records::LINK);
                let (first, second) = stream.split_at(at);
                assert_eq!(take(&mut inboxes, channel, first, 0), first.len());
                assert_eq!(take(&mut inboxes, channel, second, 0), second.len());
                assert_eq!(inboxes.inside(), None);
                assert_eq!(drain(&mut inboxes, channel), expected);
            }
            let mut inboxes = Inboxes::<Roomy>::new(Records::LINK);
            for (i, byte) in stream.iter().enumerate() {
                assert_eq!(take(&mut inboxes, channel, &[*byte], 0), 1);
                let ends = i + 1 == 3 || i + 1 == 3 + 10;
                assert!(i > 20 || inboxes.inside() == (!ends).then_some(channel));
            }
            assert_eq!(drain(&mut inboxes, channel), expected);
        }
    }

    /// So many bytes as it says, whatever lies in it, and no matter how much of a record.
    #[test]
    fn a_full_queue_takes_what_it_has_room_for() {
        let messages = [300, 512, 20, 512, 512].map(|length| message(length, 0));
        let stream = records(&messages, 0);
        for piece in [1, 7, 514, 5000] {
            let mut inboxes = Inboxes::<Tiny>::new(Records::LINK);
            let (mut left, mut got) = (&stream[..], Vec::new());
            while got.len() < messages.len() {
                let [window, _] = inboxes.windows();
                let (window, offered) = (usize::from(window), &left[..left.len().min(piece)]);
                let taken = take(&mut inboxes, Channel::Urgent, offered, 0);
                assert_eq!(taken, offered.len().min(window));
                left = &left[taken..];
                assert_eq!(
                    inboxes.windows().map(usize::from),
                    [window - taken, 514],
                    "the other one has its own room"
                );
                if taken < piece {
                    // One at a time: what has begun behind it moves with it.
                    let oldest = inboxes.message(Channel::Urgent).unwrap().message.to_vec();
                    inboxes.drop_message(Channel::Urgent);
                    got.push(oldest);
                }
            }
            assert_eq!((got, left.len()), (messages.to_vec(), 0));
            assert_eq!(inboxes.most(), [514, 0]);
            // Nothing is there to be dropped, and nothing is.
            inboxes.drop_message(Channel::Urgent);
            assert_eq!(inboxes.windows(), [514, 514]);
        }
    }

    #[test]
    fn a_record_that_has_begun_is_not_dropped() {
        let mut inboxes = Inboxes::<Tiny>::new(Records::LINK);
        let stream = records(&[message(40, 0)], 0);
        for bytes in stream.chunks(1).take(stream.len() - 1) {
            take(&mut inboxes, Channel::Urgent, bytes, 0);
            inboxes.drop_message(Channel::Urgent);
            assert!(inboxes.message(Channel::Urgent).is_none());
        }
        take(&mut inboxes, Channel::Urgent, &stream[stream.len() - 1..], 0);
        assert_eq!(drain(&mut inboxes, Channel::Urgent), [(message(40, 0), true)]);
    }

    /// SPEC sections 4.2 and 5.1.
    #[test]
    fn limits() {
        let refused = |records, accept: Option<usize>, channel, length: u16| {
            let mut inboxes = Inboxes::<Roomy>::new(records);
            accept.into_iter().for_each(|limit| inboxes.accept(limit));
            let [high, low] = length.to_be_bytes();
            assert_eq!(inboxes.take(channel, &[high], Instant::ZERO), Ok(1));
            inboxes.take(channel, &[low, 0, 0], Instant::ZERO).err()
        };
        let bad = |length, limit| Some(BadRecord { length, limit });
        for channel in Channel::ALL {
            assert_eq!(refused(Records::LINK, None, channel, 0), bad(0, 512));
            assert_eq!(refused(Records::LINK, None, channel, 1), None);
            assert_eq!(refused(Records::LINK, None, channel, 512), None);
            assert_eq!(refused(Records::LINK, None, channel, 513), bad(513, 512));
            assert_eq!(refused(Records::LINK, None, channel, 0x8001), bad(0x8001, 512));
            for bit in [0, 0x8000] {
                assert_eq!(refused(Records::STREAM, None, channel, bit | 17), bad(17, 512));
                assert_eq!(refused(Records::STREAM, None, channel, bit | 18), None);
                assert_eq!(refused(Records::STREAM, None, channel, bit | 512), None);
                assert_eq!(refused(Records::STREAM, None, channel, bit | 513), bad(513, 512));
            }
        }
        for records in [Records::LINK, Records::STREAM] {
            let of = |limit, channel, length| refused(records, Some(limit), channel, length);
            assert_eq!(of(1000, Channel::Urgent, 513), bad(513, 512));
            assert_eq!(of(1000, Channel::Ordinary, 1000), None);
            assert_eq!(of(1000, Channel::Ordinary, 1001), bad(1001, 1000));
            // More than there is memory for, whatever was said.
            assert_eq!(of(usize::MAX, Channel::Ordinary, 4096), None);
            assert_eq!(of(usize::MAX, Channel::Ordinary, 4097), bad(4097, 4096));
        }
    }

    /// SPEC section 5.6: it is the last byte's arrival that counts.
    #[test]
    fn on_time_is_when_the_last_byte_arrives() {
        let mut inboxes = Inboxes::<Roomy>::new(Records::LINK);
        let gate = Gate::new(Instant::from_millis(1_000), 2);
        inboxes.set_gate(Some(gate));
        let stream = records(&[message(30, 5)], 0);
        let (first, last) = stream.split_at(stream.len() - 1);
        let mut at = |begin, end| {
            take(&mut inboxes, Channel::Ordinary, first, begin);
            take(&mut inboxes, Channel::Ordinary, last, end);
            drain(&mut inboxes, Channel::Ordinary).remove(0)
        };
        assert_eq!(at(1_040, 1_049), (message(30, 5), false));
        assert_eq!(at(1_040, 1_050), (message(30, 5), true));
        assert_eq!(at(1_050, 1_079), (message(30, 5), true));
        assert_eq!(at(1_050, 1_080), (message(30, 5), false));

        // What has no time is not on time. The verdict stays when the gate goes.
        take(&mut inboxes, Channel::Urgent, &records(&[message(7, 0), message(8, 0)], 0), 1_000);
        inboxes.set_gate(None);
        take(&mut inboxes, Channel::Urgent, &records(&[message(7, 0)], 0), 1_000);
        let verdicts: Vec<bool> = drain(&mut inboxes, Channel::Urgent).iter().map(|(_, it)| *it).collect();
        assert_eq!(verdicts, [false, true, true]);
    }

    #[test]
    fn nothing_is_left_for_the_next_connection() {
        let mut inboxes = Inboxes::<Roomy>::new(Records::LINK);
        inboxes.accept(4096);
        inboxes.set_gate(Some(Gate::new(Instant::ZERO, 0)));
        let long = records(&[message(30, 9), message(600, 9)], 0);
        take(&mut inboxes, Channel::Ordinary, &long[..400], 0);
        take(&mut inboxes, Channel::Urgent, &long[..1], 0);
        inboxes.restart();
        assert_eq!(inboxes.windows(), [4096, 16384]);
        assert!(Channel::ALL.into_iter().all(|channel| inboxes.message(channel).is_none()));
        take(&mut inboxes, Channel::Ordinary, &long[..32], 0);
        assert_eq!(drain(&mut inboxes, Channel::Ordinary), [(message(30, 9), true)]);
        let refused = inboxes.take(Channel::Ordinary, &long[32..], Instant::ZERO);
        assert_eq!(refused, Err(BadRecord { length: 600, limit: 512 }));
        assert_eq!(inboxes.most(), [1, 400]);
    }
}
