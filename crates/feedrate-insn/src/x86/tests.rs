use std::vec::Vec;

use super::*;

/// The instruction in these hexadecimal digits, at 0x1000, with others after it.
fn at_1000(hex: &str) -> Result<Insn, DecodeError> {
    let mut bytes = from_hex(hex);
    let alone = decode(0x1000, &bytes);
    bytes.extend([0xcc; 16]);
    assert_eq!(decode(0x1000, &bytes), alone, "{hex}");
    alone
}

fn from_hex(hex: &str) -> Vec<u8> {
    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn is(hex: &str, flow: Flow) {
    let length = u8::try_from(from_hex(hex).len()).unwrap();
    assert_eq!(at_1000(hex), Ok(Insn { length, flow }), "{hex}");
}

#[test]
fn the_five_opcodes_of_the_sketch() {
    is("e8 10 00 00 00", Flow::Call(0x1015));
    is("e9 fb ff ff ff", Flow::Jump(0x1000));
    is("c3", Flow::Return);
    is("cb", Flow::Return);
    // And with prefixes before them.
    is("48 e8 00 00 00 00", Flow::Call(0x1006));
    is("66 48 e8 00 00 00 00", Flow::Call(0x1007));
    is("f2 e9 00 00 00 80", Flow::Jump(0x1006_u64.wrapping_sub(0x8000_0000)));
    is("f3 c3", Flow::Return);
    is("48 cb", Flow::Return);
}

#[test]
fn branches() {
    is("eb fe", Flow::Jump(0x1000));
    is("75 10", Flow::Conditional(0x1012));
    is("2e 74 80", Flow::Conditional(0x0f83));
    is("0f 84 00 01 00 00", Flow::Conditional(0x1106));
    is("66 0f 84 00 01 00 00", Flow::Conditional(0x1107));
    is("e3 00", Flow::Conditional(0x1002)); // jrcxz
    is("67 e3 00", Flow::Conditional(0x1003)); // jecxz
    is("e2 f0", Flow::Conditional(0x0ff2)); // loop
    is("c7 f8 00 01 00 00", Flow::Conditional(0x1106)); // xbegin
    is("66 c7 f8 fb ff", Flow::Conditional(0x1000));
    is("ff d0", Flow::IndirectCall); // call *%rax
    is("41 ff d3", Flow::IndirectCall);
    is("ff 15 00 00 00 00", Flow::IndirectCall); // call *0(%rip)
    is("ff 14 c5 00 00 00 00", Flow::IndirectCall);
    is("ff 1c 24", Flow::IndirectCall); // lcall *(%rsp)
    is("3e ff e0", Flow::IndirectJump); // notrack jmp *%rax
    is("ff 25 00 00 00 00", Flow::IndirectJump);
    is("48 ff 2c 24", Flow::IndirectJump); // ljmp
    is("ff 34 24", Flow::Sequential); // push
}

#[test]
fn returns_and_traps() {
    for hex in [
        "c2 08 00",
        "ca 08 00",
        "48 cf",
        "48 0f 07",
        "0f 35",
        "0f aa",
        "f3 0f 01 ec",
        "f3 0f 01 ca",
        "f2 0f 01 ca",
    ] {
        is(hex, Flow::Return);
    }
    for hex in ["cc", "cd 80", "f1", "f4", "0f 05", "0f 34", "0f 0b", "0f b9 c0", "0f ff c0"] {
        is(hex, Flow::Trap);
    }
    for hex in ["0f 01 c1", "0f 01 c2", "0f 01 d9", "f3 0f 01 d9", "0f 01 d7", "66 0f 01 cc", "66 0f 01 cf"] {
        is(hex, Flow::Trap);
    }
    // clac, wrmsr, xgetbv, lgdt, mwait
    for hex in ["0f 01 ca", "0f 30", "0f 01 d0", "0f 01 10", "0f 01 c9"] {
        is(hex, Flow::Sequential);
    }
}

#[test]
fn lengths() {
    for hex in [
        "90",
        "f3 0f 1e fa",                                  // endbr64
        "66 2e 0f 1f 84 00 00 00 00 00",                // nopw
        "48 b8 01 02 03 04 05 06 07 08",                // movabs
        "66 b8 01 02",                                  // mov ax
        "b8 01 02 03 04",                               // mov eax
        "a1 01 02 03 04 05 06 07 08",                   // movabs eax, [..]
        "67 a1 01 02 03 04",                            // with a 32-bit address
        "66 81 c0 01 02",                               // add ax
        "66 48 81 c0 01 02 03 04",                      // REX.W outweighs 66
        "48 66 81 c0 01 02",                            // a REX that is not last does not
        "f6 c0 01",                                     // test
        "f6 d0",                                        // not
        "66 f7 c0 01 02",                               // test
        "f7 c0 01 02 03 04",                            // test
        "f7 f8",                                        // idiv
        "c8 10 00 01",                                  // enter
        "8f 00",                                        // pop
        "0f 20 44",                                     // mov cr0: ModRM.mod does not count
        "0f a4 c1 05",                                  // shld
        "0f 0f c1 9e",                                  // pfadd
        "66 0f 78 c0 01 02",                            // extrq
        "f2 0f 78 c1 01 02",                            // insertq
        "0f 78 c1",                                     // vmread
        "66 0f 38 00 c1",                               // pshufb
        "66 0f 3a 0f c1 05",                            // palignr
        "c5 f8 77",                                     // vzeroupper
        "c5 f9 70 c1 05",                               // vpshufd
        "c4 e2 7d 58 04 25 00 00 00 00",                // vpbroadcastd
        "c4 e3 7d 39 c1 01",                            // vextracti128
        "c4 e7 7b f8 c0 01 02 03 04",                   // urdmsr
        "62 f1 7c 48 58 44 24 01",                      // vaddps zmm
        "62 f3 75 48 25 c2 ff",                         // vpternlogd
        "62 f5 7c 48 58 c1",                            // vaddph
        "62 f6 7d 48 98 c1",                            // vfmadd132ph
        "8f e8 78 c2 c1 05",                            // vprotd
        "8f e9 78 81 c0",                               // vfrczpd
        "8f ea 78 10 c0 01 02 03 04",                   // bextr
        "64 48 8b 04 25 28 00 00 00",                   // mov rax, fs:40
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", // 15 bytes
    ] {
        is(hex, Flow::Sequential);
    }
}

#[test]
fn invalid() {
    for hex in [
        "06", "0e", "27", "60", "82", "9a", "d4", "d5", "d6", "ea", "0f 04", "0f 0a", "0f 24", "ff f8",
        "ff d8", "ff e8",
    ] {
        assert_eq!(at_1000(hex), Err(DecodeError::Invalid { at: 0x1000 }), "{hex}");
    }
    // Prefixes that VEX, EVEX and XOP replace; and maps there are none of.
    for hex in [
        "66 c5 f8 77",
        "48 c5 f8 77",
        "f3 62 f1 7c 48 58 c1",
        "f0 8f e9 78 81 c0",
        "c4 e0 78 58 c1",
        "62 f4 7c 48 58 c1",
    ] {
        assert_eq!(at_1000(hex), Err(DecodeError::Invalid { at: 0x1000 }), "{hex}");
    }
    let prefixes = [0x66; 32];
    assert_eq!(decode(0x1000, &prefixes), Err(DecodeError::TooLong { at: 0x1000 }));
    let mut long = [0x66; 15];
    long[11] = 0xe8;
    assert_eq!(decode(0x1000, &long), Err(DecodeError::TooLong { at: 0x1000 }));
}

#[test]
fn truncated() {
    for hex in [
        "e8 10 00 00 00",
        "66 48 81 84 25 00 00 00 00 01 02 03 04",
        "c4 e3 7d 39 c1 01",
        "62 f1 7c 48 58 44 24 01",
        "8f e8 78 c2 c1 05",
    ] {
        let bytes = from_hex(hex);
        for have in 0..bytes.len() {
            // Asking for what is needed, again and again, ends at the whole.
            match decode(0, &bytes[..have]) {
                Err(DecodeError::Truncated { at: 0, have: said, needed }) => {
                    assert!(
                        said == have && needed > have && needed <= bytes.len(),
                        "{hex}, {have}: {needed}"
                    );
                }
                other => panic!("{hex}, {have}: {other:?}"),
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes(at: u64, bytes: [u8; 24], cut in 0_usize..24) {
        let cut = &bytes[..cut];
        let whole = decode(at, &bytes);
        match decode(at, cut) {
            Ok(insn) => {
                assert!((1..=15).contains(&insn.length) && usize::from(insn.length) <= cut.len());
                assert_eq!(whole, Ok(insn));
            }
            Err(DecodeError::Truncated { have, needed, .. }) => {
                assert!(have == cut.len() && needed > have && needed <= 15);
                // What was told of it holds.
                if let Ok(insn) = whole {
                    assert!(needed <= usize::from(insn.length));
                }
            }
            Err(error) => assert_eq!(whole, Err(error)),
        }
    }
}
