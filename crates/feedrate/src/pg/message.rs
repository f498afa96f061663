//! What all tagged messages have in common: a type byte, a name, a body.

use super::error::Error;
use super::reader::{Bad, Reader};
use crate::encode::{EncodeError, Output};

/// A message's body, read and written.
pub(crate) trait Body<'a>: Sized {
    /// Reads the fields. What is left in `reader` afterwards is an error.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad>;

    /// Writes the same.
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError>;
}

/// Reads the body of `raw`, which begins after `header` bytes, to its last byte.
#[inline]
pub(crate) fn read<'a, T>(
    raw: &'a [u8],
    header: usize,
    name: impl FnOnce(u8) -> &'static str,
    fields: impl FnOnce(&mut Reader<'a>) -> Result<T, Bad>,
) -> Result<T, Error> {
    let mut reader = Reader::new(raw.get(header..).unwrap_or_default());
    match fields(&mut reader) {
        Ok(message) if reader.left() == 0 => Ok(message),
        _ => Err(bad(raw, &reader, name(raw.first().copied().unwrap_or_default()))),
    }
}

/// Out of the way of all that is good.
#[cold]
#[inline(never)]
fn bad(raw: &[u8], reader: &Reader<'_>, name: &'static str) -> Error {
    Error::new(name, raw.len().saturating_sub(reader.left()), reader.problem())
}

/// Bytes of type byte and length.
pub(crate) const HEADER: usize = 5;

/// Gives a body its type byte, its name, and [`Encode`](crate::Encode).
macro_rules! tagged {
    ($Message:ident $(<$life:lifetime>)?, $tag:literal, $limit:expr) => {
        impl $Message $(<$life>)? {
            /// The type byte.
            pub const TAG: u8 = $tag;
            /// The name, as the documentation spells it.
            pub const NAME: &'static str = stringify!($Message);
        }

        impl $crate::encode::Encode for $Message $(<$life>)? {
            #[inline]
            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                $crate::pg::write::put_tagged(out, Self::TAG, Self::NAME, $limit, |out| {
                    $crate::pg::message::Body::write(self, out)
                })
            }
        }
    };
}

/// A message without a body.
macro_rules! bodiless {
    ($(#[$doc:meta])* $Message:ident, $tag:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Message;

        impl $Message {
            /// The type byte.
            pub const TAG: u8 = $tag;
            /// The name, as the documentation spells it.
            pub const NAME: &'static str = stringify!($Message);
        }

        impl<'a> $crate::pg::message::Body<'a> for $Message {
            #[inline]
            fn read(_: &mut $crate::pg::reader::Reader<'a>) -> Result<Self, $crate::pg::reader::Bad> {
                Ok(Self)
            }

            #[inline]
            fn write<O: $crate::encode::Output>(&self, _: &mut O) -> Result<(), $crate::encode::EncodeError> {
                Ok(())
            }
        }

        impl $crate::encode::Encode for $Message {
            #[inline]
            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                out.put(&[Self::TAG, 0, 0, 0, 4])
            }
        }
    };
}

/// The messages of one direction: the enum, how a type byte is read, how a message is written, what it is called, and which
/// limit its length has.
macro_rules! messages {
    (
        $(#[$doc:meta])*
        tagged { $( $(#[$message_doc:meta])* $Message:ident $(<$life:lifetime>)?: $limit:ident, )* }
        untagged { $( $(#[$untagged_doc:meta])* $Untagged:ident($Type:ty), )* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub enum Message<'a> {
            $( $(#[$message_doc])* $Message($Message$(<$life>)?), )*
            $( $(#[$untagged_doc])* $Untagged($Type), )*
        }

        /// Which limit the length of a message has; the type byte alone decides.
        const fn class(tag: u8) -> Class {
            match tag {
                $( $Message::TAG => Class::$limit, )*
                _ => Class::Unknown,
            }
        }

        /// The same from a table: in code, `match` becomes a table of jumps, larger and slower.
        #[inline]
        fn class_of(tag: u8) -> Class {
            static CLASSES: [Class; 256] = {
                let mut classes = [Class::Unknown; 256];
                let mut rest: &mut [Class] = &mut classes;
                let mut tag = 0_u8;
                while let Some((first, behind)) = rest.split_first_mut() {
                    *first = class(tag);
                    rest = behind;
                    tag = tag.wrapping_add(1);
                }
                classes
            };
            CLASSES.get(usize::from(tag)).copied().unwrap_or(Class::Unknown)
        }

        /// The name of the message with this type byte, as the documentation spells it, or "message".
        fn name(tag: u8) -> &'static str {
            const NAMES: &[(u8, &str)] = &[$( ($Message::TAG, $Message::NAME), )*];
            NAMES.iter().find(|(of, _)| *of == tag).map_or("message", |(_, name)| name)
        }

        /// Reads the fields of a tagged message.
        fn read_fields<'a>(tag: u8, reader: &mut Reader<'a>) -> Result<Message<'a>, Bad> {
            Ok(match tag {
                $( $Message::TAG => Message::$Message(Body::read(reader)?), )*
                _ => Message::Unknown(Unknown { tag, body: reader.rest() }),
            })
        }

        impl Encode for Message<'_> {
            fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
                match self {
                    $( Self::$Message(message) => Encode::write(message, out), )*
                    $( Self::$Untagged(message) => Encode::write(message, out), )*
                }
            }
        }

        impl Message<'_> {
            /// The message's name, as the documentation spells it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Self::$Message(_) => $Message::NAME, )*
                    $( Self::$Untagged(_) => stringify!($Untagged), )*
                }
            }
        }

        $(
            impl<'a> From<$Message$(<$life>)?> for Message<'a> {
                fn from(message: $Message$(<$life>)?) -> Self {
                    Self::$Message(message)
                }
            }
        )*
    };
}

pub(crate) use {bodiless, messages, tagged};
