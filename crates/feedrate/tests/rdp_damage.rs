//! Damaged packets of RDPv3 (SPEC sections 2 and 3): which check finds what, and that an error costs itself only.

use feedrate::Protocol;
use feedrate::rdp::packet::{Header, Lane, PacketError, PacketType, Packets};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::lane::{WAYS, Way, always, read};
use feedrate_testkit::rdp::packets::{DATA, framed, packet, raw, some};
use feedrate_testkit::rdp::vectors::shown;

#[test]
fn no_intact_packet_is_lost() {
    let mtu = Lane::UART.mtu();
    let mut random = Random::new(1);
    let packets = some(Lane::UART);
    let whole: Vec<_> = packets.iter().map(|packet| read(mtu, [&packet[..]], Way::Shared)).collect();
    let mut turn = 0;
    let mut check = |bytes: &[u8], touched: Option<usize>, what: &str| {
        turn += 1;
        let found = read(mtu, [bytes], WAYS[turn % 2]);
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

/// SPEC section 3.1, in this order.
#[test]
fn the_first_check_that_fails_is_told() {
    let damages = [(0, 0), (1, 0), (0, 1), (0x8000, 0x8000_0000)];
    let good = framed(Header::new(PacketType::Probe, 1, 2), b"");
    for payload in [&b""[..], b"a\0b", &[0; 40], &[255; 300]] {
        for wrong in [0, 1, -1, 256, -256_i32] {
            for damage in damages {
                let actual = payload.len();
                let declared = (actual as i32 + wrong) as u16;
                let packet = packet(DATA, declared, payload, damage);
                let bytes = [&raw(&packet)[..], &good].concat();
                let found = always(Lane::SPI.mtu(), &bytes);
                let error = match damage {
                    (1.., _) => Some(PacketError::Header),
                    _ if wrong != 0 => Some(PacketError::Length { declared: declared.into(), actual }),
                    (_, 1..) => Some(PacketError::Crc),
                    _ => None,
                };
                if let Some(error) = error {
                    assert_eq!(found.errors(), [error]);
                    assert_eq!((found.packets().len(), found.end), (1, Ok(())));
                } else {
                    assert_eq!((found.packets().len(), found.items.len()), (2, 2));
                }
            }
        }
    }
}

#[test]
fn every_bit_of_a_packet_is_checked() {
    let bytes = packet(DATA, 6, b"\x01\0\0\xff\x80\0", (0, 0));
    assert_eq!(always(64, &raw(&bytes)).packets().len(), 1);
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        for way in WAYS {
            let found = read(64, [&raw(&damaged)[..]], way);
            let header = bit / 8 < 12;
            let error = if header { PacketError::Header } else { PacketError::Crc };
            assert_eq!((found.items, found.end), (vec![Err(error)], Ok(())), "{bit}");
        }
    }
}

#[test]
fn broken_cobs_costs_itself_only() {
    let mtu = 1100;
    let good = framed(Header::new(PacketType::Probe, 1, 2), b"");
    let data = packet(DATA, 300, &[7; 300], (0, 0));
    let encoded = raw(&data);
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
        let found = always(mtu, &[&[0], *frame, &[0], &good].concat());
        assert_eq!(found.packets().len(), 1, "{}", shown(frame));
        assert_eq!(found.errors().len(), 1, "{}", shown(frame));
    }
    // 16 bytes that are no packet.
    assert_eq!(always(mtu, &[&[0, 17], &[7; 16][..], &[0]].concat()).errors(), [PacketError::Header]);
    for frame in &frames[..12] {
        let found = read(mtu, [&[&[0], *frame, &[0]].concat()[..]], Way::Mutable);
        assert_eq!(found.errors(), [PacketError::Frame], "{}", shown(frame));
    }
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
        assert!(Packets.parse(&mut bytes).is_err());
    }
}

/// Each full part moves what is behind it: there must not be many.
#[test]
fn a_frame_of_nothing_but_full_parts_takes_no_time() {
    let mut bytes = vec![255; 8 << 20];
    let began = std::time::Instant::now();
    assert_eq!(Packets.parse(&mut bytes), Err(PacketError::Frame));
    assert!(began.elapsed().as_secs() < 2);
}
