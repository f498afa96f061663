//! Lists: column values, parameter types, format codes, error fields, startup parameters.

use core::fmt;

use super::error::Problem;
use super::reader::{Bad, Reader, split_value};
use super::text::Text;
use super::trace::Printer;
use super::write::Sink;
use crate::encode::EncodeError;

/// A list of items: borrowed from a parsed message, or from the caller's slice for a message to be encoded.
///
/// A list from a message has been checked as a whole when the message was parsed, so iterating cannot fail.
///
/// ```
/// use feedrate::pg::List;
///
/// let values = [Some(&b"1"[..]), None];
/// let list = List::from(&values);
/// assert_eq!(list.len(), 2);
/// assert_eq!(list.get(1), Some(None));
/// assert!(list.iter().eq(values));
/// ```
pub struct List<'a, T> {
    source: Source<'a, T>,
}

enum Source<'a, T> {
    Wire { count: usize, bytes: &'a [u8] },
    Slice(&'a [T]),
}

/// The items of a [`List`]. It cannot be implemented outside of this crate.
pub trait Item<'a>: Copy + sealed::Item<'a> {}

pub(crate) mod sealed {
    use core::fmt;

    use super::{Bad, Printer, Reader, Sink};

    pub trait Item<'a>: Default {
        /// Bytes on the wire, if that is the same for all items.
        const SIZE: Option<usize> = None;

        /// Whether a list of these ends with a zero byte, instead of beginning with a count.
        const TERMINATED: bool = false;

        /// Reads and checks one.
        fn read(reader: &mut Reader<'a>) -> Result<Self, Bad>;

        /// Reads one that has been checked, so it cannot fail; if it did, the result would be a default.
        #[inline]
        fn walk(bytes: &mut &'a [u8]) -> Self {
            let mut reader = Reader::new(bytes);
            let item = Self::read(&mut reader).unwrap_or_default();
            *bytes = reader.peek();
            item
        }

        fn write<S: Sink>(&self, out: &mut S);

        fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result;

        /// The end of a list of these.
        fn trace_end(_: &mut Printer<'_, '_>) -> fmt::Result {
            Ok(())
        }
    }
}

impl<'a, T> List<'a, T> {
    /// A list of these items.
    pub const fn new(items: &'a [T]) -> Self {
        Self { source: Source::Slice(items) }
    }
}

impl<'a, T: Item<'a>> List<'a, T> {
    /// The empty list.
    pub const EMPTY: Self = Self { source: Source::Slice(&[]) };

    /// The number of items.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.source {
            Source::Wire { count, .. } => count,
            Source::Slice(items) => items.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    #[inline]
    pub const fn iter(&self) -> Iter<'a, T> {
        match self.source {
            Source::Wire { count, bytes } => Iter { count, bytes, items: &[] },
            Source::Slice(items) => Iter { count: 0, bytes: &[], items },
        }
    }

    /// The item at `index`, counted from 0. Takes time proportional to `index` if the items vary in size.
    pub fn get(&self, index: usize) -> Option<T> {
        self.iter().nth(index)
    }

    /// Checks `count` items at the front of `reader` and takes them.
    pub(crate) fn read(reader: &mut Reader<'a>, count: u16, what: &'static str) -> Result<Self, Bad> {
        let count = usize::from(count);
        let bytes = match T::SIZE {
            Some(size) => reader.take(size.saturating_mul(count), what)?,
            None => {
                let all = reader.peek();
                for _ in 0..count {
                    T::read(reader)?;
                }
                front(all, reader)
            }
        };
        Ok(Self { source: Source::Wire { count, bytes } })
    }

    /// Checks items up to a zero byte, and takes them and the zero.
    pub(crate) fn read_terminated(reader: &mut Reader<'a>, what: &'static str) -> Result<Self, Bad> {
        let all = reader.peek();
        let mut count = 0_usize;
        loop {
            match reader.peek().first() {
                Some(0) => break,
                Some(_) => {
                    T::read(reader)?;
                    count = count.saturating_add(1);
                }
                None => return Err(reader.bad(Problem::Short { what, needed: 1, left: 0 })),
            }
        }
        let bytes = front(all, reader);
        reader.u8(what)?;
        Ok(Self { source: Source::Wire { count, bytes } })
    }

    /// The well-formed items at the front of `bytes`.
    #[cfg(any(feature = "alloc", feature = "arbitrary"))]
    pub(crate) fn from_good(bytes: &'a [u8]) -> Self {
        let mut reader = Reader::new(bytes);
        let mut count = 0_u16;
        while count < u16::MAX && reader.peek().first().is_some_and(|first| !(T::TERMINATED && *first == 0)) {
            let before = reader;
            if T::read(&mut reader).is_err() {
                reader = before;
                break;
            }
            count = count.saturating_add(1);
        }
        Self { source: Source::Wire { count: count.into(), bytes: front(bytes, &reader) } }
    }

    #[inline]
    pub(crate) fn write<S: Sink>(&self, out: &mut S) {
        match self.source {
            Source::Wire { bytes, .. } => out.put(bytes),
            Source::Slice(items) => {
                let length = T::SIZE.map(|size| items.len().saturating_mul(size));
                if !length.is_some_and(|length| out.counts(length)) {
                    items.iter().for_each(|item| item.write(out));
                }
            }
        }
    }

    /// The number of items as an Int16, then the items.
    #[inline]
    pub(crate) fn write_counted<S: Sink>(&self, out: &mut S, what: &'static str) {
        let Ok(count) = u16::try_from(self.len()) else {
            return out.refuse(EncodeError::TooLarge {
                what,
                size: self.len(),
                limit: usize::from(u16::MAX),
            });
        };
        out.put(&count.to_be_bytes());
        self.write(out)
    }

    /// The items, and a zero byte.
    pub(crate) fn write_terminated<S: Sink>(&self, out: &mut S) {
        self.write(out);
        out.put(&[0])
    }
}

impl<'a> List<'a, Option<&'a [u8]>> {
    /// All of `bytes`, if they are `count` values and nothing else.
    #[inline]
    pub(crate) fn of_good_values(bytes: &'a [u8], count: u16) -> Option<Self> {
        let mut rest = bytes;
        for _ in 0..count {
            rest = split_value(rest)?.1;
        }
        rest.is_empty().then_some(Self { source: Source::Wire { count: usize::from(count), bytes } })
    }
}

/// The part of `all` that `reader` has taken; it began at the start of `all`.
#[inline]
fn front<'a>(all: &'a [u8], reader: &Reader<'a>) -> &'a [u8] {
    all.get(..all.len().saturating_sub(reader.left())).unwrap_or_default()
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<T> Clone for Source<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Source<'_, T> {}

impl<'a, T: Item<'a>> Default for List<'a, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a, T> From<&'a [T]> for List<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self::new(items)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for List<'a, T> {
    fn from(items: &'a [T; N]) -> Self {
        Self::new(items)
    }
}

#[cfg(feature = "alloc")]
impl<'a, T> From<&'a alloc::vec::Vec<T>> for List<'a, T> {
    fn from(items: &'a alloc::vec::Vec<T>) -> Self {
        Self::from(items.as_slice())
    }
}

impl<'a, T: Item<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Item<'a> + Eq> Eq for List<'a, T> {}

impl<'a, T: Item<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Item<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T: Item<'a>> IntoIterator for &List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Iterates over a [`List`].
pub struct Iter<'a, T> {
    /// How many are left in `bytes`.
    count: usize,
    bytes: &'a [u8],
    /// The items of a list that is not from the wire. Two fields instead of an enum, so that the loop over a row only
    /// checks the count.
    items: &'a [T],
}

impl<'a, T: Item<'a>> Iterator for Iter<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if let Some(count) = self.count.checked_sub(1) {
            self.count = count;
            return Some(T::walk(&mut self.bytes));
        }
        let (first, rest) = self.items.split_first()?;
        self.items = rest;
        Some(*first)
    }

    fn nth(&mut self, n: usize) -> Option<T> {
        match T::SIZE {
            Some(size) => {
                self.count = self.count.saturating_sub(n);
                self.bytes = self.bytes.get(size.saturating_mul(n)..).unwrap_or_default();
            }
            None => {
                for _ in 0..n.min(self.count) {
                    self.next()?;
                }
            }
        }
        self.items = self.items.get(n..).unwrap_or_default();
        self.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.count.saturating_add(self.items.len());
        (count, Some(count))
    }
}

impl<'a, T: Item<'a>> ExactSizeIterator for Iter<'a, T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { count: self.count, bytes: self.bytes, items: self.items }
    }
}

impl<'a, T: Item<'a> + fmt::Debug> fmt::Debug for Iter<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// A value of a column, parameter or argument; `None` is NULL.
impl<'a> Item<'a> for Option<&'a [u8]> {}
impl<'a> sealed::Item<'a> for Option<&'a [u8]> {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        reader.value()
    }

    #[inline]
    fn walk(bytes: &mut &'a [u8]) -> Self {
        let (value, rest) = split_value(bytes).unwrap_or_default();
        *bytes = rest;
        value
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.value(*self)
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.value(*self)
    }
}

/// An object identifier, such as a type's.
impl Item<'_> for u32 {}
impl sealed::Item<'_> for u32 {
    const SIZE: Option<usize> = Some(4);

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        reader.u32("object identifier")
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.to_be_bytes())
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.oid(*self)
    }
}

impl<'a> Item<'a> for Text<'a> {}
impl<'a> sealed::Item<'a> for Text<'a> {
    const TERMINATED: bool = true;

    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        reader.text()
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.text(*self, "string")
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.text(*self)
    }
}

/// Part of the fuzzer's own bytes, so that nothing has to be allocated.
#[cfg(feature = "arbitrary")]
impl<'a, T: Item<'a>> arbitrary::Arbitrary<'a> for List<'a, T> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from_good(u.arbitrary()?))
    }
}

#[cfg(feature = "defmt")]
impl<'a, T: Item<'a>> defmt::Format for List<'a, T> {
    /// Only the number of items: their content may be secret.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "List({=usize})", self.len());
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_what_is_good_ends_where_it_would_on_the_wire() {
        let texts = List::<Text<'_>>::from_good(b"a\0b\0\0c\0");
        assert_eq!(texts.len(), 2);
        // The last one has no end.
        assert_eq!(List::<Text<'_>>::from_good(b"a\0b").len(), 1);
        // A number does not end a list of numbers.
        assert_eq!(List::<u32>::from_good(&[0; 11]).len(), 2);
    }
}
