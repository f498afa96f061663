//! What waits to be sent on a channel.

use core::fmt;

use crate::sizes::{LENGTH, fill};

/// Bytes in a circle: what is written at one end is taken off at the other. The memory that they lie in is its owner's,
/// and is the same at every call.
pub(crate) struct Ring {
    start: usize,
    length: usize,
    most: usize,
    /// Bytes of the memory.
    size: usize,
}

impl Ring {
    /// Empty, in a memory of this many bytes.
    pub(crate) const fn new(size: usize) -> Self {
        Self { start: 0, length: 0, most: 0, size }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The high-water mark, in bytes.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Bytes of the longest message that there is room for.
    pub(crate) fn room(&self) -> usize {
        self.size.saturating_sub(self.length).saturating_sub(LENGTH)
    }

    pub(crate) fn clear(&mut self) {
        (self.start, self.length) = (0, 0);
    }

    /// Appends a record: the message's length in two bytes, of which the first one has other bits too, and the
    /// message. `false`: there is no room.
    pub(crate) fn push(&mut self, memory: &mut [u8], bits: u8, message: &[u8]) -> bool {
        let Ok(length) = u16::try_from(message.len()) else { return false };
        if message.len() > self.room() {
            return false;
        }
        let [high, low] = length.to_be_bytes();
        self.put(memory, &[high | bits, low]);
        self.put(memory, message);
        self.most = self.most.max(self.length);
        true
    }

    #[inline(never)]
    fn put(&mut self, memory: &mut [u8], bytes: &[u8]) {
        let end = self.wrap(self.start.saturating_add(self.length));
        let (front, back) = memory.split_at_mut_checked(end).unwrap_or_default();
        let n = fill(back, bytes);
        fill(front, bytes.get(n..).unwrap_or_default());
        self.length = self.length.saturating_add(bytes.len()).min(self.size);
    }

    pub(crate) fn drop_front(&mut self, n: usize) {
        let n = n.min(self.length);
        self.start = self.wrap(self.start.saturating_add(n));
        self.length = self.length.saturating_sub(n);
    }

    /// The first two bytes, if there are any.
    pub(crate) fn head(&self, memory: &[u8]) -> Option<[u8; LENGTH]> {
        let high = memory.get(self.start).filter(|_| self.length >= LENGTH)?;
        let low = memory.get(self.wrap(self.start.saturating_add(1)))?;
        Some([*high, *low])
    }

    /// `n` bytes from `at` on, in the two places where they may lie.
    pub(crate) fn slices<'m>(&self, memory: &'m [u8], at: usize, n: usize) -> (&'m [u8], &'m [u8]) {
        let n = n.min(self.length.saturating_sub(at));
        let start = self.wrap(self.start.saturating_add(at));
        let (front, back) = memory.split_at_checked(start).unwrap_or_default();
        let first = back.get(..n).unwrap_or(back);
        (first, front.get(..n.saturating_sub(first.len())).unwrap_or_default())
    }

    fn wrap(&self, at: usize) -> usize {
        if at >= self.size { at.saturating_sub(self.size) } else { at }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}
