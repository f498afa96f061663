//! The extensions of the fake machine.

use feedrate::rdp::frame::{Cause, Durability, Location, Record, Standing, StopEffect, Variable};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::target::{
    Act, Audit, Breakpoints, Forcing, Full, Interlock, Machine, Memory, Refusal, Stepping, Trap, Variables,
    Writing,
};

use super::watching::HELD;
use super::{Deed, Fake, Held};

impl Interlock for Fake {
    fn permit(&mut self, act: Act) -> Result<(), Refusal> {
        let granted = (self.permits)(self, act);
        self.did(|| Deed::Asked(act, granted));
        self.note_asked(act, granted);
        if granted { Ok(()) } else { Err(Refusal::Interlock) }
    }

    fn halt_effect(&self) -> StopEffect {
        self.effects[0]
    }

    fn trap_effect(&self) -> StopEffect {
        self.effects[1]
    }

    fn loss_effect(&self) -> StopEffect {
        self.effects[2]
    }

    fn react(&mut self, cause: Cause) -> Result<(), Refusal> {
        let failed = self.fails.react;
        self.did(|| Deed::Reacted(Some(cause), failed.is_none()));
        failed.map_or(Ok(()), Err)
    }

    fn fail_safe(&mut self, cause: Cause) {
        self.did(|| Deed::FailSafe(cause));
    }
}

impl Breakpoints for Fake {
    fn slots(&self) -> u16 {
        self.slots.len() as u16
    }

    fn set(&mut self, addr: u64, trap: Trap) -> Result<u16, Refusal> {
        self.note_effect(Some(Act::Arm(addr)), "set");
        self.willing()?;
        if addr % self.alignment != 0 {
            return Err(Refusal::Unmapped);
        }
        let compared = self.slots.iter().flatten().filter(|(_, trap)| *trap == Trap::Hardware).count();
        if trap == Trap::Hardware && compared >= self.comparators {
            return Err(Refusal::NoSlot);
        }
        let slot = self.slots.iter().position(Option::is_none).ok_or(Refusal::NoSlot)?;
        self.slots[slot] = Some((addr, trap));
        self.did(|| Deed::Armed(addr));
        Ok(slot as u16)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        let there = self.slots.get(usize::from(slot)).copied().flatten();
        self.must(there.is_some(), || format!("slot {slot} is cleared, and is empty"));
        let (addr, _) = there.ok_or(Refusal::Unmapped)?;
        let failed = self.fails.clear;
        self.did(|| Deed::Disarmed(addr, failed.is_none()));
        if let Some(refusal) = failed {
            return Err(refusal);
        }
        self.slots[usize::from(slot)] = None;
        Ok(())
    }
}

impl Stepping for Fake {
    fn halt(&mut self) -> Result<(), Refusal> {
        // It is only asked about if it stops the program, and nothing else.
        let asked = self.effects[0] == StopEffect::Program;
        self.note_effect(asked.then_some(Act::Halt), "halt");
        self.willing()?;
        if self.stopped {
            return Err(Refusal::WrongState);
        }
        self.did(|| Deed::Halted);
        // The instruction that is being stepped over is finished.
        if !matches!(self.pending, Some((_, StopCause::Step))) {
            self.pending = Some((self.now + self.slowness, StopCause::Halted));
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.note_effect(Some(Act::Resume), "resume");
        self.willing()?;
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.chance(500) {
            return Err(Refusal::Interlock);
        }
        self.did(|| Deed::Resumed);
        self.stopped = false;
        self.pending = None;
        let (Some(luck), Some(slot)) = (&mut self.luck, self.slots.iter().position(Option::is_some)) else {
            return Ok(());
        };
        if luck.chance(5_000) {
            let cause = match self.slots[slot] {
                Some((addr, Trap::Watch { .. })) => StopCause::Watch { slot: slot as u16, addr },
                _ => StopCause::Breakpoint(slot as u16),
            };
            self.pending = Some((self.now + luck.below(self.wander), cause));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.note_effect(Some(Act::Step), "step");
        self.willing()?;
        if !self.stopped {
            return Err(Refusal::WrongState);
        }
        if self.chance(100) {
            return Err(Refusal::Unsupported);
        }
        self.did(|| Deed::Stepped);
        self.stopped = false;
        let cause = if self.chance(200) { StopCause::Fault(7) } else { StopCause::Step };
        self.pending = Some((self.now + self.slowness, cause));
        Ok(())
    }
}

impl Memory for Fake {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.did(|| Deed::Read(addr, into.len()));
        self.willing()?;
        (self.memory)(addr, into)
    }
}

impl Writing for Fake {
    fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), Refusal> {
        self.note_effect(Some(Act::Write(addr)), "write");
        let stands = self.stopped;
        self.must(stands, || "memory of a running program is written".into());
        self.willing()?;
        self.did(|| Deed::Wrote(addr, data.to_vec()));
        Ok(())
    }

    fn write_register(&mut self, register: u8, value: u64) -> Result<(), Refusal> {
        self.note_effect(Some(Act::WriteRegister(register)), "write_register");
        let stands = self.stopped;
        self.must(stands, || "a register of a running program is written".into());
        self.willing()?;
        self.did(|| Deed::WroteRegister(register, value));
        Ok(())
    }
}

impl Forcing for Fake {
    fn force(&mut self, addr: u64, value: &[u8], safe: Option<&[u8]>) -> Result<(), Refusal> {
        self.note_effect(Some(Act::Force(addr)), "force");
        self.must((1..=16).contains(&value.len()), || format!("{} bytes are forced", value.len()));
        self.willing()?;
        (self.can_force)(addr, value)?;
        self.did(|| Deed::Forced(addr, value.to_vec()));
        if self.held.is_empty() {
            self.alive = self.now;
        }
        self.watch.dropped.retain(|dropped| *dropped != addr);
        let safe = safe.map(<[u8]>::to_vec);
        let fits = safe.as_ref().is_none_or(|safe| safe.len() == value.len());
        self.must(fits, || format!("{safe:?} is no safe value for {value:?}"));
        self.held.insert(addr, Held { value: value.to_vec(), safe, since: self.now });
        let held = self.held.len();
        self.must(held <= HELD, || format!("{held} variables are forced"));
        Ok(())
    }

    fn release(&mut self, addr: u64, safe: Option<&[u8]>) -> Result<(), Refusal> {
        let held = self.held.get(&addr).map(|held| held.safe.clone());
        let known = held.is_some() || self.watch.dropped.contains(&addr);
        self.must(known, || format!("{addr:#x} is released, and is not forced"));
        let same = held.as_ref().is_none_or(|held| held.as_deref() == safe);
        self.must(same, || format!("{addr:#x}: the safe value is {safe:?}, and was {held:?}"));
        if let Some(refusal) = self.fails.release {
            self.did(|| Deed::LetGo(addr, false));
            return Err(refusal);
        }
        if let Some(safe) = safe {
            self.did(|| Deed::Safe(addr, safe.to_vec()));
        }
        self.did(|| Deed::LetGo(addr, true));
        self.held.remove(&addr);
        self.watch.dropped.retain(|dropped| *dropped != addr);
        Ok(())
    }

    fn alive(&mut self) {
        self.alive = self.now;
    }
}

impl Variables for Fake {
    fn count(&self) -> u16 {
        self.variables.len() as u16
    }

    fn variable(&self, number: u16) -> Option<Variable<'_>> {
        self.variables.get(usize::from(number)).copied()
    }
}

impl Machine for Fake {
    fn axes(&self) -> u8 {
        self.axes.len() as u8
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        self.axes.get(usize::from(axis)).copied()
    }

    fn standing(&mut self) -> Standing {
        self.standing
    }

    fn set_axis(&mut self, axis: u8, position: i64) -> Result<(), Refusal> {
        self.note_effect(Some(Act::Axis(axis)), "set_axis");
        self.willing()?;
        *self.axes.get_mut(usize::from(axis)).ok_or(Refusal::Unmapped)? = position;
        self.did(|| Deed::AxisSet(axis, position));
        Ok(())
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        (self.plc)(first, into)
    }

    fn cursor(&mut self) -> Location {
        self.cursors += 1;
        Self::location(self.cursors)
    }
}

impl Audit for Fake {
    fn durability(&self) -> Durability {
        self.log.durability()
    }

    fn append(&mut self, record: Record, keep: usize) -> Result<u32, Full> {
        let index = self.log.append(record, keep)?;
        let record = Record { index, ..record };
        self.note_record(&record);
        self.did(|| Deed::Recorded(record));
        Ok(index)
    }

    fn refused(&mut self, record: Record) {
        self.log.refused(record);
        let (_, next) = self.log.bounds();
        self.did(|| Deed::Refused(Record { index: next.wrapping_sub(1), ..record }));
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.log.conclude(index, verdict);
        self.note_concluded(index);
        self.did(|| Deed::Concluded(index, verdict));
    }

    fn bounds(&self) -> (u32, u32) {
        self.log.bounds()
    }

    fn first_from(&self, index: u32) -> Option<Record> {
        self.log.first_from(index)
    }

    fn last_below(&self, index: u32) -> Option<Record> {
        self.log.last_below(index)
    }

    fn release(&mut self, index: u32) {
        self.log.release(index);
        self.did(|| Deed::Freed(index));
    }

    fn lose(&mut self) {
        self.log.lose();
        self.note_lost();
        self.did(|| Deed::Lost);
    }

    fn lost(&self) -> u32 {
        self.log.lost()
    }
}
