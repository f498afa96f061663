//! A client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), as short as can be.

use sha2::{Digest, Sha256};

pub(crate) struct Scram {
    header: &'static str,
    binding: Vec<u8>,
    nonce: String,
}

impl Scram {
    pub(crate) fn new(end_point: Option<&[u8]>) -> Self {
        // Unique is enough for a test.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
        let header = if end_point.is_some() { "p=tls-server-end-point,," } else { "n,," };
        let binding = [header.as_bytes(), end_point.unwrap_or_default()].concat();
        Self { header, binding, nonce: format!("test{}", now.as_nanos()) }
    }

    pub(crate) fn first(&self) -> String {
        format!("{}n=,r={}", self.header, self.nonce)
    }

    pub(crate) fn last(&self, password: &str, challenge: &str) -> Option<String> {
        let mut fields = challenge.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = decode(fields.next()?.strip_prefix("s=")?)?;
        let iterations: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let mut block = hmac(password.as_bytes(), &[&salt[..], &[0, 0, 0, 1]].concat());
        let mut salted = block;
        for _ in 1..iterations {
            block = hmac(password.as_bytes(), &block);
            salted.iter_mut().zip(block).for_each(|(to, from)| *to ^= from);
        }
        let client_key = hmac(&salted, b"Client Key");
        let stored_key = Sha256::digest(client_key);
        let without_proof = format!("c={},r={nonce}", encode(&self.binding));
        let message = format!("n=,r={},{challenge},{without_proof}", self.nonce);
        let mut proof = hmac(&stored_key, message.as_bytes());
        proof.iter_mut().zip(client_key).for_each(|(to, from)| *to ^= from);
        Some(format!("{without_proof},p={}", encode(&proof)))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let value =
            chunk.iter().enumerate().fold(0, |value, (n, byte)| value | u32::from(*byte) << (16 - 8 * n));
        for n in 0..4 {
            let digit = DIGITS[(value >> (18 - 6 * n)) as usize & 63];
            out.push(if n <= chunk.len() { digit.into() } else { '=' });
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut value, mut bits, mut out) = (0_u32, 0, Vec::new());
    for digit in text.trim_end_matches('=').bytes() {
        value = value << 6 | u32::try_from(DIGITS.iter().position(|its| *its == digit)?).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits) as u8);
        }
    }
    Some(out)
}
