//! Sets of messages' names, and whether a message may come.

use core::fmt;

use feedrate::pg::{backend as b, frontend as f};

/// Whether a message may come where it came.
// Exhaustive: a message may come, or it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Verdict {
    /// It may.
    Expected,
    /// It may not, whatever its sender had seen by then.
    Unexpected {
        /// What may come.
        expected: Expected,
    },
}

impl Verdict {
    /// Whether it may come.
    pub const fn is_expected(self) -> bool {
        matches!(self, Self::Expected)
    }
}

/// Names of messages of one side, which may come next. Printed as `ParseComplete, ErrorResponse`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    side: Side,
    set: Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Backend,
    Frontend,
}

impl Expected {
    pub(super) const fn new(side: Side, set: Set) -> Self {
        Self { side, set }
    }

    /// The names, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = match self.side {
            Side::Backend => BACKEND,
            Side::Frontend => FRONTEND,
        };
        names.iter().filter(move |(tag, _)| self.set.contains(*tag)).map(|(_, name)| *name)
    }

    /// Whether a message with this type byte is in it.
    pub const fn contains(self, tag: u8) -> bool {
        tag >= b'1' && self.set.contains(tag)
    }

    /// Whether nothing may come: the connection is over.
    pub const fn is_empty(self) -> bool {
        self.set.0 == 0
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            f.write_str(separator)?;
            f.write_str(name)?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Expected {
    fn format(&self, f: defmt::Formatter<'_>) {
        let mut separator = "";
        for name in self.names() {
            defmt::write!(f, "{=str}{=str}", separator, name);
            separator = ", ";
        }
    }
}

/// Messages without a type byte have one here.
pub(super) const STARTUP: u8 = 1;
pub(super) const SSL_REQUEST: u8 = 2;
pub(super) const GSSENC_REQUEST: u8 = 3;
pub(super) const CANCEL: u8 = 4;
pub(super) const DIRECT_TLS: u8 = 5;
pub(super) const ENCRYPTION: u8 = 6;

/// Type bytes: one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn of(tags: &[u8]) -> Self {
        let (mut set, mut rest) = (0, tags);
        while let [tag, behind @ ..] = rest {
            set |= bit(*tag);
            rest = behind;
        }
        Self(set)
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn contains(self, tag: u8) -> bool {
        self.0 & bit(tag) != 0
    }
}

/// Letters have 32 places for each case; digits and what has no type byte go where there is no letter.
const fn bit(tag: u8) -> u64 {
    match tag {
        b'A'..=b'Z' | b'a'..=b'z' => 1 << (tag & 63),
        b'1'..=b'3' => 1 << (tag & 3 | 28),
        STARTUP => 1,
        SSL_REQUEST => 1 << 32,
        GSSENC_REQUEST => 1 << 60,
        CANCEL => 1 << 61,
        DIRECT_TLS => 1 << 62,
        ENCRYPTION => 1 << 63,
        _ => 0,
    }
}

const BACKEND: &[(u8, &str)] = &[
    (b::Authentication::TAG, b::Authentication::NAME),
    (b::BackendKeyData::TAG, b::BackendKeyData::NAME),
    (b::BindComplete::TAG, b::BindComplete::NAME),
    (b::CloseComplete::TAG, b::CloseComplete::NAME),
    (b::CommandComplete::TAG, b::CommandComplete::NAME),
    (b::CopyBothResponse::TAG, b::CopyBothResponse::NAME),
    (b::CopyData::TAG, b::CopyData::NAME),
    (b::CopyDone::TAG, b::CopyDone::NAME),
    (b::CopyInResponse::TAG, b::CopyInResponse::NAME),
    (b::CopyOutResponse::TAG, b::CopyOutResponse::NAME),
    (b::DataRow::TAG, b::DataRow::NAME),
    (b::EmptyQueryResponse::TAG, b::EmptyQueryResponse::NAME),
    (ENCRYPTION, "EncryptionResponse"),
    (b::ErrorResponse::TAG, b::ErrorResponse::NAME),
    (b::FunctionCallResponse::TAG, b::FunctionCallResponse::NAME),
    (b::NegotiateProtocolVersion::TAG, b::NegotiateProtocolVersion::NAME),
    (b::NoData::TAG, b::NoData::NAME),
    (b::NoticeResponse::TAG, b::NoticeResponse::NAME),
    (b::NotificationResponse::TAG, b::NotificationResponse::NAME),
    (b::ParameterDescription::TAG, b::ParameterDescription::NAME),
    (b::ParameterStatus::TAG, b::ParameterStatus::NAME),
    (b::ParseComplete::TAG, b::ParseComplete::NAME),
    (b::PortalSuspended::TAG, b::PortalSuspended::NAME),
    (b::ReadyForQuery::TAG, b::ReadyForQuery::NAME),
    (b::RowDescription::TAG, b::RowDescription::NAME),
];

const FRONTEND: &[(u8, &str)] = &[
    (f::AuthenticationResponse::TAG, f::AuthenticationResponse::NAME),
    (f::Bind::TAG, f::Bind::NAME),
    (CANCEL, "CancelRequest"),
    (f::Close::TAG, f::Close::NAME),
    (f::CopyData::TAG, f::CopyData::NAME),
    (f::CopyDone::TAG, f::CopyDone::NAME),
    (f::CopyFail::TAG, f::CopyFail::NAME),
    (f::Describe::TAG, f::Describe::NAME),
    (DIRECT_TLS, "DirectTls"),
    (f::Execute::TAG, f::Execute::NAME),
    (f::Flush::TAG, f::Flush::NAME),
    (f::FunctionCall::TAG, f::FunctionCall::NAME),
    (GSSENC_REQUEST, "GSSENCRequest"),
    (f::Parse::TAG, f::Parse::NAME),
    (f::Query::TAG, f::Query::NAME),
    (SSL_REQUEST, "SSLRequest"),
    (STARTUP, "StartupMessage"),
    (f::Sync::TAG, f::Sync::NAME),
    (f::Terminate::TAG, f::Terminate::NAME),
];

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn each_has_a_bit_of_its_own() {
        for (side, names) in [(Side::Backend, BACKEND), (Side::Frontend, FRONTEND)] {
            for (tag, name) in names {
                let expected = Expected::new(side, Set::of(&[*tag]));
                assert_eq!(expected.names().collect::<Vec<_>>(), [*name]);
            }
            assert!(names.windows(2).all(|two| two[0].1 < two[1].1), "alphabetical");
        }
        assert_eq!((0..=255).filter(|tag| bit(*tag) != 0).count(), 26 * 2 + 3 + 6);
    }

    #[test]
    fn printed() {
        let set = Set::of(b"E1").with(Set::of(b"Z"));
        assert_eq!(
            Expected::new(Side::Backend, set).to_string(),
            "ErrorResponse, ParseComplete, ReadyForQuery"
        );
        assert_eq!(Expected::new(Side::Frontend, Set::NONE).to_string(), "nothing");
    }
}
