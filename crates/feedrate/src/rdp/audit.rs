//! The audit log: every command that touched the machine, who sent it, when, and what came of it (SPEC sections 6.5 and 8.6).

use super::target::Audit;
use super::wire::fields;

/// Who acts: as the token says.
pub type Operator = [u8; 8];

/// The verdict of a command that has not been concluded.
pub const PENDING: u16 = 0xFFFF;

fields! {
    /// A record of the audit log.
    Record {
        /// Counted up from 0.
        index: u32,
        /// Last four bytes of the session's device nonce.
        session: u32,
        /// Sequence of the command.
        sequence: u32,
        /// Time of the command in the session, milliseconds, as the host says.
        time: u32,
        /// Time since the agent's start, milliseconds.
        uptime: u32,
        /// Who.
        operator: Operator,
        /// Kind of the command.
        kind: u8,
        /// 0: done. [`PENDING`]: not yet known. Otherwise the [`ErrorCode`](super::ErrorCode).
        verdict: u16,
        /// Address, axis, or version of a policy.
        addr: u64,
        /// What was forced (its first 8 bytes), position, count of steps, or id of a breakpoint.
        value: u64,
    }
}

impl Record {
    /// Bytes of a record on the wire.
    pub const SIZE: usize = 47;
    pub(super) const EMPTY: Self = Self {
        index: 0,
        session: 0,
        sequence: 0,
        time: 0,
        uptime: 0,
        operator: [0; 8],
        kind: 0,
        verdict: PENDING,
        addr: 0,
        value: 0,
    };
}

/// There is no room for another record, until some have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is full")]
pub struct Full;

/// An audit log in a ring of `N` records. A record is overwritten only after the host has read it.
///
/// ```
/// use feedrate::rdp::{Audit, AuditRing};
///
/// let ring = AuditRing::<32>::new();
/// assert_eq!(ring.bounds(), (0, 0));
/// ```
#[derive(Debug, Clone)]
pub struct AuditRing<const N: usize> {
    records: [Record; N],
    /// Index of the oldest record that must not be overwritten yet.
    unread: u32,
    next: u32,
}

impl<const N: usize> AuditRing<N> {
    /// An empty log.
    pub const fn new() -> Self {
        Self { records: [Record::EMPTY; N], unread: 0, next: 0 }
    }

    fn place(index: u32) -> usize {
        usize::try_from(index).unwrap_or_default().checked_rem(N).unwrap_or_default()
    }
}

impl<const N: usize> Default for AuditRing<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Audit for AuditRing<N> {
    fn append(&mut self, record: Record) -> Result<u32, Full> {
        let index = self.next;
        let unread = usize::try_from(index.saturating_sub(self.unread)).unwrap_or(usize::MAX);
        if unread >= N {
            return Err(Full);
        }
        self.next = index.checked_add(1).ok_or(Full)?;
        *self.records.get_mut(Self::place(index)).ok_or(Full)? = Record { index, ..record };
        Ok(index)
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        if let Some(record) = self.records.get_mut(Self::place(index)).filter(|record| record.index == index)
        {
            record.verdict = verdict;
        }
    }

    fn bounds(&self) -> (u32, u32) {
        let kept = u32::try_from(N).unwrap_or(u32::MAX);
        (self.next.saturating_sub(kept), self.next)
    }

    fn get(&self, index: u32) -> Option<Record> {
        let (oldest, next) = self.bounds();
        self.records.get(Self::place(index)).filter(|_| (oldest..next).contains(&index)).copied()
    }

    fn release(&mut self, index: u32) {
        self.unread = self.unread.max(index.min(self.next));
    }
}
