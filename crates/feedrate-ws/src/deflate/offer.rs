//! A client's offer: RFC 7692, section 7.1.

use feedrate::{Encode, EncodeError, Output};

use super::params::{
    BITS, CLIENT_BITS, CLIENT_NO_CONTEXT, LEVEL, MOST, NAME, Params, SERVER_BITS, SERVER_NO_CONTEXT,
    THRESHOLD, put_bits, put_flag,
};
use crate::handshake::{Extension, Value};

/// An extension that is not a valid offer or answer of permessage-deflate: it has another name, or a parameter that is
/// unknown, repeated, or has an invalid value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error(
    "extension, expected permessage-deflate with each of its parameters once at most, and 8 to 15 window bits"
)]
pub struct BadParams;

/// A client's offer of compression. Every server can accept the default; it lets the server choose the client's window.
///
/// ```
/// use feedrate::Encode;
/// use feedrate_ws::deflate::Offer;
///
/// let mut header = Vec::new();
/// Offer::new().server_no_context(true).client_bits(Some(Some(10))).encode(&mut header)?;
/// assert_eq!(header, b"permessage-deflate; server_no_context_takeover; client_max_window_bits=10");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Offer {
    /// The server has to begin each message with an empty window, which saves the client memory.
    pub server_no_context: bool,
    /// The client will begin each message with an empty window.
    pub client_no_context: bool,
    /// The largest window that the server may use, as an exponent of two: 8 (256 bytes) to 15 (32 KiB).
    pub server_bits: Option<u8>,
    /// The server may choose the size of the client's window. `Some(bits)`: it will not exceed this exponent anyway.
    pub client_bits: Option<Option<u8>>,
}

impl Default for Offer {
    fn default() -> Self {
        Self::new()
    }
}

impl Offer {
    /// The [default](Self).
    pub const fn new() -> Self {
        Self {
            server_no_context: false,
            client_no_context: false,
            server_bits: None,
            client_bits: Some(None),
        }
    }

    /// Sets whether the server has to begin each message with an empty window, which saves the client memory.
    #[must_use]
    pub const fn server_no_context(mut self, wanted: bool) -> Self {
        self.server_no_context = wanted;
        self
    }

    /// Sets whether the client will begin each message with an empty window.
    #[must_use]
    pub const fn client_no_context(mut self, promised: bool) -> Self {
        self.client_no_context = promised;
        self
    }

    /// Sets the largest window that the server may use, as an exponent of two: 8 to 15. `None`: any.
    #[must_use]
    pub const fn server_bits(mut self, bits: Option<u8>) -> Self {
        self.server_bits = bits;
        self
    }

    /// `Some`: the server may choose the size of the client's window; `Some(Some(bits))`: which will not exceed this
    /// exponent anyway. `None`: the server may not choose.
    #[must_use]
    pub const fn client_bits(mut self, bits: Option<Option<u8>>) -> Self {
        self.client_bits = bits;
        self
    }

    /// Reads an offer.
    ///
    /// # Errors
    ///
    /// [`BadParams`]: a server has to decline the offer.
    pub fn parse(extension: &Extension<'_>) -> Result<Self, BadParams> {
        if extension.name != NAME {
            return Err(BadParams);
        }
        let mut offer = Self { client_bits: None, ..Self::new() };
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
        // What was requested has to be granted, and what was not allowed must not be requested.
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
            level: LEVEL,
            threshold: THRESHOLD,
        };
        if granted { Ok(params) } else { Err(BadParams) }
    }
}

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

/// Section 7.1.2: 8 to 15, without leading zeros.
fn bits(value: Value<'_>) -> Result<u8, BadParams> {
    let known = BITS.iter().find(|(text, _)| value.chars().eq(text.chars()));
    known.map(|(_, bits)| *bits).ok_or(BadParams)
}
