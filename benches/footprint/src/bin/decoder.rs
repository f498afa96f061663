//! The decoder alone, with the least that a protocol can be: two bytes of length.
#![no_std]
#![no_main]

use feedrate::{Array, Decoder, Extent, Fault, Protocol};
use feedrate_footprint::{Sum, bytes};

pub struct Counted;

impl Protocol for Counted {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Fault;

    fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
        Ok(match head.first_chunk() {
            Some(length) => Extent::Message(usize::from(u16::from_be_bytes(*length)).saturating_add(2)),
            None => Extent::Need(2),
        })
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
        Ok(frame)
    }
}

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Counted, Array<256>>,
    input: *const u8,
    length: usize,
    command: u8,
) -> u32 {
    // SAFETY: the caller's word.
    let mut input = unsafe { bytes(input, length) };
    let mut sum = Sum::default();
    match command {
        0 => loop {
            match decoder.feed(&mut input) {
                Ok(Some(message)) => sum.slice(message),
                Ok(None) => break,
                Err(error) if error.is_lost() => return u32::MAX,
                Err(_) => sum.add(1),
            }
        },
        1 => sum.add(decoder.end().is_ok().into()),
        2 => sum.add(decoder.needed() as u32),
        _ => decoder.reset(),
    }
    sum.0
}
