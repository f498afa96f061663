//! One machine for all that need one behind an agent: tests, the simulator of faults, fuzz targets.
//!
//! A [`Fake`] has everything that a [`Target`] can have. Each extension can be taken away, each part of it can be
//! another function, and what it refuses is chosen from outside. It looks at the agent in return: what an agent must
//! never do is [misuse](Fake::misuse). It takes nothing from the heap unless something is forced or
//! [written down](Journal), or it is misused.
//!
//! ```
//! use feedrate_rdp::agent::StopCause;
//! use feedrate_rdp::target::Stepping;
//! use feedrate_testkit::machine::{Extensions, Fake};
//!
//! let has = Extensions { stepping: true, ..Extensions::NONE };
//! let mut machine = Fake { has, registers: |machine| [machine.instructions; 17], ..Fake::new() };
//! machine.step().expect("it stands");
//! assert_eq!(machine.stop_now(), Some(StopCause::Step));
//! assert_eq!((machine.instructions, machine.stopped, machine.misuse), (1, true, None));
//! ```

mod journal;
mod log;
mod sabotage;

use std::collections::BTreeMap;

use feedrate::rdp::frame::{Fingerprint, Location, Record};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::target::{
    Audit, Breakpoints, Forcing, Full, Machine, Memory, Refusal, Stepping, Target, Trap,
};

pub use self::journal::{Executed, Journal, Registers};
pub use self::log::Log;
pub use self::sabotage::Sabotage;
use crate::random::{Random, mix};

/// What an agent holds forced at most.
const HELD: usize = 8;

/// Which extensions of [`Target`] there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `Target`")]
pub struct Extensions {
    pub breakpoints: bool,
    pub stepping: bool,
    pub memory: bool,
    pub forcing: bool,
    pub machine: bool,
    pub audit: bool,
}

impl Extensions {
    /// Registers alone.
    pub const NONE: Self = Self {
        breakpoints: false,
        stepping: false,
        memory: false,
        forcing: false,
        machine: false,
        audit: false,
    };
    /// Everything.
    pub const ALL: Self =
        Self { breakpoints: true, stepping: true, memory: true, forcing: true, machine: true, audit: true };
}

/// A variable that is forced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its value.
    pub value: Vec<u8>,
    /// When it was forced.
    pub since: u64,
}

/// The machine.
#[derive(Debug)]
pub struct Fake {
    /// What it has beside registers.
    pub has: Extensions,
    /// Which device it is.
    pub fingerprint: Fingerprint,
    /// The time, in whatever unit its user counts.
    pub now: u64,
    /// Whether the program stands still.
    pub stopped: bool,
    /// When it will stop, and why.
    pub pending: Option<(u64, StopCause)>,
    /// How long it takes to halt and to step.
    pub slowness: u64,
    /// Instructions that the program has executed.
    pub instructions: u64,
    /// Decides what a program does by itself: whether it meets a breakpoint, what cannot be stepped. Without it a
    /// program runs until it is halted, and steps when it is stepped.
    pub luck: Option<Random>,
    /// What it answers to whatever would change it, and to whoever reads its memory.
    pub refuses: Option<Refusal>,
    /// Whether the interlock forbids everything.
    pub interlock: bool,
    /// What is in the registers.
    pub registers: fn(&Self) -> Registers,
    /// Whether they can be read while the program runs.
    pub open_while_running: bool,
    /// How often they have been read.
    pub captures: u64,
    /// As [`Memory::read`].
    pub memory: fn(u64, &mut [u8]) -> Result<usize, Refusal>,
    /// Its breakpoints.
    pub slots: Vec<Option<(u64, Trap)>>,
    /// How many of them can be [`Trap::Hardware`].
    pub comparators: usize,
    /// A breakpoint's address is a multiple of it.
    pub alignment: u64,
    /// Whether a variable can be forced to a value.
    pub can_force: fn(u64, &[u8]) -> Result<(), Refusal>,
    /// The variables that are forced.
    pub held: BTreeMap<u64, Held>,
    /// Positions.
    pub axes: Vec<i64>,
    /// As [`Machine::plc`].
    pub plc: fn(u16, &mut [u16]) -> usize,
    /// How often it was asked where its G-code program stands: at this line.
    pub cursors: u32,
    /// The audit log.
    pub log: Log,
    /// What was done to it.
    pub journal: Journal,
    /// The last record.
    pub last: Option<Record>,
    /// The first thing that an agent did and must not: clear an empty slot, release what is not forced, force more
    /// than it can hold or a value of no length, or execute a session's commands in another order or twice.
    pub misuse: Option<String>,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// A machine that has everything, and stands still: four breakpoints, two axes, memory and PLC registers wherever
    /// one looks, and a log of 64 records.
    pub fn new() -> Self {
        Self {
            has: Extensions::ALL,
            fingerprint: *b"a fake, fw 1.02\0",
            now: 0,
            stopped: true,
            pending: None,
            slowness: 0,
            instructions: 0,
            luck: None,
            refuses: None,
            interlock: false,
            registers: |_| [7; 17],
            open_while_running: true,
            captures: 0,
            memory: |addr, into| {
                into.fill(addr as u8);
                Ok(into.len())
            },
            slots: vec![None; 4],
            comparators: usize::MAX,
            alignment: 1,
            can_force: |_, _| Ok(()),
            held: BTreeMap::new(),
            axes: vec![0, 1],
            plc: |_, into| into.len(),
            cursors: 0,
            log: Log::of::<64>(),
            journal: Journal::none(),
            last: None,
            misuse: None,
        }
    }

    /// The controller starts again: outputs are off, as after any reset, and what is kept is kept.
    pub fn restart(&mut self) {
        self.journal.restart();
        self.slots.fill(None);
        self.held.clear();
        self.last = None;
    }

    /// Comes to a stand, if it is time, and returns why.
    pub fn stop_now(&mut self) -> Option<StopCause> {
        let (_, cause) = self.pending.filter(|(at, _)| *at <= self.now)?;
        self.pending = None;
        self.stopped = true;
        self.instructions += if cause == StopCause::Step { 1 } else { 97 };
        Some(cause)
    }

    /// Whether nothing is forced, and no breakpoint is set.
    pub fn is_left_alone(&self) -> bool {
        self.held.is_empty() && self.slots.iter().all(Option::is_none)
    }

    /// Where the G-code program stands when it was asked for so many times.
    pub fn location(line: u32) -> Location {
        Location { program: 1000, line, offset: mix(u64::from(line)) as u32 }
    }

    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds && self.misuse.is_none() {
            self.misuse = Some(otherwise());
        }
    }

    fn willing(&self) -> Result<(), Refusal> {
        self.refuses.map_or(Ok(()), Err)
    }

    fn chance(&mut self, n: u32) -> bool {
        self.luck.as_mut().is_some_and(|luck| luck.chance(n))
    }
}

impl Target for Fake {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn read_registers(&mut self, into: &mut Registers) -> Result<(), Refusal> {
        if !self.stopped {
            if !self.open_while_running {
                return Err(Refusal::WrongState);
            }
            self.instructions += 3;
        }
        self.captures += 1;
        *into = (self.registers)(self);
        self.journal.captured(into);
        Ok(())
    }

    fn breakpoints(&mut self) -> Option<&mut dyn Breakpoints> {
        if self.has.breakpoints { Some(self) } else { None }
    }

    fn stepping(&mut self) -> Option<&mut dyn Stepping> {
        if self.has.stepping { Some(self) } else { None }
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        if self.has.memory { Some(self) } else { None }
    }

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        if self.has.forcing { Some(self) } else { None }
    }

    fn machine(&mut self) -> Option<&mut dyn Machine> {
        if self.has.machine { Some(self) } else { None }
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        if self.has.audit { Some(self) } else { None }
    }
}

impl Breakpoints for Fake {
    fn slots(&self) -> u16 {
        self.slots.len() as u16
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        self.journal.acted();
        self.willing()?;
        if addr % self.alignment != 0 {
            return Err(Refusal::Unmapped);
        }
        let compared = self.slots.iter().flatten().filter(|(_, trap)| *trap == Trap::Hardware).count();
        if trap == Trap::Hardware && compared >= self.comparators {
            return Err(Refusal::NoSlot);
        }
        let slot = self.slots.iter().position(Option::is_none).ok_or(Refusal::NoSlot)?;
        self.slots[slot] = Some((addr, trap));
        Ok(slot as u16)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        self.journal.acted();
        let cleared = self.slots.get_mut(usize::from(slot)).and_then(Option::take);
        self.must(cleared.is_some(), || format!("slot {slot} is cleared, and is empty"));
        cleared.map(|_| ()).ok_or(Refusal::Unmapped)
    }
}

impl Stepping for Fake {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.journal.acted();
        self.willing()?;
        if self.stopped {
            return Err(Refusal::WrongState);
        }
        self.pending = Some((self.now + self.slowness, StopCause::Halted));
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.journal.acted();
        self.willing()?;
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.chance(500) {
            return Err(Refusal::Interlock);
        }
        self.stopped = false;
        self.pending = None;
        let (Some(luck), Some(slot)) = (&mut self.luck, self.slots.iter().position(Option::is_some)) else {
            return Ok(());
        };
        if luck.chance(5_000) {
            let cause = match self.slots[slot] {
                Some((addr, Trap::Watch { .. })) => StopCause::Watch { slot: slot as u16, addr },
                _ => StopCause::Breakpoint(slot as u16),
            };
            self.pending = Some((self.now + luck.below(1000), cause));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.journal.acted();
        self.willing()?;
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.chance(100) {
            return Err(Refusal::Unsupported);
        }
        self.stopped = false;
        let cause = if self.chance(200) { StopCause::Fault(7) } else { StopCause::Step };
        self.pending = Some((self.now + self.slowness, cause));
        Ok(())
    }
}

impl Memory for Fake {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let shift = self.journal.read(addr);
        self.willing()?;
        (self.memory)(addr + shift, into)
    }
}

impl Forcing for Fake {
    fn interlock(&mut self) -> Result<(), Refusal> {
        if self.interlock { Err(Refusal::Interlock) } else { Ok(()) }
    }

    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal> {
        self.journal.acted();
        self.must((1..=16).contains(&value.len()), || format!("{} bytes are forced", value.len()));
        self.willing()?;
        (self.can_force)(addr, value)?;
        self.held.insert(addr, Held { value: value.to_vec(), since: self.now });
        let held = self.held.len();
        self.must(held <= HELD, || format!("{held} variables are forced"));
        Ok(())
    }

    fn release(&mut self, addr: u64) -> Result<(), Refusal> {
        self.journal.acted();
        self.must(self.held.contains_key(&addr), || format!("{addr:#x} is released, and is not forced"));
        if self.journal.sabotage() == Sabotage::Held {
            return Ok(());
        }
        self.held.remove(&addr).map(|_| ()).ok_or(Refusal::Unmapped)
    }
}

impl Machine for Fake {
    fn axes(&self) -> u8 {
        self.axes.len() as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        self.axes.get(usize::from(axis)).copied()
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        self.journal.acted();
        self.willing()?;
        *self.axes.get_mut(usize::from(axis)).ok_or(Refusal::Unmapped)? = position;
        Ok(())
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        (self.plc)(first, into)
    }

    fn cursor(&mut self) -> Location {
        self.cursors += 1;
        Self::location(self.cursors)
    }
}

impl Audit for Fake {
    fn append(&mut self, record: Record) -> Result<u32, Full> {
        let appended = self.log.append(record);
        self.journal.full += u32::from(appended.is_err());
        let record = Record { index: appended?, ..record };
        // Whatever arrives, commands are executed in order, and each once.
        let before = self.last.replace(record).filter(|before| before.session == record.session);
        let in_order = before.is_none_or(|before| before.sequence < record.sequence);
        self.must(in_order, || format!("{record:?} after {before:?}"));
        self.journal.appended(record, self.now);
        Ok(record.index)
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.log.conclude(index, verdict);
        self.journal.concluded(index, verdict);
    }

    fn bounds(&self) -> (u32, u32) {
        self.log.bounds()
    }

    fn get(&self, index: u32) -> Option<Record> {
        self.log.get(index)
    }

    fn release(&mut self, index: u32) {
        self.log.release(index);
    }
}
