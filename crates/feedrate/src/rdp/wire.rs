//! The fields of debug frames: how each is read, and how it is written.

use core::fmt;
use core::marker::PhantomData;

use super::frame::Problem;
use crate::encode::{EncodeError, Output};

/// Takes fields off the front of a body. What is wrong is remembered, and whatever is read from then on is zero: so that there is one
/// thing to look at in the end, and none on the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    problem: Option<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, problem: None }
    }

    #[inline(never)]
    pub(super) fn bytes(&mut self, n: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.rest.split_at_checked(n) else {
            self.fail(Problem::Short);
            return &[];
        };
        self.rest = rest;
        bytes
    }

    #[inline(never)]
    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            self.fail(Problem::Short);
            return [0; N];
        };
        self.rest = rest;
        *bytes
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Nothing that follows is believed.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, problem: Problem) {
        self.problem = self.problem.or(Some(problem));
        self.rest = &[];
    }

    /// What is wrong with all of it.
    pub(super) const fn problem(&self) -> Option<Problem> {
        match self.problem {
            None if !self.rest.is_empty() => Some(Problem::Long),
            problem => problem,
        }
    }
}

/// Puts fields behind one another. What is wrong is remembered, and nothing is written from then on.
pub(super) struct Writer<'o> {
    out: &'o mut dyn Output,
    result: Result<(), EncodeError>,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut dyn Output) -> Self {
        Self { out, result: Ok(()) }
    }

    #[inline(never)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.out.put(bytes);
        }
    }

    #[inline(never)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    pub(super) fn fail(&mut self, error: EncodeError) {
        self.result = self.result.and(Err(error));
    }

    pub(super) fn finish(self) -> Result<(), EncodeError> {
        self.result
    }
}

/// A field.
pub(super) trait Field<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Self;
    fn write(&self, out: &mut Writer<'_>);
}

macro_rules! integers {
    ($($Int:ty),*) => {$(
        impl Field<'_> for $Int {
            #[inline(never)]
            fn read(reader: &mut Reader<'_>) -> Self {
                Self::from_be_bytes(reader.array())
            }

            #[inline(never)]
            fn write(&self, out: &mut Writer<'_>) {
                out.put(&self.to_be_bytes());
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i64);

impl<const N: usize> Field<'_> for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.array()
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.put(self);
    }
}

/// 0 or 1.
impl Field<'_> for bool {
    fn read(reader: &mut Reader<'_>) -> Self {
        let value = u8::read(reader);
        if value > 1 {
            reader.fail(Problem::Value);
        }
        value == 1
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.byte(u8::from(*self));
    }
}

/// An enumeration whose values stand in a table.
macro_rules! enumeration {
    (
        $(#[$doc:meta])*
        $Name:ident: $($(#[$value_doc:meta])* $Value:ident = $number:literal),* $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Name {
            $($(#[$value_doc])* $Value,)*
        }

        impl $Name {
            /// The number that stands for it on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Self::$Value => $number,)* }
            }
        }

        impl $crate::rdp::wire::Field<'_> for $Name {
            fn read(reader: &mut $crate::rdp::wire::Reader<'_>) -> Self {
                match u8::read(reader) {
                    $($number => Self::$Value,)*
                    _ => {
                        reader.fail($crate::rdp::frame::Problem::Value);
                        let [first, ..] = [$(Self::$Value),*];
                        first
                    }
                }
            }

            fn write(&self, out: &mut $crate::rdp::wire::Writer<'_>) {
                out.byte(self.number());
            }
        }
    };
}
pub(super) use enumeration;

/// A structure of fields, one behind the other.
macro_rules! fields {
    (
        $(#[$doc:meta])*
        $Name:ident $(<$life:lifetime>)? { $($(#[$field_doc:meta])* $field:ident: $Type:ty),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Name $(<$life>)? {
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        impl<'a> $crate::rdp::wire::Field<'a> for $Name $(<$life>)? {
            fn read(reader: &mut $crate::rdp::wire::Reader<'a>) -> Self {
                Self { $($field: $crate::rdp::wire::Field::read(reader),)* }
            }

            fn write(&self, out: &mut $crate::rdp::wire::Writer<'_>) {
                $($crate::rdp::wire::Field::write(&self.$field, out);)*
            }
        }
    };
}
pub(super) use fields;

/// The count in front of bytes or of a list.
pub trait Count: Sized {
    #[doc(hidden)]
    fn to_usize(self) -> usize;
    #[doc(hidden)]
    fn from_usize(count: usize) -> Result<Self, EncodeError>;
}

macro_rules! counts {
    ($($Int:ty),*) => {$(
        impl Count for $Int {
            fn to_usize(self) -> usize {
                usize::from(self)
            }

            fn from_usize(count: usize) -> Result<Self, EncodeError> {
                const LIMIT: usize = (1 << <$Int>::BITS) - 1;
                Self::try_from(count)
                    .map_err(|_| EncodeError::TooLarge { what: "count in a debug frame", size: count, limit: LIMIT })
            }
        }
    )*};
}

counts!(u8, u16);

/// Bytes behind their number.
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

    fn write(&self, out: &mut Writer<'_>) {
        write_count::<C>(self.bytes.len(), out);
        out.put(self.bytes);
    }
}

/// Values behind their number: a view of the wire, or of a slice.
pub struct List<'a, T, C> {
    items: Items<'a, T>,
    count: PhantomData<C>,
}

enum Items<'a, T> {
    /// Read once, so that each is known to be good.
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
#[allow(private_bounds, reason = "how a value is read concerns nobody outside")]
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
                return Self { items: Items::Wire { bytes: &[], count: 0 }, count: PhantomData };
            }
        }
        let length = bytes.len().saturating_sub(reader.rest.len());
        let bytes = bytes.get(..length).unwrap_or_default();
        Self { items: Items::Wire { bytes, count }, count: PhantomData }
    }

    fn write(&self, out: &mut Writer<'_>) {
        write_count::<C>(self.len(), out);
        for value in *self {
            value.write(out);
        }
    }
}

fn write_count<'a, C: Count + Field<'a>>(count: usize, out: &mut Writer<'_>) {
    match C::from_usize(count) {
        Ok(count) => count.write(out),
        Err(error) => out.fail(error),
    }
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
