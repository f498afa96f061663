//! Every message of both directions, written from the caller's fields and from a parsed message's.
//!
//! The messages come in through a pointer, so that any variant and any field can have any value.
#![no_std]
#![no_main]

use feedrate::pg::{backend, frontend};
use feedrate::{Encode, SliceOutput};
use feedrate_footprint::bytes_mut;

/// # Safety
///
/// See [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    backend: Option<&backend::Message<'_>>,
    frontend: Option<&frontend::Message<'_>>,
    output: *mut u8,
    length: usize,
    measure: bool,
) -> usize {
    // SAFETY: the caller's word.
    let mut out = SliceOutput::new(unsafe { bytes_mut(output, length) });
    let result = match (backend, frontend, measure) {
        (Some(message), _, false) => message.encode(&mut out),
        (_, Some(message), false) => message.encode(&mut out),
        (Some(message), _, true) => message.encoded_length(),
        (_, Some(message), true) => message.encoded_length(),
        (None, None, _) => Ok(0),
    };
    result.unwrap_or(usize::MAX)
}
