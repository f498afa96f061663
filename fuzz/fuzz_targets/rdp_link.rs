//! Two links over lanes that the fuzzer has in hand: what arrives is what was sent, in order, each once. And a link
//! that hears nonsense.
#![no_main]

use std::collections::VecDeque;

use feedrate::rdp::packet::Line;
use feedrate_rdp::Role;
use feedrate_rdp::link::{Board, Channel, Desk, LaneId, Link, LinkStatus};

const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];
const CHANNELS: [Channel; 2] = [Channel::Signal, Channel::Bulk];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, script)) = data.split_first() else { return };
    if flags & 1 == 1 {
        return nonsense(flags, script);
    }
    let bulk = (flags & 2 == 2).then_some(Line::SPI);
    let host = Link::<Board>::new(Role::Host, Line::UART, bulk, 0);
    let agent = Link::<Board>::new(Role::Agent, Line::UART, bulk, u16::from(flags) << 8 | 0xFE);
    let mut links = [Box::new(host), Box::new(agent)];
    let mut sent: [[VecDeque<Vec<u8>>; 2]; 2] = Default::default();
    // Of each lane and direction.
    let mut lines: [[VecDeque<Vec<u8>>; 2]; 2] = Default::default();
    let mut now = u32::MAX - u32::from(flags) * 16;
    links[0].open(99, now);
    let (mut opened, mut count) = (None, 0_u8);
    for (&act, &how) in script.iter().zip(script.iter().skip(1)).take(600) {
        let (side, lane) = (usize::from(act & 1), usize::from(act >> 1 & 1));
        match act >> 2 & 15 {
            0..5 => {
                let mut packet = [0; 512];
                let length = links[side].poll(LANES[lane], &mut packet, now);
                if length > 0 {
                    lines[lane][side].push_back(packet[..length].to_vec());
                }
            }
            5..10 => {
                let Some(packet) = lines[lane][side].pop_front() else { continue };
                links[1 - side].feed(LANES[lane], &packet, now);
            }
            // Lost.
            10 => drop(lines[lane][side].pop_front()),
            11 => {
                // One flipped bit, which is always found out.
                let Some(packet) = lines[lane][side].front_mut() else { continue };
                let place = usize::from(how) * packet.len() / 256;
                packet[place] ^= 1 << (act >> 5);
            }
            12 => {
                // Twice, or out of order.
                let line = &mut lines[lane][side];
                let Some(packet) = line.get(usize::from(how) % line.len().max(1)).cloned() else { continue };
                line.push_back(packet);
            }
            13 => {
                let line = &mut lines[lane][side];
                if line.len() > 1 {
                    line.rotate_left(usize::from(how) % line.len());
                }
            }
            14 => {
                let length = if how & 1 == 0 { usize::from(how) + 1 } else { usize::from(how) * 2 };
                count = count.wrapping_add(1);
                let message = vec![count; length.clamp(1, 510)];
                if links[side].send(CHANNELS[lane], &message, now) {
                    sent[side][lane].push_back([vec![lane as u8], message].concat());
                }
            }
            _ => now = now.wrapping_add(u32::from(how) * 4 + 1),
        }
        for side in 0..2 {
            let mut statuses = links[side].status();
            if side == 1 && matches!(statuses, LinkStatus::Open(_)) {
                // A late OPEN behind the end begins another connection, of which this target knows nothing.
                let first = *opened.get_or_insert(statuses);
                if first != statuses {
                    return;
                }
            }
            while let Some(message) = links[side].message() {
                let of = &mut sent[1 - side];
                let found = (0..2).find(|lane| of[*lane].front().is_some_and(|sent| sent[1..] == *message));
                let Some(lane) = found else {
                    panic!("{message:?} was not sent, or not yet, or came before")
                };
                of[lane].pop_front();
                links[side].drop_message();
                statuses = links[side].status();
            }
            let _ = statuses;
        }
    }
});

/// It does not fall over, and takes everything.
fn nonsense(flags: u8, script: &[u8]) {
    let line = if flags & 2 == 2 { Line::TCP } else { Line::UART };
    let role = if flags & 4 == 4 { Role::Host } else { Role::Agent };
    let mut link = Box::new(Link::<Desk>::new(role, line, Some(Line::SPI), 0));
    if role == Role::Host {
        link.open(0, 0);
    }
    let mut packet = [0; 1024];
    for (now, chunk) in (0..).step_by(100).zip(script.chunks(usize::from(flags >> 3) + 1)) {
        link.feed(LANES[usize::from(flags >> 7)], chunk, now);
        while link.poll(LaneId::Signal, &mut packet, now) > 0 {}
        while link.poll(LaneId::Bulk, &mut packet, now) > 0 {}
        let _ = link.deadline();
        while link.message().is_some() {
            link.drop_message();
        }
    }
}
