//! The decoder and everything that a backend can say, read and checked to the last byte, and handed to a
//! function that nothing is known of.
#![no_std]
#![no_main]

use feedrate::pg::Backend;
use feedrate::pg::backend::Message;
use feedrate::{Array, Decoder};
use feedrate_footprint::{Sum, bytes};

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Backend, Array<1024>>,
    input: *const u8,
    length: usize,
    look: fn(&Message<'_>),
) -> u32 {
    // SAFETY: the caller's word.
    let mut input = unsafe { bytes(input, length) };
    let mut sum = Sum::default();
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(frame)) => match frame.message() {
                Ok(message) => look(&message),
                Err(error) => sum.add(error.at() as u32),
            },
            Ok(None) => return sum.0,
            Err(error) if error.is_lost() => return u32::MAX,
            Err(error) => sum.add(error.into_inner().at() as u32),
        }
    }
}
