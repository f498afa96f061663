//! The machine behind the agent: everything that is done to it is written down.

use std::collections::BTreeMap;

use feedrate::rdp::frame::{Fingerprint, Location, Record};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{
    Audit, Breakpoints, Forcing, Full, Machine, Memory, Refusal, Stepping, Target, Trap,
};

use super::random::{Random, mix};

/// A fault of the agent itself, made to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// A command is executed twice.
    Twice,
    /// A command is executed after the one that follows it.
    Late,
    /// A command is executed with another address than was sent.
    Altered,
    /// A command of the session before is executed.
    Earlier,
    /// A command has no effect, and is answered as if it had.
    Idle,
    /// A forced variable is not let go of.
    Held,
    /// Memory that was read at another address.
    Mixed,
    /// A read is done twice.
    Reread,
    /// Registers of an earlier capture.
    Outdated,
}

pub(super) const FINGERPRINT: Fingerprint = *b"simulated-mach01";
pub(super) const SLOTS: u16 = 6;
pub(super) const AXES: usize = 3;
pub(super) const PLC: u16 = 1000;
/// Memory from here on is not there.
pub(super) const END: u64 = 1 << 63;
/// Forcing this address breaks the machine.
pub(super) const FATAL: u64 = 0xDEAD_BEE0;

/// A command that touched the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Executed {
    /// Which start of the agent.
    pub(super) boot: u32,
    pub(super) record: Record,
    /// When, in the simulation's time.
    pub(super) at: u64,
    /// How many things were done between the record and its verdict.
    pub(super) effects: u32,
}

type Registers = <CortexM as Arch>::Registers;

/// The audit log, of a size that is chosen when the schedule begins.
#[derive(Debug)]
enum Log {
    Short(Box<AuditRing<6>>),
    Usual(Box<AuditRing<32>>),
    Long(Box<AuditRing<1000>>),
}

#[derive(Debug)]
pub(super) struct Fake {
    pub(super) now: u64,
    pub(super) boot: u32,
    pub(super) sabotage: Sabotage,
    random: Random,
    pub(super) journal: Vec<Executed>,
    open: Option<usize>,
    late: Option<Executed>,
    /// How often there was no room for a record.
    pub(super) full: u32,
    log: Log,
    pub(super) history: Vec<(u32, Record)>,
    pub(super) reads: BTreeMap<u64, u32>,
    /// Of each start of the agent, each capture.
    pub(super) captures: Vec<Vec<Registers>>,
    pub(super) slots: [Option<(u64, Trap)>; SLOTS as usize],
    /// Value, since when.
    pub(super) held: BTreeMap<u64, (u64, u64)>,
    pub(super) axes: [i64; AXES],
    pub(super) cursors: u32,
    count: u64,
    pub(super) stopped: bool,
    pub(super) pending: Option<(u64, StopCause)>,
    pub(super) interlock: bool,
    registers_while_running: bool,
    slowness: u64,
}

pub(super) fn memory(addr: u64) -> u8 {
    mix(addr) as u8
}

pub(super) fn plc(register: u16) -> u16 {
    mix(u64::from(register) | 7 << 32) as u16
}

pub(super) fn cursor(line: u32) -> Location {
    Location { program: 1000, line, offset: mix(u64::from(line)) as u32 }
}

impl Fake {
    pub(super) fn new(mut random: Random, sabotage: Sabotage) -> Self {
        Self {
            now: 0,
            boot: 0,
            sabotage,
            journal: Vec::new(),
            open: None,
            late: None,
            full: 0,
            log: match random.below(4) {
                0 => Log::Short(Box::default()),
                1 => Log::Usual(Box::default()),
                _ => Log::Long(Box::default()),
            },
            history: Vec::new(),
            reads: BTreeMap::new(),
            captures: vec![Vec::new()],
            slots: [None; SLOTS as usize],
            held: BTreeMap::new(),
            axes: [1_000_000, -2_000_000, 3_000_000],
            cursors: 0,
            count: 0,
            stopped: random.chance(5_000),
            pending: None,
            interlock: false,
            registers_while_running: random.chance(7_000),
            slowness: random.pick(&[0, 1, 5, 40]),
            random,
        }
    }

    /// The controller starts again: outputs are off, as after any reset, and what is kept is kept.
    pub(super) fn restart(&mut self) {
        self.boot += 1;
        self.open = None;
        self.captures.push(Vec::new());
        self.slots = [None; SLOTS as usize];
        self.held.clear();
    }

    /// Comes to a stand, if it is time. Answers why.
    pub(super) fn stop_now(&mut self) -> Option<StopCause> {
        let (_, cause) = self.pending.filter(|(at, _)| *at <= self.now)?;
        self.pending = None;
        self.stopped = true;
        self.count += if cause == StopCause::Step { 1 } else { 97 };
        Some(cause)
    }

    fn registers(&self) -> Registers {
        let mut registers = CortexM::ZERO;
        let n = registers.len() as u64;
        for (i, register) in (0..).zip(&mut registers) {
            // Some change at each instruction, some seldom.
            *register = mix((self.count >> (i * 13 % n)) << 8 | i) & 0xFFFF_FFFF;
        }
        registers
    }

    /// A command's effect.
    fn act(&mut self) {
        if let Some(open) = self.open {
            self.journal[open].effects += u32::from(self.sabotage != Sabotage::Idle || open != 5);
        }
    }

    fn log(&self) -> &dyn Audit {
        match &self.log {
            Log::Short(ring) => &**ring,
            Log::Usual(ring) => &**ring,
            Log::Long(ring) => &**ring,
        }
    }

    fn log_mut(&mut self) -> &mut dyn Audit {
        match &mut self.log {
            Log::Short(ring) => &mut **ring,
            Log::Usual(ring) => &mut **ring,
            Log::Long(ring) => &mut **ring,
        }
    }
}

impl Target for Fake {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        FINGERPRINT
    }

    fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn read_registers(&mut self, into: &mut Registers) -> Result<(), Refusal> {
        if !self.stopped {
            if !self.registers_while_running {
                return Err(Refusal::WrongState);
            }
            self.count += 3;
        }
        *into = self.registers();
        let captures = self.captures.last_mut().expect("of this start");
        captures.push(*into);
        if self.sabotage == Sabotage::Outdated && captures.len() > 1 {
            *into = captures[captures.len() - 2];
        }
        Ok(())
    }

    fn breakpoints(&mut self) -> Option<&mut dyn Breakpoints> {
        Some(self)
    }

    fn stepping(&mut self) -> Option<&mut dyn Stepping> {
        Some(self)
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        Some(self)
    }

    fn machine(&mut self) -> Option<&mut dyn Machine> {
        Some(self)
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        Some(self)
    }
}

impl Breakpoints for Fake {
    fn slots(&self) -> u16 {
        SLOTS
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        self.act();
        if addr % 2 == 1 {
            return Err(Refusal::Unmapped);
        }
        let hardware = self.slots.iter().flatten().filter(|(_, trap)| *trap == Trap::Hardware).count();
        let free = self.slots.iter().position(Option::is_none);
        match free {
            Some(slot) if trap != Trap::Hardware || hardware < 2 => {
                self.slots[slot] = Some((addr, trap));
                Ok(slot as u16)
            }
            _ => Err(Refusal::NoSlot),
        }
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        self.act();
        self.slots[usize::from(slot)].take().map(|_| ()).ok_or(Refusal::Unmapped)
    }
}

impl Stepping for Fake {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.act();
        if self.stopped {
            return Err(Refusal::WrongState);
        }
        self.pending = Some((self.now + self.slowness, StopCause::Halted));
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.act();
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.random.chance(500) {
            return Err(Refusal::Interlock);
        }
        self.stopped = false;
        let slot = self.slots.iter().position(Option::is_some);
        self.pending = match slot {
            Some(slot) if self.random.chance(5_000) => {
                let cause = match self.slots[slot] {
                    Some((addr, Trap::Watch { .. })) => StopCause::Watch { slot: slot as u16, addr },
                    _ => StopCause::Breakpoint(slot as u16),
                };
                Some((self.now + self.random.below(1000), cause))
            }
            _ => None,
        };
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.act();
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.random.chance(100) {
            return Err(Refusal::Unsupported);
        }
        self.stopped = false;
        let cause = if self.random.chance(200) { StopCause::Fault(7) } else { StopCause::Step };
        self.pending = Some((self.now + self.slowness, cause));
        Ok(())
    }
}

impl Memory for Fake {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        *self.reads.entry(addr).or_default() += 1;
        if self.sabotage == Sabotage::Reread && self.reads.len() == 5 {
            *self.reads.entry(addr).or_default() += 1;
        }
        if addr >= END {
            return Err(Refusal::Unmapped);
        }
        let there = into.len().min(usize::try_from(END - addr).unwrap_or(usize::MAX));
        let mixed = u64::from(self.sabotage == Sabotage::Mixed && self.reads.len() == 5);
        for (i, byte) in (0..).zip(&mut into[..there]) {
            *byte = memory(addr + i + mixed);
        }
        Ok(there)
    }
}

impl Forcing for Fake {
    fn interlock(&mut self) -> Result<(), Refusal> {
        if self.interlock { Err(Refusal::Interlock) } else { Ok(()) }
    }

    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal> {
        self.act();
        if addr == FATAL {
            return Err(Refusal::Fatal(99));
        }
        if addr % 4 != 0 {
            return Err(Refusal::Unmapped);
        }
        let value = value.try_into().map(u64::from_be_bytes).map_err(|_| Refusal::Unsupported)?;
        self.held.insert(addr, (value, self.now));
        Ok(())
    }

    fn release(&mut self, addr: u64) -> Result<(), Refusal> {
        self.act();
        if self.sabotage == Sabotage::Held {
            return Ok(());
        }
        self.held.remove(&addr).map(|_| ()).ok_or(Refusal::Unmapped)
    }
}

impl Machine for Fake {
    fn axes(&self) -> u8 {
        AXES as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        self.axes.get(usize::from(axis)).copied()
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        self.act();
        *self.axes.get_mut(usize::from(axis)).ok_or(Refusal::Unmapped)? = position;
        Ok(())
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        let there = into.len().min(usize::from(PLC.saturating_sub(first)));
        for (i, register) in (first..).zip(&mut into[..there]) {
            *register = plc(i);
        }
        there
    }

    fn cursor(&mut self) -> Location {
        self.cursors += 1;
        cursor(self.cursors)
    }
}

impl Audit for Fake {
    fn append(&mut self, record: Record) -> Result<u32, Full> {
        let appended = self.log_mut().append(record);
        self.full += u32::from(appended.is_err());
        let index = appended?;
        assert_eq!(index as usize, self.history.len());
        let record = Record { index, ..record };
        self.history.push((self.boot, record));
        let mut executed = Executed { boot: self.boot, record, at: self.now, effects: 0 };
        match self.sabotage {
            Sabotage::Twice if self.journal.len() == 5 => self.journal.push(executed),
            Sabotage::Altered if self.journal.len() == 5 => executed.record.addr ^= 1,
            Sabotage::Earlier if record.session > 1 => executed.record.session -= 1,
            Sabotage::Late if self.late.is_none() && self.journal.len() == 5 => {
                // The one before comes again, as if it had only been executed now.
                self.late = self.journal.pop();
                self.journal.push(executed);
                self.journal.extend(self.late);
                self.open = Some(5);
                return Ok(index);
            }
            _ => {}
        }
        self.open = Some(self.journal.len());
        self.journal.push(executed);
        Ok(index)
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.log_mut().conclude(index, verdict);
        self.history[index as usize].1.verdict = verdict;
        let sabotaged = self.sabotage != Sabotage::None;
        if let Some(open) = self.open.take() {
            let executed = &mut self.journal[open];
            assert!(executed.record.index == index || sabotaged, "concluded another record");
            executed.record.verdict = verdict;
        }
    }

    fn bounds(&self) -> (u32, u32) {
        self.log().bounds()
    }

    fn get(&self, index: u32) -> Option<Record> {
        self.log().get(index)
    }

    fn release(&mut self, index: u32) {
        self.log_mut().release(index);
    }
}
