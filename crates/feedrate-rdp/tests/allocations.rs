//! RDPv3 takes no memory from the heap: no link, no agent, no host.

use feedrate::rdp::frame::{Domains, Fingerprint, ReadAudit, ReadMemory};
use feedrate::rdp::packet::Line;
use feedrate_rdp::Role;
use feedrate_rdp::agent::{Agent, AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::host::{Event, Host, HostConfig, command};
use feedrate_rdp::link::{Channel, Desk, LaneId, Link};
use feedrate_rdp::session::Checksum;
use feedrate_testkit::counting::{Counting, taken};
use feedrate_testkit::machine::{Extensions, Fake};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn grant(_: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    Ok(Grant { operator: *b"operator", domains: Domains::ALL, lasts: 1 << 30 })
}

/// Not in the handshake, not while commands are under way over a line that loses packets, not at the end.
#[test]
fn a_session_allocates_nothing() {
    let has = Extensions { stepping: true, memory: true, machine: true, audit: true, ..Extensions::NONE };
    let mut machine = Fake { has, stopped: false, ..Fake::new() };
    let (used, (answers, closed)) = taken(|| {
        let mut agent =
            Agent::<CortexM, _>::new(AgentConfig::board(*b"boot no. 815", "servo"), grant, Checksum);
        let mut host: Host = Host::new(HostConfig::new(Line::UART).bulk(Some(Line::SPI)), Checksum);
        host.connect(b"my token", 0x1234_5678, *b"sixteen bytes ok", 0).expect("a short token");
        let (mut answers, mut closed, mut sent) = (0, false, 0_u32);
        for now in 0..30_000 {
            let mut packet = [0; 512];
            for lane in [LaneId::Signal, LaneId::Bulk] {
                while let length @ 1.. = host.poll(lane, &mut packet, now) {
                    sent += 1;
                    packet[length / 2] ^= u8::from(sent % 13 == 0);
                    agent.feed(lane, &packet[..length], now);
                }
                while let length @ 1.. = agent.poll(lane, &mut packet, now) {
                    sent += 1;
                    let lost = if sent % 17 == 0 { 9 } else { 0 };
                    host.feed(lane, &packet[..length - lost], now);
                }
            }
            machine.now = now.into();
            agent.run(&mut machine, now);
            machine.stop_now();
            // It is told over and over, as long as it stands.
            if machine.stopped {
                agent.stopped(&mut machine, StopCause::Halted, now);
            }
            while let Some(event) = host.event(now) {
                match event {
                    Event::Answer(_) => answers += 1,
                    Event::Closed(_) => closed = true,
                    _ => {}
                }
            }
            let read = ReadMemory { addr: u64::from(now), length: 256 };
            let _ = match now % 50 {
                0 => host.request(&command::ReadMemory(read), now).err(),
                10 => host.request(&command::Halt, now).err(),
                20 => host.request(&command::Resume, now).err(),
                30 => host.request(&command::ReadMetrics, now).err(),
                40 => host.request(&command::ReadAudit(ReadAudit { from: now, count: 8 }), now).err(),
                _ => None,
            };
            if now == 28_000 {
                host.bye(now);
            }
        }
        (answers, closed)
    });
    assert!(answers > 300 && closed, "{answers}");
    assert_eq!(used.allocations, 0);
}

#[test]
fn a_link_allocates_nothing() {
    let (used, messages) = taken(|| {
        let mut host = Link::<Desk>::new(Role::Host, Line::UART, Some(Line::SPI), 0);
        let mut agent = Link::<Desk>::new(Role::Agent, Line::UART, Some(Line::SPI), 5);
        host.open(99, 0);
        let mut messages = 0;
        for now in 0..5_000 {
            let mut packet = [0; 512];
            for lane in [LaneId::Signal, LaneId::Bulk] {
                while let length @ 1.. = host.poll(lane, &mut packet, now) {
                    agent.feed(lane, &packet[..length], now);
                }
                while let length @ 1.. = agent.poll(lane, &mut packet, now) {
                    host.feed(lane, &packet[..length], now);
                }
            }
            // There is not always room, nor a connection.
            let _ = host.send(Channel::Signal, b"one", now);
            let _ = host.send(Channel::Bulk, &[3; 400], now);
            while agent.message().is_some() {
                messages += 1;
                agent.drop_message();
            }
        }
        messages
    });
    assert!(messages > 5_000, "{messages}");
    assert_eq!(used.allocations, 0);
}
