//! DataRow: one row of a result.

use core::iter::FusedIterator;

use super::message;
use crate::pg::frame::HEADER;
use crate::pg::list::List;
use crate::pg::reader::split_value;

message! {
    /// One row of a result.
    ///
    /// How many columns it has is its own word; who knows the [`RowDescription`](crate::pg::backend::RowDescription)
    /// compares.
    ///
    /// ```
    /// use feedrate::{Encode, pg::{List, backend::DataRow}};
    ///
    /// let mut out = Vec::new();
    /// DataRow { columns: List::from(&[Some(&b"1"[..]), None]) }.encode(&mut out)?;
    /// assert_eq!(out, b"D\0\0\0\x0f\0\x02\0\0\0\x011\xff\xff\xff\xff");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct DataRow<'a> = b'D', backend(Long) {
        /// The columns' values, `None` for NULL.
        pub columns: List<'a, Option<&'a [u8]>> => Values,
    }
}

impl<'a> DataRow<'a> {
    /// A row in which nothing is wrong. What is wrong with another one, and where, [`Fields::read`](super::Fields)
    /// finds out.
    ///
    /// Rows are most of what there is: this is inlined into the caller's loop, and keeps the reader, which remembers
    /// problems, out of it.
    #[inline]
    pub(crate) fn read_good(body: &'a [u8]) -> Option<Self> {
        let (count, values) = body.split_first_chunk()?;
        Some(Self { columns: List::of_good_values(values, u16::from_be_bytes(*count))? })
    }
}

/// The columns of a row, checked as they are walked through: [`Frame::columns`](crate::pg::Frame::columns).
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    /// What has not been walked through.
    rest: &'a [u8],
    /// How many columns that are. Not as narrow as on the wire: counting down 16 bits takes more instructions.
    left: usize,
}

/// A row ends before its columns do, or behind them, or a column has a length that none can have.
///
/// What is wrong, and where, is what [`Frame::message`](crate::pg::Frame::message) says. It is left out here for the
/// sake of the loop over a row, which would have to carry it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed DataRow")]
pub struct BadRow;

impl<'a> Columns<'a> {
    /// The columns of a frame that is a DataRow.
    #[inline]
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        let body = raw.get(HEADER..).unwrap_or_default();
        match body.split_first_chunk() {
            Some((count, rest)) => Self { rest, left: usize::from(u16::from_be_bytes(*count)) },
            // One that is not there: what is wrong is said when it is looked for.
            None => Self { rest: &[], left: 1 },
        }
    }
}

impl<'a> Iterator for Columns<'a> {
    type Item = Result<Option<&'a [u8]>, BadRow>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            if let Some((value, rest)) = split_value(self.rest) {
                self.rest = rest;
                return Some(Ok(value));
            }
        } else if self.rest.is_empty() {
            return None;
        }
        *self = Self { rest: &[], left: 0 };
        Some(Err(BadRow))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        // A bad column is the last, and an error can follow the last good one.
        (0, Some(self.left.saturating_add(1)))
    }
}

impl FusedIterator for Columns<'_> {}
