//! ReadAudit (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What is in the audit log? The answer is [`Audit`](super::Audit).
    pub struct ReadAudit = 0x30, from HOST {
        /// The records that are wanted have this index or a greater one. Nothing is released by reading.
        pub from: u32,
        /// The maximum number of records that are wanted, at least 1.
        pub count: u8,
    }
}
