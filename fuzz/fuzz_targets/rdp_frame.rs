//! Whatever can be read as a debug frame is written as it was, and whatever can be written is read as it was.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use feedrate::Encode;
use feedrate::rdp::frame::{Frame, FrameError, Values};
use feedrate_fuzz::{check_encoding, show};
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, X86_64};

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
}
