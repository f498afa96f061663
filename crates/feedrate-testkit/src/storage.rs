//! A storage that is out of memory.

use feedrate::{Fault, Storage};

/// Has no memory for a single byte, although it says that there is room for so many.
#[derive(Debug, Clone, Copy)]
pub struct NoMemory {
    /// What it says.
    pub limit: usize,
}

impl Storage for NoMemory {
    fn limit(&self) -> usize {
        self.limit
    }

    fn held(&self) -> &[u8] {
        &[]
    }

    fn held_mut(&mut self) -> &mut [u8] {
        &mut []
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.reserve(bytes.len())
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes == 0 { Ok(()) } else { Err(Fault::Memory { needed: bytes }) }
    }

    fn discard(&mut self, _: usize) {}

    fn truncate(&mut self, _: usize) {}

    fn clear(&mut self) {}
}
