//! The fields of debug frames: how each is read, and how it is written.

use crate::encode::{EncodeError, Output};

/// An error in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Problem {
    /// It ends before its fields do.
    Short,
    /// There are bytes after its last field.
    Long,
    /// A field has a value that is not in its table.
    Value,
}

/// Takes fields off the front of a body. An error is remembered, and everything read after it is zero, so that one
/// check at the end is enough.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub(super) rest: &'a [u8],
    pub(super) problem: Option<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, problem: None }
    }

    /// This many bytes.
    #[inline(never)]
    pub(super) fn bytes(&mut self, n: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.rest.split_at_checked(n) else {
            self.fail(Problem::Short);
            return &[];
        };
        self.rest = rest;
        bytes
    }

    /// The same for a constant number of bytes.
    #[inline(never)]
    pub(super) fn array<const N: usize>(&mut self) -> &'a [u8; N] {
        self.bytes(N).try_into().unwrap_or(&[0; N])
    }

    /// An integer of this many bytes, at most 8.
    #[inline(never)]
    pub(super) fn integer(&mut self, n: usize) -> u64 {
        self.bytes(n).iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }

    /// A byte in this range; anything else is an error.
    #[inline(never)]
    pub(super) fn within(&mut self, least: u8, most: u8) -> u8 {
        let value = u8::read(self);
        if value < least || value > most {
            self.fail(Problem::Value);
            return least;
        }
        value
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Ignores everything that follows.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, problem: Problem) {
        self.problem = self.problem.or(Some(problem));
        self.rest = &[];
    }

    /// The first error, or that bytes are left.
    pub(super) const fn problem(&self) -> Option<Problem> {
        match self.problem {
            None if !self.rest.is_empty() => Some(Problem::Long),
            problem => problem,
        }
    }
}

#[allow(missing_debug_implementations, reason = "nobody outside can name it")]
/// Writes fields one after another. What is wrong is remembered, and nothing is written from then on.
pub struct Writer<'o> {
    out: &'o mut dyn Output,
    result: Result<(), EncodeError>,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut dyn Output) -> Self {
        Self { out, result: Ok(()) }
    }

    #[inline(never)]
    pub(super) fn put(&mut self, bytes: &[u8]) -> &mut Self {
        if self.result.is_ok() {
            self.result = self.out.put(bytes);
        }
        self
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) -> &mut Self {
        self.u8(byte)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, error: EncodeError) {
        if self.result.is_ok() {
            self.result = Err(error);
        }
    }

    pub(super) fn finish(self) -> Result<(), EncodeError> {
        self.result
    }
}

/// What fields are written to. It is passed from one to the next in the register where the next one expects it, so that
/// a field costs a load and a call.
pub(super) type Out<'w, 'o> = &'w mut Writer<'o>;

/// A field, or several, one after another.
pub trait Field<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Self;
    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o>;
}

macro_rules! integers {
    ($($Int:ty, $put:ident: [$($byte:ident),*]),*) => {$(
        impl Field<'_> for $Int {
            #[inline(never)]
            fn read(reader: &mut Reader<'_>) -> Self {
                let [.., $($byte),*] = reader.integer(size_of::<Self>()).to_be_bytes();
                Self::from_be_bytes([$($byte),*])
            }

            #[inline(always)]
            fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
                out.$put(*self)
            }
        }

        impl Writer<'_> {
            #[inline(never)]
            fn $put(&mut self, value: $Int) -> &mut Self {
                self.put(&value.to_be_bytes())
            }
        }
    )*};
}

integers! {
    u8, u8: [a],
    u16, u16: [a, b],
    u32, u32: [a, b, c, d],
    u64, u64: [a, b, c, d, e, f, g, h],
    i64, i64: [a, b, c, d, e, f, g, h]
}

impl<const N: usize> Field<'_> for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Self {
        *reader.array()
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        out.put(self)
    }
}

/// 0 or 1.
impl Field<'_> for bool {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.within(0, 1) == 1
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        out.byte(u8::from(*self))
    }
}

/// An enumeration whose values are in a table of the specification.
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
            $($(#[$value_meta])* $Value = $number,)*
        }

        impl $Name {
            /// The number that represents it on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Self::$Value => $number,)* }
            }

            /// What a number represents on the wire. `None`: it is in no table.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$Value),)*
                    _ => None,
                }
            }

            pub(super) const FIRST: Self = { let [first, ..] = [$(Self::$Value),*]; first };
            pub(super) const LAST: Self = { let [.., last] = [$(Self::$Value),*]; last };
        }

        impl $crate::rdp::frame::field::Field<'_> for $Name {
            fn read(reader: &mut $crate::rdp::frame::field::Reader<'_>) -> Self {
                // The numbers have no gaps, which a test checks.
                let number = reader.within(Self::FIRST.number(), Self::LAST.number());
                Self::from_number(number).unwrap_or(Self::FIRST)
            }

            fn write<'w, 'o>(
                &self,
                out: $crate::rdp::frame::field::Out<'w, 'o>,
            ) -> $crate::rdp::frame::field::Out<'w, 'o> {
                out.byte(self.number())
            }
        }
    };
}
pub(super) use enumeration;

/// An enumeration that may be absent, which 0 represents.
macro_rules! optional {
    ($Name:ident) => {
        impl $crate::rdp::frame::field::Field<'_> for Option<$Name> {
            fn read(reader: &mut $crate::rdp::frame::field::Reader<'_>) -> Self {
                $Name::from_number(reader.within(0, $Name::LAST.number()))
            }

            fn write<'w, 'o>(
                &self,
                out: $crate::rdp::frame::field::Out<'w, 'o>,
            ) -> $crate::rdp::frame::field::Out<'w, 'o> {
                out.byte(self.map_or(0, $Name::number))
            }
        }
    };
}
pub(super) use optional;

/// A structure of fields, one after another.
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

            fn write<'w, 'o>(
                &self,
                out: $crate::rdp::frame::field::Out<'w, 'o>,
            ) -> $crate::rdp::frame::field::Out<'w, 'o> {
                $(let out = $crate::rdp::frame::field::Field::write(&self.$field, out);)*
                out
            }
        }
    };
}
pub(super) use fields;

#[cfg(test)]
mod tests {
    use core::fmt::Debug;
    use core::ops::RangeInclusive;

    use super::super::*;
    use super::*;

    /// The numbers are those of the specification's table. What is between the first and the last is taken, so each of
    /// them has to stand for something.
    #[track_caller]
    fn check<T>(numbers: RangeInclusive<u8>, expected: impl Fn(u8) -> Option<T>)
    where
        T: for<'a> Field<'a> + PartialEq + Debug,
    {
        for number in 0..=255 {
            let bytes = [number];
            let mut reader = Reader::new(&bytes);
            let read = T::read(&mut reader);
            if !numbers.contains(&number) {
                assert_eq!(reader.problem(), Some(Problem::Value), "{number}");
                continue;
            }
            assert_eq!((Some(&read), reader.problem()), (expected(number).as_ref(), None), "{number}");
            let mut written = heapless::Vec::<u8, 4>::new();
            let mut writer = Writer::new(&mut written);
            read.write(&mut writer);
            assert_eq!((writer.finish(), &written[..]), (Ok(()), &bytes[..]), "{number}");
        }
    }

    #[test]
    fn every_number_of_every_enumeration() {
        check(0..=1, |number| Some(number == 1));
        check(1..=3, Access::from_number);
        check(0..=1, Action::from_number);
        check(0..=2, Class::from_number);
        check(0..=2, Durability::from_number);
        check(0..=2, Lifecycle::from_number);
        check(1..=7, Reason::from_number);
        check(0..=7, |number| Some(Reason::from_number(number)));
        check(1..=3, RunState::from_number);
        check(0..=3, |number| Some(RunState::from_number(number)));
        check(0..=3, SetAs::from_number);
        check(0..=2, Standing::from_number);
        check(0..=3, StopEffect::from_number);
        check(0..=4, Type::from_number);
        assert_eq!(RunState::from_number(0), None);
    }

    #[test]
    fn integers_are_big_endian_and_total() {
        let bytes = [0x80, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut reader = Reader::new(&bytes);
        assert_eq!(u8::read(&mut reader), 0x80);
        assert_eq!(u16::read(&mut reader.clone()), 0x0102);
        assert_eq!(u32::read(&mut reader.clone()), 0x0102_0304);
        assert_eq!(i64::read(&mut reader.clone()), 0x0102_0304_0506_0708);
        assert_eq!(u64::read(&mut reader), 0x0102_0304_0506_0708);
        assert_eq!((u16::read(&mut reader), reader.problem()), (0, Some(Problem::Short)));
        assert_eq!(i64::read(&mut Reader::new(&[0xFF; 8])), -1);
        assert_eq!(<[u8; 16]>::read(&mut Reader::new(&bytes)), [0; 16]);
    }

    /// The count can express how many there are, or it is an error; nothing of the list is written then.
    #[test]
    fn counts_are_limited_by_what_they_can_say() {
        let values = std::vec![7_u16; 0x1_0000];
        let mut written = std::vec::Vec::new();
        let mut write = |length: usize, wide: bool| {
            written.clear();
            let mut writer = Writer::new(&mut written);
            let values = values.get(..length).unwrap();
            if wide {
                List::<_, u16>::new(values).write(&mut writer);
            } else {
                List::<_, u8>::new(values).write(&mut writer);
            }
            writer.finish().map(|()| written.len())
        };
        assert_eq!((write(0, false), write(255, false)), (Ok(1), Ok(511)));
        assert_eq!((write(0, true), write(256, true), write(0xFFFF, true)), (Ok(2), Ok(514), Ok(0x2_0000)));
        let too_large =
            |size, limit| Err(EncodeError::TooLarge { what: "count in a debug frame", size, limit });
        assert_eq!(write(256, false), too_large(256, 255));
        assert_eq!(write(0x1_0000, true), too_large(0x1_0000, 0xFFFF));
    }
}
