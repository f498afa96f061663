//! Register sets, and the double buffer that they are captured into.

use core::fmt;

/// A processor architecture: which registers there are, in which order, and how wide they are on the wire
/// (SPEC section 7).
pub trait Arch {
    /// Number of the architecture in [`Welcome`](super::Welcome).
    const ID: u16;
    /// Bytes of one register on the wire: 4 or 8.
    const WIDTH: usize;
    /// Names, in wire order. There are at most 64.
    const NAMES: &'static [&'static str];
    /// Index of the program counter.
    const PC: usize;
    /// One set of values, in wire order.
    type Registers: AsRef<[u64]> + AsMut<[u64]> + Clone + fmt::Debug + PartialEq;
    /// All zero.
    const ZERO: Self::Registers;
}

macro_rules! arch {
    ($(#[$doc:meta])* $Arch:ident, $id:literal, $width:literal, $pc:literal, [$($name:literal),* $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Arch {}

        impl Arch for $Arch {
            const ID: u16 = $id;
            const WIDTH: usize = $width;
            const NAMES: &'static [&'static str] = &[$($name),*];
            const PC: usize = $pc;
            type Registers = [u64; [$($name),*].len()];
            const ZERO: Self::Registers = [0; [$($name),*].len()];
        }
    };
}

arch!(
    /// Arm Cortex-M (ARMv6-M, ARMv7-M, ARMv8-M): R0 to R12, SP, LR, PC, xPSR.
    CortexM, 1, 4, 15,
    [
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr",
    ]
);
arch!(
    /// AArch64: X0 to X30, SP_EL0, ELR_EL1 (the program counter), SPSR_EL1.
    Aarch64, 2, 8, 32,
    [
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp_el0",
        "elr_el1", "spsr_el1",
    ]
);
arch!(
    /// x86-64: the sixteen general registers in GDB's order, RIP, RFLAGS.
    X86_64, 3, 8, 16,
    [
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        "rip", "rflags",
    ]
);
