//! Format codes: how a value is represented.

use core::fmt;

use super::form::{Form, Name, Pieces};
use super::list::{Item, List, sealed};
use super::reader::{Bad, Reader};
use super::shape::Kind;
use super::trace::Printer;
use super::write::Sink;
use crate::encode::EncodeError;

/// How a value is represented on the wire. The code is signed; unknown codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Format(pub i16);

impl Format {
    /// The type's text form.
    pub const TEXT: Self = Self(0);
    /// The type's binary form.
    pub const BINARY: Self = Self(1);
}

impl From<i16> for Format {
    fn from(code: i16) -> Self {
        Self(code)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TEXT => f.write_str("text"),
            Self::BINARY => f.write_str("binary"),
            Self(code) => write!(f, "format {code}"),
        }
    }
}

impl Item<'_> for Format {}
impl sealed::Item<'_> for Format {
    const SIZE: Option<usize> = Some(2);

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        reader.i16("format code").map(Self)
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.0.to_be_bytes())
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.int16(self.0)
    }
}

impl Pieces for List<'_, Format> {
    const KIND: Kind = Kind::Array { size: 2 };
}

impl Form<'_, Self> for Format {
    #[inline]
    fn read(reader: &mut Reader<'_>, name: &Name) -> Result<Self, Bad> {
        reader.i16(name.field).map(Self)
    }

    #[inline]
    fn write<S: Sink>(format: Self, out: &mut S, _: &'static str) {
        out.put(&format.0.to_be_bytes())
    }

    fn trace(format: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.int16(format.0)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

impl Pieces for Format {
    const KIND: Kind = Kind::Int16;
}

/// A format in one byte, as in CopyInResponse, CopyOutResponse and CopyBothResponse.
pub(crate) struct OneByte;

impl Form<'_, Format> for OneByte {
    fn read(reader: &mut Reader<'_>, name: &Name) -> Result<Format, Bad> {
        reader.u8(name.field).map(|code| Format(code.into()))
    }

    // Not inlined: shared by three messages.
    #[inline(never)]
    fn write<S: Sink>(format: Format, out: &mut S, what: &'static str) {
        match u8::try_from(format.0) {
            Ok(code) => out.put(&[code]),
            Err(_) => out.refuse(EncodeError::Invalid { what, expected: "a format of 0 to 255" }),
        }
    }

    fn trace(format: Format, out: &mut Printer<'_, '_>) -> fmt::Result {
        // A format that does not fit into a byte cannot be on the wire.
        out.byte(u8::try_from(format.0).unwrap_or(u8::MAX))
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Format> {
        Ok(Format(u8::into(u.arbitrary()?)))
    }
}
