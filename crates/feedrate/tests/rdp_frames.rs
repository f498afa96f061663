//! RDPv3's debug frames: the conformance suite's vectors, and that what is read is written as it was.

use std::collections::BTreeSet;

use feedrate::Encode;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{self, Access, Body, Cause, Frame, FrameError, RunState, Values};
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
        Frame::StepRange(step) => {
            json!({"first": step.first, "last": step.last, "over": u8::from(step.over)})
        }
        Frame::ReadRegisters(read) => json!({"what": u8::from(read.changed)}),
        Frame::ReadMemory(read) => json!({"addr": read.addr, "length": read.length}),
        Frame::Force(force) => json!({
            "addr": force.addr, "lease": force.lease, "fingerprint": shown(&force.fingerprint),
            "value": shown(force.value.as_slice()), "safe": shown(force.safe.as_slice()),
        }),
        Frame::Renew(renew) => json!({
            "addr": renew.addr, "lease": renew.lease, "fingerprint": shown(&renew.fingerprint),
        }),
        Frame::WriteMemory(write) => json!({
            "addr": write.addr, "fingerprint": shown(&write.fingerprint), "data": shown(write.data.as_slice()),
        }),
        Frame::WriteRegister(write) => json!({
            "register": write.register, "value": write.value, "fingerprint": shown(&write.fingerprint),
        }),
        Frame::ListVariables(list) => json!({"from": list.from}),
        Frame::ReadMap(read) => json!({"from": read.from}),
        Frame::ReleaseAudit(release) => json!({"upto": release.upto, "crc": release.crc}),
        Frame::SealRecord(seal) => json!({"suite": seal.suite, "record": shown(seal.record.as_slice())}),
        Frame::Release(release) => json!({"addr": release.addr, "fingerprint": shown(&release.fingerprint)}),
        Frame::SetAxis(set) => {
            json!({"axis": set.axis, "position": set.position, "fingerprint": shown(&set.fingerprint)})
        }
        Frame::ReadPlc(read) => json!({"first": read.first, "count": read.count}),
        Frame::ReadAudit(read) => json!({"from": read.from, "count": read.count}),
        Frame::PushPolicy(policy) => {
            let rules = policy.rules.zip(0..).map(
                |(rule, i)| json!({"first": rule.first, "last": rule.last, "action": byte(10 + i * 17 + 16)}),
            );
            json!({
                "version": policy.version, "replaces": policy.replaces, "enabled": u8::from(policy.enabled),
                "rules": rules.collect::<Vec<_>>(),
            })
        }
        Frame::Hello(hello) => json!({
            "lowest_version": hello.lowest, "highest_version": hello.highest, "host_nonce": shown(&hello.nonce),
            "longest_message": hello.longest, "suites": hello.suites.collect::<Vec<_>>(),
            "token": shown(hello.token.as_slice()),
        }),
        Frame::Agree(agree) => json!({"crc": agree.crc}),
        Frame::Heartbeat(heartbeat) => {
            json!({"run_state": heartbeat.run.map_or(0, run), "challenge": heartbeat.challenge})
        }
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
            "request": stopped.request, "reason": byte(4), "more": u8::from(stopped.more), "axes": byte(6),
            "detail": stopped.detail,
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
            "policy_enabled": u8::from(status.enabled), "modified": u8::from(status.modified), "stuck": status.stuck,
            "last_reason": status.last.map_or(0, |reason| reason.number()), "uptime": status.uptime,
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
                    "version": record.version, "index": record.index, "boot": record.boot,
                    "session": record.session, "sequence": record.sequence, "time": record.time,
                    "uptime": record.uptime, "operator": shown(&record.operator), "suite": record.suite,
                    "kind": record.kind, "cause": record.cause.0, "verdict": record.verdict,
                    "count": record.count, "addr": record.addr, "value": record.value,
                })
            });
            json!({
                "request": audit.request, "oldest": audit.oldest, "next": audit.next, "lost": audit.lost,
                "records": records.collect::<Vec<_>>(),
            })
        }
        Frame::Metrics(metrics) => {
            let list = metrics.metrics.map(|metric| json!({"metric": metric.metric, "value": metric.value}));
            json!({"request": metrics.request, "metrics": list.collect::<Vec<_>>()})
        }
        Frame::Variables(answer) => {
            let variables = answer.variables.map(|variable| {
                let name = std::str::from_utf8(variable.name.as_slice()).expect("UTF-8");
                json!({
                    "addr": variable.addr, "type": variable.kind.number(), "length": variable.length,
                    "flags": variable.flags, "name": name,
                })
            });
            json!({
                "request": answer.request, "generation": answer.generation, "total": answer.total,
                "variables": variables.collect::<Vec<_>>(),
            })
        }
        Frame::Map(map) => {
            let regions = map.regions.map(
                |region| json!({"first": region.first, "last": region.last, "class": region.class.number()}),
            );
            json!({"request": map.request, "total": map.total, "regions": regions.collect::<Vec<_>>()})
        }
        Frame::Welcome(welcome) => json!({
            "version": welcome.version, "host_nonce": shown(&welcome.host_nonce),
            "device_nonce": shown(&welcome.device_nonce), "fingerprint": shown(&welcome.fingerprint),
            "architecture": welcome.architecture, "registers": welcome.registers, "axes": welcome.axes,
            "capabilities": welcome.capabilities.0, "generation": welcome.generation,
            "longest_message": welcome.longest, "credit": welcome.credit, "breakpoints": welcome.breakpoints,
            "read_memory": welcome.memory, "forces": welcome.forces, "policy_rules": welcome.rules,
            "longest_lease": welcome.lease, "heartbeat": welcome.heartbeat, "loss": welcome.loss,
            "tolerance": welcome.tolerance, "stall": welcome.stall, "halt": welcome.halt.number(),
            "trap": welcome.trap.number(), "on_loss": welcome.lost.number(), "authority": welcome.authority.0,
            "expires": welcome.expires, "boot": welcome.boot, "audit_version": welcome.record,
            "audit": welcome.durability.number(), "audit_lost": welcome.records_lost,
            "lifecycle": welcome.lifecycle.number(), "suite": welcome.suite,
            "suites": welcome.suites.collect::<Vec<_>>(),
            "name": std::str::from_utf8(welcome.name.as_slice()).expect("UTF-8"),
        }),
        Frame::State(state) => json!({
            "run_state": run(state.run), "axes": state.axes.collect::<Vec<_>>(),
            "plc": state.plc.collect::<Vec<_>>(), "program": state.cursor.program, "line": state.cursor.line,
            "offset": state.cursor.offset, "modified": u8::from(state.modified), "stuck": state.stuck,
            "last_reason": state.last.map_or(0, |reason| reason.number()), "last_detail": state.detail,
            "cause": state.cause.0, "ended": state.ended.collect::<Vec<_>>(),
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
            let sealed = frame.kind() == frame::SealRecord::KIND && length >= 8;
            assert_eq!(Frame::read(&bytes[..length]).is_ok(), sealed, "{name}, {length} bytes of it");
        }
        for more in [0, 1, 0xFF] {
            let longer = [&bytes[..], &[more]].concat();
            // Whatever follows in a SealRecord is the seal's.
            let sealed = frame.kind() == frame::SealRecord::KIND;
            assert_eq!(Frame::read(&longer).is_ok(), sealed, "{name}, and a byte");
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
            ["Force", "Hello", "Welcome", "State", "Variables"].iter().any(|kind| name.starts_with(kind))
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

const KINDS: [u8; 50] = [
    1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x28, 0x29, 0x2A,
    0x2B, 0x2C, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x40, 0x41, 0x42, 0x43, 0x44, 0x80, 0x81, 0x83, 0x92,
    0x98, 0x99, 0xA8, 0xAA, 0xAB, 0xAC, 0xB0, 0xB1, 0xB3, 0xB4, 0xC0, 0xC1, 0xFF,
];

/// Each side reads what the other one sends, and nothing else; Heartbeat, Bye and SealRecord come from both.
#[test]
fn a_side_reads_only_what_the_other_one_sends() {
    let mut both = BTreeSet::new();
    for entry in entries(&vectors("frames.json")["valid"]) {
        let bytes = hex(&entry["frame"]);
        let frame = Frame::read(&bytes).expect("a valid frame");
        let unknown = Ok(Frame::Unknown { kind: bytes[5], body: &bytes[6..] });
        let (host, agent) = (Frame::read_from_host(&bytes), Frame::read_from_agent(&bytes));
        match bytes[5] {
            0x42..=0x44 => {
                assert_eq!((host, agent), (Ok(frame), Ok(frame)));
                both.insert(bytes[5]);
            }
            0..0x80 => assert_eq!((host, agent), (Ok(frame), unknown)),
            0x80.. => assert_eq!((host, agent), (unknown, Ok(frame))),
        }
    }
    assert_eq!(both.len(), 3);
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
    const REPLIES: [u8; 14] =
        [0x80, 0x81, 0x83, 0x98, 0x99, 0xA8, 0xAA, 0xAB, 0xAC, 0xB0, 0xB1, 0xB3, 0xB4, 0xFF];
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

/// SPEC section 6.2, its column "ch" (and 5.6).
#[test]
fn what_a_host_sends_has_a_channel() {
    let mut urgent = BTreeSet::new();
    for kind in KINDS {
        let bytes = entries(&vectors("frames.json")["valid"])
            .iter()
            .map(|entry| hex(&entry["frame"]))
            .find(|bytes| bytes[5] == kind)
            .unwrap_or_else(|| panic!("no vector of {kind:#x}"));
        let frame = Frame::read(&bytes).expect("a valid frame");
        assert_eq!(frame.channel(), Channel::of_kind(kind));
        assert_eq!(frame.channel().is_some(), kind < 0x80, "{}", frame.name());
        if frame.channel() == Some(Channel::Urgent) {
            urgent.insert(frame.name());
        }
    }
    let expected = ["Agree", "Bye", "Halt", "Heartbeat", "Hello", "Release", "SealRecord"];
    assert!(urgent.into_iter().eq(expected));
    assert_eq!(Frame::Unknown { kind: 7, body: &[] }.channel(), None);
    assert_eq!(Channel::of_kind(7), Some(Channel::Ordinary));
    assert_eq!(Channel::ALL.map(Channel::index), [0, 1]);
    assert_eq!(Channel::ALL.map(Channel::number), [0, 1]);
}

/// SPEC section 6.5: 61 bytes, of which ReleaseAudit names the CRC.
#[test]
fn an_audit_record_is_61_bytes_long() {
    let records = [frame::Record { index: 1, cause: Cause::Stalled, ..frame::Record::EMPTY }];
    let list = frame::List::new(&records);
    let audit = frame::Audit { request: 1, oldest: 2, next: 3, lost: 4, records: list };
    let bytes = encoded(&Frame::Audit(audit));
    assert_eq!(bytes.len(), frame::HEADER + 17 + frame::Record::SIZE);
    assert_eq!(frame::Record::SIZE, 61);
    let record = &bytes[frame::HEADER + 17..];
    assert_eq!((record[0], &record[1..5], record[40]), (1, &[0, 0, 0, 1][..], 21));
    assert_eq!((&record[41..43], &record[43..45]), (&[0xFF, 0xFF][..], &[0, 1][..]));
}

/// A list's entries may be of any length: each begins where the one before ends (SPEC section 6.4, Variables).
#[test]
fn variables_have_names_of_any_length() {
    let names = ["a", "spindle", "", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"];
    let variables = names.map(|name| frame::Variable {
        addr: name.len() as u64,
        kind: frame::Type::Float,
        length: 8,
        flags: if name.len() % 2 == 0 { 0 } else { frame::Variable::FORCEABLE },
        name: frame::Bytes::new(name.as_bytes()),
    });
    let list = frame::List::new(&variables);
    let answer = frame::Variables { request: 1, generation: 2, total: 4, variables: list };
    let bytes = encoded(&Frame::Variables(answer));
    let sizes: usize = variables.iter().map(frame::Variable::size).sum();
    assert_eq!(bytes.len(), frame::HEADER + 11 + sizes);
    let Ok(Frame::Variables(read)) = Frame::read(&bytes) else { panic!("no variables") };
    assert_eq!((read, read.variables.len()), (answer, 4));
    assert!(read.variables.eq(variables));
    assert_eq!(variables.map(|variable| variable.is_forceable()), [true, true, false, false]);
    for count in [0, 1, 2, 3, 5, 255] {
        let mut other = bytes.clone();
        other[frame::HEADER + 10] = count;
        assert!(Frame::read(&other).is_err(), "{count}");
    }
}

/// Tokens and what seals say are nobody's business.
#[test]
fn secrets_are_not_shown() {
    let secret = b"hunter2!";
    let hello = frame::Hello {
        lowest: 3,
        highest: 3,
        nonce: [0; 16],
        longest: 512,
        suites: frame::List::new(&[]),
        token: frame::Secret::new(secret),
    };
    let record = frame::SealRecord { suite: 1, record: frame::Secret::new(secret) };
    for frame in [Frame::Hello(hello), Frame::SealRecord(record)] {
        let bytes = encoded(&frame);
        for frame in [frame, Frame::read(&bytes).expect("a frame")] {
            for shown in [format!("{frame:?}"), format!("{frame:#?}")] {
                assert!(shown.contains("Secret(8)"), "{shown}");
                assert!(
                    !shown.contains("hunter") && !shown.contains("104") && !shown.contains("68"),
                    "{shown}"
                );
            }
        }
    }
}

/// SPEC sections 5.8 and 8.7: the reasons are the first of the causes.
#[test]
fn causes_have_names() {
    let known: Vec<u8> =
        (0..=255).filter(|number| !format!("{:?}", Cause(*number)).starts_with("Cause(")).collect();
    assert_eq!(known, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 16, 17, 18, 19, 20, 21, 255]);
    let of_sessions: Vec<u8> = known.into_iter().filter(|number| Cause(*number).ends_session()).collect();
    assert_eq!(of_sessions, [1, 2, 3, 4, 5, 6, 8, 9, 10]);
    assert_eq!(Cause::PeerLost.to_string(), "the peer was not heard for the loss time");
    assert_eq!((format!("{:?}", Cause(7)), Cause::default()), ("Cause(7)".to_string(), Cause::None));
}
