//! The messages of the extended query flow that have hardly a body: Describe, Close, Execute, Flush, Sync, and the answers
//! ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended.

use super::error::Problem;
use super::message::{Body, bodiless, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// What a [`Describe`] or [`Close`] is about. The unnamed one has an empty name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Target<'a> {
    /// `S`: a prepared statement.
    Statement(Text<'a>),
    /// `P`: a portal.
    Portal(Text<'a>),
}

impl<'a> Target<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        // Decided before the byte is taken, so that the error points at it.
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

    fn write<S: Sink>(self, out: &mut S, what: &'static str) {
        let (kind, name) = match self {
            Self::Statement(name) => (b'S', name),
            Self::Portal(name) => (b'P', name),
        };
        out.put(&[kind]);
        put_text(out, name, what)
    }
}

/// Asks for the description of a statement (ParameterDescription, then RowDescription or NoData) or of a portal (the latter alone).
///
/// ```
/// use feedrate::{Encode, pg::frontend::{Describe, Target}};
///
/// let mut out = Vec::new();
/// Describe { target: Target::Statement("s1".into()) }.encode(&mut out)?;
/// assert_eq!(out, b"D\0\0\0\x08Ss1\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Describe<'a> {
    /// What is to be described.
    pub target: Target<'a>,
}

tagged!(Describe<'_>, b'D', Frontend);

impl<'a> Body<'a> for Describe<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { target: Target::read(reader)? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        self.target.write(out, "Describe name")
    }
}

/// Closes a statement, and with it its portals, or a portal. A name that does not exist is not an error.
///
/// ```
/// use feedrate::{Encode, pg::frontend::{Close, Target}};
///
/// let mut out = Vec::new();
/// Close { target: Target::Portal("".into()) }.encode(&mut out)?;
/// assert_eq!(out, b"C\0\0\0\x06P\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Close<'a> {
    /// What is to be closed.
    pub target: Target<'a>,
}

tagged!(Close<'_>, b'C', Frontend);

impl<'a> Body<'a> for Close<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { target: Target::read(reader)? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        self.target.write(out, "Close name")
    }
}

/// Runs a portal.
///
/// ```
/// use feedrate::{Encode, pg::frontend::Execute};
///
/// let mut out = Vec::new();
/// Execute { portal: "".into(), max_rows: 0 }.encode(&mut out)?;
/// assert_eq!(out, b"E\0\0\0\x09\0\0\0\0\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Execute<'a> {
    /// The portal's name.
    pub portal: Text<'a>,
    /// After this many rows the server answers PortalSuspended. 0 and less: all rows.
    pub max_rows: i32,
}

tagged!(Execute<'_>, b'E', Frontend);

impl<'a> Body<'a> for Execute<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { portal: reader.text()?, max_rows: reader.i32("maximum number of rows")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.portal, "Execute portal");
        out.put(&self.max_rows.to_be_bytes())
    }
}

bodiless! {
    /// Has the server send what it has buffered, without ending the batch.
    Flush, b'H', Frontend
}
bodiless! {
    /// Ends a batch of the extended query flow. The server answers ReadyForQuery; after an error it discards everything up to here.
    Sync, b'S', Frontend
}
bodiless! {
    /// Answers Parse.
    ParseComplete, b'1', Backend
}
bodiless! {
    /// Answers Bind.
    BindComplete, b'2', Backend
}
bodiless! {
    /// Answers Close.
    CloseComplete, b'3', Backend
}
bodiless! {
    /// In place of RowDescription, for a statement or portal that returns no rows.
    NoData, b'n', Backend
}
bodiless! {
    /// In place of CommandComplete: Execute's row limit was reached.
    PortalSuspended, b's', Backend
}
bodiless! {
    /// The frontend is done, and closes the connection.
    Terminate, b'X', Frontend
}
