//! What was done to the fake machine, written down.

use std::collections::BTreeMap;

use feedrate::rdp::frame::Record;
use feedrate_rdp::arch::{Arch, CortexM};

use super::sabotage::Sabotage;

/// The registers of the machine's processor.
pub type Registers = <CortexM as Arch>::Registers;

/// A command that touched the machine.
#[derive(Debug, Clone, Copy)]
pub struct Executed {
    /// Which start of the agent.
    pub boot: u32,
    /// The agent's record of it.
    pub record: Record,
    /// When, in the machine's time.
    pub at: u64,
    /// How many things were done between the record and its verdict.
    pub effects: u32,
}

/// Everything that was done to the machine; or nothing, if nobody asks.
#[derive(Debug)]
pub struct Journal {
    kept: bool,
    sabotage: Sabotage,
    open: Option<usize>,
    late: Option<Executed>,
    /// How often there was no room for a record.
    pub full: u32,
    /// How often the controller has started again.
    pub boot: u32,
    /// The commands, in order.
    pub executed: Vec<Executed>,
    /// The records by their index, each with its boot.
    pub history: Vec<(u32, Record)>,
    /// How often memory was read, by the address of its first byte.
    pub reads: BTreeMap<u64, u32>,
    /// Of each start of the agent, each capture of registers.
    pub captures: Vec<Vec<Registers>>,
}

impl Journal {
    /// Nothing is written down.
    pub const fn none() -> Self {
        Self {
            kept: false,
            sabotage: Sabotage::None,
            open: None,
            late: None,
            full: 0,
            boot: 0,
            executed: Vec::new(),
            history: Vec::new(),
            reads: BTreeMap::new(),
            captures: Vec::new(),
        }
    }

    /// Everything is written down; with a fault, as if the agent had done what it did not.
    pub fn kept(sabotage: Sabotage) -> Self {
        Self { kept: true, sabotage, captures: vec![Vec::new()], ..Self::none() }
    }

    pub(super) fn sabotage(&self) -> Sabotage {
        self.sabotage
    }

    pub(super) fn restart(&mut self) {
        self.boot += 1;
        self.open = None;
        if self.kept {
            self.captures.push(Vec::new());
        }
    }

    /// A command's effect.
    pub(super) fn acted(&mut self) {
        if let Some(open) = self.open {
            self.executed[open].effects += u32::from(self.sabotage != Sabotage::Idle || open != 5);
        }
    }

    pub(super) fn captured(&mut self, registers: &mut Registers) {
        let Some(captures) = self.captures.last_mut() else { return };
        captures.push(*registers);
        if self.sabotage == Sabotage::Outdated && captures.len() > 1 {
            *registers = captures[captures.len() - 2];
        }
    }

    /// How far from there it is to be read.
    pub(super) fn read(&mut self, addr: u64) -> u64 {
        if !self.kept {
            return 0;
        }
        *self.reads.entry(addr).or_default() += 1;
        if self.sabotage == Sabotage::Reread && self.reads.len() == 5 {
            *self.reads.entry(addr).or_default() += 1;
        }
        u64::from(self.sabotage == Sabotage::Mixed && self.reads.len() == 5)
    }

    pub(super) fn appended(&mut self, record: Record, at: u64) {
        if !self.kept {
            return;
        }
        assert_eq!(record.index as usize, self.history.len());
        self.history.push((self.boot, record));
        let mut executed = Executed { boot: self.boot, record, at, effects: 0 };
        match self.sabotage {
            Sabotage::Twice if self.executed.len() == 5 => self.executed.push(executed),
            Sabotage::Altered if self.executed.len() == 5 => executed.record.addr ^= 1,
            Sabotage::Earlier if record.session > 1 => executed.record.session -= 1,
            Sabotage::Late if self.late.is_none() && self.executed.len() == 5 => {
                // The one before comes again, as if it had only been executed now.
                self.late = self.executed.pop();
                self.executed.push(executed);
                self.executed.extend(self.late);
                self.open = Some(5);
                return;
            }
            _ => {}
        }
        self.open = Some(self.executed.len());
        self.executed.push(executed);
    }

    pub(super) fn concluded(&mut self, index: u32, verdict: u16) {
        if !self.kept {
            return;
        }
        self.history[index as usize].1.verdict = verdict;
        let sabotaged = self.sabotage != Sabotage::None;
        if let Some(open) = self.open.take() {
            let executed = &mut self.executed[open];
            assert!(executed.record.index == index || sabotaged, "concluded another record");
            executed.record.verdict = verdict;
        }
    }
}
