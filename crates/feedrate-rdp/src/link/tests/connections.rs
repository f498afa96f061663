//! How connections begin and end (SPEC sections 4.1, 4.5 and 4.6).

use super::*;

#[test]
fn a_busy_agent_refuses_and_goes_on() {
    let mut agent = agent::<Tiny>();
    agent.set_busy(true);
    agent.set_gate(Some(Gate::new(at(0), 0)));
    let mut record = [0, 9, 0, 0, 0, 7, 0, 0, 0, 0, 1];
    agent.feed(Signal, &data(1, Urgent, 0, &record[..6]), at(1));
    assert!(agent.send(Ordinary, &[3; 9], at(1)));
    for (now, cookie, answered) in [(10, 78, true), (209, 79, false), (210, 80, true), (410, 78, true)] {
        agent.feed(Signal, &open(cookie), at(now));
        let expected = if answered { vec![reset(0, cookie, ResetReason::Busy)] } else { vec![] };
        assert_eq!(but_acks(polled(&mut agent, Signal, now)), expected);
    }
    assert_eq!((agent.status(), agent.connection()), (LinkStatus::Open(1), Some(1)));
    agent.feed(Signal, &data(1, Urgent, 6, &record[6..]), at(411));
    let Arrived { message, on_time } = agent.message(Urgent).unwrap();
    assert_eq!((message, on_time), (&mut record[2..], false));
    // The present connection's own late OPEN is nobody else's.
    agent.feed(Signal, &open(77), at(900));
    assert_eq!(but_acks(polled(&mut agent, Signal, 900)), []);
    // Whose connection it is may end it, busy or not. Then others are refused until the session has ended too.
    agent.feed(Signal, &packet(PacketType::Reset, 1, 0, &[1]), at(901));
    assert_eq!(agent.end(), Some(LineEnd::Reset(ResetReason::SessionEnded)));
    agent.feed(Signal, &open(81), at(901));
    assert_eq!(polled(&mut agent, Signal, 901), [reset(0, 81, ResetReason::Busy)]);
    agent.set_busy(false);
    agent.feed(Signal, &open(81), at(902));
    assert_eq!(polled(&mut agent, Signal, 902), [(Header::new(PacketType::Accept, 2, 81), vec![4, 3])]);
    assert!(agent.message(Urgent).is_none() && agent.is_idle());
}

#[test]
fn one_that_is_not_busy_yields() {
    let mut agent = agent::<Tiny>();
    agent.feed(Signal, &data(1, Urgent, 0, &[0, 1, 9]), at(1));
    assert!(agent.send(Ordinary, &[3; 9], at(1)));
    agent.feed(Signal, &open(78), at(2));
    assert_eq!(
        but_acks(polled(&mut agent, Signal, 2)),
        [(Header::new(PacketType::Accept, 2, 78), vec![4, 3])]
    );
    assert_eq!((agent.connection(), agent.end()), (Some(2), None));
    assert!(agent.message(Urgent).is_none() && agent.is_idle() && polled(&mut agent, Bulk, 3).is_empty());
}

#[test]
fn the_same_open_again() {
    let mut agent = agent::<Tiny>();
    for now in [1, 2] {
        agent.feed(Signal, &open(77), at(now));
        assert_eq!(polled(&mut agent, Signal, now), [(Header::new(PacketType::Accept, 1, 77), vec![4, 3])]);
    }
    agent.feed(Signal, &data(1, Urgent, 0, &[0]), at(3));
    agent.feed(Signal, &open(77), at(3));
    assert_eq!(but_acks(polled(&mut agent, Signal, 3)), []);
    assert_eq!(agent.connection(), Some(1));
}

#[test]
fn connections_are_counted_from_somewhere_and_never_0() {
    let mut agent = Link::<Tiny>::agent(Lane::UART, None);
    agent.count_from(0xFFFE);
    for (cookie, connection) in [(1, 0xFFFF), (2, 1), (3, 2)] {
        agent.feed(Signal, &open(cookie), at(0));
        agent.count_from(500);
        let accept = (Header::new(PacketType::Accept, connection, cookie), vec![4, 1]);
        assert_eq!(polled(&mut agent, Signal, 0), [accept]);
    }
}

/// When OPEN is sent and what comes of it, if the agent does this to each of the 20.
fn opening(mut answer: impl FnMut(usize) -> Option<ResetReason>) -> (Vec<u64>, Option<LineEnd>) {
    let mut host = Link::<Tiny>::host(Lane::UART, None);
    host.open(77, at(10));
    let mut sent = Vec::new();
    for now in 10..6_000 {
        for (header, payload) in polled(&mut host, Signal, now) {
            assert_eq!((header, &payload[..]), (Header::new(PacketType::Open, 0, 77), &[4, 1][..]));
            if let Some(reason) = answer(sent.len()) {
                host.feed(Signal, &packet(PacketType::Reset, 0, 77, &[reason.0]), at(now));
            }
            sent.push(now);
        }
        assert_eq!(host.end().is_none(), host.deadline().is_some());
    }
    (sent, host.end())
}

/// SPEC section 4.1.
#[test]
fn a_host_goes_on_opening() {
    let times: Vec<u64> = (0..20).map(|n| 10 + 250 * n).collect();
    assert_eq!(opening(|_| None), (times.clone(), Some(LineEnd::NoAnswer)));
    assert_eq!(opening(|_| Some(ResetReason::Busy)), (times.clone(), Some(LineEnd::Busy)));
    for silent in [0, 9, 19] {
        let (sent, end) = opening(|n| (n != silent).then_some(ResetReason::Busy));
        assert_eq!((sent, end), (times.clone(), Some(LineEnd::NoAnswer)));
    }
    let (sent, end) = opening(|n| Some(if n < 3 { ResetReason::Busy } else { ResetReason::Generation }));
    assert_eq!((sent.len(), end), (4, Some(LineEnd::Reset(ResetReason::Generation))));

    // Not for it: another cookie, or a connection that it does not have.
    let mut host = Link::<Tiny>::host(Lane::UART, None);
    host.open(77, at(0));
    for (connection, cookie) in [(0, 78), (1, 77)] {
        host.feed(Signal, &packet(PacketType::Reset, connection, cookie, &[1]), at(0));
    }
    host.feed(Signal, &packet(PacketType::Accept, 9, 78, &[4, 3]), at(0));
    assert_eq!((host.status(), host.counts().stray), (LinkStatus::Opening, 2));
    host.feed(Signal, &packet(PacketType::Accept, 9, 77, &[4, 3, 99]), at(0));
    assert_eq!(host.connection(), Some(9));
    // It is late, and no longer of any concern.
    host.feed(Signal, &packet(PacketType::Reset, 0, 77, &[6]), at(0));
    assert_eq!(host.connection(), Some(9));
}

#[test]
fn a_host_that_comes_back_gets_in_when_the_agent_is_free() {
    let mut pair = Pair::<Board>::open(None);
    pair.converse(1, 5_000);
    pair.agent().set_busy(true);
    let now = at(pair.now);
    pair.ends[HOST] = Link::host(Lane::UART, None);
    pair.host().open(78, now);
    assert!(!pair.run(3_000, |pair| pair.host().status() != LinkStatus::Opening));
    assert_eq!(pair.agent().status(), LinkStatus::Open(1));
    pair.agent().set_busy(false);
    assert!(pair.run(300, |pair| pair.host().status() == LinkStatus::Open(2)));
    pair.converse(3, 10_000);
}

/// SPEC section 4.1: generation 4.
#[test]
fn other_generations() {
    let mut agent = agent::<Tiny>();
    for payload in [&[3, 3][..], &[4][..], &[], &[5, 3, 0]] {
        agent.feed(Signal, &packet(PacketType::Open, 0, 99, payload), at(1));
        assert_eq!(polled(&mut agent, Signal, 1), [reset(0, 99, ResetReason::Generation)]);
    }
    assert_eq!(agent.connection(), Some(1));

    let mut host = Link::<Tiny>::host(Lane::UART, None);
    host.open(77, at(0));
    host.feed(Signal, &packet(PacketType::Accept, 9, 77, &[4]), at(0));
    assert_eq!((host.status(), host.counts().stray), (LinkStatus::Opening, 1));
    host.feed(Signal, &packet(PacketType::Accept, 9, 77, &[3, 1]), at(0));
    assert_eq!(host.end(), Some(LineEnd::Generation));
}

/// SPEC section 3: what follows the fields is of a version to come.
#[test]
fn longer_packets() {
    let mut agent = Link::<Tiny>::agent(Lane::UART, Some(Lane::SPI));
    agent.feed(Signal, &packet(PacketType::Open, 0, 77, &[4, 3, 9]), at(0));
    assert_eq!(agent.connection(), Some(1));
    agent.feed(Bulk, &packet(PacketType::Probe, 1, 0, &[9]), at(0));
    assert_eq!((agent.core.intact, agent.counts().stray), (1, 0));
    agent.feed(Signal, &packet(PacketType::Reset, 1, 0, &[1, 9]), at(0));
    assert_eq!(agent.end(), Some(LineEnd::Reset(ResetReason::SessionEnded)));
    let mut host = Link::<Tiny>::host(Lane::UART, None);
    host.open(77, at(0));
    host.feed(Signal, &packet(PacketType::Accept, 9, 77, &[4, 1, 9]), at(0));
    assert_eq!(host.connection(), Some(9));
}

/// SPEC section 3: not on the bulk lane.
#[test]
fn nothing_begins_or_ends_on_the_bulk_lane() {
    let mut agent = agent::<Tiny>();
    for (n, bytes) in (1..).zip([
        open(78),
        packet(PacketType::Reset, 1, 0, &[1]),
        packet(PacketType::Accept, 1, 77, &[4, 3]),
        packet(PacketType::Unknown(7), 1, 0, &[]),
    ]) {
        agent.feed(Bulk, &bytes, at(1));
        assert_eq!((agent.connection(), agent.counts().stray), (Some(1), n));
    }
    assert_eq!(polled(&mut agent, Signal, 1), []);
    let mut host = Link::<Tiny>::host(Lane::UART, Some(Lane::SPI));
    host.open(77, at(0));
    host.feed(Bulk, &packet(PacketType::Accept, 1, 77, &[4, 3]), at(0));
    host.feed(Bulk, &packet(PacketType::Reset, 0, 77, &[2]), at(0));
    assert_eq!((host.status(), host.counts().stray), (LinkStatus::Opening, 2));
}

#[test]
fn packets_of_no_connection() {
    let mut agent = agent::<Tiny>();
    for (now, connection, told) in [(1, 8, true), (200, 9, false), (201, 9, true), (402, 3, true)] {
        agent.feed(Signal, &data(connection, Urgent, 0, &[0]), at(now));
        let expected = if told { vec![reset(connection, 0, ResetReason::NoConnection)] } else { vec![] };
        assert_eq!(but_acks(polled(&mut agent, Signal, now)), expected, "{now}");
    }
    // Its silence to these is no silence to a foreign host.
    agent.set_busy(true);
    agent.feed(Signal, &open(78), at(403));
    assert_eq!(but_acks(polled(&mut agent, Signal, 403)), [reset(0, 78, ResetReason::Busy)]);
    assert_eq!((agent.connection(), agent.counts().stray), (Some(1), 4));
    // A host says nothing.
    let mut host = Link::<Tiny>::host(Lane::UART, None);
    host.feed(Signal, &data(8, Urgent, 0, &[0]), at(1));
    assert_eq!((polled(&mut host, Signal, 1), host.counts().stray), (vec![], 1));
}

#[test]
fn the_end_of_a_connection() {
    let mut pair = Pair::<Board>::open(None);
    assert!(pair.agent().send(Urgent, &[1; 50], at(100)));
    pair.agent().close();
    assert_eq!((pair.agent().connection(), pair.agent().end()), (None, Some(LineEnd::Closed)));
    assert!(!pair.agent().send(Urgent, &[1; 50], at(100)));
    assert!(pair.run(50, |pair| pair.host().end() == Some(LineEnd::Reset(ResetReason::SessionEnded))));
    assert!(pair.host().message(Urgent).is_none() && pair.host().deadline().is_none());

    // A signal lane that is gone, or another one.
    for again in [false, true] {
        let mut agent = agent::<Tiny>();
        agent.feed(Signal, &data(1, Urgent, 0, &[0, 1, 9]), at(1));
        agent.feed(Signal, &open(77)[..9], at(1));
        if again {
            agent.reconnect(Signal)
        } else {
            agent.disconnect(Signal, at(1))
        }
        assert_eq!((agent.connection(), agent.end()), (None, Some(LineEnd::Gone)));
        assert_eq!(polled(&mut agent, Signal, 300), []);
        agent.reconnect(Signal);
        agent.feed(Signal, &open(77), at(2));
        assert_eq!(agent.connection(), Some(2));
    }
}
