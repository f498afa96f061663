//! [`Target`]: the machine that is debugged, as the agent sees it.
//!
//! Only what every target has is required. Everything else is an extension: a trait of its own, reached through a
//! function that returns `None` until the target overrides it with `Some(self)`. The agent reports to the peer which
//! ones are there, and refuses the commands of those that are not.
//!
//! What keeps people safe is the target's [`Interlock`], which is asked before every act that can start or stop motion.

use feedrate::rdp::frame::{
    Access, Cause, Domains, Durability, Fingerprint, Location, Record, Region, Standing, StopEffect, Variable,
};

use crate::arch::Arch;

/// Why a target refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing at this address, axis or register.
    #[error("there is nothing at this address")]
    Unmapped,
    /// It exists, but cannot be changed.
    #[error("it cannot be changed")]
    ReadOnly,
    /// All of a limited resource is in use: comparators, patches.
    #[error("all slots are in use")]
    NoSlot,
    /// Not now: the program is running and would have to be stopped, or the other way round.
    #[error("not in this state of the machine")]
    WrongState,
    /// An interlock forbids it.
    #[error("an interlock forbids it")]
    Interlock,
    /// The instruction, the length or the kind is one that this target cannot handle.
    #[error("the target cannot do this")]
    Unsupported,
    /// The target has failed: the session ends after the answer, with this code.
    #[error("the target failed with code {0}")]
    Fatal(u32),
}

/// The machine that is debugged.
pub trait Target {
    /// Its processor.
    type Arch: Arch;

    /// Which device this is. It must not change while the target lives.
    fn fingerprint(&self) -> Fingerprint;

    /// Whether the program is stopped.
    fn is_stopped(&self) -> bool;

    /// Reads all registers at one instruction boundary.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if they can only be read while the program is stopped.
    fn read_registers(&mut self, into: &mut <Self::Arch as Arch>::Registers) -> Result<(), Refusal>;

    /// Brings the machine into a known state after a reset: no force, no trap, no stop reaction half done (SPEC
    /// section 8.12). It is called at every run until it succeeds, and before that nobody gets a session. It must not
    /// start motion.
    ///
    /// # Errors
    ///
    /// Whatever prevents that: it is called again.
    fn recover(&mut self) -> Result<(), Refusal>;

    /// Which memory there is, and what may be done with it. An address outside all regions is unmapped; where a
    /// protected region overlaps another one, the overlap is protected. The agent, its buffers, its stack, its keys,
    /// its log, the interlock and its inputs belong in protected regions, or in none (SPEC section 8.6).
    fn map(&self) -> &[Region] {
        &[]
    }

    /// Generation of the program under debug: another number after each load, update or restart of it (SPEC section
    /// 8.11).
    fn generation(&self) -> u32 {
        0
    }

    /// What the machine itself allows now: a mode selector, enabling hardware. Asked at every run (SPEC section 8.2).
    fn permitted(&self) -> Domains {
        Domains::ALL
    }

    /// The hook that is asked before every act that can start or stop motion. Without it nothing is forced or
    /// written.
    fn interlock(&mut self) -> Option<&mut dyn Interlock> {
        None
    }

    /// Stopping at an address.
    fn breakpoints(&mut self) -> Option<&mut dyn Breakpoints> {
        None
    }

    /// Halting, resuming, executing one instruction at a time.
    fn stepping(&mut self) -> Option<&mut dyn Stepping> {
        None
    }

    /// Reading memory.
    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }

    /// Writing memory and registers of a stopped program.
    fn writing(&mut self) -> Option<&mut dyn Writing> {
        None
    }

    /// Changing variables of the running program.
    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        None
    }

    /// Which variables there are, by name.
    fn variables(&mut self) -> Option<&mut dyn Variables> {
        None
    }

    /// What a machine tool has beside its processor: axes, PLC registers, a G-code program.
    fn machine(&mut self) -> Option<&mut dyn Machine> {
        None
    }

    /// The log of every command that acted on the machine. Without it nothing that needs a record is done.
    fn audit(&mut self) -> Option<&mut dyn Audit> {
        None
    }
}

/// What an [`Interlock`] is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// A trap is set at this address. A program that hits it stops, and no longer controls the axes.
    Arm(u64),
    /// The program, and nothing else, is stopped.
    Halt,
    /// The variable at this address is forced.
    Force(u64),
    /// It is still forced: asked at every run.
    Hold(u64),
    /// A trap is still set at this address: asked at every run.
    KeepArmed(u64),
    /// Memory at this address is written.
    Write(u64),
    /// A register is written.
    WriteRegister(u8),
    /// The program resumes.
    Resume,
    /// The program executes one instruction.
    Step,
    /// The position at which an axis is taken to be is set.
    Axis(u8),
}

/// What watches over the machine: whether an act can hurt somebody now, and what the machine does when a session is
/// lost (SPEC sections 8.3 and 8.7).
///
/// Its inputs must not be memory that the debugged program can write, or that the debugger can force. It is no safety
/// function, and does not take the place of one (SPEC section 13).
pub trait Interlock {
    /// Whether the machine is in a state in which nobody can be hurt by this act. [`Act::Arm`] and [`Act::Halt`] must
    /// be refused unless the axes are at standstill, or hardware that does not depend on the program stops them.
    ///
    /// # Errors
    ///
    /// [`Refusal::Interlock`].
    fn permit(&mut self, act: Act) -> Result<(), Refusal>;

    /// What [`Stepping::halt`] does to the machine. It does not change.
    fn halt_effect(&self) -> StopEffect {
        StopEffect::Program
    }

    /// What a trap does to the machine. It does not change.
    fn trap_effect(&self) -> StopEffect {
        StopEffect::Program
    }

    /// What [`react`](Self::react) does to the machine. It does not change.
    fn loss_effect(&self) -> StopEffect {
        StopEffect::Nothing
    }

    /// The declared stop reaction: called before forces and traps are withdrawn, unless the host requested exactly
    /// that.
    ///
    /// # Errors
    ///
    /// It failed: [`fail_safe`](Self::fail_safe) follows.
    fn react(&mut self, cause: Cause) -> Result<(), Refusal> {
        let _ = cause;
        Ok(())
    }

    /// Something could not be taken back, or the stop reaction failed: what takes the machine into its safe state by
    /// other means.
    fn fail_safe(&mut self, cause: Cause);
}

/// How a breakpoint is made.
// Exhaustive: a target has to say what it does with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// As the target chooses.
    Any,
    /// A comparator of the processor: works in flash, and there are few.
    Hardware,
    /// A patched instruction: works in RAM only.
    Software,
    /// An access to `length` bytes of data.
    Watch {
        /// Bytes that are watched.
        length: u32,
        /// Which accesses count.
        access: Access,
    },
}

/// Stopping at an address.
pub trait Breakpoints {
    /// How many there can be at a time.
    fn slots(&self) -> u16;

    /// Arms a breakpoint, and returns its slot, which is less than [`slots`](Self::slots). A breakpoint that is hit
    /// is reported by [`Agent::stopped`](crate::agent::Agent::stopped), before its instruction is executed.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSlot`], [`Refusal::Unmapped`], [`Refusal::ReadOnly`] (a patch in flash), [`Refusal::Unsupported`].
    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal>;

    /// Disarms it.
    ///
    /// # Errors
    ///
    /// It is still armed: this is called again at every run.
    fn clear(&mut self, slot: u16) -> Result<(), Refusal>;
}

/// Halting, resuming, executing one instruction at a time. Each call only starts it: the outcome is reported by
/// [`Agent::stopped`](crate::agent::Agent::stopped).
pub trait Stepping {
    /// Stops, as [`Interlock::halt_effect`] declares.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if it is stopped already, [`Refusal::Interlock`].
    fn halt(&mut self) -> Result<(), Refusal>;

    /// Resumes. A breakpoint at the program counter is not hit again before its instruction has been executed.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if it runs already, [`Refusal::Interlock`].
    fn resume(&mut self) -> Result<(), Refusal>;

    /// Executes one instruction, whether there is a breakpoint at it or not.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume), and [`Refusal::Unsupported`] for an instruction that cannot be stepped over.
    fn step(&mut self) -> Result<(), Refusal>;
}

/// Reading memory.
pub trait Memory {
    /// Reads from `addr` on. Fewer bytes than requested mean that the rest is not mapped. Only what the
    /// [map](Target::map) allows is requested.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`] if not even the first byte is mapped.
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal>;
}

/// Writing memory and registers of a stopped program.
pub trait Writing {
    /// Writes all of `data`. It must not change flash.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`], [`Refusal::ReadOnly`].
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), Refusal>;

    /// Writes a register, by its index in [`Arch::NAMES`].
    ///
    /// # Errors
    ///
    /// [`Refusal::ReadOnly`], [`Refusal::Unsupported`].
    fn write_register(&mut self, register: u8, value: u64) -> Result<(), Refusal>;
}

/// Changing variables of the running program, and keeping them changed.
///
/// What applies the forces must drop them by itself when the agent has not run for
/// [the stall time](crate::agent::AgentConfig::stall): SPEC section 8.9.
pub trait Forcing {
    /// Holds the variable at `addr` at `value` until it is released. The interlock has been asked. What applies the
    /// forces has to know the safe value, too: nobody tells it when it drops them by itself.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`], [`Refusal::ReadOnly`], [`Refusal::NoSlot`], [`Refusal::Unsupported`] (its length).
    fn force(&mut self, addr: u64, value: &[u8], safe: Option<&[u8]>) -> Result<(), Refusal>;

    /// Releases it; with a safe value, after it has been given this value. Its value is then up to the program: this
    /// can start motion.
    ///
    /// # Errors
    ///
    /// It is still forced: this is called again at every run. A variable that is not forced counts as released.
    fn release(&mut self, addr: u64, safe: Option<&[u8]>) -> Result<(), Refusal>;

    /// The agent runs: called at every run while something is forced. What applies the forces drops them when this has
    /// not been called for the stall time.
    fn alive(&mut self) {}
}

/// Which variables there are, by name. They belong to the present [generation](Target::generation) of the program.
pub trait Variables {
    /// How many there are.
    fn count(&self) -> u16;

    /// The one with this number, counted from 0.
    fn variable(&self, number: u16) -> Option<Variable<'_>>;
}

/// What a machine tool has beside its processor.
pub trait Machine {
    /// Number of axes.
    fn axes(&self) -> u8;

    /// Position of an axis in nanometres (rotary axes: in nanodegrees).
    fn axis(&mut self, axis: u8) -> Option<i64>;

    /// Whether the axes are at standstill, as far as the control knows.
    fn standing(&mut self) -> Standing {
        Standing::Unknown
    }

    /// Sets the position at which the machine takes an axis to be. It moves nothing. The interlock has been asked.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`], [`Refusal::WrongState`].
    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal>;

    /// Reads PLC registers from `first` on, and returns how many there were.
    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize;

    /// The position in the G-code program.
    fn cursor(&mut self) -> Location;
}

/// There is no room for another record, until some have been released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is full")]
pub struct Full;

/// The log of every command that acted on the machine: [`AuditRing`](crate::audit::AuditRing), or the target's own
/// (SPEC section 8.8).
pub trait Audit {
    /// Whether a reset loses it.
    fn durability(&self) -> Durability {
        Durability::Memory
    }

    /// Writes a record, before the command has any effect, and returns its index. Indices increase. There must be
    /// room for it and for `keep` further ones; nothing that has not been released is overwritten, except for
    /// refusals.
    ///
    /// # Errors
    ///
    /// [`Full`].
    fn append(&mut self, record: Record, keep: usize) -> Result<u32, Full>;

    /// Writes a refusal. All refusals together take at most a quarter of the log, and the oldest ones make room. One
    /// that [equals](Record::repeats) the last record raises its count instead.
    fn refused(&mut self, record: Record);

    /// The outcome of a command.
    fn conclude(&mut self, index: u32, verdict: u16);

    /// Index of the oldest record that is still there, and of the one that will be written next.
    fn bounds(&self) -> (u32, u32);

    /// The record with the lowest index from `index` on.
    fn first_from(&self, index: u32) -> Option<Record>;

    /// The record of what was done with the highest index below `index`. Refusals do not count: they may be overwritten
    /// at any time, and their counts rise.
    fn last_below(&self, index: u32) -> Option<Record>;

    /// Everything below `index` may be overwritten.
    fn release(&mut self, index: u32);

    /// An event has found no room: it counts as lost.
    fn lose(&mut self);

    /// Records that were lost.
    fn lost(&self) -> u32;
}
