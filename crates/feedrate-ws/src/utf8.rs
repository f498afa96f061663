//! Validates UTF-8 that comes in pieces, up to its first bad byte: RFC 6455, section 8.1.

use crate::error::Violation;

/// Validates UTF-8 that may be cut anywhere.
///
/// ```
/// use feedrate_ws::Utf8;
///
/// let mut utf8 = Utf8::new();
/// assert_eq!(utf8.feed(b"gr\xc3"), Ok(()));
/// assert!(!utf8.is_whole());
/// assert_eq!(utf8.feed(b"\xbc\xc3\x9fe"), Ok(()));
/// assert!(utf8.is_whole());
/// // U+110000 would begin like this: the second byte shows that it is not a character.
/// assert_eq!(utf8.feed(b"ab\xf4\x90"), Err(3));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf8 {
    /// The beginning of a cut character, then zeros.
    cut: [u8; 3],
    held: u8,
}

impl Utf8 {
    /// At the beginning of a text.
    pub const fn new() -> Self {
        Self { cut: [0; 3], held: 0 }
    }

    /// Whether the text so far ends with a complete character.
    #[inline]
    pub const fn is_whole(&self) -> bool {
        self.held == 0
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// The offset in `bytes` of the first byte that is not valid there.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let begun = if self.held == 0 { 0 } else { self.finish(bytes)? };
        let rest = bytes.get(begun..).unwrap_or_default();
        // Pieces often end inside a character, which must not send the whole piece down the slow path.
        let (whole, cut) = rest.split_at_checked(last_character(rest)).unwrap_or((rest, &[]));
        let slow = if text(whole).is_some() { cut } else { rest };
        let before = bytes.len().saturating_sub(slow.len());
        let Err(error) = core::str::from_utf8(slow) else { return Ok(()) };
        let good = error.valid_up_to();
        let tail = slow.get(good..).unwrap_or_default();
        match error.error_len() {
            // The bad byte is the one after those that could have begun a character.
            Some(n) => Err(before.saturating_add(good).saturating_add(bad_byte(tail, n))),
            None => {
                self.keep(tail);
                Ok(())
            }
        }
    }

    /// Completes the cut character, byte by byte, and returns how many bytes that took.
    #[cold]
    fn finish(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        for (at, byte) in bytes.iter().enumerate() {
            let [a, b, c] = self.cut;
            let mut begun = [a, b, c, 0];
            let held = usize::from(self.held);
            if let Some(next) = begun.get_mut(held) {
                *next = *byte;
            }
            let character = begun.get(..=held).unwrap_or_default();
            match core::str::from_utf8(character) {
                Ok(_) => {
                    *self = Self::new();
                    return Ok(at.saturating_add(1));
                }
                Err(error) if error.error_len().is_some() => return Err(at),
                Err(_) => self.keep(character),
            }
        }
        Ok(bytes.len())
    }

    fn keep(&mut self, begun: &[u8]) {
        self.cut = [0; 3];
        self.held = 0;
        for (to, from) in self.cut.iter_mut().zip(begun) {
            *to = *from;
            self.held = self.held.saturating_add(1);
        }
    }
}

/// The offset of the bad byte in an invalid sequence of `n` bytes. The standard library counts the bytes that *could*
/// have begun a character, and the bad byte is the next one; except that a byte that can never begin one is itself the
/// sequence.
fn bad_byte(tail: &[u8], n: usize) -> usize {
    match tail.first() {
        Some(0x80..=0xc1 | 0xf5..) | None => 0,
        Some(_) => n,
    }
}

/// Where the last character begins, if it has several bytes; else the end.
#[inline]
fn last_character(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3).position(|byte| *byte >= 0xc0);
    let length = last.map_or(0, |before_end| before_end.saturating_add(1));
    bytes.len().saturating_sub(length)
}

/// The violation for text that is not UTF-8.
#[cold]
pub(crate) fn first_bad(text: &[u8]) -> Violation {
    let at = Utf8::new().feed(text).err().unwrap_or(text.len());
    Violation::Utf8 { at: u64::try_from(at).unwrap_or(u64::MAX) }
}

/// As a string, if all of it is valid.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    // Shorter pieces gain nothing from vector instructions, and choosing between them costs a call.
    #[cfg(feature = "simd")]
    if bytes.len() >= 64 {
        return simdutf8::basic::from_utf8(bytes).ok();
    }
    core::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use feedrate_testkit::chunks;

    use super::*;
    use std::vec::Vec;

    /// By definition: the shortest prefix of `bytes` that no text begins with ends in the bad byte.
    fn first_bad(bytes: &[u8]) -> Option<usize> {
        (0..bytes.len()).find(
            |&at| matches!(core::str::from_utf8(&bytes[..=at]), Err(error) if error.error_len().is_some()),
        )
    }

    fn check(bytes: &[u8]) {
        let found = chunks::always(bytes, |chunks| {
            let (mut utf8, mut before) = (Utf8::new(), 0);
            for chunk in chunks {
                if let Err(at) = utf8.feed(chunk) {
                    return (Some(before + at), false);
                }
                before += chunk.len();
            }
            (None, utf8.is_whole())
        });
        let bad = first_bad(bytes);
        assert_eq!(found, (bad, bad.is_none() && core::str::from_utf8(bytes).is_ok()), "{bytes:x?}");
    }

    #[test]
    fn the_first_bad_byte_is_found_at_every_cut() {
        let edges = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
            0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        for a in edges {
            for b in edges {
                for c in edges {
                    check(&[a, b, c]);
                    for d in [0x41, 0x80, 0xbf, 0xf0] {
                        check(&[a, b, c, d]);
                        check(&[b'x', a, b, c, d, b'y']);
                    }
                }
            }
        }
    }

    #[test]
    fn long_text_is_checked_as_short_text_is() {
        let text = "κόσμε, 世界, 🙂 and ASCII. ".repeat(20);
        for cut in 0..text.len() {
            let mut bytes: Vec<u8> = text.clone().into_bytes();
            let mut utf8 = Utf8::new();
            assert_eq!(utf8.feed(&bytes[..cut]), Ok(()));
            assert_eq!(utf8.feed(&bytes[cut..]), Ok(()));
            assert!(utf8.is_whole());
            bytes[cut] = 0xff;
            assert_eq!(Utf8::new().feed(&bytes), Err(cut));
        }
    }
}
