//! The bulk lane (SPEC section 4.4, Fail-over).

use super::super::ack;
use super::*;

#[test]
fn fail_over_and_back() {
    let mut pair = Pair::<Board>::open(Some(Lane::SPI));
    pair.converse(3, 10_000);
    let signal = |pair: &Pair<_>| pair.ends[HOST].lane_counts(Signal).sent;
    assert_eq!(pair.ends.each_ref().map(|end| end.counts().damaged), [0; 2]);
    pair.faults.cut = true;
    pair.converse(3, 20_000);
    assert_eq!(pair.ends.each_ref().map(|end| end.counts().damaged), [1; 2]);
    assert!(pair.ends.iter().all(|end| !end.core.health.is_usable()));
    pair.faults.cut = false;
    let begun = pair.now;
    assert!(pair.run(2_000, |pair| pair.ends.iter().all(|end| end.core.health.is_usable())));
    assert!(pair.now - begun > 700, "4 PROBEs");
    let before = signal(&pair);
    let now = at(pair.now);
    assert!(pair.host().send(Ordinary, &[5; 480], now));
    assert!(pair.run(100, |pair| pair.agent().message(Ordinary).is_some()));
    assert!(signal(&pair) - before < 3, "it went over the bulk lane");
}

/// SPEC section 4.4: beginning at once with the first unacknowledged byte.
#[test]
fn a_bulk_lane_that_is_gone() {
    let mut host = Link::<Tiny>::host(Lane::UART, Some(Lane::SPI));
    host.open(77, at(0));
    assert_eq!(polled(&mut host, Signal, 0).len(), 1);
    host.feed(Signal, &packet(PacketType::Accept, 5, 77, &[4, 3]), at(1));
    assert!(host.send(Ordinary, &[7; 30], at(1)));
    assert_eq!(polled(&mut host, Bulk, 1).len(), 1);
    assert_eq!(polled(&mut host, Signal, 1), []);
    host.disconnect(Bulk, at(2));
    let sent = polled(&mut host, Signal, 2);
    let header = Header::new(PacketType::Data, 5, 0).data(Ordinary, 1);
    assert_eq!(sent, [(header, [&[0, 30][..], &[7; 30]].concat())]);
    assert_eq!(polled(&mut host, Bulk, 2), [(Header::new(PacketType::Probe, 5, 0), vec![])]);
    assert_eq!(host.deadline(), Some(at(201)));
    assert_eq!(host.connection(), Some(5));
}

/// A failure that an ACK reports does the same.
#[test]
fn a_bulk_lane_that_fails() {
    let mut host = Link::<Tiny>::host(Lane::UART, Some(Lane::SPI));
    host.open(77, at(0));
    assert_eq!(polled(&mut host, Signal, 0).len(), 1);
    host.feed(Signal, &packet(PacketType::Accept, 5, 77, &[4, 3]), at(1));
    let mut number = 0;
    let mut ack = |host: &mut Link<Tiny>, intact, failures, nack| {
        number += 1;
        let ack = ack::Ack { next: [0; 2], window: [512; 2], intact, failures, nack, signal_failures: 0 };
        host.feed(Signal, &packet(PacketType::Ack, 5, number, &bytes(ack)), at(2));
        host.core.health.is_usable()
    };
    assert!(ack(&mut host, 10, [0, 0], 0));
    assert!(!host.take_crc_failure());
    assert!(!ack(&mut host, 12, [0, 1], 8));
    assert!(host.take_crc_failure() && !host.take_crc_failure());
    assert!(!ack(&mut host, 15, [0, 1], 0));
    assert!(!ack(&mut host, 15, [1, 1], 4));
    assert!(!host.take_crc_failure());
    assert!(!ack(&mut host, 18, [1, 1], 0));
    assert!(ack(&mut host, 19, [1, 1], 0));
}

/// SPEC section 4.3: all counts begin with the connection. What a line hears before is no failure of it.
#[test]
fn noise_before_the_connection_does_not_count() {
    let mut host = Link::<Board>::host(Lane::UART, Some(Lane::SPI));
    host.open(77, at(0));
    for lane in LANES {
        host.feed(lane, &[0, 9, 9, 0], at(0));
    }
    host.feed(Signal, &packet(PacketType::Accept, 5, 77, &[4, 3]), at(1));
    host.feed(Bulk, &data(5, Ordinary, 0, &[0]), at(2));
    let acks = polled(&mut host, Signal, 2).into_iter().filter(|(header, _)| header.kind == PacketType::Ack);
    let counts: Vec<_> = acks.map(|(_, payload)| payload[12..].to_vec()).collect();
    assert_eq!(counts, [[0, 1, 0, 0, 0, 0, 0, 0, 0]]);
}

/// SPEC section 4.3: a busy bulk lane makes an ACK due again and again, and a Halt waits for one of them at most.
#[test]
fn data_goes_between_acks() {
    let mut agent = agent::<Board>();
    let mut kinds = vec![];
    // A message of 200 bytes comes, a byte to a packet.
    for (n, byte) in (0..).zip([0, 200, 7, 7, 7, 7, 7, 7]) {
        agent.feed(Bulk, &data(1, Ordinary, n, &[byte]), at(1));
        if n == 1 {
            assert!(agent.send(Urgent, &[7; 90], at(1)));
        }
        let mut out = [0; 64];
        let length = agent.poll_transmit(Signal, &mut out, at(1));
        let mut decoder = Decoder::new(Packets, Array::<64>::new());
        kinds.push(decoder.feed(&mut &mut out[..length]).unwrap().unwrap().header.kind);
    }
    use PacketType::{Ack, Data};
    assert_eq!(kinds, [Ack, Data, Ack, Data, Ack, Data, Ack, Ack]);
}
