//! The commands that change something (SPEC sections 8.4 to 8.8): what each of them checks, what it does, and what
//! follows. What all have in common is there once: the interlock, the record, and the outcome.

use feedrate::rdp::frame::{
    Breakpoint, BreakpointSet, Cause, Done, ErrorCode, Force, Frame, Listed, ReleaseAudit, SetAs,
};

use super::breakpoints;
use super::commands::Command;
use super::device::{Device, standing};
use super::fail::Fail;
use super::forces::{Held, MOST};
use super::map;
use super::record::Without;
use super::stops::{Range, Steps};
use super::withdraw::disarm;
use crate::arch::Arch;
use crate::audit::crc_of;
use crate::endpoint::Reply;
use crate::session::seal::Seal;
use crate::target::{Act, Refusal, Target, Trap};
use crate::time::{later, ms};

/// What a command needs before it is done.
struct Plan {
    /// What the interlock is asked, if it is.
    act: Option<Act>,
    without: Without,
    /// Further records that there must be room for.
    more: usize,
}

impl Plan {
    const fn new(act: Option<Act>, without: Without) -> Self {
        Self { act, without, more: 0 }
    }
}

/// The trap that a command sets.
fn trap(frame: &Frame<'_>) -> Option<(Breakpoint, Trap)> {
    match *frame {
        Frame::SetBreakpoint(at) => Some((at, Trap::Any)),
        Frame::SetHardwareBreakpoint(at) => Some((at, Trap::Hardware)),
        Frame::SetSoftwareBreakpoint(at) => Some((at, Trap::Software)),
        Frame::SetWatchpoint(watch) => {
            let at = Breakpoint { addr: watch.addr, id: watch.id };
            Some((at, Trap::Watch { length: watch.length, access: watch.access }))
        }
        _ => None,
    }
}

/// As what a trap is listed, and how many bytes of memory it needs.
const fn listed_as(trap: Trap) -> (SetAs, u32) {
    match trap {
        Trap::Any => (SetAs::Any, 1),
        Trap::Hardware => (SetAs::Hardware, 1),
        Trap::Software => (SetAs::Software, 1),
        Trap::Watch { length, .. } => (SetAs::Watch, length),
    }
}

impl<A: Arch> Device<A> {
    /// Does a command that changes something, and answers it.
    pub(super) fn change<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: &Command,
        frame: &Frame<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let Plan { act, without, more } = self.plan(target, frame)?;
        if let Some(act) = act {
            self.permit(target, act)?;
        }
        let index = self.record(target, &command.entry, without, more)?;
        let done = self.act(target, frame, act).map_err(Fail::from);
        self.conclude(target, index, done.map(|_| ()));
        let slot = match done {
            Ok(slot) => slot,
            Err(fail) => {
                let (who, cause) = (command.entry.who, Cause::Released);
                match frame {
                    Frame::ClearBreakpoint(at) => self.stick_trap(target, at.id, cause, who, fail),
                    Frame::Release(release) => self.stick_force(target, release.addr, cause, who, fail),
                    _ => {}
                }
                return Err(fail);
            }
        };
        self.follow(target, command, frame, act.is_some(), slot);
        let request = command.request();
        match trap(frame) {
            Some((Breakpoint { id, .. }, _)) => reply.send(&BreakpointSet { request, id, slot }),
            None => reply.send(&Done { request }),
        }
        Ok(())
    }

    /// What only this kind of command checks, whether the target can do it, and what else it needs.
    fn plan<T: Target<Arch = A>>(&mut self, target: &mut T, frame: &Frame<'_>) -> Result<Plan, Fail> {
        if let Some((at, trap)) = trap(frame) {
            return self.plan_trap(target, at, trap);
        }
        let act = match frame {
            Frame::ClearBreakpoint(at) if target.breakpoints().is_some() => {
                let found = self.breakpoints.find(at.id);
                found
                    .filter(|entry| at.addr == 0 || entry.listed.addr == at.addr)
                    .ok_or(ErrorCode::UnknownId)?;
                None
            }
            Frame::Halt(_) if target.stepping().is_some() => {
                let act = Some(Act::Halt).filter(|_| !target.is_stopped());
                return Ok(Plan::new(act, Without::Room));
            }
            Frame::Resume(_) if target.stepping().is_some() => Some(Act::Resume),
            Frame::Step(_) if target.stepping().is_some() => Some(Act::Step),
            Frame::StepRange(_) if target.stepping().is_some() => {
                self.captures.capture(target)?;
                Some(Act::Step)
            }
            Frame::Force(force) if target.forcing().is_some() => return self.plan_force(target, force),
            Frame::Release(_) if target.forcing().is_some() => return Ok(Plan::new(None, Without::Room)),
            Frame::WriteMemory(write) if target.writing().is_some() => {
                let length = write.data.as_slice().len();
                map::within(target.map(), write.addr, u64::try_from(length).unwrap_or(u64::MAX))?;
                Some(Act::Write(write.addr))
            }
            Frame::WriteRegister(write) if target.writing().is_some() => {
                if usize::from(write.register) >= A::NAMES.len() {
                    return Err(ErrorCode::Unmapped.into());
                }
                Some(Act::WriteRegister(write.register))
            }
            Frame::SetAxis(set) if target.machine().is_some() => Some(Act::Axis(set.axis)),
            Frame::PushPolicy(policy) if target.breakpoints().is_some() => {
                self.policy.may_be_replaced(policy)?;
                None
            }
            Frame::ReleaseAudit(release) => {
                release_audit(target, *release)?;
                return Ok(Plan::new(None, Without::Room));
            }
            _ => return Err(ErrorCode::Unsupported.into()),
        };
        Ok(Plan::new(act, Without::Log))
    }

    fn plan_trap<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        Breakpoint { addr, id }: Breakpoint,
        trap: Trap,
    ) -> Result<Plan, Fail> {
        let slots = target.breakpoints().ok_or(ErrorCode::Unsupported)?.slots().min(self.breakpoints.slots());
        let (as_what, length) = listed_as(trap);
        if let Some(present) = self.breakpoints.duplicate(id, addr, as_what == SetAs::Watch) {
            return Err(Fail::new(ErrorCode::DuplicateId, present));
        }
        map::within(target.map(), addr, u64::from(length))?;
        self.policy.check(addr, self.config.policy)?;
        if self.breakpoints.len() >= usize::from(slots) {
            return Err(Fail::new(ErrorCode::NoSlot, u32::from(slots)));
        }
        Ok(Plan::new(Some(Act::Arm(addr)), Without::Log))
    }

    fn plan_force<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        Force { addr, value, .. }: &Force<'_>,
    ) -> Result<Plan, Fail> {
        let known = self.forces.find(*addr).is_some();
        let length = value.as_slice().len();
        map::within(target.map(), *addr, u64::try_from(length).unwrap_or(u64::MAX))?;
        if self.forces.collides(*addr, length) {
            return Err(ErrorCode::Unmapped.into());
        }
        if !self.forces.has_room(*addr) {
            return Err(Fail::new(ErrorCode::NoSlot, u32::try_from(MOST).unwrap_or(u32::MAX)));
        }
        // Its end needs a record, too.
        Ok(Plan { act: Some(Act::Force(*addr)), without: Without::Log, more: usize::from(!known) })
    }

    /// Has the target do it, as far as there is something to do. Returns the slot of a trap.
    fn act<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        frame: &Frame<'_>,
        act: Option<Act>,
    ) -> Result<u16, Refusal> {
        let none = Refusal::Unsupported;
        if let Some((at, trap)) = trap(frame) {
            return target.breakpoints().ok_or(none)?.set(at.addr, trap);
        }
        match frame {
            Frame::ClearBreakpoint(at) => {
                let entry = self.breakpoints.find(at.id).ok_or(none)?;
                disarm(target, entry.slot)?;
            }
            Frame::Halt(_) if act.is_some() => target.stepping().ok_or(none)?.halt()?,
            Frame::Resume(_) => target.stepping().ok_or(none)?.resume()?,
            Frame::Step(_) | Frame::StepRange(_) => target.stepping().ok_or(none)?.step()?,
            Frame::Force(force) => {
                let safe = Some(force.safe.as_slice()).filter(|safe| !safe.is_empty());
                target.forcing().ok_or(none)?.force(force.addr, force.value.as_slice(), safe)?;
            }
            Frame::Release(release) if self.forces.find(release.addr).is_some() => {
                self.let_go(target, release.addr)?;
            }
            // If it fails, half of it may have been written.
            Frame::WriteMemory(write) => {
                self.set_modified(target);
                target.writing().ok_or(none)?.write(write.addr, write.data.as_slice())?;
            }
            Frame::WriteRegister(write) => {
                self.set_modified(target);
                target.writing().ok_or(none)?.write_register(write.register, write.value)?;
            }
            Frame::SetAxis(set) => target.machine().ok_or(none)?.set_axis(set.axis, set.position)?,
            Frame::PushPolicy(policy) => self.policy.replace(policy),
            _ => {}
        }
        Ok(0)
    }

    /// What follows from it. `acted`: the interlock was asked.
    fn follow<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        command: &Command,
        frame: &Frame<'_>,
        acted: bool,
        slot: u16,
    ) {
        let request = command.request();
        if let Some((Breakpoint { addr, id }, trap)) = trap(frame) {
            let (trap, _) = listed_as(trap);
            let listed = Listed { id, addr, trap, hits: 0 };
            self.breakpoints.insert(breakpoints::Entry { listed, slot, sequence: request, stuck: None });
        }
        match frame {
            Frame::ClearBreakpoint(at) => self.breakpoints.remove(at.id),
            // The program was neither running nor about to run.
            Frame::Halt(_) if !acted && !self.stops.is_stepping() => {}
            Frame::Halt(_) => self.stops.halt(request, standing(target)),
            Frame::Step(step) => {
                self.stops.step(request, Steps::Count { left: step.count, trace: step.trace });
            }
            Frame::StepRange(range) => {
                let before = (self.captures.register(A::PC), self.captures.register(A::SP));
                let (first, last, over) = (range.first, range.last, range.over);
                self.stops.step(request, Steps::Range(Range { first, last, over, call: None, before }));
            }
            Frame::Force(force) => {
                let until = later(command.now, ms(force.lease));
                self.forces.hold(Held::new(force, request, command.entry.value, until));
            }
            Frame::Release(release) => self.forces.forget(release.addr),
            _ => {}
        }
    }
}

/// Releases what the host has read of the log. This comes before its own record, because it makes the room for it.
fn release_audit<T: Target>(target: &mut T, release: ReleaseAudit) -> Result<(), Fail> {
    let audit = target.audit().ok_or(ErrorCode::Unsupported)?;
    let (_, next) = audit.bounds();
    let last = audit.last_below(release.upto).ok_or(ErrorCode::AuditMismatch)?;
    if release.upto > next || crc_of(&last) != release.crc {
        return Err(ErrorCode::AuditMismatch.into());
    }
    audit.release(release.upto);
    Ok(())
}
