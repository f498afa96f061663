//! Consistent Overhead Byte Stuffing, in place (SPEC section 2).

use crate::encode::{Encode, EncodeError, Output};
use crate::storage::shift_down;

/// The maximum number of bytes in one part, and the code for it.
const PART: usize = 254;
const FULL: u8 = 255;

/// The maximum number of bytes that `n` bytes can become, delimiters included.
pub(super) const fn longest(n: usize) -> usize {
    // Constants and MTUs: far from any overflow.
    n.saturating_add(n.saturating_div(PART)).saturating_add(3)
}

/// The maximum number of bytes whose encoding always fits into `mtu` bytes, delimiters included.
pub(super) const fn shortest(mtu: usize) -> usize {
    let mut n = mtu.saturating_sub(3);
    while longest(n) > mtu {
        n = n.saturating_sub(1);
    }
    n
}

/// Undoes the encoding in place and returns the packet; `None` if it is not COBS. The trailing delimiter may be
/// present, the leading one must not.
///
/// A code is in the place of a zero, except the first one, and one after a full part: these are removed. Each removal
/// moves all that follows, so the caller must bound the frame's length.
///
/// ```
/// use feedrate::rdp::cobs;
///
/// assert_eq!(cobs::decode(&mut [3, 0x11, 0x22, 2, 0x33]), Some(&mut [0x11, 0x22, 0, 0x33][..]));
/// assert_eq!(cobs::decode(&mut [5, 1]), None);
/// ```
#[must_use]
pub fn decode(frame: &mut [u8]) -> Option<&mut [u8]> {
    let mut encoded = match frame {
        [encoded @ .., 0] => encoded,
        all => all,
    };
    let (mut at, mut code) = (0_usize, *encoded.first()?);
    loop {
        // No overflow: `at` is within the slice, or just before it.
        at = at.wrapping_add(code.into());
        let Some(next) = encoded.get_mut(at) else { break };
        if !(1..FULL).contains(&code) {
            if code == 0 {
                return None;
            }
            // A full part has no zero after it.
            code = *next;
            encoded = without(core::mem::take(&mut encoded), at);
            at = at.wrapping_sub(1);
            continue;
        }
        code = core::mem::take(next);
    }
    if at == encoded.len() { encoded.get_mut(1..) } else { None }
}

/// `bytes` without the byte at `at`.
#[cold]
#[inline(never)]
fn without(bytes: &mut [u8], at: usize) -> &mut [u8] {
    shift_down(bytes.get_mut(at..).unwrap_or_default(), 1);
    bytes.split_last_mut().map_or(&mut [], |(_, others)| others)
}

/// Some pieces, one after another, as one encoded packet between two zeros.
///
/// ```
/// use feedrate::Encode;
/// use feedrate::rdp::cobs::Encoded;
///
/// let mut out = heapless::Vec::<u8, 16>::new();
/// Encoded(&[&[0x11, 0x22], &[0, 0x33]]).encode(&mut out)?;
/// assert_eq!(out, [0, 3, 0x11, 0x22, 2, 0x33, 0]);
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Encoded<'p>(pub &'p [&'p [u8]]);

impl Encode for Encoded<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        write(out, self.0)
    }
}

/// Writes `pieces` one after another as one encoded packet, between two zeros.
///
/// First a zero is written wherever a code belongs. Then each zero is replaced by the distance to the next one.
pub(super) fn write<O: Output>(out: &mut O, pieces: &[&[u8]]) -> Result<(), EncodeError> {
    append(out, &[&[0, 0]])?;
    let start = out.length().saturating_sub(1);
    let length = pieces.iter().fold(0_usize, |sum, piece| sum.saturating_add(piece.len()));
    append_cut(out, pieces, if length > PART { PART } else { usize::MAX })?;
    fill(out.written().get_mut(start..).unwrap_or_default());
    append(out, &[&[0]])
}

/// Appends `pieces` one after another.
pub(super) fn append<O: Output>(out: &mut O, pieces: &[&[u8]]) -> Result<(), EncodeError> {
    append_cut(out, pieces, usize::MAX)
}

/// The same, and a zero wherever `most` bytes without one are followed by another byte.
#[cfg_attr(target_os = "none", inline(never))]
fn append_cut<O: Output>(out: &mut O, pieces: &[&[u8]], most: usize) -> Result<(), EncodeError> {
    // Bytes since the last zero.
    let mut run = 0_usize;
    for mut piece in pieces.iter().copied() {
        while !piece.is_empty() {
            let (part, behind) = match piece.split_at_checked(most.saturating_sub(run)) {
                Some(([], _)) => (&[0][..], piece),
                Some(parts) => parts,
                None => (piece, &[][..]),
            };
            out.put(part)?;
            piece = behind;
            if most < usize::MAX {
                run = match part.iter().rev().position(|byte| *byte == 0) {
                    Some(since) => since,
                    None => run.saturating_add(part.len()),
                };
            }
        }
    }
    Ok(())
}

/// Makes each zero the distance to the next one, or to the end: at most 255, after [`append_cut`].
fn fill(bytes: &mut [u8]) {
    let mut distance = 0;
    // Where code size does not matter, words without a zero are skipped.
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
    use std::vec;
    use std::vec::Vec;

    fn encode(pieces: [&[u8]; 3]) -> Vec<u8> {
        let mut out = heapless::Vec::<u8, 2048>::new();
        // What was there before stays.
        out.extend_from_slice(b"\0before\0").unwrap();
        write(&mut out, &pieces).unwrap();
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let (before, written) = out.split_at(8);
        assert_eq!(before, b"\0before\0");
        assert!(written.len() <= longest(length));
        assert_eq!((written.first(), written.last()), (Some(&0), Some(&0)));
        written[1..written.len() - 1].to_vec()
    }

    fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
        let mut frame = encoded.to_vec();
        let decoded = super::decode(&mut frame).map(|packet| packet.to_vec());
        // The zero after it changes nothing.
        let mut frame = [encoded, &[0]].concat();
        assert_eq!(super::decode(&mut frame).map(|packet| packet.to_vec()), decoded);
        decoded
    }

    /// As SPEC section 2 has it: cut after every zero byte, and after 254 bytes without one.
    fn encoded_by_definition(packet: &[u8]) -> Vec<u8> {
        // "A zero is imagined after the packet's end."
        let mut rest = [packet, &[0]].concat();
        let mut encoded = Vec::new();
        while !rest.is_empty() {
            let zero = rest.iter().position(|byte| *byte == 0).unwrap();
            let (part, next) = if zero < 254 { (zero, zero + 1) } else { (254, 254) };
            encoded.push(u8::try_from(part + 1).unwrap());
            encoded.extend(&rest[..part]);
            rest.drain(..next);
            if part == 254 && rest == [0] {
                break;
            }
        }
        encoded
    }

    /// Part by part, into another place.
    fn decoded_by_definition(mut encoded: &[u8]) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        if encoded.is_empty() {
            return None;
        }
        while let Some((&code, rest)) = encoded.split_first() {
            let part = rest.get(..usize::from(code).checked_sub(1)?)?;
            packet.extend(part);
            encoded = &rest[part.len()..];
            if code != 255 && !encoded.is_empty() {
                packet.push(0);
            }
        }
        Some(packet)
    }

    fn check(packet: &[u8]) {
        let expected = encoded_by_definition(packet);
        assert!(!expected.contains(&0));
        for at in [0, 1, 12, packet.len() / 2, packet.len().saturating_sub(4), packet.len()] {
            let (first, rest) = packet.split_at(at.min(packet.len()));
            let (second, third) = rest.split_at(rest.len() / 3);
            assert_eq!(encode([first, second, third]), expected, "{packet:?} cut at {at}");
        }
        assert_eq!(decode(&expected).as_deref(), Some(packet));
        assert_eq!(decoded_by_definition(&expected).as_deref(), Some(packet));
    }

    #[test]
    fn the_specification_s_examples() {
        assert_eq!(encode([&[0x11, 0x22], &[0], &[0x33]]), [3, 0x11, 0x22, 2, 0x33]);
        assert_eq!(encode([&[], &[0], &[]]), [1, 1]);
        assert_eq!(decode(&[5, 1]), None);
    }

    #[test]
    fn all_small_inputs() {
        let bytes = [1, 2, 3, 4, 7, 254, 255];
        for length in 0..=6 {
            for n in 0..bytes.len().pow(length) {
                let digits = (0..length).map(|i| bytes[n / bytes.len().pow(i) % bytes.len()]);
                let encoded: Vec<u8> = digits.collect();
                assert_eq!(decode(&encoded), decoded_by_definition(&encoded), "{encoded:?}");
            }
        }
        // A zero is not allowed anywhere; in the place of a code, it is detected. (The last one is a delimiter.)
        let bytes = [0, 1, 2, 3, 255];
        for length in 0..=7 {
            for n in 0..bytes.len().pow(length) {
                let digits = (0..length).map(|i| bytes[n / bytes.len().pow(i) % bytes.len()]);
                let encoded: Vec<u8> = digits.collect();
                let expected = decoded_by_definition(encoded.strip_suffix(&[0]).unwrap_or(&encoded));
                assert_eq!(
                    super::decode(&mut encoded.clone()),
                    expected.clone().as_deref_mut(),
                    "{encoded:?}"
                );
            }
        }
        let bytes = [0, 1, 2, 255];
        for length in 0..=6 {
            for n in 0..bytes.len().pow(length) {
                check(&(0..length).map(|i| bytes[n / bytes.len().pow(i) % bytes.len()]).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_length_around_full_parts_with_zeros_at_their_edges() {
        for length in (0..20).chain(245..275).chain(500..520).chain(755..770).chain(1010..1025) {
            let packet: Vec<u8> = (0..length).map(|i| u8::try_from(i % 255 + 1).unwrap()).collect();
            check(&packet);
            check(&vec![0; length]);
            check(&vec![255; length]);
            for zero in [0, 1, 252, 253, 254, 255, 256, 507, 508, 509, 510, 761, 762, 763, 1015, 1016, 1017] {
                for other in [zero, zero + 1, zero + 253, zero + 254, zero + 255, length.wrapping_sub(1)] {
                    let mut packet = packet.clone();
                    [zero, other].into_iter().filter(|at| *at < length).for_each(|at| packet[at] = 0);
                    check(&packet);
                }
            }
        }
    }

    /// What is not canonical is read by definition, or not at all.
    #[test]
    fn every_code_and_every_length() {
        for code in 1..=255_u8 {
            for length in [0, 1, 2, 252, 253, 254, 255, 256, 257, 508, 509, 510, 511, 512, 600] {
                for next in [1, 2, 3, 254, 255] {
                    let mut encoded = vec![code];
                    encoded.extend((0..length).map(|_| next));
                    assert_eq!(decode(&encoded), decoded_by_definition(&encoded), "{code} {length} {next}");
                }
            }
        }
        // Full parts in a row, each with an empty part after it.
        for parts in 1..5 {
            let mut encoded = Vec::new();
            for _ in 0..parts {
                encoded.push(255);
                encoded.extend([7; 254]);
            }
            assert_eq!(decode(&encoded), Some(vec![7; parts * 254]));
            encoded.push(1);
            assert_eq!(decode(&encoded), Some(vec![7; parts * 254]));
            encoded.push(1);
            assert_eq!(decode(&encoded), decoded_by_definition(&encoded));
            encoded.push(0);
            encoded.push(1);
            assert_eq!(decode(&encoded), None);
        }
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0]), None);
        assert_eq!(decode(&[0, 1]), None);
    }

    #[test]
    fn words_with_and_without_a_zero() {
        for at in 0..8 {
            for other in 1..=255 {
                let mut word = [other; 8];
                assert!(!has_zero(word), "{other}");
                word[at] = 0;
                assert!(has_zero(word), "{other} {at}");
            }
        }
    }

    #[test]
    fn what_fits_into_a_lane() {
        assert_eq!((shortest(64), shortest(512)), (61, 507));
    }
}
