//! Records on two channels (SPEC sections 4.2 and 4.3).

use super::super::ack;
use super::*;

/// SPEC section 4.2: that one queue is full never keeps the other from taking bytes.
#[test]
fn a_full_channel_1_leaves_channel_0_alone() {
    for bulk in [None, Some(Lane::SPI)] {
        let mut pair = Pair::<Tiny>::open(bulk);
        // As much as goes in, and nobody looks.
        let (mut sent, message) = (0, [9; 500]);
        pair.run(3_000, |pair| {
            let now = at(pair.now);
            sent += usize::from(pair.host().send(Ordinary, &message, now));
            false
        });
        assert_eq!((sent, pair.agent().core.inboxes.windows()), (2, [514, 0]));
        for n in 0..100 {
            let (begun, message) = (pair.now, [n; 20]);
            let now = at(begun);
            assert!(pair.host().send(Urgent, &message, now));
            let arrived = pair.run(200, |pair| pair.agent().message(Urgent).is_some());
            assert!(arrived && pair.now - begun < 100, "{n}: {} ms", pair.now - begun);
            assert_eq!(pair.agent().message(Urgent).unwrap().message, message);
            pair.agent().drop_message(Urgent);
            // The host's channel 1 has made no progress, and would be given up in the end.
            if n % 10 == 0 {
                pair.agent().drop_message(Ordinary);
                let now = at(pair.now);
                pair.host().send(Ordinary, &[9; 500], now);
            }
        }
        assert_eq!(pair.ends.each_ref().map(Link::status), [LinkStatus::Open(1); 2]);
    }
}

#[test]
fn a_full_channel_0_leaves_channel_1_alone() {
    let mut pair = Pair::<Tiny>::open(Some(Lane::SPI));
    assert!(pair.host().send(Urgent, &[9; 512], at(100)));
    assert!(pair.run(1_000, |pair| pair.host().is_idle()));
    for n in 0..20 {
        let now = at(pair.now);
        assert!(pair.host().send(Ordinary, &[n; 400], now));
        assert!(pair.run(100, |pair| pair.agent().message(Ordinary).is_some() && pair.host().is_idle()));
        assert_eq!(pair.agent().message(Ordinary).unwrap().message, [n; 400]);
        pair.agent().drop_message(Ordinary);
    }
    assert_eq!(pair.agent().message(Urgent).unwrap().message, [9; 512]);
}

/// The one packet that is sent, an ACK.
fn acked<S: Sizes>(link: &mut Link<S>, number: u32, now: u64) -> ack::Ack {
    let sent = polled(link, Signal, now);
    let (header, payload) = &sent[0];
    assert_eq!((sent.len(), header.kind, header.position), (1, PacketType::Ack, number));
    ack::Ack::read(payload).unwrap()
}

/// What an ACK says there is room for is what will be taken, to the byte, of each channel.
#[test]
fn windows() {
    let mut agent = agent::<Tiny>();
    let mut record = vec![1, 244];
    record.extend([7; 500]);
    agent.feed(Bulk, &data(1, Ordinary, 0, &record[..400]), at(1));
    agent.feed(Bulk, &data(1, Ordinary, 400, &[&record[400..], &record[..300]].concat()), at(1));
    let ack = acked(&mut agent, 1, 1);
    assert_eq!((ack.next, ack.window, ack.intact, ack.nack), ([0, 514], [514, 0], 2, 0));
    agent.drop_message(Ordinary);
    // There was a gap, and then the rest came.
    agent.feed(Bulk, &data(1, Ordinary, 600, &record[..2]), at(2));
    agent.feed(Bulk, &data(1, Ordinary, 510, &record[8..400]), at(2));
    let ack = acked(&mut agent, 2, 2);
    assert_eq!((ack.next, ack.window, ack.intact, ack.nack), ([0, 902], [514, 114], 4, 2));
}

/// A sender finds out that a window is open again, even if nobody has told it.
#[test]
fn what_a_shut_window_lets_pass() {
    let mut host = Link::<Desk>::host(Lane::UART, None);
    host.open(77, at(0));
    assert_eq!(polled(&mut host, Signal, 0).len(), 1);
    host.feed(Signal, &packet(PacketType::Accept, 5, 77, &[4, 1]), at(1));
    assert!(host.send(Urgent, &[7; 600], at(1)));
    let sent: usize = but_acks(polled(&mut host, Signal, 1)).iter().map(|(_, payload)| payload.len()).sum();
    assert_eq!(sent, 512, "before the first ACK");
    let shut =
        ack::Ack { next: [512, 0], window: [0, 0], intact: 0, failures: [0; 2], nack: 0, signal_failures: 0 };
    host.feed(Signal, &packet(PacketType::Ack, 5, 1, &bytes(shut)), at(2));
    let (mut tried, mut end) = (Vec::new(), None);
    for now in 2..20_000 {
        for (header, payload) in but_acks(polled(&mut host, Signal, now)) {
            match header.kind {
                PacketType::Data => tried.push((now, header.position, payload.len(), header.tries())),
                _ => end = Some((now, header.kind, payload)),
            }
        }
    }
    // 300 ms, doubled at each try up to 2400 ms; 8 tries, and the end when the next one would be due.
    let expected: Vec<_> = [302, 902, 2102, 4502, 6902, 9302, 11702, 14102].into_iter().zip(0..).collect();
    let times: Vec<_> = tried.iter().map(|(now, ..)| *now).zip(0..).collect();
    assert_eq!(times, expected);
    assert!(tried.iter().all(|(_, position, length, _)| (*position, *length) == (512, 16)), "{tried:?}");
    assert_eq!(tried.iter().map(|(.., tries)| *tries).collect::<Vec<_>>(), [0, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(end, Some((16502, PacketType::Reset, vec![5])));
    assert_eq!(host.end(), Some(LineEnd::NoProgress));
}

/// What has been sent before and what has not are not in one packet: it says which it is.
#[test]
fn what_is_sent_again() {
    let mut agent = agent::<Tiny>();
    assert!(agent.send(Urgent, &[7; 10], at(1)));
    let of = |sent: Vec<(Header, Vec<u8>)>| {
        let told = |(header, payload): &(Header, Vec<u8>)| (header.position, payload.len(), header.tries());
        but_acks(sent).iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(of(polled(&mut agent, Signal, 1)), [(0, 12, 0)]);
    assert_eq!(agent.deadline(), Some(at(200)), "the next ACK");
    assert_eq!(of(polled(&mut agent, Signal, 200)), []);
    assert_eq!(agent.deadline(), Some(at(301)));
    assert!(agent.send(Urgent, &[8; 5], at(300)));
    assert_eq!(of(polled(&mut agent, Signal, 301)), [(0, 12, 1), (12, 7, 0)]);
}

/// SPEC section 4.2: fatal on the channel where it is above the limit.
#[test]
fn records_that_there_must_not_be() {
    let end = |channel, length: u16, accept: Option<usize>| {
        let mut agent = agent::<Desk>();
        accept.into_iter().for_each(|limit| agent.accept(limit));
        agent.feed(Signal, &data(1, channel, 0, &length.to_be_bytes()), at(1));
        let told = but_acks(polled(&mut agent, Signal, 1));
        assert_eq!(told.is_empty(), agent.end().is_none());
        assert!(told.is_empty() || told == [reset(1, 0, ResetReason::BadRecord)]);
        agent.end()
    };
    for channel in Channel::ALL {
        assert_eq!(end(channel, 0, None), Some(LineEnd::BadRecord));
        assert_eq!([1, 512].map(|length| end(channel, length, None)), [None; 2]);
        assert_eq!(end(channel, 513, None), Some(LineEnd::BadRecord));
    }
    assert_eq!(end(Urgent, 513, Some(4096)), Some(LineEnd::BadRecord));
    assert_eq!(end(Ordinary, 4096, Some(4096)), None);
    assert_eq!(end(Ordinary, 4097, Some(4096)), Some(LineEnd::BadRecord));
}

#[test]
fn time_is_judged_when_the_last_byte_arrives() {
    let mut agent = agent::<Tiny>();
    agent.set_gate(Some(Gate::new(at(1_000), 1)));
    let mut record = [0, 10, 0, 0, 0, 7, 0, 0, 0, 5, 1, 2];
    for (position, millis, on_time) in
        [(0, 1_049, false), (12, 1_050, true), (24, 1_069, true), (36, 1_070, false)]
    {
        agent.feed(Signal, &data(1, Urgent, position, &record[..11]), at(1_050));
        assert!(agent.message(Urgent).is_none());
        agent.feed(Signal, &data(1, Urgent, position + 11, &record[11..]), at(millis));
        let Arrived { message, on_time: judged } = agent.message(Urgent).unwrap();
        assert_eq!((message, judged), (&mut record[2..], on_time));
        agent.drop_message(Urgent);
    }
}
