//! The annotated bytes in the specification's section 14 are what this implementation writes, and reads.

use std::collections::HashMap;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Breakpoint, Frame, Heartbeat, Hello, List, RunState, Secret};
use feedrate::rdp::packet::{Header, Lane, Packet, PacketType, Packets};
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
        if let Some(title) = line.strip_prefix("### 14.") {
            number = format!("14.{}", title.split(' ').next().unwrap_or_default());
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

fn message(
    sender: Role,
    channel: Channel,
    header: [u32; 2],
    frame: &Frame<'_>,
    nonces: [[u8; 16]; 2],
) -> Vec<u8> {
    let [host_nonce, device_nonce] = nonces;
    let mut seal = Checksum::new();
    seal.bind(&host_nonce, &device_nonce);
    let mut message = header.map(u32::to_be_bytes).concat();
    let header = *message.first_chunk().expect("8 bytes");
    frame.encode(&mut message).expect("a vector has room");
    let mut tag = [0; 4];
    seal.seal(&Context { sender, channel, header }, &mut message[8..], &mut tag);
    message.extend(tag);
    message
}

/// The packet of an example, on a lane and back.
fn packet(header: Header, payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut line = Vec::new();
    Packet::new(header, payload).encode(&mut line).expect("a vector has room");
    let mut decoder = Decoder::new(Packets, Array::<{ Lane::UART.frame() }>::new());
    let mut input = &line[..];
    let packet = decoder.feed(&mut input).expect("it is intact").expect("it is whole");
    assert_eq!((packet.header, packet.payload()), (header, payload));
    // What is between the zeros, with the zeros put back where COBS has taken them out.
    let mut plain = Vec::new();
    let mut codes = line[1..line.len() - 1].iter();
    while let Some(code) = codes.next() {
        plain.extend(codes.by_ref().take(usize::from(*code) - 1));
        plain.push(0);
    }
    plain.pop();
    (line, plain)
}

#[test]
fn section_14() {
    let examples = examples();
    assert_eq!(examples.len(), 9);
    let nonces = [nonce(0x10), nonce(0x80)];

    let frame = Frame::SetBreakpoint(Breakpoint { addr: 0x2000_0100, id: 7 });
    let mut bytes = Vec::new();
    assert_eq!(frame.encode(&mut bytes), Ok(18));
    assert_eq!(bytes, examples["14.1"]);
    assert_eq!(Frame::read(&bytes), Ok(frame));

    let carried = message(Role::Host, Channel::Ordinary, [2, 150], &frame, nonces);
    assert_eq!(carried, examples["14.2"]);

    let length = u16::try_from(carried.len()).expect("short");
    let record = [&length.to_be_bytes()[..], &carried].concat();
    let data = Header::new(PacketType::Data, 0x0102, 0x33).data(Channel::Ordinary, 0);
    assert_eq!(packet(data, &record), (examples["14.4"].clone(), examples["14.3"].clone()));
    let mut stream = Vec::new();
    feedrate::rdp::record::Message::new(Channel::Ordinary, &carried).encode(&mut stream).expect("it fits");
    assert_eq!(stream, examples["14.5"]);

    let open = Header::new(PacketType::Open, 0, 0x1234_5678);
    assert_eq!(packet(open, &[4, 1]).1, examples["14.6"]);
    let ack = [&[0, 0, 0, 0x57, 0x10, 0, 0, 0, 0, 0, 0x11, 0xF8][..], &[0, 3, 0, 0, 0, 1, 8, 0, 0]].concat();
    assert_eq!(packet(Header::new(PacketType::Ack, 0x0102, 9), &ack).1, examples["14.7"]);

    let hello = Hello {
        lowest: 3,
        highest: 3,
        nonce: nonce(0x10),
        longest: 512,
        suites: List::new(&[0]),
        token: Secret::new(b"operator"),
    };
    let hello = message(Role::Host, Channel::Urgent, [0; 2], &Frame::Hello(hello), [[0; 16]; 2]);
    assert_eq!(hello, examples["14.8"]);

    let beat = |run| Frame::Heartbeat(Heartbeat { run, challenge: 0xDECA_FBAD });
    let agents = message(Role::Agent, Channel::Urgent, [5, 200], &beat(Some(RunState::Running)), nonces);
    let hosts = message(Role::Host, Channel::Urgent, [3, 200], &beat(None), nonces);
    assert_eq!([agents, hosts].concat(), examples["14.9"]);
}
