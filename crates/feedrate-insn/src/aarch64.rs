//! A64, the instruction set of AArch64: every instruction is 4 bytes, little-endian.
//!
//! Encodings: Arm Architecture Reference Manual for A-profile (DDI 0487), C4.1 "A64 instruction set encoding".

use crate::{DecodeError, Flow, Insn, sign_extend};

/// Decodes the instruction at `at`, whose bytes are the first four of `bytes`.
///
/// # Errors
///
/// [`DecodeError::Truncated`] if there are less than four bytes, [`DecodeError::Invalid`] for a reserved encoding.
///
/// ```
/// use feedrate_insn::{Flow, aarch64};
///
/// // At 0x40_0000: b.ne 0x3f_fff8
/// let insn = aarch64::decode(0x40_0000, &0x54ff_ffc1_u32.to_le_bytes())?;
/// assert_eq!(insn.flow, Flow::Conditional(0x3f_fff8));
/// # Ok::<(), feedrate_insn::DecodeError>(())
/// ```
pub fn decode(at: u64, bytes: &[u8]) -> Result<Insn, DecodeError> {
    let &[a, b, c, d, ..] = bytes else {
        return Err(DecodeError::Truncated { at, have: bytes.len(), needed: 4 });
    };
    let word = u32::from_le_bytes([a, b, c, d]);
    match flow(at, word) {
        Some(flow) => Ok(Insn { length: 4, flow }),
        None => Err(DecodeError::Invalid { at }),
    }
}

fn flow(at: u64, word: u32) -> Option<Flow> {
    // Bits 28..25 choose the group.
    match (word >> 25) & 15 {
        0b0000 => reserved(word),
        0b0001 | 0b0011 => None,
        0b1010 | 0b1011 => branch(at, word),
        _ => Some(Flow::Sequential),
    }
}

/// The group of `UDF`, which is that of the Scalable Matrix Extension if bit 31 is set.
fn reserved(word: u32) -> Option<Flow> {
    match word >> 16 {
        0 => Some(Flow::Trap),
        0x8000.. => Some(Flow::Sequential),
        _ => None,
    }
}

/// The group of branches, exceptions and system instructions.
fn branch(at: u64, word: u32) -> Option<Flow> {
    Some(match word >> 24 {
        0x14..=0x17 => Flow::Jump(to(at, word, 0x0200_0000)),
        0x94..=0x97 => Flow::Call(to(at, word, 0x0200_0000)),
        // CBZ, CBNZ: 19 bits
        0x34 | 0x35 | 0xb4 | 0xb5 => Flow::Conditional(to(at, word >> 5, 0x4_0000)),
        // TBZ, TBNZ: 14 bits
        0x36 | 0x37 | 0xb6 | 0xb7 => Flow::Conditional(to(at, word >> 5, 0x2000)),
        // CB<cc>, with a register or a number: 9 bits
        0x74 | 0x75 | 0xf4 | 0xf5 => Flow::Conditional(to(at, word >> 5, 0x100)),
        // B.AL and B.NV are taken always. (With bit 4, BC.<c>.)
        0x54 if word & 0x0e == 0x0e => Flow::Jump(to(at, word >> 5, 0x4_0000)),
        0x54 => Flow::Conditional(to(at, word >> 5, 0x4_0000)),
        // RETAASPPC, RETABSPPC with a label, which is not where they go.
        0x55 if word & 0x00c0_001f == 0x1f => Flow::Return,
        0xd4 => Flow::Trap,
        0xd5 => Flow::Sequential,
        0xd6 | 0xd7 => return register(word),
        _ => return None,
    })
}

/// Unconditional branch (register).
fn register(word: u32) -> Option<Flow> {
    if word & 0x001f_0000 != 0x001f_0000 {
        return None;
    }
    Some(match (word >> 21) & 15 {
        // BR; BRAAZ, BRABZ; BRAA, BRAB
        0b0000 | 0b1000 => Flow::IndirectJump,
        0b0001 | 0b1001 => Flow::IndirectCall,
        // RET, ERET, DRPS
        0b0010 | 0b0100 | 0b0101 => Flow::Return,
        _ => return None,
    })
}

/// A distance in words: the bits of `distance` up to `sign`, its highest.
fn to(at: u64, distance: u32, sign: u32) -> u64 {
    let distance = sign_extend(distance & ((sign << 1).wrapping_sub(1)), sign);
    // Sign-extended once more, to 64 bits.
    let distance = (u64::from(distance) ^ 0x8000_0000).wrapping_sub(0x8000_0000);
    at.wrapping_add(distance << 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_1000(word: u32) -> Flow {
        decode(0x1000, &word.to_le_bytes()).unwrap().flow
    }

    #[test]
    fn every_class() {
        assert_eq!(at_1000(0x1400_0001), Flow::Jump(0x1004));
        assert_eq!(at_1000(0x17ff_ffff), Flow::Jump(0x0ffc));
        assert_eq!(at_1000(0x9400_0400), Flow::Call(0x2000));
        assert_eq!(at_1000(0x97ff_ffff), Flow::Call(0x0ffc));
        assert_eq!(at_1000(0x5400_0040), Flow::Conditional(0x1008)); // b.eq
        assert_eq!(at_1000(0x5400_0050), Flow::Conditional(0x1008)); // bc.eq
        assert_eq!(at_1000(0x5400_004e), Flow::Jump(0x1008)); // b.al
        assert_eq!(at_1000(0x5400_005f), Flow::Jump(0x1008)); // bc.nv
        assert_eq!(at_1000(0xb400_0041), Flow::Conditional(0x1008)); // cbz x1
        assert_eq!(at_1000(0x35ff_ffe2), Flow::Conditional(0x0ffc)); // cbnz w2
        assert_eq!(at_1000(0x3617_ffe3), Flow::Conditional(0x0ffc)); // tbz w3, #2
        assert_eq!(at_1000(0xb700_0044), Flow::Conditional(0x1008)); // tbnz x4, #32
        assert_eq!(at_1000(0x7402_3fe1), Flow::Conditional(0x0ffc)); // cbgt w1, w2
        assert_eq!(at_1000(0xf5c2_0041), Flow::Conditional(0x1008)); // cbeq x1, #4
        assert_eq!(at_1000(0xd61f_0200), Flow::IndirectJump); // br x16
        assert_eq!(at_1000(0xd71f_0a11), Flow::IndirectJump); // braa x16, x17
        assert_eq!(at_1000(0xd63f_0100), Flow::IndirectCall); // blr x8
        assert_eq!(at_1000(0xd65f_03c0), Flow::Return);
        assert_eq!(at_1000(0xd65f_0bff), Flow::Return); // retaa
        assert_eq!(at_1000(0x5500_001f), Flow::Return); // retaasppc
        assert_eq!(at_1000(0xd69f_03e0), Flow::Return); // eret
        assert_eq!(at_1000(0xd6bf_03e0), Flow::Return); // drps
        for trap in [0xd400_0001, 0xd400_0002, 0xd400_0003, 0xd420_0000, 0xd440_0000, 0xd4a0_0001, 0, 0xffff]
        {
            assert_eq!(at_1000(trap), Flow::Trap, "{trap:#x}");
        }
        // nop, wfi, ldr, add, fmadd, smstart, sme's zero
        for word in
            [0xd503_201f, 0xd503_207f, 0xf940_0000, 0x9100_0000, 0x1f40_0000, 0xd503_477f, 0xc008_00ff]
        {
            assert_eq!(at_1000(word), Flow::Sequential, "{word:#x}");
        }
    }

    #[test]
    fn the_far_ends_of_every_distance() {
        let at = 0x1_0000_0000;
        let target = |word: u32| decode(at, &word.to_le_bytes()).unwrap().flow.target().unwrap();
        assert_eq!(target(0x1600_0000), at - (1 << 27));
        assert_eq!(target(0x15ff_ffff), at + (1 << 27) - 4);
        assert_eq!(target(0x5480_0000), at - (1 << 20));
        assert_eq!(target(0x547f_ffe0), at + (1 << 20) - 4);
        assert_eq!(target(0x3604_0000), at - (1 << 15));
        assert_eq!(target(0x3603_ffe0), at + (1 << 15) - 4);
        assert_eq!(target(0x7400_2000), at - (1 << 10));
        assert_eq!(target(0x7400_1fe0), at + (1 << 10) - 4);
    }

    #[test]
    fn reserved_and_truncated() {
        for word in
            [0x0001_0000_u32, 0x0200_0000, 0x0600_0000, 0x5600_0000, 0xd600_0000, 0xd67f_0000, 0xd65e_03c0]
        {
            assert_eq!(decode(8, &word.to_le_bytes()), Err(DecodeError::Invalid { at: 8 }), "{word:#x}");
        }
        for have in 0..=3 {
            assert_eq!(decode(0, &[0; 3][..have]), Err(DecodeError::Truncated { at: 0, have, needed: 4 }));
        }
    }
}
