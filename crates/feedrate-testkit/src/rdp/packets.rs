//! Packets to be fed to a lane: as they are encoded, and put together by hand, right and wrong.

use feedrate::Encode;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, Lane, Packet, PacketType};

/// A packet on a lane, as it is encoded.
pub fn framed(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packet = Packet::new(header, payload);
    let length = packet.encode(&mut bytes).expect("it fits");
    assert_eq!((length, packet.encoded_length()), (bytes.len(), Ok(bytes.len())));
    bytes
}

/// What has been put together by hand, on a lane.
pub fn raw(packet: &[u8]) -> Vec<u8> {
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
pub fn packet(fields: [u8; 8], length: u16, payload: &[u8], damage: (u16, u32)) -> Vec<u8> {
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

/// The fields of a DATA, to be put before its length.
pub const DATA: [u8; 8] = [1, 0, 0, 7, 0, 0, 1, 0];

/// The header of a packet that has been put together by hand.
pub fn header_of(packet: &[u8]) -> Header {
    let position = u32::from_be_bytes(packet[4..8].try_into().expect("4 bytes"));
    let connection = u16::from_be_bytes(packet[2..4].try_into().expect("2 bytes"));
    Header { flags: packet[1], ..Header::new(packet[0].into(), connection, position) }
}

/// Some packets, on a lane: no zeros, many, the shortest and the longest.
pub fn some(lane: Lane) -> Vec<Vec<u8>> {
    let longest = lane.payload();
    let payloads = [
        vec![],
        vec![0; longest.min(300)],
        vec![7; longest],
        b"\x01\x00\xff\x00\x00\x02".to_vec(),
        (0..longest).map(|i| i as u8).collect(),
    ];
    let packet = |(i, payload): (u32, &Vec<u8>)| {
        let header =
            Header::new(PacketType::Data, 0x0100, i << 8).data(Channel::ALL[i as usize % 2], i as u8);
        let bytes = framed(header, payload);
        assert!(bytes.len() <= lane.mtu());
        bytes
    };
    (0..).zip(&payloads).map(packet).collect()
}
