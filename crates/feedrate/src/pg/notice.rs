//! ErrorResponse and NoticeResponse: `protocol-error-fields.html`.

use core::fmt;

use super::limits::width;
use super::list::{Item, List, private};
use super::message::{Body, HEADER, encoded, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Header, Sink, Whole, put_text};
use crate::encode::EncodeError;

/// One field of an error or notice. Codes that are not known are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoticeField<'a> {
    /// One of [`field`]'s codes, or another one.
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
impl<'a> private::Item<'a> for NoticeField<'a> {
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
        put_text(out, self.value, "field value")
    }
}

/// The five characters of an SQLSTATE.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

macro_rules! notice {
    ($(#[$doc:meta])* $Message:ident, $tag:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Message<'a> {
            /// The fields, in the server's order.
            pub fields: List<'a, NoticeField<'a>>,
        }

        tagged!($Message<'_>, $tag, Backend);

        impl<'a> $Message<'a> {
            /// The first field of this code.
            pub fn get(&self, code: u8) -> Option<Text<'a>> {
                self.fields.iter().find(|field| field.code == code).map(|field| field.value)
            }

            /// How bad it is, from the field that is never translated, which servers before 9.6 do not send.
            pub fn severity(&self) -> Option<Severity> {
                let word = self.get(field::SEVERITY_NONLOCALIZED)?;
                SEVERITIES.iter().find(|(name, _)| word == *name).map(|(_, severity)| *severity)
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

        impl<'a> Body<'a> for $Message<'a> {
            fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
                Ok(Self { fields: List::read_terminated(reader, "terminator of the fields")? })
            }

            fn write<S: Sink>(&self, out: &mut S) {
                self.fields.write(out);
                out.put(&[0])
            }
        }
    };
}

notice! {
    /// A command failed, or the connection ends.
    ///
    /// ```
    /// use feedrate::pg::{List, backend::{ErrorResponse, NoticeField, Severity, field}};
    ///
    /// let fields = [
    ///     NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "ERROR".into() },
    ///     NoticeField { code: field::CODE, value: "42P01".into() },
    ///     NoticeField { code: field::MESSAGE, value: "relation \"t\" does not exist".into() },
    ///     NoticeField { code: field::POSITION, value: "15".into() },
    /// ];
    /// let error = ErrorResponse { fields: List::from(&fields) };
    /// assert_eq!(error.severity(), Some(Severity::Error));
    /// assert_eq!(error.sql_state().unwrap().as_str(), "42P01");
    /// assert_eq!(error.position(), Some(15));
    /// ```
    ErrorResponse, b'E'
}
notice! {
    /// Something worth knowing. It may come at any time.
    NoticeResponse, b'N'
}

/// An error that came in answer to SSLRequest or GSSENCRequest: anybody on the way can have written it, so its
/// text must not be shown to a user as the server's word (CVE-2024-10977), and the connection is to be closed.
///
/// `Debug` shows no text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UntrustedError<'a> {
    pub(crate) raw: &'a [u8],
}

impl<'a> UntrustedError<'a> {
    /// The bytes, from the type byte on.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }
}

impl fmt::Debug for UntrustedError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UntrustedError({} bytes)", self.raw.len())
    }
}

impl<'a> UntrustedError<'a> {
    /// It may be a message of protocol 3, with a type byte and a length, or text: and a limit is for what the length says, or for all of the text.
    fn split(&self) -> (Header, &'a [u8]) {
        match self.raw.split_first_chunk::<HEADER>() {
            Some((&[tag, a, b, c, d], fields))
                if width(u32::from_be_bytes([a, b, c, d])) == fields.len().saturating_add(4) =>
            {
                (Header::Tag(tag), fields)
            }
            _ => (Header::None, self.raw),
        }
    }
}

impl Whole for UntrustedError<'_> {
    fn what(&self) -> &'static str {
        "UntrustedError"
    }

    fn header(&self) -> Header {
        self.split().0
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(self.split().1)
    }
}

encoded!(UntrustedError<'_>, Backend);

/// An error in the form of protocol 2.0: `E`, text, NUL. Servers before 14 send one when they fail before they have read the
/// StartupMessage, for example because they cannot fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainError<'a> {
    /// The text, often with a newline at its end.
    pub text: Text<'a>,
}

impl Whole for PlainError<'_> {
    fn what(&self) -> &'static str {
        "PlainError"
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(&[ErrorResponse::TAG]);
        put_text(out, self.text, "PlainError text")
    }
}

encoded!(PlainError<'_>, Backend);
