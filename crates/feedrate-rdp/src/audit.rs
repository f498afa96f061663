//! An audit log in memory: [`AuditRing`] (SPEC sections 6.5 and 8.8).

use feedrate::SliceOutput;
use feedrate::rdp::crc;
use feedrate::rdp::frame::{self, Durability, List, Record};

use crate::target::{Audit, Full};

/// An audit log of `N` records of what was done, and `REFUSED` of what was refused. A record of what was done is
/// overwritten only after it was released; the oldest refusals make room for new ones.
///
/// `REFUSED` should be a third of `N`, so that refusals take a quarter of it all. A reset loses it.
///
/// ```
/// use feedrate_rdp::audit::AuditRing;
/// use feedrate_rdp::target::Audit;
///
/// let log = AuditRing::<48, 16>::new();
/// assert_eq!((log.bounds(), log.lost()), ((0, 0), 0));
/// ```
#[derive(Debug, Clone)]
pub struct AuditRing<const N: usize, const REFUSED: usize> {
    done: Ring,
    refused: Ring,
    next: u32,
    /// Below this everything has been released.
    released: u32,
    lost: u32,
    done_records: [Record; N],
    refused_records: [Record; REFUSED],
}

/// Which of an array's records are in use: how many, in ascending order of index, the oldest at `start`. The array is
/// its owner's, so that there is one code for all lengths.
#[derive(Debug, Clone)]
struct Ring {
    start: usize,
    length: usize,
}

impl Ring {
    const EMPTY: Self = Self { start: 0, length: 0 };

    /// Where a record is, or the next one will be, in an array of `size`.
    fn place(&self, nth: usize, size: usize) -> usize {
        let place = self.start.saturating_add(nth);
        if place < size { place } else { place.saturating_sub(size) }
    }

    #[inline(never)]
    fn nth<'r>(&self, records: &'r [Record], nth: usize) -> Option<&'r Record> {
        records.get(self.place(nth, records.len())).filter(|_| nth < self.length)
    }

    /// The oldest one with this index, or a later one.
    fn first_from<'r>(&self, records: &'r [Record], index: u32) -> Option<&'r Record> {
        (0..self.length).filter_map(|nth| self.nth(records, nth)).find(|record| record.index >= index)
    }

    /// The place of the latest one with an index below this.
    fn last_below(&self, records: &[Record], index: u32) -> Option<usize> {
        let below = |nth: &usize| self.nth(records, *nth).is_some_and(|record| record.index < index);
        (0..self.length).rev().find(below).map(|nth| self.place(nth, records.len()))
    }

    /// The oldest one makes room, if there is none.
    #[inline(never)]
    fn push(&mut self, records: &mut [Record], record: &Record) {
        if self.length >= records.len() {
            self.start = self.place(1, records.len());
            self.length = self.length.saturating_sub(1);
        }
        let place = self.place(self.length, records.len());
        if let Some(free) = records.get_mut(place) {
            *free = *record;
            self.length = self.length.saturating_add(1);
        }
    }
}

impl<const N: usize, const REFUSED: usize> AuditRing<N, REFUSED> {
    /// An empty log.
    pub const fn new() -> Self {
        Self {
            done: Ring::EMPTY,
            refused: Ring::EMPTY,
            next: 0,
            released: 0,
            lost: 0,
            done_records: [Record::EMPTY; N],
            refused_records: [Record::EMPTY; REFUSED],
        }
    }
}

impl<const N: usize, const REFUSED: usize> Default for AuditRing<N, REFUSED> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, const REFUSED: usize> Audit for AuditRing<N, REFUSED> {
    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn append(&mut self, mut record: Record, keep: usize) -> Result<u32, Full> {
        let done = (0..self.done.length).filter_map(|nth| self.done.nth(&self.done_records, nth));
        let released = done.take_while(|record| record.index < self.released).count();
        let held = self.done.length.saturating_sub(released);
        if held.saturating_add(keep) >= N {
            return Err(Full);
        }
        let index = self.next;
        self.next = index.checked_add(1).ok_or(Full)?;
        record.index = index;
        self.done.push(&mut self.done_records, &record);
        Ok(index)
    }

    fn refused(&mut self, mut record: Record) {
        let latest = self.next.checked_sub(1);
        let last = self.refused.last_below(&self.refused_records, self.next);
        let last = last.and_then(|place| self.refused_records.get_mut(place));
        if let Some(last) = last.filter(|last| Some(last.index) == latest && last.repeats(&record)) {
            last.count = last.count.saturating_add(1);
            return;
        }
        let Some(next) = self.next.checked_add(1) else { return self.lose() };
        if self.refused.length >= REFUSED {
            let oldest = self.refused.nth(&self.refused_records, 0);
            let unread = oldest.is_none_or(|oldest| oldest.index >= self.released);
            self.lost = self.lost.saturating_add(u32::from(unread));
        }
        record.index = self.next;
        self.refused.push(&mut self.refused_records, &record);
        self.next = next;
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        // It is the last one, or close to it.
        let place = self.done.last_below(&self.done_records, index.saturating_add(1));
        let record = place.and_then(|place| self.done_records.get_mut(place));
        if let Some(record) = record.filter(|record| record.index == index) {
            record.verdict = verdict;
        }
    }

    fn bounds(&self) -> (u32, u32) {
        (self.first_from(0).map_or(self.next, |record| record.index), self.next)
    }

    fn first_from(&self, index: u32) -> Option<Record> {
        let done = self.done.first_from(&self.done_records, index);
        let refused = self.refused.first_from(&self.refused_records, index);
        done.into_iter().chain(refused).min_by_key(|record| record.index).copied()
    }

    fn last_below(&self, index: u32) -> Option<Record> {
        let place = self.done.last_below(&self.done_records, index)?;
        self.done_records.get(place).copied()
    }

    fn release(&mut self, index: u32) {
        self.released = self.released.max(index.min(self.next));
    }

    fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    fn lost(&self) -> u32 {
        self.lost
    }
}

/// CRC-32 of a record as it is on the wire: with it [`ReleaseAudit`](feedrate::rdp::frame::ReleaseAudit) proves that
/// its sender has read as far as this record, the last one that is not a refusal (SPEC section 8.8).
///
/// ```
/// use feedrate::rdp::frame::Record;
/// use feedrate_rdp::audit::crc_of;
///
/// assert_ne!(crc_of(&Record::EMPTY), crc_of(&Record { index: 1, ..Record::EMPTY }));
/// ```
pub fn crc_of(record: &Record) -> u32 {
    let mut bytes = [0; 96];
    let mut out = SliceOutput::new(&mut bytes);
    let records = [*record];
    // It is the last thing in an answer that has no other one.
    let audit = frame::Audit { request: 0, oldest: 0, next: 0, lost: 0, records: List::new(&records) };
    let written = frame::write(&audit, &mut out);
    let bytes = out.as_bytes();
    let from = bytes.len().saturating_sub(Record::SIZE);
    if written.is_ok() { crc::crc_32(&[bytes.get(from..).unwrap_or_default()]) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8) -> Record {
        Record { kind, ..Record::EMPTY }
    }

    fn indices<const N: usize, const R: usize>(log: &AuditRing<N, R>) -> std::vec::Vec<u32> {
        let mut from = 0;
        let mut found = std::vec::Vec::new();
        while let Some(record) = log.first_from(from) {
            found.push(record.index);
            from = record.index + 1;
        }
        found
    }

    #[test]
    fn what_was_done_is_overwritten_only_when_it_was_released() {
        let mut log = AuditRing::<3, 1>::new();
        assert_eq!(
            [log.append(record(1), 0), log.append(record(2), 0), log.append(record(3), 0)],
            [Ok(0), Ok(1), Ok(2)]
        );
        assert_eq!(log.append(record(4), 0), Err(Full));
        log.release(1);
        assert_eq!(log.append(record(4), 1), Err(Full));
        assert_eq!(log.append(record(4), 0), Ok(3));
        assert_eq!(indices(&log), [1, 2, 3]);
        assert_eq!(log.append(record(5), 0), Err(Full));
        // Nobody can release what is still to come.
        log.release(u32::MAX);
        assert_eq!(log.append(record(5), 2), Ok(4));
        assert_eq!(log.append(record(6), 2), Err(Full));
        assert_eq!(log.append(record(6), 1), Ok(5));
        log.conclude(4, 9);
        assert_eq!(log.first_from(4).map(|record| (record.kind, record.verdict)), Some((5, 9)));
    }

    #[test]
    fn refusals_make_room_for_refusals_alone_and_are_counted() {
        let mut log = AuditRing::<3, 2>::new();
        let _ = log.append(record(1), 0);
        for kind in [2, 2, 2, 3, 4] {
            log.refused(Record { count: 1, ..record(kind) });
        }
        assert_eq!((indices(&log), log.lost()), (std::vec![0, 2, 3], 1));
        log.release(4);
        log.refused(record(5));
        assert_eq!((indices(&log), log.lost()), (std::vec![0, 3, 4], 1));
        // Not in a row any more.
        let _ = log.append(record(1), 0);
        log.refused(record(5));
        assert_eq!(indices(&log), [0, 4, 5, 6]);
        assert_eq!(log.last_below(6).map(|record| record.index), Some(5));
        assert_eq!(log.last_below(7).map(|record| record.index), Some(5));
        assert_eq!(log.last_below(0), None);
        assert_eq!(log.bounds(), (0, 7));
    }

    #[test]
    fn equal_refusals_in_a_row_are_one_record() {
        let mut log = AuditRing::<3, 2>::new();
        for sequence in 0..5 {
            log.refused(Record { sequence, count: 1, uptime: u64::from(sequence), ..record(2) });
        }
        assert_eq!(log.first_from(0).map(|record| (record.count, record.sequence)), Some((5, 0)));
        assert_eq!(indices(&log), [0]);
    }
}
