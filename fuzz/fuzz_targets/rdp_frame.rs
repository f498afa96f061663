//! Whatever can be read as a debug frame is written as it was, and whatever can be written is read as it was.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use feedrate::Encode;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Frame, FrameError, Values};
use feedrate_fuzz::{check_encoding, show};
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, CortexMFp, RiscV32, RiscV64, X86_64};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(data);
    // The header is not what is to be found out.
    check(&[b"GDBP\x01", data].concat());
    if let Ok(frame) = Frame::arbitrary(&mut Unstructured::new(data)) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        assert_eq!(Frame::read(&bytes), Ok(frame));
    }
});

fn check(bytes: &[u8]) {
    match Frame::read(bytes) {
        Ok(frame) => {
            assert_eq!(frame.kind(), bytes[5]);
            check_encoding(&frame, bytes);
            show(frame);
            sides(bytes, frame);
            match frame {
                Frame::Stopped(stopped) => values(&stopped.values),
                Frame::Registers(registers) => values(&registers.values),
                _ => {}
            }
        }
        Err(FrameError::Malformed { kind, .. }) => assert_eq!(kind, bytes[5]),
        Err(FrameError::Version(version)) => assert!(version == bytes[4] && version != 1),
        Err(_) => assert!(bytes.len() < 6 || !bytes.starts_with(b"GDBP")),
    }
}

/// A host and an agent read what the other one sends, as it is.
fn sides(bytes: &[u8], frame: Frame<'_>) {
    let kind = frame.kind();
    let unknown = Frame::Unknown { kind, body: &bytes[6..] };
    // Heartbeat, Bye and SealRecord are sent by both.
    let both = (0x42..=0x44).contains(&kind);
    let from_host = if kind < 0x80 { frame } else { unknown };
    let from_agent = if kind < 0x80 && !both { unknown } else { frame };
    assert_eq!(Frame::read_from_host(bytes), Ok(from_host));
    assert_eq!(Frame::read_from_agent(bytes), Ok(from_agent));
    assert!(frame.channel().is_none_or(|channel| Channel::of_kind(kind) == Some(channel)));
    assert!(frame.request().is_none() || kind >= 0x80);
}

fn values(values: &Values<'_>) {
    fn unpack<A: Arch>(values: &Values<'_>) {
        let mut set = A::ZERO;
        if A::unpack(values, &mut set) {
            assert!(A::NAMES.len() == 64 || values.mask() >> A::NAMES.len() == 0);
            assert_eq!(*values, A::values(values.mask(), &set));
        } else {
            assert_eq!(set, A::ZERO);
        }
    }
    unpack::<CortexM>(values);
    unpack::<Aarch64>(values);
    unpack::<X86_64>(values);
    unpack::<CortexMFp>(values);
    unpack::<RiscV32>(values);
    unpack::<RiscV64>(values);
}
