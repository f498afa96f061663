//! The values of some registers: a mask, and one value for each of its bits.

use core::fmt;

use super::frame::Problem;
use super::registers::Arch;
use super::wire::{Field, Reader, Writer};

/// The values of some registers. Bit *i* of the mask is register *i*; on the wire the values lie in rising order of it, 4 or 8 bytes each.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    mask: u64,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    /// As they came.
    Wire(&'a [u8]),
    /// A whole set, of which only those of the mask are meant.
    Set { registers: &'a [u64], width: usize },
}

impl<'a> Values<'a> {
    /// Those of a whole set that are in the mask.
    pub fn of<A: Arch>(mask: u64, registers: &'a A::Registers) -> Self {
        Self {
            mask: mask & all::<A>(),
            source: Source::Set { registers: registers.as_ref(), width: A::WIDTH },
        }
    }

    /// Which registers there are.
    pub const fn mask(&self) -> u64 {
        self.mask
    }

    /// Puts the values where they belong in a whole set, and leaves the others. `false`, and no change: the
    /// mask or the width is not that of the architecture.
    pub fn unpack<A: Arch>(&self, into: &mut A::Registers) -> bool {
        let into = into.as_mut();
        if self.mask & !all::<A>() != 0 {
            return false;
        }
        match self.source {
            Source::Wire(values) => {
                if values.len() != ones(self.mask).saturating_mul(A::WIDTH) {
                    return false;
                }
                let mut values = values.chunks(A::WIDTH.max(1));
                for (_, register) in into.iter_mut().enumerate().filter(|(i, _)| bit(self.mask, *i)) {
                    let value = values.next().unwrap_or_default();
                    *register = value.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
                }
            }
            Source::Set { registers, .. } => {
                let pairs = into.iter_mut().zip(registers).enumerate();
                for (_, (register, value)) in pairs.filter(|(i, _)| bit(self.mask, *i)) {
                    *register = *value;
                }
            }
        }
        true
    }

    /// The values' bytes, one after the other.
    fn bytes(&self) -> impl Iterator<Item = u8> {
        let (wire, registers, width): (&[u8], &[u64], usize) = match self.source {
            Source::Wire(values) => (values, &[], 8),
            Source::Set { registers, width } => (&[], registers, width),
        };
        let mask = self.mask;
        let chosen = registers.iter().enumerate().filter(move |(i, _)| bit(mask, *i));
        let bytes = chosen
            .flat_map(move |(_, value)| value.to_be_bytes().into_iter().skip(8_usize.saturating_sub(width)));
        wire.iter().copied().chain(bytes)
    }
}

/// The registers of an architecture.
pub(super) fn all<A: Arch>() -> u64 {
    let past = u32::try_from(A::NAMES.len()).unwrap_or(u32::MAX);
    u64::MAX.checked_shl(past).map_or(u64::MAX, |above| !above)
}

/// Whether register `i` is in the mask.
pub(super) fn bit(mask: u64, i: usize) -> bool {
    u32::try_from(i).ok().and_then(|i| mask.checked_shr(i)).is_some_and(|rest| rest & 1 == 1)
}

fn ones(mask: u64) -> usize {
    usize::try_from(mask.count_ones()).unwrap_or(usize::MAX)
}

impl PartialEq for Values<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.mask == other.mask && self.bytes().eq(other.bytes())
    }
}

impl Eq for Values<'_> {}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({:#x}:", self.mask)?;
        self.bytes().try_for_each(|byte| write!(f, " {byte:02x}"))?;
        write!(f, ")")
    }
}

impl<'a> Field<'a> for Values<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let mask = u64::read(reader);
        let values = reader.rest();
        let (length, count) = (values.len(), ones(mask));
        if length != count.saturating_mul(4) && length != count.saturating_mul(8) {
            reader.fail(if length < count.saturating_mul(8) { Problem::Short } else { Problem::Long });
        }
        Self { mask, source: Source::Wire(values) }
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.mask.write(out);
        match self.source {
            Source::Wire(values) => out.put(values),
            Source::Set { registers, width } => {
                for (_, value) in registers.iter().enumerate().filter(|(i, _)| bit(self.mask, *i)) {
                    let bytes = value.to_be_bytes();
                    out.put(bytes.get(8_usize.saturating_sub(width)..).unwrap_or_default());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::registers::{Aarch64, CortexM};
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let set: [u64; 17] = core::array::from_fn(|i| u64::try_from(i).unwrap() * 0x0101_0101);
        let values = Values::of::<CortexM>(0b1_0000_0000_0000_0110, &set);
        let mut out = std::vec::Vec::new();
        let mut writer = Writer::new(&mut out);
        values.write(&mut writer);
        writer.finish().unwrap();
        assert_eq!(out.len(), 8 + 12);
        let mut reader = Reader::new(&out);
        let read = Values::read(&mut reader);
        assert_eq!((reader.problem(), read), (None, values));
        let mut into = [7; 17];
        assert!(read.unpack::<CortexM>(&mut into));
        assert_eq!((into[0], into[1], into[2], into[16]), (7, 0x0101_0101, 0x0202_0202, 0x1010_1010));
        assert!(!read.unpack::<Aarch64>(&mut [0; 34]));
        let past = Values { mask: 1 << 17, source: Source::Wire(&[0; 4]) };
        assert!(!past.unpack::<CortexM>(&mut into));
    }
}
