//! The storage for an incomplete header.

use feedrate::{Fault, Storage};

use crate::header::HEADER;

/// 14 bytes, for headers only: payloads are lent from the input.
pub(crate) struct Spill {
    bytes: [u8; HEADER],
    length: u8,
}

impl Spill {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; HEADER], length: 0 }
    }

    fn length(&self) -> usize {
        self.length.into()
    }
}

impl Storage for Spill {
    /// A frame that is complete in the input is never held, so it may have any length.
    #[inline]
    fn limit(&self) -> usize {
        usize::MAX
    }

    #[inline]
    fn held(&self) -> &[u8] {
        self.bytes.get(..self.length()).unwrap_or_default()
    }

    #[inline]
    fn held_mut(&mut self) -> &mut [u8] {
        let length = self.length();
        self.bytes.get_mut(..length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let end = self.length().saturating_add(bytes.len());
        let room =
            self.bytes.get_mut(self.length.into()..end).ok_or(Fault::Memory { needed: bytes.len() })?;
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.length = u8::try_from(end).unwrap_or(u8::MAX);
        Ok(())
    }

    fn discard(&mut self, n: usize) {
        let held = self.bytes;
        self.bytes.iter_mut().zip(held.get(n..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
        self.length = u8::try_from(self.length().saturating_sub(n)).unwrap_or(0);
    }

    fn truncate(&mut self, n: usize) {
        self.length = u8::try_from(n.min(self.length())).unwrap_or(self.length);
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}
