//! What is known of the registers (SPEC section 6.4).

use core::fmt;

use feedrate::rdp::frame::{Registers, Stopped, Values};

use crate::arch::{Aarch64, Arch, CortexM, CortexMFp, RiscV32, RiscV64, X86_64, bit};

/// The most registers that an architecture has.
const MOST: usize = 64;

/// The registers of a device, as far as they are known. [`Stopped`] and [`Registers`] report those that have changed,
/// and go on different channels: a later capture may arrive first. So each register is kept with the capture that it
/// is from, and accepts a value only from a later one. A session begins with nothing known.
///
/// ```
/// use feedrate::rdp::frame::{Registers, Values};
/// use feedrate_rdp::arch::{Arch, CortexM};
/// use feedrate_rdp::host::RegisterSet;
///
/// let mut registers = RegisterSet::of::<CortexM>();
/// let later = Registers { request: 9, capture: 3, values: Values::new(0b01, &[30, 31], 4) };
/// let earlier = Registers { request: 8, capture: 2, values: Values::new(0b11, &[20, 21], 4) };
/// assert!(registers.registers(&later) && registers.registers(&earlier));
/// assert_eq!((registers.get(0), registers.get(1), registers.get(2)), (Some(30), Some(21), None));
/// assert!(registers.iter().eq([("r0", 30), ("r1", 21)]));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterSet {
    names: &'static [&'static str],
    width: usize,
    pc: usize,
    values: [u64; MOST],
    captures: [u32; MOST],
    known: u64,
}

impl RegisterSet {
    /// Nothing is known yet.
    pub const fn of<A: Arch>() -> Self {
        Self { names: A::NAMES, width: A::WIDTH, pc: A::PC, values: [0; MOST], captures: [0; MOST], known: 0 }
    }

    /// Nothing is known yet, for the architecture with this [number](super::Device::architecture). `None`: it is not
    /// one of this crate's.
    pub const fn of_architecture(number: u16) -> Option<Self> {
        Some(match number {
            CortexM::ID => Self::of::<CortexM>(),
            Aarch64::ID => Self::of::<Aarch64>(),
            X86_64::ID => Self::of::<X86_64>(),
            CortexMFp::ID => Self::of::<CortexMFp>(),
            RiscV32::ID => Self::of::<RiscV32>(),
            RiscV64::ID => Self::of::<RiscV64>(),
            _ => return None,
        })
    }

    /// Takes over the values in an answer. `false`, and no change: it is not of this architecture.
    #[must_use]
    pub fn registers(&mut self, told: &Registers<'_>) -> bool {
        self.unpack(&told.values).map(|set| self.update(told.capture, &told.values, set)).is_some()
    }

    /// Takes over the values in an event, and returns its program counter: a later one may be known already. `None`,
    /// and no change: it is not of this architecture, or has none.
    #[must_use]
    pub fn stopped(&mut self, told: &Stopped<'_>) -> Option<u64> {
        let set = self.unpack(&told.values).filter(|_| told.values.mask() & bit(self.pc) != 0)?;
        self.update(told.capture, &told.values, set);
        set.get(self.pc).copied()
    }

    fn unpack(&self, values: &Values<'_>) -> Option<[u64; MOST]> {
        let mut told = self.values;
        values.unpack(told.get_mut(..self.names.len())?, self.width).then_some(told)
    }

    fn update(&mut self, capture: u32, values: &Values<'_>, told: [u64; MOST]) {
        let places = self.values.iter_mut().zip(&mut self.captures).zip(told).enumerate();
        for (i, ((value, known_by), told)) in places {
            let (told_of, known) = (values.mask() & bit(i) != 0, self.known & bit(i) != 0);
            if told_of && (!known || capture > *known_by) {
                (*value, *known_by) = (told, capture);
            }
        }
        self.known |= values.mask();
    }

    /// A register, by its index in [`names`](Self::names), if it is known.
    pub fn get(&self, index: usize) -> Option<u64> {
        self.values.get(index).filter(|_| self.known & bit(index) != 0).copied()
    }

    /// The capture that it is from.
    pub fn capture(&self, index: usize) -> Option<u32> {
        self.captures.get(index).filter(|_| self.known & bit(index) != 0).copied()
    }

    /// The program counter, if it is known.
    pub fn pc(&self) -> Option<u64> {
        self.get(self.pc)
    }

    /// Index of the program counter.
    pub const fn pc_index(&self) -> usize {
        self.pc
    }

    /// Which registers are known: bit *i* is register *i*.
    pub const fn known(&self) -> u64 {
        self.known
    }

    /// Whether all of them are.
    pub fn is_complete(&self) -> bool {
        self.iter().count() == self.names.len()
    }

    /// Names of all registers.
    pub const fn names(&self) -> &'static [&'static str] {
        self.names
    }

    /// Bytes of a register.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Those that are known, with their names, in the order of the architecture.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.of_mask(u64::MAX)
    }

    /// Those of a mask that are known.
    pub fn of_mask(&self, mask: u64) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = self.names.iter().zip(&self.values).enumerate();
        let mask = self.known & mask;
        all.filter(move |(i, _)| mask & bit(*i) != 0).map(|(_, (name, value))| (*name, *value))
    }
}

impl fmt::Debug for RegisterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use feedrate::rdp::frame::{Reason, Standing};

    use super::*;

    #[test]
    fn what_arrives_late_does_not_overwrite_what_is_later() {
        let mut set = RegisterSet::of::<X86_64>();
        let mut tell = |capture, mask, value| {
            let values = [value; 18];
            let told = Registers { request: 1, capture, values: Values::new(mask, &values, 8) };
            assert!(set.registers(&told));
            (set.get(0), set.get(17), set.capture(0))
        };
        assert_eq!(tell(5, 1, 50), (Some(50), None, Some(5)));
        assert_eq!(tell(4, 1 | 1 << 17, 40), (Some(50), Some(40), Some(5)));
        assert_eq!(tell(6, 1 << 17, 60), (Some(50), Some(60), Some(5)));
        assert_eq!(tell(7, 1, 70), (Some(70), Some(60), Some(7)));
        assert_eq!((set.pc(), set.known(), set.is_complete()), (None, 1 | 1 << 17, false));
    }

    #[test]
    fn a_stop_tells_where_it_was() {
        let mut set = RegisterSet::of::<CortexM>();
        let mut tell = |capture, mask| {
            let values = [u64::from(capture) * 10; 17];
            let told = Stopped {
                request: 0,
                reason: Reason::Step,
                more: false,
                axes: Standing::Unknown,
                detail: 0,
                capture,
                values: Values::new(mask, &values, 4),
            };
            (set.stopped(&told), set.pc())
        };
        assert_eq!(tell(2, 1 << 15), (Some(20), Some(20)));
        assert_eq!(tell(1, 1 << 15), (Some(10), Some(20)));
        assert_eq!(tell(3, 1), (None, Some(20)));
        assert_eq!(set.get(0), None);
    }

    #[test]
    fn what_is_of_another_architecture_changes_nothing() {
        for number in 0..=7 {
            let known = RegisterSet::of_architecture(number);
            assert_eq!(known.is_some(), (1..=6).contains(&number), "{number}");
        }
        let mut set = RegisterSet::of::<CortexM>();
        let told = Registers { request: 1, capture: 1, values: Values::new(1 << 20, &[7; 34], 8) };
        assert!(!set.registers(&told));
        assert_eq!((set.known(), set.iter().count()), (0, 0));
    }
}
