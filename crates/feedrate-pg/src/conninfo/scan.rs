//! Looking at a text byte by byte.

/// What C's `isspace` says in the locale C.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The first byte from `at` on that is not `of` this kind.
pub(super) fn skip(text: &[u8], at: usize, of: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at.saturating_add(rest.iter().position(|byte| !of(*byte)).unwrap_or(rest.len()))
}
