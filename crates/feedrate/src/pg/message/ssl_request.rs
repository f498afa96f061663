//! SSLRequest: an untagged packet without parameters.

use core::fmt;

use super::{Fields, startup};
use crate::pg::reader::{Bad, Reader};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

/// Asks for TLS. The answer is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SSLRequest;

impl SSLRequest {
    /// What stands in place of a version: `NEGOTIATE_SSL_CODE` in `libpq/pqcomm.h`.
    pub(crate) const CODE: u32 = 80_877_103;
}

impl<'a> Fields<'a> for SSLRequest {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        reader.u32("code").map(|_| Self)
    }

    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&Self::CODE.to_be_bytes())
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.code(Self::CODE)
    }
}

startup!(SSLRequest);
