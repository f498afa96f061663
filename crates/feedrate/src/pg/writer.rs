//! Messages written field by field, with no collection of their values in between: [`DataRowWriter`], [`BindWriter`],
//! [`CopyDataWriter`].
//!
//! Each holds the output until it is finished. One that is dropped before, because a field could not be written or the caller
//! changed their mind, leaves the output as it was.

use core::fmt;

use super::backend::DataRow;
use super::format::Format;
use super::frontend::{Bind, CopyData};
use super::list::List;
use super::text::Text;
use super::write::{LARGE, put_length, put_text, put_value};
use crate::encode::{EncodeError, Output};

/// A message that has been begun. Unless it is finished, its bytes are taken back.
struct Open<'o, O: Output> {
    out: &'o mut O,
    start: usize,
    what: &'static str,
    finished: bool,
}

impl<'o, O: Output> Open<'o, O> {
    fn begin(out: &'o mut O, tag: u8, what: &'static str) -> Result<Self, EncodeError> {
        let start = out.length();
        out.put(&[tag, 0, 0, 0, 0])?;
        Ok(Self { out, start, what, finished: false })
    }

    /// Fills in the length, and answers how many bytes the message has.
    fn finish(mut self) -> Result<usize, EncodeError> {
        put_length(self.out, self.start.saturating_add(1), self.what, LARGE)?;
        self.finished = true;
        Ok(self.out.length().saturating_sub(self.start))
    }
}

impl<O: Output> Drop for Open<'_, O> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// Values that are being counted: an Int16 is filled in when all are there.
struct Values<'o, O: Output> {
    open: Open<'o, O>,
    place: usize,
    count: u16,
    /// A value was begun and could not be written. What follows it would be read as a part of it.
    broken: Option<EncodeError>,
}

impl<'o, O: Output> Values<'o, O> {
    fn begin(open: Open<'o, O>) -> Result<Self, EncodeError> {
        let place = open.out.length();
        open.out.put(&[0; 2])?;
        Ok(Self { open, place, count: 0, broken: None })
    }

    fn count(&mut self) -> Result<(), EncodeError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let limit = usize::from(u16::MAX);
        let more = self.count.checked_add(1);
        let too_many = EncodeError::TooLarge { what: self.open.what, size: limit.saturating_add(1), limit };
        self.count = more.ok_or(too_many).inspect_err(|error| self.broken = Some(*error))?;
        Ok(())
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.count()?;
        put_value(self.open.out, value).inspect_err(|error| self.broken = Some(*error))
    }

    fn value_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.count()?;
        // Whatever happens in there, half a value must not be taken for a whole one.
        self.broken =
            Some(EncodeError::Invalid { what: self.open.what, expected: "every value to be written" });
        let start = self.open.out.length();
        self.open.out.put(&[0; 4])?;
        write(self.open.out)?;
        let size = self.open.out.length().saturating_sub(start).saturating_sub(4);
        let length =
            i32::try_from(size).map_err(|_| EncodeError::TooLarge { what: "value", size, limit: LARGE })?;
        self.patch(start, length.to_be_bytes());
        self.broken = None;
        Ok(())
    }

    fn patch<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        if let Some(place) =
            self.open.out.written().get_mut(at..).and_then(|written| written.first_chunk_mut())
        {
            *place = bytes;
        }
    }

    fn finish(mut self) -> Result<Open<'o, O>, EncodeError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.patch(self.place, self.count.to_be_bytes());
        Ok(self.open)
    }
}

/// Writes a [`DataRow`] column by column.
///
/// ```
/// use feedrate::{EncodeError, Output, pg::writer::DataRowWriter};
///
/// let mut out = Vec::new();
/// let mut row = DataRowWriter::begin(&mut out)?;
/// row.column(Some(b"1"))?;
/// row.column(None)?;
/// row.column_with(|out| out.put(b"made in place"))?;
/// assert_eq!(row.finish()?, 7 + 5 + 4 + 17);
///
/// // What is not finished has not been written.
/// let before = out.clone();
/// let mut row = DataRowWriter::begin(&mut out)?;
/// row.column(Some(b"1"))?;
/// drop(row);
/// assert_eq!(out, before);
/// # Ok::<(), EncodeError>(())
/// ```
#[must_use = "a row that is not finished is taken back"]
pub struct DataRowWriter<'o, O: Output>(Values<'o, O>);

impl<'o, O: Output> DataRowWriter<'o, O> {
    /// Begins a row at the end of `out`.
    ///
    /// # Errors
    ///
    /// When the output is full.
    #[inline]
    pub fn begin(out: &'o mut O) -> Result<Self, EncodeError> {
        Values::begin(Open::begin(out, DataRow::TAG, DataRow::NAME)?).map(Self)
    }

    /// The next column's value; `None` for NULL.
    ///
    /// # Errors
    ///
    /// When the output is full, the value is too large, or it would be the 65536th.
    #[inline]
    pub fn column(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.0.value(value)
    }

    /// The next column's value, which `write` appends to the output: for values that are made on the way.
    ///
    /// `write` is to append only.
    ///
    /// # Errors
    ///
    /// As [`column`](Self::column), and whatever `write` answers.
    pub fn column_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.value_with(write)
    }

    /// Ends the row, and answers how many bytes the message has.
    ///
    /// # Errors
    ///
    /// When the message is too large, or a column could not be written.
    #[inline]
    pub fn finish(self) -> Result<usize, EncodeError> {
        self.0.finish()?.finish()
    }
}

/// Writes a [`Bind`] parameter by parameter.
///
/// ```
/// use feedrate::{EncodeError, pg::{Format, List, writer::BindWriter}};
///
/// let mut out = Vec::new();
/// let mut bind = BindWriter::begin(&mut out, "".into(), "s1".into(), List::EMPTY)?;
/// bind.parameter(Some(b"42"))?;
/// bind.parameter(None)?;
/// bind.finish(List::from(&[Format::BINARY]))?;
/// assert_eq!(out, b"B\0\0\0\x1a\0s1\0\0\0\0\x02\0\0\0\x0242\xff\xff\xff\xff\0\x01\0\x01");
/// # Ok::<(), EncodeError>(())
/// ```
#[must_use = "a message that is not finished is taken back"]
pub struct BindWriter<'o, O: Output>(Values<'o, O>);

impl<'o, O: Output> BindWriter<'o, O> {
    /// Begins the message at the end of `out`, up to the parameters.
    ///
    /// # Errors
    ///
    /// When the output is full, or a name holds a NUL.
    pub fn begin(
        out: &'o mut O,
        portal: Text<'_>,
        statement: Text<'_>,
        parameter_formats: List<'_, Format>,
    ) -> Result<Self, EncodeError> {
        let open = Open::begin(out, Bind::TAG, Bind::NAME)?;
        put_text(open.out, portal, "Bind portal")?;
        put_text(open.out, statement, "Bind statement")?;
        parameter_formats.write_counted(open.out, "Bind parameter formats")?;
        Values::begin(open).map(Self)
    }

    /// The next parameter's value; `None` for NULL.
    ///
    /// # Errors
    ///
    /// When the output is full, the value is too large, or it would be the 65536th.
    #[inline]
    pub fn parameter(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.0.value(value)
    }

    /// The next parameter's value, which `write` appends to the output: for values that are made on the way.
    ///
    /// `write` is to append only.
    ///
    /// # Errors
    ///
    /// As [`parameter`](Self::parameter), and whatever `write` answers.
    pub fn parameter_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.value_with(write)
    }

    /// Ends the message, and answers how many bytes it has.
    ///
    /// # Errors
    ///
    /// When the output is full, the message is too large, or a parameter could not be written.
    pub fn finish(self, result_formats: List<'_, Format>) -> Result<usize, EncodeError> {
        let open = self.0.finish()?;
        result_formats.write_counted(open.out, "Bind result formats")?;
        open.finish()
    }
}

/// Writes a [`CopyData`] in pieces.
///
/// ```
/// use feedrate::{EncodeError, pg::writer::CopyDataWriter};
///
/// let mut out = Vec::new();
/// let mut copy = CopyDataWriter::begin(&mut out)?;
/// copy.put(b"1\t")?;
/// copy.put(b"2\n")?;
/// copy.finish()?;
/// assert_eq!(out, b"d\0\0\0\x081\t2\n");
/// # Ok::<(), EncodeError>(())
/// ```
#[must_use = "a message that is not finished is taken back"]
pub struct CopyDataWriter<'o, O: Output>(Open<'o, O>);

impl<'o, O: Output> CopyDataWriter<'o, O> {
    /// Begins the message at the end of `out`.
    ///
    /// # Errors
    ///
    /// When the output is full.
    pub fn begin(out: &'o mut O) -> Result<Self, EncodeError> {
        Open::begin(out, CopyData::TAG, CopyData::NAME).map(Self)
    }

    /// Appends `bytes` to the data.
    ///
    /// # Errors
    ///
    /// When the output is full; then nothing has been appended.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.out.put(bytes)
    }

    /// Ends the message, and answers how many bytes it has.
    ///
    /// # Errors
    ///
    /// When the message is too large.
    pub fn finish(self) -> Result<usize, EncodeError> {
        self.0.finish()
    }
}

macro_rules! debug {
    ($($Writer:ident),*) => {
        $(
            /// What has been written may be anybody's, and is only counted.
            impl<O: Output> fmt::Debug for $Writer<'_, O> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($Writer)).finish_non_exhaustive()
                }
            }
        )*
    };
}

debug!(DataRowWriter, BindWriter, CopyDataWriter);
