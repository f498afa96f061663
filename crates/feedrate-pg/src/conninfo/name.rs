//! Keywords as connection strings have them, with old names and JDBC's.

use feedrate::Output;

use super::settings::{Priority, Settings};
use super::{Keyword, ParseError, Problem};

/// What a keyword in a text means.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Keyword(Keyword),
    /// As `sslmode` was called before PostgreSQL 8: 1 or 0.
    RequireSsl,
    /// As JDBC calls it, in URIs, and only if it is `true`.
    Ssl,
    Unknown,
}

impl Name {
    pub(super) fn of(name: &[u8]) -> Self {
        match Keyword::from_name(name) {
            Some(keyword) => Self::Keyword(keyword),
            None if name == b"requiressl" => Self::RequireSsl,
            None => Self::Unknown,
        }
    }
}

/// Makes what has been put since `start` the value of the keyword that is named at byte `at`.
pub(super) fn store<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    name: Name,
    at: usize,
    start: usize,
) -> Result<(), ParseError> {
    let value = settings.since(start);
    let mode: &[u8] = match name {
        Name::Keyword(keyword) => return settings.finish(keyword, start, Priority::Explicit),
        Name::Ssl if value == b"true" => b"require",
        Name::RequireSsl if value.starts_with(b"1") => b"require",
        Name::RequireSsl => b"prefer",
        Name::Ssl | Name::Unknown => return Err(ParseError { at, problem: Problem::UnknownKeyword }),
    };
    settings.cut(start);
    settings.put(mode)?;
    settings.finish(Keyword::SslMode, start, Priority::Explicit)
}
