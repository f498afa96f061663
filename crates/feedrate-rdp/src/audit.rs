//! An audit log in memory: [`AuditRing`] (SPEC sections 6.5 and 8.6).

use feedrate::rdp::frame::Record;

use crate::target::{Audit, Full};

/// An audit log in a ring of `N` records. A record is overwritten only after the host has read it.
///
/// ```
/// use feedrate_rdp::audit::AuditRing;
/// use feedrate_rdp::target::Audit;
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
