//! What RDPv3 promises of packets (SPEC sections 2 and 3): the same packets and errors wherever the bytes are cut, from
//! `&[u8]`, from `&mut [u8]`, where they are changed, and from a [`Buffer`]; limits; writing and reading are inverse.

use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketError, PacketType, Packets};
use feedrate::{Buffer, Decoder, Encode, EncodeError, Error, Fault, Grow, Input, Protocol, SliceOutput};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::vectors::{entries, hex, vectors};

/// What came out of a lane, and how it ended.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    items: Vec<Result<(Header, Vec<u8>), PacketError>>,
    end: Result<(), Error<PacketError>>,
}

impl Outcome {
    fn packets(&self) -> Vec<&(Header, Vec<u8>)> {
        self.items.iter().flatten().collect()
    }

    fn errors(&self) -> Vec<PacketError> {
        self.items.iter().filter_map(|item| item.as_ref().err().copied()).collect()
    }
}

/// How bytes get to the decoder.
#[derive(Debug, Clone, Copy)]
enum Way {
    Shared,
    Mutable,
    Pull,
}

const WAYS: [Way; 3] = [Way::Shared, Way::Mutable, Way::Pull];

fn decoder(line: Line) -> Decoder<Packets, Grow> {
    // The zero in front is none of what has to be held.
    let limit = if line.framing == Framing::Serial { line.mtu - 1 } else { line.mtu };
    Decoder::new(Packets::new(line.framing), Grow::new(limit))
}

fn owned(packet: Packet<'_>) -> (Header, Vec<u8>) {
    (packet.header, packet.payload().to_vec())
}

fn read<'c>(line: Line, chunks: impl IntoIterator<Item = &'c [u8]>, way: Way) -> Outcome {
    let mut decoder = decoder(line);
    let mut items = Vec::new();
    let mut buffer = Buffer::new(vec![0; 700]);
    for chunk in chunks {
        let lost = match way {
            Way::Shared => push(&mut decoder, chunk, &mut items),
            Way::Mutable => push(&mut decoder, &mut chunk.to_vec()[..], &mut items),
            Way::Pull => pull(&mut decoder, chunk, &mut buffer, &mut items),
        };
        if let Some(error) = lost {
            return Outcome { items, end: Err(error) };
        }
    }
    Outcome { items, end: decoder.end() }
}

type Items = Vec<Result<(Header, Vec<u8>), PacketError>>;

/// The error, if the stream is lost.
fn push<'i>(
    decoder: &mut Decoder<Packets, Grow>,
    mut input: impl Input<'i>,
    items: &mut Items,
) -> Option<Error<PacketError>> {
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(packet)) => items.push(Ok(owned(packet))),
            Ok(None) => {
                assert!(input.bytes().is_empty(), "None before the input was empty");
                return None;
            }
            Err(Error::Message(error)) => items.push(Err(error)),
            Err(lost) => return Some(lost),
        }
    }
}

fn pull(
    decoder: &mut Decoder<Packets, Grow>,
    mut chunk: &[u8],
    buffer: &mut Buffer<Vec<u8>>,
    items: &mut Items,
) -> Option<Error<PacketError>> {
    loop {
        match decoder.ready(buffer) {
            Ok(Some(ready)) => match decoder.take(ready, buffer) {
                Ok(packet) => items.push(Ok(owned(packet))),
                Err(Error::Message(error)) => items.push(Err(error)),
                Err(lost) => return Some(lost),
            },
            Ok(None) if chunk.is_empty() => return None,
            Ok(None) => {
                let space = buffer.space();
                let n = space.len().min(chunk.len());
                space[..n].copy_from_slice(&chunk[..n]);
                buffer.filled(n);
                chunk = &chunk[n..];
            }
            Err(Error::Message(error)) => items.push(Err(error)),
            Err(lost) => return Some(lost),
        }
    }
}

/// What comes out, whole, byte by byte and cut in two anywhere, every way.
#[track_caller]
fn always(line: Line, bytes: &[u8]) -> Outcome {
    let whole = read(line, [bytes], Way::Shared);
    for way in WAYS {
        assert_eq!(whole, read(line, [bytes], way), "{way:?}: {}", shown(bytes));
        assert_eq!(whole, read(line, bytes.chunks(1), way), "{way:?}, byte by byte: {}", shown(bytes));
        for at in 0..=bytes.len() {
            let (front, behind) = bytes.split_at(at);
            assert_eq!(whole, read(line, [front, behind], way), "{way:?}, cut at {at}: {}", shown(bytes));
        }
    }
    whole
}

fn framed(framing: Framing, header: Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packet = Packet::new(header, payload).framed(framing);
    let length = packet.encode(&mut bytes).expect("it fits");
    assert_eq!((length, packet.encoded_length()), (bytes.len(), Ok(bytes.len())));
    bytes
}

/// What has been put together by hand, on a lane.
fn raw(framing: Framing, packet: &[u8]) -> Vec<u8> {
    if framing == Framing::Stream {
        return [&(packet.len() as u16).to_be_bytes()[..], packet].concat();
    }
    // Another encoder than the one in the library: part by part.
    let mut bytes = vec![0];
    let mut part = Vec::new();
    for (at, byte) in packet.iter().enumerate() {
        if *byte != 0 {
            part.push(*byte);
        }
        let full = part.len() == 254 && *byte != 0;
        if *byte == 0 || full {
            bytes.push(part.len() as u8 + 1);
            bytes.append(&mut part);
            if full && at + 1 == packet.len() {
                bytes.push(0);
                return bytes;
            }
        }
    }
    bytes.push(part.len() as u8 + 1);
    bytes.append(&mut part);
    bytes.push(0);
    bytes
}

/// A packet with the checks that belong to its fields, or with other ones.
fn packet(fields: [u8; 8], length: u16, payload: &[u8], damage: (u16, u32)) -> Vec<u8> {
    let mut bytes = [&fields[..], &length.to_be_bytes()].concat();
    let check =
        !bytes.iter().fold(0xFFFF, |crc: u16, byte| {
            (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        });
    bytes.extend((!check ^ damage.0).to_be_bytes());
    bytes.extend(payload);
    let crc = !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xEDB8_8320 }
            },
        )
    });
    bytes.extend((crc ^ damage.1).to_be_bytes());
    bytes
}

const DATA: [u8; 8] = [1, 0, 0, 7, 0, 0, 1, 0];

/// The longest payload of which a lane can hold a packet whatever is in it.
fn longest(line: Line) -> usize {
    line.framing.payload(line.mtu)
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// --- the vectors

fn named(error: &PacketError) -> &'static str {
    match error {
        PacketError::Frame => "Frame",
        PacketError::Header => "Header",
        PacketError::Length { .. } => "Length",
        PacketError::Crc => "Crc",
        PacketError::Fault(Fault::TooLong { .. }) => "Overlong",
        other => panic!("{other}"),
    }
}

#[test]
fn the_conformance_suite_s_vectors() {
    for entry in entries(&vectors("packets.json")["cases"]) {
        let name = &entry["name"];
        let framing = if entry["framing"] == "serial" { Framing::Serial } else { Framing::Stream };
        let line = Line::new(framing, entry["mtu"].as_u64().expect("a number") as usize);
        let found = always(line, &hex(&entry["input"]));
        let mut expected = entries(&entry["results"]).iter();
        for item in &found.items {
            let expected = expected.next().unwrap_or_else(|| panic!("{name}: one more: {item:?}"));
            match item {
                Ok((header, payload)) => {
                    let fields = &expected["packet"];
                    assert_eq!(fields["type"], u8::from(header.kind), "{name}");
                    assert_eq!(fields["connection"], header.connection, "{name}");
                    assert_eq!(fields["position"], header.position, "{name}");
                    assert_eq!(fields["payload"], shown(payload), "{name}");
                    // Of flags for a later version there is nothing to be said.
                    if !fields["channel"].is_null() {
                        assert_eq!(fields["channel"], u8::from(header.is_bulk()), "{name}");
                        assert_eq!(fields["retransmissions"], header.flags >> 4, "{name}");
                    }
                }
                Err(error) => assert_eq!(expected["error"], named(error), "{name}"),
            }
        }
        let closed = found
            .end
            .as_ref()
            .is_err_and(|error| !matches!(error, Error::Lost(PacketError::Fault(Fault::Truncated { .. }))));
        assert_eq!(expected.next().is_some_and(|last| last["closed"] == true), closed, "{name}");
        assert_eq!(expected.next(), None, "{name}");
    }
}

// --- any pieces, any way

/// Some packets: no zeros, many, the shortest and the longest.
fn some(line: Line) -> Vec<Vec<u8>> {
    let longest = longest(line);
    let payloads = [
        vec![],
        vec![0; longest.min(300)],
        vec![7; longest],
        b"\x01\x00\xff\x00\x00\x02".to_vec(),
        (0..longest).map(|i| i as u8).collect(),
    ];
    let packet = |(i, payload): (u32, &Vec<u8>)| {
        let header = Header::new(PacketType::Data, 0x0100, i << 8).data(i % 2 == 1, i as u8);
        let bytes = framed(line.framing, header, payload);
        assert!(bytes.len() <= line.mtu);
        bytes
    };
    (0..).zip(&payloads).map(packet).collect()
}

#[test]
fn packets_in_any_pieces() {
    for line in [Line::UART, Line::SPI, Line::TCP] {
        let packets = some(line);
        let found = always(line, &packets.concat());
        assert_eq!((found.packets().len(), found.items.len()), (packets.len(), packets.len()), "{found:?}");
        assert_eq!(found.end, Ok(()));
        // With errors and limits between them.
        let bad: &[&[u8]] = match line.framing {
            Framing::Serial => &[b"noise", b"\0\x05abc\0", &[9; 600], b"\0\0\0", &[0x55; 63]],
            Framing::Stream => &[
                b"\x00\x0f",
                b"\x03\xff",
                b"\xff\xff",
                b"\x00\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c",
            ],
        };
        for bad in bad {
            let found = always(line, &[&packets[0], *bad, &packets[3]].concat());
            let serial = line.framing == Framing::Serial;
            assert_eq!(found.packets().len(), if serial { 2 } else { 1 }, "{found:?}");
            assert_eq!(found.end.is_ok(), serial, "{found:?}");
        }
    }
}

#[test]
fn each_way_at_random_cuts() {
    let mut random = Random::new(7);
    for round in 0..400 {
        let line = random.pick(&[Line::UART, Line::SPI, Line::TCP]);
        let mut bytes = Vec::new();
        for mut packet in (0..5).flat_map(|_| some(line)) {
            if random.chance(3_000) {
                let at = random.index(packet.len());
                // In a stream, nothing that it could not go on after.
                let at = if line.framing == Framing::Stream { at.max(14) } else { at };
                packet[at] ^= 1 << random.below(8);
            }
            bytes.extend(packet);
        }
        let whole = read(line, [&bytes[..]], Way::Shared);
        for way in WAYS {
            let mut rest = &bytes[..];
            let chunks = std::iter::from_fn(|| {
                let most = if round % 2 == 0 { 40 } else { 900 };
                let (chunk, behind) = rest.split_at_checked(1 + random.index(most)).unwrap_or((rest, &[]));
                rest = behind;
                (!chunk.is_empty()).then_some(chunk)
            });
            assert_eq!(whole, read(line, chunks, way), "{way:?}");
        }
    }
}

#[test]
fn no_intact_packet_is_lost() {
    let line = Line::UART;
    let mut random = Random::new(1);
    let packets = some(line);
    let whole: Vec<_> = packets.iter().map(|packet| read(line, [&packet[..]], Way::Shared)).collect();
    let mut turn = 0;
    let mut check = |bytes: &[u8], touched: Option<usize>, what: &str| {
        turn += 1;
        let found = read(line, [bytes], WAYS[turn % 2]);
        let mut found = found.packets().into_iter().peekable();
        for (i, expected) in whole.iter().enumerate() {
            match found.next_if_eq(&expected.packets()[0]) {
                None if touched != Some(i) => panic!("{what}: packet {i} is lost: {}", shown(bytes)),
                _ => {}
            }
        }
        assert_eq!(found.next(), None, "{what}: a packet that nobody sent");
    };
    let bytes = packets.concat();
    check(&bytes, None, "as sent");
    let owner: Vec<usize> =
        packets.iter().enumerate().flat_map(|(i, packet)| vec![i; packet.len()]).collect();
    for (at, owner) in owner.into_iter().enumerate() {
        for changed in (0..=255).filter(|changed| *changed != bytes[at]) {
            let mut damaged = bytes.clone();
            damaged[at] = changed;
            check(&damaged, Some(owner), "a byte is changed");
        }
        let mut damaged = bytes.clone();
        damaged.remove(at);
        check(&damaged, Some(owner), "a byte is lost");
        for inserted in [0, 1, 0x55, 0xFF] {
            let mut damaged = bytes.clone();
            damaged.insert(at, inserted);
            check(&damaged, Some(owner), "a byte is inserted");
        }
    }
    for _ in 0..3_000 {
        let mut noise = || {
            let length = random.below(200);
            (0..length).map(|_| if random.chance(1_000) { 0 } else { random.number() as u8 }).collect()
        };
        let mut bytes: Vec<u8> = noise();
        for packet in &packets {
            bytes.extend(packet);
            bytes.extend(noise());
        }
        check(&bytes, None, "noise between packets");
    }
}

/// Whatever a message does to its own bytes, those behind it are as they came.
#[test]
fn nothing_past_a_packet_is_touched() {
    for line in [Line::UART, Line::SPI, Line::TCP] {
        for mut packet in some(line) {
            for damage in [0, 0x10] {
                // The last byte that is not a delimiter: of the CRC.
                let at = packet.len() - if line.framing == Framing::Serial { 2 } else { 1 };
                packet[at] ^= damage;
                let tail: Vec<u8> = (0..240).step_by(7).collect();
                let mut bytes = [&packet[..], &tail].concat();
                let mut decoder = decoder(line);
                let mut input = &mut bytes[..];
                assert_eq!(decoder.feed(&mut input).is_ok(), damage == 0);
                assert_eq!(input, tail);

                let mut buffer = Buffer::new([&packet[..], &tail].concat());
                buffer.filled(packet.len() + tail.len());
                let mut decoder = self::decoder(line);
                let ready = decoder.ready(&mut buffer).expect("it is whole").expect("it is whole");
                assert_eq!(decoder.take(ready, &mut buffer).is_ok(), damage == 0);
                assert_eq!(buffer.unread(), tail);
            }
        }
    }
}

/// In place means in place: the payload is lent from the input.
#[test]
fn a_whole_packet_is_lent_from_where_it_lies() {
    for framing in [Framing::Serial, Framing::Stream] {
        let mut bytes = framed(framing, Header::new(PacketType::Data, 7, 9), b"one\0two\0\0");
        let range = bytes.as_ptr_range();
        let mut decoder = Decoder::new(Packets::new(framing), Grow::new(64));
        let packet = decoder.feed(&mut &mut bytes[..]).expect("it is intact").expect("it is whole");
        assert_eq!(packet.payload(), b"one\0two\0\0");
        assert!(range.contains(&packet.payload().as_ptr()));
        assert_eq!(decoder.storage().capacity(), 0);
    }
}

// --- what is wrong with a packet

/// SPEC section 3.1, in this order.
#[test]
fn the_first_check_that_fails_is_told() {
    let damages = [(0, 0), (1, 0), (0, 1), (0x8000, 0x8000_0000)];
    for line in [Line::SPI, Line::TCP] {
        let good = framed(line.framing, Header::new(PacketType::Probe, 1, 2), b"");
        for payload in [&b""[..], b"a\0b", &[0; 40], &[255; 300]] {
            for wrong in [0, 1, -1, 256, -256_i32] {
                for damage in damages {
                    let actual = payload.len();
                    let declared = (actual as i32 + wrong) as u16;
                    let packet = packet(DATA, declared, payload, damage);
                    let bytes = [&raw(line.framing, &packet)[..], &good].concat();
                    let found = always(line, &bytes);
                    let error = match damage {
                        (1.., _) => Some(PacketError::Header),
                        _ if wrong != 0 => Some(PacketError::Length { declared: declared.into(), actual }),
                        (_, 1..) => Some(PacketError::Crc),
                        _ => None,
                    };
                    match error {
                        Some(fatal) if line.framing == Framing::Stream && fatal != PacketError::Crc => {
                            assert_eq!((found.items.len(), found.end), (0, Err(Error::Lost(fatal))));
                        }
                        Some(error) => {
                            assert_eq!(found.errors(), [error]);
                            assert_eq!((found.packets().len(), found.end), (1, Ok(())));
                        }
                        None => assert_eq!((found.packets().len(), found.items.len()), (2, 2)),
                    }
                }
            }
        }
    }
}

#[test]
fn every_bit_of_a_packet_is_checked() {
    let bytes = packet(DATA, 6, b"\x01\0\0\xff\x80\0", (0, 0));
    for framing in [Framing::Serial, Framing::Stream] {
        let line = Line::new(framing, 64);
        assert_eq!(always(line, &raw(framing, &bytes)).packets().len(), 1);
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            for way in WAYS {
                let found = read(line, [&raw(framing, &damaged)[..]], way);
                assert_eq!(found.packets().len(), 0, "{bit}");
                let error = match (&found.items[..], found.end) {
                    ([Err(error)], Ok(())) => *error,
                    ([], Err(Error::Lost(error))) => error,
                    other => panic!("{other:?}"),
                };
                let header = bit / 8 < 12;
                assert_eq!(error, if header { PacketError::Header } else { PacketError::Crc }, "{bit}");
            }
        }
    }
}

#[test]
fn broken_cobs_costs_itself_only() {
    let line = Line::new(Framing::Serial, 1100);
    let good = framed(Framing::Serial, Header::new(PacketType::Probe, 1, 2), b"");
    let data = packet(DATA, 300, &[7; 300], (0, 0));
    let encoded = raw(Framing::Serial, &data);
    let [0, encoded @ .., 0] = &encoded[..] else { panic!("no delimiters") };
    let without = |at: usize| [&encoded[..at], &encoded[at + 1..]].concat();
    let full = encoded.iter().position(|code| *code == 255).expect("a full part");
    let mut not_full = encoded.to_vec();
    not_full[full] = 254;
    let mut longer = encoded.to_vec();
    *longer.last_mut().expect("bytes") = 200;
    let frames: &[&[u8]] = &[
        // Fewer than 16 bytes, whatever else.
        &[1],
        &[2, 7],
        &[15; 15],
        &[1; 15],
        // A part is longer than what is there, by a little or by a lot.
        &[5, 1],
        &[255],
        &[255, 1, 1],
        &[255; 254],
        &[17; 16],
        &[200; 100],
        // The same somewhere behind.
        &longer[..longer.len() - 1],
        &encoded[..encoded.len() - 1],
        &without(full),
        &not_full,
        &[encoded, &[9]].concat(),
    ];
    for frame in frames {
        let found = always(line, &[&[0], *frame, &[0], &good].concat());
        assert_eq!(found.packets().len(), 1, "{}", shown(frame));
        assert_eq!(found.errors().len(), 1, "{}", shown(frame));
    }
    // 16 bytes that are no packet.
    assert_eq!(always(line, &[&[0, 17], &[7; 16][..], &[0]].concat()).errors(), [PacketError::Header]);
    for frame in &frames[..12] {
        let found = read(line, [&[&[0], *frame, &[0]].concat()[..]], Way::Mutable);
        assert_eq!(found.errors(), [PacketError::Frame], "{}", shown(frame));
    }
}

/// SPEC section 2.1: "a receiver MUST accept it with one (`01`) too".
#[test]
fn a_packet_that_ends_in_a_full_part() {
    let line = Line::new(Framing::Serial, 1100);
    // A payload that makes the CRC free of zeros, so that the packet ends in a part of exactly 254 bytes.
    for length in [251, 252, 300, 491] {
        let found = (0..=255_u8).find_map(|last| {
            let mut payload = vec![3; length];
            *payload.last_mut().expect("bytes") = last.max(1);
            payload[length - 251] = 0;
            let bytes = packet(DATA, length as u16, &payload, (0, 0));
            let tail = &bytes[bytes.len() - 254..];
            (!tail.contains(&0) && bytes[bytes.len() - 255] == 0).then_some((payload, bytes))
        });
        let (payload, bytes) = found.expect("most CRCs are free of zeros");
        let encoded = raw(Framing::Serial, &bytes);
        assert_eq!(encoded, framed(Framing::Serial, header_of(&bytes), &payload));
        assert_eq!(encoded[encoded.len() - 256], 255);
        let [front @ .., 0] = &encoded[..] else { panic!("no delimiter") };
        let longer = [front, &[1, 0]].concat();
        for encoded in [encoded, longer] {
            let found = always(line, &encoded);
            assert_eq!(found.packets()[..], [&(header_of(&bytes), payload.clone())], "{length}");
            assert_eq!(found.items.len(), 1);
        }
    }
}

fn header_of(packet: &[u8]) -> Header {
    let position = u32::from_be_bytes(packet[4..8].try_into().expect("4 bytes"));
    let connection = u16::from_be_bytes(packet[2..4].try_into().expect("2 bytes"));
    Header { flags: packet[1], ..Header::new(packet[0].into(), connection, position) }
}

#[test]
fn bytes_that_nobody_measured() {
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let length = random.index(600);
        let zeros = random.pick(&[0, 100, 5_000]);
        let code = random.number() as u8;
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| match random.below(3) {
                _ if random.chance(zeros) => 0,
                0 => code,
                _ => random.number() as u8,
            })
            .collect();
        for framing in [Framing::Serial, Framing::Stream] {
            assert!(Packets::new(framing).parse(&mut bytes).is_err());
        }
    }
}

/// Each full part moves what is behind it: there must not be many.
#[test]
fn a_frame_of_nothing_but_full_parts_takes_no_time() {
    let mut bytes = vec![255; 8 << 20];
    let began = std::time::Instant::now();
    assert_eq!(Packets::new(Framing::Serial).parse(&mut bytes), Err(PacketError::Frame));
    assert!(began.elapsed().as_secs() < 2);
}

// --- limits

#[test]
fn what_is_overlong_costs_itself_only() {
    for line in [Line::UART, Line::SPI] {
        let packets = some(line);
        for length in [line.mtu - 3, line.mtu - 2, line.mtu - 1, line.mtu, 5 * line.mtu] {
            let bytes = [&packets[2][..], &[0], &vec![0x77; length], &packets[3]].concat();
            let found =
                if length < 600 { always(line, &bytes) } else { read(line, [&bytes[..]], Way::Mutable) };
            let limit = line.mtu - 1;
            let overlong = PacketError::Fault(Fault::TooLong { declared: limit + 1, limit });
            let error = if length > line.mtu - 2 { overlong } else { PacketError::Frame };
            assert_eq!(found.errors(), [error], "{length}");
            assert_eq!(found.packets().len(), 2, "{length}");
        }
    }
    // Behind a length, the length is told.
    let line = Line::new(Framing::Stream, 100);
    for payload in [82, 83, 90, 500, 1006] {
        let [good, long] = [20, payload]
            .map(|length| framed(Framing::Stream, Header::new(PacketType::Data, 1, 0), &vec![7; length]));
        let found = always(line, &[&good[..], &long, &long, &good].concat());
        let overlong = PacketError::Fault(Fault::TooLong { declared: payload + 18, limit: 100 });
        let errors = if payload > 82 { vec![overlong; 2] } else { vec![] };
        assert_eq!(found.errors(), errors, "{payload}");
        assert_eq!(found.packets().len(), 4 - errors.len(), "{payload}");
        assert_eq!(found.end, Ok(()));
    }
}

/// However much room there is: what can be read can be written.
#[test]
fn no_packet_is_longer_than_1022_bytes() {
    for framing in [Framing::Serial, Framing::Stream] {
        let line = Line::new(framing, 1 << 17);
        assert_eq!(longest(line), 1006);
        for fill in [0, 1, 255] {
            for length in [1005, 1006, 1007, 1010, 1011, 2000, 65_000] {
                let payload = vec![fill; length];
                let packet = Packet::new(header_of(&DATA), &payload);
                let expected =
                    Err(EncodeError::TooLarge { what: "payload of a packet", size: length, limit: 1006 });
                let good = length <= 1006;
                let mut out = b"before".to_vec();
                let encoded = packet.framed(framing).encode(&mut out);
                assert_eq!(packet.framed(framing).encoded_length(), encoded);
                assert!(if good { encoded.is_ok() } else { encoded == expected && out == b"before" });

                let bytes = raw(framing, &self::packet(DATA, length as u16, &payload, (0, 0)));
                if good {
                    assert_eq!(out[6..], bytes);
                }
                for way in WAYS {
                    let found = read(line, bytes.chunks(50_000), way);
                    match framing {
                        _ if good => assert_eq!(found.packets().len(), 1),
                        Framing::Serial => assert_eq!(found.errors(), [PacketError::Frame]),
                        Framing::Stream => assert_eq!(found.end, Err(Error::Lost(PacketError::Frame))),
                    }
                }
            }
        }
    }
}

#[test]
fn a_stream_s_lengths_are_limited_as_soon_as_they_are_declared() {
    for declared in 0..=u16::MAX {
        let mut decoder = Decoder::new(Packets::new(Framing::Stream), Grow::new(1024));
        let mut input = &declared.to_be_bytes()[..];
        let result = decoder.feed(&mut input);
        let good = (16..=1022).contains(&declared);
        assert_eq!(result.is_ok(), good, "{declared}");
        assert!(good || matches!(result, Err(Error::Lost(PacketError::Frame))), "{declared}");
    }
    // The storage is the other limit, and costs the packet alone.
    let long = framed(Framing::Stream, Header::new(PacketType::Data, 1, 0), &[1; 90]);
    let mut decoder = Decoder::new(Packets::new(Framing::Stream), Grow::new(100));
    let result = decoder.feed(&mut &long[..14]);
    let expected = Fault::TooLong { declared: 108, limit: 100 };
    assert_eq!(result, Err(Error::Message(expected.into())));
    // And a length that contradicts the other one.
    let mut contradiction = long;
    contradiction[1] += 1;
    let mut decoder = Decoder::new(Packets::new(Framing::Stream), Grow::new(1024));
    let result = decoder.feed(&mut &contradiction[..14]);
    assert_eq!(result, Err(Error::Lost(PacketError::Length { declared: 90, actual: 91 })));
}

#[test]
fn no_payload_is_too_long_for_its_lane() {
    for mtu in 20..=1100 {
        for framing in [Framing::Serial, Framing::Stream] {
            let longest = framing.payload(mtu);
            for fill in [0, 1] {
                let header = Header::new(PacketType::Data, 0x0101, 0x0101_0101);
                let bytes = framed(framing, header, &vec![fill; longest]);
                assert!(bytes.len() <= mtu, "{framing:?} {mtu}");
            }
        }
    }
}

// --- writing and reading are inverse

#[test]
fn what_is_written_is_read() {
    let mut random = Random::new(5);
    let kinds = [1, 2, 3, 4, 5, 6, 0, 7, 255];
    for round in 0..6_000 {
        let length = match round % 3 {
            0 => random.index(46),
            1 => random.pick(&[237, 238, 239, 241, 242, 243, 491, 492, 493, 745, 746, 1005, 1006]),
            _ => random.index(1007),
        };
        let zeros = random.pick(&[0, 10, 40, 100, 2_500, 9_900, 10_000]);
        let payload: Vec<u8> = (0..length)
            .map(|_| if random.chance(zeros) { 0 } else { (random.number() as u8).max(1) })
            .collect();
        let header = Header {
            flags: random.number() as u8,
            ..Header::new(random.pick(&kinds).into(), random.number() as u16, random.number() as u32)
        };
        let fields: [u8; 8] = [
            &[header.kind.into(), header.flags][..],
            &header.connection.to_be_bytes(),
            &header.position.to_be_bytes(),
        ]
        .concat()
        .try_into()
        .expect("8 bytes");
        for framing in [Framing::Serial, Framing::Stream] {
            let line = Line::new(framing, 1100);
            let bytes = framed(framing, header, &payload);
            assert_eq!(bytes, raw(framing, &packet(fields, length as u16, &payload, (0, 0))));
            let found = read(line, [&bytes[..]], WAYS[round % 3]);
            assert_eq!(found.packets()[..], [&(header, payload.clone())]);
            assert_eq!((found.items.len(), found.end), (1, Ok(())));
        }
    }
}

/// Where there is no room, nothing is left behind; and a byte less than enough is no room.
#[test]
fn an_output_without_room_stays_as_it_was() {
    for framing in [Framing::Serial, Framing::Stream] {
        for payload in [&b""[..], b"a\0b", &[7; 45], &[7; 300], &[0; 300]] {
            let packet = Packet::new(header_of(&DATA), payload).framed(framing);
            let whole = packet.encoded_length().expect("it is not too long");
            for room in 0..=whole {
                let mut memory = vec![0xEE; room + 3];
                let mut out = SliceOutput::new(&mut memory);
                feedrate::Output::put(&mut out, b"and").expect("room");
                let result = packet.encode(&mut out);
                assert_eq!(result, if room == whole { Ok(whole) } else { Err(EncodeError::Full) });
                let written = out.as_bytes();
                assert_eq!(written.len(), if room == whole { 3 + whole } else { 3 });
                assert_eq!(&written[..3], b"and");
            }
        }
    }
}
