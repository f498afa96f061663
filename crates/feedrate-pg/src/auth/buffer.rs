//! A few bytes, in an array: messages that are kept or put together.

use zeroize::Zeroize;

/// It has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Up to `N` bytes, wiped when dropped.
#[derive(Clone)]
pub(super) struct Buffer<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Buffer<N> {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// All of `bytes`, or nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.place(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// `size` more bytes, to be overwritten.
    pub(super) fn place(&mut self, size: usize) -> Result<&mut [u8], Full> {
        let end = self.length.checked_add(size).ok_or(Full)?;
        let place = self.bytes.get_mut(self.length..end).ok_or(Full)?;
        self.length = end;
        Ok(place)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl<const N: usize> Drop for Buffer<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
