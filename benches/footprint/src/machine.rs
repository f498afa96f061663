//! A machine that has everything a target can have, and next to no code of its own: what it returns comes
//! from a volatile cell, so that the compiler knows nothing of it and cannot cut down the agent in front.
//!
//! It is not the testkit's: that one needs `std`, and its code would be weighed with the agent's.

use core::cell::UnsafeCell;
use core::time::Duration;

use feedrate::rdp::frame::{
    Bytes, Cause, Class, Domains, Fingerprint, Location, Region, Standing, StopEffect, Type, Variable,
};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::target::{
    Act, Audit, Breakpoints, Forcing, Interlock, Machine, Memory, Refusal, Stepping, Target, Trap, Variables, Writing,
};

struct Port(UnsafeCell<u32>);

// SAFETY: there is one core, no interrupt, and nothing is ever run.
unsafe impl Sync for Port {}

static PORT: Port = Port(UnsafeCell::new(0));

/// Anything.
#[inline(never)]
fn look() -> u32 {
    // SAFETY: it is there.
    unsafe { PORT.0.get().read_volatile() }
}

#[inline(never)]
fn touch(value: u32) -> Result<(), Refusal> {
    // SAFETY: it is there.
    unsafe { PORT.0.get().write_volatile(value) }
    match look() {
        0 => Ok(()),
        1 => Err(Refusal::Unmapped),
        2 => Err(Refusal::ReadOnly),
        3 => Err(Refusal::NoSlot),
        4 => Err(Refusal::WrongState),
        5 => Err(Refusal::Interlock),
        6 => Err(Refusal::Unsupported),
        code => Err(Refusal::Fatal(code)),
    }
}

/// An authority that lets everybody do what the port says.
pub fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    let [first, ..] = *claim.device;
    touch(claim.token.len() as u32 ^ u32::from(first)).map_err(|_| look())?;
    Ok(Grant::new([look() as u8; 8], Domains(look() as u8), Duration::from_secs(look().into())))
}

pub type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;

/// Any of the causes.
pub fn cause() -> StopCause {
    match look() {
        0 => StopCause::Step,
        1 => StopCause::Breakpoint(look() as u16),
        2 => StopCause::Watch { slot: look() as u16, addr: look().into() },
        3 => StopCause::Halted,
        4 => StopCause::Fault(look().into()),
        5 => StopCause::Interlock,
        _ => StopCause::Reset,
    }
}

/// The machine.
pub struct Servo {
    pub log: AuditRing<12, 4>,
}

impl Servo {
    pub const NEW: Self = Self { log: AuditRing::new() };
}

impl Target for Servo {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        [look() as u8; 16]
    }

    fn is_stopped(&self) -> bool {
        look() == 1
    }

    fn read_registers(&mut self, into: &mut [u64; 17]) -> Result<(), Refusal> {
        into.iter_mut().for_each(|register| *register = look().into());
        touch(0)
    }

    fn recover(&mut self) -> Result<(), Refusal> {
        touch(5)
    }

    fn map(&self) -> &[Region] {
        const { &[Region { first: 0x2000_0000, last: 0x2000_3FFF, class: Class::Plain }] }
    }

    fn generation(&self) -> u32 {
        look()
    }

    fn permitted(&self) -> Domains {
        Domains(look() as u8)
    }

    fn interlock(&mut self) -> Option<&mut dyn Interlock> {
        Some(self)
    }

    fn writing(&mut self) -> Option<&mut dyn Writing> {
        Some(self)
    }

    fn variables(&mut self) -> Option<&mut dyn Variables> {
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

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        Some(self)
    }

    fn machine(&mut self) -> Option<&mut dyn Machine> {
        Some(self)
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        Some(&mut self.log)
    }
}

impl Breakpoints for Servo {
    fn slots(&self) -> u16 {
        look() as u16
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        let trap = match trap {
            Trap::Any => 0,
            Trap::Hardware => 1,
            Trap::Software => 2,
            Trap::Watch { length, access } => length ^ access as u32,
        };
        touch(addr as u32 ^ trap)?;
        Ok(look() as u16)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        touch(slot.into())
    }
}

impl Stepping for Servo {
    fn halt(&mut self) -> Result<(), Refusal> {
        touch(1)
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        touch(2)
    }

    fn step(&mut self) -> Result<(), Refusal> {
        touch(3)
    }
}

impl Memory for Servo {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        touch(addr as u32)?;
        into.iter_mut().for_each(|byte| *byte = look() as u8);
        Ok(look() as usize)
    }
}

impl Forcing for Servo {
    fn force(&mut self, addr: u64, value: &[u8], safe: Option<&[u8]>) -> Result<(), Refusal> {
        touch(addr as u32 ^ value.len() as u32 ^ safe.map_or(0, |safe| safe.len() as u32))
    }

    fn release(&mut self, addr: u64, safe: Option<&[u8]>) -> Result<(), Refusal> {
        touch(addr as u32 ^ safe.map_or(0, |safe| safe.len() as u32))
    }

    fn alive(&mut self) {
        let _ = touch(6);
    }
}

impl Interlock for Servo {
    fn permit(&mut self, act: Act) -> Result<(), Refusal> {
        touch(match act {
            Act::Arm(addr) | Act::Force(addr) | Act::Hold(addr) | Act::Write(addr) => addr as u32,
            Act::WriteRegister(n) | Act::Axis(n) => n.into(),
            Act::Halt => 7,
            Act::Resume => 8,
            _ => 9,
        })
    }

    fn loss_effect(&self) -> StopEffect {
        StopEffect::FeedHold
    }

    fn react(&mut self, cause: Cause) -> Result<(), Refusal> {
        touch(cause.0.into())
    }

    fn fail_safe(&mut self, cause: Cause) {
        let _ = touch(cause.0.into());
    }
}

impl Writing for Servo {
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), Refusal> {
        touch(addr as u32 ^ data.len() as u32)
    }

    fn write_register(&mut self, register: u8, value: u64) -> Result<(), Refusal> {
        touch(u32::from(register) ^ value as u32)
    }
}

impl Variables for Servo {
    fn count(&self) -> u16 {
        look() as u16
    }

    fn variable(&self, number: u16) -> Option<Variable<'_>> {
        touch(number.into()).ok()?;
        let kind = Type::Unsigned;
        Some(Variable { addr: look().into(), kind, length: 4, flags: look() as u8, name: Bytes::new(b"speed") })
    }
}

impl Machine for Servo {
    fn axes(&self) -> u8 {
        look() as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        touch(axis.into()).ok()?;
        Some(look().into())
    }

    fn standing(&mut self) -> Standing {
        if look() == 0 { Standing::Stand } else { Standing::Move }
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        touch(u32::from(axis) ^ position as u32)
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        let _ = touch(first.into());
        into.iter_mut().for_each(|register| *register = look() as u16);
        look() as usize
    }

    fn cursor(&mut self) -> Location {
        Location { program: look(), line: look(), offset: look() }
    }
}

/// A machine that has nothing but its registers.
pub struct Plain;

impl Target for Plain {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        [look() as u8; 16]
    }

    fn is_stopped(&self) -> bool {
        look() == 1
    }

    fn read_registers(&mut self, into: &mut [u64; 17]) -> Result<(), Refusal> {
        into.iter_mut().for_each(|register| *register = look().into());
        touch(0)
    }

    fn recover(&mut self) -> Result<(), Refusal> {
        touch(5)
    }
}
