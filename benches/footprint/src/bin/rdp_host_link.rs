//! As `rdp_host`, on serial lanes.
#![no_std]
#![no_main]

use feedrate::Instant;
use feedrate::rdp::frame::Frame;
use feedrate_footprint::host::{device, event, request};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_rdp::host::{Host, RegisterSet};
use feedrate_rdp::link::{LaneId, Link};

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    host: &mut Host<Link>,
    registers: &mut RegisterSet,
    frame: &Frame<'_>,
    input: *mut u8,
    length: usize,
    now: u64,
) -> u32 {
    let now = Instant::from_micros(now);
    let lane = if command & 0x40 == 0 { LaneId::Signal } else { LaneId::Bulk };
    let mut sum = Sum::default();
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => host.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => sum.add(host.poll_transmit(lane, unsafe { bytes_mut(input, length) }, now) as u32),
        2 => {
            // SAFETY: the caller's word.
            let token = unsafe { bytes(input, length) };
            sum.add(host.connect(token, length as u32, [length as u8; 16], now).is_ok().into());
        }
        3 => event(host, registers, now, &mut sum),
        4 => host.end(now),
        5 => sum.add(host.deadline().map_or(0, |at| at.as_micros() as u32)),
        6 => host.device().into_iter().for_each(|found| device(found, &mut sum)),
        7 => host.disconnect(lane, now),
        8 => host.reconnect(lane),
        _ => sum.add(request(host, frame, now)),
    }
    sum.0
}
