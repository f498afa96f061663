//! Sending on a channel: a stream of records over lanes that lose, repeat and reorder data and flip bits (SPEC
//! section 4.4).

use core::time::Duration;

use feedrate::Instant;

use crate::ring::Ring;
use crate::sizes::number;

/// The initial retransmission time-out, in microseconds, and how often it is doubled: up to 2400 ms. It is not a
/// `Duration`, because computing with one is expensive on a small processor.
const FIRST: u32 = 300_000;
const DOUBLED: u8 = 3;
/// Retransmissions without any progress before the connection counts as lost.
const TRIES: u8 = 8;
/// The minimum interval between retransmissions that ACKs request.
const APART: Duration = Duration::from_millis(100);
/// The window before the first ACK, in bytes.
const FIRST_WINDOW: u32 = 512;
/// The longest probe of a closed window, in bytes: it shows whether the window is still closed.
const PRY: usize = 16;

/// How far `a` is ahead of `b`, of positions that wrap. `None` if it is behind.
pub(super) fn ahead(a: u32, b: u32) -> Option<u32> {
    Some(a.wrapping_sub(b)).filter(|difference| *difference < 1 << 31)
}

pub(super) fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

pub(super) struct Sender {
    ring: Ring,
    /// Position of the first byte in the ring: all before it are acknowledged.
    acknowledged: u32,
    /// Position of the next byte to be sent.
    next: u32,
    /// Position after the last byte that was ever sent.
    sent: u32,
    /// Position after the last byte that the peer has room for.
    window_end: u32,
    /// Retransmissions without progress: those that the time-out alone has caused, and all.
    tries: u8,
    again: u8,
    pry: bool,
    /// When the retransmission time-out expires; [`Instant::MAX`] if nothing is under way.
    deadline: Instant,
    /// Until then, ACKs request retransmissions in vain.
    deaf_until: Instant,
}

/// What is due on a sender's clock.
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
}

impl Sender {
    /// With this many bytes of memory.
    pub(super) const fn new(size: usize) -> Self {
        Self {
            ring: Ring::new(size),
            acknowledged: 0,
            next: 0,
            sent: 0,
            window_end: FIRST_WINDOW,
            tries: 0,
            again: 0,
            pry: false,
            deadline: Instant::MAX,
            deaf_until: Instant::ZERO,
        }
    }

    pub(super) fn restart(&mut self) {
        self.ring.clear();
        (self.acknowledged, self.next, self.sent) = (0, 0, 0);
        self.window_end = FIRST_WINDOW;
        (self.tries, self.again, self.pry) = (0, 0, false);
        (self.deadline, self.deaf_until) = (Instant::MAX, Instant::ZERO);
    }

    pub(super) fn room(&self) -> usize {
        self.ring.room()
    }

    pub(super) fn most(&self) -> usize {
        self.ring.most()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ring.is_empty()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether there was room.
    pub(super) fn push(&mut self, memory: &mut [u8], message: &[u8], now: Instant) -> bool {
        let idle = self.is_idle();
        let pushed = self.ring.push(memory, 0, message);
        if idle && pushed {
            self.wait(now);
        }
        pushed
    }

    /// Starts the retransmission time-out.
    #[inline(never)]
    fn wait(&mut self, now: Instant) {
        let wait = FIRST.wrapping_shl(self.tries.min(DOUBLED).into());
        self.deadline = Instant::from_micros(now.as_micros().saturating_add(wait.into()));
    }

    pub(super) fn tick(&mut self, now: Instant) -> Tick {
        if now < self.deadline {
            return Tick::Nothing;
        }
        if self.next == self.acknowledged
            && ahead(self.window_end, self.next).is_some_and(|room| room > 0)
            && self.tries == 0
        {
            // Nothing is under way: the lane was not ready, which is not the peer's fault.
            self.wait(now);
            return Tick::Nothing;
        }
        self.tries = self.tries.saturating_add(1);
        if self.tries > TRIES {
            return Tick::Lost;
        }
        self.wait(now);
        self.go_back(now);
        self.pry = true;
        Tick::Retransmit
    }

    pub(super) fn go_back(&mut self, now: Instant) {
        // The deadline stays: a peer that keeps complaining, and accepts nothing, is lost all the same.
        self.next = self.acknowledged;
        self.deaf_until = now.saturating_add(APART);
        self.again = self.again.saturating_add(1);
    }

    /// Whether this acknowledgement is possible: neither of bytes that were never sent, nor of fewer than have been
    /// acknowledged already.
    pub(super) fn believes(&self, next: u32) -> bool {
        let sent = ahead(self.sent, self.acknowledged).unwrap_or_default();
        ahead(next, self.acknowledged).is_some_and(|n| n <= sent)
    }

    /// Processes the peer's report of what has arrived. `missing`: the peer reports that something did not.
    #[inline(never)]
    pub(super) fn acknowledge(&mut self, next: u32, window: u16, missing: bool, now: Instant) {
        let Some(progress) = ahead(next, self.acknowledged) else { return };
        self.window_end = next.wrapping_add(u32::from(window));
        if progress > 0 {
            self.ring.drop_front(size(progress));
            self.acknowledged = next;
            if ahead(self.next, next).is_none() {
                self.next = next;
            }
            (self.tries, self.again, self.pry) = (0, 0, false);
            self.wait(now);
            if self.is_idle() {
                self.deadline = Instant::MAX;
            }
        }
        if missing && self.next != self.acknowledged && now >= self.deaf_until {
            self.go_back(now);
        }
    }

    /// Whether there is something to send.
    pub(super) fn has_chunk(&self) -> bool {
        self.length(1) > 0
    }

    /// Bytes that the next packet should carry, at most `most`.
    #[inline(never)]
    fn length(&self, most: usize) -> usize {
        let left = self.ring.len().saturating_sub(self.under_way());
        let window = ahead(self.window_end, self.next).map_or(0, size);
        let allowed = if self.pry && window < PRY { PRY } else { window };
        let length = left.min(most).min(allowed);
        // What is new starts a packet of its own, so that a packet is either sent again or not.
        if self.is_again() { length.min(size(self.sent.wrapping_sub(self.next))) } else { length }
    }

    /// Bytes that have been sent, and are not acknowledged.
    fn under_way(&self) -> usize {
        size(self.next.wrapping_sub(self.acknowledged))
    }

    /// Whether what comes next has been sent before.
    fn is_again(&self) -> bool {
        ahead(self.sent, self.next).is_some_and(|n| n > 0)
    }

    /// What the next packet should carry, at most `most` bytes.
    pub(super) fn chunk<'m>(&self, memory: &'m [u8], most: usize) -> Option<Chunk<'m>> {
        let length = self.length(most);
        if length == 0 {
            return None;
        }
        let tries = if self.is_again() { self.again.max(1) } else { 0 };
        let bytes = self.ring.slices(memory, self.under_way(), length);
        Some(Chunk { position: self.next, tries, bytes })
    }

    /// A chunk of this length has been sent.
    pub(super) fn sent(&mut self, length: usize, now: Instant) {
        if self.next == self.acknowledged && self.tries == 0 {
            self.wait(now);
        }
        self.next = self.next.wrapping_add(number(length));
        if ahead(self.next, self.sent).is_some() {
            self.sent = self.next;
        }
        self.pry = false;
    }
}

impl Chunk<'_> {
    pub(super) fn len(&self) -> usize {
        let (first, second) = self.bytes;
        first.len().saturating_add(second.len())
    }
}
