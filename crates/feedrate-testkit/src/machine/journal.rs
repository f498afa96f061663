//! What was asked of the fake machine and done to it, written down in one order.

use feedrate::rdp::frame::{Cause, Record};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::target::Act;

/// The registers of the machine's processor.
pub type Registers = <CortexM as Arch>::Registers;

/// One thing that was asked of the machine, or done to it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are what was handed over")]
pub enum Deed {
    /// It was to recover from a reset; whether it did.
    Recovered(bool),
    /// The interlock was asked; whether it permits the act. The same question to hold a force or a trap, asked
    /// again at once, is written down once.
    Asked(Act, bool),
    /// A record was written, before an effect or for an event.
    Recorded(Record),
    /// What came of the record of this index.
    Concluded(u32, u16),
    /// A refusal was recorded, or counted up the record of this index.
    Refused(Record),
    /// A record found no room.
    Lost,
    /// Records below this index may be overwritten.
    Freed(u32),
    /// A trap was set.
    Armed(u64),
    /// A trap was to be cleared; whether it is.
    Disarmed(u64, bool),
    /// The program was told to halt.
    Halted,
    /// It was told to go on.
    Resumed,
    /// It was told to execute one instruction.
    Stepped,
    /// A variable was forced.
    Forced(u64, Vec<u8>),
    /// It was given its safe value.
    Safe(u64, Vec<u8>),
    /// It was to be let go of; whether it is.
    LetGo(u64, bool),
    /// What applies forces let go of it by itself.
    Dropped(u64),
    /// Memory was written.
    Wrote(u64, Vec<u8>),
    /// A register was written.
    WroteRegister(u8, u64),
    /// The position of an axis was set.
    AxisSet(u8, i64),
    /// The declared stop reaction; whether it worked. Without a cause what applies forces did it.
    Reacted(Option<Cause>, bool),
    /// The fail-safe.
    FailSafe(Cause),
    /// Memory was read.
    Read(u64, usize),
}

/// One entry of the [journal](Journal).
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, in the machine's time.
    pub at: u64,
    /// Which start of the controller.
    pub boot: u32,
    /// What.
    pub deed: Deed,
}

/// Everything that was asked of the machine and done to it; or nothing, if nobody wants to know.
#[derive(Debug, Default)]
pub struct Journal {
    kept: bool,
    /// How often the controller has started again.
    pub boot: u32,
    /// In the order in which it happened.
    pub entries: Vec<Entry>,
    /// Of each start of the controller, each capture of registers.
    pub captures: Vec<Vec<Registers>>,
}

impl Journal {
    /// Nothing is written down.
    pub const fn none() -> Self {
        Self { kept: false, boot: 0, entries: Vec::new(), captures: Vec::new() }
    }

    /// Everything is written down.
    pub fn kept() -> Self {
        Self { kept: true, captures: vec![Vec::new()], ..Self::none() }
    }

    /// What was done, without when.
    pub fn deeds(&self) -> impl Iterator<Item = &Deed> {
        self.entries.iter().map(|entry| &entry.deed)
    }

    /// What was done since this was last asked.
    pub fn take(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.deed).collect()
    }

    pub(super) fn restart(&mut self) {
        self.boot += 1;
        if self.kept {
            self.captures.push(Vec::new());
        }
    }

    pub(super) fn did(&mut self, at: u64, deed: impl FnOnce() -> Deed) {
        if !self.kept {
            return;
        }
        let deed = deed();
        // These are asked at every run.
        let holds = |deed: &Deed| matches!(deed, Deed::Asked(Act::Hold(_) | Act::KeepArmed(_), true));
        let mut before = self.entries.iter().rev().map(|entry| &entry.deed).take_while(|deed| holds(deed));
        let again = holds(&deed) && before.any(|before| *before == deed);
        if !again {
            self.entries.push(Entry { at, boot: self.boot, deed });
        }
    }

    pub(super) fn captured(&mut self, registers: &Registers) {
        if let Some(captures) = self.captures.last_mut() {
            captures.push(*registers);
        }
    }
}
