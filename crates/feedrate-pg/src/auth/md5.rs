//! The method `md5`, which is only for peers that have no better.

use core::fmt;

use feedrate::pg::Secret;
use md5::{Digest, Md5};
use zeroize::Zeroize;

use super::verifier::BadVerifier;

/// What a server keeps for the method `md5`: the hash of password and user.
///
/// ```
/// use feedrate_pg::auth::Md5Verifier;
///
/// let verifier = Md5Verifier::hash(b"open sesame", b"alice");
/// assert_eq!(verifier.to_string(), "md55c4bd1fc7c08bae8e7a4ea7c3aa923ba");
/// assert_eq!(Md5Verifier::parse(verifier.to_string().as_bytes())?, verifier);
/// # Ok::<(), feedrate_pg::auth::BadVerifier>(())
/// ```
#[derive(Clone)]
pub struct Md5Verifier {
    /// In hexadecimal, small letters: what is hashed again.
    pub(super) digits: [u8; 32],
    /// Whether there is such a user.
    pub(super) known: bool,
}

impl Md5Verifier {
    /// Hashes a password.
    pub fn hash(password: &[u8], user: &[u8]) -> Self {
        Self { digits: hex_md5(&[password, user]), known: true }
    }

    /// For a user whom nobody knows: there is no right answer.
    pub const fn unknown() -> Self {
        Self { digits: [b'0'; 32], known: false }
    }

    /// Reads `md5` and 32 digits.
    ///
    /// # Errors
    ///
    /// [`BadVerifier`].
    pub fn parse(text: &[u8]) -> Result<Self, BadVerifier> {
        let digits = text.strip_prefix(b"md5").ok_or(BadVerifier::Name)?;
        let hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
        let mut digits: [u8; 32] = digits.try_into().ok().filter(|_| hexadecimal).ok_or(BadVerifier::Md5)?;
        digits.make_ascii_lowercase();
        Ok(Self { digits, known: true })
    }

    /// Whether a client that sends this knows the password.
    pub(super) fn accepts(&self, sent: &[u8], salt: [u8; 4]) -> bool {
        (Secret::from(sent) == Secret::from(&self.response(salt))) & self.known
    }

    /// `md5` and 32 digits: what a client sends.
    pub(super) fn response(&self, salt: [u8; 4]) -> [u8; 35] {
        with_name(&hex_md5(&[&self.digits, &salt]))
    }
}

fn with_name(digits: &[u8; 32]) -> [u8; 35] {
    let mut text = [0; 35];
    for (to, from) in text.iter_mut().zip(b"md5".iter().chain(digits)) {
        *to = *from;
    }
    text
}

/// The hexadecimal MD5 of all `parts`.
fn hex_md5(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    let mut hex = [0; 32];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hash.finalize()) {
        for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            // Not from a table: the time does not depend on the digit.
            let letter = u8::from(value > 9);
            *digit = value.wrapping_add(b'0').wrapping_add(letter.wrapping_mul(b'a' - b'0' - 10));
        }
    }
    hex
}

/// In constant time.
impl PartialEq for Md5Verifier {
    fn eq(&self, other: &Self) -> bool {
        (Secret::from(&self.digits) == Secret::from(&other.digits)) & (self.known == other.known)
    }
}

impl Eq for Md5Verifier {}

impl Drop for Md5Verifier {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

/// As it is stored: this shows the hash.
impl fmt::Display for Md5Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&with_name(&self.digits)).map_err(|_| fmt::Error)?)
    }
}

/// Hides the hash, and whether the user is known.
impl fmt::Debug for Md5Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Md5Verifier").finish_non_exhaustive()
    }
}
