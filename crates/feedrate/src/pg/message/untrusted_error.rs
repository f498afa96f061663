//! An error that cannot be trusted.

use core::fmt;

use super::{Traced, encoded};
use crate::pg::cap::width;
use crate::pg::frame::HEADER;
use crate::pg::trace::Printer;
use crate::pg::write::{Header, Sink, Whole};

/// An error in answer to SSLRequest or GSSENCRequest. Anybody on the network may have sent it, so do not show its text
/// to a user as if it came from the server (CVE-2024-10977), and close the connection.
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

#[cfg(feature = "defmt")]
impl defmt::Format for UntrustedError<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "UntrustedError({=usize} bytes)", self.raw.len());
    }
}

impl fmt::Debug for UntrustedError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UntrustedError({} bytes)", self.raw.len())
    }
}

impl<'a> UntrustedError<'a> {
    /// It may be a message of protocol 3, with a type byte and a length, or text. A limit applies to the length, or to
    /// all of the text.
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
        Self::NAME
    }

    fn header(&self) -> Header {
        self.split().0
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(self.split().1)
    }
}

encoded!(UntrustedError<'a>, backend(EarlyReport));

/// The text is left out: it cannot be trusted.
impl Traced for UntrustedError<'_> {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.name(Self::NAME)
    }
}

/// Always empty: its content is not the server's, and cannot be constructed here either.
#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for UntrustedError<'a> {
    fn arbitrary(_: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self { raw: b"E\0\0\0\x05\0" })
    }
}
