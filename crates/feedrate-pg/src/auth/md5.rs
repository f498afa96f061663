//! The method `md5`, which is only for servers that have no better.

use md5::{Digest, Md5};

/// The hexadecimal MD5 of all `parts`.
pub(super) fn hex_md5(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    let mut hex = [0; 32];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hash.finalize()) {
        for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            // Without a table: the time does not depend on the digit.
            let letter = u8::from(value > 9);
            *digit = value.wrapping_add(b'0').wrapping_add(letter.wrapping_mul(b'a' - b'0' - 10));
        }
    }
    hex
}

/// `md5` and 32 digits: what a client sends for this `inner` hash of password and user.
pub(super) fn response(inner: &[u8; 32], salt: [u8; 4]) -> [u8; 35] {
    let mut text = *b"md5                                ";
    if let Some(digits) = text.get_mut(3..) {
        digits.copy_from_slice(&hex_md5(&[inner, &salt]));
    }
    text
}
