//! Records to and from one buffer: what a byte stream takes in place of packets. `floor` is a loop by hand that reads
//! lengths.

use feedrate::rdp::record::{HEAD, LIMIT, Message, Records};
use feedrate::{Array, Decoder, Encode, Input, Output, SliceOutput};

use super::Stream;
use crate::Sum;

/// From `&mut [u8]`, as one reads whose seal changes the bytes.
#[inline(never)]
pub fn feedrate(stream: &mut [u8]) -> Sum {
    feed(stream)
}

/// From `&[u8]`.
#[inline(never)]
pub fn feedrate_ref(stream: &[u8]) -> Sum {
    feed(stream)
}

#[inline(always)]
fn feed<'i>(mut input: impl Input<'i>) -> Sum {
    let mut decoder = Decoder::new(Records::new(), Array::<{ HEAD + LIMIT }>::new());
    let mut sum = Sum::default();
    while let Some(message) = decoder.feed(&mut input).expect("a good stream") {
        sum.add(message.channel.index());
        sum.bytes(message.as_bytes());
    }
    sum
}

#[inline(never)]
pub fn floor(stream: &[u8]) -> Sum {
    let (mut sum, mut rest) = (Sum::default(), stream);
    while let Some((&[high, low], behind)) = rest.split_first_chunk() {
        let (message, behind) = behind.split_at(usize::from(u16::from_be_bytes([high & 0x7F, low])));
        sum.add(usize::from(high >> 7));
        sum.bytes(message);
        rest = behind;
    }
    sum
}

#[inline(never)]
pub fn encode(stream: &Stream, out: &mut [u8]) -> usize {
    let mut out = SliceOutput::new(out);
    for (i, message) in stream.payloads.iter().enumerate() {
        Message::new(Stream::channel(i), message).encode(&mut out).expect("there is room");
    }
    out.length()
}

#[inline(never)]
pub fn floor_encode(stream: &Stream, out: &mut [u8]) -> usize {
    let mut at = 0;
    for (i, message) in stream.payloads.iter().enumerate() {
        let head = (message.len() | (i % 2) << 15) as u16;
        out[at..at + 2].copy_from_slice(&head.to_be_bytes());
        out[at + 2..at + 2 + message.len()].copy_from_slice(message);
        at += 2 + message.len();
    }
    at
}
