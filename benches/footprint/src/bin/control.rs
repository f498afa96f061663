//! Must not link: `[]` on an index that only the input knows. If it did, that the others link would prove nothing.
#![no_std]
#![no_main]

use feedrate_footprint::bytes;

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(input: *const u8, length: usize, index: usize) -> u32 {
    // SAFETY: the caller's word.
    let input = unsafe { bytes(input, length) };
    input[index].into()
}
