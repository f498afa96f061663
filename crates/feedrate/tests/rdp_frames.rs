//! RDPv3's debug frames: the conformance suite's vectors, and that what is read is written as it was.

use std::collections::BTreeSet;

use feedrate::Encode;
use feedrate::rdp::frame::{self, Access, Body, Frame, FrameError, RunState, Values};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::vectors::{entries, hex, shown, vectors};
use serde_json::{Value, json};

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert_eq!(frame.encode(&mut bytes), frame.encoded_length());
    bytes
}

/// The fields of a frame, named as the vectors name them.
fn fields(frame: &Frame<'_>) -> Value {
    fn run(state: RunState) -> u8 {
        match state {
            RunState::Running => 1,
            RunState::Stopped => 2,
            RunState::Stepping => 3,
            other => panic!("{other:?}"),
        }
    }
    // A field that is an enumeration, as it is on the wire: the byte at this place behind the frame's header.
    let bytes = encoded(frame);
    let byte = |at: usize| bytes[6 + at];
    let registers = |values: &Values<'_>| {
        // A Cortex-M has seventeen, of four bytes.
        let mut registers = [0; 17];
        assert!(values.unpack(&mut registers, 4), "{values:?}");
        let chosen = registers.iter().enumerate().filter(|(i, _)| values.mask() >> i & 1 == 1);
        shown(&chosen.flat_map(|(_, value)| (*value as u32).to_be_bytes()).collect::<Vec<_>>())
    };
    match *frame {
        Frame::SetBreakpoint(at)
        | Frame::ClearBreakpoint(at)
        | Frame::ListBreakpoints(at)
        | Frame::SetHardwareBreakpoint(at)
        | Frame::SetSoftwareBreakpoint(at) => json!({"addr": at.addr, "id": at.id}),
        Frame::SetWatchpoint(watch) => {
            let access = match watch.access {
                Access::Read => 1,
                Access::Write => 2,
                Access::Any => 3,
            };
            json!({"addr": watch.addr, "id": watch.id, "length": watch.length, "access": access})
        }
        Frame::Step(step) => json!({"count": step.count, "trace": u8::from(step.trace)}),
        Frame::ReadRegisters(read) => json!({"what": u8::from(read.changed)}),
        Frame::ReadMemory(read) => json!({"addr": read.addr, "length": read.length}),
        Frame::Force(force) => json!({
            "addr": force.addr, "lease": force.lease, "fingerprint": shown(&force.fingerprint),
            "value": shown(force.value.as_slice()),
        }),
        Frame::Release(release) => json!({"addr": release.addr, "fingerprint": shown(&release.fingerprint)}),
        Frame::SetAxis(set) => {
            json!({"axis": set.axis, "position": set.position, "fingerprint": shown(&set.fingerprint)})
        }
        Frame::ReadPlc(read) => json!({"first": read.first, "count": read.count}),
        Frame::ReadAudit(read) => json!({"from": read.from, "count": read.count}),
        Frame::PushPolicy(policy) => {
            let rules = policy.rules.zip(0..).map(
                |(rule, i)| json!({"first": rule.first, "last": rule.last, "action": byte(6 + i * 17 + 16)}),
            );
            json!({
                "version": policy.version, "enabled": u8::from(policy.enabled), "rules": rules.collect::<Vec<_>>(),
            })
        }
        Frame::Hello(hello) => json!({
            "lowest_version": hello.lowest, "highest_version": hello.highest, "host_nonce": shown(&hello.nonce),
            "longest_message": hello.longest, "token": shown(hello.token.as_slice()),
        }),
        Frame::Agree(agree) => json!({"crc": agree.crc}),
        Frame::Heartbeat(heartbeat) => json!({"run_state": heartbeat.run.map_or(0, run)}),
        Frame::Bye(bye) => json!({"reason": bye.reason.0}),
        Frame::Done(done) => json!({"request": done.request}),
        Frame::BreakpointSet(set) => json!({"request": set.request, "id": set.id, "slot": set.slot}),
        Frame::Breakpoints(list) => {
            let listed = list.breakpoints.zip(0..).map(|(listed, i)| {
                let trap = byte(6 + i * 17 + 12);
                json!({"id": listed.id, "addr": listed.addr, "trap": trap, "hits": listed.hits})
            });
            json!({
                "request": list.request, "more": u8::from(list.more), "breakpoints": listed.collect::<Vec<_>>(),
            })
        }
        Frame::Stopped(stopped) => json!({
            "request": stopped.request, "reason": byte(4), "more": u8::from(stopped.more), "detail": stopped.detail,
            "capture": stopped.capture, "mask": stopped.values.mask(), "values": registers(&stopped.values),
        }),
        Frame::Registers(answer) => json!({
            "request": answer.request, "capture": answer.capture, "mask": answer.values.mask(),
            "values": registers(&answer.values),
        }),
        Frame::Memory(answer) => {
            json!({"request": answer.request, "addr": answer.addr, "data": shown(answer.data.as_slice())})
        }
        Frame::Status(status) => json!({
            "request": status.request, "run_state": run(status.run), "breakpoints": status.breakpoints,
            "forces": status.forces, "steps_left": status.steps, "policy_version": status.policy,
            "policy_enabled": u8::from(status.enabled), "uptime": status.uptime,
        }),
        Frame::Axes(axes) => {
            json!({"request": axes.request, "positions": axes.positions.collect::<Vec<_>>()})
        }
        Frame::Plc(plc) => {
            json!({"request": plc.request, "first": plc.first, "registers": plc.registers.collect::<Vec<_>>()})
        }
        Frame::Cursor(at) => json!({
            "request": at.request, "program": at.cursor.program, "line": at.cursor.line, "offset": at.cursor.offset,
        }),
        Frame::Audit(audit) => {
            let records = audit.records.map(|record| {
                json!({
                    "index": record.index, "session": record.session, "sequence": record.sequence,
                    "time": record.time, "uptime": record.uptime, "operator": shown(&record.operator),
                    "kind": record.kind, "verdict": record.verdict, "addr": record.addr, "value": record.value,
                })
            });
            json!({
                "request": audit.request, "oldest": audit.oldest, "next": audit.next,
                "records": records.collect::<Vec<_>>(),
            })
        }
        Frame::Metrics(metrics) => {
            let list = metrics.metrics.map(|metric| json!({"metric": metric.metric, "value": metric.value}));
            json!({"request": metrics.request, "metrics": list.collect::<Vec<_>>()})
        }
        Frame::Welcome(welcome) => json!({
            "version": welcome.version, "host_nonce": shown(&welcome.host_nonce),
            "device_nonce": shown(&welcome.device_nonce), "fingerprint": shown(&welcome.fingerprint),
            "architecture": welcome.architecture, "registers": welcome.registers, "axes": welcome.axes,
            "capabilities": welcome.capabilities.0, "longest_message": welcome.longest,
            "breakpoints": welcome.breakpoints, "read_memory": welcome.memory, "forces": welcome.forces,
            "policy_rules": welcome.rules, "heartbeat": welcome.heartbeat, "loss": welcome.loss,
            "tolerance": welcome.tolerance, "authority": welcome.authority.0,
            "name": std::str::from_utf8(welcome.name.as_slice()).expect("UTF-8"),
        }),
        Frame::State(state) => json!({
            "run_state": run(state.run), "axes": state.axes.collect::<Vec<_>>(),
            "plc": state.plc.collect::<Vec<_>>(), "program": state.cursor.program, "line": state.cursor.line,
            "offset": state.cursor.offset,
        }),
        Frame::Error(refused) => {
            json!({"request": refused.request, "code": refused.code.0, "detail": refused.detail})
        }
        _ => json!({}),
    }
}

#[test]
fn frames() {
    let vectors = vectors("frames.json");
    let mut kinds = BTreeSet::new();
    for entry in entries(&vectors["valid"]) {
        let (name, bytes) = (&entry["name"], hex(&entry["frame"]));
        let frame = Frame::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!matches!(frame, Frame::Unknown { .. }), "{name}");
        assert_eq!(json!(frame.kind()), entry["kind"], "{name}");
        assert_eq!(fields(&frame), entry["fields"], "{name}");
        assert_eq!(encoded(&frame), bytes, "{name}");
        kinds.insert(frame.kind());
        // A body is exactly as long as its fields.
        for length in 0..bytes.len() {
            assert!(Frame::read(&bytes[..length]).is_err(), "{name}, {length} bytes of it");
        }
        for more in [0, 1, 0xFF] {
            let longer = [&bytes[..], &[more]].concat();
            assert!(Frame::read(&longer).is_err(), "{name}, and a byte");
        }
    }
    let known = (0..=255).filter(|kind| {
        let frame = [b"GDBP\x01", &[*kind][..]].concat();
        !matches!(Frame::read(&frame), Ok(Frame::Unknown { .. }))
    });
    assert_eq!(kinds.into_iter().collect::<Vec<u8>>(), known.collect::<Vec<u8>>(), "kinds without a vector");

    for entry in entries(&vectors["malformed"]) {
        let (name, bytes) = (&entry["name"], hex(&entry["frame"]));
        let read = Frame::read(&bytes);
        // Lengths of fields, and what registers there are, is for whoever acts on the frame.
        let later = name.as_str().is_some_and(|name| {
            ["Force", "Hello", "Welcome", "State"].iter().any(|kind| name.starts_with(kind))
                || name.contains("bit")
        });
        match entry["effect"].as_str() {
            Some("malformed") => {
                let kind = bytes[5];
                assert!(
                    matches!(read, Err(FrameError::Malformed { kind: found, .. }) if found == kind)
                        || (later && read.is_ok()),
                    "{name}: {read:?}"
                );
            }
            Some("unknown") => assert!(matches!(read, Ok(Frame::Unknown { .. })), "{name}: {read:?}"),
            Some("version") => assert!(matches!(read, Err(FrameError::Version(_))), "{name}: {read:?}"),
            Some("integrity") => assert_eq!(read, Err(FrameError::Magic), "{name}"),
            Some("limit" | "unexpected") => assert!(read.is_ok(), "{name}: {read:?}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Whatever can be read is written as it was; and bytes at random, with a right header, never do worse than fail.
#[test]
fn what_is_read_is_written_as_it_was() {
    let mut random = Random::new(3);
    let mut read = 0;
    for round in 0..200_000_u32 {
        let mut bytes = b"GDBP\x01".to_vec();
        bytes.push(if round % 4 == 0 { random.number() as u8 } else { random.pick(&KINDS) });
        for _ in 0..random.below(60) {
            // Small numbers, so that counts are right now and then.
            bytes.push(if random.chance(7_000) { random.below(4) as u8 } else { random.number() as u8 });
        }
        if let Ok(frame) = Frame::read(&bytes) {
            read += 1;
            assert_eq!(encoded(&frame), bytes);
        }
    }
    assert!(read > 20_000, "{read}");
}

const KINDS: [u8; 40] = [
    1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x18, 0x19, 0x1A, 0x1B, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x30, 0x31,
    0x32, 0x40, 0x41, 0x42, 0x43, 0x80, 0x81, 0x83, 0x92, 0x98, 0x99, 0xA8, 0xAA, 0xAB, 0xAC, 0xB0, 0xB1,
    0xC0, 0xC1, 0xFF,
];

/// Each side reads what the other one sends, and nothing else; a heartbeat and a goodbye come from both.
#[test]
fn a_side_reads_only_what_the_other_one_sends() {
    let mut both = BTreeSet::new();
    for entry in entries(&vectors("frames.json")["valid"]) {
        let bytes = hex(&entry["frame"]);
        let frame = Frame::read(&bytes).expect("a valid frame");
        let unknown = Ok(Frame::Unknown { kind: bytes[5], body: &bytes[6..] });
        let (host, agent) = (Frame::read_from_host(&bytes), Frame::read_from_agent(&bytes));
        match bytes[5] {
            0x42 | 0x43 => {
                assert_eq!((host, agent), (Ok(frame), Ok(frame)));
                both.insert(bytes[5]);
            }
            0..0x80 => assert_eq!((host, agent), (Ok(frame), unknown)),
            0x80.. => assert_eq!((host, agent), (unknown, Ok(frame))),
        }
    }
    assert_eq!(both.len(), 2);
}

/// A kind's own type writes what the enum of all writes.
#[test]
fn a_body_alone_is_the_same_frame() {
    let read = frame::ReadMemory { addr: 0x2000_0000, length: 7 };
    let mut alone = Vec::new();
    read.encode(&mut alone).expect("room");
    assert_eq!(alone, b"GDBP\x01\x19\0\0\0\0\x20\0\0\0\0\x07");
    assert_eq!(alone, encoded(&Frame::ReadMemory(read)));
    let mut body = Vec::new();
    frame::write(&read as &dyn Body, &mut body).expect("room");
    assert_eq!(alone, body);
    assert_eq!(frame::Halt::KIND, 0x10);
}

/// A reply begins with the sequence of its command (SPEC section 6.4); Stopped, which can come by itself, is none.
#[test]
fn a_reply_names_its_command() {
    const REPLIES: [u8; 12] = [0x80, 0x81, 0x83, 0x98, 0x99, 0xA8, 0xAA, 0xAB, 0xAC, 0xB0, 0xB1, 0xFF];
    let mut seen = BTreeSet::new();
    for entry in entries(&vectors("frames.json")["valid"]) {
        let bytes = hex(&entry["frame"]);
        let expected = REPLIES.contains(&bytes[5]).then(|| {
            seen.insert(bytes[5]);
            u32::from_be_bytes(bytes[6..10].try_into().expect("four bytes"))
        });
        assert_eq!(Frame::read(&bytes).expect("a valid frame").request(), expected, "{}", entry["name"]);
    }
    assert!(seen.into_iter().eq(REPLIES));
}
