//! ReadPlc (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What is in the PLC's registers? The answer is [`Plc`](super::Plc).
    pub struct ReadPlc = 0x2B, from HOST {
        /// Index of the first register.
        pub first: u16,
        /// Number of registers.
        pub count: u16,
    }
}
