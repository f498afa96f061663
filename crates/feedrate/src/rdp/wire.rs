//! The fields of debug frames: how each is read, and how it is written.

use core::fmt;
use core::marker::PhantomData;

use super::frame::Problem;
use crate::encode::{EncodeError, Output};

/// Takes fields off the front of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(super) fn bytes(&mut self, n: usize) -> Result<&'a [u8], Problem> {
        let (bytes, rest) = self.rest.split_at_checked(n).ok_or(Problem::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Problem::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A field.
pub(super) trait Field<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Problem>;
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError>;
}

macro_rules! integers {
    ($($Int:ty),*) => {$(
        impl Field<'_> for $Int {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Problem> {
                reader.array().map(Self::from_be_bytes)
            }

            fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
                out.put(&self.to_be_bytes())
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i64);

impl<const N: usize> Field<'_> for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Problem> {
        reader.array()
    }

    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(self)
    }
}

/// 0 or 1.
impl Field<'_> for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Problem> {
        match u8::read(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Problem::Value),
        }
    }

    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&[u8::from(*self)])
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
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub enum $Name {
            $($(#[$value_doc])* $Value,)*
        }

        impl $crate::rdp::wire::Field<'_> for $Name {
            fn read(
                reader: &mut $crate::rdp::wire::Reader<'_>,
            ) -> Result<Self, $crate::rdp::frame::Problem> {
                match u8::read(reader)? {
                    $($number => Ok(Self::$Value),)*
                    _ => Err($crate::rdp::frame::Problem::Value),
                }
            }

            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                out.put(&[match self { $(Self::$Value => $number,)* }])
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
            fn read(
                reader: &mut $crate::rdp::wire::Reader<'a>,
            ) -> Result<Self, $crate::rdp::frame::Problem> {
                let _ = &reader;
                Ok(Self { $($field: $crate::rdp::wire::Field::read(reader)?,)* })
            }

            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                let _ = &out;
                $($crate::rdp::wire::Field::write(&self.$field, out)?;)*
                Ok(())
            }
        }
    };
}
pub(super) use fields;

/// The count in front of bytes or of a list.
pub trait Count: Sized {
    /// What is counted, in an error.
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
    fn read(reader: &mut Reader<'a>) -> Result<Self, Problem> {
        let count = C::read(reader)?.to_usize();
        Ok(Self::new(reader.bytes(count)?))
    }

    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        C::from_usize(self.bytes.len())?.write(out)?;
        out.put(self.bytes)
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
                let value = T::read(&mut reader).ok();
                *bytes = reader.rest();
                value
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
    fn read(reader: &mut Reader<'a>) -> Result<Self, Problem> {
        let count = C::read(reader)?.to_usize();
        let bytes = reader.rest;
        for _ in 0..count {
            T::read(reader)?;
        }
        let length = bytes.len().saturating_sub(reader.rest.len());
        let bytes = bytes.get(..length).unwrap_or_default();
        Ok(Self { items: Items::Wire { bytes, count }, count: PhantomData })
    }

    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        C::from_usize(self.len())?.write(out)?;
        for value in *self {
            value.write(out)?;
        }
        Ok(())
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
