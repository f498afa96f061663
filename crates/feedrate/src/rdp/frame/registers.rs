//! Registers (SPEC section 6.4).

use super::body::frame;
use super::values::Values;

frame! {
    /// What is in the registers.
    pub struct Registers<'a> = 0x98, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Number of the capture.
        pub capture: u32,
        /// The registers that were asked for.
        pub values: Values<'a>,
    }
}
