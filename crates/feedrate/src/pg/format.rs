//! Format codes: how a value is represented.

use super::list::{Item, private};
use super::reader::{Bad, Reader};
use super::write::Sink;

/// How a value is represented on the wire. Signed, and other codes than the two are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Format(pub i16);

impl Format {
    /// The type's text form.
    pub const TEXT: Self = Self(0);
    /// The type's binary form.
    pub const BINARY: Self = Self(1);
}

impl Item<'_> for Format {}
impl private::Item<'_> for Format {
    const SIZE: Option<usize> = Some(2);

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        reader.i16("format code").map(Self)
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.0.to_be_bytes())
    }
}
