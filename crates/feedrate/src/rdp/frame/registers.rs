//! Registers (SPEC section 6.4).

use super::body::frame;
use super::values::Values;

frame! {
    /// The contents of the registers.
    pub struct Registers<'a> = 0x98, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Number of the capture: equal numbers are the same capture, a greater one is later.
        /// [`Stopped`](super::Stopped) goes on another channel, so a later capture may arrive first: a host stores
        /// with each register the capture that its value is from, and accepts a value only from a later one.
        pub capture: u32,
        /// The registers that were requested.
        pub values: Values<'a>,
    }
}
