//! DataRow: one row of a result.

use super::list::List;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::write::LARGE;
use crate::encode::{EncodeError, Output};

/// One row of a result.
///
/// How many columns it has is its own word; who knows the [`RowDescription`](super::backend::RowDescription) compares.
///
/// ```
/// use feedrate::{Encode, pg::{List, backend::DataRow}};
///
/// let mut out = Vec::new();
/// DataRow { columns: List::from(&[Some(&b"1"[..]), None]) }.encode(&mut out)?;
/// assert_eq!(out, b"D\0\0\0\x0f\0\x02\0\0\0\x011\xff\xff\xff\xff");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DataRow<'a> {
    /// The columns' values, `None` for NULL.
    pub columns: List<'a, Option<&'a [u8]>>,
}

tagged!(DataRow<'_>, b'D', LARGE);

impl<'a> DataRow<'a> {
    /// A row in which nothing is wrong. What is wrong with another one, and where, [`Body::read`] finds out.
    ///
    /// Rows are most of what there is: this is inlined into the caller's loop, and keeps the reader, which remembers problems, out of it.
    #[inline]
    pub(crate) fn read_good(body: &'a [u8]) -> Option<Self> {
        let (count, values) = body.split_first_chunk()?;
        Some(Self { columns: List::of_good_values(values, u16::from_be_bytes(*count))? })
    }
}

impl<'a> Body<'a> for DataRow<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let count = reader.u16("number of columns")?;
        Ok(Self { columns: List::read(reader, count, "columns")? })
    }

    #[inline]
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        self.columns.write_counted(out, "DataRow columns")
    }
}
