//! Consistent Overhead Byte Stuffing, without a copy (SPEC section 2.1).

use crate::encode::{EncodeError, Output};

/// The most bytes that one part can have, and the code that says so.
const LONGEST: usize = 254;
const FULL: u8 = 255;

/// The most bytes that `n` bytes can become, delimiters included.
pub(super) const fn longest(n: usize) -> usize {
    // Constants and MTUs: far from any overflow.
    n.saturating_add(n.saturating_div(LONGEST)).saturating_add(3)
}

/// The most bytes whose encoding surely fits into `mtu` bytes, delimiters included.
pub(super) const fn shortest(mtu: usize) -> usize {
    let mut n = mtu.saturating_sub(3);
    while longest(n) > mtu {
        n = n.saturating_sub(1);
    }
    n
}

/// Takes the first part off `rest`: its bytes, and whether a zero follows.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn part<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], bool)> {
    let (&code, behind) = rest.split_first()?;
    let length = usize::from(code).checked_sub(1)?;
    let (part, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some((part, code != FULL && !behind.is_empty()))
}

/// How many bytes `encoded` (without delimiters) stands for; `None` if it is not COBS.
#[inline]
pub(super) fn length(encoded: &[u8]) -> Option<usize> {
    let (mut rest, mut length) = (encoded, 0_usize);
    while !rest.is_empty() {
        let (part, zero) = part(&mut rest)?;
        length = length.saturating_add(part.len()).saturating_add(usize::from(zero));
    }
    Some(length)
}

/// Writes `pieces` one behind the other as one encoded packet, between two zeros.
pub(super) fn write<'b, O: Output>(
    out: &mut O,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> Result<(), EncodeError> {
    out.put(&[0])?;
    let mut part = Part { bytes: [0; LONGEST + 1], length: 0 };
    for piece in pieces {
        for byte in piece {
            if part.length == LONGEST {
                part.end(out)?;
            }
            if *byte == 0 {
                part.end(out)?;
            } else {
                part.length = part.length.saturating_add(1);
                if let Some(place) = part.bytes.get_mut(part.length) {
                    *place = *byte;
                }
            }
        }
    }
    part.end(out)?;
    out.put(&[0])
}

/// A part whose code is not known yet, which is its first byte.
struct Part {
    bytes: [u8; LONGEST + 1],
    length: usize,
}

impl Part {
    fn end<O: Output>(&mut self, out: &mut O) -> Result<(), EncodeError> {
        let size = self.length.saturating_add(1);
        if let Some(code) = self.bytes.first_mut() {
            *code = u8::try_from(size).unwrap_or(FULL);
        }
        self.length = 0;
        out.put(self.bytes.get(..size).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn encode(bytes: &[u8]) -> Vec<u8> {
        let mut out = heapless::Vec::<u8, 2048>::new();
        write(&mut out, [bytes]).unwrap();
        assert!(out.len() <= longest(bytes.len()));
        assert_eq!((out.first(), out.last()), (Some(&0), Some(&0)));
        out[1..out.len() - 1].to_vec()
    }

    fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
        let (mut rest, mut bytes) = (encoded, Vec::new());
        while !rest.is_empty() {
            let (run, zero) = part(&mut rest)?;
            bytes.extend_from_slice(run);
            bytes.extend(zero.then_some(0));
        }
        assert_eq!(length(encoded), Some(bytes.len()));
        Some(bytes)
    }

    #[test]
    fn the_specification_s_examples() {
        assert_eq!(encode(&[0x11, 0x22, 0, 0x33]), [3, 0x11, 0x22, 2, 0x33]);
        assert_eq!(encode(&[0]), [1, 1]);
        assert_eq!(decode(&[5, 1]), None);
    }

    #[test]
    fn every_length_around_the_longest_part() {
        for n in 0..1030 {
            for zero in [None, Some(0), Some(253), Some(254), Some(255), Some(508)] {
                let mut bytes: Vec<u8> = (0..n).map(|i| u8::try_from(i % 255 + 1).unwrap()).collect();
                if let Some(byte) = zero.and_then(|at| bytes.get_mut(at)) {
                    *byte = 0;
                }
                let encoded = encode(&bytes);
                assert!(!encoded.contains(&0));
                assert_eq!(decode(&encoded), Some(bytes), "{n} {zero:?}");
            }
        }
    }

    #[test]
    fn a_full_part_may_be_followed_by_an_empty_one() {
        let mut encoded = std::vec![255];
        encoded.extend([7; 254]);
        assert_eq!(decode(&encoded), Some(std::vec![7; 254]));
        encoded.push(1);
        assert_eq!(decode(&encoded), Some(std::vec![7; 254]));
    }

    #[test]
    fn what_fits_into_a_lane() {
        assert_eq!((shortest(64), shortest(512)), (61, 507));
    }
}
