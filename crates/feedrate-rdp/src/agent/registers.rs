//! Captures of the registers, and what the host knows of them.

use feedrate::rdp::frame::Values;

use crate::arch::{Arch, bit};
use crate::target::{Refusal, Target};

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
            if latest != sent || self.known & bit(i) == 0 {
                mask |= bit(i);
            }
        }
        mask
    }

    /// The same, and the program counter.
    pub(super) fn news_and_pc(&self) -> u64 {
        self.news() | bit(A::PC)
    }

    /// The registers of `mask`.
    pub(super) fn values(&self, mask: u64) -> Values<'_> {
        A::values(mask, self.latest())
    }

    /// The host knows them now.
    pub(super) fn told(&mut self, mask: u64) {
        self.known |= mask;
        let Self { halves: [first, second], sent, .. } = self;
        let latest = if self.complete { second } else { first };
        let pairs = sent.as_mut().iter_mut().zip(latest.as_ref()).enumerate();
        for (_, (sent, latest)) in pairs.filter(|(i, _)| mask & bit(*i) != 0) {
            *sent = *latest;
        }
    }
}
