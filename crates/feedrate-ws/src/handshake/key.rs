//! The key and its answer: RFC 6455, sections 1.3 and 4.2.2.

/// What a server appends to the key, so that only a WebSocket server gives the right answer.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`.
///
/// ```
/// use feedrate_ws::handshake::accept;
///
/// assert_eq!(&accept(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept(key: &[u8; 24]) -> [u8; 28] {
    base64(&sha1(key))
}

/// SHA-1 (RFC 3174) of a key and the GUID, which are 60 bytes: two blocks. The linker cannot exclude panics in the
/// crates for it, and the hash protects no secret here.
fn sha1(key: &[u8; 24]) -> [u8; 20] {
    let length = (60_u64 * 8).to_be_bytes();
    let padding = [0x80].into_iter().chain([0; 59]);
    let message = key.iter().chain(GUID).copied().chain(padding).chain(length);
    let mut blocks = [[0_u32; 16]; 2];
    let words = blocks.iter_mut().flatten();
    let mut bytes = message;
    for word in words {
        *word = bytes.by_ref().take(4).fold(0, |word, byte| word << 8 | u32::from(byte));
    }
    let mut hash = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0_u32];
    for block in blocks {
        let digest = rounds(hash, block);
        hash.iter_mut().zip(digest).for_each(|(sum, word)| *sum = sum.wrapping_add(word));
    }
    let mut out = [0; 20];
    out.iter_mut().zip(hash.iter().flat_map(|word| word.to_be_bytes())).for_each(|(to, from)| *to = from);
    out
}

/// RFC 3174, section 6.2.
fn rounds([mut a, mut b, mut c, mut d, mut e]: [u32; 5], mut words: [u32; 16]) -> [u32; 5] {
    for round in 0..80 {
        let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = words;
        let (mix, constant) = match round {
            0..20 => (d ^ (b & (c ^ d)), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (d & (b | c)), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(w0).wrapping_add(constant);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
        let next = (w13 ^ w8 ^ w2 ^ w0).rotate_left(1);
        words = [w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, next];
    }
    [a, b, c, d, e]
}

/// A client's nonce as it appears in the request.
pub(super) fn key(nonce: &[u8; 16]) -> [u8; 24] {
    base64(nonce)
}

/// Whether this is 16 bytes in base64: 22 characters and `==`. The unused bits of the last character may be set: some
/// clients send 22 random characters, which the grammar of RFC 6455, section 4.3 allows.
pub(super) fn is_key(value: &[u8]) -> bool {
    // Not `strip_suffix`: at opt-level "z" a panic may be left in it.
    let [digits @ .., b'=', b'='] = value else { return false };
    digits.len() == 22 && digits.iter().all(|digit| ALPHABET.contains(digit))
}

/// RFC 4648, section 4. `N` is four characters for each three bytes, rounded up.
fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [b'='; N];
    let mut to = out.iter_mut();
    let mut rest = bytes;
    // Not `chunks`: at opt-level "z" it keeps a panic for a division by zero.
    while !rest.is_empty() {
        let (from, later) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        let (a, b, c) = match *from {
            [a, b, c] => (a, b, c),
            [a, b] => (a, b, 0),
            [a] => (a, 0, 0),
            _ => (0, 0, 0),
        };
        let digits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (digit, to) in digits.into_iter().take(from.len().saturating_add(1)).zip(&mut to) {
            *to = ALPHABET.get(usize::from(digit)).copied().unwrap_or_default();
        }
        rest = later;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        assert_eq!(&base64::<8>(b"foobar"), b"Zm9vYmFy");
        assert_eq!(&base64::<8>(b"fooba"), b"Zm9vYmE=");
        assert_eq!(&base64::<8>(b"foob"), b"Zm9vYg==");
    }

    #[test]
    fn a_key_is_16_bytes() {
        assert!(is_key(&key(&[0xff; 16])));
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZR=="));
        for bad in [
            &b""[..],
            b"==",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25j*Q==",
            b"dGhlIHNhbXBsZSBub25jZQAA",
            b"dGhlIHNhbXBsZSBub25jZQAA==",
        ] {
            assert!(!is_key(bad));
        }
    }
}
