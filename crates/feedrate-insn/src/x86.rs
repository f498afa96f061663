//! x86-64: 1 to 15 bytes, with all prefixes (legacy, REX, VEX, EVEX, XOP) and opcode maps (3DNow! too).
//!
//! Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A "Opcode
//! map", and AMD64 Architecture Programmer's Manual, volumes 3 to 5, appendix A, for what only AMD has had
//! (3DNow!, SSE4a, XOP). APX (REX2, EVEX map 4) is invalid here, as it is on processors of today.
//!
//! The processors differ in one thing that matters here: a near branch with an operand-size prefix
//! (`66 E8`). AMD's read a distance of two bytes, Intel's ignore the prefix, and this module does as
//! Intel's do. No compiler writes such a branch without the REX.W that makes them agree.

use crate::{DecodeError, Flow, Insn};

/// Decodes the instruction at `at`, with which `bytes` begins.
///
/// # Errors
///
/// [`DecodeError::Truncated`] if `bytes` ends inside the instruction, [`DecodeError::Invalid`] if it is not
/// an instruction, [`DecodeError::TooLong`] if it has more than 15 bytes.
///
/// ```
/// use feedrate_insn::{Flow, x86};
///
/// // mov rax, qword ptr fs:[0x28]
/// let insn = x86::decode(0, &[0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0xcc])?;
/// assert_eq!((insn.length, insn.flow), (9, Flow::Sequential));
/// // bnd ret
/// let insn = x86::decode(0, &[0xf2, 0xc3])?;
/// assert_eq!((insn.length, insn.flow), (2, Flow::Return));
/// # Ok::<(), feedrate_insn::DecodeError>(())
/// ```
pub fn decode(at: u64, bytes: &[u8]) -> Result<Insn, DecodeError> {
    let mut code = Code { at, bytes, taken: 0 };
    let flow = instruction(&mut code)?;
    // 15 at most: `take` and `skip` see to it.
    let length = u8::try_from(code.taken).unwrap_or(u8::MAX);
    Ok(Insn { length, flow })
}

const LONGEST: usize = 15;

// What follows an opcode; one letter for each opcode of a map.
//
//   .  nothing                         m  ModRM
//   1  one byte                        b  ModRM, one byte
//   2  two bytes                       z  ModRM, 4 bytes (2 with an operand-size prefix)
//   3  three bytes                     g  as m, and a byte if ModRM.reg is 0 or 1 (TEST)
//   4  4 bytes (2 with the prefix)     G  as g, with 4 bytes (2)
//   j  4 bytes, a distance             c  ModRM that is a register, whatever ModRM.mod says
//   8  4 bytes (2 with the prefix,     o  an address: 8 bytes (4 with an address-size prefix)
//      8 with REX.W)                   x  invalid
// and, in the first map, what is not an opcode:
//   p  legacy prefix   R  REX   E  escape to another map   V  VEX   W  EVEX   X  XOP or POP

#[rustfmt::skip]
const ONE_BYTE: &[u8; 256] = b"\
    mmmm14xxmmmm14xE\
    mmmm14xxmmmm14xx\
    mmmm14pxmmmm14px\
    mmmm14pxmmmm14px\
    RRRRRRRRRRRRRRRR\
    ................\
    xxWmpppp4z1b....\
    1111111111111111\
    bzxbmmmmmmmmmmmX\
    ..........x.....\
    oooo....14......\
    1111111188888888\
    bb2.VVbz3.2..1x.\
    mmmmxxx.mmmmmmmm\
    11111111jjx1....\
    p.pp..gG......mm";

#[rustfmt::skip]
const TWO_BYTE: &[u8; 256] = b"\
    mmmmx.....x.xm.b\
    mmmmmmmmmmmmmmmm\
    ccccxxxxmmmmmmmm\
    ......x.ExExxxxx\
    mmmmmmmmmmmmmmmm\
    mmmmmmmmmmmmmmmm\
    mmmmmmmmmmmmmmmm\
    bbbbmmm.mmxxmmmm\
    jjjjjjjjjjjjjjjj\
    mmmmmmmmmmmmmmmm\
    ...mbmmm...mbmmm\
    mmmmmmmmmmbmmmmm\
    mmbmbbbm........\
    mmmmmmmmmmmmmmmm\
    mmmmmmmmmmmmmmmm\
    mmmmmmmmmmmmmmmm";

/// The prefixes that change a length or a class.
#[derive(Clone, Copy, Default)]
struct Prefixes {
    /// 66
    operand_size: bool,
    /// 67
    address_size: bool,
    /// F0
    lock: bool,
    /// The last of F2 and F3, or 0.
    repeat: u8,
    /// The REX that counts, or 0.
    rex: u8,
}

impl Prefixes {
    const fn rex_w(self) -> bool {
        self.rex & 8 != 0
    }

    /// How many bytes an operand of `4` or `z` has.
    const fn operand(self) -> usize {
        if self.operand_size && !self.rex_w() { 2 } else { 4 }
    }
}

fn instruction(code: &mut Code<'_>) -> Result<Flow, DecodeError> {
    let mut prefixes = Prefixes::default();
    loop {
        let opcode = code.take()?;
        let layout = layout(ONE_BYTE, opcode);
        match layout {
            b'p' => {
                // A REX that is not last does not count.
                prefixes.rex = 0;
                match opcode {
                    0x66 => prefixes.operand_size = true,
                    0x67 => prefixes.address_size = true,
                    0xf0 => prefixes.lock = true,
                    0xf2 | 0xf3 => prefixes.repeat = opcode,
                    _ => {}
                }
            }
            b'R' => prefixes.rex = opcode,
            b'E' => return two_byte(code, prefixes),
            b'V' => return vex(code, prefixes, opcode),
            b'W' => return evex(code, prefixes),
            b'X' => return xop_or_pop(code, prefixes),
            _ => return one_byte(code, prefixes, opcode, layout),
        }
    }
}

fn layout(map: &[u8; 256], opcode: u8) -> u8 {
    map.get(usize::from(opcode)).copied().unwrap_or(b'x')
}

fn one_byte(code: &mut Code<'_>, prefixes: Prefixes, opcode: u8, layout: u8) -> Result<Flow, DecodeError> {
    let operands = operands(code, prefixes, layout)?;
    let modrm = operands.modrm;
    Ok(match opcode {
        0x70..=0x7f | 0xe0..=0xe3 => Flow::Conditional(code.to(operands.immediate)),
        0xe8 => Flow::Call(code.to(operands.immediate)),
        0xe9 | 0xeb => Flow::Jump(code.to(operands.immediate)),
        0xc2 | 0xc3 | 0xca | 0xcb | 0xcf => Flow::Return,
        0xcc | 0xcd | 0xf1 | 0xf4 => Flow::Trap,
        // XBEGIN: where a transaction that fails goes on.
        0xc7 if modrm == 0xf8 => Flow::Conditional(code.to(operands.immediate)),
        0xff => match (modrm >> 3) & 7 {
            2 => Flow::IndirectCall,
            4 => Flow::IndirectJump,
            // Far, from memory only.
            3 if modrm < 0xc0 => Flow::IndirectCall,
            5 if modrm < 0xc0 => Flow::IndirectJump,
            3 | 5 | 7 => return Err(code.invalid()),
            _ => Flow::Sequential,
        },
        _ => Flow::Sequential,
    })
}

fn two_byte(code: &mut Code<'_>, prefixes: Prefixes) -> Result<Flow, DecodeError> {
    let opcode = code.take()?;
    let layout = match opcode {
        0x38 => {
            code.take()?;
            b'm'
        }
        0x3a => {
            code.take()?;
            b'b'
        }
        _ => layout(TWO_BYTE, opcode),
    };
    let operands = operands(code, prefixes, layout)?;
    Ok(match opcode {
        0x80..=0x8f => Flow::Conditional(code.to(operands.immediate)),
        // SYSCALL, UD2, SYSENTER, UD1, UD0
        0x05 | 0x0b | 0x34 | 0xb9 | 0xff => Flow::Trap,
        // SYSRET, SYSEXIT, RSM
        0x07 | 0x35 | 0xaa => Flow::Return,
        0x01 => group_7(operands.modrm, prefixes),
        // EXTRQ, INSERTQ (SSE4a) have a second byte; VMREAD has none.
        0x78 if prefixes.repeat == 0xf2 || (prefixes.repeat == 0 && prefixes.operand_size) => {
            code.skip(2)?;
            Flow::Sequential
        }
        _ => Flow::Sequential,
    })
}

/// `0F 01`, whose ModRM of a register form is a third byte of opcode.
const fn group_7(modrm: u8, prefixes: Prefixes) -> Flow {
    match (prefixes.repeat, modrm) {
        // UIRET, ERETU, ERETS
        (0xf3, 0xec) | (0xf2 | 0xf3, 0xca) => Flow::Return,
        // ENCLV, VMCALL, VMRUN; VMMCALL, with a prefix VMGEXIT
        (_, 0xc0 | 0xc1 | 0xd8 | 0xd9) => Flow::Trap,
        // VMLAUNCH, VMRESUME, ENCLS, VMFUNC, ENCLU
        (0, 0xc2 | 0xc3 | 0xcf | 0xd4 | 0xd7) => Flow::Trap,
        // TDCALL, SEAMRET, SEAMOPS (SEAMCALL shares a number with ENCLS)
        (0, 0xcc..=0xce) if prefixes.operand_size => Flow::Trap,
        _ => Flow::Sequential,
    }
}

fn vex(code: &mut Code<'_>, prefixes: Prefixes, first: u8) -> Result<Flow, DecodeError> {
    // The short form is of map 1.
    let map = if first == 0xc4 { code.take()? & 0x1f } else { 1 };
    code.take()?;
    let opcode = code.take()?;
    let layout = match (map, opcode) {
        // VZEROUPPER, VZEROALL
        (1, 0x77) => b'.',
        (1, _) => vector_layout(opcode),
        (2 | 5, _) => b'm',
        (3, _) => b'b',
        // URDMSR, UWRMSR
        (7, _) => b'z',
        _ => return Err(code.invalid()),
    };
    vector(code, prefixes, layout)
}

fn evex(code: &mut Code<'_>, prefixes: Prefixes) -> Result<Flow, DecodeError> {
    let p0 = code.take()?;
    let p1 = code.take()?;
    code.take()?;
    let opcode = code.take()?;
    if p1 & 4 == 0 {
        return Err(code.invalid());
    }
    // Bit 3 is zero in all maps.
    let layout = match p0 & 15 {
        1 => vector_layout(opcode),
        2 | 5 | 6 => b'm',
        3 => b'b',
        _ => return Err(code.invalid()),
    };
    vector(code, prefixes, layout)
}

fn xop_or_pop(code: &mut Code<'_>, prefixes: Prefixes) -> Result<Flow, DecodeError> {
    let layout = match code.peek()? & 0x1f {
        // POP: ModRM.reg is 0, and that looks like a map below 8.
        0..=7 => return operands(code, prefixes, b'm').map(|_| Flow::Sequential),
        8 => b'b',
        9 => b'm',
        // 4 bytes, always.
        10 => b'z',
        _ => return Err(code.invalid()),
    };
    code.skip(3)?;
    vector(code, prefixes, layout)
}

/// Map 1 with a VEX or EVEX prefix: an immediate byte where `0F` has one, and ModRM in every instruction
/// but VZEROUPPER and VZEROALL.
fn vector_layout(opcode: u8) -> u8 {
    match layout(TWO_BYTE, opcode) {
        b'b' => b'b',
        _ => b'm',
    }
}

/// After a prefix that holds the other prefixes' bits.
fn vector(code: &mut Code<'_>, prefixes: Prefixes, layout: u8) -> Result<Flow, DecodeError> {
    if prefixes.operand_size || prefixes.lock || prefixes.repeat != 0 || prefixes.rex != 0 {
        return Err(code.invalid());
    }
    operands(code, prefixes, layout).map(|_| Flow::Sequential)
}

/// What follows the opcode, as far as it matters.
struct Operands {
    /// 0 if there is none: a memory form, which no opcode asks about.
    modrm: u8,
    /// Sign-extended. Of one, two or four bytes; others are 0.
    immediate: u64,
}

fn operands(code: &mut Code<'_>, prefixes: Prefixes, layout: u8) -> Result<Operands, DecodeError> {
    let modrm = match layout {
        b'm' | b'b' | b'z' | b'g' | b'G' => code.modrm()?,
        b'c' => code.take()?,
        b'x' => return Err(code.invalid()),
        _ => 0,
    };
    let test = modrm & 0x30 == 0;
    let length = match layout {
        b'1' | b'b' => 1,
        b'g' if test => 1,
        b'2' => 2,
        b'3' => 3,
        b'4' | b'z' => prefixes.operand(),
        b'G' if test => prefixes.operand(),
        b'j' => 4,
        b'8' if prefixes.rex_w() => 8,
        b'8' => prefixes.operand(),
        b'o' if prefixes.address_size => 4,
        b'o' => 8,
        _ => 0,
    };
    Ok(Operands { modrm, immediate: code.immediate(length)? })
}

/// The bytes of one instruction, and how many have been taken.
struct Code<'a> {
    at: u64,
    bytes: &'a [u8],
    taken: usize,
}

impl Code<'_> {
    fn peek(&self) -> Result<u8, DecodeError> {
        match self.bytes.get(self.taken) {
            Some(&byte) if self.taken < LONGEST => Ok(byte),
            _ => Err(self.missing(1)),
        }
    }

    fn take(&mut self) -> Result<u8, DecodeError> {
        let byte = self.peek()?;
        self.taken = self.taken.saturating_add(1);
        Ok(byte)
    }

    fn skip(&mut self, n: usize) -> Result<&[u8], DecodeError> {
        let end = self.taken.saturating_add(n);
        match self.bytes.get(self.taken..end) {
            Some(bytes) if end <= LONGEST => {
                self.taken = end;
                Ok(bytes)
            }
            _ => Err(self.missing(n)),
        }
    }

    /// ModRM, and the SIB and displacement it asks for.
    fn modrm(&mut self) -> Result<u8, DecodeError> {
        let modrm = self.take()?;
        let (mode, rm) = (modrm >> 6, modrm & 7);
        let base = if mode != 3 && rm == 4 { self.take()? & 7 } else { rm };
        self.skip(match (mode, base) {
            (0, 5) | (2, _) => 4,
            (1, _) => 1,
            _ => 0,
        })?;
        Ok(modrm)
    }

    fn immediate(&mut self, length: usize) -> Result<u64, DecodeError> {
        let extend = |value: u64, sign: u64| (value ^ sign).wrapping_sub(sign);
        Ok(match *self.skip(length)? {
            [a] => extend(u64::from(a), 0x80),
            [a, b] => extend(u64::from(u16::from_le_bytes([a, b])), 0x8000),
            [a, b, c, d] => extend(u64::from(u32::from_le_bytes([a, b, c, d])), 0x8000_0000),
            _ => 0,
        })
    }

    /// Where a branch goes whose last byte has been taken.
    fn to(&self, distance: u64) -> u64 {
        // At most 15, which `try_from` cannot know.
        let taken = u64::try_from(self.taken).unwrap_or(0);
        self.at.wrapping_add(taken).wrapping_add(distance)
    }

    fn missing(&self, n: usize) -> DecodeError {
        let needed = self.taken.saturating_add(n);
        if needed > LONGEST {
            return DecodeError::TooLong { at: self.at };
        }
        DecodeError::Truncated { at: self.at, have: self.bytes.len(), needed }
    }

    const fn invalid(&self) -> DecodeError {
        DecodeError::Invalid { at: self.at }
    }
}

#[cfg(test)]
mod tests;
