//! Limits of RDPv3's packets (SPEC section 2): what is too long for a lane, and what is too long for any.

use feedrate::rdp::packet::{Header, Lane, Packet, PacketError, PacketType};
use feedrate::{Encode, EncodeError, Fault};
use feedrate_testkit::rdp::lane::{WAYS, Way, always, read};
use feedrate_testkit::rdp::packets::{DATA, framed, header_of, packet, raw, some};

#[test]
fn what_is_overlong_costs_itself_only() {
    for lane in [Lane::UART, Lane::SPI] {
        let (packets, mtu) = (some(lane), lane.mtu());
        for length in [mtu - 3, mtu - 2, mtu - 1, mtu, 5 * mtu] {
            let bytes = [&packets[2][..], &[0], &vec![0x77; length], &packets[3]].concat();
            let found =
                if length < 600 { always(mtu, &bytes) } else { read(mtu, [&bytes[..]], Way::Mutable) };
            let limit = lane.frame();
            let overlong = PacketError::Fault(Fault::TooLong { declared: limit + 1, limit });
            let error = if length > mtu - 2 { overlong } else { PacketError::Frame };
            assert_eq!(found.errors(), [error], "{length}");
            assert_eq!(found.packets().len(), 2, "{length}");
        }
    }
}

/// However much room there is: what can be read can be written.
#[test]
fn no_packet_is_longer_than_1022_bytes() {
    let mtu = 1 << 17;
    for fill in [0, 1, 255] {
        for length in [1005, 1006, 1007, 1010, 1011, 2000, 65_000] {
            let payload = vec![fill; length];
            let packet = Packet::new(header_of(&DATA), &payload);
            let expected =
                Err(EncodeError::TooLarge { what: "payload of a packet", size: length, limit: 1006 });
            let good = length <= 1006;
            let mut out = b"before".to_vec();
            let encoded = packet.encode(&mut out);
            assert_eq!(packet.encoded_length(), encoded);
            assert!(if good { encoded.is_ok() } else { encoded == expected && out == b"before" });

            let bytes = raw(&self::packet(DATA, length as u16, &payload, (0, 0)));
            if good {
                assert_eq!(out[6..], bytes);
            }
            for way in WAYS {
                let found = read(mtu, bytes.chunks(50_000), way);
                if good {
                    assert_eq!(found.packets().len(), 1);
                } else {
                    assert_eq!(found.errors(), [PacketError::Frame]);
                }
            }
        }
    }
}

#[test]
fn no_payload_is_too_long_for_its_lane() {
    for lane in (Lane::LEAST..=Lane::MOST).filter_map(Lane::new) {
        for fill in [0, 1] {
            let header = Header::new(PacketType::Data, 0x0101, 0x0101_0101);
            let bytes = framed(header, &vec![fill; lane.payload()]);
            assert!(bytes.len() <= lane.mtu(), "{lane:?}");
        }
        assert!(lane.packet() <= 1022);
    }
    assert_eq!((Lane::UART.mtu(), Lane::UART.payload(), Lane::UART.frame()), (64, 45, 63));
    assert_eq!((Lane::SPI.mtu(), Lane::SPI.payload(), Lane::SPI.frame()), (512, 491, 511));
}
