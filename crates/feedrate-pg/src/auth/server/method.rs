//! What each method needs, and asks.

use core::fmt;

use feedrate::pg::backend::Authentication;
use feedrate::pg::{List, Secret, Text};
use feedrate::{Encode, EncodeError, Output};

use super::super::base64;
use super::super::buffer::Buffer;
use super::super::md5::Md5Verifier;
use super::super::policy::Method;
use super::super::scram::KEY;
use super::super::verifier::Verifier;
use super::bearer::Discovery;
use super::refusal::Refusal;
use super::scram::Scram;

const SCRAM: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";
const BEARER: &str = "OAUTHBEARER";

/// What a server knows of a user, to compare a cleartext password with.
///
/// For a user whom nobody knows take [`Verifier::unknown`] or [`Md5Verifier::unknown`], whichever others have.
#[derive(Clone)]
#[non_exhaustive]
pub enum Stored<'a> {
    /// SCRAM's verifier.
    Scram(Verifier),
    /// MD5's.
    Md5 {
        /// The verifier.
        verifier: Md5Verifier,
        /// The user, which is hashed with the password.
        user: &'a [u8],
    },
    /// The password itself.
    Password(&'a [u8]),
}

/// Hides all secrets.
impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scram(_) => "Scram",
            Self::Md5 { .. } => "Md5",
            Self::Password(_) => "Password",
        })
    }
}

/// A method, and what it needs.
#[expect(clippy::large_enum_variant, reason = "there is no heap")]
pub(super) enum Kind<'a> {
    Cleartext(Stored<'a>),
    Md5(Md5Verifier, [u8; 4]),
    Scram(Scram<'a>),
    Bearer(Discovery<'a>),
    Gss(Method),
}

impl<'a> Kind<'a> {
    /// The first request.
    pub(super) fn request(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        let names = match self {
            Self::Scram(scram) if scram.offers_plus() => [PLUS, SCRAM].map(Text::from),
            Self::Scram(_) => [SCRAM, ""].map(Text::from),
            _ => [BEARER, ""].map(Text::from),
        };
        let offered = match &names {
            [first, second] if second.is_empty() => core::slice::from_ref(first),
            both => both,
        };
        let request = match self {
            Self::Cleartext(_) => Authentication::CleartextPassword,
            Self::Md5(_, salt) => Authentication::Md5Password { salt: *salt },
            Self::Scram(_) | Self::Bearer(_) => Authentication::Sasl { mechanisms: List::new(offered) },
            Self::Gss(Method::Sspi) => Authentication::Sspi,
            Self::Gss(_) => Authentication::Gss,
        };
        request.encode(out).map(|_| ())
    }

    /// The client has chosen one of the mechanisms.
    pub(super) fn choose(&mut self, mechanism: Text<'_>) -> Result<(), Refusal> {
        match self {
            Self::Scram(scram) if mechanism == SCRAM => scram.plus = false,
            Self::Scram(scram) if mechanism == PLUS && scram.offers_plus() => scram.plus = true,
            Self::Bearer(_) if mechanism == BEARER => {}
            _ => return Err(Refusal::Mechanism),
        }
        Ok(())
    }
}

pub(super) fn sasl_continue(data: &[u8], out: &mut impl Output) -> Result<(), EncodeError> {
    Authentication::SaslContinue { data: Secret::from(data) }.encode(out).map(|_| ())
}

/// server-final-message and AuthenticationOk: both, or neither.
pub(super) fn sign(signature: &[u8; KEY], out: &mut impl Output) -> Result<(), EncodeError> {
    let start = out.length();
    let mut text = Buffer::<46>::new();
    // It has room for 2 + 44.
    let _ = text.push(b"v=").and_then(|()| base64::encode(signature, &mut text));
    Authentication::SaslFinal { data: Secret::from(text.as_bytes()) }.encode(out)?;
    Authentication::Ok.encode(out).map(|_| ()).inspect_err(|_| out.truncate(start))
}
