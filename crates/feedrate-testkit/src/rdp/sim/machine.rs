//! The machine behind the agent: a [`Fake`] that is made at random, and on which everything is written down.

use feedrate::rdp::frame::{Class, Fingerprint, Region};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::target::Refusal;

use crate::machine::{Fake, Journal, Log, Registers};
use crate::random::{Random, mix};

pub(super) const FINGERPRINT: Fingerprint = *b"simulated-mach01";
pub(super) const SLOTS: u16 = 6;
pub(super) const AXES: usize = 3;
/// Where the axes stand at first.
pub(super) const POSITIONS: [i64; AXES] = [1_000_000, -2_000_000, 3_000_000];
pub(super) const PLC: u16 = 1000;
/// Memory from here on is not there.
pub(super) const END: u64 = 1 << 63;
/// Nobody gets at this.
pub(super) const SECRET: (u64, u64) = (0x5000_0000, 0x5000_FFFF);
/// Forcing this address breaks the machine.
pub(super) const FATAL: u64 = 0xDEAD_BEE0;

static MAP: [Region; 2] = [
    Region { first: SECRET.0, last: SECRET.1, class: Class::Protected },
    Region { first: 0, last: u64::MAX, class: Class::Plain },
];

/// The byte at an address.
pub(super) fn memory(addr: u64) -> u8 {
    mix(addr) as u8
}

/// A PLC register.
pub(super) fn plc(register: u16) -> u16 {
    mix(u64::from(register) | 7 << 32) as u16
}

fn registers(machine: &Fake) -> Registers {
    let mut registers = CortexM::ZERO;
    let n = registers.len() as u64;
    for (i, register) in (0..).zip(&mut registers) {
        // Some change at each instruction, some seldom.
        *register = mix((machine.instructions >> (i * 13 % n)) << 8 | i) & 0xFFFF_FFFF;
    }
    registers
}

pub(super) fn read_memory(addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
    if addr >= END {
        return Err(Refusal::Unmapped);
    }
    let there = into.len().min(usize::try_from(END - addr).unwrap_or(usize::MAX));
    for (i, byte) in (0..).zip(&mut into[..there]) {
        *byte = memory(addr + i);
    }
    Ok(there)
}

fn read_plc(first: u16, into: &mut [u16]) -> usize {
    let there = into.len().min(usize::from(PLC.saturating_sub(first)));
    for (i, register) in (first..).zip(&mut into[..there]) {
        *register = plc(i);
    }
    there
}

fn can_force(addr: u64, value: &[u8]) -> Result<(), Refusal> {
    match addr {
        FATAL => Err(Refusal::Fatal(99)),
        _ if addr % 4 != 0 => Err(Refusal::Unmapped),
        _ if value.len() != 8 => Err(Refusal::Unsupported),
        _ => Ok(()),
    }
}

/// A machine of this schedule.
pub(super) fn machine(mut random: Random, stall: u64) -> Fake {
    let log = match random.below(4) {
        0 => Log::of::<12, 4>(),
        1 => Log::of::<48, 16>(),
        _ => Log::of::<1000, 300>(),
    };
    Fake {
        fingerprint: FINGERPRINT,
        stopped: random.chance(5_000),
        open_while_running: random.chance(7_000),
        slowness: random.pick(&[0, 1_000, 5_000, 40_000]),
        wander: random.pick(&[1_000, 300_000, 3_000_000]),
        map: &MAP,
        registers,
        memory: read_memory,
        slots: vec![None; SLOTS.into()],
        comparators: 2,
        alignment: 2,
        can_force,
        stall,
        axes: POSITIONS.to_vec(),
        plc: read_plc,
        log,
        journal: Journal::kept(),
        luck: Some(random),
        ..Fake::new()
    }
}

/// Some addresses are taken for others.
pub(super) fn mixed(addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
    read_memory(addr ^ u64::from((addr >> 12) % 16 == 5) << 40, into)
}
