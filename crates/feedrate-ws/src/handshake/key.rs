//! The key and what answers it: RFC 6455, sections 1.3 and 4.2.2.

/// What a server appends to the key, so that nothing but a WebSocket server will give the right answer.
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
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(key);
    sha1.update(GUID);
    base64(&sha1.digest().bytes())
}

/// A client's nonce, as it is written in the request.
pub(super) fn key(nonce: &[u8; 16]) -> [u8; 24] {
    base64(nonce)
}

/// Whether this is 16 bytes in base64: 22 characters, of which the last stands for 2 bits, and `==`.
pub(super) fn is_key(value: &[u8]) -> bool {
    let Some((&last, digits)) = value.strip_suffix(b"==").and_then(<[u8]>::split_last) else { return false };
    digits.len() == 21 && digits.iter().all(|digit| ALPHABET.contains(digit)) && b"AQgw".contains(&last)
}

/// RFC 4648, section 4. `N` is four characters for each three bytes, begun ones too.
fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [b'='; N];
    for (to, from) in out.chunks_mut(4).zip(bytes.chunks(3)) {
        let (a, b, c) = match *from {
            [a, b, c] => (a, b, c),
            [a, b] => (a, b, 0),
            [a] => (a, 0, 0),
            _ => (0, 0, 0),
        };
        let digits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (to, digit) in to.iter_mut().zip(digits).take(from.len().saturating_add(1)) {
            *to = ALPHABET.get(usize::from(digit)).copied().unwrap_or_default();
        }
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
        for bad in [
            &b""[..],
            b"==",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZR==",
            b"dGhlIHNhbXBsZSBub25j*Q==",
            b"dGhlIHNhbXBsZSBub25jZQAA",
            b"dGhlIHNhbXBsZSBub25jZQAA==",
        ] {
            assert!(!is_key(bad));
        }
    }
}
