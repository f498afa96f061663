//! What a server keeps instead of a password: SCRAM's verifier.

use core::fmt;

use zeroize::Zeroize;

use super::attributes;
use super::base64;
use super::buffer::Buffer;
use super::credentials::ClientKeys;
use super::scram::{self, KEY, Pbkdf2, Salt};

const NAME: &[u8] = b"SCRAM-SHA-256$";

/// SCRAM's verifier: what `pg_authid.rolpassword` has, and a server keeps instead of a password.
///
/// ```
/// use feedrate_pg::auth::{Salt, Verifier};
///
/// let salt = Salt::new(&[1; 16]).unwrap(); // 16 random bytes
/// let verifier = Verifier::hash(b"open sesame", salt, 4096);
///
/// let text = verifier.to_string();
/// assert!(text.starts_with("SCRAM-SHA-256$4096:AQEBAQEBAQEBAQEBAQEBAQ==$"));
/// assert_eq!(Verifier::parse(text.as_bytes())?, verifier);
/// # Ok::<(), feedrate_pg::auth::BadVerifier>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Salt,
    pub(super) stored_key: [u8; KEY],
    pub(super) server_key: [u8; KEY],
    /// Whether there is a user with a password: if not, nothing is ever right.
    pub(super) known: bool,
}

impl Verifier {
    /// PostgreSQL's default, and RFC 7677's least.
    pub const ITERATIONS: u32 = 4096;

    /// Hashes a password at once. [`Derivation`] does so in slices.
    pub fn hash(password: &[u8], salt: Salt, iterations: u32) -> Self {
        Derivation::new(password, salt, iterations).finish()
    }

    /// For a user whom nobody knows: a challenge like others', the same each time, and no right answer.
    ///
    /// `secret` is the server's own, at least 16 random bytes that stay the same, or a change of salt would tell.
    /// `iterations` are those that known users have.
    ///
    /// ```
    /// # use feedrate_pg::auth::Verifier;
    /// let (once, again) = (Verifier::unknown(b"secret", b"eve", 4096), Verifier::unknown(b"secret", b"eve", 4096));
    /// assert_eq!(once.salt(), again.salt());
    /// assert_ne!(once.salt(), Verifier::unknown(b"secret", b"mallory", 4096).salt());
    /// ```
    pub fn unknown(secret: &[u8], user: &[u8], iterations: u32) -> Self {
        let [salt @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            scram::hmac(secret, &[b"salt of ", user]);
        Self {
            iterations: iterations.max(1),
            salt: Salt::of_16(salt),
            stored_key: [0; KEY],
            // What is signed with it is never sent.
            server_key: [0; KEY],
            known: false,
        }
    }

    /// Reads `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
    ///
    /// # Errors
    ///
    /// [`BadVerifier`].
    pub fn parse(text: &[u8]) -> Result<Self, BadVerifier> {
        let rest = text.strip_prefix(NAME).ok_or(BadVerifier::Name)?;
        let mut halves = rest.split(|&byte| byte == b'$');
        let (hashing, keys, more) = (halves.next(), halves.next(), halves.next());
        let (iterations, salt) = hashing.and_then(pair).ok_or(BadVerifier::Shape)?;
        let (stored, server) = keys.and_then(pair).filter(|_| more.is_none()).ok_or(BadVerifier::Shape)?;
        let iterations = attributes::count(iterations).filter(|count| i32::try_from(*count).is_ok());
        let mut memory = [0; 64];
        Ok(Self {
            iterations: iterations.ok_or(BadVerifier::Iterations)?,
            salt: base64::decode(salt, &mut memory).and_then(Salt::new).ok_or(BadVerifier::Salt)?,
            stored_key: base64::decode_key(stored).ok_or(BadVerifier::Key)?,
            server_key: base64::decode_key(server).ok_or(BadVerifier::Key)?,
            known: true,
        })
    }

    /// How often the password is hashed.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// What the password is hashed with.
    pub const fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The keys to log in elsewhere with, where a server has this same verifier. `None` if `client_key` is not that of
    /// this verifier.
    ///
    /// [`Login::client_key`](super::Login::client_key) is where a pooler has the key from.
    pub fn keys(&self, client_key: [u8; KEY]) -> Option<ClientKeys> {
        let Self { iterations, salt, server_key, .. } = *self;
        self.matches(&client_key).then_some(ClientKeys { client_key, server_key, salt, iterations })
    }

    /// Whether this is that of the same password.
    pub(super) fn is_of(&self, made: &Self) -> bool {
        scram::same(&self.stored_key, &made.stored_key) & self.known
    }

    /// Whether this is the `ClientKey` that the verifier was made of.
    pub(super) fn matches(&self, client_key: &[u8; KEY]) -> bool {
        scram::same(&scram::sha256(client_key), &self.stored_key) & self.known
    }
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    let (first, second) = text.split_at_checked(colon)?;
    Some((first, second.get(1..)?))
}

/// In constant time.
impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        let keys = scram::same(&self.stored_key, &other.stored_key)
            & scram::same(&self.server_key, &other.server_key);
        (self.iterations == other.iterations && self.salt == other.salt) & keys & (self.known == other.known)
    }
}

impl Eq for Verifier {}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

/// As it is stored: this shows the keys.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base64 = |bytes: &[u8], f: &mut fmt::Formatter<'_>| {
            let mut text = Buffer::<88>::new();
            base64::encode(bytes, &mut text).map_err(|_| fmt::Error)?;
            f.write_str(core::str::from_utf8(text.as_bytes()).map_err(|_| fmt::Error)?)
        };
        write!(f, "SCRAM-SHA-256${}:", self.iterations)?;
        base64(self.salt.as_bytes(), f)?;
        f.write_str("$")?;
        base64(&self.stored_key, f)?;
        f.write_str(":")?;
        base64(&self.server_key, f)
    }
}

/// Hides the keys, and whether the user is known.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("iterations", &self.iterations)
            .field("salt", &self.salt)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Verifier`] of a password, in slices.
///
/// ```
/// use feedrate_pg::auth::{Derivation, Salt, Verifier};
///
/// let salt = Salt::new(&[1; 16]).unwrap();
/// let mut derivation = Derivation::new(b"open sesame", salt, 4096);
/// while !derivation.work(1000) {
///     // an event loop serves others here
/// }
/// assert_eq!(derivation.finish(), Verifier::hash(b"open sesame", salt, 4096));
/// ```
#[derive(Clone)]
pub struct Derivation {
    salt: Salt,
    iterations: u32,
    work: Pbkdf2,
}

impl Derivation {
    /// Hashes the password (after [`saslprep`](super::saslprep)) `iterations` times; 0 counts as 1.
    pub fn new(password: &[u8], salt: Salt, iterations: u32) -> Self {
        let iterations = iterations.max(1);
        Self { salt, iterations, work: Pbkdf2::new(password, salt.as_bytes(), iterations) }
    }

    /// Does at most this many iterations more. Whether none are left.
    pub fn work(&mut self, iterations: u32) -> bool {
        self.work.work(iterations)
    }

    /// How many iterations are left.
    pub const fn left(&self) -> u32 {
        self.work.left()
    }

    /// The verifier. What is left to do is done first.
    pub fn finish(mut self) -> Verifier {
        self.work.work(u32::MAX);
        let (mut client_key, server_key) = self.work.keys();
        let stored_key = scram::sha256(&client_key);
        client_key.zeroize();
        Verifier { iterations: self.iterations, salt: self.salt, stored_key, server_key, known: true }
    }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derivation").field("left", &self.left()).finish_non_exhaustive()
    }
}

/// Why a text is no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadVerifier {
    /// It is of another kind.
    #[error("expected a verifier that begins with SCRAM-SHA-256$, or md5")]
    Name,
    /// It has not the parts that it needs.
    #[error("expected SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey")]
    Shape,
    /// The count of iterations.
    #[error("expected a count of iterations from 1 to 2147483647")]
    Iterations,
    /// The salt.
    #[error("expected a salt of 1 to 64 bytes, in Base64")]
    Salt,
    /// One of the keys.
    #[error("expected a StoredKey and a ServerKey of 32 bytes, in Base64")]
    Key,
    /// The hash of `md5`.
    #[error("expected md5 and 32 hexadecimal digits")]
    Md5,
}
