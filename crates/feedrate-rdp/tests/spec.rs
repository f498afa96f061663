//! The annotated bytes in the specification's section 12 are what this implementation writes, and reads.

use std::collections::HashMap;

use feedrate::rdp::frame::{Breakpoint, Bytes, Frame, Hello};
use feedrate::rdp::packet::{Framing, Header, Packet, PacketType, Packets};
use feedrate::{Array, Decoder, Encode};
use feedrate_rdp::Role;
use feedrate_rdp::session::{Checksum, Context, Seal};

/// The bytes of each example, by its number.
fn examples() -> HashMap<String, Vec<u8>> {
    let specification = include_str!("../src/SPEC.md");
    let mut examples: HashMap<String, Vec<u8>> = HashMap::new();
    let mut number = String::new();
    let mut inside = false;
    for line in specification.lines() {
        if let Some(title) = line.strip_prefix("### 12.") {
            number = format!("12.{}", title.split(' ').next().unwrap_or_default());
        } else if line.starts_with("```") && !number.is_empty() {
            inside = !inside;
        } else if inside {
            let hex = line.split("  ").next().unwrap_or_default();
            let bytes =
                hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"));
            examples.entry(number.clone()).or_default().extend(bytes);
        }
    }
    examples
}

fn nonce(first: u8) -> [u8; 16] {
    std::array::from_fn(|i| first + u8::try_from(i).expect("16 fits"))
}

fn message(header: [u8; 9], frame: &Frame<'_>, nonces: [[u8; 16]; 2]) -> Vec<u8> {
    let [host_nonce, device_nonce] = nonces;
    let context = Context { host_nonce, device_nonce, sender: Role::Host, header };
    let mut message = header.to_vec();
    frame.encode(&mut message).expect("a vector has room");
    let mut tag = [0; 4];
    Checksum.seal(&context, &mut message[9..], &mut tag);
    message.extend(tag);
    message
}

#[test]
fn section_12() {
    let examples = examples();
    assert_eq!(examples.len(), 8);

    let frame = Frame::SetBreakpoint(Breakpoint { addr: 0x2000_0100, id: 7 });
    let mut bytes = Vec::new();
    assert_eq!(frame.encode(&mut bytes), Ok(18));
    assert_eq!(bytes, examples["12.1"]);
    assert_eq!(Frame::read(&bytes), Ok(frame));

    let carried = message([0, 0, 0, 2, 0, 0, 5, 220, 0], &frame, [nonce(0x10), nonce(0x80)]);
    assert_eq!(carried, examples["12.2"]);

    let mut record = u16::try_from(carried.len()).expect("short").to_be_bytes().to_vec();
    record.extend(&carried);
    let packet = Packet::new(Header::new(PacketType::Data, 0x0102, 0x33), &record);
    let on = |framing| {
        let mut bytes = Vec::new();
        packet.framed(framing).encode(&mut bytes).expect("a vector has room");
        bytes
    };
    assert_eq!(on(Framing::Serial), examples["12.4"]);
    assert_eq!(on(Framing::Stream), examples["12.5"]);
    assert_eq!(on(Framing::Stream)[2..], examples["12.3"]);

    for (name, kind, position, length) in [
        ("12.6", PacketType::Open, 0x1234_5678, 2),
        ("12.7", PacketType::Ack, 9, 21),
        ("12.3", PacketType::Data, 0x33, 33),
    ] {
        let mut line = u16::try_from(examples[name].len()).expect("short").to_be_bytes().to_vec();
        line.extend(&examples[name]);
        let mut decoder = Decoder::new(Packets::new(Framing::Stream), Array::<1024>::new());
        let mut input = &line[..];
        let packet = decoder.feed(&mut input).expect("it is intact").expect("it is whole");
        assert_eq!(
            (packet.header.kind, packet.header.position, packet.payload().len()),
            (kind, position, length)
        );
    }

    let hello =
        Hello { lowest: 3, highest: 3, nonce: nonce(0x10), longest: 512, token: Bytes::new(b"operator") };
    assert_eq!(message([0; 9], &Frame::Hello(hello), [[0; 16]; 2]), examples["12.8"]);
}
