//! Debug frames for fuzzing: all that can be encoded, and no others. Those with plain fields are derived.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::field::{Field, Reader};
use super::list::{Bytes, Count, List, Secret, ToEnd};
use super::values::Values;

/// The largest number that a count can express.
const fn most<C: Count>() -> usize {
    if C::BYTES > 1 { 0xFFFF } else { 0xFF }
}

impl<'a, C: Count> Arbitrary<'a> for Bytes<'a, C> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = <&[u8]>::arbitrary(u)?;
        Ok(Self::new(if bytes.len() <= most::<C>() { bytes } else { &[] }))
    }
}

impl<'a> Arbitrary<'a> for Secret<'a, u16> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Bytes::<u16>::arbitrary(u).map(|bytes| Self::new(bytes.as_slice()))
    }
}

impl<'a> Arbitrary<'a> for Secret<'a, ToEnd> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        <&[u8]>::arbitrary(u).map(Self::new)
    }
}

/// A list is a piece of the fuzzer's own bytes, as many as are valid values, so that nothing has to be allocated.
impl<'a, T: Field<'a> + Copy, C: Count> Arbitrary<'a> for List<'a, T, C> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = <&[u8]>::arbitrary(u)?;
        let mut reader = Reader::new(bytes);
        let (mut count, mut length) = (0_usize, 0_usize);
        while !reader.rest.is_empty() {
            T::read(&mut reader);
            let next = count.saturating_add(1);
            if reader.problem.is_some() || next > most::<C>() {
                break;
            }
            (count, length) = (next, bytes.len().saturating_sub(reader.rest.len()));
        }
        Ok(Self::of_wire(bytes.get(..length).unwrap_or_default(), count))
    }
}

impl<'a> Arbitrary<'a> for Values<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut mask: u64 = u.arbitrary()?;
        let width = if u.arbitrary()? { 8 } else { 4 };
        let size = |mask: u64| usize::try_from(mask.count_ones()).unwrap_or_default().saturating_mul(width);
        while size(mask) > u.len() {
            mask &= mask.wrapping_sub(1);
        }
        Ok(Self::of_wire(mask, u.bytes(size(mask))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Frame;
    use super::*;
    use crate::encode::Encode;

    #[test]
    fn what_is_made_can_be_written_and_read_again() {
        let (mut seed, mut kinds) = (1_u64, std::collections::BTreeSet::new());
        for _ in 0..20_000 {
            let bytes: [u8; 200] = core::array::from_fn(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed.to_be_bytes()[0]
            });
            let frame = Frame::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
            let mut written = std::vec::Vec::new();
            frame.encode(&mut written).unwrap();
            assert_eq!(Frame::read(&written), Ok(frame));
            kinds.insert(frame.kind());
        }
        assert!(kinds.len() > 200, "{}", kinds.len());
    }
}
