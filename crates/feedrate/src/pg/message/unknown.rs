//! Messages of unknown type.

use core::fmt;

use super::{Traced, encoded};
use crate::pg::trace::Printer;
use crate::pg::write::{Header, Sink, Whole};

/// A message of unknown type, if the caller admits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unknown<'a> {
    /// The type byte. If it is a known one, the message can be encoded, but will be read as the known message.
    pub tag: u8,
    /// Everything after the length.
    pub body: &'a [u8],
}

impl Whole for Unknown<'_> {
    fn what(&self) -> &'static str {
        "unknown message"
    }

    fn header(&self) -> Header {
        Header::Tag(self.tag)
    }

    fn fields<S: Sink>(&self, out: &mut S) {
        out.put(self.body)
    }
}

encoded!(Unknown<'a>, backend(Unknown), frontend(Unknown));

impl Traced for Unknown<'_> {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.name(format_args!("Unknown message: {:02x}", self.tag))
    }
}
