//! A debug frame's header, and what all kinds have in common: a number, a sender, a body (SPEC section 6).

use super::field::{Field, Writer};
use crate::encode::{EncodeError, Output};

/// `GDBP`, with which every debug frame begins.
pub const MAGIC: u32 = 0x4744_4250;
/// Version of the debug frame.
pub const VERSION: u8 = 1;
/// Bytes of magic, version and kind.
pub const HEADER: usize = 6;

/// Who sends a kind.
pub(super) const HOST: u8 = 1;
/// Who sends a kind.
pub(super) const AGENT: u8 = 2;
/// Who sends a kind.
pub(super) const BOTH: u8 = HOST | AGENT;

/// Something that can be sent as a debug frame: a [`Frame`](super::Frame), or the body of a single kind, so that the
/// code for other kinds need not be linked.
///
/// The bodies of all kinds implement it, except [`Breakpoint`](super::Breakpoint), which belongs to five kinds. It is
/// sealed: other types would not write debug frames.
///
/// ```
/// use feedrate::SliceOutput;
/// use feedrate::rdp::frame::{self, Body, Done};
///
/// let mut bytes = [0; 16];
/// let mut out = SliceOutput::new(&mut bytes);
/// let body: &dyn Body = &Done { request: 7 };
/// frame::write(body, &mut out)?;
/// assert_eq!(out.as_bytes(), b"GDBP\x01\x80\0\0\0\x07");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
pub trait Body {
    /// The kind's number.
    fn kind(&self) -> u8;

    #[doc(hidden)]
    fn write_body(&self, out: &mut Writer<'_>);
}

/// Writes a whole debug frame.
///
/// # Errors
///
/// [`EncodeError`]. Bytes that have been written by then stay; [`Encode::encode`](crate::Encode::encode) removes them.
pub fn write(body: &dyn Body, out: &mut dyn Output) -> Result<(), EncodeError> {
    let mut out = Writer::new(out);
    MAGIC.write(&mut out);
    out.byte(VERSION);
    out.byte(body.kind());
    body.write_body(&mut out);
    out.finish()
}

/// A debug frame: its number, its sender, and its fields, from which reading and writing are derived. Without fields it
/// has no body. The list of all kinds is in the parent module.
macro_rules! frame {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident $(<$life:lifetime>)? = $number:literal, from $SENDER:ident { $($fields:tt)* }
    ) => {
        $crate::rdp::frame::field::fields! {
            $(#[$meta])*
            pub struct $Name $(<$life>)? { $($fields)* }
        }

        $crate::rdp::frame::body::frame!(@body $Name $(<$life>)? = $number, $SENDER);
    };
    ($(#[$meta:meta])* pub struct $Name:ident = $number:literal, from $SENDER:ident;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Name;

        impl $crate::rdp::frame::field::Field<'_> for $Name {
            fn read(_: &mut $crate::rdp::frame::field::Reader<'_>) -> Self {
                Self
            }

            fn write<'w, 'o>(
                &self,
                out: $crate::rdp::frame::field::Out<'w, 'o>,
            ) -> $crate::rdp::frame::field::Out<'w, 'o> {
                out
            }
        }

        $crate::rdp::frame::body::frame!(@body $Name = $number, $SENDER);
    };
    (@body $Name:ident $(<$life:lifetime>)? = $number:literal, $SENDER:ident) => {
        $crate::rdp::frame::body::described!(pub $Name $(<$life>)? = $number, $SENDER);

        impl $(<$life>)? $crate::rdp::frame::body::Body for $Name $(<$life>)? {
            fn kind(&self) -> u8 {
                Self::KIND
            }

            fn write_body(&self, out: &mut $crate::rdp::frame::field::Writer<'_>) {
                $crate::rdp::frame::field::Field::write(self, out);
            }
        }

        impl $(<$life>)? $crate::encode::Encode for $Name $(<$life>)? {
            fn write<O: $crate::encode::Output>(&self, out: &mut O) -> Result<(), $crate::encode::EncodeError> {
                $crate::rdp::frame::body::write(self, out)
            }
        }
    };
}
pub(super) use frame;

/// The numbers and senders of kinds that share a body.
macro_rules! kinds {
    ($($Name:ident = $number:literal, from $SENDER:ident;)*) => {$(
        pub(super) enum $Name {}

        $crate::rdp::frame::body::described!(pub(super) $Name = $number, $SENDER);
    )*};
}
pub(super) use kinds;

/// A kind's number and its sender.
macro_rules! described {
    ($visibility:vis $Name:ident $(<$life:lifetime>)? = $number:literal, $SENDER:ident) => {
        impl $(<$life>)? $Name $(<$life>)? {
            /// The kind's number.
            $visibility const KIND: u8 = $number;
            pub(super) const SENDER: u8 = $crate::rdp::frame::body::$SENDER;
        }
    };
}
pub(super) use described;
