//! Thumb and Thumb-2: 2 or 4 bytes, little-endian. Everything in ARMv6-M and ARMv7-M, floating point and
//! DSP included, and the branches of the other profiles. [`next`] is a software single step for Cortex-M.
//!
//! Encodings: ARMv7-M Architecture Reference Manual (DDI 0403), A5 "The Thumb Instruction Set Encoding";
//! for A and R profiles DDI 0406, A6. The low-overhead loops of ARMv8.1-M (`WLS`, `LE`, `BF`) are invalid
//! here, as they are on all cores before it.

mod it;
mod next;

pub use it::ItState;
pub use next::{Next, Registers, StepError, next};

use crate::{DecodeError, Flow, Insn, sign_extend};

/// Decodes the instruction at `at`, with which `bytes` begins. Bit 0 of `at`, which marks the address of a Thumb
/// function, is ignored, and so are the upper 32 bits.
///
/// It is decoded as if it were executed. In an IT block it may be skipped; [`next`] takes that into account.
///
/// # Errors
///
/// [`DecodeError::Truncated`] if `bytes` ends inside the instruction, [`DecodeError::Invalid`] if it is not an
/// instruction.
///
/// ```
/// use feedrate_insn::{Flow, thumb};
///
/// // bl, from 0x800_0000 to 0x800_0100
/// let insn = thumb::decode(0x800_0000, &[0x00, 0xf0, 0x7e, 0xf8])?;
/// assert_eq!((insn.length, insn.flow), (4, Flow::Call(0x800_0100)));
/// # Ok::<(), feedrate_insn::DecodeError>(())
/// ```
pub fn decode(at: u64, bytes: &[u8]) -> Result<Insn, DecodeError> {
    let (length, needed, flow) = match *bytes {
        [a, b, ref rest @ ..] => {
            let first = u16::from_le_bytes([a, b]);
            let pc = address(at);
            match *rest {
                _ if !is_wide(first) => (2, 2, narrow(pc, first)),
                [c, d, ..] => (4, 4, wide(pc, first, u16::from_le_bytes([c, d]))),
                _ => (0, 4, None),
            }
        }
        _ => (0, 2, None),
    };
    match flow {
        Some(flow) => Ok(Insn { length, flow }),
        None if length == 0 => Err(DecodeError::Truncated { at, have: bytes.len(), needed }),
        None => Err(DecodeError::Invalid { at }),
    }
}

/// Whether an instruction that begins with this halfword has another one.
const fn is_wide(first: u16) -> bool {
    first >= 0xe800
}

fn address(at: u64) -> u32 {
    // Masked, so that it always succeeds.
    u32::try_from(at & 0xffff_fffe).unwrap_or(0)
}

/// An address relative to what an instruction reads as the program counter.
fn relative(pc: u32, distance: u32) -> u64 {
    u64::from(pc.wrapping_add(4).wrapping_add(distance))
}

fn narrow(pc: u32, first: u16) -> Option<Flow> {
    let bits = u32::from(first);
    let link = bits & 0x78 == 0x70;
    Some(match bits >> 8 {
        // ADD Rd, Rm and MOV Rd, Rm with PC as Rd
        0x44 if bits & 0x87 == 0x87 => Flow::IndirectJump,
        0x46 if bits & 0x87 == 0x87 => {
            if link {
                Flow::Return
            } else {
                Flow::IndirectJump
            }
        }
        0x47 if bits & 0x80 != 0 => Flow::IndirectCall,
        0x47 if link => Flow::Return,
        0x47 => Flow::IndirectJump,
        // CBZ, CBNZ
        0xb1 | 0xb3 | 0xb9 | 0xbb => {
            Flow::Conditional(relative(pc, ((bits >> 3) & 0x40) | ((bits >> 2) & 0x3e)))
        }
        // Other than CPS, SETEND and SETPAN
        0xb6 if bits & 0xe0 != 0x60 && bits & 0xb7 != 0x10 => return None,
        0xb7 | 0xb8 => return None,
        // HLT, which ARMv8-A has between REV16 and REVSH
        0xba if bits & 0xc0 == 0x80 => Flow::Trap,
        // POP with PC
        0xbd => Flow::Return,
        // BKPT, UDF, SVC
        0xbe | 0xde | 0xdf => Flow::Trap,
        0xd0..=0xdd => Flow::Conditional(relative(pc, sign_extend((bits & 0xff) << 1, 0x100))),
        0xe0..=0xe7 => Flow::Jump(relative(pc, sign_extend((bits & 0x7ff) << 1, 0x800))),
        _ => Flow::Sequential,
    })
}

fn wide(pc: u32, first: u16, second: u16) -> Option<Flow> {
    let (a, b) = (u32::from(first), u32::from(second));
    // Whether the destination, if it is a load, is PC.
    let into_pc = b >> 12 == 15;
    match a >> 11 {
        // Branches and system control. (Without bit 15: arithmetic with constants.)
        0b11110 if b & 0x8000 != 0 => match b & 0x5000 {
            0x1000 => Some(Flow::Jump(relative(pc, far(a, b)))),
            0x5000 => Some(Flow::Call(relative(pc, far(a, b)))),
            // BLX, to an ARM instruction
            0x4000 if b & 1 == 0 => Some(Flow::Call(relative(pc & !3, far(a, b)))),
            0x4000 => None,
            _ if a & 0x380 != 0x380 => Some(Flow::Conditional(relative(pc, conditional(a, b)))),
            _ => system(a, b),
        },
        0b11101 => Some(match a & 0xffd0 {
            // LDMIA, LDMDB (E89F is CLRM of ARMv8.1-M)
            0xe890 | 0xe910 if b & 0x8000 != 0 && a != 0xe89f => Flow::Return,
            // RFE
            0xe810 | 0xe990 => Flow::Return,
            // TBB, TBH
            0xe8d0 if is_table_branch(a, b) => Flow::IndirectJump,
            _ => Flow::Sequential,
        }),
        // LDR Rt, [..]
        0b11111 if a & 0xff70 == 0xf850 && into_pc => {
            Some(if pops_pc(a, b) { Flow::Return } else { Flow::IndirectJump })
        }
        _ => Some(Flow::Sequential),
    }
}

const fn is_table_branch(a: u32, b: u32) -> bool {
    a & 0xfff0 == 0xe8d0 && b & 0xffe0 == 0xf000
}

/// `LDR PC, [SP], #n`: a POP of PC alone, which may drop more than that.
const fn pops_pc(a: u32, b: u32) -> bool {
    a == 0xf85d && b & 0xff00 == 0xfb00
}

/// The distance of `B.W`, `BL`, `BLX`: S:I1:I2:imm10:imm11:0.
const fn far(a: u32, b: u32) -> u32 {
    let s = (a >> 10) & 1;
    let i1 = !((b >> 13) ^ s) & 1;
    let i2 = !((b >> 11) ^ s) & 1;
    sign_extend(s << 24 | i1 << 23 | i2 << 22 | (a & 0x3ff) << 12 | (b & 0x7ff) << 1, 1 << 24)
}

/// The distance of `B<c>.W`: S:J2:J1:imm6:imm11:0.
const fn conditional(a: u32, b: u32) -> u32 {
    let (s, j1, j2) = ((a >> 10) & 1, (b >> 13) & 1, (b >> 11) & 1);
    sign_extend(s << 20 | j2 << 19 | j1 << 18 | (a & 0x3f) << 12 | (b & 0x7ff) << 1, 1 << 20)
}

/// "Branches and miscellaneous control", where the condition would be 111x.
fn system(a: u32, b: u32) -> Option<Flow> {
    match (a >> 4) & 0x7f {
        // MSR; hints and CPS; CLREX and barriers; MRS
        0x38..=0x3b | 0x3e | 0x3f => Some(Flow::Sequential),
        // BXJ
        0x3c => Some(Flow::IndirectJump),
        // SUBS PC, LR, #n and ERET
        0x3d => Some(Flow::Return),
        // DCPS; HVC; SMC, and UDF with bit 13
        0x78 | 0x7e | 0x7f => {
            Some(if a & 0xfff0 == 0xf7e0 && b & 0x2000 != 0 { return None } else { Flow::Trap })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
