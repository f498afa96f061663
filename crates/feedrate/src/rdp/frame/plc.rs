//! Plc (SPEC section 6.4).

use super::body::frame;
use super::list::List;

frame! {
    /// What is in the PLC's registers.
    pub struct Plc<'a> = 0xAB, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Index of the first register.
        pub first: u16,
        /// What is in them.
        pub registers: List<'a, u16, u16>,
    }
}
