//! SCRAM-SHA-256's arithmetic (RFC 5802, RFC 7677), and PBKDF2 that works in slices.

use core::fmt;

use feedrate::pg::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

#[cfg(feature = "saslprep")]
use super::saslprep::saslprep as prepare;

/// Bytes of a key, a proof, a signature.
pub(super) const KEY: usize = 32;
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
    Sha256::digest(data).into()
}

/// HMAC-SHA-256.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY] {
    let mut mac = mac_of(|piece| piece(key));
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(super) fn xor(a: &[u8; KEY], b: &[u8; KEY]) -> [u8; KEY] {
    let mut result = *a;
    for (to, from) in result.iter_mut().zip(b) {
        *to ^= from;
    }
    result
}

/// An HMAC whose key comes in pieces.
fn mac_of(pieces: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Hmac<Sha256> {
    let mut block = [0; 64];
    let mut length = 0_usize;
    let mut hash = Sha256::new();
    pieces(&mut |piece| {
        hash.update(piece);
        for (to, from) in block.iter_mut().skip(length).zip(piece) {
            *to = *from;
        }
        length = length.saturating_add(piece.len());
    });
    if length > block.len() {
        block = [0; 64];
        for (to, from) in block.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
    }
    let mac = Hmac::new(&block.into());
    block.zeroize();
    mac
}

/// PBKDF2 with HMAC-SHA-256, of one block: `SaltedPassword` of SCRAM. It does as many iterations at a time as it is
/// asked to.
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    /// Knows the password: each iteration is two compressions.
    mac: Hmac<Sha256>,
    last: [u8; KEY],
    sum: [u8; KEY],
    left: u32,
}

impl Pbkdf2 {
    /// Does the first iteration of `iterations`, which are at least one.
    pub(super) fn new(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let mac = mac_of(|piece| {
            let _ = prepare(password, piece);
        });
        let mut first = mac.clone();
        first.update(salt);
        first.update(&1_u32.to_be_bytes());
        let last = first.finalize().into_bytes().into();
        Self { mac, last, sum: last, left: iterations.saturating_sub(1) }
    }

    /// At most this many `iterations` more. Whether none are left.
    pub(super) fn work(&mut self, iterations: u32) -> bool {
        let now = iterations.min(self.left);
        for _ in 0..now {
            let mut mac = self.mac.clone();
            mac.update(&self.last);
            self.last = mac.finalize().into_bytes().into();
            for (to, from) in self.sum.iter_mut().zip(self.last) {
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
        self.last.zeroize();
        self.sum.zeroize();
    }
}

/// Without SASLprep passwords stay as they are.
#[cfg(not(feature = "saslprep"))]
fn prepare(password: &[u8], mut piece: impl FnMut(&[u8])) -> bool {
    piece(password);
    false
}
