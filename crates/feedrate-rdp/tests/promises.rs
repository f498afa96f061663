//! What RDPv3 promises beside what the simulator shows, and what the tests of its wire formats do: the conformance
//! suite's vectors.

use feedrate::Encode;
use feedrate::rdp::frame::{ErrorCode, Frame, GetStatus};
use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketType};
use feedrate_rdp::Role;
use feedrate_rdp::arch::{Aarch64, Arch, CortexM, X86_64};
use feedrate_rdp::link::{Desk, LaneId, Link, LinkEnd, LinkStatus};
use feedrate_rdp::session::{Checksum, Context, Order, ReplayGuard, Seal, Session};
use feedrate_testkit::rdp::vectors::{entries, hex, shown, vectors};
use serde_json::{Value, json};

fn encoded(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert_eq!(frame.encode(&mut bytes), frame.encoded_length());
    bytes
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
