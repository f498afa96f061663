//! Passes bytes from one context to another: one side writes, the other reads, neither waits.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Up to `N` bytes, `N` being a power of two. There may be one writer and one reader, and they may
/// interrupt each other.
pub struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    /// How many bytes have been written and read in all. Both wrap.
    written: AtomicU32,
    read: AtomicU32,
}

impl<const N: usize> Ring<N> {
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two()) }
        Ring { bytes: [const { AtomicU8::new(0) }; N], written: AtomicU32::new(0), read: AtomicU32::new(0) }
    }

    /// How many bytes there are to be read.
    pub fn len(&self) -> usize {
        self.written.load(Ordering::Acquire).wrapping_sub(self.read.load(Ordering::Acquire)) as usize
    }

    /// How many more there is room for.
    pub fn room(&self) -> usize {
        N.saturating_sub(self.len())
    }

    /// For the writer. `false`, and nothing written, if it is full.
    pub fn push(&self, byte: u8) -> bool {
        let at = self.written.load(Ordering::Relaxed);
        if self.room() == 0 {
            return false;
        }
        if let Some(place) = self.bytes.get(at as usize & (N - 1)) {
            place.store(byte, Ordering::Relaxed);
        }
        self.written.store(at.wrapping_add(1), Ordering::Release);
        true
    }

    /// For the reader.
    pub fn pop(&self) -> Option<u8> {
        let at = self.read.load(Ordering::Relaxed);
        if self.len() == 0 {
            return None;
        }
        let byte = self.bytes.get(at as usize & (N - 1))?.load(Ordering::Relaxed);
        self.read.store(at.wrapping_add(1), Ordering::Release);
        Some(byte)
    }
}
