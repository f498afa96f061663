//! The search for a byte, once in the binary: inlined wherever a string ends, it would be most of a small one.

/// Where `byte` is in `bytes`.
#[inline(never)]
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    if cfg!(target_os = "none") {
        // What `memchr` has there is ten times as long, and faster for long strings only.
        bytes.iter().position(|its| *its == byte)
    } else {
        memchr::memchr(byte, bytes)
    }
}
