//! RDPv3 takes no memory from the heap: no line, no agent, no host.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::{Domains, GetStatus, Halt, ReadAudit, ReadMemory, ReadMetrics, Resume};
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Event, Host, HostConfig};
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::{Board, Desk};
use feedrate_rdp::stream::Stream;
use feedrate_testkit::counting::{Counting, taken};
use feedrate_testkit::machine::{Extensions, Fake};
use feedrate_testkit::rdp::rig::{Authority, CONFIG, OnStream, authority, token};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn machine() -> Fake {
    let has = Extensions { forcing: false, ..Extensions::ALL };
    Fake { has, stopped: false, ..Fake::new() }
}

/// Asks for something, by the time.
fn ask<L: feedrate_rdp::line::Line>(host: &mut Host<L>, millisecond: u64, now: Instant) {
    let read = ReadMemory { addr: millisecond, length: 256 };
    let _ = match millisecond % 50 {
        0 => host.request(&read, now).err(),
        10 => host.request(&Halt, now).err(),
        20 => host.request(&Resume, now).err(),
        30 => host.request(&ReadMetrics, now).err(),
        35 => host.request(&GetStatus, now).err(),
        40 => host.request(&ReadAudit { from: millisecond as u32, count: 8 }, now).err(),
        _ => None,
    };
}

fn hear<L: feedrate_rdp::line::Line>(host: &mut Host<L>, now: Instant, told: &mut (u32, bool)) {
    while let Some(event) = host.poll_event(now) {
        match event {
            Event::Answer(_) => told.0 += 1,
            Event::Closed(_) => told.1 = true,
            _ => {}
        }
    }
}

/// Not in the handshake, not while commands are under way over a line that loses packets, not at the end.
#[test]
fn a_session_on_lanes_allocates_nothing() {
    let mut machine = machine();
    let token = token(Domains::ALL, 3_600);
    let (used, told) = taken(|| {
        let line: Link<Board> = Link::agent(Lane::UART, Some(Lane::SPI));
        let mut agent = Agent::<CortexM, Authority, _>::new(CONFIG, line, authority, Checksum::new());
        let line: Link<Desk> = Link::host(Lane::UART, Some(Lane::SPI));
        let mut host = Host::new(HostConfig::new(), line, Checksum::new());
        let mut now = Instant::from_millis(1_000);
        agent.run(&mut machine, now);
        host.connect(&token, 0x1234_5678, *b"sixteen bytes ok", now).expect("a short token");
        let (mut told, mut sent) = ((0, false), 0_u32);
        for millisecond in 0..30_000 {
            now = now.saturating_add(Duration::from_millis(1));
            let mut packet = [0; 512];
            for lane in [LaneId::Signal, LaneId::Bulk] {
                while let length @ 1.. = host.poll_transmit(lane, &mut packet, now) {
                    sent += 1;
                    packet[length / 2] ^= u8::from(sent % 13 == 0);
                    agent.feed(lane, &packet[..length], now);
                }
                while let length @ 1.. = agent.poll_transmit(lane, &mut packet, now) {
                    sent += 1;
                    let lost = if sent % 17 == 0 { 9 } else { 0 };
                    host.feed(lane, &packet[..length - lost], now);
                }
            }
            machine.now = now.as_millis();
            agent.run(&mut machine, now);
            machine.stop_now();
            // It is told over and over, as long as it stands.
            if machine.stopped {
                agent.stopped(&mut machine, StopCause::Halted, now);
            }
            hear(&mut host, now, &mut told);
            ask(&mut host, millisecond, now);
            if millisecond == 28_000 {
                host.end(now);
            }
        }
        told
    });
    let (answers, closed) = told;
    assert!(answers > 300 && closed, "{answers}");
    assert_eq!(used.allocations, 0);
}

#[test]
fn a_session_on_a_stream_allocates_nothing() {
    let mut machine = machine();
    let token = token(Domains::ALL, 3_600);
    let (used, told) = taken(|| {
        let mut agent: OnStream =
            Agent::new(CONFIG, Stream::agent(), authority as Authority, Checksum::new());
        let mut host: Host = Host::new(HostConfig::new(), Stream::host(), Checksum::new());
        let mut now = Instant::from_millis(1_000);
        agent.run(&mut machine, now);
        agent.connect().expect("nobody is there");
        host.connect(&token, *b"sixteen bytes ok", now).expect("a short token");
        let mut told = (0, false);
        let mut bytes = [0; 700];
        for millisecond in 0..30_000 {
            now = now.saturating_add(Duration::from_millis(1));
            let length = host.poll_transmit(&mut bytes);
            agent.feed(&mut &bytes[..length], now).expect("records");
            machine.now = now.as_millis();
            agent.run(&mut machine, now);
            while let Some(cause) = machine.stop_now() {
                agent.stopped(&mut machine, cause, now);
            }
            let length = agent.poll_transmit(&mut bytes);
            host.feed(&mut &bytes[..length], now).expect("records");
            hear(&mut host, now, &mut told);
            ask(&mut host, millisecond, now);
            if millisecond == 28_000 {
                host.end(now);
            }
        }
        told
    });
    let (answers, closed) = told;
    assert!(answers > 2_000 && closed, "{answers}");
    assert_eq!(used.allocations, 0);
}
