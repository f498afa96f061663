//! Packets to and from one buffer.
//!
//! What each has to do is the same for all: find the packet, take the framing off, check the CRC, hand out the
//! position and the payload. `by_hand` reads RDPv3's own packets, with the `cobs` and `crc` crates and without an eye
//! to anything but good ones; `postcard` its own, which have the same fields and a CRC-32, but no header check.

use cobs::{decode as cobs_decode, encode as cobs_encode};
use crc::{CRC_16_IBM_3740, CRC_32_ISO_HDLC, Crc, Table};
use feedrate::rdp::packet::{Packet, Packets};
use feedrate::{Array, Decoder, Encode, Input, Output, SliceOutput};
use postcard::ser_flavors::crc::CrcModifier;
use postcard::ser_flavors::{Cobs, Slice};
use serde::{Deserialize, Serialize, Serializer};

use super::Stream;
use crate::Sum;

/// As large as any packet here is on a lane.
const MOST: usize = 1100;

static CRC_16: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_3740);
static CRC_32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
/// The only kind that postcard takes.
static CRC_32_SMALL: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

// --- decoding

/// In place, so `stream` has to be put back before the next pass. `callgrind` counts in this function and in what it
/// calls, and nowhere else, so that is not counted.
#[inline(never)]
pub fn measured_feedrate(stream: &mut [u8]) -> Sum {
    feed(stream)
}

/// From bytes that must stay as they are: a packet is copied into the decoder's storage.
#[inline(never)]
pub fn feedrate_ref(stream: &[u8]) -> Sum {
    feed(stream)
}

#[inline(always)]
fn feed<'i>(mut input: impl Input<'i>) -> Sum {
    let mut decoder = Decoder::new(Packets, Array::<MOST>::new());
    let mut sum = Sum::default();
    while let Some(packet) = decoder.feed(&mut input).expect("a good stream") {
        sum.add(packet.header.position as usize);
        sum.bytes(packet.payload());
    }
    sum
}

#[inline(never)]
pub fn by_hand(stream: &[u8]) -> Sum {
    let (mut sum, mut scratch) = (Sum::default(), [0; MOST]);
    for encoded in stream.split(|byte| *byte == 0).filter(|encoded| !encoded.is_empty()) {
        let length = cobs_decode(encoded, &mut scratch).expect("good COBS").frame_size();
        look(&scratch[..length], &mut sum);
    }
    sum
}

#[inline]
fn look(packet: &[u8], sum: &mut Sum) {
    let (all, crc) = packet.split_last_chunk::<4>().expect("a whole packet");
    let (header, payload) = all.split_first_chunk::<12>().expect("a whole packet");
    assert_eq!(CRC_16.checksum(&header[..10]).to_be_bytes(), header[10..]);
    assert_eq!(usize::from(u16::from_be_bytes([header[8], header[9]])), payload.len());
    assert_eq!(CRC_32.checksum(all).to_be_bytes(), *crc);
    sum.add(u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize);
    sum.bytes(payload);
}

/// The same fields.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    kind: u8,
    flags: u8,
    connection: u16,
    position: u32,
    /// As bytes: the derived way would be one at a time.
    #[serde(borrow, serialize_with = "bytes")]
    payload: &'a [u8],
}

fn bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

#[inline(never)]
pub fn postcard(stream: &[u8]) -> Sum {
    let (mut sum, mut scratch) = (Sum::default(), [0; MOST]);
    let mut look = |packet: &[u8]| {
        let fields: Fields<'_> =
            postcard::from_bytes_crc32(packet, CRC_32_SMALL.digest()).expect("a good packet");
        sum.add(fields.position as usize);
        sum.bytes(fields.payload);
    };
    for encoded in stream.split(|byte| *byte == 0).filter(|encoded| !encoded.is_empty()) {
        // What `from_bytes_cobs` does, but not in place: the stream is to be read again.
        let length = cobs_decode(encoded, &mut scratch).expect("good COBS").frame_size();
        look(&scratch[..length]);
    }
    sum
}

// --- encoding

#[inline(never)]
pub fn feedrate_encode(stream: &Stream, out: &mut [u8]) -> usize {
    let mut out = SliceOutput::new(out);
    for (i, payload) in stream.payloads.iter().enumerate() {
        Packet::new(Stream::header(i), payload).encode(&mut out).expect("there is room");
    }
    out.length()
}

#[inline(never)]
pub fn by_hand_encode(stream: &Stream, out: &mut [u8]) -> usize {
    let (mut at, mut packet) = (0, [0; MOST]);
    for (i, payload) in stream.payloads.iter().enumerate() {
        let end = 12 + payload.len();
        packet[..8].copy_from_slice(&[1, 0, 0, 7, (i >> 24) as u8, (i >> 16) as u8, (i >> 8) as u8, i as u8]);
        packet[8..10].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        let check = CRC_16.checksum(&packet[..10]);
        packet[10..12].copy_from_slice(&check.to_be_bytes());
        packet[12..end].copy_from_slice(payload);
        let crc = CRC_32.checksum(&packet[..end]);
        packet[end..end + 4].copy_from_slice(&crc.to_be_bytes());
        let packet = &packet[..end + 4];
        out[at] = 0;
        at += 1 + cobs_encode(packet, &mut out[at + 1..]);
        out[at] = 0;
        at += 1;
    }
    at
}

#[inline(never)]
pub fn postcard_encode(stream: &Stream, out: &mut [u8]) -> usize {
    let mut at = 0;
    for (i, payload) in stream.payloads.iter().enumerate() {
        let fields = Fields { kind: 1, flags: 0, connection: 7, position: i as u32, payload };
        let cobs = Cobs::try_new(Slice::new(&mut out[at..])).expect("there is room");
        let flavor = CrcModifier::new(cobs, CRC_32_SMALL.digest());
        at +=
            postcard::serialize_with_flavor::<_, _, &mut [u8]>(&fields, flavor).expect("there is room").len();
    }
    at
}

// --- shares

/// The two checksums of each [plain](Stream::plain) packet, and nothing else.
#[inline(never)]
pub fn checksums(stream: &[u8]) -> Sum {
    let (mut sum, mut rest) = (Sum::default(), stream);
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (packet, behind) = behind.split_at(u16::from_be_bytes(*length).into());
        sum.add(CRC_16.checksum(&packet[..10]).into());
        sum.add(CRC_32.checksum(&packet[..packet.len() - 4]) as usize);
        rest = behind;
    }
    sum
}
