//! Messages written field by field, without collecting the values first: [`DataRowWriter`], [`BindWriter`],
//! [`CopyDataWriter`].
//!
//! Each holds the output until it is finished. If it is dropped before that, because of an error or for any other
//! reason, the output is left as it was.

use core::fmt;

use super::format::Format;
use super::limits::backend::{self, BackendLimits};
use super::limits::frontend::{self, FrontendLimits};
use super::limits::{Limits, Sent};
use super::list::List;
use super::message::bind::Bind;
use super::message::copy_data::CopyData;
use super::message::data_row::DataRow;
use super::text::Text;
use super::write::{Measure, Puts, Sink, within};
use crate::encode::{EncodeError, Output};

/// A message that has been begun. Unless it is finished, its bytes are removed.
struct Open<'o, O: Output> {
    out: &'o mut O,
    start: usize,
    what: &'static str,
    /// The largest allowed length.
    limit: u32,
    /// A part could not be written. Whatever followed would be read in its place.
    broken: Option<EncodeError>,
    finished: bool,
}

impl<'o, O: Output> Open<'o, O> {
    fn begin(out: &'o mut O, tag: u8, what: &'static str, limit: u32) -> Result<Self, EncodeError> {
        within(4, what, limit)?;
        let start = out.length();
        out.put(&[tag, 0, 0, 0, 0])?;
        Ok(Self { out, start, what, limit, broken: None, finished: false })
    }

    /// The value of the length field after `more` bytes.
    fn size(&self, more: usize) -> usize {
        self.out.length().saturating_sub(self.start).saturating_sub(1).saturating_add(more)
    }

    /// Writes a part of `size` bytes, if the message stays within its limit.
    #[inline]
    fn part(
        &mut self,
        size: usize,
        write: impl FnOnce(&mut O) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.check()?;
        let result = within(self.size(size), self.what, self.limit).and_then(|()| write(self.out));
        self.broken = result.err();
        result
    }

    fn check(&self) -> Result<(), EncodeError> {
        self.broken.map_or(Ok(()), Err)
    }

    fn patch<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        if let Some(place) = self.out.written().get_mut(at..).and_then(|written| written.first_chunk_mut()) {
            *place = bytes;
        }
    }

    /// Fills in the length, and returns the size of the message in bytes.
    fn finish(mut self) -> Result<usize, EncodeError> {
        self.check()?;
        let size = self.size(0);
        self.patch(self.start.saturating_add(1), u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
        self.finished = true;
        Ok(size.saturating_add(1))
    }
}

impl<O: Output> Drop for Open<'_, O> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// A placeholder for a value's length while the value is being written. No length has this value, so it is noticed if
/// the placeholder is gone.
const OPEN: [u8; 4] = (-2_i32).to_be_bytes();

/// Writes fields into an output.
#[inline]
fn puts<O: Output>(out: &mut O, fields: impl FnOnce(&mut Puts<'_, O>)) -> Result<(), EncodeError> {
    let mut puts = Puts::new(out);
    fields(&mut puts);
    puts.result()
}

/// Counts values: the Int16 is filled in when all are there.
struct Values<'o, O: Output> {
    open: Open<'o, O>,
    place: usize,
    count: u16,
}

impl<'o, O: Output> Values<'o, O> {
    fn begin(mut open: Open<'o, O>) -> Result<Self, EncodeError> {
        let place = open.out.length();
        open.part(2, |out| out.put(&[0; 2]))?;
        Ok(Self { open, place, count: 0 })
    }

    fn count(&mut self) -> Result<(), EncodeError> {
        self.open.check()?;
        let limit = usize::from(u16::MAX);
        let more = self.count.checked_add(1);
        let too_many = EncodeError::TooLarge { what: self.open.what, size: limit.saturating_add(1), limit };
        self.count = more.ok_or(too_many).inspect_err(|error| self.open.broken = Some(*error))?;
        Ok(())
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.count()?;
        let size = value.unwrap_or_default().len().saturating_add(4);
        self.open.part(size, |out| puts(out, |out| out.value(value)))
    }

    fn value_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.count()?;
        let start = self.open.out.length();
        self.open.part(4, |out| out.put(&OPEN))?;
        // Whatever happens in `write`, half a value must not be taken for a whole one.
        let what = self.open.what;
        self.open.broken = Some(EncodeError::Invalid { what, expected: "every value to be written" });
        write(self.open.out)?;
        let size = self.size_since(start).inspect_err(|error| self.open.broken = Some(*error))?;
        self.open.broken = None;
        self.open.part(0, |_| Ok(()))?;
        self.open.patch(start, u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
        Ok(())
    }

    /// Size of the value that was begun at `start`, if its placeholder is still there.
    fn size_since(&mut self, start: usize) -> Result<usize, EncodeError> {
        let value = self.open.out.written().get(start..).and_then(|bytes| bytes.split_first_chunk());
        match value {
            Some((&OPEN, value)) => Ok(value.len()),
            _ => {
                let expected = "a value that is only appended";
                Err(EncodeError::Invalid { what: self.open.what, expected })
            }
        }
    }

    fn finish(mut self) -> Result<Open<'o, O>, EncodeError> {
        self.open.check()?;
        self.open.patch(self.place, self.count.to_be_bytes());
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
/// // A row that is not finished is not written.
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
        Self::begin_within(out, &BackendLimits::new())
    }

    /// Begins a row that is held to other limits than the default ones.
    ///
    /// ```
    /// use feedrate::pg::{BackendLimits, writer::DataRowWriter};
    ///
    /// let limits = BackendLimits::new().long(20);
    /// let mut out = Vec::new();
    /// let mut row = DataRowWriter::begin_within(&mut out, &limits)?;
    /// row.column(Some(b"0123456789"))?;
    /// assert!(row.column(None).is_err());
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    #[inline]
    pub fn begin_within(out: &'o mut O, limits: &BackendLimits) -> Result<Self, EncodeError> {
        let limit = limits.most(<DataRow<'_> as Sent<backend::Class>>::CLASS);
        Values::begin(Open::begin(out, DataRow::TAG, DataRow::NAME, limit)?).map(Self)
    }

    /// The next column's value; `None` for NULL.
    ///
    /// # Errors
    ///
    /// When the output is full, the message would be too large, or the value would be the 65536th. Then nothing has
    /// been put, and the message cannot be finished.
    #[inline]
    pub fn column(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.0.value(value)
    }

    /// The next column's value, which `write` appends to the output: for values that are made on the way.
    ///
    /// `write` is to append only: if it cuts off what was there before, that is an error, and the message cannot be
    /// finished. How long the value is, is known behind it, so that the limit is checked then.
    ///
    /// # Errors
    ///
    /// As [`column`](Self::column), and whatever `write` returns.
    pub fn column_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.value_with(write)
    }

    /// Ends the row, and returns how many bytes the message has.
    ///
    /// # Errors
    ///
    /// When a column could not be written.
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
        Self::begin_within(out, &FrontendLimits::new(), portal, statement, parameter_formats)
    }

    /// Begins a message that is held to other limits than the default ones.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub fn begin_within(
        out: &'o mut O,
        limits: &FrontendLimits,
        portal: Text<'_>,
        statement: Text<'_>,
        parameter_formats: List<'_, Format>,
    ) -> Result<Self, EncodeError> {
        let limit = limits.most(<Bind<'_> as Sent<frontend::Class>>::CLASS);
        let mut open = Open::begin(out, Bind::TAG, Bind::NAME, limit)?;
        let mut sum = Measure::new();
        write_head(&mut sum, portal, statement, parameter_formats);
        open.part(sum.length()?, |out| {
            puts(out, |out| write_head(out, portal, statement, parameter_formats))
        })?;
        Values::begin(open).map(Self)
    }

    /// The next parameter's value; `None` for NULL.
    ///
    /// # Errors
    ///
    /// When the output is full, the message would be too large, or the value would be the 65536th. Then nothing has
    /// been put, and the message cannot be finished.
    #[inline]
    pub fn parameter(&mut self, value: Option<&[u8]>) -> Result<(), EncodeError> {
        self.0.value(value)
    }

    /// The next parameter's value, which `write` appends to the output: for values that are made on the way.
    ///
    /// `write` is to append only: if it cuts off what was there before, that is an error, and the message cannot be
    /// finished. How long the value is, is known behind it, so that the limit is checked then.
    ///
    /// # Errors
    ///
    /// As [`parameter`](Self::parameter), and whatever `write` returns.
    pub fn parameter_with<E: From<EncodeError>>(
        &mut self,
        write: impl FnOnce(&mut O) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.value_with(write)
    }

    /// Ends the message, and returns how many bytes it has.
    ///
    /// # Errors
    ///
    /// When the output is full, the message is too large, or a parameter could not be written.
    pub fn finish(self, result_formats: List<'_, Format>) -> Result<usize, EncodeError> {
        let mut open = self.0.finish()?;
        let mut sum = Measure::new();
        write_tail(&mut sum, result_formats);
        open.part(sum.length()?, |out| puts(out, |out| write_tail(out, result_formats)))?;
        open.finish()
    }
}

/// The fields of a [`Bind`] in front of the parameters.
#[inline]
fn write_head<S: Sink>(
    out: &mut S,
    portal: Text<'_>,
    statement: Text<'_>,
    parameter_formats: List<'_, Format>,
) {
    out.text(portal, "Bind portal");
    out.text(statement, "Bind statement");
    parameter_formats.write_counted(out, "Bind parameter_formats")
}

/// The field behind them.
#[inline]
fn write_tail<S: Sink>(out: &mut S, result_formats: List<'_, Format>) {
    result_formats.write_counted(out, "Bind result_formats")
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
        Open::begin(out, CopyData::TAG, CopyData::NAME, CopyData::LIMIT).map(Self)
    }

    /// Begins a message that is held to other limits than the default ones: those of the direction that it is sent in.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub fn begin_within(out: &'o mut O, limits: &impl Limits) -> Result<Self, EncodeError> {
        Open::begin(out, CopyData::TAG, CopyData::NAME, limits.copy_data()).map(Self)
    }

    /// Appends `bytes` to the data.
    ///
    /// # Errors
    ///
    /// When the output is full, or the message would be too large. Then nothing has been appended, and the message
    /// cannot be finished: it would have a hole.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.part(bytes.len(), |out| out.put(bytes))
    }

    /// Ends the message, and returns how many bytes it has.
    ///
    /// # Errors
    ///
    /// When a piece could not be written.
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
