//! The audit log, as the agent writes it (SPEC sections 6.5 and 8.8).

use feedrate::rdp::frame::{Cause, ErrorCode, Record};

use super::device::{Device, Who};
use super::fail::{Fail, verdict};
use crate::arch::Arch;
use crate::target::Target;

/// Whether a command may be done without a record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// If the target has no log, but not if it is full.
    Log,
    /// In any case: it makes the machine safer, or makes room. A record that finds no room counts as lost.
    Room,
}

/// Something to be recorded: a command, or an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) who: Who,
    pub(super) kind: u8,
    pub(super) sequence: u32,
    pub(super) time: u32,
    pub(super) addr: u64,
    pub(super) value: u64,
}

impl<A: Arch> Device<A> {
    #[inline(never)]
    fn as_record(&self, entry: &Entry) -> Record {
        Record {
            boot: self.config.boots,
            session: entry.who.session,
            sequence: entry.sequence,
            time: entry.time,
            uptime: self.clock.uptime(),
            operator: entry.who.operator,
            suite: entry.who.suite,
            kind: entry.kind,
            addr: entry.addr,
            value: entry.value,
            ..Record::EMPTY
        }
    }

    /// Writes the record of a command, before its effect. There must be room besides for the ends of all forces that
    /// are held.
    #[inline(never)]
    pub(super) fn record<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        entry: &Entry,
        without: Without,
        more: usize,
    ) -> Result<Option<u32>, Fail> {
        let Some(audit) = target.audit() else {
            self.recorded = true;
            return Ok(None);
        };
        let keep = self.forces.len().saturating_add(more);
        match audit.append(self.as_record(entry), keep) {
            Ok(index) => {
                self.recorded = true;
                Ok(Some(index))
            }
            Err(_) if without == Without::Room => {
                audit.lose();
                self.recorded = true;
                Ok(None)
            }
            Err(_) => Err(ErrorCode::AuditFull.into()),
        }
    }

    /// Writes the outcome of a command.
    #[inline(never)]
    pub(super) fn conclude<T: Target<Arch = A>>(
        &self,
        target: &mut T,
        index: Option<u32>,
        result: Result<(), Fail>,
    ) {
        let verdict = verdict(result);
        if let (Some(index), Some(audit)) = (index, target.audit()) {
            audit.conclude(index, verdict);
        }
    }

    /// A command was refused.
    #[inline(never)]
    pub(super) fn record_refusal<T: Target<Arch = A>>(&self, target: &mut T, entry: &Entry, fail: Fail) {
        if let Some(audit) = target.audit() {
            let record = self.as_record(entry);
            audit.refused(Record { verdict: fail.code().0, cause: Cause::Refused, ..record });
        }
    }

    /// Something happened that no command requested.
    #[inline(never)]
    pub(super) fn record_event<T: Target<Arch = A>>(
        &self,
        target: &mut T,
        entry: &Entry,
        cause: Cause,
        result: Result<(), Fail>,
        count: u16,
    ) {
        if let Some(audit) = target.audit() {
            let record = Record { cause, verdict: verdict(result), count, ..self.as_record(entry) };
            if audit.append(record, self.forces.len()).is_err() {
                audit.lose();
            }
        }
    }
}
