//! The four meanings of the frontend's type byte `p`. Which of them a message has, only the server's last authentication request tells.

use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::{Secret, Text};
use super::write::{Sink, put_text};

/// How the next `p` message is to be read: see [`Frontend::expect`](super::Frontend::expect).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As a [`PasswordMessage`].
    Password,
    /// As a [`SASLInitialResponse`].
    SaslInitial,
    /// As a [`SASLResponse`].
    Sasl,
    /// As a [`GSSResponse`], which SSPI uses too.
    Gss,
}

/// A password, in clear or hashed with the server's salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordMessage<'a> {
    /// Without its NUL.
    pub password: Secret<'a>,
}

tagged!(PasswordMessage<'_>, b'p', Frontend);

impl<'a> Body<'a> for PasswordMessage<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { password: Secret::from(reader.text()?.as_bytes()) })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, Text::from(self.password.expose()), "PasswordMessage password")
    }
}

/// The mechanism that the frontend chose, and what it says first.
///
/// ```
/// use feedrate::{Encode, pg::{Secret, frontend::SASLInitialResponse}};
///
/// let data = Some(Secret::from(&b"n,,n=,r=abc"[..]));
/// let mut out = Vec::new();
/// SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data }.encode(&mut out)?;
/// assert_eq!(out, b"p\0\0\0\x21SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SASLInitialResponse<'a> {
    /// One of those that the server offered.
    pub mechanism: Text<'a>,
    /// The mechanism's first message, where it begins with one.
    pub data: Option<Secret<'a>>,
}

tagged!(SASLInitialResponse<'_>, b'p', Frontend);

impl<'a> Body<'a> for SASLInitialResponse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { mechanism: reader.text()?, data: reader.value()?.map(Secret::from) })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.mechanism, "SASLInitialResponse mechanism");
        super::write::put_value(out, self.data.map(Secret::expose))
    }
}

macro_rules! token {
    ($(#[$doc:meta])* $Message:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Message<'a> {
            /// The mechanism's bytes.
            pub data: Secret<'a>,
        }

        tagged!($Message<'_>, b'p', Frontend);

        impl<'a> Body<'a> for $Message<'a> {
            fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
                Ok(Self { data: Secret::from(reader.rest()) })
            }

            fn write<S: Sink>(&self, out: &mut S) {
                out.put(self.data.expose())
            }
        }
    };
}

token! {
    /// What the SASL mechanism says next.
    SASLResponse
}
token! {
    /// A token of GSSAPI or SSPI.
    GSSResponse
}
token! {
    /// A `p` message whose meaning nobody has told the decoder: see [`Frontend::expect`](super::Frontend::expect).
    AuthenticationResponse
}
