//! The search for a byte, once in the binary: inlined wherever a string ends, it would be most of a small one.

/// Where `byte` is in `bytes`.
#[inline(never)]
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    memchr::memchr(byte, bytes)
}
