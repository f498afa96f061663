//! RDPv3's link, for both roles: packets on two lanes in, packets out, messages in between.
#![no_std]
#![no_main]

use feedrate::rdp::packet::Line;
use feedrate_footprint::{Alone, Sum, bytes, bytes_mut};
use feedrate_rdp::Role;
use feedrate_rdp::link::{Board, Channel, LaneId, Link, LinkStatus, ResetReason};

/// Of the role that the caller likes: see 1 of [`entry`].
static LINK: Alone<Link<Board>> = Alone::new(Link::new(Role::Agent, Line::UART, Some(Line::SPI), 1));

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    host: &mut Link<Board>,
    input: *mut u8,
    length: usize,
    now: u32,
) -> u32 {
    // SAFETY: the caller's word.
    let link = if command & 0x80 == 0 { unsafe { LINK.get() } } else { host };
    let lane = if command & 0x40 == 0 { LaneId::Signal } else { LaneId::Bulk };
    let channel = if command & 0x40 == 0 { Channel::Signal } else { Channel::Bulk };
    let mut sum = Sum::default();
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => link.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => sum.add(link.poll(lane, unsafe { bytes_mut(input, length) }, now) as u32),
        // SAFETY: the caller's word.
        2 => sum.add(link.send(channel, unsafe { bytes(input, length) }, now).into()),
        3 => {
            if let Some(message) = link.message() {
                sum.slice(message);
                link.drop_message();
            }
        }
        4 => link.open(now, now),
        5 => link.close(ResetReason(length as u8)),
        6 => link.accept(length),
        7 => link.reconnect(lane),
        8 => sum.add(link.deadline().unwrap_or_default()),
        9 => sum.add(link.room(channel) as u32),
        10 => sum.add(link.is_idle().into()),
        11 => sum.add(link.take_rekey().into()),
        12 => {
            let counts = link.lane_counts(lane);
            sum.add(counts.received);
            sum.add(counts.sent);
            sum.add(counts.header_failures);
            sum.add(counts.crc_failures);
            sum.add(counts.resent);
            sum.add(counts.overlong);
            sum.add(link.counts().stray);
            sum.add(link.counts().damaged);
            sum.add(link.queued().1 as u32);
        }
        _ => sum.add(matches!(link.status(), LinkStatus::Open(_)).into()),
    }
    sum.0
}
