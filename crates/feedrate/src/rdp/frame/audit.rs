//! Audit (SPEC sections 6.4 and 6.5).

use super::body::frame;
use super::cause::Cause;
use super::field::fields;
use super::list::List;

frame! {
    /// The contents of the audit log.
    pub struct Audit<'a> = 0xB0, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Index of the oldest record that is still there.
        pub oldest: u32,
        /// Index of the record that will be written next.
        pub next: u32,
        /// Records that were lost since the boot (SPEC section 8.8).
        pub lost: u32,
        /// In ascending order of index. Fewer than requested: there are no more, or no more fit into one answer.
        pub records: List<'a, Record, u8>,
    }
}

/// Who acts, as identified by the token.
pub type Operator = [u8; 8];

fields! {
    /// A record of the audit log (SPEC section 6.5).
    pub struct Record {
        /// [`Record::VERSION`].
        pub version: u8,
        /// Counting up from 0 at each boot.
        pub index: u32,
        /// Number of the boot.
        pub boot: u32,
        /// Last four bytes of the session's device nonce; 0 if there is none.
        pub session: u32,
        /// Sequence of the command; for ForceEnded and Stuck: of the Force, or of the command that set the trap.
        pub sequence: u32,
        /// Time in the command's header, in units of 10 ms; for events: the session clock, 0 if there is none.
        pub time: u32,
        /// Time since the agent's start, milliseconds.
        pub uptime: u64,
        /// The operator.
        pub operator: Operator,
        /// Number of the seal in use.
        pub suite: u16,
        /// Kind of the command, or of the event: [`Record::FORCE_ENDED`] and those after it.
        pub kind: u8,
        /// For events (SPEC section 8.7); [`Cause::None`] for commands.
        pub cause: Cause,
        /// 0: done. [`Record::PENDING`]: not yet known. Otherwise the [`ErrorCode`](super::ErrorCode).
        pub verdict: u16,
        /// Number of equal refusals in a row, or of renewals of a force that has ended; 1 otherwise. It saturates at
        /// 65535.
        pub count: u16,
        /// Address, axis, register, or version of a policy; 0 if there is none.
        pub addr: u64,
        /// What was forced or written (its first 8 bytes, padded with zeros at the end), value of a register,
        /// position, count of steps, last address of a StepRange, id of a breakpoint, or `upto` of ReleaseAudit; 0 if
        /// there is none.
        pub value: u64,
    }
}

impl Record {
    /// Bytes of a record on the wire.
    pub const SIZE: usize = 61;
    /// The version of these records.
    pub const VERSION: u8 = 1;
    /// The verdict of a command that has not been concluded.
    pub const PENDING: u16 = 0xFFFF;

    /// The event that a force ended by other means than Release.
    pub const FORCE_ENDED: u8 = 0xE0;
    /// The event that a force or a trap could not be taken back.
    pub const STUCK: u8 = 0xE1;
    /// The event that the program hit a trap when no session was active.
    pub const STOP_WITHOUT_SESSION: u8 = 0xE2;
    /// The event that a session which was active ended.
    pub const SESSION_ENDED: u8 = 0xE3;

    /// Whether a refusal is the same as another one in everything but times, numbers and count (SPEC section 8.8).
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let Self { index, sequence, time, uptime, count, .. } = *self;
        *self == Self { index, sequence, time, uptime, count, ..*other }
    }

    /// An empty record, for a log that is still empty.
    pub const EMPTY: Self = Self {
        version: Self::VERSION,
        index: 0,
        boot: 0,
        session: 0,
        sequence: 0,
        time: 0,
        uptime: 0,
        operator: [0; 8],
        suite: 0,
        kind: 0,
        cause: Cause::None,
        verdict: Self::PENDING,
        count: 1,
        addr: 0,
        value: 0,
    };
}
