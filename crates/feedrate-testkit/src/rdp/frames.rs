//! Commands to the [fake machine](crate::machine::Fake), short to write.

use feedrate::rdp::frame::{
    Access, Breakpoint, Frame, Heartbeat, List, PushPolicy, ReadAudit, ReadMemory, ReadPlc, ReadRegisters,
    Release, ReleaseAudit, Renew, Rule, SetAxis, SetWatchpoint, Step, StepRange, WriteMemory, WriteRegister,
};
use feedrate::rdp::frame::{Bytes, Fingerprint, Force};

/// The fake machine's.
pub const FINGERPRINT: Fingerprint = *b"a fake, fw 1.02\0";
/// A variable.
pub const VARIABLE: u64 = 0x2000;

/// Sets a breakpoint.
pub const fn set(addr: u64, id: u32) -> Frame<'static> {
    Frame::SetBreakpoint(Breakpoint { addr, id })
}

/// Sets a watchpoint of four bytes.
pub const fn watch(addr: u64, id: u32) -> Frame<'static> {
    Frame::SetWatchpoint(SetWatchpoint { addr, id, length: 4, access: Access::Write })
}

/// Sets a breakpoint in hardware.
pub const fn set_hardware(addr: u64, id: u32) -> Frame<'static> {
    Frame::SetHardwareBreakpoint(Breakpoint { addr, id })
}

/// Sets a breakpoint in software.
pub const fn set_software(addr: u64, id: u32) -> Frame<'static> {
    Frame::SetSoftwareBreakpoint(Breakpoint { addr, id })
}

/// Clears a breakpoint, wherever it is.
pub const fn clear(id: u32) -> Frame<'static> {
    Frame::ClearBreakpoint(Breakpoint { addr: 0, id })
}

/// Lists breakpoints.
pub const fn list() -> Frame<'static> {
    Frame::ListBreakpoints(Breakpoint { addr: 0, id: 0 })
}

/// Steps, and is told of the last step.
pub const fn step(count: u32) -> Frame<'static> {
    Frame::Step(Step { count, trace: false })
}

/// Steps as long as the program counter is in the range.
pub const fn step_range(first: u64, last: u64, over: bool) -> Frame<'static> {
    Frame::StepRange(StepRange { first, last, over })
}

/// Forces four bytes.
pub const fn force(addr: u64, lease: u32) -> Frame<'static> {
    Frame::Force(Force {
        addr,
        lease,
        fingerprint: FINGERPRINT,
        value: Bytes::new(&[1, 2, 3, 4]),
        safe: Bytes::new(&[]),
    })
}

/// Forces four bytes, and says what is safe.
pub const fn force_safe(addr: u64, lease: u32) -> Frame<'static> {
    Frame::Force(Force {
        addr,
        lease,
        fingerprint: FINGERPRINT,
        value: Bytes::new(&[1, 2, 3, 4]),
        safe: Bytes::new(&[9, 9, 9, 9]),
    })
}

/// Lets go of a variable.
pub const fn release(addr: u64) -> Frame<'static> {
    Frame::Release(Release { addr, fingerprint: FINGERPRINT })
}

/// A new lease.
pub const fn renew(addr: u64, lease: u32) -> Frame<'static> {
    Frame::Renew(Renew { addr, lease, fingerprint: FINGERPRINT })
}

/// Writes memory.
pub const fn write(addr: u64, data: &[u8]) -> Frame<'_> {
    Frame::WriteMemory(WriteMemory { addr, fingerprint: FINGERPRINT, data: Bytes::new(data) })
}

/// Writes a register.
pub const fn write_register(register: u8, value: u64) -> Frame<'static> {
    Frame::WriteRegister(WriteRegister { register, value, fingerprint: FINGERPRINT })
}

/// Sets an axis.
pub const fn set_axis(axis: u8, position: i64) -> Frame<'static> {
    Frame::SetAxis(SetAxis { axis, position, fingerprint: FINGERPRINT })
}

/// Reads memory.
pub const fn read(addr: u64, length: u16) -> Frame<'static> {
    Frame::ReadMemory(ReadMemory { addr, length })
}

/// Reads all registers, or those that have changed.
pub const fn registers(changed: bool) -> Frame<'static> {
    Frame::ReadRegisters(ReadRegisters { changed })
}

/// Reads PLC registers.
pub const fn plc(first: u16, count: u16) -> Frame<'static> {
    Frame::ReadPlc(ReadPlc { first, count })
}

/// Reads the log.
pub const fn audit(from: u32, count: u8) -> Frame<'static> {
    Frame::ReadAudit(ReadAudit { from, count })
}

/// Lets the log be overwritten.
pub const fn release_audit(upto: u32, crc: u32) -> Frame<'static> {
    Frame::ReleaseAudit(ReleaseAudit { upto, crc })
}

/// A policy.
pub const fn policy(version: u32, replaces: u32, rules: &[Rule]) -> Frame<'_> {
    Frame::PushPolicy(PushPolicy { version, replaces, enabled: true, rules: List::new(rules) })
}

/// An answer to a Heartbeat.
pub const fn heartbeat(challenge: u32) -> Frame<'static> {
    Frame::Heartbeat(Heartbeat { run: None, challenge })
}
