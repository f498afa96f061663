//! Frames that are queued and not written: data frames in a row, and after them the control frames, which are written
//! first.
//!
//! ```text
//!  taken          boundary                        urgent
//! ┌──────┬────────────┬─────────────┬─────────────┬──────┬───────┐
//! │ gone │ frame that │ data frame  │ data frame  │ pong │ close │
//! │      │ has begun  │             │             │      │       │
//! └──────┴────────────┴─────────────┴─────────────┴──────┴───────┘
//!              1             3             4          2             in this order on the wire
//! ```

use feedrate::Storage;

use crate::header::{HEADER, Header};
use crate::mask;
use crate::opcode::{CONTROL, Opcode};

/// The longest control frame: a header of 2 bytes, a key of 4, a payload of 125.
const FRAME: usize = 6 + CONTROL;
/// Bytes of a [`Sender`](crate::Sender)'s storage that are reserved for control frames: one that has begun, a ping, a
/// pong, a close.
pub const RESERVED: usize = 4 * FRAME;
/// Up to this many pings that come at once are answered one by one, as long as the peer accepts data.
const PONGS: usize = 16;

pub(crate) struct Queue<S> {
    bytes: S,
    /// Bytes at the front that have been written.
    taken: usize,
    /// The end of the frame that is partly written; `taken` if there is none.
    boundary: usize,
    /// Bytes of control frames at the end. There are few, because surplus pongs replace each other.
    urgent: u16,
    /// How many of those have been written.
    urgent_taken: u16,
    /// The last write was incomplete, and something is left.
    blocked: bool,
}

impl<S: Storage> Queue<S> {
    pub(crate) const fn new(bytes: S) -> Self {
        Self { bytes, taken: 0, boundary: 0, urgent: 0, urgent_taken: 0, blocked: false }
    }

    fn urgent(&self) -> usize {
        self.urgent.into()
    }

    fn urgent_taken(&self) -> usize {
        self.urgent_taken.into()
    }

    /// The limit for data frames in bytes, headers included.
    pub(crate) fn limit(&self) -> usize {
        self.bytes.limit().saturating_sub(RESERVED)
    }

    /// Bytes that have not been written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.held().len().saturating_sub(self.taken).saturating_sub(self.urgent_taken())
    }

    pub(crate) const fn storage(&self) -> &S {
        &self.bytes
    }

    /// Free room for data frames in bytes.
    pub(crate) fn free(&mut self) -> usize {
        // Written bytes are removed once they are a quarter of the limit, so that no byte is moved more than four
        // times.
        if self.taken > 0 && self.taken >= self.limit() / 4 {
            self.bytes.discard(self.taken);
            self.boundary = self.boundary.saturating_sub(self.taken);
            self.taken = 0;
        }
        self.limit().saturating_sub(self.bytes.held().len())
    }

    /// What is to be written next.
    #[inline]
    pub(crate) fn next(&self) -> &[u8] {
        let held = self.bytes.held();
        let next = if self.urgent() == 0 {
            held.get(self.taken..)
        } else if self.taken == self.boundary {
            held.get(self.data_end().saturating_add(self.urgent_taken())..)
        } else {
            held.get(self.taken..self.boundary)
        };
        next.unwrap_or_default()
    }

    /// `n` bytes of [`next`](Self::next) have been written.
    pub(crate) fn sent(&mut self, mut n: usize) {
        self.blocked = n < self.next().len();
        while n > 0 {
            if self.urgent() == 0 && n >= self.bytes.held().len().saturating_sub(self.taken) {
                return self.clear();
            }
            let before = n;
            if self.urgent() > 0 && self.taken == self.boundary {
                n = n.saturating_sub(self.urgent().saturating_sub(self.urgent_taken()));
                self.urgent_taken = few(self.urgent_taken().saturating_add(before.saturating_sub(n)));
                self.drop_taken();
            } else {
                if self.taken == self.boundary {
                    self.boundary = self.taken.saturating_add(self.frame(self.taken).1);
                }
                n = n.saturating_sub(self.boundary.saturating_sub(self.taken));
                self.taken = self.taken.saturating_add(before.saturating_sub(n));
            }
        }
        if self.len() == 0 {
            self.clear();
        }
    }

    /// Appends a data frame, for which there must be room. If there is no memory, does nothing and returns `false`.
    #[inline]
    pub(crate) fn push(&mut self, header: &Header, payload: &[u8]) -> bool {
        let (start, urgent) = (self.bytes.held().len(), self.urgent());
        if !self.append(header, payload) {
            return false;
        }
        if urgent > 0 {
            // Control frames stay at the end.
            let tail = start.saturating_sub(urgent);
            rotate(self.bytes.held_mut().get_mut(tail..).unwrap_or_default(), urgent);
        }
        true
    }

    /// Offers what is queued and a data frame, for which there must be room, to `write`, and appends what that does not
    /// take. If there is no memory, does neither and returns `false`.
    pub(crate) fn push_vectored(
        &mut self,
        header: &Header,
        payload: &[u8],
        write: impl FnOnce([&[u8]; 3]) -> usize,
    ) -> bool {
        let (bytes, n) = header.to_bytes();
        let head = bytes.get(..n).unwrap_or_default();
        let frame = n.saturating_add(payload.len());
        // A masked payload has to be copied, control frames have to go first, and there must be memory for the rest.
        if header.mask.is_some() || self.urgent() > 0 || self.bytes.reserve(frame).is_err() {
            return self.push(header, payload);
        }
        let queued = self.len();
        let written = write([self.next(), head, payload]);
        let begun = written.saturating_sub(queued);
        let rest = [head.get(begun..), payload.get(begun.saturating_sub(n)..)];
        let kept = rest.iter().flatten().all(|rest| self.bytes.append(rest).is_ok());
        if queued > 0 {
            self.sent(written.min(queued));
        }
        if begun > 0 && begun < frame {
            self.boundary = self.bytes.held().len();
        }
        self.blocked = begun < frame;
        kept
    }

    /// Appends a pong. If the peer does not accept data, it replaces those that wait: RFC 6455, section 5.5.3 allows
    /// answering only the last ping.
    pub(crate) fn push_pong(&mut self, header: &Header, payload: &[u8]) {
        let crowded = self.blocked || self.spare() < RESERVED || self.waiting(Opcode::Pong).count() >= PONGS;
        let replaced = if crowded { usize::MAX } else { 0 };
        for _ in 0..replaced {
            let Some((at, length)) = self.waiting(Opcode::Pong).next() else { break };
            let at = self.data_end().saturating_add(at);
            self.cut(at, length);
            self.urgent = few(self.urgent().saturating_sub(length));
        }
        self.push_urgent(header, payload);
    }

    /// Appends a control frame, which goes before the next data frame.
    pub(crate) fn push_urgent(&mut self, header: &Header, payload: &[u8]) -> bool {
        let start = self.bytes.held().len();
        let pushed = self.append(header, payload);
        self.urgent = few(self.urgent().saturating_add(self.bytes.held().len().saturating_sub(start)));
        pushed
    }

    /// Whether the last write was incomplete.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Whether a control frame of this kind waits.
    pub(crate) fn has(&self, opcode: Opcode) -> bool {
        self.waiting(opcode).next().is_some()
    }

    /// Drops the last `n` bytes of the data frames.
    pub(crate) fn drop_last(&mut self, n: usize) {
        self.rewind(self.data_end().saturating_sub(n));
    }

    /// Drops the data frames that have not begun.
    pub(crate) fn drop_unsent(&mut self) {
        self.cut(self.boundary, self.unsent());
    }

    /// Bytes of data frames that have not begun.
    pub(crate) fn unsent(&self) -> usize {
        self.data_end().saturating_sub(self.boundary)
    }

    /// The end of the queue, for [`rewind`](Self::rewind).
    pub(crate) fn mark(&self) -> usize {
        self.data_end()
    }

    /// Drops the data frames after a mark.
    pub(crate) fn rewind(&mut self, mark: usize) {
        self.cut(mark, self.data_end().saturating_sub(mark));
    }

    pub(crate) fn release(&mut self) {
        if self.len() == 0 {
            self.clear();
            self.bytes.release();
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.taken, self.boundary, self.urgent, self.urgent_taken) = (0, 0, 0, 0);
        self.blocked = false;
    }

    fn data_end(&self) -> usize {
        self.bytes.held().len().saturating_sub(self.urgent())
    }

    /// Free room in bytes, including the reserved bytes.
    fn spare(&self) -> usize {
        self.bytes.limit().saturating_sub(self.bytes.held().len())
    }

    /// Drops the control frames that have been written.
    fn drop_taken(&mut self) {
        while self.urgent_taken() > 0 {
            let at = self.data_end();
            let length = self.frame(at).1;
            if length > self.urgent_taken() {
                break;
            }
            self.cut(at, length);
            self.urgent = few(self.urgent().saturating_sub(length));
            self.urgent_taken = few(self.urgent_taken().saturating_sub(length));
        }
    }

    /// Removes `n` bytes at `at`.
    fn cut(&mut self, at: usize, n: usize) {
        rotate(self.bytes.held_mut().get_mut(at..).unwrap_or_default(), n);
        self.bytes.truncate(self.bytes.held().len().saturating_sub(n));
    }

    /// The waiting control frames of a kind: their offset from the first one, and their length.
    fn waiting(&self, opcode: Opcode) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut next = 0_usize;
        core::iter::from_fn(move || {
            while next < self.urgent() {
                let at = next;
                let (found, length) = self.frame(self.data_end().saturating_add(at));
                next = at.saturating_add(length);
                if found == Some(opcode) && at >= self.urgent_taken() {
                    return Some((at, length));
                }
            }
            None
        })
    }

    /// The opcode and length of the frame at `at`, which is complete, because we wrote it.
    fn frame(&self, at: usize) -> (Option<Opcode>, usize) {
        let bytes = self.bytes.held().get(at..).unwrap_or_default();
        match Header::parse(bytes) {
            Ok(Some((header, n))) => {
                let payload = usize::try_from(header.length).unwrap_or(usize::MAX);
                (Some(header.opcode), n.saturating_add(payload))
            }
            _ => (None, bytes.len().max(1)),
        }
    }

    #[inline]
    fn append(&mut self, header: &Header, payload: &[u8]) -> bool {
        let start = self.bytes.held().len();
        if let Some(bytes) = header.to_two_bytes() {
            if self.bytes.append(&bytes).is_ok() && self.bytes.append(payload).is_ok() {
                return true;
            }
            self.bytes.truncate(start);
            return false;
        }
        let (bytes, n) = header.to_bytes();
        let header_bytes = bytes.get(..n).unwrap_or_default();
        if self.bytes.append(header_bytes).is_err() || self.bytes.append(payload).is_err() {
            self.bytes.truncate(start);
            return false;
        }
        if let Some(key) = header.mask {
            let at = start.saturating_add(n);
            mask::apply(self.bytes.held_mut().get_mut(at..).unwrap_or_default(), key);
        }
        true
    }
}

/// A number of bytes of control frames, of which there are never more than about two dozen.
fn few(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// `rotate_left` without a panic.
fn rotate(bytes: &mut [u8], n: usize) {
    if let Some((left, right)) = bytes.split_at_mut_checked(n) {
        reverse(left);
        reverse(right);
        reverse(bytes);
    }
}

/// The standard library's `reverse` keeps a panic at opt-level "z".
fn reverse(bytes: &mut [u8]) {
    let mut ends = bytes.iter_mut();
    while let (Some(left), Some(right)) = (ends.next(), ends.next_back()) {
        core::mem::swap(left, right);
    }
}

/// Bytes that a payload of `length` bytes takes in frames of `fragment` bytes, each with the longest header.
pub(crate) fn framed(length: usize, fragment: usize) -> usize {
    // An empty message is a frame too.
    let frames = length.saturating_sub(1).checked_div(fragment).unwrap_or(0).saturating_add(1);
    length.saturating_add(HEADER.saturating_mul(frames))
}

/// The longest payload that takes no more than `room` bytes in this way.
pub(crate) fn longest(room: usize, fragment: usize) -> usize {
    let frame = fragment.saturating_add(HEADER);
    let whole = room.checked_div(frame).unwrap_or(0);
    let rest = room.saturating_sub(whole.saturating_mul(frame));
    whole.saturating_mul(fragment).saturating_add(rest.saturating_sub(HEADER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_payload_is_the_longest_that_has_room() {
        for fragment in [1, 2, 7, 100, 1 << 16] {
            for room in HEADER..400 {
                let n = longest(room, fragment);
                let fits = |n| framed(n, fragment) <= room;
                assert!(n == 0 || fits(n), "{n} in {room}, frames of {fragment}");
                assert!(!fits(n + 1), "{n} in {room}, frames of {fragment}");
            }
        }
        assert_eq!((longest(0, 1), longest(HEADER - 1, 9)), (0, 0));
    }
}
