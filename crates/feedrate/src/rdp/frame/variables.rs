//! Variables (SPEC section 6.4).

use super::body::frame;
use super::field::{enumeration, fields};
use super::list::{Bytes, List};

frame! {
    /// Which variables there are.
    pub struct Variables<'a> = 0xB3, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Generation of the program that they are of (SPEC section 8.11).
        pub generation: u32,
        /// How many there are in all.
        pub total: u16,
        /// Those from the requested number on, as many as have room.
        pub variables: List<'a, Variable<'a>, u8>,
    }
}

fields! {
    /// A variable in a list.
    pub struct Variable<'a> {
        /// Its address.
        pub addr: u64,
        /// How its bytes are meant.
        pub kind: Type,
        /// Number of its bytes, 1 to 16.
        pub length: u8,
        /// [`Variable::FORCEABLE`], or 0.
        pub flags: u8,
        /// Its name: UTF-8, 1 to 32 bytes.
        pub name: Bytes<'a, u8>,
    }
}

impl<'a> Variable<'a> {
    /// The flag of one that can be forced.
    pub const FORCEABLE: u8 = 1;

    /// Whether it can be forced.
    pub const fn is_forceable(&self) -> bool {
        self.flags & Self::FORCEABLE != 0
    }

    /// Its bytes on the wire.
    pub const fn size(&self) -> usize {
        // Not after more than 255 bytes of name: those cannot be written.
        self.name.as_slice().len().saturating_add(12)
    }
}

enumeration! {
    /// How a variable's bytes are meant.
    #[non_exhaustive]
    pub enum Type {
        /// Not as a number.
        Bytes = 0,
        /// As an unsigned integer.
        Unsigned = 1,
        /// As a signed integer.
        Signed = 2,
        /// As a floating point number.
        Float = 3,
        /// As false or true.
        Boolean = 4,
    }
}
