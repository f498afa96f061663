//! The values of some registers: a mask, and one value for each of its bits.

use core::fmt;

use super::field::{Field, Out, Problem, Reader};

/// The values of some registers. Bit *i* of the mask is register *i*; on the wire the values are in ascending order
/// of *i*, 4 or 8 bytes each.
///
/// Which registers there are, and how wide they are, depends on the architecture (SPEC section 7), which is not known
/// here.
///
/// ```
/// use feedrate::rdp::frame::Values;
///
/// let values = Values::new(0b101, &[10, 11, 12], 4);
/// let mut registers = [0; 3];
/// assert!(values.unpack(&mut registers, 4));
/// assert_eq!(registers, [10, 0, 12]);
/// ```
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
    /// Those of a whole set, of at most 64 registers, that are in the mask. `width` is 4 or 8: bytes of each on the
    /// wire.
    #[inline]
    pub fn new(mask: u64, registers: &'a [u64], width: usize) -> Self {
        Self { mask: mask & all(registers), source: Source::Set { registers, width } }
    }

    /// As they came, as many as in the mask, all of one width.
    #[cfg(feature = "arbitrary")]
    pub(super) const fn of_wire(mask: u64, values: &'a [u8]) -> Self {
        Self { mask, source: Source::Wire(values) }
    }

    /// Which registers there are.
    pub const fn mask(&self) -> u64 {
        self.mask
    }

    /// Puts the values where they belong in a whole set whose registers have `width` bytes on the wire, and leaves the
    /// others. `false`, and no change: the mask or the width is not that of the set.
    #[must_use]
    #[inline]
    pub fn unpack(&self, into: &mut [u64], width: usize) -> bool {
        if self.mask & !all(into) != 0 {
            return false;
        }
        match self.source {
            Source::Wire(values) => {
                if values.len() != ones(self.mask).saturating_mul(width) {
                    return false;
                }
                let mut values = values.chunks(width.max(1));
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

/// The mask of all registers of a set.
#[inline]
fn all(registers: &[u64]) -> u64 {
    let past = u32::try_from(registers.len()).unwrap_or(u32::MAX);
    u64::MAX.checked_shl(past).map_or(u64::MAX, |above| !above)
}

/// Whether register `i` is in the mask.
fn bit(mask: u64, i: usize) -> bool {
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

#[cfg(feature = "defmt")]
impl defmt::Format for Values<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Values({=u64:#x})", self.mask);
    }
}

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

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        let out = self.mask.write(out);
        match self.source {
            Source::Wire(values) => out.put(values),
            Source::Set { registers, width } => {
                let mut mask = self.mask;
                for value in registers {
                    if mask & 1 == 1 {
                        let bytes = value.to_be_bytes();
                        out.put(bytes.get(8_usize.saturating_sub(width)..).unwrap_or_default());
                    }
                    mask >>= 1;
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Writer;
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let set: [u64; 17] = core::array::from_fn(|i| u64::try_from(i).unwrap() * 0x0101_0101);
        let values = Values::new(0b1_0000_0000_0000_0110, &set, 4);
        let mut out = heapless::Vec::<u8, 32>::new();
        let mut writer = Writer::new(&mut out);
        values.write(&mut writer);
        writer.finish().unwrap();
        assert_eq!(out.len(), 8 + 12);
        let mut reader = Reader::new(&out);
        let read = Values::read(&mut reader);
        assert_eq!((reader.problem(), read), (None, values));
        let mut into = [7; 17];
        assert!(read.unpack(&mut into, 4));
        assert_eq!((into[0], into[1], into[2], into[16]), (7, 0x0101_0101, 0x0202_0202, 0x1010_1010));
        assert!(!read.unpack(&mut [0; 34], 8));
        let past = Values { mask: 1 << 17, source: Source::Wire(&[0; 4]) };
        assert!(!past.unpack(&mut into, 4));
    }
}
