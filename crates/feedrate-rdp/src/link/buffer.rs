//! Memory of a size that the integrator chooses, and what the link keeps in it.

use core::cell::Cell;
use core::fmt;

use feedrate::{Fault, Storage};

/// An array of bytes.
pub trait Buffer {
    /// All zero.
    const ZERO: Self;
    /// Its size in bytes.
    const SIZE: usize;
    /// The bytes.
    fn bytes(&self) -> &[u8];
    /// The bytes, to be written.
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl<const N: usize> Buffer for [u8; N] {
    const ZERO: Self = [0; N];
    const SIZE: usize = N;

    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// How much memory a link takes, and so how large its lanes' packets and its messages can be.
///
/// ```
/// use feedrate_rdp::link::Sizes;
///
/// /// A UART, no bulk lane, and no more memory than needed.
/// enum Tiny {}
///
/// impl Sizes for Tiny {
///     type Lane = [u8; 64];
///     type Send = [u8; 520];
///     type Message = [u8; 512];
///     type Queue = [u8; 520];
/// }
/// ```
pub trait Sizes {
    /// A packet that comes in pieces, as large as the larger MTU: there are two.
    type Lane: Buffer;
    /// Bytes of a channel that have not been acknowledged: there are two. Room for a message and 2 bytes at least.
    type Send: Buffer;
    /// The longest message, at least 512 bytes: there are three.
    type Message: Buffer;
    /// The messages that have arrived on either channel and not been acted on. Room for a message and 4 bytes at least.
    type Queue: Buffer;
}

/// UART (64 bytes) and SPI (512 bytes), messages of 512 bytes, a queue of 4 KiB.
// Exhaustive: it has no values.
#[derive(Debug, Clone, Copy)]
pub enum Board {}

impl Sizes for Board {
    type Lane = [u8; 512];
    type Send = [u8; 1024];
    type Message = [u8; 512];
    type Queue = [u8; 4096];
}

/// For a computer: TCP or serial lanes, messages of 4 KiB.
// Exhaustive: it has no values.
#[derive(Debug, Clone, Copy)]
pub enum Desk {}

impl Sizes for Desk {
    type Lane = [u8; 1024];
    type Send = [u8; 16384];
    type Message = [u8; 4096];
    type Queue = [u8; 16384];
}

/// A decoder's storage in a [`Buffer`].
pub(super) struct Held<B> {
    memory: B,
    length: usize,
    limit: usize,
}

impl<B: Buffer> Held<B> {
    /// For messages of at most `limit` bytes, or as many as there is memory for.
    pub(super) const fn new(limit: usize) -> Self {
        Self { memory: B::ZERO, length: 0, limit: if limit < B::SIZE { limit } else { B::SIZE } }
    }
}

impl<B: Buffer> Storage for Held<B> {
    fn limit(&self) -> usize {
        self.limit
    }

    fn held(&self) -> &[u8] {
        self.memory.bytes().get(..self.length).unwrap_or_default()
    }

    fn held_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut().get_mut(..self.length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.length = copy(self.memory.bytes_mut(), self.length, bytes)?;
        Ok(())
    }

    fn discard(&mut self, n: usize) {
        shift_down(self.held_mut(), n);
        self.length = self.length.saturating_sub(n);
    }

    fn truncate(&mut self, n: usize) {
        self.length = self.length.min(n);
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}

/// Bytes in a circle: what is written at one end is taken off at the other.
pub(super) struct Ring<B> {
    memory: B,
    start: usize,
    length: usize,
    most: usize,
}

impl<B: Buffer> Ring<B> {
    pub(super) const EMPTY: Self = Self { memory: B::ZERO, start: 0, length: 0, most: 0 };

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn free(&self) -> usize {
        B::SIZE.saturating_sub(self.length)
    }

    /// The most bytes that there have ever been.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.length) = (0, 0);
    }

    /// Appends all of `bytes`, for which there must be room.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = Self::wrap(self.start.saturating_add(self.length));
        let (front, back) = self.memory.bytes_mut().split_at_mut_checked(end).unwrap_or_default();
        back.iter_mut().chain(front).zip(bytes).for_each(|(to, from)| *to = *from);
        self.length = self.length.saturating_add(bytes.len()).min(B::SIZE);
        self.most = self.most.max(self.length);
    }

    pub(super) fn drop_front(&mut self, n: usize) {
        let n = n.min(self.length);
        self.start = Self::wrap(self.start.saturating_add(n));
        self.length = self.length.saturating_sub(n);
    }

    /// `n` bytes from `at` on, in the two places where they may lie.
    pub(super) fn slices(&self, at: usize, n: usize) -> (&[u8], &[u8]) {
        let n = n.min(self.length.saturating_sub(at));
        let start = Self::wrap(self.start.saturating_add(at));
        let (front, back) = self.memory.bytes().split_at_checked(start).unwrap_or_default();
        let first = back.get(..n).unwrap_or(back);
        (first, front.get(..n.saturating_sub(first.len())).unwrap_or_default())
    }

    fn wrap(at: usize) -> usize {
        if at >= B::SIZE { at.saturating_sub(B::SIZE) } else { at }
    }
}

/// The messages that have arrived and not been acted on, one behind the other, each in one piece.
pub(super) struct Queue<B> {
    memory: B,
    length: usize,
    most: usize,
}

/// In front of each message.
const LENGTH: usize = 2;

impl<B: Buffer> Queue<B> {
    pub(super) const EMPTY: Self = Self { memory: B::ZERO, length: 0, most: 0 };

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn free(&self) -> usize {
        B::SIZE.saturating_sub(self.length).saturating_sub(LENGTH)
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Whether there was room.
    pub(super) fn push(&mut self, message: &[u8]) -> bool {
        let Ok(length) = u16::try_from(message.len()) else { return false };
        if message.len() > self.free() {
            return false;
        }
        for bytes in [&length.to_be_bytes()[..], message] {
            if let Ok(end) = copy(self.memory.bytes_mut(), self.length, bytes) {
                self.length = end;
            }
        }
        self.most = self.most.max(self.length);
        true
    }

    pub(super) fn front(&mut self) -> Option<&mut [u8]> {
        let held = self.memory.bytes_mut().get_mut(..self.length)?;
        let (length, behind) = held.split_first_chunk_mut::<LENGTH>()?;
        behind.get_mut(..usize::from(u16::from_be_bytes(*length)))
    }

    pub(super) fn pop(&mut self) {
        let n = self.front().map_or(0, |message| message.len().saturating_add(LENGTH));
        // What lies behind moves up. Commands are few and short, so that this is seldom more than nothing.
        shift_down(self.memory.bytes_mut().get_mut(..self.length).unwrap_or_default(), n);
        self.length = self.length.saturating_sub(n);
    }
}

impl<B> fmt::Debug for Ring<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

impl<B> fmt::Debug for Queue<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

/// Copies `bytes` to `at`, if all of them have room there, and returns where they end.
#[cfg_attr(target_os = "none", inline(never))]
fn copy(memory: &mut [u8], at: usize, bytes: &[u8]) -> Result<usize, Fault> {
    let fault = Fault::Memory { needed: bytes.len() };
    let end = at.checked_add(bytes.len()).ok_or(fault)?;
    let free = memory.get_mut(at..end).ok_or(fault)?;
    // Not `copy_from_slice`: at opt-level "z" its length check is left in, and with it a panic.
    free.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ok(end)
}

/// `copy_within(n.., 0)`, without its panic.
#[inline(never)]
fn shift_down(bytes: &mut [u8], n: usize) {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    for (to, from) in cells.iter().zip(cells.get(n..).unwrap_or_default()) {
        to.set(from.get());
    }
}

/// Copies as much as there is room for.
pub(crate) fn fill(to: &mut [u8], from: &[u8]) -> usize {
    let cells = Cell::from_mut(to).as_slice_of_cells();
    cells.iter().zip(from).for_each(|(to, from)| to.set(*from));
    cells.len().min(from.len())
}
