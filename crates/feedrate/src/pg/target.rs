//! The target of Describe and Close: a statement or a portal.

use core::fmt;

use super::error::Problem;
use super::form::{Form, Name};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::trace::Printer;
use super::write::Sink;

/// The target of a [`Describe`](super::frontend::Describe) or [`Close`](super::frontend::Close). The unnamed statement
/// or portal has an empty name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: a third kind would be another protocol.
pub enum Target<'a> {
    /// `S`: a prepared statement.
    Statement(Text<'a>),
    /// `P`: a portal.
    Portal(Text<'a>),
}

impl<'a> Target<'a> {
    const fn parts(self) -> (u8, Text<'a>) {
        match self {
            Self::Statement(name) => (b'S', name),
            Self::Portal(name) => (b'P', name),
        }
    }
}

impl<'a> Form<'a, Self> for Target<'a> {
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        // Checked before the byte is taken, so that the error points at it.
        match reader.peek().first() {
            None | Some(b'S' | b'P') => {}
            Some(&kind) => {
                let expected = "'S' for a statement or 'P' for a portal";
                return Err(reader.bad(Problem::Value { what: "kind", found: u32::from(kind), expected }));
            }
        }
        let kind = reader.u8("kind")?;
        let name = reader.text()?;
        Ok(if kind == b'S' { Self::Statement(name) } else { Self::Portal(name) })
    }

    fn write<S: Sink>(target: Self, out: &mut S, what: &'static str) {
        let (kind, name) = target.parts();
        out.put(&[kind]);
        out.text(name, what)
    }

    fn trace(target: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        let (kind, name) = target.parts();
        out.byte(kind)?;
        out.text(name)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}
