//! TLS from the first byte on.

use core::fmt;

use super::{Traced, encoded};
use crate::pg::trace::Printer;
use crate::pg::write::{Header, Sink, Whole};

/// TLS begins without an SSLRequest (since PostgreSQL 17). This takes no bytes: all of them, from the first on, belong
/// to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DirectTls;

impl Whole for DirectTls {
    fn what(&self) -> &'static str {
        Self::NAME
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, _: &mut S) {}
}

encoded!(DirectTls, frontend(Unknown));

impl Traced for DirectTls {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.name(Self::NAME)
    }
}
