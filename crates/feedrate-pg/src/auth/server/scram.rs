//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's half.

use feedrate::pg::Secret;
use zeroize::Zeroize;

use super::super::attributes::{self, Attributes, Malformed};
use super::super::base64;
use super::super::buffer::Buffer;
use super::super::client::{ChannelBinding, LONGEST_HASH};
use super::super::scram::{self, KEY};
use super::super::verifier::Verifier;
use super::refusal::Refusal;

/// The longest client-first-message that is kept, without its header. libpq's have 29 bytes.
const LONGEST: usize = 256;
/// Bytes of the server's part of the nonce, in Base64.
const NONCE: usize = 24;
/// Room for server-first-message.
const CHALLENGE: usize = 2 + LONGEST + NONCE + 3 + 88 + 3 + 10;

const FIRST: &str = "client-first-message";
const FINAL: &str = "client-final-message";

/// One exchange.
pub(super) struct Scram<'a> {
    verifier: Verifier,
    binding: ChannelBinding<'a>,
    /// What the client has said of channel binding: client-first-message's header.
    header: &'static [u8],
    client_first_bare: Buffer<LONGEST>,
    /// server-first-message.
    challenge: Buffer<CHALLENGE>,
    /// Bytes of both nonces, which begin at byte 2 of `challenge`.
    nonce_length: usize,
    /// The server's part of the nonce.
    nonce: [u8; 18],
    /// Whether the client chose SCRAM-SHA-256-PLUS.
    pub(super) plus: bool,
    pub(super) client_key: [u8; KEY],
}

impl Drop for Scram<'_> {
    fn drop(&mut self) {
        self.nonce.zeroize();
        self.client_key.zeroize();
    }
}

impl<'a> Scram<'a> {
    pub(super) const fn new(verifier: Verifier, binding: ChannelBinding<'a>, nonce: [u8; 18]) -> Self {
        Self {
            verifier,
            binding,
            header: b"",
            client_first_bare: Buffer::new(),
            challenge: Buffer::new(),
            nonce_length: 0,
            nonce,
            plus: false,
            client_key: [0; KEY],
        }
    }

    /// Whether SCRAM-SHA-256-PLUS is offered.
    pub(super) fn offers_plus(&self) -> bool {
        self.hash().is_some()
    }

    fn hash(&self) -> Option<&'a [u8]> {
        match self.binding {
            ChannelBinding::EndPoint(hash) if hash.len() <= LONGEST_HASH => Some(hash),
            _ => None,
        }
    }

    /// Takes client-first-message, after which [`challenge`](Self::challenge) is there.
    pub(super) fn first(&mut self, message: &[u8]) -> Result<(), Refusal> {
        let (header, bare) = self.read_header(message)?;
        self.header = header;
        let too_long = Refusal::TooLong { message: FIRST, size: message.len(), limit: LONGEST };
        self.client_first_bare.push(bare).map_err(|_| too_long)?;
        let at_bare = message.len().saturating_sub(bare.len());
        let client_nonce = first_bare(bare).map_err(|bad| malformed(FIRST, at_bare, bad))?;

        let mut parts = || {
            self.challenge.push(b"r=")?;
            self.challenge.push(client_nonce)?;
            base64::encode(&self.nonce, &mut self.challenge)?;
            self.nonce_length = self.challenge.as_bytes().len().saturating_sub(2);
            self.challenge.push(b",s=")?;
            base64::encode(self.verifier.salt.as_bytes(), &mut self.challenge)?;
            self.challenge.push(b",i=")?;
            let mut digits = [0; 10];
            self.challenge.push(decimal(self.verifier.iterations, &mut digits))
        };
        parts().map_err(|_| too_long)
    }

    /// The header, which says whether the exchange is bound, and the rest of the message.
    fn read_header<'m>(&self, message: &'m [u8]) -> Result<(&'static [u8], &'m [u8]), Refusal> {
        const HEADERS: [&[u8]; 3] = [b"n,,", b"y,,", b"p=tls-server-end-point,,"];
        let found = HEADERS.into_iter().find_map(|header| Some((header, message.strip_prefix(header)?)));
        let Some((header, bare)) = found else {
            let expected = match message {
                [b'n' | b'y', b',', ..] => "no authorization identity",
                [b'p', b'=', ..] => {
                    "channel binding of the type tls-server-end-point, no authorization identity"
                }
                _ => "n, y, or p=tls-server-end-point",
            };
            return Err(malformed(FIRST, 0, Malformed { at: 0, expected }));
        };
        match (header.first(), self.plus) {
            (Some(b'p'), true) | (Some(b'n'), false) => Ok((header, bare)),
            (Some(b'p'), false) => {
                Err(Refusal::Binding { why: "the client binds SCRAM-SHA-256 to the channel" })
            }
            (_, true) => {
                Err(Refusal::Binding { why: "the client chose SCRAM-SHA-256-PLUS, and does not bind" })
            }
            // Somebody has taken PLUS out of the offer.
            _ if self.offers_plus() => {
                Err(Refusal::Binding { why: "the client could bind, and thinks that the server cannot" })
            }
            _ => Ok((header, bare)),
        }
    }

    pub(super) fn challenge(&self) -> &[u8] {
        self.challenge.as_bytes()
    }

    /// Takes client-final-message, and returns the server's signature.
    pub(super) fn proof(&mut self, message: &[u8]) -> Result<[u8; KEY], Refusal> {
        let parts = final_parts(message).map_err(|bad| malformed(FINAL, 0, bad))?;
        let mut binding = Buffer::<{ 24 + LONGEST_HASH }>::new();
        let mut text = Buffer::<120>::new();
        // They have room for the longest.
        let hash = if self.header.starts_with(b"p") { self.hash().unwrap_or_default() } else { b"" };
        let _ = binding.push(self.header).and_then(|()| binding.push(hash));
        let _ = base64::encode(binding.as_bytes(), &mut text);
        if Secret::from(parts.binding) != Secret::from(text.as_bytes()) {
            return Err(Refusal::Binding {
                why: "the client is bound to another channel: somebody is between",
            });
        }
        let nonce = self.challenge().get(2..).and_then(|nonce| nonce.get(..self.nonce_length));
        if Some(parts.nonce) != nonce {
            return Err(Refusal::Nonce);
        }
        let message: [&[u8]; 5] =
            [self.client_first_bare.as_bytes(), b",", self.challenge.as_bytes(), b",", parts.without_proof];
        let client_key = scram::xor(&parts.proof, &scram::hmac(&self.verifier.stored_key, &message));
        let signature = scram::hmac(&self.verifier.server_key, &message);
        // The last that is looked at, and all has been computed: it takes as long whatever is wrong.
        if !self.verifier.matches(&client_key) {
            return Err(Refusal::Denied);
        }
        self.client_key = client_key;
        Ok(signature)
    }
}

/// The nonce of client-first-message-bare.
fn first_bare(message: &[u8]) -> Result<&[u8], Malformed> {
    let mut attributes = Attributes::new(message);
    // PostgreSQL knows the user from the StartupMessage, and libpq leaves it empty.
    attributes.value_or_none("n=")?;
    attributes.comma()?;
    let value = attributes.clone();
    let nonce = attributes.value("r=")?;
    if !attributes::is_nonce(nonce) {
        return Err(value.malformed("a nonce of printable characters"));
    }
    attributes.end()?;
    Ok(nonce)
}

struct FinalParts<'m> {
    binding: &'m [u8],
    nonce: &'m [u8],
    without_proof: &'m [u8],
    proof: [u8; KEY],
}

fn final_parts(message: &[u8]) -> Result<FinalParts<'_>, Malformed> {
    let mut attributes = Attributes::new(message);
    let binding = attributes.value("c=")?;
    attributes.comma()?;
    let nonce = attributes.value("r=")?;
    loop {
        let without_proof = attributes.before(message);
        attributes.comma()?;
        let value = attributes.clone();
        if !attributes.comes("p=") {
            attributes.extension()?;
            continue;
        }
        let proof = base64::decode_key(attributes.value("p=")?);
        let proof = proof.ok_or(value.malformed("a proof of 32 bytes, in Base64"))?;
        if !attributes.is_empty() {
            return Err(attributes.malformed("the end of the message"));
        }
        return Ok(FinalParts { binding, nonce, without_proof, proof });
    }
}

fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

fn malformed(message: &'static str, base: usize, Malformed { at, expected }: Malformed) -> Refusal {
    Refusal::Malformed { message, at: base.saturating_add(at), expected }
}
