//! ReadRegisters (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What is in the registers? The answer is [`Registers`](super::Registers).
    #[derive(Default)]
    pub struct ReadRegisters = 0x18, from HOST {
        /// Whether registers that have not changed since they were last sent in this session are omitted.
        pub changed: bool,
    }
}
