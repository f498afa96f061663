//! A channel: a stream of messages in each direction, over lines that lose, repeat, reorder and flip (SPEC sections 4.2
//! to 4.4).

use super::buffer::{Buffer, Queue, Ring, fill};
use crate::time::{Millis, reached, since};

/// First and longest retransmission time, in milliseconds.
const FIRST: u32 = 300;
const LONGEST: u32 = 2400;
/// Retransmissions without any progress before the line counts as dead.
const TRIES: u8 = 8;
/// How far retransmissions that an ACK asks for are apart, in milliseconds.
const APART: u32 = 100;
/// What may be sent before anything is known of the peer, in bytes.
const FIRST_WINDOW: u32 = 512;
/// What is sent against the window, to find out whether it is still shut.
const PRY: usize = 16;

/// How far `a` is ahead of `b`, of positions that wrap. `None` if it is behind.
pub(super) fn ahead(a: u32, b: u32) -> Option<u32> {
    Some(a.wrapping_sub(b)).filter(|difference| *difference < 1 << 31)
}

fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The sending half.
pub(super) struct Sender<B> {
    ring: Ring<B>,
    /// Position of the first byte in the ring: all before it are acknowledged.
    acknowledged: u32,
    /// Position of the next byte to be sent.
    next: u32,
    /// Position behind the last byte that was ever sent.
    sent: u32,
    /// Position behind the last byte that the peer has room for.
    window_end: u32,
    /// Retransmissions without progress: those that time alone has brought about, and all.
    tries: u8,
    again: u8,
    wait: u32,
    deadline: Option<Millis>,
    asked: Option<Millis>,
    pry: bool,
}

/// What a sender's clock has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    Nothing,
    Retransmit,
    Lost,
}

/// What is to go into the next packet.
pub(super) struct Chunk<'a> {
    pub(super) position: u32,
    pub(super) tries: u8,
    pub(super) bytes: (&'a [u8], &'a [u8]),
    length: usize,
}

impl<B: Buffer> Sender<B> {
    pub(super) const NEW: Self = Self {
        ring: Ring::EMPTY,
        acknowledged: 0,
        next: 0,
        sent: 0,
        window_end: FIRST_WINDOW,
        tries: 0,
        again: 0,
        wait: FIRST,
        deadline: None,
        asked: None,
        pry: false,
    };

    pub(super) fn restart(&mut self) {
        self.ring.clear();
        (self.acknowledged, self.next, self.sent) = (0, 0, 0);
        self.window_end = FIRST_WINDOW;
        (self.tries, self.again, self.wait, self.pry) = (0, 0, FIRST, false);
        (self.deadline, self.asked) = (None, None);
    }

    /// Bytes of the longest message that can be pushed now.
    pub(super) fn room(&self) -> usize {
        self.ring.free().saturating_sub(2)
    }

    pub(super) fn most(&self) -> usize {
        self.ring.most()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ring.len() == 0
    }

    pub(super) fn acknowledged(&self) -> u32 {
        self.acknowledged
    }

    /// Position behind the last byte that has been pushed.
    pub(super) fn end(&self) -> u32 {
        self.acknowledged.wrapping_add(number(self.ring.len()))
    }

    /// Whether there was room.
    pub(super) fn push(&mut self, message: &[u8], now: Millis) -> bool {
        let Ok(length) = u16::try_from(message.len()) else { return false };
        if message.len() > self.room() {
            return false;
        }
        if self.is_idle() {
            self.deadline = Some(now.wrapping_add(self.wait));
        }
        self.ring.put(&length.to_be_bytes());
        self.ring.put(message);
        true
    }

    pub(super) fn tick(&mut self, now: Millis) -> Tick {
        if !self.deadline.is_some_and(|deadline| reached(now, deadline)) {
            return Tick::Nothing;
        }
        if self.next == self.acknowledged
            && ahead(self.window_end, self.next).is_some_and(|room| room > 0)
            && self.tries == 0
        {
            // Nothing is under way: the lane was not ready, which is not the peer's fault.
            self.deadline = Some(now.wrapping_add(self.wait));
            return Tick::Nothing;
        }
        self.tries = self.tries.saturating_add(1);
        if self.tries > TRIES {
            return Tick::Lost;
        }
        self.wait = self.wait.saturating_mul(2).min(LONGEST);
        self.deadline = Some(now.wrapping_add(self.wait));
        self.go_back(now);
        self.pry = true;
        Tick::Retransmit
    }

    pub(super) fn go_back(&mut self, now: Millis) {
        // The deadline stays: a peer that complains again and again, and takes nothing, is lost all the same.
        self.next = self.acknowledged;
        self.asked = Some(now);
        self.again = self.again.saturating_add(1);
    }

    /// Whether these numbers can be true: neither of what was never sent, nor less than has been acknowledged already.
    pub(super) fn believes(&self, next: u32) -> bool {
        let sent = ahead(self.sent, self.acknowledged).unwrap_or_default();
        ahead(next, self.acknowledged).is_some_and(|n| n <= sent)
    }

    /// Takes the peer's word for what has arrived. `missing`: the peer says that something did not.
    pub(super) fn acknowledge(&mut self, next: u32, window: u16, missing: bool, now: Millis) -> bool {
        let Some(progress) = ahead(next, self.acknowledged) else { return false };
        self.window_end = next.wrapping_add(u32::from(window));
        if progress > 0 {
            self.ring.drop_front(size(progress));
            self.acknowledged = next;
            if ahead(self.next, next).is_none() {
                self.next = next;
            }
            (self.tries, self.again, self.wait, self.pry) = (0, 0, FIRST, false);
            self.deadline = (!self.is_idle()).then(|| now.wrapping_add(self.wait));
        }
        let outstanding = self.next != self.acknowledged;
        let again = missing && outstanding && self.asked.is_none_or(|asked| since(now, asked) >= APART);
        if again {
            self.go_back(now);
        }
        again
    }

    /// What the next packet should carry, at most `most` bytes.
    pub(super) fn chunk(&self, most: usize) -> Option<Chunk<'_>> {
        let from = size(self.next.wrapping_sub(self.acknowledged));
        let left = self.ring.len().saturating_sub(from);
        let window = ahead(self.window_end, self.next).map_or(0, size);
        let allowed = if self.pry && window < PRY { PRY } else { window };
        let mut length = left.min(most).min(allowed);
        let again = ahead(self.sent, self.next).map_or(0, size);
        if again > 0 {
            // What is new starts a packet of its own, so that a packet is either sent again or not.
            length = length.min(again);
        }
        if length == 0 {
            return None;
        }
        let tries = if again > 0 { self.again.max(1) } else { 0 };
        Some(Chunk { position: self.next, tries, bytes: self.ring.slices(from, length), length })
    }

    /// How long the chunk was that has been sent.
    pub(super) fn sent(&mut self, length: usize, now: Millis) {
        if self.next == self.acknowledged && self.tries == 0 {
            self.deadline = Some(now.wrapping_add(self.wait));
        }
        self.next = self.next.wrapping_add(number(length));
        if ahead(self.next, self.sent).is_some() {
            self.sent = self.next;
        }
        self.pry = false;
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.deadline
    }
}

impl Chunk<'_> {
    pub(super) fn len(&self) -> usize {
        self.length
    }
}

/// The receiving half: puts one message together.
pub(super) struct Receiver<B> {
    /// Position of the next byte that is expected.
    next: u32,
    /// The record's length, and then the message.
    head: [u8; 2],
    message: B,
    /// Bytes of the record that are here.
    have: usize,
}

/// A record that no receiver can take.
pub(super) struct BadRecord;

/// How DATA was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    Gap,
    Known,
    Taken,
}

impl<B: Buffer> Receiver<B> {
    const HEAD: usize = 2;
    pub(super) const NEW: Self = Self { next: 0, head: [0; 2], message: B::ZERO, have: 0 };

    pub(super) fn restart(&mut self) {
        (self.next, self.have) = (0, 0);
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }

    pub(super) fn window<Q: Buffer>(&self, queue: &Queue<Q>) -> u16 {
        let room = match self.missing() {
            Some(_) => queue.free().saturating_add(B::SIZE).saturating_sub(self.have),
            None => 0,
        };
        u16::try_from(room).unwrap_or(u16::MAX)
    }

    /// Takes what is new in `payload`, as far as there is room in the message at hand and in the queue.
    pub(super) fn receive<Q: Buffer>(
        &mut self,
        position: u32,
        payload: &[u8],
        limit: usize,
        queue: &mut Queue<Q>,
    ) -> Result<Received, BadRecord> {
        let Some(known) = ahead(self.next, position) else { return Ok(Received::Gap) };
        let Some((_, mut new)) = payload.split_at_checked(size(known)) else { return Ok(Received::Known) };
        while !new.is_empty() {
            let Some(missing) = self.missing().or_else(|| self.deliver(queue)) else { break };
            let into = match self.have.checked_sub(Self::HEAD) {
                None => self.head.get_mut(self.have..),
                Some(have) => self.message.bytes_mut().get_mut(have..have.saturating_add(missing)),
            };
            let taken = fill(into.unwrap_or_default(), new);
            new = new.get(taken..).unwrap_or_default();
            self.have = self.have.saturating_add(taken);
            self.next = self.next.wrapping_add(number(taken));
            if self.have == Self::HEAD && !(1..=limit.min(B::SIZE)).contains(&self.length()) {
                self.have = 0;
                return Err(BadRecord);
            }
            if taken == 0 {
                break;
            }
        }
        self.deliver(queue);
        Ok(Received::Taken)
    }

    /// Hands over a message that is whole, if there is room now. Returns what the next one misses first.
    pub(super) fn deliver<Q: Buffer>(&mut self, queue: &mut Queue<Q>) -> Option<usize> {
        if self.missing().is_none()
            && queue.push(self.message.bytes().get(..self.length()).unwrap_or_default())
        {
            self.have = 0;
        }
        self.missing()
    }

    fn length(&self) -> usize {
        usize::from(u16::from_be_bytes(self.head))
    }

    /// Bytes that are missing from the record's head, or from the record. `None` if it is whole.
    fn missing(&self) -> Option<usize> {
        let whole =
            if self.have < Self::HEAD { Self::HEAD } else { self.length().saturating_add(Self::HEAD) };
        whole.checked_sub(self.have).filter(|missing| *missing > 0)
    }
}
