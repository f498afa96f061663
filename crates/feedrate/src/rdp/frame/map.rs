//! Map (SPEC sections 6.4 and 8.6).

use super::body::frame;
use super::field::{enumeration, fields};
use super::list::List;

frame! {
    /// The memory map.
    pub struct Map<'a> = 0xB4, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// How many regions there are in all.
        pub total: u16,
        /// Those from the requested number on, as many as have room.
        pub regions: List<'a, Region, u8>,
    }
}

fields! {
    /// A region of memory.
    pub struct Region {
        /// Its first address.
        pub first: u64,
        /// Its last address.
        pub last: u64,
        /// What may be done to it.
        pub class: Class,
    }
}

impl Region {
    /// Bytes of a region on the wire.
    pub const SIZE: usize = 17;

    /// Whether an address is in it.
    pub const fn contains(&self, addr: u64) -> bool {
        self.first <= addr && addr <= self.last
    }
}

enumeration! {
    /// What may be done to a region of memory.
    // Exhaustive: the specification's table. Code that reads or writes has to handle each.
    pub enum Class {
        /// Everything.
        Plain = 0,
        /// Reading has side effects, and needs control.
        SideEffects = 1,
        /// Nothing: no reading, writing, forcing, or traps.
        Protected = 2,
    }
}
