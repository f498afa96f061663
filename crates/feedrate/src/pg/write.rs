//! How messages are written.

use super::cap::width;
use super::text::Text;
use crate::encode::{EncodeError, Output};
use crate::scan::find;

/// Where a message's fields go: first into a sum of their lengths, then into an output. One description of the fields
/// serves both.
///
/// Errors are remembered and reported at the end: a branch for each field would be more code than the fields.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);

    /// Appends a string and its NUL.
    fn text(&mut self, text: Text<'_>, what: &'static str);

    /// Appends a value after its length, or -1.
    fn value(&mut self, value: Option<&[u8]>);

    /// Records that the message cannot be written.
    fn refuse(&mut self, error: EncodeError);

    /// Counts `n` bytes, if only their number is wanted.
    #[inline]
    fn counts(&mut self, n: usize) -> bool {
        let _ = n;
        false
    }
}

/// The sum of the fields' lengths. It saturates at the greatest `usize`, which is beyond every limit. All errors are
/// found here, before a byte is written.
#[derive(Debug)]
pub(crate) struct Measure {
    length: usize,
    error: Option<EncodeError>,
}

impl Measure {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { length: 0, error: None }
    }

    #[inline]
    const fn add(&mut self, n: usize) {
        self.length = self.length.saturating_add(n);
    }

    /// The sum, if there was no error.
    #[inline]
    pub(crate) fn length(self) -> Result<usize, EncodeError> {
        match self.error {
            None => Ok(self.length),
            Some(error) => Err(error),
        }
    }
}

impl Sink for Measure {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.add(bytes.len());
    }

    #[inline]
    fn text(&mut self, text: Text<'_>, what: &'static str) {
        let bytes = text.as_bytes();
        if has_nul(bytes) {
            let at = find(0, bytes).unwrap_or_default();
            self.refuse(EncodeError::InteriorNul { what, at });
        }
        // A slice is never so long that this could wrap.
        self.add(bytes.len().wrapping_add(1));
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) {
        self.add(value.unwrap_or_default().len().wrapping_add(4));
    }

    #[inline]
    fn counts(&mut self, n: usize) -> bool {
        self.add(n);
        true
    }

    #[cold]
    #[inline(never)]
    fn refuse(&mut self, error: EncodeError) {
        // The first one.
        if self.error.is_none() {
            self.error = Some(error);
        }
    }
}

/// Whether a string contains a NUL.
#[inline]
fn has_nul(bytes: &[u8]) -> bool {
    // Names are usually too short for a vectorised search to pay off.
    if bytes.len() < 16 { bytes.contains(&0) } else { long_has_nul(bytes) }
}

#[inline(never)]
fn long_has_nul(bytes: &[u8]) -> bool {
    let zero = |block: &[u8; 16]| block.iter().fold(false, |zero, byte| zero | (*byte == 0));
    // The usual length of SQL. Beyond it, `memchr` takes wider steps.
    if cfg!(target_os = "none") || bytes.len() > 256 {
        return find(0, bytes).is_some();
    }
    // The last block overlaps the one before it.
    let mut blocks = bytes.chunks_exact(16).filter_map(|block| block.first_chunk());
    blocks.any(zero) || bytes.last_chunk().is_some_and(zero)
}

/// Writes into the space for a message, which is exactly as long as the message. Never writes beyond it.
struct Cursor<'p> {
    rest: &'p mut [u8],
}

impl Cursor<'_> {
    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if N <= self.rest.len() {
            if let Some((place, rest)) = core::mem::take(&mut self.rest).split_first_chunk_mut() {
                self.rest = rest;
                *place = bytes;
            }
        }
    }
}

impl Sink for Cursor<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let n = bytes.len();
        // Checked first, with the rest stored before the copy, so that no other store is needed in between.
        if n <= self.rest.len() {
            let (place, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(n).unwrap_or_default();
            self.rest = rest;
            copy(place, bytes);
        }
    }

    #[inline]
    fn text(&mut self, text: Text<'_>, _: &'static str) {
        let bytes = text.as_bytes();
        // A slice is never so long that this could wrap.
        let n = bytes.len().wrapping_add(1);
        if n <= self.rest.len() {
            let (place, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(n).unwrap_or_default();
            self.rest = rest;
            if let Some((last, place)) = place.split_last_mut() {
                *last = 0;
                copy(place, bytes);
            }
        }
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => {
                let n = value.len().wrapping_add(4);
                if n <= self.rest.len() {
                    let (place, rest) =
                        core::mem::take(&mut self.rest).split_at_mut_checked(n).unwrap_or_default();
                    self.rest = rest;
                    if let Some((length, place)) = place.split_first_chunk_mut() {
                        *length = value_length(value);
                        copy(place, value);
                    }
                }
            }
            None => self.array(NULL),
        }
    }

    #[inline]
    fn refuse(&mut self, _: EncodeError) {}
}

/// Not `copy_from_slice`: at opt-level "z" its length check is left in, and with it a panic.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// An output, field by field.
pub(crate) struct Puts<'o, O> {
    out: &'o mut O,
    result: Result<(), EncodeError>,
}

impl<'o, O: Output> Puts<'o, O> {
    pub(crate) const fn new(out: &'o mut O) -> Self {
        Self { out, result: Ok(()) }
    }

    pub(crate) const fn result(self) -> Result<(), EncodeError> {
        self.result
    }
}

impl<O: Output> Sink for Puts<'_, O> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.out.put(bytes);
        }
    }

    #[inline]
    fn text(&mut self, text: Text<'_>, _: &'static str) {
        self.put(text.as_bytes());
        self.put(&[0]);
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => {
                self.put(&value_length(value));
                self.put(value);
            }
            None => self.put(&NULL),
        }
    }

    #[inline]
    fn refuse(&mut self, error: EncodeError) {
        self.result = Err(error);
    }
}

const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// The message has been measured and fits into an Int32, so each value in it does.
#[inline]
fn value_length(value: &[u8]) -> [u8; 4] {
    int32(value.len())
}

/// The low 32 bits of a number that is known to fit into an Int32: another comparison would cost a third of a field.
#[inline]
fn int32(n: usize) -> [u8; 4] {
    n.to_be_bytes().last_chunk().copied().unwrap_or([0xff; 4])
}

/// What precedes a message's fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Header {
    /// A type byte and the length.
    Tag(u8),
    /// The length.
    Length,
    /// Nothing.
    None,
}

impl Header {
    /// Bytes of the message whose length field is `size`.
    #[inline]
    const fn total(self, size: usize) -> usize {
        match self {
            Self::Tag(_) => size.saturating_add(1),
            Self::Length | Self::None => size,
        }
    }

    #[inline]
    fn put<S: Sink>(self, out: &mut S, size: usize) {
        let [a, b, c, d] = int32(size);
        match self {
            Self::Tag(tag) => out.put(&[tag, a, b, c, d]),
            Self::Length => out.put(&[a, b, c, d]),
            Self::None => {}
        }
    }
}

/// A message for writing: a header, and the fields.
pub(crate) trait Whole {
    fn what(&self) -> &'static str;

    fn header(&self) -> Header;

    /// Puts the fields. Called twice: for the sum, and for the output if the sum is within the limit.
    fn fields<S: Sink>(&self, out: &mut S);

    /// Writes the message, whose length must not exceed `limit`. A message that cannot be written is refused before the
    /// first byte is put.
    #[inline]
    fn write_within<O: Output>(&self, out: &mut O, limit: u32) -> Result<(), EncodeError> {
        let (header, size) = (self.header(), self.measure(limit)?);
        if let Some(rest) = out.place(header.total(size))? {
            let mut place = Cursor { rest };
            header.put(&mut place, size);
            self.fields(&mut place);
            Ok(())
        } else {
            self.put_all(out, size)
        }
    }

    /// Not inlined: for messages so long that a call does not matter.
    #[inline(never)]
    fn put_all<O: Output>(&self, out: &mut O, size: usize) -> Result<(), EncodeError> {
        let mut puts = Puts::new(out);
        self.header().put(&mut puts, size);
        self.fields(&mut puts);
        puts.result()
    }

    /// How many bytes [`write_within`](Self::write_within) puts.
    fn length_within(&self, limit: u32) -> Result<usize, EncodeError> {
        Ok(self.header().total(self.measure(limit)?))
    }

    /// The value of the length field.
    #[inline(always)]
    fn measure(&self, limit: u32) -> Result<usize, EncodeError> {
        let mut sum = Measure::new();
        match self.header() {
            Header::Tag(_) | Header::Length => sum.add(4),
            Header::None => {}
        }
        self.fields(&mut sum);
        let size = sum.length()?;
        within(size, self.what(), limit)?;
        Ok(size)
    }
}

/// Refuses a message whose length would exceed `limit`.
#[inline]
pub(crate) fn within(size: usize, what: &'static str, limit: u32) -> Result<(), EncodeError> {
    if size > width(limit) { Err(EncodeError::TooLarge { what, size, limit: width(limit) }) } else { Ok(()) }
}
