//! Faults of the agent, as the journal would show them: made to see that they are found.

use feedrate::rdp::frame::Record;

use super::World;
use super::fault::Sabotage;
use crate::machine::{Deed, Entry, Held};

/// The command that it befalls: the one of this number.
const WHICH: usize = 4;

impl World {
    /// Changes what the last run has written into the journal.
    pub(super) fn sabotage(&mut self, from: usize) {
        let executed = self.ledger.executed.len();
        let entries = &mut self.machine.journal.entries;
        let command =
            |deed: &Deed| matches!(deed, Deed::Recorded(record) if record.kind < Record::FORCE_ENDED);
        let at = (from..entries.len()).find(|at| command(&entries[*at].deed)).filter(|_| executed == WHICH);
        let ends = (from..entries.len()).find(
            |at| matches!(&entries[*at].deed, Deed::Recorded(record) if record.kind == Record::FORCE_ENDED),
        );
        let record = at.and_then(|at| match &mut entries[at].deed {
            Deed::Recorded(record) => Some(record),
            _ => None,
        });
        match (self.sabotage, record) {
            (Sabotage::Altered, Some(record)) => record.addr ^= 1,
            (Sabotage::Stranger, Some(record)) => record.session += 1_000,
            (Sabotage::Unsent, Some(record)) => record.sequence += 1_000_000,
            _ => {}
        }
        let Some(at) = at.or(ends) else { return self.sabotage_machine(from) };
        match self.sabotage {
            Sabotage::Twice | Sabotage::Late if executed == WHICH => {
                let earlier = if self.sabotage == Sabotage::Twice { WHICH - 1 } else { WHICH - 2 };
                let executed = &mut self.ledger.executed;
                let again = executed[earlier];
                if self.sabotage == Sabotage::Late {
                    executed.remove(earlier);
                }
                executed.push(again);
            }
            Sabotage::Idle if executed == WHICH => {
                let effect = (at..entries.len()).find(|at| {
                    matches!(
                        entries[*at].deed,
                        Deed::Armed(_) | Deed::AxisSet(..) | Deed::Wrote(..) | Deed::WroteRegister(..)
                    )
                });
                effect.map(|effect| entries.remove(effect));
            }
            Sabotage::Old if executed == WHICH => {
                entries[at..].iter_mut().for_each(|entry| entry.at += 60_000_000);
            }
            Sabotage::Unrecorded if executed == WHICH => {
                let concluded =
                    (at..entries.len()).find(|at| matches!(entries[*at].deed, Deed::Concluded(_, 0)));
                if let Some(concluded) = concluded {
                    entries.drain(at..=concluded);
                }
            }
            Sabotage::NoReaction => entries.retain(|entry| !matches!(entry.deed, Deed::Reacted(..))),
            Sabotage::TrapsFirst => {
                let trap = (from..entries.len()).find(|at| matches!(entries[*at].deed, Deed::Disarmed(..)));
                let force = (from..entries.len()).find(|at| matches!(entries[*at].deed, Deed::LetGo(..)));
                if let (Some(trap), Some(force)) = (trap, force.filter(|force| Some(*force) < trap)) {
                    let entry: Entry = entries.remove(trap);
                    entries.insert(force, entry);
                }
            }
            Sabotage::NoEnd => {
                if let Some(end) = ends {
                    entries.remove(end);
                }
            }
            _ => self.sabotage_machine(from),
        }
    }

    fn sabotage_machine(&mut self, from: usize) {
        let machine = &mut self.machine;
        let entries = &mut machine.journal.entries;
        match self.sabotage {
            Sabotage::Held => {
                let let_go = entries[from..].iter().find_map(|entry| match entry.deed {
                    Deed::LetGo(addr, true) => Some(addr),
                    _ => None,
                });
                if let Some(addr) = let_go {
                    machine.held.insert(addr, Held { value: vec![1; 8], safe: None, since: self.now });
                }
            }
            Sabotage::Overlong => {
                machine
                    .held
                    .values_mut()
                    .for_each(|held| held.since = held.since.saturating_sub(700_000_000));
            }
            Sabotage::Reread => {
                let read = entries[from..].iter().position(|entry| matches!(entry.deed, Deed::Read(..)));
                if let Some(read) = read {
                    let again = entries[from + read].clone();
                    entries.push(again);
                }
            }
            Sabotage::Outdated => {
                let captures = machine.journal.captures.last_mut();
                if let Some(captured) = captures.and_then(|captures| captures.get_mut(WHICH)) {
                    captured[0] ^= 1;
                }
            }
            _ => {}
        }
    }
}
