//! How a field is read, written and traced: one [`Form`] for each type of field, whatever message it is in.

use core::fmt;

use super::list::{Item, List};
use super::reader::{Bad, Reader};
use super::shape::Kind;
use super::text::{Secret, Text};
use super::trace::Printer;
use super::write::Sink;

/// The names, in errors, of a field and of the count in front of a list.
pub(crate) struct Name {
    pub(crate) field: &'static str,
    pub(crate) count: &'static str,
}

/// The form of a field of type `T`. Usually a type is its own form; where a type has several, `as` selects another one
/// in [`message!`](super::message::message).
pub(crate) trait Form<'a, T> {
    /// Reads and checks the field.
    fn read(reader: &mut Reader<'a>, name: &Name) -> Result<T, Bad>;

    /// Writes the same. `what` is the name of message and field.
    fn write<S: Sink>(value: T, out: &mut S, what: &'static str);

    /// Prints it as libpq does.
    fn trace(value: T, out: &mut Printer<'_, '_>) -> fmt::Result;

    /// A value that can be written.
    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<T>;
}

/// A form that can come in [pieces](super::stream).
pub(crate) trait Pieces {
    const KIND: Kind;
}

/// Up to a NUL.
impl<'a> Form<'a, Self> for Text<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        reader.text()
    }

    #[inline]
    fn write<S: Sink>(text: Self, out: &mut S, what: &'static str) {
        out.text(text, what)
    }

    fn trace(text: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.text(text)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

impl Pieces for Text<'_> {
    const KIND: Kind = Kind::Text;
}

/// All bytes that are left.
impl<'a> Form<'a, Self> for &'a [u8] {
    #[inline]
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        Ok(reader.rest())
    }

    #[inline]
    fn write<S: Sink>(bytes: Self, out: &mut S, _: &'static str) {
        out.put(bytes)
    }

    fn trace(bytes: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.data(bytes)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

impl Pieces for &[u8] {
    const KIND: Kind = Kind::Rest;
}

/// All bytes that are left, secret.
impl<'a> Form<'a, Self> for Secret<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        Ok(Self::from(reader.rest()))
    }

    #[inline]
    fn write<S: Sink>(secret: Self, out: &mut S, _: &'static str) {
        out.put(secret.expose())
    }

    fn trace(_: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.hidden()
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

/// After its length; -1 is NULL.
impl<'a> Form<'a, Self> for Option<&'a [u8]> {
    #[inline]
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        reader.value()
    }

    #[inline]
    fn write<S: Sink>(value: Self, out: &mut S, _: &'static str) {
        out.value(value)
    }

    fn trace(value: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.value(value)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

impl Pieces for Option<&[u8]> {
    const KIND: Kind = Kind::Value;
}

macro_rules! integers {
    ($($Type:ident, $trace:ident;)*) => {
        $(
            impl Form<'_, Self> for $Type {
                #[inline]
                fn read(reader: &mut Reader<'_>, name: &Name) -> Result<Self, Bad> {
                    reader.$Type(name.field)
                }

                #[inline]
                fn write<S: Sink>(number: Self, out: &mut S, _: &'static str) {
                    out.put(&number.to_be_bytes())
                }

                fn trace(number: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
                    out.$trace(number)
                }

                #[cfg(feature = "arbitrary")]
                fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Self> {
                    u.arbitrary()
                }
            }
        )*
    };
}

integers! {
    i16, int16;
    i32, number;
    // Unsigned fields are object identifiers.
    u32, oid;
}

impl Pieces for u32 {
    const KIND: Kind = Kind::Int32;
}

/// The number of a process, which differs between runs.
pub(crate) struct Process;

impl Form<'_, i32> for Process {
    #[inline]
    fn read(reader: &mut Reader<'_>, name: &Name) -> Result<i32, Bad> {
        reader.i32(name.field)
    }

    #[inline]
    fn write<S: Sink>(number: i32, out: &mut S, _: &'static str) {
        out.put(&number.to_be_bytes())
    }

    fn trace(number: i32, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.volatile(number)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<i32> {
        u.arbitrary()
    }
}

/// Items after their count, an Int16; or, for items that are `TERMINATED`, up to a zero byte.
impl<'a, T: Item<'a>> Form<'a, Self> for List<'a, T> {
    #[inline]
    fn read(reader: &mut Reader<'a>, name: &Name) -> Result<Self, Bad> {
        if T::TERMINATED {
            return Self::read_terminated(reader, name.field);
        }
        let count = reader.u16(name.count)?;
        Self::read(reader, count, name.field)
    }

    #[inline]
    fn write<S: Sink>(list: Self, out: &mut S, what: &'static str) {
        if T::TERMINATED { list.write_terminated(out) } else { list.write_counted(out, what) }
    }

    fn trace(list: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        if !T::TERMINATED {
            out.number(list.len())?;
        }
        list.iter().try_for_each(|item| item.trace(out))?;
        T::trace_end(out)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}

impl Pieces for List<'_, u32> {
    const KIND: Kind = Kind::Array { size: 4 };
}

impl Pieces for List<'_, Option<&[u8]>> {
    const KIND: Kind = Kind::Values;
}
