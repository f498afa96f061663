//! The machine, as the agent sees it.

use core::sync::atomic::Ordering::Relaxed;

use feedrate::rdp::frame::{Fingerprint, Location};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{Audit, Breakpoints, Forcing, Machine, Memory, Refusal, Stepping, Target, Trap};

use crate::axis::{DOOR, HOLD, MACHINE, VARIABLES};
use crate::debug::{Debugger, SLOTS};
use crate::{board, memory, program};

pub struct Cnc {
    pub debugger: Debugger,
    fingerprint: Fingerprint,
    /// What is added to where an axis is, to get where it is taken to be.
    offsets: [i64; 3],
    /// What the forced variables held before.
    before: [i32; VARIABLES],
    audit: AuditRing<64>,
}

impl Cnc {
    pub const fn new() -> Self {
        Cnc {
            debugger: Debugger::new(),
            fingerprint: [0; 16],
            offsets: [0; 3],
            before: [0; VARIABLES],
            audit: AuditRing::new(),
        }
    }

    /// To be called once, at the start.
    pub fn identify(&mut self) {
        let id = board::identity().into_iter().chain(memory::image_hash());
        for (place, byte) in self.fingerprint.iter_mut().zip(id) {
            *place = byte;
        }
    }

    /// Which variable is at this address.
    fn variable(addr: u64) -> Result<usize, Refusal> {
        let addr = u32::try_from(addr).map_err(|_| Refusal::Unmapped)?;
        let base = MACHINE.variables.as_ptr().addr() as u32;
        let offset = addr.wrapping_sub(base);
        if offset >= size_of_val(&MACHINE.variables) as u32 || offset & 3 != 0 {
            return Err(if memory::is_mapped(addr) { Refusal::ReadOnly } else { Refusal::Unmapped });
        }
        Ok(offset as usize / 4)
    }
}

impl Target for Cnc {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn is_stopped(&self) -> bool {
        self.debugger.is_stopped()
    }

    /// While it runs as well: whoever asks has interrupted it between two instructions.
    fn read_registers(&mut self, into: &mut <CortexM as Arch>::Registers) -> Result<(), Refusal> {
        if self.debugger.is_stepping() {
            return Err(Refusal::WrongState);
        }
        for (into, value) in into.iter_mut().zip(self.debugger.context.all()) {
            *into = value.into();
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
        Some(&mut self.audit)
    }
}

impl Breakpoints for Cnc {
    fn slots(&self) -> u16 {
        SLOTS as u16
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        match trap {
            Trap::Any | Trap::Software => {
                self.debugger.set_breakpoint(u32::try_from(addr).map_err(|_| Refusal::Unmapped)?)
            }
            // The emulator has no comparators.
            Trap::Hardware | Trap::Watch { .. } => Err(Refusal::Unsupported),
        }
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        self.debugger.clear_breakpoint(slot)
    }
}

impl Stepping for Cnc {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.debugger.halt()
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.debugger.resume()
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.debugger.step()
    }
}

impl Memory for Cnc {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let addr = u32::try_from(addr).map_err(|_| Refusal::Unmapped)?;
        match self.debugger.read(addr, into) {
            0 if !memory::is_mapped(addr) => Err(Refusal::Unmapped),
            count => Ok(count),
        }
    }
}

impl Forcing for Cnc {
    /// The feed is held, the door is closed, and nothing moves.
    fn interlock(&mut self) -> Result<(), Refusal> {
        let inputs = MACHINE.inputs.load(Relaxed);
        let held = inputs & HOLD != 0 && inputs & DOOR == 0;
        let still = MACHINE.spindle.speed.load(Relaxed) == 0
            && MACHINE.axes.iter().all(|axis| axis.velocity.load(Relaxed) == 0);
        if held && still { Ok(()) } else { Err(Refusal::Interlock) }
    }

    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal> {
        let place = Self::variable(addr)?;
        let value = i32::from_le_bytes(value.try_into().map_err(|_| Refusal::Unsupported)?);
        let forced = MACHINE.forced.load(Relaxed);
        let (Some(variable), Some(to), Some(before)) =
            (MACHINE.variables.get(place), MACHINE.forced_to.get(place), self.before.get_mut(place))
        else {
            return Err(Refusal::Unmapped);
        };
        if forced & 1 << place == 0 {
            *before = variable.load(Relaxed);
        }
        // The loop puts it there in every cycle. If it stands still, it is there at once.
        to.store(value, Relaxed);
        variable.store(value, Relaxed);
        MACHINE.forced.store(forced | 1 << place, Relaxed);
        Ok(())
    }

    fn release(&mut self, addr: u64) -> Result<(), Refusal> {
        let place = Self::variable(addr)?;
        let forced = MACHINE.forced.load(Relaxed);
        let (Some(variable), Some(before)) = (MACHINE.variables.get(place), self.before.get(place)) else {
            return Err(Refusal::Unmapped);
        };
        if forced & 1 << place == 0 {
            return Err(Refusal::Unmapped);
        }
        MACHINE.forced.store(forced & !(1 << place), Relaxed);
        variable.store(*before, Relaxed);
        Ok(())
    }
}

impl Machine for Cnc {
    fn axes(&self) -> u8 {
        MACHINE.axes.len() as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        let axis = usize::from(axis);
        let position: i64 = MACHINE.axes.get(axis)?.position.load(Relaxed).into();
        Some(position.saturating_add(*self.offsets.get(axis)?))
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        let axis = usize::from(axis);
        let (Some(state), Some(offset)) = (MACHINE.axes.get(axis), self.offsets.get_mut(axis)) else {
            return Err(Refusal::Unmapped);
        };
        if state.velocity.load(Relaxed) != 0 {
            return Err(Refusal::WrongState);
        }
        *offset = position.saturating_sub(state.position.load(Relaxed).into());
        Ok(())
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        let registers = MACHINE.plc.iter().skip(first.into());
        registers.zip(into).map(|(register, into)| *into = register.load(Relaxed)).count()
    }

    fn cursor(&mut self) -> Location {
        let block = MACHINE.block.load(Relaxed);
        let offset = program::OFFSETS.get(block as usize).copied().unwrap_or_default();
        Location { program: program::NUMBER, line: block.wrapping_add(1), offset }
    }
}
