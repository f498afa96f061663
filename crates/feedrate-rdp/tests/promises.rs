//! What RDPv3 promises beside what the simulator shows, and what `rdp_packets.rs` does: inverses, limits; and the
//! conformance suite's vectors.

use feedrate::Encode;
use feedrate::rdp::frame::{Access, ErrorCode, Frame, FrameError, GetStatus, RunState, Values};
use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketType};
use feedrate_rdp::Role;
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, X86_64};
use feedrate_rdp::link::{Desk, LaneId, Link, LinkEnd, LinkStatus};
use feedrate_rdp::session::{Checksum, Context, Order, ReplayGuard, Seal, Session};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::vectors::{entries, hex, shown, vectors};
use serde_json::{Value, json};

// --- the vectors

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
        let mut registers = CortexM::ZERO;
        assert!(CortexM::unpack(values, &mut registers), "{values:?}");
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
    let mut kinds = std::collections::BTreeSet::new();
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
        let refused =
            feedrate::rdp::frame::Error { request: 1 << 31, code, detail: u32::MAX - u32::from(number) };
        let bytes = encoded(&Frame::Error(refused));
        assert_eq!(Frame::read(&bytes), Ok(Frame::Error(refused)));
    }
    assert_eq!(count, 24);
    assert_eq!(ErrorCode(25).name(), ErrorCode(0).name());
}

// --- messages

fn nonce(of: &Value) -> [u8; 16] {
    hex(of).try_into().expect("16 bytes")
}

fn order(verdict: &Value) -> Order {
    match verdict.as_str() {
        Some("new") => Order::Fresh,
        Some("replayed") => Order::Replayed,
        Some("disordered") => Order::Disordered,
        Some("stale") => Order::Stale,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages() {
    let vectors = vectors("messages.json");
    let number = |of: &Value| of.as_u64().expect("a number") as u32;
    for entry in entries(&vectors["messages"]) {
        let name = &entry["name"];
        let message = hex(&entry["message"]);
        let short = message.len() < 9 + 6 + 4;
        assert_eq!(short, entry["tag"] == "short", "{name}");
        if short {
            assert!(Session::new(Role::Agent, Checksum).open(&mut message.clone(), 0).is_err(), "{name}");
            continue;
        }
        let (mut header, sender) = ([0; 9], if entry["direction"] == 0 { Role::Host } else { Role::Agent });
        header.copy_from_slice(&message[..9]);
        let (host_nonce, device_nonce) = (nonce(&entry["host_nonce"]), nonce(&entry["device_nonce"]));
        let context = Context { host_nonce, device_nonce, sender, header };
        let (frame, tag) = message[9..].split_at(message.len() - 9 - 4);
        let mut copy = frame.to_vec();
        let good = Checksum.open(&context, &mut copy, tag);
        assert_eq!(good, entry["tag"] == "ok", "{name}");
        if good {
            assert_eq!(copy, hex(&entry["frame"]), "{name}");
            let [a, b, c, d, e, f, g, h, epoch] = header;
            assert_eq!(u32::from_be_bytes([a, b, c, d]), number(&entry["sequence"]), "{name}");
            assert_eq!(u32::from_be_bytes([e, f, g, h]), number(&entry["time"]), "{name}");
            assert_eq!(json!(epoch), entry["epoch"], "{name}");
            let mut sealed = [0; 4];
            Checksum.seal(&context, &mut copy, &mut sealed);
            assert_eq!(sealed, tag, "{name}");
        }
    }
    for entry in entries(&vectors["order"]) {
        let mut guard = ReplayGuard::new();
        let mut last = 0;
        for step in entries(&entry["steps"]) {
            let (sequence, time) = (number(&step["sequence"]), number(&step["time"]));
            let mut found = guard.admit(sequence, time, number(&step["clock"]), number(&entry["tolerance"]));
            if step["touches"] == true && found == Order::Fresh {
                // That commands come in order is the agent's affair.
                if sequence <= last {
                    found = Order::Disordered;
                }
                last = last.max(sequence);
            }
            assert_eq!(found, order(&step["verdict"]), "{}: {step}", entry["name"]);
        }
    }
    for entry in entries(&vectors["epochs"]) {
        let mut session = Session::new(Role::Agent, Checksum);
        for (sequence, step) in (0_u32..).zip(entries(&entry["steps"])) {
            let epoch = step["epoch"].as_u64().expect("a number") as u8;
            let mut header = [0; 9];
            header[..4].copy_from_slice(&sequence.to_be_bytes());
            header[8] = epoch;
            let context = Context { host_nonce: [0; 16], device_nonce: [0; 16], sender: Role::Host, header };
            let (mut frame, mut tag) = (encoded(&Frame::GetStatus(GetStatus)), [0; 4]);
            Checksum.seal(&context, &mut frame, &mut tag);
            let mut message = [&header[..], &frame, &tag].concat();
            assert_eq!(
                json!(session.open(&mut message, 0).is_ok()),
                step["accepted"],
                "{}: {step}",
                entry["name"]
            );
        }
    }
}

/// An agent's link on which a host has opened a connection, and the connection.
fn opened() -> (Box<Link<Desk>>, u16) {
    let mut link = Box::new(Link::<Desk>::new(Role::Agent, Line::TCP, None, 6));
    put(&mut link, Header::new(PacketType::Open, 0, 77), &[3, 1]);
    let LinkStatus::Open(connection) = link.status() else { panic!("{link:?}") };
    (link, connection)
}

fn put(link: &mut Link<Desk>, header: Header, payload: &[u8]) {
    let mut bytes = Vec::new();
    Packet::new(header, payload).framed(Framing::Stream).encode(&mut bytes).expect("it fits");
    link.feed(LaneId::Signal, &bytes, 0);
}

/// SPEC section 4.1.
#[test]
fn another_generation_is_refused() {
    for payload in [&[2, 1][..], &[4, 1], &[3], &[], &[1, 3]] {
        let mut link = Box::new(Link::<Desk>::new(Role::Agent, Line::TCP, None, 0x0100));
        put(&mut link, Header::new(PacketType::Open, 0, 7), payload);
        assert_eq!(link.status(), LinkStatus::Idle, "{payload:?}");
        let mut out = [0; 64];
        let length = link.poll(LaneId::Signal, &mut out, 0);
        let mut expected = Vec::new();
        let reset = Packet::new(Header::new(PacketType::Reset, 0, 7), &[2]);
        reset.framed(Framing::Stream).encode(&mut expected).expect("a vector has room");
        assert_eq!(out[..length], expected, "{payload:?}");
    }
}

#[test]
fn records() {
    let vectors = vectors("messages.json");
    for entry in entries(&vectors["records"]) {
        let stream = hex(&entry["stream"]);
        for size in [1, 2, 3, 7, 1000] {
            let (mut link, connection) = opened();
            link.accept(entry["limit"].as_u64().expect("a number") as usize);
            let mut found = Vec::new();
            for (i, chunk) in stream.chunks(size).enumerate() {
                put(&mut link, Header::new(PacketType::Data, connection, (i * size) as u32), chunk);
                while let Some(message) = link.message() {
                    found.push(json!({"message": shown(message)}));
                    link.drop_message();
                }
            }
            if link.status() == LinkStatus::Ended(LinkEnd::BadRecord) {
                found.push(json!({"reset": 4}));
            }
            assert_eq!(json!(found), entry["results"], "{} in {size}", entry["name"]);
        }
    }
}

// --- registers

#[test]
fn registers() {
    fn check<A: Arch>(number: u64, vectors: &Value)
    where
        A::Registers: AsMut<[u64]>,
    {
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
            entries(&vectors[list]).iter().filter(move |entry| entry["architecture"] == number)
        };
        let about =
            entries(&vectors["architectures"]).iter().find(|entry| entry["number"] == number).expect("known");
        assert_eq!(
            (json!(A::WIDTH), json!(A::PC), json!(A::NAMES)),
            (about["width"].clone(), about["pc"].clone(), about["registers"].clone())
        );
        assert_eq!(u64::from(A::ID), number);
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
            assert_eq!(encoded(&Frame::Registers(feedrate::rdp::frame::Registers { values, ..read })), bytes);
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
            let mut known = A::ZERO;
            for step in entries(&entry["steps"]) {
                let bytes = frame(step["mask"].as_u64().expect("a number"), &step["values"]);
                let Ok(Frame::Registers(read)) = Frame::read(&bytes) else { panic!("{entry}") };
                assert!(A::unpack(&read.values, &mut known), "{entry}");
                assert_eq!(known, named(&step["registers"]).0);
            }
        }
    }
    let vectors = vectors("registers.json");
    check::<CortexM>(1, &vectors);
    check::<Aarch64>(2, &vectors);
    check::<X86_64>(3, &vectors);
}
