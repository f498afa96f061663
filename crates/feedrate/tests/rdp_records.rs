//! What RDPv3 promises of records on a byte stream (SPEC section 5.1): the conformance suite's vectors, the same
//! messages and the same end wherever the bytes are cut, limits on what is declared, and that writing and reading are
//! inverse.

use feedrate::rdp::record::{HEAD, LIMIT, Message, RecordError, Records, head};
use feedrate::rdp::{Channel, frame};
use feedrate::{Decoder, Encode, EncodeError, Error, Fault, Grow, Lent, SliceOutput};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::vectors::{entries, hex, shown, vectors};
use feedrate_testkit::ways::{Seen, Ways};

type Found = Seen<(Channel, Vec<u8>), RecordError>;

/// What comes out, in every way.
fn always(limit: u16, bytes: &[u8]) -> Found {
    let mut records = Records::new();
    records.set_limit(limit);
    let ways = Ways::new(records, || Grow::new(HEAD + usize::from(limit)));
    ways.check(bytes, |message| (message.channel, message.as_bytes().to_vec()))
}

fn number(of: &serde_json::Value) -> u64 {
    of.as_u64().expect("a number")
}

fn record(channel: Channel, length: usize, fill: u8) -> Vec<u8> {
    let mut bytes = vec![fill; HEAD + length];
    bytes[..HEAD].copy_from_slice(&(length as u16 | u16::from(channel.number()) << 15).to_be_bytes());
    bytes
}

#[test]
fn the_conformance_suite_s_vectors() {
    for entry in entries(&vectors("records.json")["streams"]) {
        let name = &entry["name"];
        assert_eq!(entry["limit_0"], LIMIT, "{name}");
        let found = always(number(&entry["limit_1"]) as u16, &hex(&entry["stream"]));
        let mut expected = entries(&entry["results"]).iter();
        for message in found.messages() {
            let expected = expected.next().unwrap_or_else(|| panic!("{name}: one more: {message:?}"));
            assert_eq!(expected["channel"], message.0.number(), "{name}");
            assert_eq!(expected["message"], shown(&message.1), "{name}");
        }
        // The end inside a record is for whoever knows that it is the end.
        let lost = match &found.end {
            Err(Error::Lost(RecordError::Fault(Fault::Truncated { .. }))) => entry["end"] == true,
            end => end.is_err(),
        };
        assert_eq!(expected.next().is_some_and(|last| last["lost"] == true), lost, "{name}: {:?}", found.end);
        assert_eq!(expected.next(), None, "{name}");
    }
}

/// Every length that can be declared, on both channels, before a byte of the message is there.
#[test]
fn a_length_is_judged_when_it_is_declared() {
    for limit in [0, 511, 512, 600, 4096, u16::MAX] {
        for tag in [0, 4, 16, 32] {
            let mut records = Records::new();
            records.set_limit(limit);
            records.set_tag(tag);
            for value in 0..=u16::MAX {
                let declared = usize::from(value & 0x7FFF);
                let least = 14 + usize::from(tag);
                let most = if value & 0x8000 == 0 { 512 } else { usize::from(limit).max(512) };
                let mut decoder = Decoder::new(records, Grow::new(1 << 16));
                let head = value.to_be_bytes();
                let result = decoder.feed(&mut &head[..]);
                if (least..=most).contains(&declared) {
                    assert_eq!(result, Ok(None));
                    assert_eq!(decoder.needed(), declared);
                } else {
                    let wrong = RecordError::Length { declared, least, limit: most };
                    assert_eq!(result, Err(Error::Lost(wrong)));
                    assert!(decoder.is_lost());
                }
            }
        }
    }
}

#[test]
fn what_is_lost_stays_lost() {
    let good = record(Channel::Urgent, 20, 7);
    for bad in [&[0, 17][..], &[0, 0], &[2, 1], &[0xFF, 0xFF], &[0x82, 1]] {
        let found = always(512, &[&good, bad, &good].concat());
        assert_eq!((found.messages().len(), found.entries.len()), (1, 2));
        assert!(matches!(found.entries[1], Err(Error::Lost(RecordError::Length { .. }))));
        assert_eq!(found.left, [bad, &good].concat());
    }
}

/// A handshake changes what may come next: the limit, and how long a tag is.
#[test]
fn a_limit_and_a_tag_hold_from_then_on() {
    let stream = [record(Channel::Ordinary, 18, 1), record(Channel::Ordinary, 2000, 2)].concat();
    let ways = Ways::new(Records::new(), || Grow::new(HEAD + 2000));
    let own = |message: Message<'_>| message.as_bytes().to_vec();
    let found = ways.check(&stream, own);
    assert_eq!((found.messages().len(), found.end.is_err()), (1, true));
    let found = ways.check_reacting(&stream, own, |records, _| records.set_limit(2000));
    assert_eq!((found.messages().len(), found.end), (2, Ok(())));
    let found = ways.check_reacting(&stream, own, |records, _| records.set_limit(1999));
    assert_eq!((found.messages().len(), found.end.is_err()), (1, true));

    let stream = record(Channel::Urgent, 18, 1).repeat(2);
    assert_eq!(ways.check(&stream, own).messages().len(), 2);
    let found = ways.check_reacting(&stream, own, |records, _| records.set_tag(5));
    assert_eq!((found.messages().len(), found.end.is_err()), (1, true));
    let lost = RecordError::Length { declared: 18, least: 19, limit: 512 };
    assert_eq!(found.entries[1], Err(Error::Lost(lost)));
    assert_eq!(lost.to_string(), "record of 18 bytes, expected 19 to 512 on this channel");

    // Another stream begins with another handshake.
    let mut records = Records::new();
    records.set_limit(4096);
    records.set_tag(32);
    let mut decoder = Decoder::new(records, Grow::new(8192));
    assert_eq!(decoder.protocol().limit(Channel::Ordinary), 4096);
    decoder.reset();
    assert_eq!(Channel::ALL.map(|channel| decoder.protocol().limit(channel)), [LIMIT; 2]);
    assert!(decoder.feed(&mut &stream[..]).expect("of a tag of 4 bytes").is_some());
}

/// What fits the limits and not the storage is the caller's mistake: it costs itself, and nothing is reserved for it.
#[test]
fn a_storage_that_is_too_small_refuses_alone() {
    let stream = [record(Channel::Urgent, 200, 1), record(Channel::Urgent, 20, 2)].concat();
    let ways = Ways::new(Records::new(), || Grow::new(100));
    let found = ways.check(&stream, |message| message.as_bytes().to_vec());
    let long = RecordError::Fault(Fault::TooLong { declared: 202, limit: 100 });
    assert_eq!(found.entries, [Err(Error::Message(long)), Ok(vec![2; 20])]);
}

/// A checksum looks, a seal with keys changes the bytes where they lie.
#[test]
fn a_whole_message_is_lent_from_where_it_lies() {
    let mut stream = [record(Channel::Urgent, 20, 7), vec![9; 3]].concat();
    let range = stream.as_ptr_range();
    let mut decoder = Decoder::new(Records::new(), Grow::new(64));
    let mut input = &stream[..];
    let message = decoder.feed(&mut input).expect("good").expect("whole");
    assert!(range.contains(&message.as_bytes().as_ptr()));
    // It may hold a token.
    assert_eq!(format!("{message:?}"), "Message { channel: Urgent, bytes: 20 }");
    assert!(matches!(message.into_lent(), Lent::Shared(bytes) if bytes == [7; 20]));
    assert_eq!(input, [9; 3]);

    let mut input = &mut stream[..];
    match decoder.feed(&mut input).expect("good").expect("whole").into_lent() {
        Lent::Mutable(bytes) => bytes.fill(5),
        Lent::Shared(_) => panic!("it cannot be changed"),
    }
    assert_eq!(input, [9; 3]);
    assert_eq!(decoder.storage().capacity(), 0);
    assert_eq!(stream[HEAD..], [&[5; 20][..], &[9; 3]].concat());
}

#[test]
fn what_is_written_is_read() {
    let mut random = Random::new(11);
    for length in (14..80).chain([511, 512, 513, 4096, 0x7FFF]) {
        for channel in Channel::ALL {
            let bytes: Vec<u8> = (0..length).map(|_| random.number() as u8).collect();
            let message = Message::new(channel, &bytes);
            let mut out = b"before".to_vec();
            assert_eq!(message.encode(&mut out), Ok(HEAD + length));
            assert_eq!(message.encoded_length(), Ok(HEAD + length));
            assert_eq!(out[6..8], head(channel, length).expect("a length"));

            let [s0, s1, s2, s3, t0, t1, t2, t3] = *bytes.first_chunk().expect("a header");
            assert_eq!(message.sequence(), u32::from_be_bytes([s0, s1, s2, s3]));
            assert_eq!(message.time(), u32::from_be_bytes([t0, t1, t2, t3]));

            let mut records = Records::new();
            records.set_tag(0);
            records.set_limit(0x7FFF);
            let mut decoder = Decoder::new(records, Grow::new(1 << 16));
            let read = decoder.feed(&mut &out[6..]);
            if length > LIMIT && channel == Channel::Urgent {
                assert!(matches!(read, Err(Error::Lost(RecordError::Length { .. }))));
            } else {
                assert!(read == Ok(Some(message)));
            }
        }
    }
    for (length, error) in [
        (0, EncodeError::Invalid { what: "message in a record", expected: "14 bytes or more" }),
        (13, EncodeError::Invalid { what: "message in a record", expected: "14 bytes or more" }),
        (0x8000, EncodeError::TooLarge { what: "message in a record", size: 0x8000, limit: 0x7FFF }),
        (0x1_0014, EncodeError::TooLarge { what: "message in a record", size: 0x1_0014, limit: 0x7FFF }),
    ] {
        let mut out = b"before".to_vec();
        assert_eq!(Message::new(Channel::Ordinary, &vec![1; length]).encode(&mut out), Err(error));
        assert_eq!(out, b"before");
    }
}

#[test]
fn an_output_without_room_stays_as_it_was() {
    let bytes = [3; 20];
    for room in 0..=22 {
        let mut memory = vec![0; room];
        let mut out = SliceOutput::new(&mut memory);
        let result = Message::new(Channel::Urgent, &bytes).encode(&mut out);
        assert_eq!(result, if room < 22 { Err(EncodeError::Full) } else { Ok(22) });
        assert_eq!(out.as_bytes().len(), if room < 22 { 0 } else { 22 });
    }
}

/// SPEC section 14.5, and 14.1 in it.
#[test]
fn the_specification_s_example() {
    let text = "801e000000020000009647444250010100000000200001000000000\
                7d7750d64";
    let stream = hex(&text.into());
    let found = always(512, &stream);
    let [(channel, message)] = found.messages()[..] else { panic!("{found:?}") };
    assert_eq!((*channel, message.len()), (Channel::Ordinary, 0x1E));
    let read = frame::Frame::read(&message[8..26]).expect("a frame");
    assert_eq!(read, frame::Frame::SetBreakpoint(frame::Breakpoint { addr: 0x2000_0100, id: 7 }));
}

#[test]
fn records_at_random_cuts() {
    let mut random = Random::new(5);
    for _ in 0..300 {
        let mut stream = Vec::new();
        let mut sent = Vec::new();
        for _ in 0..20 {
            let channel = random.pick(&Channel::ALL);
            let more = if random.chance(2_000) { 495 } else { 30 };
            let length = 18 + random.index(more);
            let fill = random.number() as u8;
            stream.extend(record(channel, length, fill));
            sent.push((channel, vec![fill; length]));
        }
        let mut decoder = Decoder::new(Records::new(), Grow::new(HEAD + LIMIT));
        let (mut rest, mut read) = (&stream[..], Vec::new());
        while !rest.is_empty() {
            let at = (1 + random.index(300)).min(rest.len());
            let (mut chunk, behind) = rest.split_at(at);
            rest = behind;
            while let Some(message) = decoder.feed(&mut chunk).expect("good records") {
                read.push((message.channel, message.as_bytes().to_vec()));
            }
        }
        assert_eq!((read, decoder.end()), (sent, Ok(())));
    }
}
