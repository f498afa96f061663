//! The one byte that answers SSLRequest and GSSENCRequest.

use core::fmt;

use super::{Traced, encoded};
use crate::pg::trace::Printer;
use crate::pg::write::{Header, Sink, Whole};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: a third byte would be another protocol, and whoever asked has to handle each.
pub enum EncryptionResponse {
    /// `S` or `G`: the next byte belongs to the encryption.
    Accepted(Encryption),
    /// `N`: the frontend may ask for the other encryption, go on unencrypted, or leave.
    Refused,
}

impl EncryptionResponse {
    const fn byte(self) -> u8 {
        match self {
            Self::Accepted(encryption) => encryption.consent(),
            Self::Refused => b'N',
        }
    }

    /// A refusal does not contain what it refuses: `asked` does.
    pub(crate) fn trace_after(self, asked: Option<Encryption>, out: &mut Printer<'_, '_>) -> fmt::Result {
        let asked = if let Self::Accepted(encryption) = self { Some(encryption) } else { asked };
        out.name(match asked {
            Some(Encryption::Ssl) => "SSLResponse",
            Some(Encryption::Gss) => "GSSENCResponse",
            None => Self::NAME,
        })?;
        out.byte(self.byte())
    }

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
        Self::NAME
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(&[self.byte()])
    }
}

encoded!(EncryptionResponse, backend(Unknown));

impl Traced for EncryptionResponse {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        self.trace_after(None, out)
    }
}
