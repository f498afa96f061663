//! The fields of debug frames: how each is read, and how it is written.

use crate::encode::{EncodeError, Output};

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Problem {
    /// It ends before its fields do.
    Short,
    /// There are bytes behind its last field.
    Long,
    /// A field has a value that is in no table.
    Value,
}

/// Takes fields off the front of a body. What is wrong is remembered, and whatever is read from then on is zero: so
/// that there is one thing to look at in the end, and none on the way.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub(super) rest: &'a [u8],
    pub(super) problem: Option<Problem>,
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

#[allow(missing_debug_implementations, reason = "nobody outside can name it")]
/// Puts fields behind one another. What is wrong is remembered, and nothing is written from then on.
pub struct Writer<'o> {
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

/// A field, or several, one behind the other.
pub trait Field<'a>: Sized {
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

/// An enumeration whose values stand in a table of the specification.
// Exhaustive: each enumeration that is made says for itself whether it can grow, by an attribute of its own.
macro_rules! enumeration {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident { $($(#[$value_meta:meta])* $Value:ident = $number:literal),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub enum $Name {
            $($(#[$value_meta])* $Value,)*
        }

        impl $Name {
            /// The number that stands for it on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Self::$Value => $number,)* }
            }
        }

        impl $crate::rdp::frame::field::Field<'_> for $Name {
            fn read(reader: &mut $crate::rdp::frame::field::Reader<'_>) -> Self {
                match <u8 as $crate::rdp::frame::field::Field>::read(reader) {
                    $($number => Self::$Value,)*
                    _ => {
                        reader.fail($crate::rdp::frame::field::Problem::Value);
                        let [first, ..] = [$(Self::$Value),*];
                        first
                    }
                }
            }

            fn write(&self, out: &mut $crate::rdp::frame::field::Writer<'_>) {
                out.byte(self.number());
            }
        }
    };
}
pub(super) use enumeration;

/// A structure of fields, one behind the other.
macro_rules! fields {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident $(<$life:lifetime>)? {
            $($(#[$field_meta:meta])* pub $field:ident: $Type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Name $(<$life>)? {
            $($(#[$field_meta])* pub $field: $Type,)*
        }

        impl<'a> $crate::rdp::frame::field::Field<'a> for $Name $(<$life>)? {
            fn read(reader: &mut $crate::rdp::frame::field::Reader<'a>) -> Self {
                Self { $($field: $crate::rdp::frame::field::Field::read(reader),)* }
            }

            fn write(&self, out: &mut $crate::rdp::frame::field::Writer<'_>) {
                $($crate::rdp::frame::field::Field::write(&self.$field, out);)*
            }
        }
    };
}
pub(super) use fields;
