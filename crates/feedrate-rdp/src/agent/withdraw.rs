//! Taking back what a session holds: the stop reaction, then forces, then traps; and what cannot be taken back (SPEC
//! section 8.7).

use feedrate::Instant;
use feedrate::rdp::frame::{Cause, Record};

use super::breakpoints;
use super::device::{Device, Who};
use super::fail::Fail;
use super::forces::Held;
use super::record::Entry;
use crate::arch::Arch;
use crate::target::{Act, Refusal, Target};

/// What is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// All forces.
    Forces,
    /// All traps.
    Traps,
    /// Both.
    All,
    /// Forces whose lease has ended.
    Leases(Instant),
}

impl What {
    fn concerns(self, held: &Held) -> bool {
        match self {
            Self::Forces | Self::All => true,
            Self::Traps => false,
            Self::Leases(now) => now >= held.until,
        }
    }
}

impl<A: Arch> Device<A> {
    /// Takes back, in the order of SPEC section 8.7.
    #[inline(never)]
    pub(super) fn withdraw<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        what: What,
        cause: Cause,
        who: Who,
    ) {
        if holds_nothing(target) {
            return;
        }
        let mut forced = self.forces.held.iter().flatten();
        let forces = forced.any(|held| held.stuck.is_none() && what.concerns(held));
        let traps = matches!(what, What::Traps | What::All) && self.breakpoints.are_set();
        if forces || traps {
            react(target, cause);
        }
        for place in 0..self.forces.held.len() {
            let held = self.forces.held.get(place).copied().flatten();
            if let Some(held) = held.filter(|held| held.stuck.is_none() && what.concerns(held)) {
                self.release(target, held.addr, cause, who);
            }
        }
        if traps {
            for place in 0..self.breakpoints.entries.len() {
                let entry = self.breakpoints.entries.get(place).copied().flatten();
                if let Some(entry) = entry.filter(|entry| entry.stuck.is_none()) {
                    self.clear(target, entry.listed.id, cause, who);
                }
            }
        }
    }

    /// Releases a force otherwise than by Release.
    #[inline(never)]
    fn release<T: Target<Arch = A>>(&mut self, target: &mut T, addr: u64, cause: Cause, who: Who) {
        if let Err(refusal) = self.let_go(target, addr) {
            return self.stick_force(target, addr, cause, who, refusal.into());
        }
        let Some(held) = self.forces.find(addr) else { return };
        let entry = Entry {
            who,
            kind: Record::FORCE_ENDED,
            sequence: held.sequence,
            time: who.clock,
            addr,
            value: held.shown,
        };
        let renewals = held.renewals;
        self.forces.forget(addr);
        self.record_event(target, &entry, cause, Ok(()), renewals);
    }

    /// Asks the target to release a force. It stays listed.
    #[inline(never)]
    pub(super) fn let_go<T: Target<Arch = A>>(&mut self, target: &mut T, addr: u64) -> Result<(), Refusal> {
        let safe = self.forces.find(addr).and_then(|held| held.safe());
        target.forcing().ok_or(Refusal::Unsupported)?.release(addr, safe)
    }

    /// Clears a trap otherwise than by ClearBreakpoint.
    #[inline(never)]
    fn clear<T: Target<Arch = A>>(&mut self, target: &mut T, id: u32, cause: Cause, who: Who) {
        let Some(slot) = self.breakpoints.find(id).map(|entry| entry.slot) else { return };
        match disarm(target, slot) {
            Ok(()) => self.breakpoints.remove(id),
            Err(refusal) => self.stick_trap(target, id, cause, who, refusal.into()),
        }
    }

    /// A force that could not be taken back.
    pub(super) fn stick_force<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        addr: u64,
        cause: Cause,
        who: Who,
        fail: Fail,
    ) {
        let held = self.forces.find(addr).filter(|held| held.stuck.is_none());
        let Some(Held { sequence, shown, stuck, .. }) = held else { return };
        *stuck = Some(cause);
        let (sequence, value) = (*sequence, *shown);
        self.stick(target, who, (sequence, addr, value), cause, fail);
    }

    /// A trap that could not be taken back.
    pub(super) fn stick_trap<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        id: u32,
        cause: Cause,
        who: Who,
        fail: Fail,
    ) {
        let trap = self.breakpoints.find(id).filter(|trap| trap.stuck.is_none());
        let Some(breakpoints::Entry { sequence, listed, stuck, .. }) = trap else { return };
        *stuck = Some(cause);
        let (sequence, addr) = (*sequence, listed.addr);
        self.stick(target, who, (sequence, addr, u64::from(id)), cause, fail);
    }

    /// What could not be taken back stays listed, is recorded, and the fail-safe is triggered.
    #[inline(never)]
    fn stick<T: Target<Arch = A>>(
        &mut self,
        target: &mut T,
        who: Who,
        (sequence, addr, value): (u32, u64, u64),
        cause: Cause,
        fail: Fail,
    ) {
        let entry = Entry { who, kind: Record::STUCK, sequence, time: who.clock, addr, value };
        self.record_event(target, &entry, cause, Err(fail), 1);
        if let Some(interlock) = target.interlock() {
            interlock.fail_safe(cause);
        }
    }

    /// Tries again what could not be taken back.
    pub(super) fn retry<T: Target<Arch = A>>(&mut self, target: &mut T) {
        if holds_nothing(target) || self.stuck() == 0 {
            return;
        }
        for place in 0..self.forces.held.len() {
            let held = self.forces.held.get(place).copied().flatten();
            if let Some((held, cause)) = held.and_then(|held| Some((held, held.stuck?))) {
                self.release(target, held.addr, cause, Who::NOBODY);
            }
        }
        for place in 0..self.breakpoints.entries.len() {
            let entry = self.breakpoints.entries.get(place).copied().flatten();
            if let Some((entry, cause)) = entry.and_then(|entry| Some((entry, entry.stuck?))) {
                self.clear(target, entry.listed.id, cause, Who::NOBODY);
            }
        }
    }

    /// Asks the interlock whether forces and traps may still be held, and tells what applies forces that the agent
    /// runs.
    pub(super) fn hold<T: Target<Arch = A>>(&mut self, target: &mut T, who: Who) {
        if holds_nothing(target) {
            return;
        }
        let mut forces = false;
        for place in 0..self.forces.held.len() {
            let held = self.forces.held.get(place).copied().flatten();
            if let Some(held) = held.filter(|held| held.stuck.is_none()) {
                forces |= self.permit(target, Act::Hold(held.addr)).is_err();
            }
        }
        let mut traps = false;
        for place in 0..self.breakpoints.entries.len() {
            let entry = self.breakpoints.entries.get(place).copied().flatten();
            if let Some(entry) = entry.filter(|entry| entry.stuck.is_none()) {
                traps |= self.permit(target, Act::KeepArmed(entry.listed.addr)).is_err();
            }
        }
        let refused = match (forces, traps) {
            (true, true) => Some(What::All),
            (true, false) => Some(What::Forces),
            (false, true) => Some(What::Traps),
            (false, false) => None,
        };
        if let Some(what) = refused {
            self.withdraw(target, what, Cause::InterlockRefused, who);
        }
        if self.forces.len() > 0 {
            if let Some(forcing) = target.forcing() {
                forcing.alive();
            }
        }
    }
}

/// Whether there can be neither forces nor traps: known at compile time for most targets, and what follows is then
/// not linked.
#[inline(always)]
pub(super) fn holds_nothing<T: Target>(target: &mut T) -> bool {
    target.forcing().is_none() && target.breakpoints().is_none()
}

/// The declared stop reaction.
#[inline(never)]
pub(super) fn react<T: Target>(target: &mut T, cause: Cause) {
    if let Some(interlock) = target.interlock() {
        if interlock.react(cause).is_err() {
            interlock.fail_safe(cause);
        }
    }
}

/// Clears a trap.
pub(super) fn disarm<T: Target>(target: &mut T, slot: u16) -> Result<(), Refusal> {
    target.breakpoints().ok_or(Refusal::Unsupported)?.clear(slot)
}
