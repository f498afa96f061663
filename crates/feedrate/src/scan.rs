//! The search for a byte or a delimiter, never inlined: inlined wherever a string ends, it would be most of a small
//! binary.

/// Where `byte` is in `bytes`.
#[inline(never)]
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    if cfg!(target_os = "none") {
        // `memchr` has ten times the code there, and is faster only for long strings.
        bytes.iter().position(|its| *its == byte)
    } else {
        memchr::memchr(byte, bytes)
    }
}

/// Searches for a delimiter in bytes that come in pieces. `matched` is the number of the delimiter's bytes that the
/// previous piece ended with, and is updated for this one. Returns where in `bytes` the delimiter ends.
pub(crate) fn find_end(delimiter: &[u8], matched: &mut usize, bytes: &[u8]) -> Option<usize> {
    // With an empty delimiter, a message ends after its first byte.
    let &[first, ref others @ ..] = delimiter else { return (!bytes.is_empty()).then_some(1) };
    let mut at = 0_usize;
    loop {
        if *matched == 0 {
            let rest = bytes.get(at..)?;
            at = at.saturating_add(find(first, rest)?).saturating_add(1);
            *matched = 1;
        }
        if *matched > others.len() {
            *matched = 0;
            return Some(at);
        }
        let byte = *bytes.get(at)?;
        if delimiter.get(*matched) == Some(&byte) {
            *matched = matched.saturating_add(1);
            at = at.saturating_add(1);
        } else {
            *matched = shorter(delimiter, *matched);
        }
    }
}

/// The longest proper prefix of the delimiter's first `matched` bytes that is also their suffix.
#[cold]
fn shorter(delimiter: &[u8], matched: usize) -> usize {
    let seen = delimiter.get(..matched).unwrap_or_default();
    let shorter = |n: &usize| delimiter.get(..*n).is_some_and(|start| seen.ends_with(start));
    (0..matched).rev().find(shorter).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use feedrate_testkit::chunks;

    use super::*;

    #[test]
    fn a_delimiter_is_found_wherever_it_is_cut() {
        let delimiters: [&[u8]; 6] = [b"\n", b"\r\n", b"\r\n\r\n", b"aab", b"aaaa", b"abab"];
        for delimiter in delimiters {
            // All words of eight letters, of which most are the delimiter's.
            let letters = [delimiter[0], delimiter[delimiter.len() - 1], b'x'];
            for word in 0..3_usize.pow(8) {
                let bytes: std::vec::Vec<u8> = (0..8).map(|i| letters[word / 3_usize.pow(i) % 3]).collect();
                let found = bytes.windows(delimiter.len()).position(|window| window == delimiter);
                let expected = found.map(|at| at + delimiter.len());
                let end = chunks::always(&bytes, |chunks| {
                    let (mut matched, mut before) = (0, 0);
                    for chunk in chunks {
                        if let Some(end) = find_end(delimiter, &mut matched, chunk) {
                            assert_eq!(matched, 0);
                            return Some(before + end);
                        }
                        before += chunk.len();
                    }
                    None
                });
                assert_eq!(end, expected, "{delimiter:?} in {bytes:?}");
            }
        }
    }
}
