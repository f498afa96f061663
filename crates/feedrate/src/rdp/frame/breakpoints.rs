//! Breakpoints (SPEC section 6.4).

use super::body::frame;
use super::field::{enumeration, fields};
use super::list::List;

frame! {
    /// The breakpoints and watchpoints.
    pub struct Breakpoints<'a> = 0x83, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Whether there are more than fit into this answer.
        pub more: bool,
        /// In ascending order of id.
        pub breakpoints: List<'a, Listed, u8>,
    }
}

fields! {
    /// A breakpoint in a list.
    pub struct Listed {
        /// The breakpoint.
        pub id: u32,
        /// Its address.
        pub addr: u64,
        /// What it was set as.
        pub trap: SetAs,
        /// How often it was hit.
        pub hits: u32,
    }
}

enumeration! {
    /// What a breakpoint was set as.
    #[non_exhaustive]
    pub enum SetAs {
        /// As the target chooses.
        Any = 0,
        /// In hardware.
        Hardware = 1,
        /// In software.
        Software = 2,
        /// A watchpoint.
        Watch = 3,
    }
}
