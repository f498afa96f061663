//! RDPv3's host on TCP, for a controller that debugs another one: every event, and every command.
#![no_std]
#![no_main]

use feedrate::Instant;
use feedrate::rdp::frame::Frame;
use feedrate_footprint::host::{device, event, request};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_rdp::host::{Host, RegisterSet};
use feedrate_rdp::stream::Stream;

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    host: &mut Host<Stream>,
    registers: &mut RegisterSet,
    frame: &Frame<'_>,
    input: *mut u8,
    length: usize,
    now: u64,
) -> u32 {
    let now = Instant::from_micros(now);
    let mut sum = Sum::default();
    match command {
        0 => {
            // SAFETY: the caller's word.
            let mut input = unsafe { bytes(input, length) };
            return if host.feed(&mut input, now).is_ok() { input.len() as u32 } else { u32::MAX };
        }
        // SAFETY: the caller's word.
        1 => sum.add(host.poll_transmit(unsafe { bytes_mut(input, length) }) as u32),
        2 => {
            // SAFETY: the caller's word.
            let token = unsafe { bytes(input, length) };
            sum.add(host.connect(token, [length as u8; 16], now).is_ok().into());
        }
        3 => event(host, registers, now, &mut sum),
        4 => host.end(now),
        5 => sum.add(host.deadline().map_or(0, |at| at.as_micros() as u32)),
        6 => host.device().into_iter().for_each(|found| device(found, &mut sum)),
        7 => host.disconnect(),
        8 => sum.add(host.is_finished().into()),
        _ => sum.add(request(host, frame, now)),
    }
    sum.0
}
