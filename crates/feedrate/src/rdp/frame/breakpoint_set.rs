//! BreakpointSet (SPEC section 6.4).

use super::body::frame;

frame! {
    /// A breakpoint or a watchpoint is set.
    pub struct BreakpointSet = 0x81, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// The breakpoint.
        pub id: u32,
        /// Which of the target's slots it occupies.
        pub slot: u16,
    }
}
