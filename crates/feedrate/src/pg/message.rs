//! What all tagged messages have in common: a type byte, a name, a body.

use super::error::Error;
use super::reader::{Bad, Reader};
use super::write::Sink;

/// A message's body, read and written.
pub(crate) trait Body<'a>: Sized {
    /// Reads the fields. What is left in `reader` afterwards is an error.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad>;

    /// Writes the same.
    fn write<S: Sink>(&self, out: &mut S);
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

/// Gives a body its type byte, its name, and [`Encode`](crate::Encode) under the limits of the directions that it belongs to.
macro_rules! tagged {
    ($Message:ident $(<$life:lifetime>)?, $tag:literal, $($direction:ident),+) => {
        impl $Message $(<$life>)? {
            /// The type byte.
            pub const TAG: u8 = $tag;
            /// The name, as the documentation spells it.
            pub const NAME: &'static str = stringify!($Message);
        }

        impl $crate::pg::write::Whole for $Message $(<$life>)? {
            fn what(&self) -> &'static str {
                Self::NAME
            }

            #[inline]
            fn header(&self) -> $crate::pg::write::Header {
                $crate::pg::write::Header::Tag(Self::TAG)
            }

            #[inline]
            fn fields<S: $crate::pg::write::Sink>(
                &self,
                out: &mut S,
            ) {
                $crate::pg::message::Body::write(self, out)
            }
        }

        $crate::pg::message::encoded!($Message $(<$life>)?, $($direction),+);
    };
}

/// [`Encode`](crate::Encode) of a message under the default limits.
macro_rules! encoded {
    ($Message:ident $(<$life:lifetime>)?, $($direction:ident),+) => {
        impl $crate::encode::Encode for $Message $(<$life>)? {
            #[inline]
            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                $crate::pg::write::Whole::write_within(self, out, Self::LIMIT)
            }

            fn encoded_length(&self) -> Result<usize, $crate::encode::EncodeError> {
                $crate::pg::write::Whole::length_within(self, Self::LIMIT)
            }
        }

        impl $Message $(<$life>)? {
            /// The most that its length field may say by default: where it belongs to both directions, the larger limit.
            pub(crate) const LIMIT: u32 = $crate::pg::limits::largest(&[
                $(<Self as $crate::pg::limits::Sent<$crate::pg::$direction>>::LIMIT),+
            ]);
        }
    };
}

/// A message without a body.
macro_rules! bodiless {
    ($(#[$doc:meta])* $Message:ident, $tag:literal, $($direction:ident),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Message;

        impl<'a> $crate::pg::message::Body<'a> for $Message {
            #[inline]
            fn read(_: &mut $crate::pg::reader::Reader<'a>) -> Result<Self, $crate::pg::reader::Bad> {
                Ok(Self)
            }

            #[inline]
            fn write<S: $crate::pg::write::Sink>(&self, _: &mut S) {}
        }

        $crate::pg::message::tagged!($Message, $tag, $($direction),+);
    };
}

/// The messages of one direction: the enum, how a type byte is read, how a message is written, what it is called, and which
/// limit its length has. A tagged one has its class's; an untagged one has that of a method of the limits.
macro_rules! messages {
    (
        $(#[$doc:meta])*
        tagged { $( $(#[$message_doc:meta])* $Message:ident $(<$life:lifetime>)?: $limit:ident, )* }
        untagged($Direction:ident, $Limits:ident, $module:literal, $long:literal) {
            $( $(#[$untagged_doc:meta])* $Untagged:ident($($untagged:tt)+): $most:ident, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub enum Message<'a> {
            $( $(#[$message_doc])* $Message($Message$(<$life>)?), )*
            $( $(#[$untagged_doc])* $Untagged($($untagged)+), )*
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

        impl Whole for Message<'_> {
            fn what(&self) -> &'static str {
                self.name()
            }

            fn header(&self) -> Header {
                match self {
                    $( Self::$Message(_) => Header::Tag($Message::TAG), )*
                    $( Self::$Untagged(message) => message.header(), )*
                }
            }

            fn fields<S: Sink>(&self, out: &mut S) {
                match self {
                    $( Self::$Message(message) => Body::write(message, out), )*
                    $( Self::$Untagged(message) => message.fields(out), )*
                }
            }
        }

        /// Under the default limits of this direction.
        impl Encode for Message<'_> {
            fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
                self.write_within(out, self.limit(&$Limits::DEFAULT))
            }

            fn encoded_length(&self) -> Result<usize, EncodeError> {
                self.length_within(self.limit(&$Limits::DEFAULT))
            }
        }

        impl Encode for Within<'_, Message<'_>> {
            fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
                self.message.write_within(out, self.limit)
            }

            fn encoded_length(&self) -> Result<usize, EncodeError> {
                self.message.length_within(self.limit)
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

            /// The same message, to be written under other limits than the default ones: those under which it was read, for example.
            ///
            /// ```
            /// use feedrate::Encode;
            #[doc = concat!("use feedrate::pg::{", stringify!($Limits), ", ", $module, "::{CopyData, Message}};")]
            ///
            #[doc = concat!("let limits = ", stringify!($Limits), " { ", $long, ": 1_000, ..Default::default() };")]
            /// let mut out = Vec::new();
            /// let short = Message::from(CopyData { data: &[0; 996] });
            /// assert_eq!(short.within(&limits).encode(&mut out), Ok(1_001));
            /// let long = Message::from(CopyData { data: &[0; 997] });
            /// assert!(long.within(&limits).encode(&mut out).is_err());
            /// ```
            pub const fn within(&self, limits: &$Limits) -> Within<'_, Self> {
                Within { message: self, limit: self.limit(limits) }
            }

            /// The most that its length field may say.
            const fn limit(&self, limits: &$Limits) -> u32 {
                match self {
                    $( Self::$Message(_) => limits.most(Class::$limit), )*
                    $( Self::$Untagged(_) => limits.$most(), )*
                }
            }
        }

        impl $Limits {
            /// The most that the length field of a message with this type byte may say.
            pub(crate) const fn of(&self, tag: u8) -> u32 {
                self.most(class(tag))
            }
        }

        $(
            impl<'a> Sent<$Direction> for $Message$(<$life>)? {
                const LIMIT: u32 = $Limits::DEFAULT.most(Class::$limit);
            }
        )*

        $(
            impl<'a> Sent<$Direction> for $($untagged)+ {
                const LIMIT: u32 = $Limits::DEFAULT.$most();
            }
        )*

        $(
            impl<'a> From<$Message$(<$life>)?> for Message<'a> {
                fn from(message: $Message$(<$life>)?) -> Self {
                    Self::$Message(message)
                }
            }
        )*
    };
}

pub(crate) use {bodiless, encoded, messages, tagged};
