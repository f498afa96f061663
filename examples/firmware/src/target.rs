//! The machine, as the agent sees it.

use core::sync::atomic::Ordering::Relaxed;

use feedrate::rdp::frame::{Domains, Fingerprint, Location, Region, Standing, Variable};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{
    Audit, Breakpoints, Forcing, Interlock, Machine, Memory, Refusal, Stepping, Target, Trap, Variables,
    Writing,
};

use crate::debug::{Debugger, SLOTS};
use crate::state::MACHINE;
use crate::{board, drives, forces, memory, panel, program, variables};

pub struct Cnc {
    pub debugger: Debugger,
    fingerprint: Fingerprint,
    /// The program begins anew with each boot.
    generation: u32,
    map: [Region; memory::REGIONS],
    /// The offset between the measured and the assumed position of each axis.
    offsets: [i64; drives::AXES],
    audit: AuditRing<48, 16>,
}

impl Cnc {
    pub const fn new() -> Self {
        const NOTHING: Region = Region { first: 0, last: 0, class: feedrate::rdp::frame::Class::Protected };
        Cnc {
            debugger: Debugger::new(),
            fingerprint: [0; 16],
            generation: 0,
            map: [NOTHING; memory::REGIONS],
            offsets: [0; drives::AXES],
            audit: AuditRing::new(),
        }
    }

    /// To be called once, at the start.
    pub fn identify(&mut self, boots: u32) {
        let id = board::identity().into_iter().chain(memory::image_hash());
        for (place, byte) in self.fingerprint.iter_mut().zip(id) {
            *place = byte;
        }
        self.generation = boots;
        self.map = memory::map();
    }

    /// Makes forces and releases show at once, even while the program is stopped.
    fn apply(&self) {
        if !self.debugger.is_stopped() {
            return;
        }
        if memory::forces().contains(&self.debugger.context.pc) {
            forces::show();
        } else {
            forces::apply_forces();
        }
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

    /// Works while the program runs too: the agent has interrupted it between two instructions.
    fn read_registers(&mut self, into: &mut <CortexM as Arch>::Registers) -> Result<(), Refusal> {
        if self.debugger.is_stepping() {
            return Err(Refusal::WrongState);
        }
        for (into, value) in into.iter_mut().zip(self.debugger.context.all()) {
            *into = value.into();
        }
        Ok(())
    }

    /// A reset resets everything: forced variables, traps in RAM, the cycle. The drives may still move, but have to
    /// stop before anybody can start the cycle again.
    fn recover(&mut self) -> Result<(), Refusal> {
        if !drives::all_stands() {
            return Err(Refusal::WrongState);
        }
        panel::recovered();
        Ok(())
    }

    fn map(&self) -> &[Region] {
        &self.map
    }

    fn generation(&self) -> u32 {
        self.generation
    }

    fn permitted(&self) -> Domains {
        panel::permitted()
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
            0 => Err(Refusal::Unmapped),
            count => Ok(count),
        }
    }
}

impl Writing for Cnc {
    /// Refuses the code, in which there may be traps, and variables that are forced.
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), Refusal> {
        let addr = u32::try_from(addr).map_err(|_| Refusal::Unmapped)?;
        if variables::touched(addr, data.len()).any(forces::is_forced) {
            return Err(Refusal::WrongState);
        }
        if memory::write(addr, data) { Ok(()) } else { Err(Refusal::ReadOnly) }
    }

    fn write_register(&mut self, register: u8, value: u64) -> Result<(), Refusal> {
        let value = u32::try_from(value).map_err(|_| Refusal::Unsupported)?;
        self.debugger.write_register(usize::from(register), value)
    }
}

impl Forcing for Cnc {
    fn force(&mut self, addr: u64, value: &[u8], safe: Option<&[u8]>) -> Result<(), Refusal> {
        let number =
            |bytes: &[u8]| Ok(i32::from_le_bytes(bytes.try_into().map_err(|_| Refusal::Unsupported)?));
        let place = variables::forceable(addr).ok_or(Refusal::ReadOnly)?;
        if !forces::force(place, number(value)?, safe.map(number).transpose()?) {
            return Err(Refusal::Unmapped);
        }
        self.apply();
        Ok(())
    }

    fn release(&mut self, addr: u64, _: Option<&[u8]>) -> Result<(), Refusal> {
        forces::release(variables::forceable(addr).ok_or(Refusal::Unmapped)?);
        self.apply();
        Ok(())
    }

    fn alive(&mut self) {
        forces::alive();
    }
}

impl Variables for Cnc {
    fn count(&self) -> u16 {
        variables::COUNT
    }

    fn variable(&self, number: u16) -> Option<Variable<'_>> {
        variables::variable(number)
    }
}

impl Machine for Cnc {
    fn axes(&self) -> u8 {
        drives::AXES as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        let axis = usize::from(axis);
        let position: i64 = drives::position(axis)?.into();
        Some(position.saturating_add(*self.offsets.get(axis)?))
    }

    fn standing(&mut self) -> Standing {
        if drives::axes_stand() { Standing::Stand } else { Standing::Move }
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        let axis = usize::from(axis);
        let at = drives::position(axis).ok_or(Refusal::Unmapped)?;
        *self.offsets.get_mut(axis).ok_or(Refusal::Unmapped)? = position.saturating_sub(at.into());
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
