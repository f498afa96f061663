//! All messages of one direction, in one enum.

/// The messages of one direction: the enum, reading by type byte, writing, tracing, names, and limits of lengths.
macro_rules! messages {
    (
        $(#[$doc:meta])*
        $side:ident: $Direction:ident, $Limits:ident, $long:ident;
        tagged { $( $(#[$message_doc:meta])* $Message:ident $(<$life:lifetime>)?, )* }
        untagged { $( $(#[$untagged_doc:meta])* $Untagged:ident $(<$untagged_life:lifetime>)?, )* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Message<'a> {
            $( $(#[$message_doc])* $Message($Message $(<$life>)?), )*
            $( $(#[$untagged_doc])* $Untagged($Untagged $(<$untagged_life>)?), )*
        }

        /// The class of limits for a type byte.
        const fn class(tag: u8) -> Class {
            match tag {
                $( $Message::TAG => <$Message as Sent<Class>>::CLASS, )*
                _ => Class::Unknown,
            }
        }

        /// The same from a table: the `match` would compile to a jump table, which is larger and slower.
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

        /// The shapes of the message's fields.
        fn shapes_of(tag: u8) -> &'static [Shape] {
            match tag {
                $( $Message::TAG => <$Message as Shaped>::SHAPES, )*
                _ => Shape::OPAQUE,
            }
        }

        /// Reads the fields of a tagged message.
        fn read_fields<'a>(tag: u8, reader: &mut Reader<'a>) -> Result<Message<'a>, Bad> {
            Ok(match tag {
                $( $Message::TAG => Message::$Message(Fields::read(reader)?), )*
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
                    $( Self::$Message(message) => Fields::write(message, out), )*
                    $( Self::$Untagged(message) => message.fields(out), )*
                }
            }
        }

        impl Traced for Message<'_> {
            fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
                match self {
                    $( Self::$Message(message) => Traced::trace(message, out), )*
                    $( Self::$Untagged(message) => Traced::trace(message, out), )*
                }
            }
        }

        /// Under the default limits of this direction.
        impl Encode for Message<'_> {
            fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
                self.write_within(out, self.limit(&$Limits::new()))
            }

            fn encoded_length(&self) -> Result<usize, EncodeError> {
                self.length_within(self.limit(&$Limits::new()))
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

            /// The same message, to be written under other than the default limits: for example those under which it
            /// was read.
            ///
            /// ```
            /// use feedrate::Encode;
            #[doc = concat!("use feedrate::pg::{", stringify!($Limits), "};")]
            #[doc = concat!("use feedrate::pg::", stringify!($side), "::{CopyData, Message};")]
            ///
            #[doc = concat!("let limits = ", stringify!($Limits), "::new().", stringify!($long), "(1_000);")]
            /// let mut out = Vec::new();
            /// let short = Message::from(CopyData { data: &[0; 996] });
            /// assert_eq!(short.within(&limits).encode(&mut out), Ok(1_001));
            /// let long = Message::from(CopyData { data: &[0; 997] });
            /// assert!(long.within(&limits).encode(&mut out).is_err());
            /// ```
            pub const fn within(&self, limits: &$Limits) -> Within<'_, Self> {
                Within { message: self, limit: self.limit(limits) }
            }

            /// Whether it has a type byte.
            pub(crate) fn is_tagged(&self) -> bool {
                matches!(self.header(), Header::Tag(_))
            }

            /// The largest allowed length.
            const fn limit(&self, limits: &$Limits) -> u32 {
                limits.most(match self {
                    $( Self::$Message(_) => <$Message as Sent<Class>>::CLASS, )*
                    $( Self::$Untagged(_) => <$Untagged as Sent<Class>>::CLASS, )*
                })
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

pub(crate) use messages;
