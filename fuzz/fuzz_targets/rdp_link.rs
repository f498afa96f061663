//! Two links over lanes that the fuzzer has in hand: what arrives is what was sent, in order, each once. And a link
//! that hears nonsense.
#![no_main]

use std::collections::VecDeque;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::Lane;
use feedrate_fuzz::rdp::{accept_all, send, take};
use feedrate_rdp::line::Line;
use feedrate_rdp::link::{LaneId, Link, LinkStatus};
use feedrate_rdp::sizes::{Board, Desk};

const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, script)) = data.split_first() else { return };
    if flags & 1 == 1 {
        return nonsense(flags, script);
    }
    let bulk = (flags & 2 == 2).then_some(Lane::SPI);
    let host = Link::<Board>::host(Lane::UART, bulk);
    let mut agent = Link::<Board>::agent(Lane::UART, bulk);
    count_from(&mut agent, u16::from(flags) << 8 | 0xFE);
    let mut links = [Box::new(host), Box::new(agent)];
    // Of each side and channel.
    let mut sent: [[VecDeque<Vec<u8>>; 2]; 2] = Default::default();
    // Of each lane and direction.
    let mut lines: [[VecDeque<Vec<u8>>; 2]; 2] = Default::default();
    let mut micros = u64::from(flags) << 20;
    links[0].open(99, Instant::from_micros(micros));
    let (mut opened, mut count) = (None, 0_u8);
    for (&act, &how) in script.iter().zip(script.iter().skip(1)).take(600) {
        let (side, lane) = (usize::from(act & 1), usize::from(act >> 1 & 1));
        let now = Instant::from_micros(micros);
        match act >> 2 & 15 {
            0..5 => {
                let mut packet = [0; 512];
                let length = links[side].poll_transmit(LANES[lane], &mut packet, now);
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
                if send(&mut *links[side], Channel::ALL[lane], &message, now) {
                    sent[side][lane].push_back(message);
                }
            }
            _ => micros += u64::from(how) * 4_000 + 1,
        }
        for side in 0..2 {
            let status = links[side].status();
            if side == 1 && matches!(status, LinkStatus::Open(_)) {
                // A late OPEN behind the end begins another connection, of which this target knows nothing.
                let first = *opened.get_or_insert(status);
                if first != status {
                    return;
                }
            }
            for (channel, message) in take(&mut *links[side]) {
                let next = sent[1 - side][channel.index()].pop_front();
                assert_eq!(next, Some(message), "not sent on {channel:?}, or not yet, or it came before");
            }
            check(&links[side], &sent[side]);
        }
    }
});

fn count_from<L: Line>(line: &mut L, first: u16) {
    line.count_from(first);
}

/// What has not arrived is not taken for acknowledged.
fn check(link: &Link<Board>, sent: &[VecDeque<Vec<u8>>; 2]) {
    fn is_idle<L: Line>(line: &L) -> bool {
        line.is_idle()
    }
    let open = matches!(link.status(), LinkStatus::Open(_));
    let taken = sent.iter().all(VecDeque::is_empty);
    assert!(!open || taken || !is_idle(link), "acknowledged, and has not arrived");
    let _ = link.counts();
}

/// It does not fall over, and takes everything.
fn nonsense(flags: u8, script: &[u8]) {
    let lane = if flags & 2 == 2 { Lane::SPI } else { Lane::UART };
    let host = flags & 4 == 4;
    let link = if host { Link::<Desk>::host } else { Link::agent };
    let mut link = Box::new(link(lane, Some(Lane::SPI)));
    if host {
        link.open(0, Instant::ZERO);
    }
    if flags & 8 == 8 {
        accept_all(&mut *link);
    }
    let mut packet = [0; 512];
    for (now, chunk) in (0..).step_by(100).zip(script.chunks(usize::from(flags >> 3) + 1)) {
        let now = Instant::from_millis(now);
        link.feed(LANES[usize::from(flags >> 7)], chunk, now);
        while link.poll_transmit(LaneId::Signal, &mut packet, now) > 0 {}
        while link.poll_transmit(LaneId::Bulk, &mut packet, now) > 0 {}
        take(&mut *link);
    }
}
