use super::it::{self, ItState};
use super::{decode, is_table_branch, is_wide};
use crate::{DecodeError, Flow};

/// The registers of a Cortex-M that is stopped at an instruction.
///
/// ```
/// use feedrate_insn::thumb::Registers;
///
/// let registers = Registers { sp: 0x2000_1000, pc: 0x2000_0100, xpsr: 0x0100_0000, ..Registers::default() };
/// assert_eq!(registers.low[0], 0);
/// ```
// Exhaustive: an instruction that branches reads no others, and the caller fills them in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Registers {
    /// R0 to R12.
    pub low: [u32; 13],
    /// The stack pointer, R13, as the program sees it: inside an exception handler, the stacked frame is
    /// below it.
    pub sp: u32,
    /// The link register, R14.
    pub lr: u32,
    /// The address of the next instruction to run. Bit 0 is ignored.
    pub pc: u32,
    /// The program status register, with the flags, ITSTATE, and bit T, which is set.
    pub xpsr: u32,
}

impl Registers {
    /// What an instruction at `pc` reads as register `n`.
    fn get(&self, n: u32) -> u32 {
        match n & 15 {
            13 => self.sp,
            14 => self.lr,
            15 => (self.pc & !1).wrapping_add(4),
            n => usize::try_from(n).ok().and_then(|n| self.low.get(n)).copied().unwrap_or(0),
        }
    }
}

/// Where a Cortex-M goes next, and how to make it stop there. [`next`] computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Next {
    /// The address of the next instruction. Bit 0 is clear.
    pub pc: u32,
    /// The program status register as it was, with the ITSTATE that follows.
    /// An instruction that is run may change the flags: see [`xpsr_after`](Self::xpsr_after).
    pub xpsr: u32,
    /// Whether the instruction does anything: `false` in an IT block whose condition fails.
    pub executes: bool,
    /// The program status register to run the instruction with, with a trap at [`pc`](Self::pc).
    ///
    /// `None` if there is nothing to run: the instruction changes only the program counter and ITSTATE (a
    /// jump, an `IT`, one that is skipped). Writing [`pc`](Self::pc) and [`xpsr`](Self::xpsr) is the step.
    pub run: Option<u32>,
}

impl Next {
    /// The program status register to continue with, after the instruction was run and the trap was hit. `stopped` is
    /// its value at that moment.
    ///
    /// ```
    /// use feedrate_insn::thumb::{self, ItState, Registers};
    ///
    /// // The first of two instructions after "itt eq": cmpeq r0, #1. The second may be skipped or not, and
    /// // the trap must be hit either way.
    /// let eq = ItState::from_bits(0x04);
    /// let registers = Registers { pc: 0x2000_0000, xpsr: eq.put(0x4100_0000), ..Registers::default() };
    /// let next = thumb::next(&registers, |_, bytes| {
    ///     bytes.copy_from_slice(&[0x01, 0x28]);
    ///     true
    /// })?;
    /// // It is run with an ITSTATE that always executes, ...
    /// assert_eq!(next.run.map(ItState::of), Some(ItState::from_bits(0xe4)));
    /// // ... and when it has stopped, with other flags, the true one is put back.
    /// let stopped = ItState::from_bits(0xe8).put(0x8100_0000);
    /// assert_eq!(next.xpsr_after(stopped), eq.advance().put(0x8100_0000));
    /// # Ok::<(), thumb::StepError>(())
    /// ```
    #[must_use]
    pub fn xpsr_after(&self, stopped: u32) -> u32 {
        ItState::of(self.xpsr).put(stopped)
    }
}

/// Why an instruction cannot be stepped over by means of a trap at the next one.
///
/// ```
/// use feedrate_insn::thumb::{self, Registers, StepError};
///
/// let registers = Registers { pc: 0x100, xpsr: 0x0100_0000, ..Registers::default() };
/// let svc = |_: u32, bytes: &mut [u8]| {
///     bytes.copy_from_slice(&[0x00, 0xdf]);
///     true
/// };
/// let error = thumb::next(&registers, svc).unwrap_err();
/// assert_eq!(error, StepError::Trap { pc: 0x100 });
/// assert_eq!(error.to_string(), "at 0x100: an instruction that traps (SVC, BKPT, UDF) cannot be stepped over");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StepError {
    /// It enters an exception handler. After an `SVC` the program goes on with the next instruction, if the handler
    /// lets it.
    #[error("at {pc:#x}: an instruction that traps (SVC, BKPT, UDF) cannot be stepped over")]
    Trap {
        /// The address of the instruction.
        pc: u32,
    },
    /// It returns from an exception handler. What comes next is on a stack that only this return chooses.
    #[error("at {pc:#x}: a return from an exception, with {value:#x}")]
    ExceptionReturn {
        /// The address of the instruction.
        pc: u32,
        /// EXC_RETURN, as the instruction loads it.
        value: u32,
    },
    /// A Cortex-M has no ARM instructions: this faults. Bit 0 of the address was clear, or bit T of xPSR.
    #[error("at {pc:#x}: leaves Thumb state for {target:#x}, which faults")]
    ArmState {
        /// The address of the instruction.
        pc: u32,
        /// Where it would go.
        target: u32,
    },
    /// It goes to itself and has to be run: a trap there would be hit before it runs.
    #[error("at {pc:#x}: an instruction that goes to itself leaves no place for a trap")]
    Itself {
        /// The address of the instruction.
        pc: u32,
    },
    /// An instruction of another profile: an exception return of the A profile, a change of the security state.
    #[error("at {pc:#x}: not an instruction of ARMv6-M or ARMv7-M")]
    Unsupported {
        /// The address of the instruction.
        pc: u32,
    },
    /// `read` returned `false`.
    #[error("at {pc:#x}: cannot read {length} bytes at {address:#x}")]
    Memory {
        /// The address of the instruction.
        pc: u32,
        /// What was to be read.
        address: u32,
        /// How many bytes.
        length: usize,
    },
    /// Not an instruction at all.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Where a stopped Cortex-M goes when it runs one instruction.
///
/// `read` fills its second argument with the memory at its first, and returns whether it could. It is
/// called for the instruction, which must be the original one where a breakpoint has been patched in, and
/// for what `POP`, `LDM`, `LDR`, `TBB` and `TBH` load into PC.
///
/// A debug agent steps as follows:
///
/// 1. [`run`](Next::run) is `None`: write [`pc`](Next::pc) and [`xpsr`](Next::xpsr) to the stacked
///    registers. That was the step.
/// 2. Otherwise save the halfword at `next.pc` and write `0xDE00` (`UDF #0`) there. Write `run` to the
///    stacked xPSR, and return from the exception. In the UsageFault that follows, put the memory back, and
///    write [`xpsr_after`](Next::xpsr_after) to the stacked xPSR.
///
/// A `UDF` inside an IT block is skipped when its condition fails, as any instruction is. This is why an
/// instruction in such a block is run with another ITSTATE, one that always executes, and why `IT` itself
/// is not run at all. One trap is then enough, whatever the flags have become, and every instruction of the
/// block, executed or not, is one step, as it is in GDB.
///
/// # What it does not know
///
/// * Interrupts. If one is taken before the instruction, its handler runs first, and may hit the trap.
///   Masking them with BASEPRI leaves UsageFault enabled; PRIMASK turns it into HardFault.
/// * The exclusive monitor. Every exception clears it, so that `LDREX` .. `STREX` never succeeds when it is
///   stepped through. Step over the loop instead.
/// * Whether a load faults.
///
/// # Errors
///
/// [`StepError`] if there is no next instruction in this program to stop at, or it cannot be known.
///
/// ```
/// use feedrate_insn::thumb::{self, Registers};
///
/// // pop {r4, pc}, and the stack it pops from.
/// let memory = |address: u32, bytes: &mut [u8]| {
///     match address {
///         0x2000_0000 => bytes.copy_from_slice(&[0x10, 0xbd]),
///         0x2000_1004 => bytes.copy_from_slice(&0x2000_0345_u32.to_le_bytes()),
///         _ => return false,
///     }
///     true
/// };
/// let registers = Registers { pc: 0x2000_0000, sp: 0x2000_1000, xpsr: 0x0100_0000, ..Registers::default() };
/// let next = thumb::next(&registers, memory)?;
/// assert_eq!(next.pc, 0x2000_0344);
/// assert_eq!(next.run, Some(0x0100_0000));
/// # Ok::<(), thumb::StepError>(())
/// ```
pub fn next(registers: &Registers, read: impl FnMut(u32, &mut [u8]) -> bool) -> Result<Next, StepError> {
    let pc = registers.pc & !1;
    let xpsr = registers.xpsr;
    if xpsr & (1 << 24) == 0 {
        return Err(StepError::ArmState { pc, target: pc });
    }
    let mut memory = Memory { pc, read };
    let first = memory.halfword(pc)?;
    let second = if is_wide(first) { memory.halfword(pc.wrapping_add(2))? } else { 0 };
    let (a, b) = (u32::from(first), u32::from(second));

    let state = ItState::of(xpsr);
    let follows = state.advance();
    // BKPT is executed whatever the condition.
    let executes = state.passes(xpsr) || first >> 8 == 0xbe;
    if !executes {
        let length = if is_wide(first) { 4 } else { 2 };
        return Ok(Next { pc: pc.wrapping_add(length), xpsr: follows.put(xpsr), executes, run: None });
    }

    let [a0, a1] = first.to_le_bytes();
    let [b0, b1] = second.to_le_bytes();
    let insn = decode(u64::from(pc), &[a0, a1, b0, b1])?;
    let after = pc.wrapping_add(u32::from(insn.length));
    let direct = |target: u64| u32::try_from(target).unwrap_or(0);
    let step = |pc: u32| Next { pc, xpsr: follows.put(xpsr), executes, run: None };
    let run = |next: Next| Next { run: Some(state.always(xpsr)), ..next };

    let next = match insn.flow {
        Flow::Trap => return Err(StepError::Trap { pc }),
        // IT: it is no IT if the mask is zero, but a hint.
        Flow::Sequential if first >> 8 == 0xbf && first & 15 != 0 => {
            let [state, _] = first.to_le_bytes();
            Next { pc: after, xpsr: ItState::from_bits(state).put(xpsr), executes, run: None }
        }
        Flow::Sequential => run(step(after)),
        Flow::Jump(target) => step(direct(target)),
        Flow::Conditional(target) => step(if taken(registers, a) { direct(target) } else { after }),
        // BLX, by bits 14 and 12
        Flow::Call(target) if b & 0x5000 == 0x4000 => {
            return Err(StepError::ArmState { pc, target: direct(target) });
        }
        Flow::Call(target) => run(step(direct(target))),
        Flow::Return | Flow::IndirectJump | Flow::IndirectCall => match memory.indirect(registers, a, b)? {
            Indirect { target, loads: false } => step(target),
            Indirect { target, loads: true } => run(step(target)),
        },
    };
    if next.run.is_some() && next.pc.wrapping_sub(pc) < u32::from(insn.length) {
        return Err(StepError::Itself { pc });
    }
    Ok(next)
}

/// Whether a conditional branch is taken.
fn taken(registers: &Registers, a: u32) -> bool {
    let condition = match a >> 12 {
        // CBZ, CBNZ
        0xb => return (registers.get(a & 7) == 0) != (a & 0x800 != 0),
        0xd => a >> 8,
        // B<c>.W
        _ => a >> 6,
    };
    it::passes(u8::try_from(condition & 15).unwrap_or(15), registers.xpsr)
}

/// Where an indirect branch goes.
struct Indirect {
    target: u32,
    /// Whether it changes more than PC.
    loads: bool,
}

struct Memory<R> {
    pc: u32,
    read: R,
}

impl<R: FnMut(u32, &mut [u8]) -> bool> Memory<R> {
    fn bytes<const N: usize>(&mut self, address: u32) -> Result<[u8; N], StepError> {
        let mut bytes = [0; N];
        if (self.read)(address, &mut bytes) {
            Ok(bytes)
        } else {
            Err(StepError::Memory { pc: self.pc, address, length: N })
        }
    }

    fn halfword(&mut self, address: u32) -> Result<u16, StepError> {
        Ok(u16::from_le_bytes(self.bytes(address)?))
    }

    /// PC from memory.
    fn load(&mut self, address: u32) -> Result<Indirect, StepError> {
        let value = u32::from_le_bytes(self.bytes(address)?);
        Ok(Indirect { target: self.interworking(value)?, loads: true })
    }

    /// The architecture's BXWritePC and LoadWritePC.
    fn interworking(&self, value: u32) -> Result<u32, StepError> {
        if value >= 0xf000_0000 {
            return Err(StepError::ExceptionReturn { pc: self.pc, value });
        }
        self.thumb(value)
    }

    /// The architecture's BLXWritePC.
    fn thumb(&self, value: u32) -> Result<u32, StepError> {
        if value & 1 == 0 {
            return Err(StepError::ArmState { pc: self.pc, target: value });
        }
        Ok(value & !1)
    }

    /// An instruction that `decode` calls a return, an indirect jump or an indirect call.
    fn indirect(&mut self, registers: &Registers, a: u32, b: u32) -> Result<Indirect, StepError> {
        let n = registers.get(a);
        // Of the narrow ones that name a register in bits 6 to 3.
        let m = registers.get(a >> 3);
        let base = registers.get(15);
        Ok(match a {
            // ADD PC, Rm
            0x4400..=0x44ff => Indirect { target: base.wrapping_add(m) & !1, loads: false },
            // MOV PC, Rm
            0x4600..=0x46ff => Indirect { target: m & !1, loads: false },
            // BX, BLX; with bits 2 to 0 the security extension's
            0x4700..=0x47ff if a & 7 == 0 => match a & 0x80 {
                0 => Indirect { target: self.interworking(m)?, loads: false },
                _ => Indirect { target: self.thumb(m)?, loads: true },
            },
            // POP
            0xbd00..=0xbdff => self.load(registers.sp.wrapping_add(words(a & 0xff)))?,
            // LDMIA; LDMDB, whose highest register is PC
            0xe890..=0xe8bf if b & 0x8000 != 0 => self.load(n.wrapping_add(words(b & 0x7fff)))?,
            0xe910..=0xe93f => self.load(n.wrapping_sub(4))?,
            _ if is_table_branch(a, b) => {
                let m = registers.get(b);
                let distance = if b & 0x10 == 0 {
                    let [byte] = self.bytes(n.wrapping_add(m))?;
                    u32::from(byte)
                } else {
                    u32::from(self.halfword(n.wrapping_add(m << 1))?)
                };
                Indirect { target: base.wrapping_add(distance << 1), loads: false }
            }
            0xf850..=0xf8df => {
                let address = ldr(registers, a, b).ok_or(StepError::Unsupported { pc: self.pc })?;
                self.load(address)?
            }
            _ => return Err(StepError::Unsupported { pc: self.pc }),
        })
    }
}

/// How many bytes these registers have in memory.
const fn words(registers: u32) -> u32 {
    registers.count_ones() << 2
}

/// The address of `LDR Rt, [..]`, if it has one.
fn ldr(registers: &Registers, a: u32, b: u32) -> Option<u32> {
    let n = registers.get(a);
    let up = |base: u32, add: bool, offset: u32| {
        if add { base.wrapping_add(offset) } else { base.wrapping_sub(offset) }
    };
    // [PC, #±imm12], [Rn, #imm12]
    if a & 15 == 15 {
        return Some(up(n & !3, a & 0x80 != 0, b & 0xfff));
    }
    if a & 0x80 != 0 {
        return Some(n.wrapping_add(b & 0xfff));
    }
    match (b >> 8) & 15 {
        // [Rn, Rm, LSL #0..3]
        0 if b & 0xc0 == 0 => Some(n.wrapping_add(registers.get(b) << ((b >> 4) & 3))),
        // [Rn], #±imm8
        0b1001 | 0b1011 => Some(n),
        // [Rn, #-imm8], [Rn, #±imm8]!
        0b1100 | 0b1101 | 0b1111 => Some(up(n, b & 0x200 != 0, b & 0xff)),
        _ => None,
    }
}
