//! Plc (SPEC section 6.4).

use super::body::frame;
use super::list::List;

frame! {
    /// The contents of the PLC's registers.
    pub struct Plc<'a> = 0xAB, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Index of the first register.
        pub first: u16,
        /// Their contents.
        pub registers: List<'a, u16, u16>,
    }
}
