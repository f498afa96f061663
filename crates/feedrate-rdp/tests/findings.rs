//! What the simulator, the fuzzers and the second implementation have found in RDPv3, so that it stays found.

use feedrate::Encode;
use feedrate::rdp::frame::{Domains, Fingerprint, Frame, Reason, Step};
use feedrate::rdp::packet::{Header, Line, Packet, PacketType};
use feedrate_rdp::Role;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::host::{Closed, Event, Host, HostConfig, command};
use feedrate_rdp::link::{Channel, LaneId, Link, LinkEnd, LinkStatus, Sizes};
use feedrate_rdp::session::Checksum;
use feedrate_testkit::machine::{Extensions, Fake};

/// No room for more than one long message at a time.
enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Send = [u8; 520];
    type Message = [u8; 512];
    type Queue = [u8; 520];
}

/// A machine that can step, and of which every register is another after each instruction.
fn machine() -> Fake {
    let has = Extensions { stepping: true, ..Extensions::NONE };
    Fake { has, registers: |machine| [machine.instructions; 17], ..Fake::new() }
}

type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;

fn anybody(_: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    Ok(Grant { operator: [1; 8], domains: Domains::ALL, lasts: 600_000 })
}

fn agent<S: Sizes>(boot: [u8; 12]) -> Agent<CortexM, Authority, S> {
    let config = AgentConfig::board(boot, "servo").bulk(None);
    Agent::new(config, anybody as Authority, Checksum)
}

/// A line on which a packet takes 20 ms, so that an agent that only waits for room waits long.
fn carry<S: Sizes>(host: &mut Host, agent: &mut Agent<CortexM, Authority, S>, machine: &mut Fake, now: u32) {
    let mut packet = [0; 64];
    if now % 20 == 0 {
        let length = host.poll(LaneId::Signal, &mut packet, now);
        agent.feed(LaneId::Signal, &packet[..length], now);
        let length = agent.poll(LaneId::Signal, &mut packet, now);
        host.feed(LaneId::Signal, &packet[..length], now);
    }
    agent.run(machine, now);
    while let Some(cause) = machine.stop_now() {
        agent.stopped(machine, cause, now);
    }
}

#[test]
fn a_halt_is_heard_in_the_middle_of_a_traced_step() {
    let (mut agent, mut machine) = (agent::<Tiny>(*b"boot no. 815"), machine());
    let mut host: Host = Host::new(HostConfig::new(Line::UART), Checksum);
    host.connect(b"", 1, [2; 16], 0).expect("a short token");
    let (mut halted, mut halt) = (None, None);
    for now in 1..60_000 {
        carry(&mut host, &mut agent, &mut machine, now);
        let mut begin = false;
        while let Some(event) = host.event(now) {
            match event {
                Event::Active => begin = true,
                Event::Stopped(stopped) if stopped.reason == Reason::Halted => {
                    halted = Some((stopped.request, stopped.more));
                }
                Event::Closed(why) => panic!("{now}: {why}"),
                _ => {}
            }
        }
        if begin {
            host.request(&command::Step(Step { count: 1_000, trace: true }), now).expect("there is room");
        }
        if now == 5_000 {
            halt = host.request(&command::Halt, now).ok().map(|ticket| ticket.sequence());
        }
        if halted.is_some() {
            break;
        }
    }
    assert_eq!(halted, halt.map(|request| (request, false)));
    let steps = machine.instructions;
    assert!(steps < 200, "{steps} steps before Halt was heard");
}

#[test]
fn a_peer_whose_messages_wait_is_not_lost() {
    let (mut agent, mut machine) = (agent::<Tiny>(*b"boot no. 815"), machine());
    let mut host: Host = Host::new(HostConfig::new(Line::UART), Checksum);
    host.connect(b"", 1, [2; 16], 0).expect("a short token");
    for now in 1..20_000 {
        carry(&mut host, &mut agent, &mut machine, now);
        let mut begin = false;
        while let Some(event) = host.event(now) {
            match event {
                Event::Active => begin = true,
                Event::Closed(why) => panic!("{now}: {why}"),
                _ => {}
            }
        }
        if begin {
            host.request(&command::Step(Step { count: 300, trace: true }), now).expect("there is room");
        }
    }
}

#[test]
fn a_link_that_has_ended_is_a_deadline() {
    let mut host: Host = Host::new(HostConfig::new(Line::UART), Checksum);
    host.connect(b"", 1, [2; 16], 0).expect("a short token");
    let mut now = 0;
    let why = loop {
        while host.poll(LaneId::Signal, &mut [0; 64], now) > 0 {}
        now = now.max(host.deadline().expect("there is always something to wait for"));
        if let Some(Event::Closed(why)) = host.event(now) {
            break why;
        }
        assert!(now < 10_000);
    };
    assert_eq!(why, Closed::Link(LinkEnd::NoAnswer));
}

/// A connection between a raw peer and an agent's link.
fn opened(link: &mut Link<Tiny>) -> u16 {
    feed(link, Header::new(PacketType::Open, 0, 9), &[3, 1]);
    match link.status() {
        LinkStatus::Open(connection) => connection,
        other => panic!("{other:?}"),
    }
}

fn feed(link: &mut Link<Tiny>, header: Header, payload: &[u8]) {
    let mut line = heapless::Vec::<u8, 64>::new();
    Packet::new(header, payload).framed(Line::UART.framing).encode(&mut line).expect("it fits");
    link.feed(LaneId::Signal, &line, 0);
}

#[test]
fn a_record_of_no_length_is_no_message() {
    let mut link = Link::<Tiny>::new(Role::Agent, Line::UART, None, 7);
    let connection = opened(&mut link);
    feed(&mut link, Header::new(PacketType::Data, connection, 0), b"\0\x02ab\0\0\0\x01c");
    assert_eq!(link.status(), LinkStatus::Ended(LinkEnd::BadRecord));
    assert_eq!(link.message().map(|message| message.to_vec()), Some(b"ab".to_vec()));
    link.drop_message();
    assert_eq!(link.message(), None);
}

#[test]
fn an_ack_that_goes_back_is_not_believed() {
    let mut link = Link::<Tiny>::new(Role::Agent, Line::UART, None, 7);
    let connection = opened(&mut link);
    assert!(link.send(Channel::Signal, b"hello", 0));
    while link.poll(LaneId::Signal, &mut [0; 64], 0) > 0 {}
    let ack = |next: u8| [&[0, 0, 0, next, 2, 0, 0, 0, 0, 0, 2, 0][..], &[0; 9]].concat();
    feed(&mut link, Header::new(PacketType::Ack, connection, 1), &ack(7));
    assert!(link.is_idle());
    assert!(link.send(Channel::Signal, b"again", 0));
    while link.poll(LaneId::Signal, &mut [0; 64], 0) > 0 {}
    // Late, from before a restart, and with a number that is far ahead.
    feed(&mut link, Header::new(PacketType::Ack, connection, 50), &ack(0));
    feed(&mut link, Header::new(PacketType::Ack, connection, 2), &ack(14));
    assert!(link.is_idle(), "the ACK with the number 50 was taken");
}

/// The connection that an agent with this boot gives first.
fn first_connection(boot: [u8; 12]) -> u16 {
    let mut agent = agent::<Tiny>(boot);
    let mut line = Vec::new();
    let open = Packet::new(Header::new(PacketType::Open, 0, 9), &[3, 1]);
    open.framed(Line::UART.framing).encode(&mut line).expect("a vector has room");
    agent.feed(LaneId::Signal, &line, 0);
    match agent.link().status() {
        LinkStatus::Open(connection) => connection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_boot_counts_connections_from_another_number() {
    let boot = *b"boot no. 815";
    for changed in 0..boot.len() {
        let mut other = boot;
        other[changed] += 1;
        assert_ne!(first_connection(boot), first_connection(other), "byte {changed}");
    }
}

#[test]
fn a_breakpoint_frame_is_eighteen_bytes() {
    // The one thing that was given: it must not grow.
    for kind in [1, 2, 3, 4, 5] {
        let bytes = [b"GDBP\x01", &[kind][..], &[0; 12]].concat();
        let frame = Frame::read(&bytes).expect("18 bytes");
        assert_eq!((frame.kind(), frame.encoded_length()), (kind, Ok(18)));
    }
}
