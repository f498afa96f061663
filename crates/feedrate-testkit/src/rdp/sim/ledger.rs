//! The machine's journal, read as it grows: what was executed, and whether it was done in the order that it has to be
//! done in (SPEC sections 8.7 and 8.8).

use std::collections::{BTreeMap, BTreeSet};

use feedrate::rdp::frame::Record;

use super::checked::{Checked, ensure};
use crate::machine::{Deed, Entry, Journal};

/// A session: which start of the agent, and its number since then.
pub(super) type Key = (u32, u32);

/// A command that touched the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Executed {
    pub(super) boot: u32,
    /// The agent's record of it.
    pub(super) record: Record,
    /// When.
    pub(super) at: u64,
    /// How many things were done between the record and its verdict.
    pub(super) effects: u32,
}

impl Executed {
    pub(super) fn key(&self) -> Key {
        (self.boot, self.record.session)
    }
}

/// A force that is held, as the journal has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    pub(super) key: Key,
    pub(super) sequence: u32,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    seen: usize,
    open: Option<usize>,
    pub(super) executed: Vec<Executed>,
    /// The records of each start of the agent, by their indices.
    pub(super) history: Vec<BTreeMap<u32, Record>>,
    pub(super) refused: Vec<(u32, Record)>,
    pub(super) held: BTreeMap<u64, Holding>,
    /// When traps were taken away otherwise than by a command.
    pub(super) disarmed: Vec<u64>,
    /// How often memory was read, by the address of its first byte.
    pub(super) reads: BTreeMap<u64, u32>,
    pub(super) reactions: u64,
    pub(super) fail_safes: u64,
    pub(super) lost: u64,
    /// The stop reaction was performed, and a trap cleared since.
    reacted: bool,
    cleared: bool,
    stuck: BTreeSet<u64>,
    /// What was stuck and could be taken back, and when that was: there may be two traps at an address.
    freed: (u64, BTreeSet<u64>),
    /// There was no room for a record: it may have been that of a Release.
    unrecorded: bool,
    /// A force has ended, and is to be recorded.
    owed: Option<u64>,
}

impl Ledger {
    /// Reads what has come since.
    pub(super) fn follow(&mut self, journal: &Journal) -> Checked {
        while let Some(entry) = journal.entries.get(self.seen) {
            self.seen += 1;
            self.entry(entry).map_err(|error| {
                let from = self.seen.saturating_sub(8);
                format!("{error}: {:?}", &journal.entries[from..self.seen])
            })?;
        }
        Ok(())
    }

    /// Whether a force or a trap could not be taken back.
    pub(super) fn is_stuck(&self) -> bool {
        !self.stuck.is_empty()
    }

    fn entry(&mut self, Entry { at, boot, deed }: &Entry) -> Checked {
        if let Some(addr) = self.owed.take() {
            let told = match deed {
                Deed::Recorded(record) => record.kind == Record::FORCE_ENDED && record.addr == addr,
                Deed::Lost => true,
                _ => false,
            };
            ensure!(told, "the end of the force at {addr:#x} is not recorded");
        }
        let kind = self.open.map(|open| self.executed[open].record.kind);
        let unrecorded = self.unrecorded && self.open.is_none();
        match deed {
            Deed::Recovered(_) => {
                self.held.clear();
                self.stuck.clear();
            }
            Deed::Recorded(record) => self.recorded(*at, *boot, *record)?,
            Deed::Concluded(index, verdict) => {
                let Some(open) = self.open.take() else { return Err("concluded out of turn".into()) };
                self.executed[open].record.verdict = *verdict;
                if let Some(record) = self.history.get_mut(*boot as usize).and_then(|of| of.get_mut(index)) {
                    record.verdict = *verdict;
                }
            }
            Deed::Refused(record) => {
                self.refused.push((*boot, *record));
                let known = self.of(*boot).get(&record.index).map_or(0, |known| known.count);
                self.of(*boot).entry(record.index).or_insert(*record).count = known + 1;
            }
            Deed::Lost => (self.lost, self.unrecorded) = (self.lost + 1, true),
            Deed::Read(addr, _) => *self.reads.entry(*addr).or_default() += 1,
            Deed::Reacted(..) => {
                self.reactions += 1;
                (self.reacted, self.cleared) = (true, false);
            }
            Deed::FailSafe(_) => self.fail_safes += 1,
            Deed::LetGo(addr, done) => {
                let reacted = self.reacted && !self.cleared;
                let commanded = kind == Some(0x1B) || unrecorded;
                let allowed = commanded || self.stuck.contains(addr) || reacted;
                ensure!(allowed, "{addr:#x} is let go of without the reaction before it, or behind a trap");
                self.follow_end(*addr, *done, *at);
                self.owed = (*done && !commanded).then_some(*addr);
            }
            Deed::Disarmed(addr, done) => {
                let commanded = kind == Some(0x02);
                let stuck = self.stuck.contains(addr) || self.freed.0 == *at && self.freed.1.contains(addr);
                let allowed = commanded || stuck || self.reacted;
                ensure!(allowed, "the trap at {addr:#x} is cleared without the reaction before it");
                self.cleared |= !commanded;
                self.follow_end(*addr, *done, *at);
                if !commanded {
                    self.disarmed.push(*at);
                }
            }
            Deed::Dropped(addr) => {
                ensure!(self.reacted, "{addr:#x} is dropped without the reaction before it");
                self.held.remove(addr);
            }
            Deed::Forced(addr, _) => {
                let Some(open) = self.open else { return Err("forced by nobody".into()) };
                let executed = &self.executed[open];
                let (key, sequence) = (executed.key(), executed.record.sequence);
                self.held.insert(*addr, Holding { key, sequence });
            }
            _ => {}
        }
        let effect = matches!(
            deed,
            Deed::Armed(_)
                | Deed::Disarmed(..)
                | Deed::Halted
                | Deed::Resumed
                | Deed::Stepped
                | Deed::Forced(..)
                | Deed::LetGo(..)
                | Deed::Wrote(..)
                | Deed::WroteRegister(..)
                | Deed::AxisSet(..)
        );
        if let (true, Some(open)) = (effect, self.open) {
            self.executed[open].effects += 1;
        }
        // What is done after that is not part of what the reaction was for.
        if matches!(deed, Deed::Asked(..) | Deed::Forced(..) | Deed::Armed(_)) {
            (self.reacted, self.cleared, self.unrecorded) = (false, false, false);
        }
        Ok(())
    }

    fn of(&mut self, boot: u32) -> &mut BTreeMap<u32, Record> {
        self.history.resize_with(self.history.len().max(boot as usize + 1), BTreeMap::new);
        &mut self.history[boot as usize]
    }

    fn follow_end(&mut self, addr: u64, done: bool, at: u64) {
        if done {
            if self.freed.0 != at {
                self.freed = (at, BTreeSet::new());
            }
            if self.stuck.remove(&addr) {
                self.freed.1.insert(addr);
            }
            self.held.remove(&addr);
        } else {
            self.stuck.insert(addr);
        }
    }

    fn recorded(&mut self, at: u64, boot: u32, record: Record) -> Checked {
        let again = self.of(boot).insert(record.index, record);
        ensure!(again.is_none(), "{record:?} after {again:?}");
        if record.kind < Record::FORCE_ENDED {
            self.open = Some(self.executed.len());
            self.executed.push(Executed { boot, record, at, effects: 0 });
            (self.reacted, self.cleared) = (false, false);
        }
        Ok(())
    }
}
