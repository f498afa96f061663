//! RowDescription: the columns of a result.

use super::format::Format;
use super::list::{Item, List, private};
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// The columns of the rows that follow.
///
/// ```
/// use feedrate::{Encode, pg::{Format, List, backend::{Field, RowDescription}}};
///
/// let fields = [Field { name: "id".into(), type_oid: 23, type_size: 4, ..Field::default() }];
/// let mut out = Vec::new();
/// RowDescription { fields: List::from(&fields) }.encode(&mut out)?;
/// assert_eq!(out.len(), 1 + 4 + 2 + 3 + 18);
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct RowDescription<'a> {
    /// The columns, in order.
    pub fields: List<'a, Field<'a>>,
}

/// One column of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Field<'a> {
    /// The column's name.
    pub name: Text<'a>,
    /// The table it comes from, or 0.
    pub table_oid: u32,
    /// Its number in that table, or 0. System columns have negative ones.
    pub column_number: i16,
    /// Its type.
    pub type_oid: u32,
    /// `pg_type.typlen`: bytes, -1 for a varying length, -2 for a C string.
    pub type_size: i16,
    /// `pg_attribute.atttypmod`, whose meaning is the type's; -1 for none.
    pub type_modifier: i32,
    /// How the values are represented. In answer to Describe on a statement this is not known yet, and 0.
    pub format: Format,
}

impl Default for Field<'_> {
    /// A nameless column of no table, type or modifier, in text form.
    fn default() -> Self {
        Self {
            name: Text::default(),
            table_oid: 0,
            column_number: 0,
            type_oid: 0,
            type_size: -1,
            type_modifier: -1,
            format: Format::TEXT,
        }
    }
}

tagged!(RowDescription<'_>, b'T', Backend);

impl<'a> Body<'a> for RowDescription<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let count = reader.u16("number of columns")?;
        Ok(Self { fields: List::read(reader, count, "columns")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        self.fields.write_counted(out, "RowDescription fields")
    }
}

impl<'a> Item<'a> for Field<'a> {}
impl<'a> private::Item<'a> for Field<'a> {
    // A call: the check of the list and the walk over it share it.
    #[inline(never)]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self {
            name: reader.text()?,
            table_oid: reader.u32("table")?,
            column_number: reader.i16("column number")?,
            type_oid: reader.u32("type")?,
            type_size: reader.i16("type size")?,
            type_modifier: reader.i32("type modifier")?,
            format: Format(reader.i16("format code")?),
        })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.name, "column name");
        out.put(&self.table_oid.to_be_bytes());
        out.put(&self.column_number.to_be_bytes());
        out.put(&self.type_oid.to_be_bytes());
        out.put(&self.type_size.to_be_bytes());
        out.put(&self.type_modifier.to_be_bytes());
        out.put(&self.format.0.to_be_bytes())
    }
}
