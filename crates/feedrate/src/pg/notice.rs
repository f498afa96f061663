//! What errors and notices are made of: `protocol-error-fields.html`.

use core::fmt;

use super::list::{Item, sealed};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::trace::Printer;
use super::write::Sink;
use crate::encode::EncodeError;

/// One field of an error or notice. Codes that are not known are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoticeField<'a> {
    /// One of [`field`]'s codes, or another one. Not 0, which ends the list.
    pub code: u8,
    /// The text.
    pub value: Text<'a>,
}

/// The codes of error and notice fields.
pub mod field {
    /// Severity, in the server's language.
    pub const SEVERITY: u8 = b'S';
    /// Severity, never translated; since 9.6.
    pub const SEVERITY_NONLOCALIZED: u8 = b'V';
    /// SQLSTATE.
    pub const CODE: u8 = b'C';
    /// The message, one line as a rule.
    pub const MESSAGE: u8 = b'M';
    /// More about it.
    pub const DETAIL: u8 = b'D';
    /// What to do about it.
    pub const HINT: u8 = b'H';
    /// Where in the query, in characters, counted from 1.
    pub const POSITION: u8 = b'P';
    /// The same, in the internal query.
    pub const INTERNAL_POSITION: u8 = b'p';
    /// A command that the server made itself, such as one of a PL/pgSQL function.
    pub const INTERNAL_QUERY: u8 = b'q';
    /// The call stack, one entry a line.
    pub const WHERE: u8 = b'W';
    /// The schema of the object.
    pub const SCHEMA: u8 = b's';
    /// The table.
    pub const TABLE: u8 = b't';
    /// The column.
    pub const COLUMN: u8 = b'c';
    /// The data type.
    pub const DATA_TYPE: u8 = b'd';
    /// The constraint.
    pub const CONSTRAINT: u8 = b'n';
    /// The source file that reported it.
    pub const FILE: u8 = b'F';
    /// The line there.
    pub const LINE: u8 = b'L';
    /// The function there.
    pub const ROUTINE: u8 = b'R';
}

impl<'a> Item<'a> for NoticeField<'a> {}
impl<'a> sealed::Item<'a> for NoticeField<'a> {
    const TERMINATED: bool = true;

    // A call: the check of the list and the walk over it share it.
    #[inline(never)]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { code: reader.u8("field code")?, value: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if self.code == 0 {
            return out
                .refuse(EncodeError::Invalid { what: "field code", expected: "not 0, which ends the list" });
        }
        out.put(&[self.code]);
        out.text(self.value, "field value")
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        let place = matches!(self.code, field::FILE | field::LINE | field::ROUTINE);
        out.byte(self.code)?;
        out.text(if out.regress() && place { "SSSS".into() } else { self.value })
    }

    fn trace_end(out: &mut Printer<'_, '_>) -> fmt::Result {
        out.byte(0)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for NoticeField<'a> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self { code: u.int_in_range(1..=u8::MAX)?, value: u.arbitrary()? })
    }
}

/// The five characters of an SQLSTATE.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SqlState(pub [u8; 5]);

impl SqlState {
    /// The characters as text, where they are.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("?????")
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({:?})", self.as_str())
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Severity {
    /// The server goes down.
    Panic,
    /// The connection ends.
    Fatal,
    /// The command failed.
    Error,
    /// A notice.
    Warning,
    /// A notice.
    Notice,
    /// A notice.
    Debug,
    /// A notice.
    Info,
    /// A notice.
    Log,
}

/// The words of the field `V`, which is never translated.
const SEVERITIES: [(&str, Severity); 8] = [
    ("ERROR", Severity::Error),
    ("NOTICE", Severity::Notice),
    ("WARNING", Severity::Warning),
    ("FATAL", Severity::Fatal),
    ("PANIC", Severity::Panic),
    ("DEBUG", Severity::Debug),
    ("INFO", Severity::Info),
    ("LOG", Severity::Log),
];

impl Severity {
    pub(crate) fn from_word(word: Text<'_>) -> Option<Self> {
        SEVERITIES.iter().find(|(name, _)| word == *name).map(|(_, severity)| *severity)
    }
}

/// The word that the server uses.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SEVERITIES.iter().find(|(_, severity)| severity == self).map_or("", |(name, _)| name))
    }
}

/// What an error and a notice have in common besides their fields.
macro_rules! report {
    ($Message:ident) => {
        impl<'a> $Message<'a> {
            /// The first field of this code.
            pub fn get(&self, code: u8) -> Option<Text<'a>> {
                self.fields.iter().find(|field| field.code == code).map(|field| field.value)
            }

            /// How bad it is, from the field that is never translated, which servers before 9.6 do not send.
            pub fn severity(&self) -> Option<Severity> {
                Severity::from_word(self.get(field::SEVERITY_NONLOCALIZED)?)
            }

            /// The SQLSTATE.
            pub fn sql_state(&self) -> Option<SqlState> {
                self.get(field::CODE)?.as_bytes().try_into().ok().map(SqlState)
            }

            /// The message. It is the server's text: escape it before it reaches a terminal.
            pub fn message(&self) -> Option<Text<'a>> {
                self.get(field::MESSAGE)
            }

            /// More about it.
            pub fn detail(&self) -> Option<Text<'a>> {
                self.get(field::DETAIL)
            }

            /// What to do about it.
            pub fn hint(&self) -> Option<Text<'a>> {
                self.get(field::HINT)
            }

            /// Where in the query, in characters, counted from 1.
            pub fn position(&self) -> Option<u32> {
                self.get(field::POSITION)?.to_str().ok()?.parse().ok()
            }
        }

        /// Severity, message and SQLSTATE, in one line as a rule:
        /// `ERROR: relation "t" does not exist (SQLSTATE 42P01)`.
        ///
        /// The message is the server's text: escape it before it reaches a terminal.
        impl fmt::Display for $Message<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.get(field::SEVERITY_NONLOCALIZED).or_else(|| self.get(field::SEVERITY)) {
                    Some(severity) => write!(f, "{severity}: ")?,
                    None => f.write_str(concat!(stringify!($Message), ": "))?,
                }
                write!(f, "{}", self.message().unwrap_or("no message".into()))?;
                match self.sql_state() {
                    Some(state) => write!(f, " (SQLSTATE {state})"),
                    None => Ok(()),
                }
            }
        }
    };
}

pub(crate) use report;
