//! RDPv3's debug frames alone: every kind, read and written.
#![no_std]
#![no_main]

use feedrate::rdp::frame::Frame;
use feedrate::{Encode, SliceOutput};
use feedrate_footprint::{bytes, bytes_mut};

/// Reads one to where `frame` points, or writes that one.
///
/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    frame: &mut Frame<'static>,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> usize {
    // SAFETY: the caller's word.
    let (input, output) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    if output.is_empty() {
        let Ok(read) = Frame::read(input) else { return usize::MAX };
        *frame = read;
        return read.name().len();
    }
    frame.encode(&mut SliceOutput::new(output)).unwrap_or(usize::MAX)
}
