//! Register sets: which registers there are, in which order, and how wide they are on the wire (SPEC section 7).

use core::fmt;

use feedrate::rdp::frame::Values;

/// Where a call leaves its return address, and how far after the call that can lie (SPEC section 8.4).
// Exhaustive: the agent has to know how to follow each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// In a register: its index. A call has 2 or 4 bytes. Bits of `flags` are not part of the address.
    Link {
        /// Index of the link register.
        register: usize,
        /// Bits that say something else: whether the caller is Thumb code.
        flags: u64,
    },
    /// In memory at the stack pointer, as a little-endian number. A call has 1 to 15 bytes.
    Stack,
}

/// A processor architecture.
///
/// ```
/// use feedrate_rdp::arch::{Arch, CortexM};
///
/// let mut known = CortexM::ZERO;
/// let values = CortexM::values(1 << CortexM::PC, &[0x2000_0100; 17]);
/// assert!(CortexM::unpack(&values, &mut known));
/// assert_eq!((known[0], known[CortexM::PC]), (0, 0x2000_0100));
/// ```
pub trait Arch {
    /// Number of the architecture in [`Welcome`](feedrate::rdp::frame::Welcome).
    const ID: u16;
    /// Bytes of one register on the wire: 4 or 8.
    const WIDTH: usize;
    /// Names, in wire order. There are at most 64.
    const NAMES: &'static [&'static str];
    /// Index of the program counter.
    const PC: usize;
    /// Index of the stack pointer.
    const SP: usize;
    /// Where a call leaves its return address.
    const RETURN: Return;
    /// One set of values, in wire order.
    type Registers: AsRef<[u64]> + AsMut<[u64]> + Clone + fmt::Debug + PartialEq;
    /// All zero.
    const ZERO: Self::Registers;

    /// The values of some registers of a set: those of the mask, as they are sent.
    fn values(mask: u64, registers: &Self::Registers) -> Values<'_> {
        Values::new(mask, registers.as_ref(), Self::WIDTH)
    }

    /// Puts values that have been received where they belong in a set, and leaves the others. `false`, and no change:
    /// they are not of this architecture.
    #[must_use]
    fn unpack(values: &Values<'_>, into: &mut Self::Registers) -> bool {
        values.unpack(into.as_mut(), Self::WIDTH)
    }
}

/// The mask of all registers.
pub(crate) fn all<A: Arch>() -> u64 {
    let past = u32::try_from(A::NAMES.len()).unwrap_or(u32::MAX);
    u64::MAX.checked_shl(past).map_or(u64::MAX, |above| !above)
}

/// The mask of register `i` alone.
pub(crate) fn bit(i: usize) -> u64 {
    u32::try_from(i).ok().and_then(|i| 1_u64.checked_shl(i)).unwrap_or_default()
}

macro_rules! arch {
    (
        $(#[$doc:meta])* $Arch:ident, $id:literal, $width:literal,
        pc $pc:literal, sp $sp:literal, return $return:expr, [$($name:literal),* $(,)?]
    ) => {
        $(#[$doc])*
        // Exhaustive: it has no values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Arch {}

        impl Arch for $Arch {
            const ID: u16 = $id;
            const WIDTH: usize = $width;
            const NAMES: &'static [&'static str] = &[$($name),*];
            const PC: usize = $pc;
            const SP: usize = $sp;
            const RETURN: Return = $return;
            type Registers = [u64; [$($name),*].len()];
            const ZERO: Self::Registers = [0; [$($name),*].len()];
        }
    };
}

arch!(
    /// Arm Cortex-M (ARMv6-M, ARMv7-M, ARMv8-M): R0 to R12, SP, LR, PC, xPSR.
    CortexM, 1, 4, pc 15, sp 13, return Return::Link { register: 14, flags: 1 },
    [
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr",
    ]
);
arch!(
    /// AArch64: X0 to X30, SP_EL0, ELR_EL1 (the program counter), SPSR_EL1.
    Aarch64, 2, 8, pc 32, sp 31, return Return::Link { register: 30, flags: 0 },
    [
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp_el0",
        "elr_el1", "spsr_el1",
    ]
);
arch!(
    /// x86-64: the sixteen general registers in GDB's order, RIP, RFLAGS.
    X86_64, 3, 8, pc 16, sp 7, return Return::Stack,
    [
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        "rip", "rflags",
    ]
);
arch!(
    /// Arm Cortex-M with a floating point unit (ARMv7E-M, ARMv8-M): as [`CortexM`], then S0 to S31 and FPSCR.
    CortexMFp, 4, 4, pc 15, sp 13, return Return::Link { register: 14, flags: 1 },
    [
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr", "s0",
        "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16", "s17",
        "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31", "fpscr",
    ]
);
arch!(
    /// RISC-V with 32 bits: X1 to X31, PC.
    RiscV32, 5, 4, pc 31, sp 1, return Return::Link { register: 0, flags: 0 },
    [
        "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
        "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "x31", "pc",
    ]
);
arch!(
    /// RISC-V with 64 bits: X1 to X31, PC.
    RiscV64, 6, 8, pc 31, sp 1, return Return::Link { register: 0, flags: 0 },
    [
        "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
        "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "x31", "pc",
    ]
);
