//! What can be wrong with a connection string or its values.

use super::Keyword;

/// Something in a text cannot be read.
///
/// It says where, but shows nothing of the text: that may have a password in it.
///
/// ```
/// use feedrate_pg::conninfo::Settings;
///
/// let mut settings = Settings::new(Vec::new());
/// let error = settings.parse("postgresql://user@[::1/db").unwrap_err();
/// assert_eq!(error.to_string(), "byte 18: this `[` has no matching `]`");
/// assert_eq!(error.at, 18);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("byte {at}: {problem}")]
pub struct ParseError {
    /// Offset of the byte, from 0.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Problem {
    /// A NUL, or `%00`. No value may have one, because the protocol ends strings with it.
    #[error("no value may contain a NUL")]
    Nul,
    /// A keyword begins here that is not in [`Keyword::ALL`].
    #[error("no such keyword")]
    UnknownKeyword,
    /// A keyword begins here, and no `=` comes behind it.
    #[error("expected `=` after this keyword")]
    NoEquals,
    /// A second `=` in one of a URI's parameters.
    #[error("unexpected second `=`: write it as %3D")]
    ExtraEquals,
    /// A quotation begins here that does not end.
    #[error("this quotation has no end")]
    UnterminatedQuote,
    /// A bracket is opened here and never closed.
    #[error("this `[` has no matching `]`")]
    UnmatchedBracket,
    /// `[]`.
    #[error("expected an IPv6 address between the brackets")]
    EmptyBrackets,
    /// Something else follows a bracketed address.
    #[error("expected `:`, `/`, `?`, `,` or the end after `]`")]
    AfterBracket,
    /// A `%` without two hexadecimal digits.
    #[error("expected two hexadecimal digits after `%`")]
    Percent,
    /// A space within a value of a URI.
    #[error("unexpected space: write it as %20")]
    Space,
    /// A section of a service file may not name another service.
    #[error("a service cannot refer to a service")]
    NestedService,
    /// The memory that [`Settings`](super::Settings) have is full.
    #[error("no room left in the memory of the settings")]
    Full,
}

/// A setting has a value that it cannot have, or two settings do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Invalid {
    /// The value is none of those that the keyword can have.
    #[error("{keyword}: expected {expected}")]
    Value {
        /// Whose value.
        keyword: Keyword,
        /// What it may be.
        expected: &'static str,
    },
    /// `user` is neither set nor given a default.
    #[error("user: no user's name is set")]
    NoUser,
    /// `host` and `hostaddr` have different numbers of elements.
    #[error("{names} names in host, but {addresses} addresses in hostaddr")]
    HostCount {
        /// Elements of `host`.
        names: usize,
        /// Elements of `hostaddr`.
        addresses: usize,
    },
    /// There is more than one port, but not one for each host.
    #[error("{ports} ports for {hosts} hosts: expected one port, or one for each host")]
    PortCount {
        /// Elements of `port`.
        ports: usize,
        /// How many hosts there are.
        hosts: usize,
    },
    /// `sslnegotiation=direct` with an `sslmode` that allows connections without TLS.
    #[error("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")]
    DirectNeedsTls,
    /// `sslrootcert=system` with a weaker `sslmode`.
    #[error("sslrootcert=system needs sslmode=verify-full")]
    SystemNeedsVerifyFull,
    /// `min_protocol_version` is greater than `max_protocol_version`.
    #[error("min_protocol_version is greater than max_protocol_version")]
    ProtocolRange,
    /// `ssl_min_protocol_version` is greater than `ssl_max_protocol_version`.
    #[error("ssl_min_protocol_version is greater than ssl_max_protocol_version")]
    TlsRange,
    /// `gssencmode=require`: encryption by GSSAPI is not supported.
    #[error("gssencmode=require: encryption by GSSAPI is not supported, use sslmode=require")]
    GssEncryption,
}

impl Invalid {
    pub(super) const fn value(keyword: Keyword, expected: &'static str) -> Self {
        Self::Value { keyword, expected }
    }
}
