//! The registers of whatever architecture the device has, as far as they are known.

use feedrate::rdp::frame::Values;
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, X86_64};

/// What is known of the registers: Stopped and Registers tell only of what has changed.
#[derive(Debug, Clone)]
pub(crate) struct Registers {
    names: &'static [&'static str],
    width: usize,
    pc: usize,
    values: Vec<u64>,
    /// Bit by bit.
    known: u64,
}

fn of<A: Arch>() -> Registers {
    Registers { names: A::NAMES, width: A::WIDTH, pc: A::PC, values: vec![0; A::NAMES.len()], known: 0 }
}

impl Registers {
    /// Of the architecture with this number; `None` if it is not known.
    pub(crate) fn of(architecture: u16) -> Option<Self> {
        match architecture {
            CortexM::ID => Some(of::<CortexM>()),
            Aarch64::ID => Some(of::<Aarch64>()),
            X86_64::ID => Some(of::<X86_64>()),
            _ => None,
        }
    }

    /// Takes over what has been told. `false`: it does not fit the architecture.
    pub(crate) fn update(&mut self, values: &Values<'_>) -> bool {
        let good = values.unpack(&mut self.values, self.width);
        if good {
            self.known |= values.mask();
        }
        good
    }

    /// Whether each of them has been told.
    pub(crate) fn are_known(&self) -> bool {
        self.all().count() == self.names.len()
    }

    /// Digits of a value in hexadecimal.
    pub(crate) const fn digits(&self) -> usize {
        2 * self.width
    }

    pub(crate) fn pc(&self) -> u64 {
        self.values[self.pc]
    }

    /// Those of `mask` that are known, by name.
    pub(crate) fn of_mask(&self, mask: u64) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let known = self.known & mask;
        let all = self.names.iter().zip(&self.values).enumerate();
        all.filter(move |(i, _)| known >> i & 1 == 1).map(|(_, (name, value))| (*name, *value))
    }

    /// All but the program counter, of `mask`.
    pub(crate) fn others(&self, mask: u64) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.of_mask(mask & !(1 << self.pc))
    }

    /// All that are known.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.of_mask(u64::MAX)
    }
}
