//! ReadAudit (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What is in the audit log? The answer is [`Audit`](super::Audit).
    pub struct ReadAudit = 0x30, from HOST {
        /// Index of the first record that is wanted. The host has all before it.
        pub from: u32,
        /// The most records that are wanted, at least 1.
        pub count: u8,
    }
}
