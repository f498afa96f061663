//! The values of some registers: a mask, and one value for each of its bits.

use super::frame::Problem;
use super::registers::Arch;
use super::wire::{Field, Reader, Writer};

/// The values of some registers. Bit *i* of the mask is register *i*; values lie in rising order of it, 4 or 8 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values<'a> {
    mask: u64,
    values: &'a [u8],
}

impl<'a> Values<'a> {
    /// The registers of `mask`, whose values [`pack`] has written.
    pub const fn new(mask: u64, values: &'a [u8]) -> Self {
        Self { mask, values }
    }

    /// Which registers there are.
    pub const fn mask(&self) -> u64 {
        self.mask
    }

    /// Puts the values where they belong in a whole set, and leaves the others. `false`, and no change: the
    /// mask or the width is not that of the architecture.
    pub fn unpack<A: Arch>(&self, into: &mut A::Registers) -> bool {
        let into = into.as_mut();
        let past = self.mask.checked_shr(u32::try_from(into.len()).unwrap_or(u32::MAX)).unwrap_or_default();
        if past != 0 || self.values.len() != ones(self.mask).saturating_mul(A::WIDTH) {
            return false;
        }
        let mut values = self.values.chunks(A::WIDTH.max(1));
        for (i, register) in into.iter_mut().enumerate() {
            if bit(self.mask, i) {
                *register = values
                    .next()
                    .unwrap_or_default()
                    .iter()
                    .fold(0, |value, byte| (value << 8) | u64::from(*byte));
            }
        }
        true
    }
}

/// Writes the registers of `mask`, and answers how many bytes that were.
pub(super) fn pack<A: Arch>(mask: u64, registers: &A::Registers, into: &mut [u8]) -> usize {
    let mut into = into.chunks_exact_mut(A::WIDTH.max(1));
    let mut length = 0_usize;
    for (i, register) in registers.as_ref().iter().enumerate() {
        if !bit(mask, i) {
            continue;
        }
        let Some(place) = into.next() else { break };
        let bytes = register.to_be_bytes();
        let skip = bytes.len().saturating_sub(A::WIDTH);
        place.iter_mut().zip(bytes.iter().skip(skip)).for_each(|(to, from)| *to = *from);
        length = length.saturating_add(A::WIDTH);
    }
    length
}

/// Whether register `i` is in the mask.
pub(super) fn bit(mask: u64, i: usize) -> bool {
    u32::try_from(i).ok().and_then(|i| mask.checked_shr(i)).is_some_and(|rest| rest & 1 == 1)
}

fn ones(mask: u64) -> usize {
    usize::try_from(mask.count_ones()).unwrap_or(usize::MAX)
}

impl<'a> Field<'a> for Values<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let mask = u64::read(reader);
        let values = reader.rest();
        let (length, count) = (values.len(), ones(mask));
        if length != count.saturating_mul(4) && length != count.saturating_mul(8) {
            reader.fail(if length < count.saturating_mul(8) { Problem::Short } else { Problem::Long });
        }
        Self { mask, values }
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.mask.write(out);
        out.put(self.values);
    }
}
