//! What is repeated: bytes and values, preceded by their number.

use core::fmt;
use core::marker::PhantomData;

use super::field::{Field, Out, Reader};
use crate::encode::EncodeError;

/// The count before bytes or a list.
pub trait Count: Sized {
    #[doc(hidden)]
    fn to_usize(self) -> usize;
    #[doc(hidden)]
    const BYTES: usize;
}

macro_rules! counts {
    ($($Int:ty),*) => {$(
        impl Count for $Int {
            fn to_usize(self) -> usize {
                usize::from(self)
            }

            const BYTES: usize = size_of::<Self>();
        }
    )*};
}

counts!(u8, u16);

/// Bytes preceded by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes<'a, C> {
    bytes: &'a [u8],
    count: PhantomData<C>,
}

impl<'a, C> Bytes<'a, C> {
    /// These bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, count: PhantomData }
    }

    /// The bytes.
    pub const fn as_slice(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a, C: Count + Field<'a>> Field<'a> for Bytes<'a, C> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let count = C::read(reader).to_usize();
        Self::new(reader.bytes(count))
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        write_count(self.bytes.len(), C::BYTES, out).put(self.bytes)
    }
}

/// Bytes that are secret, such as a token: preceded by their number, or [to the frame's end](ToEnd). `Debug` and
/// `defmt` show how many there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a, C> {
    bytes: &'a [u8],
    count: PhantomData<C>,
}

/// There is no number in front: it extends to the end of the frame.
// Exhaustive: it has no value, and never will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToEnd {}

impl<'a, C> Secret<'a, C> {
    /// These bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, count: PhantomData }
    }

    /// The bytes.
    pub const fn as_slice(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Field<'a> for Secret<'a, u16> {
    fn read(reader: &mut Reader<'a>) -> Self {
        Self::new(Bytes::<u16>::read(reader).bytes)
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        Bytes::<u16>::new(self.bytes).write(out)
    }
}

impl<'a> Field<'a> for Secret<'a, ToEnd> {
    fn read(reader: &mut Reader<'a>) -> Self {
        Self::new(reader.rest())
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        out.put(self.bytes)
    }
}

impl<C> fmt::Debug for Secret<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.bytes.len())
    }
}

/// Values preceded by their number: a view of the wire, or of a slice.
pub struct List<'a, T, C> {
    items: Items<'a, T>,
    count: PhantomData<C>,
}

enum Items<'a, T> {
    /// Each has been read once, and is known to be valid.
    Wire {
        bytes: &'a [u8],
        count: usize,
    },
    Values(&'a [T]),
}

impl<'a, T, C> List<'a, T, C> {
    /// These values.
    pub const fn new(values: &'a [T]) -> Self {
        Self { items: Items::Values(values), count: PhantomData }
    }

    /// A list of these values, each of which has been read once and is valid.
    pub(super) const fn of_wire(bytes: &'a [u8], count: usize) -> Self {
        Self { items: Items::Wire { bytes, count }, count: PhantomData }
    }

    /// Number of values.
    pub const fn len(&self) -> usize {
        match &self.items {
            Items::Wire { count, .. } => *count,
            Items::Values(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T, C> Clone for List<'_, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, C> Copy for List<'_, T, C> {}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<'_, T> {}

/// Iterates over a [`List`].
impl<'a, T: Field<'a> + Copy, C> Iterator for List<'a, T, C> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match &mut self.items {
            Items::Wire { bytes, count } => {
                *count = count.checked_sub(1)?;
                let mut reader = Reader::new(bytes);
                let value = T::read(&mut reader);
                *bytes = reader.rest();
                Some(value)
            }
            Items::Values(values) => {
                let (value, rest) = values.split_first()?;
                *values = rest;
                Some(*value)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<'a, T: Field<'a> + Copy, C: Count + Field<'a>> Field<'a> for List<'a, T, C> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let count = C::read(reader).to_usize();
        let bytes = reader.rest;
        for _ in 0..count {
            T::read(reader);
            if reader.problem.is_some() {
                return Self::of_wire(&[], 0);
            }
        }
        let length = bytes.len().saturating_sub(reader.rest.len());
        let bytes = bytes.get(..length).unwrap_or_default();
        Self::of_wire(bytes, count)
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        let out = write_count(self.len(), C::BYTES, out);
        match self.items {
            Items::Wire { bytes, .. } => out.put(bytes),
            Items::Values(values) => values.iter().fold(out, |out, value| value.write(out)),
        }
    }
}

/// A count of this many bytes, 1 or 2.
#[inline(never)]
fn write_count<'w, 'o>(count: usize, bytes: usize, out: Out<'w, 'o>) -> Out<'w, 'o> {
    let limit = if bytes > 1 { 0xFFFF } else { 0xFF };
    if count > limit {
        out.fail(EncodeError::TooLarge { what: "count in a debug frame", size: count, limit });
        return out;
    }
    let [.., high, low] = count.to_be_bytes();
    if bytes > 1 {
        out.byte(high);
    }
    out.byte(low)
}

impl<'a, T: Field<'a> + Copy + fmt::Debug, C> fmt::Debug for List<'a, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

impl<'a, T: Field<'a> + Copy + PartialEq, C> PartialEq for List<'a, T, C> {
    fn eq(&self, other: &Self) -> bool {
        (*self).eq(*other)
    }
}

impl<'a, T: Field<'a> + Copy + Eq, C> Eq for List<'a, T, C> {}

#[cfg(feature = "defmt")]
impl<C> defmt::Format for Secret<'_, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Secret({=usize})", self.bytes.len());
    }
}

#[cfg(feature = "defmt")]
impl<C> defmt::Format for Bytes<'_, C> {
    /// How many there are.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Bytes({=usize})", self.bytes.len());
    }
}

#[cfg(feature = "defmt")]
impl<T, C> defmt::Format for List<'_, T, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "List({=usize})", self.len());
    }
}
