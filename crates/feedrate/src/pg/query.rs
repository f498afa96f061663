//! Query and its short answers: `protocol-message-formats.html`, the simple query flow.

use super::message::{Body, bodiless, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// One or more SQL statements, run at once.
///
/// ```
/// use feedrate::{Encode, pg::frontend::Query};
///
/// let mut out = Vec::new();
/// Query { sql: "select 1".into() }.encode(&mut out)?;
/// assert_eq!(out, b"Q\0\0\0\x0dselect 1\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Query<'a> {
    /// The statements, separated by semicolons.
    pub sql: Text<'a>,
}

tagged!(Query<'_>, b'Q', Frontend);

impl<'a> Body<'a> for Query<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { sql: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.sql, "Query sql")
    }
}

bodiless! {
    /// In place of CommandComplete, for a query string without a command in it.
    EmptyQueryResponse, b'I', Backend
}
