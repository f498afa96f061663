//! The reference machine (`tests/rdp-conformance/README.md`): a processor with 32 instructions, and the
//! machine tool around it.

use std::ops::Range;
use std::time::Duration;

use feedrate::rdp::frame::{Access, Fingerprint, Location};
use feedrate_rdp::Millis;
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{self, Audit, Breakpoints, Forcing, Memory, Refusal, Stepping, Target, Trap};

/// Instructions in a millisecond.
const RATE: u64 = 100;
const SLOTS: u16 = 8;
/// Of these, so many in hardware.
const COMPARATORS: usize = 2;

const MEMORY: u64 = 0x2000_0000;
/// Counts instructions; the only variable that changes by itself.
const CYCLES: u64 = 0x2000_0010;
const FORCEABLE: Range<u64> = 0x2000_0020..0x2000_0030;
const PROGRAM: Range<u64> = 0x2000_0100..0x2000_0140;
const PC: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Running,
    /// One instruction is to be executed.
    Stepping,
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Armed {
    addr: u64,
    trap: Trap,
}

pub(crate) struct Machine {
    run: Run,
    /// It has been told to halt, and has not told yet that it did.
    halted: bool,
    registers: [u64; 17],
    memory: [u8; 1024],
    cycles: u32,
    slots: [Option<Armed>; SLOTS as usize],
    /// Address, and what was there before.
    forced: Vec<(u64, [u8; 4])>,
    axes: [i64; 3],
    audit: AuditRing<16>,
    /// Up to when it has been simulated, and how many instructions are left of that.
    time: Millis,
    budget: u64,
}

impl Machine {
    pub(crate) fn new(now: Millis) -> Self {
        let mut registers = [0; 17];
        registers.iter_mut().zip(0x1000..).for_each(|(register, value)| *register = value);
        registers[13..].copy_from_slice(&[0x2000_0400, 0x2000_0101, PROGRAM.start, 0x0100_0000]);
        let mut memory = [0; 1024];
        memory.iter_mut().zip((0..251).cycle()).for_each(|(byte, value)| *byte = value);
        let mut machine = Self {
            run: Run::Running,
            halted: false,
            registers,
            memory,
            cycles: 0,
            slots: [None; SLOTS as usize],
            forced: Vec::new(),
            axes: [1_000_000, -2_000_000, 3_000_000],
            audit: AuditRing::new(),
            time: now,
            budget: 0,
        };
        machine.write(CYCLES, [0; 4]);
        machine
    }

    /// How long it may be left alone.
    pub(crate) const fn tick(&self) -> Duration {
        Duration::from_millis(match self.run {
            Run::Running => 10,
            Run::Stepping => 1,
            Run::Stopped => 1000,
        })
    }

    /// Simulates what happens until `now`, or until it comes to a stand: then call it again, because it may
    /// have been set going again.
    pub(crate) fn advance(&mut self, now: Millis) -> Option<StopCause> {
        let passed = now.wrapping_sub(self.time);
        self.time = now;
        self.budget = self.budget.saturating_add(u64::from(passed) * RATE);
        if std::mem::take(&mut self.halted) {
            return Some(StopCause::Halted);
        }
        while self.budget > 0 && self.run != Run::Stopped {
            self.budget -= 1;
            let stepping = self.run == Run::Stepping;
            let stop = self.execute().or(stepping.then_some(StopCause::Step));
            if stop.is_some() {
                self.run = Run::Stopped;
                return stop;
            }
        }
        // Time in which it stands is lost.
        self.budget = 0;
        None
    }

    /// One instruction. Answers which trap it has run into.
    fn execute(&mut self) -> Option<StopCause> {
        self.registers[0] = u64::from((self.registers[0] as u32).wrapping_add(1));
        let next = self.registers[PC] + 2;
        self.registers[PC] = if next == PROGRAM.end { PROGRAM.start } else { next };
        self.cycles = self.cycles.wrapping_add(1);
        self.write(CYCLES, self.cycles.to_le_bytes());
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

    /// The four bytes at an address that is known to be there.
    fn word(&mut self, addr: u64) -> &mut [u8] {
        let at = (addr - MEMORY) as usize;
        &mut self.memory[at..at + 4]
    }

    fn write(&mut self, addr: u64, value: [u8; 4]) {
        self.word(addr).copy_from_slice(&value);
    }

    /// Forgets what a variable was before, and answers it.
    fn former(&mut self, addr: u64) -> Option<[u8; 4]> {
        let at = self.forced.iter().position(|(forced, _)| *forced == addr)?;
        Some(self.forced.swap_remove(at).1)
    }
}

impl Target for Machine {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        *b"reference-mach01"
    }

    fn is_stopped(&self) -> bool {
        self.run == Run::Stopped
    }

    fn read_registers(&mut self, into: &mut [u64; 17]) -> Result<(), Refusal> {
        *into = self.registers;
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

    fn machine(&mut self) -> Option<&mut dyn target::Machine> {
        Some(self)
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        Some(&mut self.audit)
    }
}

impl Breakpoints for Machine {
    fn slots(&self) -> u16 {
        SLOTS
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        let cycles = Trap::Watch { length: 4, access: Access::Write };
        match trap {
            Trap::Watch { .. } if (addr, trap) != (CYCLES, cycles) => return Err(Refusal::Unsupported),
            Trap::Watch { .. } => {}
            _ if addr % 2 != 0 || !PROGRAM.contains(&addr) => return Err(Refusal::Unmapped),
            _ => {}
        }
        let comparators = self.slots.iter().flatten().filter(|armed| armed.trap == Trap::Hardware).count();
        if trap == Trap::Hardware && comparators >= COMPARATORS {
            return Err(Refusal::NoSlot);
        }
        let free = (0..).zip(&mut self.slots).find(|(_, slot)| slot.is_none());
        let (number, slot) = free.ok_or(Refusal::NoSlot)?;
        *slot = Some(Armed { addr, trap });
        Ok(number)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        let armed = self.slots.get_mut(usize::from(slot)).and_then(Option::take);
        armed.map(|_| ()).ok_or(Refusal::Unmapped)
    }
}

impl Stepping for Machine {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.run = Run::Stopped;
        self.halted = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.run = Run::Running;
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.run = Run::Stepping;
        Ok(())
    }
}

impl Memory for Machine {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let at = addr.checked_sub(MEMORY).and_then(|at| usize::try_from(at).ok());
        let there = at.and_then(|at| self.memory.get(at..)).filter(|there| !there.is_empty());
        let there = there.ok_or(Refusal::Unmapped)?;
        into.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        Ok(into.len().min(there.len()))
    }
}

impl Forcing for Machine {
    fn interlock(&mut self) -> Result<(), Refusal> {
        if self.run == Run::Stopped { Ok(()) } else { Err(Refusal::Interlock) }
    }

    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal> {
        let value = <[u8; 4]>::try_from(value).map_err(|_| Refusal::Unmapped)?;
        if !FORCEABLE.contains(&addr) || addr % 4 != 0 {
            return Err(Refusal::Unmapped);
        }
        let mut before = [0; 4];
        before.copy_from_slice(self.word(addr));
        let before = self.former(addr).unwrap_or(before);
        self.forced.push((addr, before));
        self.write(addr, value);
        Ok(())
    }

    fn release(&mut self, addr: u64) -> Result<(), Refusal> {
        let before = self.former(addr).ok_or(Refusal::Unmapped)?;
        self.write(addr, before);
        Ok(())
    }
}

impl target::Machine for Machine {
    fn axes(&self) -> u8 {
        3
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        self.axes.get(usize::from(axis)).copied()
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        if self.run != Run::Stopped {
            return Err(Refusal::WrongState);
        }
        *self.axes.get_mut(usize::from(axis)).ok_or(Refusal::Unmapped)? = position;
        Ok(())
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        let registers = (100..108).skip(usize::from(first));
        into.iter_mut().zip(registers).map(|(to, register)| *to = register).count()
    }

    fn cursor(&mut self) -> Location {
        Location { program: 1000, line: 12, offset: 345 }
    }
}
