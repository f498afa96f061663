//! What the two sides agree on: RFC 7692, section 7.1.

use feedrate::{Encode, EncodeError, Output};

use super::{Deflater, Window};
use crate::handshake::{Extension, Value};
use crate::receiver::Role;

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";
const MOST: u8 = 15;

/// An offer or answer that is none: another extension, or a parameter that is unknown, there twice, or has a value that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an offer of permessage-deflate, or one with bad parameters")]
pub struct BadParams;

/// What a client offers: section 7.1. The default offers what every server can accept, and lets it choose the client's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The server is to begin each message with an empty window, which saves the client memory.
    pub server_no_context: bool,
    /// The client will begin each message with an empty window.
    pub client_no_context: bool,
    /// The server's window is to have 2 to the power of this many bytes at most: 8 to 15.
    pub server_bits: Option<u8>,
    /// The server may say how large the client's window is to be. `Some(bits)`: it will have this many at most anyway.
    pub client_bits: Option<Option<u8>>,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            server_no_context: false,
            client_no_context: false,
            server_bits: None,
            client_bits: Some(None),
        }
    }
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    ///
    /// [`BadParams`]: a server has to decline it.
    pub fn parse(extension: &Extension<'_>) -> Result<Self, BadParams> {
        if extension.name != NAME {
            return Err(BadParams);
        }
        let mut offer = Self { client_bits: None, ..Self::default() };
        for param in extension.params() {
            let twice = match (param.name, param.value) {
                (SERVER_NO_CONTEXT, None) => core::mem::replace(&mut offer.server_no_context, true),
                (CLIENT_NO_CONTEXT, None) => core::mem::replace(&mut offer.client_no_context, true),
                (SERVER_BITS, Some(value)) => offer.server_bits.replace(bits(value)?).is_some(),
                (CLIENT_BITS, None) => offer.client_bits.replace(None).is_some(),
                (CLIENT_BITS, Some(value)) => offer.client_bits.replace(Some(bits(value)?)).is_some(),
                _ => return Err(BadParams),
            };
            if twice {
                return Err(BadParams);
            }
        }
        Ok(offer)
    }

    /// Reads a server's answer to this offer.
    pub(crate) fn answered(&self, extension: &Extension<'_>) -> Result<Params, BadParams> {
        let answer = Self::parse(extension)?;
        let server_bits = answer.server_bits.unwrap_or(MOST);
        // What was asked for has to be granted, and what was not allowed must not be asked for.
        let granted = server_bits <= self.server_bits.unwrap_or(MOST)
            && (answer.server_no_context || !self.server_no_context);
        let client_bits = match (self.client_bits, answer.client_bits) {
            (Some(hint), Some(Some(bits))) => bits.min(hint.unwrap_or(MOST)),
            (hint, None) => hint.flatten().unwrap_or(MOST),
            _ => return Err(BadParams),
        };
        let params = Params {
            server_no_context: answer.server_no_context,
            client_no_context: answer.client_no_context || self.client_no_context,
            server_bits,
            client_bits,
            says_server_bits: false,
            says_client_bits: false,
            level: Config::LEVEL,
            threshold: Config::THRESHOLD,
        };
        if granted { Ok(params) } else { Err(BadParams) }
    }
}

/// Section 7.1.2: 8 to 15, without zeros before it.
fn bits(value: Value<'_>) -> Result<u8, BadParams> {
    let known = BITS.iter().find(|(text, _)| value.chars().eq(text.chars()));
    known.map(|(_, bits)| *bits).ok_or(BadParams)
}

const BITS: [(&str, u8); 8] =
    [("8", 8), ("9", 9), ("10", 10), ("11", 11), ("12", 12), ("13", 13), ("14", 14), ("15", 15)];

impl Encode for Offer {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(NAME.as_bytes())?;
        put_flag(out, SERVER_NO_CONTEXT, self.server_no_context)?;
        put_flag(out, CLIENT_NO_CONTEXT, self.client_no_context)?;
        put_bits(out, SERVER_BITS, self.server_bits)?;
        match self.client_bits {
            Some(None) => put_flag(out, CLIENT_BITS, true),
            Some(bits) => put_bits(out, CLIENT_BITS, bits),
            None => Ok(()),
        }
    }
}

fn put_flag<O: Output>(out: &mut O, name: &str, flag: bool) -> Result<(), EncodeError> {
    if !flag {
        return Ok(());
    }
    out.put(b"; ")?;
    out.put(name.as_bytes())
}

fn put_bits<O: Output>(out: &mut O, name: &str, bits: Option<u8>) -> Result<(), EncodeError> {
    let Some(bits) = bits else { return Ok(()) };
    let Some((text, _)) = BITS.iter().find(|(_, known)| *known == bits) else {
        return Err(EncodeError::Invalid { what: "window bits", expected: "8 to 15" });
    };
    put_flag(out, name, true)?;
    out.put(b"=")?;
    out.put(text.as_bytes())
}

/// What a server wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// The server begins each message with an empty window.
    pub server_no_context: bool,
    /// The client has to.
    pub client_no_context: bool,
    /// The server's window has 2 to the power of this many bytes at most: 8 to 15.
    pub server_bits: u8,
    /// So the client's, if it lets the server say so.
    pub client_bits: u8,
    /// 1, fast, to 9, small.
    pub level: u8,
    /// Messages with fewer bytes go as they are.
    pub threshold: u32,
}

impl Config {
    const LEVEL: u8 = 6;
    const THRESHOLD: u32 = 32;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_no_context: false,
            client_no_context: false,
            server_bits: MOST,
            client_bits: MOST,
            level: Self::LEVEL,
            threshold: Self::THRESHOLD,
        }
    }
}

impl Config {
    /// What is agreed on, if the client offers this.
    pub fn accept(&self, offer: &Offer) -> Params {
        Params {
            server_no_context: self.server_no_context || offer.server_no_context,
            client_no_context: self.client_no_context || offer.client_no_context,
            server_bits: in_range(self.server_bits).min(offer.server_bits.unwrap_or(MOST)),
            client_bits: match offer.client_bits {
                Some(hint) => in_range(self.client_bits).min(hint.unwrap_or(MOST)),
                None => MOST,
            },
            says_server_bits: offer.server_bits.is_some(),
            says_client_bits: offer.client_bits.is_some(),
            level: self.level,
            threshold: self.threshold,
        }
    }
}

const fn in_range(bits: u8) -> u8 {
    match bits {
        ..=8 => 8,
        MOST.. => MOST,
        bits => bits,
    }
}

/// What has been agreed on. As a server writes it into its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    server_no_context: bool,
    client_no_context: bool,
    server_bits: u8,
    client_bits: u8,
    /// The client asked for a smaller window, and the answer has to grant it: section 7.1.2.1.
    says_server_bits: bool,
    /// The client lets the server say how large its window is to be.
    says_client_bits: bool,
    level: u8,
    threshold: u32,
}

impl Params {
    /// Whether the side begins each message with an empty window.
    pub const fn no_context(&self, side: Role) -> bool {
        match side {
            Role::Server => self.server_no_context,
            Role::Client => self.client_no_context,
        }
    }

    /// The side's window has 2 to the power of this many bytes at most.
    pub const fn window_bits(&self, side: Role) -> u8 {
        match side {
            Role::Server => self.server_bits,
            Role::Client => self.client_bits,
        }
    }

    /// Compresses at this level: 1, fast, to 9, small. 6, if this is not called and the [`Config`] does not say otherwise.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// Does not compress messages of fewer bytes.
    #[must_use]
    pub const fn threshold(mut self, bytes: u32) -> Self {
        self.threshold = bytes;
        self
    }

    /// Bytes of heap that a side takes, once it has received a compressed message and sent one: on a computer of 64 bits, without what is held of the messages.
    pub fn memory(&self, side: Role) -> usize {
        const DECOMPRESS: usize = 47_680;
        const COMPRESS: usize = 249_120;
        let bits = zlib_bits(self.window_bits(side));
        // A window twice as long, and for each byte in it where its like has been.
        DECOMPRESS.saturating_add(COMPRESS).saturating_add(4 << bits)
    }

    /// For what the other side compresses.
    pub(crate) fn window(&self, side: Role) -> Window {
        let peer = match side {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        Window::new(zlib_bits(self.window_bits(peer)), self.no_context(peer))
    }

    /// For what this side sends.
    pub(crate) fn deflater(&self, side: Role) -> Deflater {
        let level = self.level.clamp(1, 9);
        Deflater::new(zlib_bits(self.window_bits(side)), level, self.no_context(side), self.threshold)
    }
}

/// A window of 256 bytes is zlib's of 512: it refers to nothing that is farther back than 250 bytes, as it keeps 262 for itself.
const fn zlib_bits(bits: u8) -> u8 {
    if bits < 9 { 9 } else { bits }
}

impl Encode for Params {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(NAME.as_bytes())?;
        put_flag(out, SERVER_NO_CONTEXT, self.server_no_context)?;
        put_flag(out, CLIENT_NO_CONTEXT, self.client_no_context)?;
        let server = self.says_server_bits || self.server_bits < MOST;
        put_bits(out, SERVER_BITS, server.then_some(self.server_bits))?;
        let client = self.says_client_bits && self.client_bits < MOST;
        put_bits(out, CLIENT_BITS, client.then_some(self.client_bits))
    }
}
