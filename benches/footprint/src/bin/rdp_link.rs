//! RDPv3's link, for both roles: packets on two lanes in, packets out, messages in between.
#![no_std]
#![no_main]

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::Lane;
use feedrate_footprint::{Alone, Sum, bytes, bytes_mut};
use feedrate_rdp::line::Line;
use feedrate_rdp::link::{LaneId, Link, LinkStatus};

/// Of the role that the caller likes: see the top bit of `command`.
static LINK: Alone<Link> = Alone::new(Link::agent(Lane::UART, Some(Lane::SPI)));

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(command: u8, host: &mut Link, input: *mut u8, length: usize, now: u64) -> u32 {
    let now = Instant::from_micros(now);
    // SAFETY: the caller's word.
    let link = if command & 0x80 == 0 { unsafe { LINK.get() } } else { host };
    let lane = if command & 0x40 == 0 { LaneId::Signal } else { LaneId::Bulk };
    let channel = if command & 0x40 == 0 { Channel::Urgent } else { Channel::Ordinary };
    let mut sum = Sum::default();
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => link.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => sum.add(link.poll_transmit(lane, unsafe { bytes_mut(input, length) }, now) as u32),
        2 => link.open(now.as_micros() as u32, now),
        3 => link.disconnect(lane, now),
        4 => link.reconnect(lane),
        5 => {
            let counts = link.lane_counts(lane);
            sum.add(counts.received);
            sum.add(counts.sent);
            sum.add(counts.header_failures);
            sum.add(counts.crc_failures);
            sum.add(counts.resent);
            sum.add(counts.overlong);
            sum.add(link.counts().stray);
            sum.add(link.counts().damaged);
        }
        6 => sum.add(matches!(link.status(), LinkStatus::Open(_)).into()),
        // SAFETY: the caller's word.
        command => messages(link, command, channel, unsafe { bytes(input, length) }, now, &mut sum),
    }
    sum.0
}

/// What a session does with a line.
fn messages<L: Line>(line: &mut L, command: u8, channel: Channel, bytes: &[u8], now: Instant, sum: &mut Sum) {
    match command {
        7 => sum.add(line.send(channel, bytes, now).into()),
        8 => sum.add(line.message(channel).is_some().into()),
        9 => line.drop_message(channel),
        10 => line.accept(bytes.len()),
        11 => line.set_gate(None),
        12 => line.set_busy(bytes.is_empty()),
        13 => line.close(),
        14 => sum.add(line.deadline().map_or(0, |at| at.as_micros() as u32)),
        15 => sum.add(line.room(channel) as u32),
        16 => sum.add(line.is_idle().into()),
        17 => sum.add(line.has_left().into()),
        18 => sum.add(line.take_crc_failure().into()),
        19 => sum.add(line.connection().unwrap_or_default()),
        20 => sum.add(line.end().is_some().into()),
        21 => line.count_from(bytes.len() as u16),
        _ => line.metrics(&mut |metric, value| sum.add(u32::from(metric) ^ value)),
    }
}
