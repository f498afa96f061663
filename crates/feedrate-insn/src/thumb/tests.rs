use std::vec;
use std::vec::Vec;

use super::*;

const T: u32 = 1 << 24;
const Z: u32 = 1 << 30;
const C: u32 = 1 << 29;
const PC: u32 = 0x2000_0100;

fn bytes(halfwords: &[u16]) -> Vec<u8> {
    halfwords.iter().flat_map(|halfword| halfword.to_le_bytes()).collect()
}

fn flow(halfwords: &[u16]) -> Flow {
    let insn = decode(0x1000, &bytes(halfwords)).unwrap();
    assert_eq!(usize::from(insn.length), halfwords.len() * 2, "{halfwords:04x?}");
    insn.flow
}

// --- decode

#[test]
fn narrow_classes() {
    for (halfword, expected) in [
        (0xe7fe, Flow::Jump(0x1000)),
        (0xe3ff, Flow::Jump(0x1802)),
        (0xe400, Flow::Jump(0x0804)),
        (0xd0fe, Flow::Conditional(0x1000)),
        (0xdd7f, Flow::Conditional(0x1102)),
        (0xd180, Flow::Conditional(0x0f04)),
        (0xb100, Flow::Conditional(0x1004)), // cbz r0
        (0xbbff, Flow::Conditional(0x1082)), // cbnz r7
        (0x4770, Flow::Return),              // bx lr
        (0x4774, Flow::Return),              // bxns lr
        (0x46f7, Flow::Return),              // mov pc, lr
        (0xbd00, Flow::Return),              // pop {pc}
        (0xbdff, Flow::Return),
        (0x4718, Flow::IndirectJump), // bx r3
        (0x4778, Flow::IndirectJump), // bx pc
        (0x469f, Flow::IndirectJump), // mov pc, r3
        (0x449f, Flow::IndirectJump), // add pc, r3
        (0x4798, Flow::IndirectCall), // blx r3
        (0x47f0, Flow::IndirectCall), // blx lr
        (0xbe00, Flow::Trap),
        (0xde00, Flow::Trap),
        (0xdf12, Flow::Trap),
        (0xba81, Flow::Trap),       // hlt
        (0xbc0f, Flow::Sequential), // pop without pc
        (0xb500, Flow::Sequential), // push {lr}
        (0xbf08, Flow::Sequential), // it eq
        (0xbf30, Flow::Sequential), // wfi
        (0xb672, Flow::Sequential), // cpsid i
        (0x46f0, Flow::Sequential), // mov r8, lr
        (0x449e, Flow::Sequential), // add lr, r3
        (0x459f, Flow::Sequential), // cmp pc, r3
        (0xc8ff, Flow::Sequential), // ldmia r0!
    ] {
        assert_eq!(flow(&[halfword]), expected, "{halfword:#x}");
    }
}

#[test]
fn wide_classes() {
    for (halfwords, expected) in [
        ([0xf000, 0xf800], Flow::Call(0x1004)),
        ([0xf7ff, 0xfffe], Flow::Call(0x1000)),
        ([0xf3ff, 0xd7ff], Flow::Call(0x0100_1002)),
        ([0xf400, 0xd000], Flow::Call(0xff00_1004)),
        ([0xf000, 0xe800], Flow::Call(0x1004)), // blx
        ([0xf7ff, 0xbffe], Flow::Jump(0x1000)),
        ([0xf000, 0x8000], Flow::Conditional(0x1004)), // beq.w
        ([0xf47f, 0xaffe], Flow::Conditional(0x1000)), // bne.w
        ([0xf33f, 0xafff], Flow::Conditional(0x10_1002)),
        ([0xe8bd, 0x8010], Flow::Return),       // pop.w {r4, pc}
        ([0xe890, 0x8001], Flow::Return),       // ldmia r0, {r0, pc}
        ([0xe930, 0x8006], Flow::Return),       // ldmdb r0!, {r1, r2, pc}
        ([0xf85d, 0xfb04], Flow::Return),       // pop.w {pc}
        ([0xf85d, 0xfb08], Flow::Return),       // ldr pc, [sp], #8
        ([0xf3de, 0x8f00], Flow::Return),       // eret
        ([0xf3de, 0x8f04], Flow::Return),       // subs pc, lr, #4
        ([0xe9bd, 0xc000], Flow::Return),       // rfeia sp!
        ([0xf8d0, 0xf004], Flow::IndirectJump), // ldr pc, [r0, #4]
        ([0xf8df, 0xf004], Flow::IndirectJump), // ldr pc, literal
        ([0xf850, 0xf021], Flow::IndirectJump), // ldr pc, [r0, r1, lsl #2]
        ([0xf8dd, 0xf004], Flow::IndirectJump), // ldr pc, [sp, #4]
        ([0xe8d0, 0xf001], Flow::IndirectJump), // tbb
        ([0xe8df, 0xf011], Flow::IndirectJump), // tbh
        ([0xf3c1, 0x8f00], Flow::IndirectJump), // bxj
        ([0xf7f0, 0xa000], Flow::Trap),         // udf.w
        ([0xf7f0, 0x8000], Flow::Trap),         // smc
        ([0xe8bd, 0x4010], Flow::Sequential),   // pop.w {r4, lr}
        ([0xe92d, 0x4010], Flow::Sequential),   // push.w
        ([0xf890, 0xf004], Flow::Sequential),   // pld
        ([0xf3bf, 0x8f6f], Flow::Sequential),   // isb
        ([0xf3ef, 0x8010], Flow::Sequential),   // mrs
        ([0xf380, 0x8810], Flow::Sequential),   // msr
        ([0xf3af, 0x8000], Flow::Sequential),   // nop.w
        ([0xe8d0, 0x0f4f], Flow::Sequential),   // ldrexb
        ([0xe850, 0x0f00], Flow::Sequential),   // ldrex
        ([0xeef1, 0xfa10], Flow::Sequential),   // vmrs apsr
        ([0xecbd, 0x8b02], Flow::Sequential),   // vpop
        ([0xfbb0, 0xf0f1], Flow::Sequential),   // udiv
        ([0xf1b0, 0x0f01], Flow::Sequential),   // cmp.w
    ] {
        assert_eq!(flow(&halfwords), expected, "{halfwords:04x?}");
    }
}

#[test]
fn an_address_has_32_bits_and_no_mark() {
    assert_eq!(decode(0xffff_ffff, &bytes(&[0xe000])).unwrap().flow, Flow::Jump(2));
    assert_eq!(decode(0x1_0000_0001, &bytes(&[0xe7fe])).unwrap().flow, Flow::Jump(0));
}

/// All first halfwords, with many second ones, and cut short.
#[test]
fn every_halfword() {
    for first in 0..=u16::MAX {
        let [a, b] = first.to_le_bytes();
        assert_eq!(decode(4, &[]), Err(DecodeError::Truncated { at: 4, have: 0, needed: 2 }));
        assert_eq!(decode(4, &[a]), Err(DecodeError::Truncated { at: 4, have: 1, needed: 2 }));
        if first < 0xe800 {
            let alone = decode(4, &[a, b]);
            assert!(matches!(alone, Ok(Insn { length: 2, .. }) | Err(DecodeError::Invalid { at: 4 })));
            assert_eq!(decode(4, &[a, b, 0xff, 0xff]), alone);
            continue;
        }
        for cut in [&[a, b][..], &[a, b, 0]] {
            assert_eq!(decode(4, cut), Err(DecodeError::Truncated { at: 4, have: cut.len(), needed: 4 }));
        }
        for second in (0..=u16::MAX).step_by(257) {
            let [c, d] = second.to_le_bytes();
            let decoded = decode(4, &[a, b, c, d, 0]);
            assert!(matches!(decoded, Ok(Insn { length: 4, .. }) | Err(DecodeError::Invalid { at: 4 })));
        }
    }
}

// --- next

/// A small machine: code at PC, words elsewhere.
struct Machine {
    registers: Registers,
    memory: Vec<(u32, Vec<u8>)>,
}

fn machine(code: &[u16]) -> Machine {
    let mut low = [0; 13];
    for (n, register) in (0_u32..).zip(&mut low) {
        *register = 0x3000_0000 + (n << 8);
    }
    let registers = Registers { low, sp: 0x2000_8000, lr: 0x2000_0201, pc: PC, xpsr: T };
    Machine { registers, memory: vec![(PC, bytes(code))] }
}

impl Machine {
    fn xpsr(mut self, bits: u32) -> Self {
        self.registers.xpsr = T | bits;
        self
    }

    fn r(mut self, n: usize, value: u32) -> Self {
        self.registers.low[n] = value;
        self
    }

    fn word(mut self, address: u32, value: u32) -> Self {
        self.memory.push((address, value.to_le_bytes().to_vec()));
        self
    }

    fn next(&self) -> Result<Next, StepError> {
        next(&self.registers, |address, to| {
            for (start, bytes) in &self.memory {
                let from = usize::try_from(address.wrapping_sub(*start)).unwrap();
                if let Some(from) = bytes.get(from..).and_then(|from| from.get(..to.len())) {
                    to.copy_from_slice(from);
                    return true;
                }
            }
            false
        })
    }

    /// It is run, with a trap there.
    fn runs_to(&self, pc: u32) {
        let expected = Next { pc, xpsr: self.registers.xpsr, executes: true, run: Some(self.registers.xpsr) };
        assert_eq!(self.next(), Ok(expected));
    }

    /// There is nothing to run.
    fn goes_to(&self, pc: u32) {
        assert_eq!(self.next(), Ok(Next { pc, xpsr: self.registers.xpsr, executes: true, run: None }));
    }
}

#[test]
fn sequential() {
    machine(&[0x1c40]).runs_to(PC + 2); // adds r0, r0, #1
    machine(&[0xf100, 0x0001]).runs_to(PC + 4); // add.w
    machine(&[0xbf00]).runs_to(PC + 2); // nop
    machine(&[0xb510]).runs_to(PC + 2); // push
    let mut odd = machine(&[0x1c40]);
    odd.registers.pc |= 1;
    odd.runs_to(PC + 2);
}

#[test]
fn every_condition_with_every_flag() {
    for flags in 0..16_u32 {
        let (n, z, c, v) = (flags & 8 != 0, flags & 4 != 0, flags & 2 != 0, flags & 1 != 0);
        // As the manual's table says it, one by one.
        let holds = [z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v];
        for (condition, &holds) in (0_u16..).zip(&holds) {
            let pc = if holds { PC + 4 + 0x20 } else { PC + 2 };
            machine(&[0xd010 | condition << 8]).xpsr(flags << 28).goes_to(pc);
            let pc = if holds { PC + 4 + 0x20 } else { PC + 4 };
            machine(&[0xf000 | condition << 6, 0x8010]).xpsr(flags << 28).goes_to(pc);
            // As in an IT block.
            let it = ItState::from_bits(u8::try_from(condition << 4 | 8).unwrap());
            let xpsr = it.put(T | flags << 28);
            assert_eq!(it.passes(xpsr), holds);
            let next = machine(&[0x3001]).xpsr(xpsr).next().unwrap();
            assert_eq!(next.pc, PC + 2);
            assert_eq!(next.executes, holds);
            assert_eq!(next.xpsr, T | flags << 28);
            assert_eq!(next.run, holds.then(|| ItState::from_bits(0xe8).put(xpsr)));
        }
        // Always.
        assert!(ItState::from_bits(0xe8).passes(flags << 28));
    }
}

#[test]
fn direct_branches() {
    machine(&[0xe7fe]).goes_to(PC); // b . needs no trap
    machine(&[0xe010]).goes_to(PC + 0x24);
    machine(&[0xf000, 0xb810]).goes_to(PC + 0x24);
    machine(&[0xf000, 0xf810]).runs_to(PC + 0x24); // bl
    machine(&[0xf7ff, 0xff80]).runs_to(PC - 0xfc);
    for (halfword, r0, taken) in
        [(0xb110, 0, true), (0xb110, 1, false), (0xb910, 0, false), (0xb910, 1 << 31, true)]
    {
        machine(&[halfword]).r(0, r0).goes_to(if taken { PC + 8 } else { PC + 2 });
    }
    machine(&[0xb197]).r(7, 0).goes_to(PC + 4 + 36);
}

#[test]
fn registers_to_pc() {
    machine(&[0x4770]).goes_to(0x2000_0200); // bx lr
    machine(&[0x4718]).r(3, 0x0800_0001).goes_to(0x0800_0000); // bx r3
    machine(&[0x4760]).r(12, 0x0800_0041).goes_to(0x0800_0040); // bx r12
    machine(&[0x4798]).r(3, 0x0800_0001).runs_to(0x0800_0000); // blx r3
    machine(&[0x47f0]).runs_to(0x2000_0200); // blx lr
    // These do not look at bit 0.
    machine(&[0x469f]).r(3, 0x0800_0000).goes_to(0x0800_0000); // mov pc, r3
    machine(&[0x469f]).r(3, 0x0800_0003).goes_to(0x0800_0002);
    machine(&[0x46f7]).goes_to(0x2000_0200); // mov pc, lr
    machine(&[0x46ff]).goes_to(PC + 4); // mov pc, pc
    machine(&[0x449f]).r(3, 0x10).goes_to(PC + 0x14); // add pc, r3
    machine(&[0x449f]).r(3, 0xffff_ff01).goes_to(PC - 0xfc);
}

#[test]
fn memory_to_pc() {
    let sp = 0x2000_8000;
    let to = 0x0800_0101;
    machine(&[0xbd00]).word(sp, to).runs_to(0x0800_0100); // pop {pc}
    machine(&[0xbdf0]).word(sp + 16, to).runs_to(0x0800_0100); // pop {r4-r7, pc}
    machine(&[0xe8bd, 0x9ff0]).word(sp + 36, to).runs_to(0x0800_0100); // pop.w {r4-r12, pc}
    machine(&[0xf85d, 0xfb04]).word(sp, to).runs_to(0x0800_0100); // pop.w {pc}
    machine(&[0xf85d, 0xfb08]).word(sp, to).runs_to(0x0800_0100); // ldr pc, [sp], #8
    let r1 = 0x3000_0100;
    machine(&[0xe891, 0x8005]).word(r1 + 8, to).runs_to(0x0800_0100); // ldmia r1, {r0, r2, pc}
    machine(&[0xe8b1, 0x8005]).word(r1 + 8, to).runs_to(0x0800_0100); // with !
    machine(&[0xe911, 0x8005]).word(r1 - 4, to).runs_to(0x0800_0100); // ldmdb
    machine(&[0xe931, 0x8005]).word(r1 - 4, to).runs_to(0x0800_0100);
    machine(&[0xf8d1, 0xf123]).word(r1 + 0x123, to).runs_to(0x0800_0100); // ldr pc, [r1, #0x123]
    machine(&[0xf8df, 0xf008]).word(PC + 12, to).runs_to(0x0800_0100); // [pc, #8]
    machine(&[0xf85f, 0xf008]).word(PC - 4, to).runs_to(0x0800_0100); // [pc, #-8]
    machine(&[0xf851, 0xfc10]).word(r1 - 0x10, to).runs_to(0x0800_0100); // [r1, #-16]
    machine(&[0xf851, 0xfd10]).word(r1 - 0x10, to).runs_to(0x0800_0100); // [r1, #-16]!
    machine(&[0xf851, 0xff10]).word(r1 + 0x10, to).runs_to(0x0800_0100); // [r1, #16]!
    machine(&[0xf851, 0xfb10]).word(r1, to).runs_to(0x0800_0100); // [r1], #16
    machine(&[0xf851, 0xf910]).word(r1, to).runs_to(0x0800_0100); // [r1], #-16
    machine(&[0xf851, 0xf002]).r(2, 8).word(r1 + 8, to).runs_to(0x0800_0100); // [r1, r2]
    machine(&[0xf851, 0xf032]).r(2, 2).word(r1 + 16, to).runs_to(0x0800_0100); // [r1, r2, lsl #3]
    // A literal's base is a multiple of 4.
    let mut at_2 = machine(&[]);
    at_2.registers.pc = PC + 2;
    at_2.memory = vec![(PC + 2, bytes(&[0xf8df, 0xf008]))];
    at_2.word(PC + 12, to).runs_to(0x0800_0100);
    // A stack pointer that a program has left askew is as it is.
    let missing = machine(&[0xbd00]).next();
    assert_eq!(missing, Err(StepError::Memory { pc: PC, address: sp, length: 4 }));
}

#[test]
fn tables() {
    let table = 0x3000_0100;
    let base = PC + 4;
    machine(&[0xe8d1, 0xf002]).r(2, 2).word(table, 0x11_80_22_33).goes_to(base + 0x100); // tbb [r1, r2]
    machine(&[0xe8d1, 0xf002]).r(2, 3).word(table, 0xff_80_22_33).goes_to(base + 0x1fe);
    machine(&[0xe8d1, 0xf012]).r(2, 1).word(table, 0x8123_0000).goes_to(base + 0x1_0246); // tbh
    // The table after the instruction, as compilers have it.
    machine(&[0xe8df, 0xf002, 0x0302]).r(2, 1).goes_to(base + 6);
    machine(&[0xe8df, 0xf012, 0x0005, 0x0007]).r(2, 1).goes_to(base + 14);
    let missing = machine(&[0xe8d1, 0xf012]).r(2, 4).next();
    assert_eq!(missing, Err(StepError::Memory { pc: PC, address: table + 8, length: 2 }));
}

#[test]
fn it_blocks() {
    // ittte eq; four instructions; the last is skipped.
    let mut xpsr = T | Z;
    let next = machine(&[0xbf03]).xpsr(xpsr).next().unwrap();
    assert_eq!((next.pc, next.executes, next.run), (PC + 2, true, None));
    assert_eq!(ItState::of(next.xpsr), ItState::from_bits(0x03));
    assert_eq!(next.xpsr & !0x0600_fc00, xpsr);
    xpsr = next.xpsr;
    for (executes, last) in [(true, false), (true, false), (true, false), (false, true)] {
        let next = machine(&[0xf100, 0x0001]).xpsr(xpsr).next().unwrap();
        assert_eq!((next.pc, next.executes), (PC + 4, executes));
        // What is run and the trap after it are in a block of "always".
        let run = next.run.map(ItState::of);
        assert_eq!(run, executes.then(|| ItState::from_bits(if last { 0xe8 } else { 0xe4 })));
        xpsr = next.xpsr;
    }
    assert_eq!(xpsr, T | Z);

    // The end of a block: bxeq lr, popne {pc}, beq.w
    let eq = ItState::from_bits(0x08);
    let taken = machine(&[0x4770]).xpsr(eq.put(Z)).next().unwrap();
    assert_eq!((taken.pc, taken.xpsr, taken.executes, taken.run), (0x2000_0200, T | Z, true, None));
    let skipped = machine(&[0x4770]).xpsr(eq.put(0)).next().unwrap();
    assert_eq!((skipped.pc, skipped.xpsr, skipped.executes, skipped.run), (PC + 2, T, false, None));
    let popped = machine(&[0xbd00]).word(0x2000_8000, 0x101).xpsr(eq.put(Z)).next().unwrap();
    assert_eq!(
        (popped.pc, popped.xpsr, popped.run),
        (0x100, T | Z, Some(T | ItState::from_bits(0xe8).put(Z)))
    );
    let jumped = machine(&[0xf000, 0xb810]).xpsr(eq.put(0)).next().unwrap();
    assert_eq!((jumped.pc, jumped.executes), (PC + 4, false));
    // What is not run cannot fail: SVC, and a load from nowhere.
    assert_eq!(machine(&[0xdf00]).xpsr(eq.put(0)).next().unwrap().pc, PC + 2);
    assert_eq!(machine(&[0xbd00]).xpsr(eq.put(0)).next().unwrap().pc, PC + 2);
    assert_eq!(machine(&[0xdf00]).xpsr(eq.put(Z)).next(), Err(StepError::Trap { pc: PC }));
    // No condition stops BKPT.
    assert_eq!(machine(&[0xbe00]).xpsr(eq.put(0)).next(), Err(StepError::Trap { pc: PC }));
}

#[test]
fn every_it_state() {
    for bits in 0..=u8::MAX {
        let state = ItState::from_bits(bits);
        assert_eq!(ItState::of(state.put(0xf900_01ff)), state);
        assert_eq!(state.put(0) | 0xf900_01ff, state.put(0xf900_01ff));
        assert_eq!(state.is_active(), bits & 15 != 0);
        // It ends after as many instructions as the mask says.
        let mut steps = 0;
        let mut rest = state;
        while rest.is_active() {
            assert_eq!(rest.condition().unwrap() >> 1, bits >> 5);
            assert_eq!(rest.is_last(), !rest.advance().is_active());
            rest = rest.advance();
            steps += 1;
        }
        let expected = if bits & 15 == 0 { 0 } else { 4 - (bits & 15).trailing_zeros() };
        assert_eq!(steps, expected, "{bits:#x}");
    }
    // An LDM that was interrupted at R5: bits 15 to 12.
    let interrupted = machine(&[0xe8bd, 0x8ff0]).xpsr(5 << 12).word(0x2000_8000 + 32, 0x101);
    let next = interrupted.next().unwrap();
    assert_eq!((next.pc, next.xpsr, next.run), (0x100, T, Some(T | 5 << 12)));
}

#[test]
fn what_cannot_be_stepped() {
    let error = |machine: Machine| machine.next().unwrap_err();
    for trap in [[0xdf00, 0], [0xbe00, 0], [0xde00, 0], [0xf7f0, 0xa000]] {
        assert_eq!(error(machine(&trap)), StepError::Trap { pc: PC });
    }
    let value = 0xffff_fff9;
    let exception = StepError::ExceptionReturn { pc: PC, value };
    assert_eq!(error(machine(&[0x4718]).r(3, value)), exception);
    assert_eq!(error(machine(&[0xbd00]).word(0x2000_8000, value)), exception);
    assert_eq!(error(machine(&[0xe8bd, 0x8010]).word(0x2000_8004, value)), exception);
    assert_eq!(error(machine(&[0xf85d, 0xfb04]).word(0x2000_8000, value)), exception);
    let arm = |target| StepError::ArmState { pc: PC, target };
    assert_eq!(error(machine(&[0x4718]).r(3, 0x0800_0000)), arm(0x0800_0000));
    assert_eq!(error(machine(&[0x4798]).r(3, 0x0800_0000)), arm(0x0800_0000));
    assert_eq!(error(machine(&[0x4778])), arm(PC + 4)); // bx pc
    assert_eq!(error(machine(&[0xbd00]).word(0x2000_8000, 0x100)), arm(0x100));
    assert_eq!(error(machine(&[0xf000, 0xe810])), arm(PC + 0x24)); // blx label
    let mut cleared = machine(&[0xbf00]);
    cleared.registers.xpsr = 0;
    assert_eq!(error(cleared), arm(PC));
    assert_eq!(error(machine(&[0xf7ff, 0xfffe])), StepError::Itself { pc: PC }); // bl .
    assert_eq!(error(machine(&[0xbd00]).word(0x2000_8000, PC | 1)), StepError::Itself { pc: PC });
    for unsupported in
        [[0x471c, 0], [0x479c, 0], [0xf3de, 0x8f00], [0xe9bd, 0xc000], [0xf3c1, 0x8f00], [0xf851, 0xf802]]
    {
        assert_eq!(error(machine(&unsupported)), StepError::Unsupported { pc: PC }, "{unsupported:04x?}");
    }
    assert_eq!(error(machine(&[0xb800])), StepError::Decode(DecodeError::Invalid { at: u64::from(PC) }));
    assert_eq!(error(machine(&[])), StepError::Memory { pc: PC, address: PC, length: 2 });
    assert_eq!(error(machine(&[0xf000])), StepError::Memory { pc: PC, address: PC + 2, length: 2 });
}

/// Wherever it says that an instruction goes, `decode` agrees.
#[test]
fn next_agrees_with_decode() {
    for first in 0..=u16::MAX {
        for second in [0x0000_u16, 0x8000, 0xf000, 0xf800, 0xd123, 0xb456, 0xf004, 0xfb04, 0xffff] {
            let machine = machine(&[first, second]).word(0x2000_8000, 0x101).xpsr(C);
            let Ok(insn) = decode(u64::from(PC), &bytes(&[first, second])) else { continue };
            let Ok(next) = machine.next() else { continue };
            let (pc, after) = (u64::from(next.pc), insn.after(u64::from(PC)));
            match insn.flow {
                Flow::Sequential => assert_eq!(pc, after),
                Flow::Jump(target) | Flow::Call(target) => assert_eq!(pc, target),
                Flow::Conditional(target) => assert!(pc == target || pc == after),
                Flow::Trap => panic!("{first:04x} {second:04x}"),
                _ => {}
            }
            assert_eq!(pc & 1, 0);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_registers_any_memory(low: [u32; 13], sp: u32, lr: u32, pc: u32, xpsr: u32, code: [u8; 4], memory: [u8; 4]) {
        let registers = Registers { low, sp, lr, pc, xpsr: xpsr | T };
        let mut reads = 0;
        let next = next(&registers, |_, to| {
            let from = if reads < 2 { &code[2 * reads..] } else { &memory };
            reads += 1;
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            true
        });
        if let Ok(next) = next {
            assert_eq!(next.pc & 1, 0);
            assert_eq!(next.xpsr_after(registers.xpsr), next.xpsr);
            assert!(next.executes || next.run.is_none());
        }
    }
}
