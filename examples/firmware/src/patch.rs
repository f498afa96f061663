//! Traps in the machine's code, and the instructions that they replace.

use core::ops::Range;

use crate::memory;

/// `UDF #1`, and `UDF.W #1` for what has two halfwords: in an IT block whose condition is false a trap is
/// skipped like any other instruction, and has to be as long as what it stands for.
const UDF: [u16; 2] = [0xDE01, 0];
const UDF_W: [u16; 2] = [0xF7F0, 0xA001];

/// An instruction with a trap in its place.
#[derive(Clone, Copy)]
pub struct Patch {
    pub addr: u32,
    original: [u16; 2],
    wide: bool,
}

impl Patch {
    /// What lies at `addr`.
    pub fn new(addr: u32, [a, b, c, d]: [u8; 4]) -> Self {
        let first = u16::from_le_bytes([a, b]);
        Patch { addr, original: [first, u16::from_le_bytes([c, d])], wide: first >= 0xE800 }
    }

    /// The bytes that it takes.
    pub fn range(&self) -> Range<u32> {
        self.addr..self.addr.wrapping_add(if self.wide { 4 } else { 2 })
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.range().start < other.range().end && other.range().start < self.range().end
    }

    /// Puts the trap in its place.
    pub fn apply(&self) {
        self.write(if self.wide { UDF_W } else { UDF });
    }

    /// Puts the instruction back.
    pub fn lift(&self) {
        self.write(self.original);
    }

    fn write(&self, [first, second]: [u16; 2]) {
        memory::patch(self.addr, first);
        if self.wide {
            memory::patch(self.addr.wrapping_add(2), second);
        }
        memory::patched();
    }

    /// Puts the instruction into what was read from `addr` on.
    pub fn hide(&self, addr: u32, bytes: &mut [u8]) {
        let [[a, b], [c, d]] = self.original.map(u16::to_le_bytes);
        for (at, original) in self.range().zip([a, b, c, d]) {
            if let Some(byte) = at.checked_sub(addr).and_then(|offset| bytes.get_mut(offset as usize)) {
                *byte = original;
            }
        }
    }
}
