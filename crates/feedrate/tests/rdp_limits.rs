//! Limits of RDPv3's packets (SPEC section 2): what is too long for a lane, and what is too long for any.

use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketError, PacketType, Packets};
use feedrate::{Decoder, Encode, EncodeError, Error, Fault, Grow};
use feedrate_testkit::rdp::lane::{WAYS, Way, always, read};
use feedrate_testkit::rdp::packets::{DATA, framed, header_of, longest, packet, raw, some};

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
