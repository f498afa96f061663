//! GSSENCRequest: an untagged packet without parameters.

use core::fmt;

use super::{Fields, startup};
use crate::pg::reader::{Bad, Reader};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

/// Asks for GSSAPI encryption. The answer is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GSSENCRequest;

impl GSSENCRequest {
    /// What stands in place of a version: `NEGOTIATE_GSS_CODE` in `libpq/pqcomm.h`.
    pub(crate) const CODE: u32 = 80_877_104;
}

impl<'a> Fields<'a> for GSSENCRequest {
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

startup!(GSSENCRequest);
