//! The program under a debugger's control: breakpoints, stepping, registers.

use feedrate_insn::thumb::{self, ItState, Next};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::target::Refusal;

use crate::context::Context;
use crate::memory;
use crate::patch::Patch;

/// How many breakpoints there can be.
pub const SLOTS: usize = 16;

/// What the program does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Running,
    Stopped,
    /// It executes one instruction, and then reports the step, or goes on.
    Stepping {
        goes_on: bool,
    },
}

pub struct Debugger {
    mode: Mode,
    /// The program's registers. Valid while an exception has interrupted it, as it always has when anything here is
    /// called.
    pub context: Context,
    breakpoints: [Option<Patch>; SLOTS],
    step: Option<Step>,
    /// Stop as soon as the step that is under way is done.
    halt: bool,
    /// The stop that has not been reported yet.
    stop: Option<StopCause>,
}

/// One instruction that is executed.
struct Step {
    /// Its address. A breakpoint there is removed for the step.
    at: u32,
    /// As it was before.
    it_state: ItState,
    next: Next,
    /// At the next instruction, unless there is a breakpoint.
    trap: Option<Patch>,
}

/// CFSR: an undefined instruction.
const UNDEFINSTR: u32 = 1 << 16;

impl Debugger {
    pub const fn new() -> Self {
        Debugger {
            mode: Mode::Running,
            context: Context::ZERO,
            breakpoints: [None; SLOTS],
            step: None,
            halt: false,
            stop: None,
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.mode == Mode::Stopped
    }

    /// While a single instruction is executed, the state of its IT block is not the program's own.
    pub fn is_stepping(&self) -> bool {
        matches!(self.mode, Mode::Stepping { .. })
    }

    /// Why the program stopped, once for each time.
    pub fn take_stop(&mut self) -> Option<StopCause> {
        self.stop.take()
    }

    /// Whether [`take_stop`](Self::take_stop) would return something.
    pub fn has_stop(&self) -> bool {
        self.stop.is_some()
    }

    /// Reads memory as it would be without traps.
    pub fn read(&self, addr: u32, into: &mut [u8]) -> usize {
        let count = memory::read(addr, into);
        let trap = self.step.as_ref().and_then(|step| step.trap.as_ref());
        for patch in self.breakpoints.iter().flatten().chain(trap) {
            patch.hide(addr, into);
        }
        count
    }

    /// The agent has checked that there is none at this address yet, and that it lies in the machine's memory.
    pub fn set_breakpoint(&mut self, addr: u32) -> Result<u16, Refusal> {
        // Bit 0 of a function's address says that it is Thumb.
        let patch = self.patch_at(addr & !1)?;
        // If two overlap, one of them is not at the beginning of an instruction.
        if self.breakpoints.iter().flatten().any(|other| other.overlaps(&patch)) {
            return Err(Refusal::Unsupported);
        }
        let (slot, place) =
            (0..).zip(&mut self.breakpoints).find(|(_, place)| place.is_none()).ok_or(Refusal::NoSlot)?;
        *place = Some(patch);
        if self.step.as_ref().is_none_or(|step| step.at != patch.addr) {
            patch.apply();
        }
        Ok(slot)
    }

    pub fn clear_breakpoint(&mut self, slot: u16) -> Result<(), Refusal> {
        let place = self.breakpoints.get_mut(usize::from(slot)).ok_or(Refusal::Unmapped)?;
        let patch = place.take().ok_or(Refusal::Unmapped)?;
        match &mut self.step {
            // The step ends there.
            Some(step) if step.next.pc == patch.addr => step.trap.get_or_insert(patch).apply(),
            _ => patch.lift(),
        }
        Ok(())
    }

    /// Changes a register of the stopped program.
    pub fn write_register(&mut self, register: usize, value: u32) -> Result<(), Refusal> {
        /// N, Z, C, V, Q. The rest says in which state the processor is.
        const FLAGS: u32 = 0xF800_0000;
        let context = &mut self.context;
        match register {
            // The frame of the exception lies below it.
            13 => return Err(Refusal::ReadOnly),
            14 => context.lr = value,
            15 if value & 1 != 0 || !memory::code().contains(&value) => return Err(Refusal::Unmapped),
            15 => {
                context.pc = value;
                // An IT block is not continued elsewhere.
                context.xpsr = ItState::NONE.put(context.xpsr);
            }
            16 if (value ^ context.xpsr) & !FLAGS != 0 => return Err(Refusal::Unsupported),
            16 => context.xpsr = value,
            _ => *context.general.get_mut(register).ok_or(Refusal::Unmapped)? = value,
        }
        Ok(())
    }

    pub fn halt(&mut self) -> Result<(), Refusal> {
        match self.mode {
            Mode::Stopped => return Err(Refusal::WrongState),
            Mode::Stepping { .. } => self.halt = true,
            Mode::Running => self.stopped(StopCause::Halted),
        }
        Ok(())
    }

    pub fn resume(&mut self) -> Result<(), Refusal> {
        if self.mode != Mode::Stopped {
            return Err(Refusal::WrongState);
        }
        if self.breakpoint_at(self.context.pc).is_some() {
            return self.execute(true);
        }
        self.mode = Mode::Running;
        Ok(())
    }

    pub fn step(&mut self) -> Result<(), Refusal> {
        if self.mode != Mode::Stopped {
            return Err(Refusal::WrongState);
        }
        self.execute(false)
    }

    /// Executes the instruction at the program counter, whatever traps there are.
    fn execute(&mut self, goes_on: bool) -> Result<(), Refusal> {
        let registers = self.context.registers();
        let next = thumb::next(&registers, |addr, into| self.read(addr, into) == into.len())
            .map_err(|_| Refusal::Unsupported)?;
        let Some(xpsr) = next.run else {
            // The instruction only jumps.
            self.mode = Mode::Stepping { goes_on };
            self.context.pc = next.pc;
            self.context.xpsr = next.xpsr;
            self.executed();
            return Ok(());
        };
        let trap = match self.breakpoint_at(next.pc) {
            Some(_) => None,
            None => Some(self.patch_at(next.pc)?),
        };
        self.mode = Mode::Stepping { goes_on };
        let pc = self.context.pc;
        for patch in self.breakpoints.iter().flatten().filter(|patch| patch.addr == pc) {
            patch.lift();
        }
        if let Some(patch) = &trap {
            patch.apply();
        }
        self.step = Some(Step { at: pc, it_state: ItState::of(self.context.xpsr), next, trap });
        self.context.xpsr = xpsr;
        Ok(())
    }

    fn patch_at(&self, addr: u32) -> Result<Patch, Refusal> {
        let mut bytes = [0; 4];
        if addr & 1 != 0 || !memory::code().contains(&addr) || self.read(addr, &mut bytes) != bytes.len() {
            return Err(Refusal::Unsupported);
        }
        Ok(Patch::new(addr, bytes))
    }

    /// A fault with this status has interrupted the program: a trap, or something else.
    pub fn fault(&mut self, status: u32) {
        let step = self.step.take();
        if let Some(Step { trap: Some(trap), .. }) = &step {
            trap.lift();
        }
        // The one that the step began at.
        for patch in self.breakpoints.iter().flatten() {
            patch.apply();
        }
        let trapped = status & UNDEFINSTR != 0;
        match step {
            Some(step) if trapped && self.context.pc == step.next.pc => {
                self.context.xpsr = step.next.xpsr_after(self.context.xpsr);
                self.executed();
            }
            step => {
                if let Some(step) = step {
                    self.context.xpsr = step.it_state.put(self.context.xpsr);
                }
                self.stopped(match self.breakpoint_at(self.context.pc) {
                    Some(slot) if trapped => StopCause::Breakpoint(slot),
                    _ => StopCause::Fault(status.into()),
                });
            }
        }
    }

    /// The instruction has been executed, the program counter is at the next one.
    fn executed(&mut self) {
        let goes_on = self.mode == Mode::Stepping { goes_on: true };
        if self.halt {
            self.stopped(StopCause::Halted);
        } else if !goes_on {
            self.stopped(StopCause::Step);
        } else if let Some(slot) = self.breakpoint_at(self.context.pc) {
            self.stopped(StopCause::Breakpoint(slot));
        } else {
            self.mode = Mode::Running;
        }
    }

    fn stopped(&mut self, stop: StopCause) {
        self.mode = Mode::Stopped;
        self.halt = false;
        self.stop = Some(stop);
    }

    fn breakpoint_at(&self, addr: u32) -> Option<u16> {
        (0..)
            .zip(&self.breakpoints)
            .find(|(_, patch)| patch.is_some_and(|patch| patch.addr == addr))
            .map(|(slot, _)| slot)
    }
}
