//! The macros that describe a message: [`message!`], and parts of it for messages written by hand.

/// A message with a type byte: the structure, and everything that follows from its fields, in their order.
///
/// ```text
/// message! {
///     /// What it is for.
///     #[derive(Default)]
///     pub struct Execute<'a> = b'E', frontend(Small) {       type byte; directions, each with its class of limits
///         /// What it says.
///         pub portal: Text<'a>,                              a type is its own form,
///         /// The process.
///         pub process_id: i32 as Process,                    or has another one
///         /// A long one.
///         pub sql: Text<'a> => Sql,                          comes as that Part, where the message comes in pieces
///     }
/// }
/// ```
///
/// The fields' names here are also used in errors.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident $(<$life:lifetime>)? = $tag:literal, $($side:ident($Class:ident)),+ {$(
            $(#[$field_meta:meta])*
            pub $field:ident: $Type:ty $(as $Form:ty)? $(=> $Label:ident)?
        ),* $(,)?}
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Name $(<$life>)? {$(
            $(#[$field_meta])*
            pub $field: $Type,
        )*}

        $crate::pg::message::macros::traced!($Name $(<$life>)?);
        $crate::pg::message::macros::fields! {
            $Name $(<$life>)? { $($field: $Type $(as $Form)?,)* }
        }

        $crate::pg::message::macros::tagged! {
            $Name $(<$life>)? = $tag, $($side($Class)),+
            [
                <[&str]>::len(&[$(stringify!($field)),*]),
                $crate::pg::message::macros::shapes!([] $([$Type $(as $Form)? $(=> $Label)?])*)
            ]
        }
    };

    // Without a body.
    (
        $(#[$meta:meta])*
        pub struct $Name:ident = $tag:literal, $($side:ident($Class:ident)),+;
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Name;

        $crate::pg::message::macros::traced!($Name);
        $crate::pg::message::macros::fields! { $Name {} }
        $crate::pg::message::macros::tagged! { $Name = $tag, $($side($Class)),+ [0, &[]] }
    };
}

/// The form of a field.
macro_rules! form {
    ($Type:ty) => {
        $Type
    };
    ($Type:ty as $Form:ty) => {
        $Form
    };
}

/// What follows from the fields alone.
macro_rules! fields {
    ($Name:ident $(<$life:lifetime>)? { $($field:ident: $Type:ty $(as $Form:ty)?,)* }) => {
        impl<'a> $crate::pg::message::Fields<'a> for $Name $(<$life>)? {
            #[inline]
            #[allow(unused_variables, reason = "not all messages have fields")]
            fn read(
                reader: &mut $crate::pg::reader::Reader<'a>,
            ) -> Result<Self, $crate::pg::reader::Bad> {
                Ok(Self {$(
                    $field: <$crate::pg::message::macros::form!($Type $(as $Form)?)
                        as $crate::pg::form::Form<'a, $Type>>::read(
                            reader,
                            &$crate::pg::form::Name {
                                field: stringify!($field),
                                count: concat!("number of ", stringify!($field)),
                            },
                        )?,
                )*})
            }

            #[inline]
            #[allow(unused_variables, reason = "not all messages have fields")]
            fn write<S: $crate::pg::write::Sink>(&self, out: &mut S) {$(
                <$crate::pg::message::macros::form!($Type $(as $Form)?)
                    as $crate::pg::form::Form<'_, $Type>>::write(
                        self.$field,
                        out,
                        concat!(stringify!($Name), " ", stringify!($field)),
                    );
            )*}

            #[allow(unused_variables, reason = "not all messages have fields")]
            fn trace(&self, out: &mut $crate::pg::trace::Printer<'_, '_>) -> core::fmt::Result {
                $(
                    <$crate::pg::message::macros::form!($Type $(as $Form)?)
                        as $crate::pg::form::Form<'_, $Type>>::trace(self.$field, out)?;
                )*
                Ok(())
            }
        }

        #[cfg(feature = "arbitrary")]
        impl<'a> arbitrary::Arbitrary<'a> for $Name $(<$life>)? {
            #[allow(unused_variables, reason = "not all messages have fields")]
            fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
                Ok(Self {$(
                    $field: <$crate::pg::message::macros::form!($Type $(as $Form)?)
                        as $crate::pg::form::Form<'a, $Type>>::arbitrary(u)?,
                )*})
            }
        }
    };
}

/// What follows from the type byte: names, [`Encode`](crate::Encode) under the limits of the directions that a message
/// belongs to, and how it comes in pieces.
macro_rules! tagged {
    (
        $Name:ident $(<$life:lifetime>)? = $tag:literal, $($side:ident($Class:ident)),+ [$fields:expr, $shapes:expr]
    ) => {
        impl $(<$life>)? $Name $(<$life>)? {
            /// The type byte.
            pub const TAG: u8 = $tag;
        }

        impl $(<$life>)? $crate::pg::shape::Shaped for $Name $(<$life>)? {
            const SHAPES: &'static [$crate::pg::shape::Shape] = $crate::pg::shape::Shape::all($fields, $shapes);
        }

        impl $(<$life>)? $crate::pg::write::Whole for $Name $(<$life>)? {
            fn what(&self) -> &'static str {
                Self::NAME
            }

            #[inline]
            fn header(&self) -> $crate::pg::write::Header {
                $crate::pg::write::Header::Tag(Self::TAG)
            }

            #[inline]
            fn fields<S: $crate::pg::write::Sink>(&self, out: &mut S) {
                $crate::pg::message::Fields::write(self, out)
            }
        }

        $crate::pg::message::macros::encoded!($Name $(<$life>)?, $($side($Class)),+);
    };
}

/// An untagged startup packet: a length, then a body.
macro_rules! startup {
    ($Name:ident $(<$life:lifetime>)?) => {
        impl $(<$life>)? $crate::pg::write::Whole for $Name $(<$life>)? {
            fn what(&self) -> &'static str {
                Self::NAME
            }

            fn header(&self) -> $crate::pg::write::Header {
                $crate::pg::write::Header::Length
            }

            fn fields<S: $crate::pg::write::Sink>(&self, out: &mut S) {
                $crate::pg::message::Fields::write(self, out)
            }
        }

        $crate::pg::message::macros::traced!($Name $(<$life>)?);
        $crate::pg::message::macros::encoded!($Name $(<$life>)?, frontend(Startup));
    };
}

/// A trace of its name and its fields.
macro_rules! traced {
    ($Name:ident $(<$life:lifetime>)?) => {
        impl $(<$life>)? $crate::pg::message::Traced for $Name $(<$life>)? {
            fn trace(&self, out: &mut $crate::pg::trace::Printer<'_, '_>) -> core::fmt::Result {
                out.name(Self::NAME)?;
                $crate::pg::message::Fields::trace(self, out)
            }
        }
    };
}

/// A startup packet that consists of its code only, which is in the place of a StartupMessage's version.
macro_rules! request {
    ($(#[$meta:meta])* pub struct $Name:ident = $code:literal;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Name;

        impl $Name {
            pub(crate) const CODE: u32 = $code;
        }

        impl<'a> $crate::pg::message::Fields<'a> for $Name {
            fn read(reader: &mut $crate::pg::reader::Reader<'a>) -> Result<Self, $crate::pg::reader::Bad> {
                reader.u32("code").map(|_| Self)
            }

            fn write<S: $crate::pg::write::Sink>(&self, out: &mut S) {
                out.put(&Self::CODE.to_be_bytes())
            }

            fn trace(&self, out: &mut $crate::pg::trace::Printer<'_, '_>) -> core::fmt::Result {
                out.code(Self::CODE)
            }
        }

        $crate::pg::message::macros::startup!($Name);
    };
}

/// The name, and [`Encode`](crate::Encode) under the default limits.
macro_rules! encoded {
    ($Name:ident $(<$life:lifetime>)?, $($side:ident($Class:ident)),+) => {
        impl $(<$life>)? $Name $(<$life>)? {
            /// The name, as the documentation spells it.
            pub const NAME: &'static str = stringify!($Name);

            /// The largest length that is allowed by default: the larger limit, if it belongs to both directions.
            pub(crate) const LIMIT: u32 = $crate::pg::cap::largest(&[
                $($crate::pg::limits::$side::DEFAULT.most($crate::pg::limits::$side::Class::$Class)),+
            ]);
        }

        $crate::pg::message::macros::sent!($Name $(<$life>)?, $($side($Class)),+);

        impl $(<$life>)? $crate::encode::Encode for $Name $(<$life>)? {
            #[inline]
            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                $crate::pg::write::Whole::write_within(self, out, Self::LIMIT)
            }

            fn encoded_length(&self) -> Result<usize, $crate::encode::EncodeError> {
                $crate::pg::write::Whole::length_within(self, Self::LIMIT)
            }
        }
    };
}

/// The class of limits in each direction.
macro_rules! sent {
    ($Name:ident $(<$life:lifetime>)?, $side:ident($Class:ident) $(, $other:ident($Other:ident))*) => {
        impl $(<$life>)? $crate::pg::limits::Sent<$crate::pg::limits::$side::Class> for $Name $(<$life>)? {
            const CLASS: $crate::pg::limits::$side::Class = $crate::pg::limits::$side::Class::$Class;
        }

        $crate::pg::message::macros::sent!($Name $(<$life>)? $(, $other($Other))*);
    };
    ($Name:ident $(<$life:lifetime>)?) => {};
}

/// The shapes of the fields, if they have labels.
macro_rules! shapes {
    ([$($shape:expr),*]) => { &[$($shape),*] };
    ([$($shape:expr),*] [$Type:ty $(as $Form:ty)?] $($rest:tt)*) => {
        $crate::pg::message::macros::shapes!([$($shape),*] $($rest)*)
    };
    ([$($shape:expr),*] [$Type:ty $(as $Form:ty)? => $Label:ident] $($rest:tt)*) => {
        $crate::pg::message::macros::shapes!([$($shape,)* $crate::pg::shape::Shape {
            kind: <$crate::pg::message::macros::form!($Type $(as $Form)?) as $crate::pg::form::Pieces>::KIND,
            label: $crate::pg::shape::Label::$Label,
        }] $($rest)*)
    };
}

/// A structure of fields, for the items of a list. A list of items marked `terminated` ends with a zero byte.
macro_rules! item {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident<$life:lifetime> $(: $terminated:ident)? {$(
            $(#[$field_meta:meta])*
            pub $field:ident: $Type:ty $(as $Form:ty)?
        ),* $(,)?}
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub struct $Name<$life> {$(
            $(#[$field_meta])*
            pub $field: $Type,
        )*}

        $crate::pg::message::macros::fields! {
            $Name<$life> { $($field: $Type $(as $Form)?,)* }
        }

        impl<$life> $crate::pg::list::Item<$life> for $Name<$life> {}
        impl<$life> $crate::pg::list::sealed::Item<$life> for $Name<$life> {
            $( const TERMINATED: bool = $crate::pg::message::macros::terminated!($terminated); )?

            // Not inlined: shared by checking the list and iterating over it.
            #[inline(never)]
            fn read(
                reader: &mut $crate::pg::reader::Reader<$life>,
            ) -> Result<Self, $crate::pg::reader::Bad> {
                $crate::pg::message::Fields::read(reader)
            }

            fn write<S: $crate::pg::write::Sink>(&self, out: &mut S) {
                $crate::pg::message::Fields::write(self, out)
            }

            fn trace(&self, out: &mut $crate::pg::trace::Printer<'_, '_>) -> core::fmt::Result {
                $crate::pg::message::Fields::trace(self, out)
            }
        }
    };
}

/// How a list ends.
macro_rules! terminated {
    (terminated) => {
        true
    };
}

pub(crate) use {
    encoded, fields, form, item, message, request, sent, shapes, startup, tagged, terminated, traced,
};
