//! The reference machine as the agent sees it.

use feedrate::rdp::frame::{
    Access, Bytes, Cause, Class, Domains, Fingerprint, Location, Region, Standing, StopEffect, Type, Variable,
};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::target::{
    Act, Audit, Breakpoints, Forcing, Interlock, Machine as MachineTool, Memory, Refusal, Stepping, Target,
    Trap, Variables, Writing,
};

use crate::machine::{Armed, COMPARATORS, CYCLES, FORCEABLE, Forced, MEMORY, Machine, PROGRAM, Run, SLOTS};
use crate::world::hex;

const MAP: [Region; 3] = [
    Region { first: MEMORY, last: 0x2000_03FF, class: Class::Plain },
    Region { first: 0x2000_0400, last: 0x2000_04FF, class: Class::Protected },
    Region { first: 0x4000_0000, last: 0x4000_00FF, class: Class::SideEffects },
];

const fn word(name: &'static [u8], addr: u64, kind: Type, flags: u8) -> Variable<'static> {
    Variable { addr, kind, length: 4, flags, name: Bytes::new(name) }
}

const VARIABLES: [Variable<'static>; 5] = [
    word(b"cycles", CYCLES, Type::Unsigned, 0),
    word(b"setpoint", 0x2000_0020, Type::Signed, Variable::FORCEABLE),
    word(b"override", 0x2000_0024, Type::Unsigned, Variable::FORCEABLE),
    word(b"offset", 0x2000_0028, Type::Signed, Variable::FORCEABLE),
    word(b"limit", 0x2000_002C, Type::Unsigned, Variable::FORCEABLE),
];

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

    fn recover(&mut self) -> Result<(), Refusal> {
        if self.world.recovery_fails {
            return Err(Refusal::WrongState);
        }
        self.slots.fill(None);
        self.forced.clear();
        self.world.note(format_args!("recover"));
        Ok(())
    }

    fn map(&self) -> &[Region] {
        &MAP
    }

    fn generation(&self) -> u32 {
        self.world.generation
    }

    fn permitted(&self) -> Domains {
        Domains(self.world.permitted)
    }

    fn interlock(&mut self) -> Option<&mut dyn Interlock> {
        Some(self)
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

    fn writing(&mut self) -> Option<&mut dyn Writing> {
        Some(self)
    }

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        Some(self)
    }

    fn variables(&mut self) -> Option<&mut dyn Variables> {
        Some(self)
    }

    fn machine(&mut self) -> Option<&mut dyn MachineTool> {
        Some(self)
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        Some(&mut self.audit)
    }
}

impl Interlock for Machine {
    fn permit(&mut self, act: Act) -> Result<(), Refusal> {
        let runs = self.run == Run::Running;
        let refused = match act {
            Act::Hold(_) => false,
            Act::Force(_) | Act::Write(_) | Act::WriteRegister(_) | Act::Axis(_) => runs || self.world.moving,
            _ => self.world.moving,
        };
        if refused || self.world.interlock { Err(Refusal::Interlock) } else { Ok(()) }
    }

    fn loss_effect(&self) -> StopEffect {
        StopEffect::FeedHold
    }

    fn react(&mut self, _: Cause) -> Result<(), Refusal> {
        // What applies the forces may have done it already, because the agent did not run.
        if !std::mem::take(&mut self.reacted) {
            self.world.note(format_args!("react"));
        }
        Ok(())
    }

    fn fail_safe(&mut self, _: Cause) {
        self.world.note(format_args!("fail-safe"));
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
        self.world.note(format_args!("arm {addr}"));
        Ok(number)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        let armed = self.slots.get_mut(usize::from(slot)).and_then(Option::take);
        let Armed { addr, .. } = armed.ok_or(Refusal::Unmapped)?;
        self.world.note(format_args!("clear {addr}"));
        Ok(())
    }
}

impl Stepping for Machine {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.run = Run::Stopped;
        self.halted = true;
        self.world.note(format_args!("halt"));
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.run = Run::Running;
        self.world.note(format_args!("resume"));
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.run = Run::Stepping;
        self.world.note(format_args!("step"));
        Ok(())
    }
}

impl Memory for Machine {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let there = match addr.checked_sub(MEMORY).and_then(|at| self.memory.get(at as usize..)) {
            Some(there) if !there.is_empty() => there,
            // The map says that there are registers of devices. They are all zero.
            _ => {
                into.fill(0);
                return Ok(into.len());
            }
        };
        into.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        Ok(into.len().min(there.len()))
    }
}

impl Writing for Machine {
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), Refusal> {
        let at = addr.checked_sub(MEMORY).map(|at| at as usize).ok_or(Refusal::ReadOnly)?;
        let there = self.memory.get_mut(at..at.saturating_add(data.len())).ok_or(Refusal::ReadOnly)?;
        there.copy_from_slice(data);
        // What is forced stays as it is, and has what was written once it is let go of.
        for mut forced in std::mem::take(&mut self.forced) {
            let bytes = (forced.addr..).zip(&mut forced.former);
            for (byte_at, former) in bytes {
                let written = byte_at.checked_sub(addr).and_then(|n| data.get(n as usize));
                *former = written.copied().unwrap_or(*former);
            }
            self.set_word(forced.addr, forced.value);
            self.forced.push(forced);
        }
        self.world.note(format_args!("write {addr} {}", hex(data)));
        Ok(())
    }

    fn write_register(&mut self, register: u8, value: u64) -> Result<(), Refusal> {
        let value = u32::try_from(value).map_err(|_| Refusal::Unsupported)?;
        *self.registers.get_mut(usize::from(register)).ok_or(Refusal::Unmapped)? = value.into();
        self.world.note(format_args!("register {register} {value}"));
        Ok(())
    }
}

impl Forcing for Machine {
    fn force(&mut self, addr: u64, value: &[u8], safe: Option<&[u8]>) -> Result<(), Refusal> {
        let value = <[u8; 4]>::try_from(value).map_err(|_| Refusal::Unmapped)?;
        let safe = safe.map(<[u8; 4]>::try_from).transpose().map_err(|_| Refusal::Unmapped)?;
        if !FORCEABLE.contains(&addr) || addr % 4 != 0 {
            return Err(Refusal::Unmapped);
        }
        let former = self.take_forced(addr).map_or(self.word(addr), |forced| forced.former);
        self.forced.push(Forced { addr, value, former, safe });
        self.set_word(addr, value);
        self.world.note(format_args!("force {addr} {}", hex(&value)));
        self.alive();
        Ok(())
    }

    fn release(&mut self, addr: u64, _: Option<&[u8]>) -> Result<(), Refusal> {
        if self.world.release_fails {
            return Err(Refusal::Unsupported);
        }
        if let Some(forced) = self.take_forced(addr) {
            self.let_go(forced);
        }
        Ok(())
    }

    fn alive(&mut self) {
        self.seen_alive();
    }
}

impl Variables for Machine {
    fn count(&self) -> u16 {
        VARIABLES.len() as u16
    }

    fn variable(&self, number: u16) -> Option<Variable<'_>> {
        VARIABLES.get(usize::from(number)).copied()
    }
}

impl MachineTool for Machine {
    fn axes(&self) -> u8 {
        3
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        self.axes.get(usize::from(axis)).copied()
    }

    fn standing(&mut self) -> Standing {
        if self.world.moving { Standing::Move } else { Standing::Stand }
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        *self.axes.get_mut(usize::from(axis)).ok_or(Refusal::Unmapped)? = position;
        self.world.note(format_args!("axis {axis} {position}"));
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
