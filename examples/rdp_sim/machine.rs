//! The reference machine (`tests/rdp-conformance/README.md`): a processor with 32 instructions, what applies forces
//! to its variables, and the machine tool around it. [`crate::target`] is how the agent sees it.

use std::ops::Range;
use std::time::Duration;

use feedrate_rdp::agent::StopCause;
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::Trap;

use crate::world::{World, hex};

/// Instructions in a millisecond.
const RATE: u64 = 100;
/// A step takes as long as so many instructions: the debugger begins and ends it. A host that is told of each has to
/// keep up, and a byte stream keeps seconds of what it has not read.
const STEP: u64 = 20;
pub(crate) const SLOTS: u16 = 8;
/// Of these, so many in hardware.
pub(crate) const COMPARATORS: usize = 2;
/// After how long without a run of the agent forces are dropped: the stall time, in microseconds.
const STALL: u64 = 500_000;

pub(crate) const MEMORY: u64 = 0x2000_0000;
/// Counts instructions; the only variable that changes by itself.
pub(crate) const CYCLES: u64 = 0x2000_0010;
pub(crate) const FORCEABLE: Range<u64> = 0x2000_0020..0x2000_0030;
pub(crate) const PROGRAM: Range<u64> = 0x2000_0100..0x2000_0140;
const PC: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    Running,
    /// One instruction is to be executed.
    Stepping,
    Stopped,
}

/// A trap that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Armed {
    pub(crate) addr: u64,
    pub(crate) trap: Trap,
}

/// A variable that is forced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forced {
    pub(crate) addr: u64,
    pub(crate) value: [u8; 4],
    /// What it is to be when it is let go of: what was there before, or the safe value.
    pub(crate) former: [u8; 4],
    pub(crate) safe: Option<[u8; 4]>,
}

pub(crate) struct Machine {
    pub(crate) world: World,
    pub(crate) run: Run,
    /// It has been told to halt, and has not told yet that it did.
    pub(crate) halted: bool,
    pub(crate) registers: [u64; 17],
    pub(crate) memory: [u8; 1024],
    pub(crate) slots: [Option<Armed>; SLOTS as usize],
    pub(crate) forced: Vec<Forced>,
    pub(crate) axes: [i64; 3],
    pub(crate) audit: AuditRing<12, 4>,
    /// The time, in microseconds.
    now: u64,
    /// Up to when it has been simulated, and how many instructions are left of that.
    time: u64,
    budget: u64,
    /// When the agent was last seen to run.
    alive: u64,
    /// What applies the forces has done the stop reaction by itself.
    pub(crate) reacted: bool,
}

impl Machine {
    pub(crate) fn new(world: World, now: u64) -> Self {
        let mut registers = [0; 17];
        registers.iter_mut().zip(0x1000..).for_each(|(register, value)| *register = value);
        registers[13..].copy_from_slice(&[0x2000_0400, 0x2000_0101, PROGRAM.start, 0x0100_0000]);
        let mut memory = [0; 1024];
        memory.iter_mut().zip((0..251).cycle()).for_each(|(byte, value)| *byte = value);
        let mut machine = Self {
            world,
            run: Run::Running,
            halted: false,
            registers,
            memory,
            slots: [None; SLOTS as usize],
            forced: Vec::new(),
            axes: [1_000_000, -2_000_000, 3_000_000],
            audit: AuditRing::new(),
            now,
            time: now,
            budget: 0,
            alive: now,
            reacted: false,
        };
        machine.set_word(CYCLES, [0; 4]);
        machine
    }

    /// The machine after a reset: nothing is left but what is around it.
    pub(crate) fn reset(&mut self, now: u64) {
        let world = std::mem::replace(&mut self.world, World::new());
        *self = Self::new(world, now);
    }

    /// How long it may be left alone.
    pub(crate) const fn tick(&self) -> Duration {
        match self.run {
            Run::Stepping if self.budget >= STEP => Duration::ZERO,
            Run::Stepping => Duration::from_millis(1),
            Run::Running | Run::Stopped => Duration::from_millis(10),
        }
    }

    /// Simulates what happens until `now`, or until it comes to a stand: then call it again, because it may have been
    /// set going again.
    pub(crate) fn advance(&mut self, now: u64) -> Option<StopCause> {
        self.now = now;
        let milliseconds = now.saturating_sub(self.time) / 1000;
        self.time = self.time.saturating_add(milliseconds * 1000);
        self.budget = self.budget.saturating_add(milliseconds * RATE);
        if std::mem::take(&mut self.halted) {
            return Some(StopCause::Halted);
        }
        while self.budget > 0 && self.run != Run::Stopped {
            let stepping = self.run == Run::Stepping;
            if stepping && self.budget < STEP {
                break;
            }
            self.budget -= if stepping { STEP } else { 1 };
            let stop = self.execute().or(stepping.then_some(StopCause::Step));
            if stop.is_some() {
                self.run = Run::Stopped;
                return stop;
            }
        }
        // Time in which it stands is lost, but for what a series of steps needs at once.
        self.budget = self.budget.min(10 * RATE);
        None
    }

    /// One instruction. Returns which trap it has run into.
    fn execute(&mut self) -> Option<StopCause> {
        self.registers[0] = u64::from((self.registers[0] as u32).wrapping_add(1));
        let next = self.registers[PC].wrapping_add(2);
        self.registers[PC] = if PROGRAM.contains(&next) { next } else { PROGRAM.start };
        let cycles = u32::from_le_bytes(self.word(CYCLES)).wrapping_add(1);
        self.set_word(CYCLES, cycles.to_le_bytes());
        let pc = self.registers[PC];
        // A watchpoint can only be on what every instruction writes.
        let watch = |armed: &Armed| matches!(armed.trap, Trap::Watch { .. });
        let here = |armed: &Armed| !watch(armed) && armed.addr == pc;
        self.slot(watch)
            .map(|slot| StopCause::Watch { slot, addr: CYCLES })
            .or_else(|| self.slot(here).map(StopCause::Breakpoint))
    }

    fn slot(&self, wanted: impl Fn(&Armed) -> bool) -> Option<u16> {
        let found = (0..).zip(&self.slots).find(|(_, slot)| slot.as_ref().is_some_and(&wanted));
        found.map(|(slot, _)| slot)
    }

    /// Four bytes at an address that is known to be there.
    pub(crate) fn word(&self, addr: u64) -> [u8; 4] {
        let at = (addr - MEMORY) as usize;
        std::array::from_fn(|n| self.memory[at + n])
    }

    pub(crate) fn set_word(&mut self, addr: u64, value: [u8; 4]) {
        let at = (addr - MEMORY) as usize;
        self.memory[at..at + 4].copy_from_slice(&value);
    }

    /// The agent runs.
    pub(crate) fn seen_alive(&mut self) {
        self.alive = self.now;
        self.reacted = false;
    }

    /// Takes what is forced at an address out of the table.
    pub(crate) fn take_forced(&mut self, addr: u64) -> Option<Forced> {
        let at = self.forced.iter().position(|forced| forced.addr == addr)?;
        Some(self.forced.swap_remove(at))
    }

    /// What applies the forces drops them by itself when the agent has not run for the stall time (SPEC section 8.9):
    /// first the stop reaction, then each force, as at its end.
    pub(crate) fn watch_agent(&mut self, now: u64) {
        self.now = now;
        if self.forced.is_empty() || self.world.release_fails || now.saturating_sub(self.alive) < STALL {
            return;
        }
        self.reacted = true;
        self.world.note(format_args!("react"));
        for forced in std::mem::take(&mut self.forced) {
            self.let_go(forced);
        }
    }

    /// Lets go of a variable that is no longer in the table.
    pub(crate) fn let_go(&mut self, forced: Forced) {
        let Forced { addr, former, safe, .. } = forced;
        self.set_word(addr, safe.unwrap_or(former));
        if let Some(safe) = safe {
            self.world.note(format_args!("safe {addr} {}", hex(&safe)));
        }
        self.world.note(format_args!("release {addr}"));
    }
}
