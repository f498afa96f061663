//! [`Target`]: the machine that is debugged, as the agent sees it.
//!
//! Only what every target has is required. Everything else is an extension: a trait of its own, reached through a
//! function that returns `None` until the target overrides it with `Some(self)`. The agent tells the peer of those
//! that are there, and refuses the commands of those that are not.

use feedrate::rdp::frame::{Access, Fingerprint, Location, Record};

use crate::arch::Arch;

/// Why a target does not do what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing at this address, axis or register.
    #[error("there is nothing at this address")]
    Unmapped,
    /// It is there, and cannot be changed.
    #[error("it cannot be changed")]
    ReadOnly,
    /// All of a limited resource is in use: comparators, patches.
    #[error("all slots are in use")]
    NoSlot,
    /// Not now: the machine runs and would have to stand, or the other way round.
    #[error("not in this state of the machine")]
    WrongState,
    /// An interlock forbids it.
    #[error("an interlock forbids it")]
    Interlock,
    /// The instruction, the length or the kind is one that this target cannot handle.
    #[error("the target cannot do this")]
    Unsupported,
    /// The target is beyond saving: the session ends after the answer, with this code.
    #[error("the target failed with code {0}")]
    Fatal(u32),
}

/// The machine that is debugged.
pub trait Target {
    /// Its processor.
    type Arch: Arch;

    /// Which device this is. It must not change while the target lives.
    fn fingerprint(&self) -> Fingerprint;

    /// Whether the program stands still.
    fn is_stopped(&self) -> bool;

    /// Reads all registers at one instruction boundary.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if they can only be read while the program stands still.
    fn read_registers(&mut self, into: &mut <Self::Arch as Arch>::Registers) -> Result<(), Refusal>;

    /// Stopping at an address.
    fn breakpoints(&mut self) -> Option<&mut dyn Breakpoints> {
        None
    }

    /// Halting, going on, one instruction at a time.
    fn stepping(&mut self) -> Option<&mut dyn Stepping> {
        None
    }

    /// Reading memory.
    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }

    /// Changing variables of the running program.
    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        None
    }

    /// What a machine tool has beside its processor: axes, PLC registers, a G-code program.
    fn machine(&mut self) -> Option<&mut dyn Machine> {
        None
    }

    /// The log of every command that touched the machine. Without it nothing that needs a record is done.
    fn audit(&mut self) -> Option<&mut dyn Audit> {
        None
    }
}

/// How a breakpoint is made.
// Exhaustive: a target has to say what it does with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// As the target likes.
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

    /// Arms a breakpoint, and returns its slot, which is less than [`slots`](Self::slots). A reached breakpoint is
    /// told by [`Agent::stopped`](crate::agent::Agent::stopped), before its instruction is executed.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSlot`], [`Refusal::Unmapped`], [`Refusal::ReadOnly`] (a patch in flash), [`Refusal::Unsupported`].
    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal>;

    /// Disarms it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`] if the slot is empty.
    fn clear(&mut self, slot: u16) -> Result<(), Refusal>;
}

/// Halting, going on, one instruction at a time. Each call only starts it: what came of it is told by
/// [`Agent::stopped`](crate::agent::Agent::stopped).
pub trait Stepping {
    /// Stop as soon as it is safe to.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if it stands already, [`Refusal::Interlock`].
    fn halt(&mut self) -> Result<(), Refusal>;

    /// Go on. A breakpoint at the program counter is not met again before its instruction has been executed.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongState`] if it runs already, [`Refusal::Interlock`].
    fn resume(&mut self) -> Result<(), Refusal>;

    /// Execute one instruction.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume), and [`Refusal::Unsupported`] for an instruction that cannot be stepped over.
    fn step(&mut self) -> Result<(), Refusal>;
}

/// Reading memory.
pub trait Memory {
    /// Reads from `addr` on. Fewer bytes than asked for mean that the rest is not mapped.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`] if not even the first byte is there.
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal>;
}

/// Changing variables of the running program, and keeping them changed.
pub trait Forcing {
    /// Asked before every force and every axis that is set: whether the machine is in a state in which nobody can be
    /// hurt by it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Interlock`].
    fn interlock(&mut self) -> Result<(), Refusal>;

    /// Holds the variable at `addr` at `value` until it is released.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`], [`Refusal::ReadOnly`], [`Refusal::NoSlot`], [`Refusal::Unsupported`] (its length).
    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal>;

    /// Lets go of it. Called when the host asks for it, when the lease runs out, and when the session ends.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`] if it is not forced.
    fn release(&mut self, addr: u64) -> Result<(), Refusal>;
}

/// What a machine tool has beside its processor.
pub trait Machine {
    /// Number of axes.
    fn axes(&self) -> u8;

    /// Position of an axis in nanometres (rotary axes: in nanodegrees).
    fn axis(&mut self, axis: u8) -> Option<i64>;

    /// Sets the position that the machine takes an axis to be at. It moves nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unmapped`], [`Refusal::WrongState`].
    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal>;

    /// Reads PLC registers from `first` on, and returns how many there were.
    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize;

    /// Where the G-code program stands.
    fn cursor(&mut self) -> Location;
}

/// There is no room for another record, until some have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is full")]
pub struct Full;

/// The log of every command that touched the machine: [`AuditRing`](crate::audit::AuditRing), or the target's own.
pub trait Audit {
    /// Writes a record, before the command has any effect, and returns its index. Indices go up by one.
    ///
    /// # Errors
    ///
    /// [`Full`]: the command is refused.
    fn append(&mut self, record: Record) -> Result<u32, Full>;

    /// What came of it.
    fn conclude(&mut self, index: u32, verdict: u16);

    /// Index of the oldest record that is still there, and of the one that will be written next.
    fn bounds(&self) -> (u32, u32);

    /// Reads a record.
    fn get(&self, index: u32) -> Option<Record>;

    /// The host has everything below `index`, so that it may be overwritten.
    fn release(&mut self, index: u32);
}
