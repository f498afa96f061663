//! Captures of the registers, and what the host knows of them.

use super::super::answer::Registers;
use super::super::endpoint::Reply;
use super::super::registers::Arch;
use super::super::seal::Seal;
use super::super::target::{Refusal, Target};
use super::super::values::{Values, all, bit};
use super::Body;
use super::commands::Fail;

/// Two captures: one that is complete, and one that the next is written into. A reader never sees half of one.
pub(super) struct Captures<A: Arch> {
    halves: [A::Registers; 2],
    complete: bool,
    number: u32,
    /// What the host has been sent in this session: which registers, and their values.
    known: u64,
    sent: A::Registers,
}

impl<A: Arch> Captures<A> {
    pub(super) const NEW: Self =
        Self { halves: [A::ZERO; 2], complete: false, number: 0, known: 0, sent: A::ZERO };

    /// Captures all registers, or leaves the last capture as it is.
    pub(super) fn capture<T: Target<Arch = A>>(&mut self, target: &mut T) -> Result<(), Refusal> {
        let [first, second] = &mut self.halves;
        target.read_registers(if self.complete { first } else { second })?;
        self.complete = !self.complete;
        self.number = self.number.wrapping_add(1);
        Ok(())
    }

    fn latest(&self) -> &A::Registers {
        let [first, second] = &self.halves;
        if self.complete { second } else { first }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// The next session's host knows nothing.
    pub(super) fn forget(&mut self) {
        self.known = 0;
    }

    /// The registers that the host does not know.
    pub(super) fn news(&self) -> u64 {
        let pairs = self.latest().as_ref().iter().zip(self.sent.as_ref());
        let mut mask = 0;
        for (i, (latest, sent)) in pairs.enumerate() {
            if latest != sent || !bit(self.known, i) {
                mask |= mask_of(i);
            }
        }
        mask
    }

    /// The same, and the program counter.
    pub(super) fn news_and_pc(&self) -> u64 {
        self.news() | mask_of(A::PC)
    }

    /// The registers of `mask`.
    pub(super) fn values(&self, mask: u64) -> Values<'_> {
        Values::of::<A>(mask, self.latest())
    }

    /// The host knows them now.
    pub(super) fn told(&mut self, mask: u64) {
        self.known |= mask;
        let Self { halves: [first, second], sent, .. } = self;
        let latest = if self.complete { second } else { first };
        let pairs = sent.as_mut().iter_mut().zip(latest.as_ref()).enumerate();
        for (_, (sent, latest)) in pairs.filter(|(i, _)| bit(mask, *i)) {
            *sent = *latest;
        }
    }
}

fn mask_of(i: usize) -> u64 {
    u32::try_from(i).ok().and_then(|i| 1_u64.checked_shl(i)).unwrap_or_default()
}

impl<A: Arch, U> Body<A, U> {
    pub(super) fn read_registers<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        request: u32,
        changed: bool,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        self.captures.capture(target)?;
        let mask = if changed { self.captures.news() } else { all::<A>() };
        let values = self.captures.values(mask);
        reply.send(&Registers { request, capture: self.captures.number(), values });
        self.captures.told(mask);
        Ok(())
    }
}
