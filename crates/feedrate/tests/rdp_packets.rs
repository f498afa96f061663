//! What RDPv3 promises of packets (SPEC sections 2 and 3): the same packets and errors wherever the bytes are cut, from
//! `&[u8]`, from `&mut [u8]`, where they are changed, and from a [`Buffer`]; writing and reading are inverse.
//! What is wrong with packets is in `rdp_damage.rs`, and their limits are in `rdp_limits.rs`.

use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketError, PacketType, Packets};
use feedrate::{Buffer, Decoder, Encode, EncodeError, Error, Fault, Grow, SliceOutput};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::lane::{WAYS, Way, always, decoder, read};
use feedrate_testkit::rdp::packets::{DATA, framed, header_of, packet, raw, some};
use feedrate_testkit::rdp::vectors::{entries, hex, shown, vectors};

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
