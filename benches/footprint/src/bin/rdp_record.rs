//! RDPv3's records alone, both ways: what a byte stream takes in place of packets and a link.
#![no_std]
#![no_main]

use feedrate::rdp::Channel;
use feedrate::rdp::record::{Message, Records};
use feedrate::{Array, Decoder, Encode, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Records, Array<514>>,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let (mut input, output) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    let mut sum = Sum::default();
    if !output.is_empty() {
        let channel = if length & 1 == 0 { Channel::Urgent } else { Channel::Ordinary };
        let message = Message::new(channel, input);
        return message.encode(&mut SliceOutput::new(output)).map_or(u32::MAX, |length| length as u32);
    }
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(message)) => {
                sum.add(message.channel.number().into());
                sum.add(message.sequence());
                sum.add(message.time());
                sum.slice(message.as_bytes());
            }
            Ok(None) => return sum.0,
            Err(error) if error.is_lost() => return u32::MAX,
            Err(_) => sum.add(1),
        }
    }
}
