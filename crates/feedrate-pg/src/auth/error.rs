//! Why a login fails.

use super::policy::{Method, Methods};

/// Why a client does not go on with a login. The connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AuthError {
    /// The server asks for a method that the policy does not allow.
    #[error("the server asks for {asked}, expected one of: {allowed}")]
    Refused {
        /// What the server asks for.
        asked: Method,
        /// What the policy allows.
        allowed: Methods,
    },
    /// The server asks for what nobody knows.
    #[error("unknown authentication request {code}")]
    UnknownRequest {
        /// Its code.
        code: u32,
    },
    /// None of the SASL mechanisms that the server offers can be used.
    #[error(
        "the server offers no SASL mechanism that can be used here, expected SCRAM-SHA-256 or OAUTHBEARER"
    )]
    NoMechanism,
    /// The method needs something that the credentials lack.
    #[error("the server asks for {method}, and there is no {missing}")]
    Missing {
        /// What the server asks for.
        method: Method,
        /// What is missing: `password`, `token`.
        missing: &'static str,
    },
    /// The bearer token has characters that no token has (RFC 6750, section 2.1).
    #[error("the bearer token has a character other than letters, digits and -._~+/, or = before its end")]
    BadToken,
    /// Channel binding is required, and cannot be had.
    #[error("channel binding is required, and {why}")]
    NoBinding {
        /// Why not.
        why: &'static str,
    },
    /// The server offers channel binding on a connection without TLS: somebody is between.
    #[error("the server offers SCRAM-SHA-256-PLUS on a connection without TLS")]
    BindingWithoutTls,
    /// The request does not come at its place.
    #[error("{what} came, expected {expected}")]
    OutOfPlace {
        /// The request.
        what: &'static str,
        /// What may come here.
        expected: &'static str,
    },
    /// A message of SCRAM is malformed.
    #[error("{message}: expected {expected} at byte {at}")]
    Malformed {
        /// The message: `server-first-message` or `server-final-message`.
        message: &'static str,
        /// Offset within the message.
        at: usize,
        /// What is missing there.
        expected: &'static str,
    },
    /// The message is longer than what is kept of it.
    #[error("{message}: {size} bytes, expected at most {limit}")]
    TooLong {
        /// The message.
        message: &'static str,
        /// Its bytes.
        size: usize,
        /// The most that are taken.
        limit: usize,
    },
    /// The server's nonce does not begin with the client's, or adds nothing to it.
    #[error("server-first-message: expected a nonce that begins with the client's and goes on")]
    Nonce,
    /// The count of iterations is out of bounds.
    #[error("the server asks for {asked} iterations, expected {min} to {max}")]
    Iterations {
        /// What the server asks for.
        asked: u32,
        /// [`Policy::min_iterations`](super::Policy::min_iterations).
        min: u32,
        /// [`Policy::max_iterations`](super::Policy::max_iterations).
        max: u32,
    },
    /// SCRAM keys are there instead of a password, and the server's salt is not that which they were made with.
    #[error("the server's salt is not that of the SCRAM keys")]
    OtherSalt,
    /// SCRAM keys are there instead of a password, and the server's iterations are not those which they were made
    /// with.
    #[error("the server asks for {asked} iterations, and the SCRAM keys were made with {keys}")]
    OtherIterations {
        /// What the server asks for.
        asked: u32,
        /// What the keys were made with.
        keys: u32,
    },
    /// The server ends SCRAM with an error.
    #[error("the server ends the SCRAM exchange: {0}")]
    Server(ServerError),
    /// The server does not know the user's keys: it is not the one that it claims to be.
    #[error("the server's signature is wrong: it does not know the password")]
    ServerSignature,
    /// An error came before: nothing else is taken.
    #[error("the authentication has failed before")]
    Dead,
}

/// An error that a SCRAM server reports (`e=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ServerError {
    /// `invalid-encoding`.
    #[error("invalid-encoding")]
    InvalidEncoding,
    /// `extensions-not-supported`.
    #[error("extensions-not-supported")]
    ExtensionsNotSupported,
    /// `invalid-proof`: the password is wrong.
    #[error("invalid-proof")]
    InvalidProof,
    /// `channel-bindings-dont-match`: somebody is between.
    #[error("channel-bindings-dont-match")]
    ChannelBindingsDontMatch,
    /// `server-does-support-channel-binding`: the offer was tampered with.
    #[error("server-does-support-channel-binding")]
    ServerDoesSupportChannelBinding,
    /// `channel-binding-not-supported`.
    #[error("channel-binding-not-supported")]
    ChannelBindingNotSupported,
    /// `unsupported-channel-binding-type`.
    #[error("unsupported-channel-binding-type")]
    UnsupportedChannelBindingType,
    /// `unknown-user`.
    #[error("unknown-user")]
    UnknownUser,
    /// `invalid-username-encoding`.
    #[error("invalid-username-encoding")]
    InvalidUsernameEncoding,
    /// `no-resources`.
    #[error("no-resources")]
    NoResources,
    /// `other-error`, or one that RFC 5802 does not name.
    #[error("other-error")]
    Other,
}

impl ServerError {
    pub(super) fn parse(value: &[u8]) -> Self {
        match value {
            b"invalid-encoding" => Self::InvalidEncoding,
            b"extensions-not-supported" => Self::ExtensionsNotSupported,
            b"invalid-proof" => Self::InvalidProof,
            b"channel-bindings-dont-match" => Self::ChannelBindingsDontMatch,
            b"server-does-support-channel-binding" => Self::ServerDoesSupportChannelBinding,
            b"channel-binding-not-supported" => Self::ChannelBindingNotSupported,
            b"unsupported-channel-binding-type" => Self::UnsupportedChannelBindingType,
            b"unknown-user" => Self::UnknownUser,
            b"invalid-username-encoding" => Self::InvalidUsernameEncoding,
            b"no-resources" => Self::NoResources,
            _ => Self::Other,
        }
    }
}
