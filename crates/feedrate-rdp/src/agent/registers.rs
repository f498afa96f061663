//! Captures of the registers, and what a host knows of them.

use feedrate::rdp::frame::Values;

use crate::arch::Arch;
use crate::target::{Refusal, Target};

/// Two captures: one that is complete, and one that the next is written into. A reader never sees half of one.
pub(super) struct Captures<A: Arch> {
    halves: [A::Registers; 2],
    complete: bool,
    number: u32,
}

impl<A: Arch> Captures<A> {
    pub(super) const NEW: Self = Self { halves: [A::ZERO; 2], complete: false, number: 0 };

    /// Captures all registers, or leaves the last capture as it is.
    pub(super) fn capture<T: Target<Arch = A>>(&mut self, target: &mut T) -> Result<(), Refusal> {
        let [first, second] = &mut self.halves;
        target.read_registers(if self.complete { first } else { second })?;
        self.complete = !self.complete;
        self.number = self.number.saturating_add(1);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn latest(&self) -> &A::Registers {
        let [first, second] = &self.halves;
        if self.complete { second } else { first }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// A register of the last capture.
    pub(super) fn register(&self, index: usize) -> u64 {
        self.latest().as_ref().get(index).copied().unwrap_or_default()
    }

    /// The registers of `mask`.
    pub(super) fn values(&self, mask: u64) -> Values<'_> {
        A::values(mask, self.latest())
    }
}

/// What a host has been sent in its session: which registers, and their values.
pub(super) struct Known<A: Arch> {
    known: u64,
    sent: A::Registers,
}

impl<A: Arch> Known<A> {
    pub(super) const NOTHING: Self = Self { known: 0, sent: A::ZERO };

    /// The next session's host knows nothing.
    pub(super) fn forget(&mut self) {
        self.known = 0;
    }

    /// The registers that the host does not know.
    pub(super) fn news(&self, captures: &Captures<A>) -> u64 {
        let pairs = captures.latest().as_ref().iter().zip(self.sent.as_ref());
        let (mut mask, mut bit) = (0, 1_u64);
        for (latest, sent) in pairs {
            if latest != sent || self.known & bit == 0 {
                mask |= bit;
            }
            bit <<= 1;
        }
        mask
    }

    /// The host knows those of `mask` now.
    pub(super) fn told(&mut self, captures: &Captures<A>, mask: u64) {
        self.known |= mask;
        let mut bit = 1_u64;
        for (sent, latest) in self.sent.as_mut().iter_mut().zip(captures.latest().as_ref()) {
            if mask & bit != 0 {
                *sent = *latest;
            }
            bit <<= 1;
        }
    }
}
