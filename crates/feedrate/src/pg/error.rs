//! Errors in messages: what is wrong, where, and what was expected.

use core::fmt;

use crate::error::Fault;

/// What is wrong with a message or with the stream: what, where, and what was expected instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Error {
    message: &'static str,
    at: usize,
    problem: Problem,
}

impl Error {
    pub(crate) const fn new(message: &'static str, at: usize, problem: Problem) -> Self {
        Self { message, at, problem }
    }

    /// The message's name, as the PostgreSQL documentation spells it; "message" if its tag is unknown.
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Offset in bytes from the message's first byte, which is its tag if it has one.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What is wrong.
    pub const fn problem(&self) -> Problem {
        self.problem
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Fault(fault) => fault.fmt(f),
            // The name of a message would mean nothing.
            problem @ Problem::Foreign { .. } => problem.fmt(f),
            problem => write!(f, "{} at byte {}: {}", self.message, self.at, problem),
        }
    }
}

impl core::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self { message: "message", at: 0, problem: Problem::Fault(fault) }
    }
}

/// The kinds of errors.
// The tag is a whole word: with a tag of one byte, errors would be moved in two parts, with a call of `memcpy`.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Problem {
    /// An error that the decoder found, whatever the protocol.
    #[error(transparent)]
    Fault(Fault),
    /// No message of this direction begins with this byte. The length has not been looked at.
    #[error("{} is not the type byte of a message in this direction", Byte(*.0))]
    UnknownTag(u8),
    /// The bytes of another protocol: the peer has connected to the wrong port, or TLS is missing on one side.
    #[error("{} does not begin a message: this looks like {protocol}", Byte(*.first))]
    Foreign {
        /// The first byte.
        first: u8,
        /// The protocol's name.
        protocol: &'static str,
    },
    /// A message that cannot come at this point of the connection. The length has not been looked at.
    #[error("type byte {} cannot come {when}", Byte(*.tag))]
    Unexpected {
        /// The type byte.
        tag: u8,
        /// Where the connection is.
        when: &'static str,
    },
    /// The length field is out of bounds.
    #[error("length {length}, expected {min} to {max}")]
    Length {
        /// As declared: it includes itself and the body, not the type byte.
        length: u32,
        /// Smallest legal length.
        min: u32,
        /// Largest accepted length.
        max: u32,
    },
    /// The body ends before the field does.
    #[error("{what} needs {needed} bytes, and the message ends after {left}")]
    Short {
        /// The field.
        what: &'static str,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A string has no NUL before the message ends.
    #[error("the string has no terminating NUL before the message ends")]
    Unterminated,
    /// There are bytes after the last field.
    #[error("{0} bytes after the end of the last field")]
    Trailing(usize),
    /// There are bytes after the end of what should be one message.
    #[error("{0} bytes after the end of the message")]
    Behind(usize),
    /// A length or count below zero. (Only -1 is allowed, as the length of a value that is NULL.)
    #[error("{what} {found}, expected {expected}")]
    Negative {
        /// The field.
        what: &'static str,
        /// Its value.
        found: i32,
        /// The allowed values.
        expected: &'static str,
    },
    /// A field has a value that is not allowed.
    #[error("{what} {found:#x}, expected {expected}")]
    Value {
        /// The field.
        what: &'static str,
        /// Its value.
        found: u32,
        /// The allowed values.
        expected: &'static str,
    },
    /// The peer's answer does not fit what it was asked.
    #[error("{0}")]
    Disagrees(&'static str),
}

impl Problem {
    /// The offset of the error in a header: its length, or its first byte.
    pub(crate) const fn offset(&self) -> usize {
        match self {
            Self::Length { .. } => 1,
            _ => 0,
        }
    }

    pub(crate) const fn of_foreign(first: u8, protocol: &'static str) -> Self {
        Self::Foreign { first, protocol }
    }

    /// The error for a byte that begins no message: the first byte of a TLS record (RFC 8446, section 5.1), or an
    /// unknown tag.
    pub(crate) const fn unknown(first: u8) -> Self {
        match first {
            0x15 | 0x16 => Self::of_foreign(first, "TLS"),
            _ => Self::UnknownTag(first),
        }
    }

    /// The same for a header whose length is out of bounds: it may be the beginning of HTTP (RFC 9112, sections 3 and
    /// 4; RFC 9113, section 3.4).
    pub(crate) fn of_header(self, header: &[u8]) -> Self {
        const HTTP: [[u8; 4]; 6] = [*b"HTTP", *b"GET ", *b"POST", *b"HEAD", *b"PUT ", *b"PRI "];
        match header.first_chunk::<4>() {
            Some([first @ (0x15 | 0x16), 3, ..]) => Self::unknown(*first),
            Some(word @ [first, ..]) if HTTP.contains(word) => Self::of_foreign(*first, "HTTP"),
            _ => self,
        }
    }
}

/// A byte as a character if it is printable, and in hexadecimal.
struct Byte(u8);

impl fmt::Display for Byte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_ascii_graphic() {
            write!(f, "'{}' ({:#04x})", char::from(self.0), self.0)
        } else {
            write!(f, "{:#04x}", self.0)
        }
    }
}
