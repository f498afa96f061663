//! RDPv3's packets alone, both ways: header check, CRC, COBS.
#![no_std]
#![no_main]

use feedrate::rdp::packet::{Header, Packet, Packets};
use feedrate::{Array, Decoder, Encode, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Packets, Array<512>>,
    header: &Header,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let (mut input, output) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    let mut sum = Sum::default();
    if !output.is_empty() {
        let packet = Packet::new(*header, input);
        return packet.encode(&mut SliceOutput::new(output)).map_or(u32::MAX, |length| length as u32);
    }
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(packet)) => {
                sum.add(u8::from(packet.header.kind).into());
                sum.add(packet.header.flags.into());
                sum.add(packet.header.connection.into());
                sum.add(packet.header.position);
                sum.slice(packet.payload());
            }
            Ok(None) => return sum.0,
            Err(error) if error.is_lost() => return u32::MAX,
            Err(_) => sum.add(1),
        }
    }
}
