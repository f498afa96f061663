//! The one byte that answers SSLRequest and GSSENCRequest.

use super::message::encoded;
use super::write::{Header, Sink, Whole};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Encryption {
    /// TLS, by SSLRequest.
    Ssl,
    /// GSSAPI, by GSSENCRequest.
    Gss,
}

impl Encryption {
    /// The byte that says yes.
    pub const fn consent(self) -> u8 {
        match self {
            Self::Ssl => b'S',
            Self::Gss => b'G',
        }
    }
}

/// The answer: one byte, neither tagged nor counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum EncryptionResponse {
    /// `S` or `G`: the next byte belongs to the encryption.
    Accepted(Encryption),
    /// `N`: the frontend may ask for the other one, go on in clear, or leave.
    Refused,
}

impl EncryptionResponse {
    pub(crate) fn from_byte(raw: &[u8]) -> Self {
        match raw {
            [b'S'] => Self::Accepted(Encryption::Ssl),
            [b'G'] => Self::Accepted(Encryption::Gss),
            _ => Self::Refused,
        }
    }
}

impl Whole for EncryptionResponse {
    fn what(&self) -> &'static str {
        "EncryptionResponse"
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(&[match self {
            Self::Accepted(encryption) => encryption.consent(),
            Self::Refused => b'N',
        }])
    }
}

encoded!(EncryptionResponse, Backend);
