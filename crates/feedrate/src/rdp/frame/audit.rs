//! Audit (SPEC section 6.4).

use super::body::frame;
use super::field::fields;
use super::list::List;

frame! {
    /// What is in the audit log.
    pub struct Audit<'a> = 0xB0, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Index of the oldest record that is still there.
        pub oldest: u32,
        /// Index of the record that will be written next.
        pub next: u32,
        /// The records.
        pub records: List<'a, Record, u8>,
    }
}

/// Who acts: as the token says.
pub type Operator = [u8; 8];

fields! {
    /// A record of the audit log (SPEC section 6.5).
    pub struct Record {
        /// Counted up from 0.
        pub index: u32,
        /// Last four bytes of the session's device nonce.
        pub session: u32,
        /// Sequence of the command.
        pub sequence: u32,
        /// Time of the command in the session, milliseconds, as the host says.
        pub time: u32,
        /// Time since the agent's start, milliseconds.
        pub uptime: u32,
        /// Who.
        pub operator: Operator,
        /// Kind of the command.
        pub kind: u8,
        /// 0: done. [`Record::PENDING`]: not yet known. Otherwise the [`ErrorCode`](super::ErrorCode).
        pub verdict: u16,
        /// Address, axis, or version of a policy.
        pub addr: u64,
        /// What was forced (its first 8 bytes), position, count of steps, or id of a breakpoint.
        pub value: u64,
    }
}

impl Record {
    /// Bytes of a record on the wire.
    pub const SIZE: usize = 47;
    /// The verdict of a command that has not been concluded.
    pub const PENDING: u16 = 0xFFFF;
    /// A record of nothing, for a log that is still empty.
    pub const EMPTY: Self = Self {
        index: 0,
        session: 0,
        sequence: 0,
        time: 0,
        uptime: 0,
        operator: [0; 8],
        kind: 0,
        verdict: Self::PENDING,
        addr: 0,
        value: 0,
    };
}
