//! What RDPv3 promises of packets (SPEC sections 2 and 3): the same packets and errors wherever the bytes are cut,
//! from `&[u8]`, from `&mut [u8]`, where they are changed, and from a [`Buffer`]; writing and reading are inverse.
//! What is wrong with packets is in `rdp_damage.rs`, and their limits are in `rdp_limits.rs`.

use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, Lane, Packet, PacketError, PacketType, Packets};
use feedrate::{Buffer, Decoder, Encode, EncodeError, Fault, Grow, SliceOutput};
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
        assert_eq!(entry["framing"], "serial", "{name}");
        let found = always(entry["mtu"].as_u64().expect("a number") as usize, &hex(&entry["input"]));
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
                        assert_eq!(fields["channel"], header.channel().number(), "{name}");
                        assert_eq!(fields["retransmissions"], header.tries(), "{name}");
                    }
                }
                Err(error) => assert_eq!(expected["error"], named(error), "{name}"),
            }
        }
        assert_eq!(expected.next(), None, "{name}");
    }
}

#[test]
fn packets_in_any_pieces() {
    for lane in [Lane::UART, Lane::SPI] {
        let packets = some(lane);
        let found = always(lane.mtu(), &packets.concat());
        assert_eq!((found.packets().len(), found.items.len()), (packets.len(), packets.len()), "{found:?}");
        assert_eq!(found.end, Ok(()));
        // With errors and limits between them.
        let bad: [&[u8]; 5] = [b"noise", b"\0\x05abc\0", &[9; 600], b"\0\0\0", &[0x55; 63]];
        for bad in bad {
            let found = always(lane.mtu(), &[&packets[0], bad, &packets[3]].concat());
            assert_eq!((found.packets().len(), found.end.is_ok()), (2, true), "{found:?}");
        }
    }
}

#[test]
fn each_way_at_random_cuts() {
    let mut random = Random::new(7);
    for round in 0..400 {
        let lane = random.pick(&[Lane::UART, Lane::SPI]);
        let mut bytes = Vec::new();
        for mut packet in (0..5).flat_map(|_| some(lane)) {
            if random.chance(3_000) {
                let at = random.index(packet.len());
                packet[at] ^= 1 << random.below(8);
            }
            bytes.extend(packet);
        }
        let whole = read(lane.mtu(), [&bytes[..]], Way::Shared);
        for way in WAYS {
            let mut rest = &bytes[..];
            let chunks = std::iter::from_fn(|| {
                let most = if round % 2 == 0 { 40 } else { 900 };
                let (chunk, behind) = rest.split_at_checked(1 + random.index(most)).unwrap_or((rest, &[]));
                rest = behind;
                (!chunk.is_empty()).then_some(chunk)
            });
            assert_eq!(whole, read(lane.mtu(), chunks, way), "{way:?}");
        }
    }
}

/// Whatever a message does to its own bytes, those behind it are as they came.
#[test]
fn nothing_past_a_packet_is_touched() {
    for lane in [Lane::UART, Lane::SPI] {
        for mut packet in some(lane) {
            for damage in [0, 0x10] {
                // The last byte that is not a delimiter: of the CRC.
                let at = packet.len() - 2;
                packet[at] ^= damage;
                let tail: Vec<u8> = (0..240).step_by(7).collect();
                let mut bytes = [&packet[..], &tail].concat();
                let mut decoder = decoder(lane.mtu());
                let mut input = &mut bytes[..];
                assert_eq!(decoder.feed(&mut input).is_ok(), damage == 0);
                assert_eq!(input, tail);

                let mut buffer = Buffer::new([&packet[..], &tail].concat());
                buffer.filled(packet.len() + tail.len());
                let mut decoder = self::decoder(lane.mtu());
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
    let mut bytes = framed(Header::new(PacketType::Data, 7, 9), b"one\0two\0\0");
    let range = bytes.as_ptr_range();
    let mut decoder = Decoder::new(Packets, Grow::new(64));
    let packet = decoder.feed(&mut &mut bytes[..]).expect("it is intact").expect("it is whole");
    assert_eq!(packet.payload(), b"one\0two\0\0");
    assert!(range.contains(&packet.payload().as_ptr()));
    assert_eq!(decoder.storage().capacity(), 0);
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
        let bytes = framed(header, &payload);
        assert_eq!(bytes, raw(&packet(fields, length as u16, &payload, (0, 0))));
        let found = read(1100, [&bytes[..]], WAYS[round % 3]);
        assert_eq!(found.packets()[..], [&(header, payload.clone())]);
        assert_eq!((found.items.len(), found.end), (1, Ok(())));
    }
}

/// Where there is no room, nothing is left behind; and a byte less than enough is no room.
#[test]
fn an_output_without_room_stays_as_it_was() {
    for payload in [&b""[..], b"a\0b", &[7; 45], &[7; 300], &[0; 300]] {
        let packet = Packet::new(header_of(&DATA), payload);
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

/// What a header says of its channel and of its tries is in its flags (SPEC section 3).
#[test]
fn flags_say_channel_and_tries() {
    for channel in Channel::ALL {
        for tries in 0..=20 {
            let header = Header::new(PacketType::Data, 1, 2).data(channel, tries);
            assert_eq!(header.flags, tries.min(15) << 4 | channel.number());
            assert_eq!((header.channel(), header.tries(), header.is_known()), (channel, tries.min(15), true));
        }
    }
    for flags in 0..=255 {
        let header = Header { flags, ..Header::new(PacketType::Data, 1, 2) };
        assert_eq!(header.is_known(), flags & 0b1110 == 0);
    }
}

/// SPEC section 2: "a receiver MUST also accept it with one (`01`)".
#[test]
fn a_packet_that_ends_in_a_full_part() {
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
        let encoded = raw(&bytes);
        assert_eq!(encoded, framed(header_of(&bytes), &payload));
        assert_eq!(encoded[encoded.len() - 256], 255);
        let [front @ .., 0] = &encoded[..] else { panic!("no delimiter") };
        let longer = [front, &[1, 0]].concat();
        for encoded in [encoded, longer] {
            let found = always(1100, &encoded);
            assert_eq!(found.packets()[..], [&(header_of(&bytes), payload.clone())], "{length}");
            assert_eq!(found.items.len(), 1);
        }
    }
}
