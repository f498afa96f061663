//! What RDPv3 promises beside what the simulator shows: the conformance suite's vectors, and the tables of the
//! specification.

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Domains, Error, ErrorCode, Frame, GetStatus, Halt, Registers, Resume};
use feedrate::{Encode, Instant};
use feedrate_rdp::Role;
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, CortexMFp, Return, RiscV32, RiscV64, X86_64};
use feedrate_rdp::host::RegisterSet;
use feedrate_rdp::session::{Checksum, Context, Seal};
use feedrate_testkit::rdp::frames::{VARIABLE, force, heartbeat, release, renew, set_axis};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};
use feedrate_testkit::rdp::vectors::{entries, hex, vectors};
use serde_json::{Value, json};

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert_eq!(frame.encode(&mut bytes), frame.encoded_length());
    bytes
}

fn number(of: &Value) -> u32 {
    of.as_u64().expect("a number").try_into().expect("32 bits")
}

#[test]
fn every_error_code() {
    let specification = include_str!("../src/SPEC.md");
    let table = specification.split("### 6.6 Error codes").nth(1).expect("a section");
    let rows = table.split("\n## ").next().expect("its end").lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        Some((cells.next()?.parse::<u16>().ok()?, cells.next()?))
    });
    let mut count = 0;
    for (number, name) in rows {
        count += 1;
        let code = ErrorCode(number);
        assert_eq!(code.name(), name);
        assert_ne!(code.meaning(), ErrorCode(999).meaning());
        let refused = Error { request: 1 << 31, code, detail: u32::MAX - u32::from(number) };
        let bytes = encoded(&Frame::Error(refused));
        assert_eq!(Frame::read(&bytes), Ok(Frame::Error(refused)));
    }
    assert_eq!(count, 29);
    assert_eq!(ErrorCode(30).name(), ErrorCode(0).name());
}

/// The one thing that was given: it must not grow.
#[test]
fn a_breakpoint_frame_is_eighteen_bytes() {
    for kind in [1, 2, 3, 4, 5] {
        let bytes = [b"GDBP\x01", &[kind][..], &[0; 12]].concat();
        let frame = Frame::read(&bytes).expect("18 bytes");
        assert_eq!((frame.kind(), frame.encoded_length()), (kind, Ok(18)));
    }
}

// --- messages

#[test]
fn messages() {
    let vectors = vectors("messages.json");
    let nonce = |of: &Value| <[u8; 16]>::try_from(hex(of)).expect("16 bytes");
    for entry in entries(&vectors["messages"]) {
        let name = &entry["name"];
        let message = hex(&entry["message"]);
        let short = message.len() < 8 + 6 + 4;
        assert_eq!(short, entry["tag"] == "short", "{name}");
        if short {
            continue;
        }
        let (sender, channel) = (
            if entry["direction"] == 0 { Role::Host } else { Role::Agent },
            if entry["channel"] == 0 { Channel::Urgent } else { Channel::Ordinary },
        );
        let mut seal = Checksum::new();
        seal.bind(&nonce(&entry["host_nonce"]), &nonce(&entry["device_nonce"]));
        let (header, rest) = message.split_first_chunk().expect("8 bytes");
        let (frame, tag) = rest.split_at(rest.len() - 4);
        let context = Context { sender, channel, header: *header };
        let intact = seal.open(&context, &mut frame.to_vec(), tag);
        assert_eq!(intact, entry["tag"] == "ok", "{name}");
        if intact {
            let [a, b, c, d, e, f, g, h] = *header;
            let read = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
            assert_eq!(read, [number(&entry["sequence"]), number(&entry["time"])], "{name}");
            assert_eq!(frame, hex(&entry["frame"]), "{name}");
            let mut again = [0; 4];
            seal.seal(&context, &mut frame.to_vec(), &mut again);
            assert_eq!(again, tag, "{name}");
        }
    }
}

/// What an agent makes of sequences and times: it is told when a message arrives, and when it runs.
#[test]
fn order() {
    let vectors = vectors("messages.json");
    for entry in entries(&vectors["order"]) {
        let steps = entries(&entry["steps"]);
        // Where the time goes back from one step to the next, they are of sessions of their own.
        for steps in steps.chunk_by(|a, b| number(&a["executed"]) <= number(&b["arrived"])) {
            in_order(&entry["name"], number(&entry["tolerance"]) as u16, steps);
        }
    }
}

fn in_order(name: &Value, tolerance: u16, steps: &[Value]) {
    let config = CONFIG.heartbeat(60_000).loss(60_000).tolerance(tolerance).stall(60_000).lease(600_000);
    let mut rig = Rig::with(config);
    rig.connect();
    // The clock begins with Welcome; nothing is said but what is in the vectors.
    rig.lives = false;
    let began = rig.now.as_millis() + 1;
    rig.handshake(&token(Domains::ALL, 3_600)).expect("a session");
    let at = |clock: &Value| Instant::from_millis(began + u64::from(number(clock)) * 10);
    for step in steps {
        let frame = match step["kind"].as_str().expect("a name") {
            "GetStatus" => Frame::GetStatus(GetStatus),
            "Resume" => Frame::Resume(Resume),
            "Halt" => Frame::Halt(Halt),
            "Heartbeat" => heartbeat(0),
            "Force" => force(VARIABLE, 10_000),
            "Renew" => renew(VARIABLE, 10_000),
            "Release" => release(VARIABLE),
            "SetAxis" => set_axis(0, 1),
            other => panic!("{other}"),
        };
        let channel = if step["channel"] == 0 { Channel::Urgent } else { Channel::Ordinary };
        let sequence = number(&step["sequence"]);
        rig.said.clear();
        rig.now = rig.now.max(at(&step["arrived"]));
        rig.put_as(channel, sequence, number(&step["time"]), &frame);
        rig.now = rig.now.max(at(&step["executed"]));
        rig.run_as_it_is();
        let found = rig.said.iter().find_map(|said| match said.frame() {
            Frame::Error(error) if error.request == sequence => Some(error.code.0),
            frame if frame.request() == Some(sequence) => Some(0),
            _ => None,
        });
        let found = match found {
            None => "replay",
            Some(8) => "stale",
            Some(9) => "disordered",
            Some(_) => "new",
        };
        // A Heartbeat is never answered.
        let expected =
            if step["kind"] == "Heartbeat" { "replay" } else { step["verdict"].as_str().expect("a word") };
        assert_eq!(found, expected, "{name}: {step}");
    }
}

// --- registers

#[test]
fn registers() {
    fn check<A: Arch>(architecture: u64, vectors: &Value) {
        let named = |registers: &Value| {
            let mut set = A::ZERO;
            let mut mask = 0_u64;
            for (name, value) in registers.as_object().expect("names") {
                let i = A::NAMES.iter().position(|known| known == name).expect("a register");
                set.as_mut()[i] = value.as_u64().expect("a number");
                mask |= 1 << i;
            }
            (set, mask)
        };
        let frame = |mask: u64, values: &Value| {
            [&b"GDBP\x01\x98\0\0\0\x07\0\0\0\x01"[..], &mask.to_be_bytes(), &hex(values)].concat()
        };
        let mine = |list: &'static str| {
            entries(&vectors[list]).iter().filter(move |entry| entry["architecture"] == architecture)
        };
        let about = entries(&vectors["architectures"])
            .iter()
            .find(|entry| entry["number"] == architecture)
            .expect("known");
        let link = match A::RETURN {
            Return::Link { register, .. } => json!(register),
            Return::Stack => Value::Null,
        };
        assert_eq!(
            [json!(A::WIDTH), json!(A::PC), json!(A::SP), link, json!(A::NAMES)],
            ["width", "pc", "sp", "link", "registers"].map(|what| about[what].clone())
        );
        assert_eq!(u64::from(A::ID), architecture);
        for entry in mine("sets") {
            let mask = entry["mask"].as_u64().expect("a number");
            let (expected, names) = named(&entry["registers"]);
            let bytes = frame(mask, &entry["values"]);
            let Ok(Frame::Registers(read)) = Frame::read(&bytes) else { panic!("{entry}") };
            let mut set = A::ZERO;
            assert!(A::unpack(&read.values, &mut set), "{entry}");
            assert_eq!((&set, names), (&expected, mask));
            let values = A::values(mask, &set);
            assert_eq!(values, read.values);
            assert_eq!(encoded(&Frame::Registers(Registers { values, ..read })), bytes);
        }
        for entry in mine("malformed") {
            let bytes = frame(entry["mask"].as_u64().expect("a number"), &entry["values"]);
            let mut set = A::ZERO;
            let fits = match Frame::read(&bytes) {
                Ok(Frame::Registers(read)) => A::unpack(&read.values, &mut set),
                _ => false,
            };
            assert!(!fits && set == A::ZERO, "{entry}");
        }
        for entry in mine("deltas") {
            let mut known = RegisterSet::of::<A>();
            for step in entries(&entry["steps"]) {
                let mut bytes = frame(step["mask"].as_u64().expect("a number"), &step["values"]);
                bytes[10..14].copy_from_slice(&number(&step["capture"]).to_be_bytes());
                let Ok(Frame::Registers(read)) = Frame::read(&bytes) else { panic!("{entry}") };
                assert!(known.registers(&read), "{entry}");
                let (expected, mask) = named(&step["registers"]);
                let found: Vec<_> = (0..A::NAMES.len()).map(|i| known.get(i)).collect();
                let expected: Vec<_> = (0..A::NAMES.len())
                    .map(|i| Some(expected.as_ref()[i]).filter(|_| mask >> i & 1 == 1))
                    .collect();
                assert_eq!(found, expected, "{step}");
            }
        }
    }
    let vectors = vectors("registers.json");
    check::<CortexM>(1, &vectors);
    check::<Aarch64>(2, &vectors);
    check::<X86_64>(3, &vectors);
    check::<CortexMFp>(4, &vectors);
    check::<RiscV32>(5, &vectors);
    check::<RiscV64>(6, &vectors);
}
