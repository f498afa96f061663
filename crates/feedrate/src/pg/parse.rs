//! Parse and ParameterDescription: a statement and the types of its parameters.

use super::list::List;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// Makes a prepared statement.
///
/// ```
/// use feedrate::{Encode, pg::frontend::Parse};
///
/// let mut out = Vec::new();
/// Parse { statement: "s1".into(), sql: "select $1".into(), parameter_types: (&[23]).into() }.encode(&mut out)?;
/// assert_eq!(out, b"P\0\0\0\x17s1\0select $1\0\0\x01\0\0\0\x17");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Parse<'a> {
    /// The name of the statement to be made, empty for the unnamed one.
    pub statement: Text<'a>,
    /// One SQL statement.
    pub sql: Text<'a>,
    /// Object identifiers of the parameters' types, as many as the frontend wants to prescribe; 0 leaves one to the server.
    pub parameter_types: List<'a, u32>,
}

tagged!(Parse<'_>, b'P', Frontend);

impl<'a> Body<'a> for Parse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let statement = reader.text()?;
        let sql = reader.text()?;
        let count = reader.u16("number of parameter types")?;
        Ok(Self { statement, sql, parameter_types: List::read(reader, count, "parameter types")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.statement, "Parse statement");
        put_text(out, self.sql, "Parse sql");
        self.parameter_types.write_counted(out, "Parse parameter types")
    }
}

/// The types of a statement's parameters, in answer to Describe.
///
/// libpq refuses one of more than 7498 parameters: its type byte is missing in the list of those that may be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ParameterDescription<'a> {
    /// Object identifiers.
    pub types: List<'a, u32>,
}

tagged!(ParameterDescription<'_>, b't', Backend);

impl<'a> Body<'a> for ParameterDescription<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let count = reader.u16("number of parameters")?;
        Ok(Self { types: List::read(reader, count, "parameter types")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        self.types.write_counted(out, "ParameterDescription types")
    }
}
