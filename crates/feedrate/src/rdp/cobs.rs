//! Consistent Overhead Byte Stuffing, where the bytes lie (SPEC section 2.1).

use crate::encode::{EncodeError, Output};
use crate::storage::shift_down;

/// The most bytes that one part can have, and the code that says so.
const PART: usize = 254;
const FULL: u8 = 255;

/// The most bytes that `n` bytes can become, delimiters included.
pub(super) const fn longest(n: usize) -> usize {
    // Constants and MTUs: far from any overflow.
    n.saturating_add(n.saturating_div(PART)).saturating_add(3)
}

/// The most bytes whose encoding surely fits into `mtu` bytes, delimiters included.
pub(super) const fn shortest(mtu: usize) -> usize {
    let mut n = mtu.saturating_sub(3);
    while longest(n) > mtu {
        n = n.saturating_sub(1);
    }
    n
}

/// Undoes the encoding where it lies, and returns the packet; `None` if it is not COBS. There may be a zero behind it.
///
/// Every code stands where a zero was, but for the first one, and those that follow a full part: these go. Each takes
/// time by the length of what is behind it, so that `frame` should not be much longer than a packet can be.
pub(super) fn undo(frame: &mut [u8]) -> Option<&mut [u8]> {
    let mut encoded = match frame {
        [encoded @ .., 0] => encoded,
        all => all,
    };
    let (mut at, mut code) = (0_usize, *encoded.first()?);
    loop {
        // Far from any overflow: `at` is within the slice, or just before it.
        at = at.wrapping_add(code.into());
        let Some(next) = encoded.get_mut(at) else { break };
        if !(1..FULL).contains(&code) {
            if code == 0 {
                return None;
            }
            // No zero is meant after a full part.
            code = *next;
            encoded = without(core::mem::take(&mut encoded), at);
            at = at.wrapping_sub(1);
            continue;
        }
        code = core::mem::take(next);
    }
    if at == encoded.len() { encoded.get_mut(1..) } else { None }
}

/// The same without the byte at `at`.
#[cold]
#[inline(never)]
fn without(bytes: &mut [u8], at: usize) -> &mut [u8] {
    shift_down(bytes.get_mut(at..).unwrap_or_default(), 1);
    bytes.split_last_mut().map_or(&mut [], |(_, others)| others)
}

/// Writes `pieces` one behind the other as one encoded packet, between two zeros.
///
/// At first there is a zero wherever a code has to be. Then each of them becomes the distance to the next one.
pub(super) fn write<O: Output, const N: usize>(out: &mut O, pieces: [&[u8]; N]) -> Result<(), EncodeError> {
    out.put(&[0, 0])?;
    let start = out.length().saturating_sub(1);
    let length = pieces.iter().fold(0_usize, |sum, piece| sum.saturating_add(piece.len()));
    let mut run = 0;
    for piece in pieces {
        if length <= PART {
            // No part can become longer than one may be.
            out.put(piece)?;
        } else {
            put(out, piece, &mut run)?;
        }
    }
    fill(out.written().get_mut(start..).unwrap_or_default());
    out.put(&[0])
}

/// Writes a piece, and a zero behind each full part. `run`: how many bytes have been written since the last zero.
fn put<O: Output>(out: &mut O, mut piece: &[u8], run: &mut usize) -> Result<(), EncodeError> {
    while !piece.is_empty() {
        if *run == PART {
            // Only now: behind the packet's last part there is no code.
            out.put(&[0])?;
            *run = 0;
        }
        let (part, behind) = piece.split_at_checked(PART.saturating_sub(*run)).unwrap_or((piece, &[]));
        out.put(part)?;
        *run = match part.iter().rev().position(|byte| *byte == 0) {
            Some(since) => since,
            None => run.saturating_add(part.len()),
        };
        piece = behind;
    }
    Ok(())
}

/// Makes each zero the distance to the next one, or to the end: no two are further apart than a code can say.
fn fill(bytes: &mut [u8]) {
    let mut distance = 0;
    // A word without a zero is passed over, where code is cheap.
    let words = if cfg!(target_os = "none") { 0 } else { bytes.len() & !7 };
    let odd = bytes.len().wrapping_sub(words);
    let (first, mut words) = bytes.split_at_mut_checked(odd).unwrap_or_default();
    while let Some((front, word)) = words.split_last_chunk_mut() {
        if has_zero(*word) {
            fill_each(word, &mut distance);
        } else {
            distance = distance.wrapping_add(8);
        }
        words = front;
    }
    fill_each(first, &mut distance);
}

#[inline(always)]
fn fill_each(bytes: &mut [u8], distance: &mut u8) {
    for byte in bytes.iter_mut().rev() {
        *distance = distance.wrapping_add(1);
        if *byte == 0 {
            *byte = core::mem::take(distance);
        }
    }
}

const fn has_zero(word: [u8; 8]) -> bool {
    let word = u64::from_ne_bytes(word);
    // A byte borrows from its top bit, which was not set, if it is zero, or if one below it is.
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080 != 0
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
        undo(&mut encoded.to_vec()).map(|packet| packet.to_vec())
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
