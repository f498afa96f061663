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
mod parts;
mod watch;
mod watching;

use std::cell::Cell;
use std::collections::BTreeMap;

use feedrate::rdp::frame::{
    Bytes, Class, Domains, Fingerprint, Location, Region, Standing, StopEffect, Type, Variable,
};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::target::{
    Act, Audit, Breakpoints, Forcing, Interlock, Machine, Memory, Refusal, Stepping, Target, Trap, Variables,
    Writing,
};

pub use self::journal::{Deed, Entry, Journal, Registers};
pub use self::log::Log;
pub use self::watch::Watch;
use crate::random::{Random, mix};

/// Which extensions of [`Target`] there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in `Target`")]
pub struct Extensions {
    pub interlock: bool,
    pub breakpoints: bool,
    pub stepping: bool,
    pub memory: bool,
    pub writing: bool,
    pub forcing: bool,
    pub variables: bool,
    pub machine: bool,
    pub audit: bool,
}

impl Extensions {
    /// Registers alone.
    pub const NONE: Self = Self {
        interlock: false,
        breakpoints: false,
        stepping: false,
        memory: false,
        writing: false,
        forcing: false,
        variables: false,
        machine: false,
        audit: false,
    };
    /// Everything.
    pub const ALL: Self = Self {
        interlock: true,
        breakpoints: true,
        stepping: true,
        memory: true,
        writing: true,
        forcing: true,
        variables: true,
        machine: true,
        audit: true,
    };
}

/// What does not work, and what it answers then. It stays as it is: a force is held, a trap armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// [`Target::recover`].
    pub recover: Option<Refusal>,
    /// [`Forcing::release`].
    pub release: Option<Refusal>,
    /// [`Breakpoints::clear`].
    pub clear: Option<Refusal>,
    /// [`Interlock::react`].
    pub react: Option<Refusal>,
}

impl Failures {
    /// Everything works.
    pub const NONE: Self = Self { recover: None, release: None, clear: None, react: None };
}

/// A variable that is forced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its value.
    pub value: Vec<u8>,
    /// What it is given before it is let go of.
    pub safe: Option<Vec<u8>>,
    /// When it was forced.
    pub since: u64,
}

/// All memory is plain.
pub const PLAIN: &[Region] = &[Region { first: 0, last: u64::MAX, class: Class::Plain }];

/// A variable that can be forced, and one that cannot.
pub const VARIABLES: &[Variable<'static>] = &[
    Variable { addr: 0x2000, kind: Type::Signed, length: 4, flags: 1, name: Bytes::new(b"speed") },
    Variable { addr: 0x2004, kind: Type::Boolean, length: 1, flags: 0, name: Bytes::new(b"door") },
];

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
    /// How long a program runs at most until it meets a breakpoint, if it meets one.
    pub wander: u64,
    /// Instructions that the program has executed.
    pub instructions: u64,
    /// Decides what a program does by itself: whether it meets a breakpoint, what cannot be stepped. Without it a
    /// program runs until it is halted, and steps when it is stepped.
    pub luck: Option<Random>,
    /// What it answers to whatever would change it, and to whoever reads its memory.
    pub refuses: Option<Refusal>,
    /// What does not work.
    pub fails: Failures,
    /// Whether the interlock permits an act.
    pub permits: fn(&Self, Act) -> bool,
    /// What Halt, a trap and the loss of the session do.
    pub effects: [StopEffect; 3],
    /// What the machine allows by itself.
    pub permitted: Domains,
    /// Of the program. The functions that stand for parts of the machine can change it.
    pub generation: Cell<u32>,
    /// As [`Target::map`].
    pub map: &'static [Region],
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
    /// What applies forces drops them by itself when the agent has not run for so long; 0: never.
    pub stall: u64,
    /// When the agent said last that it runs.
    pub alive: u64,
    /// Its variables.
    pub variables: &'static [Variable<'static>],
    /// Positions.
    pub axes: Vec<i64>,
    /// Whether the axes stand.
    pub standing: Standing,
    /// As [`Machine::plc`].
    pub plc: fn(u16, &mut [u16]) -> usize,
    /// How often it was asked where its G-code program stands: at this line.
    pub cursors: u32,
    /// The audit log.
    pub log: Log,
    /// What was done to it.
    pub journal: Journal,
    /// The first thing that an agent did and must not: clear an empty slot, release what is not forced, force more
    /// than it can hold or a value of no length, have an effect without a record or without asking the interlock,
    /// execute a session's commands in another order or twice, or conclude another record than the last one.
    pub misuse: Option<String>,
    /// What it remembers to see that.
    pub watch: Watch,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// A machine that has everything, and stands still: four breakpoints, two axes, memory and PLC registers wherever
    /// one looks, an interlock that permits everything, and a log of 48 records and 16 refusals.
    pub fn new() -> Self {
        Self {
            has: Extensions::ALL,
            fingerprint: *b"a fake, fw 1.02\0",
            now: 0,
            stopped: true,
            pending: None,
            slowness: 0,
            wander: 1_000,
            instructions: 0,
            luck: None,
            refuses: None,
            fails: Failures::NONE,
            permits: |_, _| true,
            effects: [StopEffect::Program, StopEffect::Program, StopEffect::FeedHold],
            permitted: Domains::ALL,
            generation: Cell::new(1),
            map: PLAIN,
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
            stall: 0,
            alive: 0,
            variables: VARIABLES,
            axes: vec![0, 1],
            standing: Standing::Stand,
            plc: |_, into| into.len(),
            cursors: 0,
            log: Log::of::<48, 16>(),
            journal: Journal::none(),
            misuse: None,
            watch: Watch::NEW,
        }
    }

    /// The controller starts again: what is forced is not any more, as after any reset; comparators keep what they
    /// have until the machine [recovers](Target::recover).
    pub fn restart(&mut self) {
        self.journal.restart();
        self.held.clear();
        self.watch = Watch::NEW;
    }

    /// It is so late now. What applies forces looks whether the agent still runs.
    pub fn pass_to(&mut self, now: u64) {
        self.now = self.now.max(now);
        let stalled = self.stall > 0 && self.now - self.alive.min(self.now) >= self.stall;
        if stalled && !self.held.is_empty() {
            if self.has.interlock {
                self.did(|| Deed::Reacted(None, true));
            }
            for (addr, Held { safe, .. }) in std::mem::take(&mut self.held) {
                self.watch.dropped.push(addr);
                if let Some(safe) = safe {
                    self.did(|| Deed::Safe(addr, safe));
                }
                self.did(|| Deed::Dropped(addr));
            }
        }
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

    fn did(&mut self, deed: impl FnOnce() -> Deed) {
        self.journal.did(self.now, deed);
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

    fn recover(&mut self) -> Result<(), Refusal> {
        let failed = self.fails.recover;
        self.did(|| Deed::Recovered(failed.is_none()));
        if let Some(refusal) = failed {
            return Err(refusal);
        }
        self.slots.fill(None);
        self.held.clear();
        Ok(())
    }

    fn map(&self) -> &[Region] {
        self.map
    }

    fn generation(&self) -> u32 {
        self.generation.get()
    }

    fn permitted(&self) -> Domains {
        self.permitted
    }

    fn interlock(&mut self) -> Option<&mut dyn Interlock> {
        if self.has.interlock { Some(self) } else { None }
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

    fn writing(&mut self) -> Option<&mut dyn Writing> {
        if self.has.writing { Some(self) } else { None }
    }

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        if self.has.forcing { Some(self) } else { None }
    }

    fn variables(&mut self) -> Option<&mut dyn Variables> {
        if self.has.variables { Some(self) } else { None }
    }

    fn machine(&mut self) -> Option<&mut dyn Machine> {
        if self.has.machine { Some(self) } else { None }
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        if self.has.audit { Some(self) } else { None }
    }
}
