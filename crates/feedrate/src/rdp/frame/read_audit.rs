//! ReadAudit (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Asks for records of the audit log. The answer is [`Audit`](super::Audit).
    pub struct ReadAudit = 0x30, from HOST {
        /// Records with this index or a greater one are wanted. Reading releases nothing.
        pub from: u32,
        /// The maximum number of records that are wanted, at least 1.
        pub count: u8,
    }
}
