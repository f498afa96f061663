//! An error from a server that has not read anything yet.

use core::fmt;

use super::error_response::ErrorResponse;
use super::{Traced, encoded};
use crate::pg::text::Text;
use crate::pg::trace::Printer;
use crate::pg::write::{Header, Sink, Whole};

/// An error in the form of protocol 2.0: `E`, text, NUL. Servers before 14 send it if they fail before they have read
/// the StartupMessage, for example because they cannot fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PlainError<'a> {
    /// The text, often with a newline at its end.
    pub text: Text<'a>,
}

impl Whole for PlainError<'_> {
    fn what(&self) -> &'static str {
        Self::NAME
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(&[ErrorResponse::TAG]);
        out.text(self.text, "PlainError text")
    }
}

encoded!(PlainError<'a>, backend(EarlyReport));

impl Traced for PlainError<'_> {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.name(Self::NAME)?;
        out.text(self.text)
    }
}
