//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's half.

use feedrate::{Encode, EncodeError, Output};
use zeroize::Zeroize;

use super::super::attributes::{self, Attributes, Malformed};
use super::super::base64;
use super::super::buffer::{Buffer, Full};
use super::super::credentials::{ClientKeys, Credentials};
use super::super::error::{AuthError, ServerError};
use super::super::policy::{Method, Policy};
use super::super::sasl::Response;
use super::super::scram::{self, KEY, Pbkdf2, Salt};

/// The longest server-first-message that is kept. PostgreSQL's have 84 bytes and the digits of the count.
const LONGEST: usize = 256;
/// The longest hash of a certificate: SHA-512's.
pub(in crate::auth) const LONGEST_HASH: usize = 64;

const PLUS: &str = "SCRAM-SHA-256-PLUS";
const PLAIN: &str = "SCRAM-SHA-256";
const FIRST: &str = "server-first-message";
const FINAL: &str = "server-final-message";

/// What the client tells of channel binding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound<'a> {
    /// It cannot.
    No,
    /// It could, and the server does not offer it.
    NotOffered,
    /// With this hash of the server's certificate.
    EndPoint(&'a [u8]),
}

impl<'a> Bound<'a> {
    const fn header(self) -> &'static [u8] {
        match self {
            Self::No => b"n,,",
            Self::NotOffered => b"y,,",
            Self::EndPoint(_) => b"p=tls-server-end-point,,",
        }
    }

    const fn hash(self) -> &'a [u8] {
        match self {
            Self::EndPoint(hash) => hash,
            Self::No | Self::NotOffered => &[],
        }
    }
}

/// One exchange.
pub(super) struct Scram<'a> {
    pub(super) bound: Bound<'a>,
    /// In Base64.
    nonce: Buffer<24>,
    server_first: Buffer<LONGEST>,
    /// Bytes of the whole nonce, which begins at byte 2 of `server_first`.
    nonce_length: usize,
    secret: Secret,
}

enum Secret {
    /// The challenge has not come.
    Unknown,
    Password(Pbkdf2),
    Keys(ClientKeys),
    /// What the server has to send.
    Signature([u8; KEY]),
}

impl Drop for Secret {
    fn drop(&mut self) {
        if let Self::Signature(signature) = self {
            signature.zeroize();
        }
    }
}

impl<'a> Scram<'a> {
    pub(super) fn new(random: &[u8; 18]) -> Self {
        let mut nonce = Buffer::new();
        // 18 bytes make 24.
        let _ = base64::encode(random, &mut nonce);
        Self {
            bound: Bound::No,
            nonce,
            server_first: Buffer::new(),
            nonce_length: 0,
            secret: Secret::Unknown,
        }
    }

    pub(super) const fn is_bound(&self) -> bool {
        matches!(self.bound, Bound::EndPoint(_))
    }

    /// client-first-message. PostgreSQL knows the user from the StartupMessage.
    pub(super) fn first(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        let mechanism = Some(if self.is_bound() { PLUS } else { PLAIN });
        let pieces = &[self.bound.header(), b"n=,r=", self.nonce.as_bytes()];
        Response { mechanism, pieces }.encode(out).map(|_| ())
    }

    /// Takes server-first-message.
    pub(super) fn challenge(
        &mut self,
        message: &[u8],
        credentials: &Credentials<'_>,
        policy: &Policy,
    ) -> Result<(), AuthError> {
        let too_long = |_: Full| AuthError::TooLong { message: FIRST, size: message.len(), limit: LONGEST };
        self.server_first.push(message).map_err(too_long)?;
        let (nonce, salt, asked) = first_message(message).map_err(|bad| malformed(FIRST, bad))?;
        if nonce.strip_prefix(self.nonce.as_bytes()).is_none_or(<[u8]>::is_empty) {
            return Err(AuthError::Nonce);
        }
        self.nonce_length = nonce.len();
        let (min, max) = (policy.min_iterations, policy.max_iterations);
        if asked < min || asked > max {
            return Err(AuthError::Iterations { asked, min, max });
        }
        self.secret = match (&credentials.keys, credentials.password) {
            (Some(keys), _) if keys.salt != salt => return Err(AuthError::OtherSalt),
            (Some(keys), _) if keys.iterations != asked => {
                return Err(AuthError::OtherIterations { asked, keys: keys.iterations });
            }
            (Some(keys), _) => Secret::Keys(keys.clone()),
            (None, Some(password)) => Secret::Password(Pbkdf2::new(password, salt.as_bytes(), asked)),
            (None, None) => return Err(AuthError::Missing { method: Method::Scram, missing: "password" }),
        };
        Ok(())
    }

    pub(super) fn work(&mut self, iterations: u32) -> bool {
        match &mut self.secret {
            Secret::Password(work) => work.work(iterations),
            Secret::Unknown | Secret::Keys(_) | Secret::Signature(_) => true,
        }
    }

    pub(super) const fn left(&self) -> u32 {
        match &self.secret {
            Secret::Password(work) => work.left(),
            Secret::Unknown | Secret::Keys(_) | Secret::Signature(_) => 0,
        }
    }

    /// client-final-message. Whatever is left to compute is computed first.
    pub(super) fn proof(&mut self, out: &mut impl Output) -> Result<(), EncodeError> {
        self.work(u32::MAX);
        let (mut client_key, mut server_key) = match &self.secret {
            Secret::Password(work) => work.keys(),
            Secret::Keys(keys) => (keys.client_key, keys.server_key),
            Secret::Unknown | Secret::Signature(_) => return Ok(()),
        };
        let (header, hash) = (self.bound.header(), self.bound.hash());
        // They cannot be full: the longest header, and LONGEST_HASH bytes, make 120 in Base64.
        let mut binding = Buffer::<{ 24 + LONGEST_HASH }>::new();
        let mut text = Buffer::<120>::new();
        let _ = binding.push(header).and_then(|()| binding.push(hash));
        let _ = base64::encode(binding.as_bytes(), &mut text);
        let nonce = self.server_first.as_bytes().get(2..).and_then(|nonce| nonce.get(..self.nonce_length));
        let nonce = nonce.unwrap_or_default();

        let message: [&[u8]; 8] = [
            b"n=,r=",
            self.nonce.as_bytes(),
            b",",
            self.server_first.as_bytes(),
            b",c=",
            text.as_bytes(),
            b",r=",
            nonce,
        ];
        let mut proof = scram::xor(&client_key, &scram::hmac(&scram::sha256(&client_key), &message));
        let mut proof_text = Buffer::<44>::new();
        let _ = base64::encode(&proof, &mut proof_text);
        let pieces = &[b"c=", text.as_bytes(), b",r=", nonce, b",p=", proof_text.as_bytes()];
        let written = Response { mechanism: None, pieces }.encode(out);
        if written.is_ok() {
            self.secret = Secret::Signature(scram::hmac(&server_key, &message));
        }
        client_key.zeroize();
        server_key.zeroize();
        proof.zeroize();
        written.map(|_| ())
    }

    /// Takes server-final-message.
    pub(super) fn verify(&self, message: &[u8]) -> Result<(), AuthError> {
        let signature =
            final_message(message).map_err(|bad| malformed(FINAL, bad))?.map_err(AuthError::Server)?;
        match &self.secret {
            Secret::Signature(expected) if scram::same(expected, &signature) => Ok(()),
            _ => Err(AuthError::ServerSignature),
        }
    }
}

/// The nonce, the salt and the iterations.
fn first_message(message: &[u8]) -> Result<(&[u8], Salt, u32), Malformed> {
    let mut attributes = Attributes::new(message);
    let value = attributes.clone();
    let nonce = attributes.value("r=")?;
    if !attributes::is_nonce(nonce) {
        return Err(value.malformed("a nonce of printable characters"));
    }
    attributes.comma()?;
    let value = attributes.clone();
    let mut memory = [0; 64];
    let salt = base64::decode(attributes.value("s=")?, &mut memory).and_then(Salt::new);
    let salt = salt.ok_or(value.malformed("a salt of 1 to 64 bytes, in Base64"))?;
    attributes.comma()?;
    let value = attributes.clone();
    let iterations = attributes::count(attributes.value("i=")?);
    let iterations = iterations.ok_or(value.malformed("a count of iterations"))?;
    attributes.end()?;
    Ok((nonce, salt, iterations))
}

/// The signature, or the error.
fn final_message(message: &[u8]) -> Result<Result<[u8; KEY], ServerError>, Malformed> {
    let mut attributes = Attributes::new(message);
    if message.starts_with(b"e=") {
        let error = ServerError::parse(attributes.value("e=")?);
        attributes.end()?;
        return Ok(Err(error));
    }
    let value = attributes.clone();
    let signature = base64::decode_key(attributes.value("v=")?);
    let signature = signature.ok_or(value.malformed("a signature of 32 bytes, in Base64"))?;
    attributes.end()?;
    Ok(Ok(signature))
}

const fn malformed(message: &'static str, Malformed { at, expected }: Malformed) -> AuthError {
    AuthError::Malformed { message, at, expected }
}
