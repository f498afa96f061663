#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used))]
#![cfg_attr(test, allow(clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! What a debugger needs to know about an instruction to step over it: its length, whether and how it changes the
//! program counter, and where it goes. For Thumb-2 (what a Cortex-M runs), AArch64 and x86-64. No allocation, no
//! `unsafe`, and no input can make it panic.
//!
//! ```
//! use feedrate_insn::{Flow, x86};
//!
//! // At 0x1000: call 0x1015
//! let insn = x86::decode(0x1000, &[0xe8, 0x10, 0, 0, 0])?;
//! assert_eq!(insn.length, 5);
//! assert_eq!(insn.flow, Flow::Call(0x1015));
//! # Ok::<(), feedrate_insn::DecodeError>(())
//! ```
//!
//! Each architecture is a module whose `decode` has the same type, so that a tool for all of them can hold
//! it in a variable:
//!
//! ```
//! use feedrate_insn::{DecodeError, Insn, aarch64, thumb, x86};
//!
//! type Decode = fn(at: u64, bytes: &[u8]) -> Result<Insn, DecodeError>;
//!
//! let decode: Decode = match "thumb" {
//!     "thumb" => thumb::decode,
//!     "aarch64" => aarch64::decode,
//!     _ => x86::decode,
//! };
//! assert_eq!(decode(0x800_0000, &[0x70, 0x47])?.length, 2); // bx lr
//! # Ok::<(), DecodeError>(())
//! ```
//!
//! `bytes` is the memory at `at`, as much of it as you have. Bytes after the instruction are ignored.
//!
//! [`thumb::next`] goes further: it also gets the registers and may read memory, and returns exactly where a stopped
//! Cortex-M goes next. With it, a debug agent on the same chip can step without debug hardware.
//!
//! # Classes of instructions
//!
//! * [`Jump`](Flow::Jump): Thumb `B`; AArch64 `B`, `B.AL`, `B.NV`; x86-64 `JMP rel`
//! * [`Call`](Flow::Call): Thumb `BL`, `BLX label`; AArch64 `BL`; x86-64 `CALL rel`
//! * [`Return`](Flow::Return): Thumb `BX LR`, `BXNS LR`, `MOV PC, LR`, `POP {.., PC}`, `LDM` with PC,
//!   `LDR PC, [SP], #n`, `RFE`, `SUBS PC, LR`, `ERET`; AArch64 `RET*`, `ERET*`, `DRPS`; x86-64 `RET`, `RETF`, `IRET`,
//!   `UIRET`, `ERETU`, `ERETS`, `SYSRET`, `SYSEXIT`, `RSM`
//! * [`IndirectJump`](Flow::IndirectJump): Thumb `BX Rm`, `BXNS`, `BXJ`, `MOV PC, Rm`, `ADD PC, Rm`, `LDR PC, [..]`,
//!   `TBB`, `TBH`; AArch64 `BR*`; x86-64 `JMP r/m`, `JMP FAR m`
//! * [`IndirectCall`](Flow::IndirectCall): Thumb `BLX Rm`, `BLXNS`; AArch64 `BLR*`; x86-64 `CALL r/m`, `CALL FAR m`
//! * [`Conditional`](Flow::Conditional): Thumb `B<c>`, `CBZ`, `CBNZ`; AArch64 `B.<c>`, `BC.<c>`, `CBZ`, `CBNZ`,
//!   `TBZ`, `TBNZ`, `CB<cc>`; x86-64 `J<cc>`, `JRCXZ`, `JECXZ`, `LOOP*`, `XBEGIN`
//! * [`Trap`](Flow::Trap): Thumb `SVC`, `BKPT`, `UDF`, `HLT`, `HVC`, `SMC`, `DCPS`; AArch64 `SVC`, `HVC`, `SMC`,
//!   `BRK`, `HLT`, `DCPS`, `TCANCEL`, `UDF`; x86-64 `SYSCALL`, `SYSENTER`, `INT n`, `INT3`, `INT1`, `UD0`, `UD1`,
//!   `UD2`, `HLT`, `VMCALL`, `VMMCALL`, `VMLAUNCH`, `VMRESUME`, `VMFUNC`, `VMRUN`, `ENCLU`, `ENCLS`, `ENCLV`,
//!   `TDCALL`, `SEAMCALL`, `SEAMOPS`, `SEAMRET`
//! * [`Sequential`](Flow::Sequential): all else
//!
//! Waiting for an event (`WFI`, `WFE`, `MWAIT`) is sequential. So is an instruction that a processor
//! without the extension runs as a NOP.
//!
//! # What it does not know
//!
//! * Whether this processor supports the instruction. An unallocated encoding is [`DecodeError::Invalid`] where that is
//!   cheap to find out. Otherwise it gets the length that the instruction set's layout implies; it traps if it is run.
//! * Whether an instruction in a Thumb IT block is executed: that depends on the program status register, which only
//!   [`thumb::next`] looks at.
//!
//! # Features
//!
//! Firmware turns default features off and takes `thumb`.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `thumb` | yes | [`thumb`](mod@thumb) |
//! | `aarch64` | yes | [`aarch64`](mod@aarch64) |
//! | `x86` | yes | [`x86`](mod@x86) |
//! | `defmt` | no | `defmt::Format` for the public types |
//!
//! The minimum supported Rust version is 1.85. It is raised in minor releases only, and the changelog lists the change.

#[cfg(test)]
extern crate std;

#[cfg(feature = "aarch64")]
#[cfg_attr(docsrs, doc(cfg(feature = "aarch64")))]
pub mod aarch64;
#[cfg(feature = "thumb")]
#[cfg_attr(docsrs, doc(cfg(feature = "thumb")))]
pub mod thumb;
#[cfg(feature = "x86")]
#[cfg_attr(docsrs, doc(cfg(feature = "x86")))]
pub mod x86;

/// The code in README.md, as a test.
#[cfg(all(doctest, feature = "x86"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// One instruction, as far as stepping is concerned.
///
/// ```
/// use feedrate_insn::{Flow, aarch64};
///
/// let nop = aarch64::decode(0, &0xd503_201f_u32.to_le_bytes())?;
/// assert_eq!((nop.length, nop.flow), (4, Flow::Sequential));
/// # Ok::<(), feedrate_insn::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Insn {
    /// Bytes, prefixes included: 2 or 4 in Thumb, 4 in AArch64, 1 to 15 in x86-64.
    pub length: u8,
    /// How it changes the program counter.
    pub flow: Flow,
}

impl Insn {
    /// The address after this instruction, which lies at `at`. The program goes there if it does not
    /// branch, and a call returns there. (In Thumb, bit 0 of the link register is set in addition.)
    ///
    /// ```
    /// let call = feedrate_insn::x86::decode(0x1000, &[0xe8, 0x10, 0, 0, 0])?;
    /// assert_eq!(call.after(0x1000), 0x1005);
    /// # Ok::<(), feedrate_insn::DecodeError>(())
    /// ```
    #[must_use]
    pub fn after(&self, at: u64) -> u64 {
        at.wrapping_add(u64::from(self.length))
    }
}

/// How an instruction changes the program counter. [The table](crate#classes-of-instructions) lists which
/// instruction belongs where.
///
/// ```
/// use feedrate_insn::{Flow, thumb};
///
/// // At 0x100: beq 0x108
/// assert_eq!(thumb::decode(0x100, &[0x02, 0xd0])?.flow, Flow::Conditional(0x108));
/// # Ok::<(), feedrate_insn::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Flow {
    /// On to the next instruction.
    Sequential,
    /// Always to this address.
    Jump(u64),
    /// To this address, saving the return address.
    Call(u64),
    /// Back to where a call, or an exception, came from.
    Return,
    /// To an address from a register or from memory.
    IndirectJump,
    /// To an address from a register or from memory, saving the return address.
    IndirectCall,
    /// To this address or on to the next instruction.
    Conditional(u64),
    /// Into an exception handler, a supervisor, a debugger, or nowhere: the program does not decide what
    /// comes next.
    Trap,
}

impl Flow {
    /// The address that the instruction holds, if it holds one.
    ///
    /// ```
    /// use feedrate_insn::Flow;
    ///
    /// assert_eq!(Flow::Call(0x1000).target(), Some(0x1000));
    /// assert_eq!(Flow::Return.target(), None);
    /// ```
    #[must_use]
    pub const fn target(&self) -> Option<u64> {
        match *self {
            Self::Jump(target) | Self::Call(target) | Self::Conditional(target) => Some(target),
            _ => None,
        }
    }

    /// Whether the program can continue at the next instruction, at once or after a call returns.
    ///
    /// ```
    /// use feedrate_insn::Flow;
    ///
    /// assert!(Flow::Sequential.falls_through() && Flow::Call(0x1000).falls_through());
    /// assert!(!Flow::Return.falls_through());
    /// ```
    #[must_use]
    pub const fn falls_through(&self) -> bool {
        !matches!(self, Self::Jump(_) | Self::Return | Self::IndirectJump)
    }
}

/// Why the bytes could not be decoded.
///
/// ```
/// use feedrate_insn::{DecodeError, aarch64, x86};
///
/// assert_eq!(aarch64::decode(0, &[0x1f, 0x20]), Err(DecodeError::Truncated { at: 0, have: 2, needed: 4 }));
/// // PUSH ES does not exist in 64-bit mode.
/// let error = x86::decode(0x1000, &[0x06]).unwrap_err();
/// assert_eq!(error.to_string(), "at 0x1000: not an instruction");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the instruction does.
    #[error("at {at:#x}: the instruction has {needed} or more bytes, and there are {have}")]
    Truncated {
        /// The address of the instruction.
        at: u64,
        /// How many bytes there are.
        have: usize,
        /// Its minimum length, judging by the bytes that are there: try again with this many.
        needed: usize,
    },
    /// An encoding that no processor of this architecture runs.
    #[error("at {at:#x}: not an instruction")]
    Invalid {
        /// The address.
        at: u64,
    },
    /// Too many prefixes: x86 allows 15 bytes for an instruction.
    #[error("at {at:#x}: the instruction is longer than 15 bytes")]
    TooLong {
        /// The address of the instruction.
        at: u64,
    },
}

/// `value` as a signed number, extended to 32 bits; `sign` is its highest bit.
#[cfg(any(feature = "thumb", feature = "aarch64"))]
const fn sign_extend(value: u32, sign: u32) -> u32 {
    (value ^ sign).wrapping_sub(sign)
}
