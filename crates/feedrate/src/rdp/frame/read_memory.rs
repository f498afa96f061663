//! ReadMemory (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What is in memory? The answer is [`Memory`](super::Memory).
    pub struct ReadMemory = 0x19, from HOST {
        /// First address.
        pub addr: u64,
        /// Number of bytes, at least 1.
        pub length: u16,
    }
}
