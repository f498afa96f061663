//! Masking: RFC 6455, section 5.3. A client XORs what it sends with a key of four bytes, new for each frame.
//!
//! It is done in words. Those of a short payload are not aligned first: most frames are short, and their
//! payloads lie at odd addresses.

/// Masks, or unmasks, `bytes` where they lie. `key` is that of the frame if `bytes` begin where its payload
/// begins; for what comes later in the payload see [`advance`].
///
/// ```
/// use feedrate_ws::mask;
///
/// // RFC 6455, section 5.7.
/// let mut bytes = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// mask::apply(&mut bytes, [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(&bytes, b"Hello");
/// ```
#[inline]
pub fn apply(bytes: &mut [u8], key: [u8; 4]) {
    // What has no cache, and counts its flash, gains nothing from it.
    if cfg!(target_os = "none") || bytes.len() < LONG {
        words(bytes, key);
    } else {
        blocks(bytes, key);
    }
}

/// From here on it pays to align the blocks, as stores across the lines of the cache cost more than the few
/// bytes before.
const LONG: usize = 4096;

#[inline(never)]
fn blocks(bytes: &mut [u8], key: [u8; 4]) {
    let unaligned = bytes.as_ptr().align_offset(BLOCK);
    let Some((head, rest)) = bytes.split_at_mut_checked(unaligned) else { return words(bytes, key) };
    words(head, key);
    words(rest, advance(key, unaligned));
}

#[inline]
fn words(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut blocks = bytes.chunks_exact_mut(BLOCK);
    for block in &mut blocks {
        each_word(block, word);
    }
    let rest = blocks.into_remainder();
    each_word(rest, word);
}

/// A loop over this many bytes is unrolled, and becomes a few vector instructions.
const BLOCK: usize = 32;

#[inline(always)]
fn each_word(bytes: &mut [u8], word: u64) {
    let mut words = bytes.chunks_exact_mut(8);
    for chunk in &mut words {
        if let Ok(chunk) = <&mut [u8; 8]>::try_from(chunk) {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// The key for what follows after `n` bytes.
///
/// ```
/// use feedrate_ws::mask;
///
/// let mut bytes = *b"Hello";
/// let (start, rest) = bytes.split_at_mut(3);
/// let key = [1, 2, 3, 4];
/// mask::apply(start, key);
/// mask::apply(rest, mask::advance(key, start.len()));
/// mask::apply(&mut bytes, key);
/// assert_eq!(&bytes, b"Hello");
/// ```
#[inline]
pub const fn advance(key: [u8; 4], n: usize) -> [u8; 4] {
    let [a, b, c, d] = key;
    match n % 4 {
        0 => key,
        1 => [b, c, d, a],
        2 => [c, d, a, b],
        _ => [d, a, b, c],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_length_at_every_cut_is_the_definition() {
        let key = [0x12, 0x34, 0x56, 0x78];
        for length in 0..150 {
            let plain: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let expected: Vec<u8> =
                plain.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            for cut in 0..=length {
                let mut bytes = plain.clone();
                let (start, rest) = bytes.split_at_mut(cut);
                apply(start, key);
                apply(rest, advance(key, cut));
                assert_eq!(bytes, expected);
            }
        }
    }
}
