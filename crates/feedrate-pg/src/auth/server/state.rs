//! Where a login is, and what comes next.

use feedrate::pg::Secret;

use super::super::md5::Md5Verifier;
use super::super::scram::{KEY, sha256};
use super::super::verifier::{Derivation, Verifier};
use super::bearer::{self, Discovery};
use super::method::{Kind, Stored};
use super::refusal::Refusal;
use super::scram::Scram;

/// What a client's message leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum LoginStep<'m> {
    /// [`Login::work`], if there is any, and [`Login::request`]; then look at [`Login::outcome`].
    ///
    /// [`Login::work`]: crate::auth::Login::work
    /// [`Login::request`]: crate::auth::Login::request
    /// [`Login::outcome`]: crate::auth::Login::outcome
    Request,
    /// GSSAPI or SSPI: a library of the caller's takes the token. Then [`Login::request_token`], [`Login::accept`] or
    /// [`Login::refuse`].
    ///
    /// [`Login::request_token`]: crate::auth::Login::request_token
    /// [`Login::accept`]: crate::auth::Login::accept
    /// [`Login::refuse`]: crate::auth::Login::refuse
    Token(Secret<'m>),
    /// A bearer token: the caller finds out who has it. Then [`Login::accept`] or [`Login::refuse`], and
    /// [`Login::request`]. It is empty if the client asks where to get one, which is to be refused.
    ///
    /// [`Login::accept`]: crate::auth::Login::accept
    /// [`Login::refuse`]: crate::auth::Login::refuse
    /// [`Login::request`]: crate::auth::Login::request
    Bearer(Secret<'m>),
}

pub(super) enum State<'a> {
    /// The first request is due.
    Begin(Kind<'a>),
    /// The client has to respond to it.
    Begun(Kind<'a>),
    /// A password is being hashed.
    Hashing(Derivation, Verifier),
    /// AuthenticationSASLContinue is due, empty: the client has sent no first message.
    Ask(Kind<'a>),
    /// The client's first message may come, as a SASLResponse.
    Asked(Kind<'a>),
    /// server-first-message is due.
    Challenge(Scram<'a>),
    /// client-final-message may come.
    Challenged(Scram<'a>),
    /// server-final-message is due, with this signature; and AuthenticationOk.
    Sign([u8; KEY]),
    /// The caller has to decide.
    Decide(Kind<'a>),
    /// The JSON is due.
    Explain(Discovery<'a>),
    /// The client has to say that it has read it.
    Explained,
    /// AuthenticationOk is due.
    Accept,
    Granted,
    Refused(Refusal),
}

impl<'a> State<'a> {
    /// AuthenticationOk, or the end.
    pub(super) const fn verdict(right: bool) -> Self {
        if right { Self::Accept } else { Self::Refused(Refusal::Denied) }
    }

    /// The client says that this is its password.
    pub(super) fn compare(stored: Stored<'_>, password: &[u8]) -> Self {
        match stored {
            Stored::Scram(verifier) => {
                Self::Hashing(Derivation::new(password, verifier.salt, verifier.iterations), verifier)
            }
            Stored::Md5 { verifier, user } => Self::verdict(verifier == Md5Verifier::hash(password, user)),
            // Hashed, so that the time does not tell the length.
            Stored::Password(stored) => {
                Self::verdict(Secret::from(&sha256(password)) == Secret::from(&sha256(stored)))
            }
        }
    }

    /// The mechanism's first message has come.
    pub(super) fn first<'m>(kind: Kind<'a>, data: Secret<'m>) -> Result<(Self, LoginStep<'m>), Refusal> {
        Ok(match kind {
            Kind::Scram(mut scram) => {
                scram.first(data.expose())?;
                (Self::Challenge(scram), LoginStep::Request)
            }
            kind => {
                let token = bearer::token(data.expose())?;
                (Self::Decide(kind), LoginStep::Bearer(Secret::from(token)))
            }
        })
    }
}
