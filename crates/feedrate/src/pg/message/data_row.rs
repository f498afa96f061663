//! DataRow: one row of a result.

use core::iter::FusedIterator;

use super::message;
use crate::pg::frame::HEADER;
use crate::pg::list::List;
use crate::pg::reader::split_value;

message! {
    /// One row of a result.
    ///
    /// The number of columns is not compared with the [`RowDescription`](crate::pg::backend::RowDescription).
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
    /// Reads a well-formed row. For any other, [`Fields::read`](super::Fields) finds out what is wrong.
    ///
    /// Most messages are rows, so this is inlined into the caller's loop, and avoids the reader, which remembers
    /// errors.
    #[inline]
    pub(crate) fn read_good(body: &'a [u8]) -> Option<Self> {
        let (count, values) = body.split_first_chunk()?;
        Some(Self { columns: List::of_good_values(values, u16::from_be_bytes(*count))? })
    }
}

/// The columns of a row, checked during the iteration: [`Frame::columns`](crate::pg::Frame::columns).
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    /// The rest of the row.
    rest: &'a [u8],
    /// Columns that are left. Wider than on the wire: counting down 16 bits takes more instructions.
    left: usize,
}

/// A row is too short or too long for its columns, or a column has an invalid length.
///
/// [`Frame::message`](crate::pg::Frame::message) returns what is wrong, and where. It is left out here to keep the loop
/// over a row fast.
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
            // Claim one column that is not there, so that the iteration returns the error.
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
        // A bad column ends the iteration, and an error can follow the last good one.
        (0, Some(self.left.saturating_add(1)))
    }
}

impl FusedIterator for Columns<'_> {}
