//! SCRAM-SHA-256's arithmetic (RFC 5802, RFC 7677), and PBKDF2 that works in slices.

use core::fmt;

use feedrate::pg::Secret;
use zeroize::Zeroize;

#[cfg(feature = "saslprep")]
use super::saslprep::saslprep as prepare;
pub(super) use super::sha256::KEY;
use super::sha256::{Hmac, Padded, Sha256};

/// The longest salt that is kept. PostgreSQL's have 16 bytes.
const LONGEST_SALT: usize = 64;

/// The salt of a password, of 1 to 64 bytes. PostgreSQL's have 16.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt {
    bytes: [u8; LONGEST_SALT],
    length: u8,
}

impl Salt {
    /// `None` if there are more than 64 bytes, or none.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut salt = Self { bytes: [0; LONGEST_SALT], length: u8::try_from(bytes.len()).ok()? };
        salt.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (!bytes.is_empty()).then_some(salt)
    }

    pub(super) fn of_16(bytes: [u8; 16]) -> Self {
        let mut salt = Self { bytes: [0; LONGEST_SALT], length: 16 };
        for (to, from) in salt.bytes.iter_mut().zip(bytes) {
            *to = from;
        }
        salt
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salt({} bytes)", self.length)
    }
}

/// In constant time.
pub(super) fn same(a: &[u8; KEY], b: &[u8; KEY]) -> bool {
    Secret::from(a) == Secret::from(b)
}

pub(super) fn sha256(data: &[u8]) -> [u8; KEY] {
    let mut hash = Sha256::new();
    hash.update(data);
    hash.finish()
}

/// HMAC-SHA-256.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY] {
    Hmac::new(key).hash(parts)
}

pub(super) fn xor(a: &[u8; KEY], b: &[u8; KEY]) -> [u8; KEY] {
    let mut result = *a;
    for (to, from) in result.iter_mut().zip(b) {
        *to ^= from;
    }
    result
}

/// PBKDF2 with HMAC-SHA-256, of one block: `SaltedPassword` of SCRAM. It does as many iterations at a time as it is
/// asked to.
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    /// Knows the password: each iteration is two compressions.
    mac: Hmac,
    last: Padded,
    sum: [u8; KEY],
    left: u32,
}

impl Pbkdf2 {
    /// Does the first iteration of `iterations`, which are at least one.
    pub(super) fn new(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let mac = Hmac::of(|piece| {
            let _ = prepare(password, piece);
        });
        let sum = mac.hash(&[salt, &1_u32.to_be_bytes()]);
        Self { mac, last: Padded::new(&sum), sum, left: iterations.saturating_sub(1) }
    }

    /// At most this many `iterations` more. Whether none are left.
    pub(super) fn work(&mut self, iterations: u32) -> bool {
        let now = iterations.min(self.left);
        for _ in 0..now {
            self.mac.again(&mut self.last);
            for (to, from) in self.sum.iter_mut().zip(self.last.hash()) {
                *to ^= from;
            }
        }
        self.left = self.left.saturating_sub(now);
        self.left == 0
    }

    /// Iterations that are left.
    pub(super) const fn left(&self) -> u32 {
        self.left
    }

    /// `ClientKey` and `ServerKey`, once no iteration is left.
    pub(super) fn keys(&self) -> ([u8; KEY], [u8; KEY]) {
        (hmac(&self.sum, &[b"Client Key"]), hmac(&self.sum, &[b"Server Key"]))
    }
}

impl Drop for Pbkdf2 {
    fn drop(&mut self) {
        self.sum.zeroize();
    }
}

/// Without SASLprep passwords stay as they are.
#[cfg(not(feature = "saslprep"))]
fn prepare(password: &[u8], mut piece: impl FnMut(&[u8])) -> bool {
    piece(password);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> std::vec::Vec<u8> {
        let pairs = text.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    /// RFC 7677, section 3.
    #[test]
    fn rfc_7677() {
        let mut salt = [0; 16];
        let salt = super::super::base64::decode(b"W22ZaJ0SNY7soEsUEjb6gQ==", &mut salt).unwrap();
        let mut work = Pbkdf2::new(b"pencil", salt, 4096);
        assert!(work.work(4095));
        let (client_key, server_key) = work.keys();
        let message: [&[u8]; 3] = [
            b"n=user,r=rOprNGfwEbeRWgbNEkqO,",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        ];
        let proof = xor(&client_key, &hmac(&sha256(&client_key), &message));
        let expect = |text: &[u8]| super::super::base64::decode_key(text).unwrap();
        assert_eq!(proof, expect(b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assert_eq!(hmac(&server_key, &message), expect(b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    /// RFC 7914, section 11: the first 32 bytes, which are the first block.
    #[test]
    fn rfc_7914() {
        let mut work = Pbkdf2::new(b"passwd", b"salt", 1);
        assert!(work.work(0));
        assert_eq!(work.sum[..], hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"));
        let mut work = Pbkdf2::new(b"Password", b"NaCl", 80_000);
        while !work.work(777) {}
        assert_eq!(work.sum[..], hex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"));
    }

    /// RFC 4231, cases 1, 2, 6 and 7: keys shorter and longer than a block.
    #[test]
    fn rfc_4231() {
        for (key, message, expected) in [
            (&[0x0b; 20][..], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                "This is a test using a larger than block-size key and a larger than block-size data. \
                 The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ] {
            assert_eq!(hmac(key, &[message.as_bytes()])[..], hex(expected));
        }
        // A key of just a block is not hashed.
        assert_ne!(hmac(&[1; 64], &[b""]), hmac(&sha256(&[1; 64]), &[b""]));
    }
}
