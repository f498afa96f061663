//! ReleaseAudit (SPEC sections 6.3 and 8.8).

use super::body::frame;

frame! {
    /// Allows records of the audit log to be overwritten. The answer is [`Done`](super::Done).
    pub struct ReleaseAudit = 0x35, from HOST {
        /// The records below this index.
        pub upto: u32,
        /// [CRC-32](crate::rdp::crc::crc_32) of the last record below it that exists and is not a refusal, which
        /// proves that it was read.
        pub crc: u32,
    }
}
