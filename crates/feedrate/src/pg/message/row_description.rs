//! RowDescription: the columns of a result.

use super::{item, message};
use crate::pg::format::Format;
use crate::pg::list::List;
use crate::pg::text::Text;

message! {
    /// The columns of the rows that follow.
    ///
    /// ```
    /// use feedrate::{Encode, pg::{List, backend::{Field, RowDescription}}};
    ///
    /// let fields = [Field { name: "id".into(), type_oid: 23, type_size: 4, ..Field::default() }];
    /// let mut out = Vec::new();
    /// RowDescription { fields: List::from(&fields) }.encode(&mut out)?;
    /// assert_eq!(out.len(), 1 + 4 + 2 + 3 + 18);
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct RowDescription<'a> = b'T', backend(Long) {
        /// The columns, in order.
        pub fields: List<'a, Field<'a>>,
    }
}

item! {
    /// One column of a result.
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
        /// `pg_attribute.atttypmod`, whose meaning depends on the type; -1 for none.
        pub type_modifier: i32,
        /// How the values are represented. In answer to Describe of a statement this is not known yet, so it is 0.
        pub format: Format,
    }
}

impl Default for Field<'_> {
    /// A column in text form, without a name, table, type or modifier.
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
