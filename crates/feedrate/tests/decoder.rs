//! What the decoder does for any protocol: what it waits for, what it holds, how it ends, and what it
//! leaves for others. How it finds its way back is in `recovery.rs`.

use feedrate::pg::backend::Message;
use feedrate::pg::{Backend, Encryption, EncryptionResponse, Frontend, Problem};
use feedrate::{Array, Borrowed, Decoder, Error, Extent, Fault, Grow, Protocol, Storage};
use feedrate_testkit::pg::Side;
use feedrate_testkit::pg::vectors::{self, Good};
use feedrate_testkit::storage::NoMemory;

/// Bytes in packets of three, each of which says with a `+` that another protocol follows.
#[derive(Debug, Default)]
struct Triples;

impl Protocol for Triples {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Fault;

    fn extent(&self, _: &[u8]) -> Result<Extent, Fault> {
        Ok(Extent::Message(3))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
        Ok(frame)
    }
}

/// Who reads exactly as many bytes as are needed never takes one that belongs to what comes after.
#[test]
fn needed_bytes_are_never_too_many() {
    fn check<D: Side>(rows: &[Good<D, D::Owned>]) {
        // They begin with neither a header nor a packet's length.
        let after = [0xff; 300];
        for Good { start, bytes, .. } in rows {
            let stream = [&bytes[..], &after].concat();
            let mut decoder = Decoder::new(start.clone(), Grow::new(2 << 20));
            let (mut position, mut reads) = (0, 0);
            loop {
                let needed = decoder.needed();
                let mut input = &stream[position..position + needed];
                position += needed;
                reads += 1;
                assert!(
                    position <= bytes.len(),
                    "{} bytes too many of {}",
                    position - bytes.len(),
                    bytes.escape_ascii()
                );
                match decoder.feed(&mut input).expect("good") {
                    Some(frame) => assert_eq!(frame.raw(), bytes),
                    None => continue,
                }
                assert!(input.is_empty());
                break;
            }
            assert_eq!(position, bytes.len());
            // A type byte or a length, a startup packet's code, and the rest; only a text without a length
            // is read byte by byte.
            let most = if bytes[0] == 0 { 4 } else { 3 };
            assert!(reads <= most || bytes.starts_with(b"Es"), "{reads} reads for {}", bytes.escape_ascii());
        }
    }
    check(&vectors::backend());
    check(&vectors::frontend());
}

#[test]
fn needed_is_at_least_one() {
    let mut decoder = Decoder::new(Backend::established(), Array::<4>::new());
    assert!(decoder.needed() >= 1);
    assert!(decoder.feed(&mut &b"?"[..]).is_err());
    assert!(decoder.needed() >= 1);
    let decoder = Decoder::new(Frontend::new(), Array::<0>::new());
    assert_eq!(decoder.needed(), 1);
}

#[test]
fn a_whole_message_is_lent_from_the_input() {
    let stream = [vectors::READY, vectors::READY].concat();
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    let mut input = &stream[..];
    let frame = decoder.feed(&mut input).expect("good").expect("whole");
    assert_eq!(frame.raw().as_ptr(), stream.as_ptr());
    assert_eq!(input.as_ptr(), stream[6..].as_ptr());
    assert_eq!(decoder.pending(), b"");
    assert_eq!(decoder.storage().held(), b"");
}

#[test]
fn only_what_is_missing_is_taken() {
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    let mut input = &b"Z\0\0"[..];
    assert_eq!(decoder.feed(&mut input), Ok(None));
    assert_eq!((decoder.pending(), input), (&b"Z\0\0"[..], &b""[..]));
    assert_eq!(decoder.needed(), 2);
    let mut input = &b"\0\x05IZ\0"[..];
    assert_eq!(decoder.feed(&mut input).expect("good").expect("whole").raw(), vectors::READY);
    // Nothing of the next one, though it is cut too.
    assert_eq!((decoder.pending(), input), (&b""[..], &b"Z\0"[..]));
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(decoder.feed(&mut input), Ok(None));
    assert_eq!(decoder.pending(), b"Z\0");
}

#[test]
fn a_stream_must_not_end_inside_of_a_message() {
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(decoder.feed(&mut &b"Z\0\0\0\x05"[..]), Ok(None));
    let Err(Error::Lost(error)) = decoder.end() else { panic!() };
    assert_eq!(error.problem(), Problem::Fault(Fault::Truncated { held: 5, missing: 1 }));
    assert_eq!(
        error.to_string(),
        "the stream ended inside a message, with 5 bytes of it here and at least 1 missing"
    );
    // It is a question, and changes nothing.
    assert!(decoder.feed(&mut &b"I"[..]).expect("good").is_some());
    assert_eq!(decoder.end(), Ok(()));
}

#[test]
fn a_lost_stream_is_lost_until_reset() {
    for first in [1, 7, 9] {
        let stream = [vectors::READY, b"?\0\0\0\x04"].concat();
        let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
        let (a, b) = stream.split_at(first);
        let mut lost = None;
        let mut taken = 0;
        for mut input in [a, b] {
            let length = input.len();
            while lost.is_none() {
                match decoder.feed(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => lost = Some(error),
                }
            }
            taken += length - input.len();
        }
        let lost = lost.expect("'?' is no type byte");
        assert!(lost.is_lost());
        assert_eq!(lost.into_inner().problem(), Problem::UnknownTag(b'?'));
        // The bytes from the bad header on have not been passed over.
        assert_eq!(decoder.pending(), &stream[6..taken.max(6)]);

        for mut more in [&b""[..], vectors::READY, b"?"] {
            let before = more;
            assert_eq!(decoder.feed(&mut more), Err(lost));
            assert_eq!(more, before);
            assert_eq!(decoder.gap(), Err(lost));
            assert_eq!(decoder.end(), Err(lost));
        }
        assert!(format!("{decoder:?}").contains("lost: true"));

        decoder.reset();
        assert_eq!((decoder.end(), decoder.pending()), (Ok(()), &b""[..]));
        assert_eq!(
            decoder.feed(&mut &vectors::READY[..]).expect("good").expect("whole").raw(),
            vectors::READY
        );
    }
}

#[test]
fn a_reset_forgets_half_a_message_and_the_phase() {
    let mut decoder = Decoder::new(Backend::new(), Array::<64>::new());
    assert!(decoder.feed(&mut &vectors::OK[..]).expect("good").is_some());
    assert_eq!(decoder.feed(&mut &b"Z\0\0"[..]), Ok(None));
    assert!(decoder.protocol().is_authenticated());
    decoder.reset();
    assert!(!decoder.protocol().is_authenticated());
    assert_eq!(decoder.pending(), b"");
    assert!(decoder.feed(&mut &vectors::OK[..]).expect("good").is_some());

    let mut decoder = Decoder::new(Frontend::new(), Array::<64>::new());
    assert!(decoder.feed(&mut &b"\0\0\0\x08\x04\xd2\x16\x2f"[..]).expect("good").is_some());
    decoder.reset();
    assert!(decoder.feed(&mut &b"\0\0\0\x08\x04\xd2\x16\x2f"[..]).expect("good").is_some());
}

#[test]
fn silence_means_nothing_to_a_protocol_that_does_not_listen_to_it() {
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    assert_eq!(decoder.gap(), Ok(None));
    assert_eq!(decoder.feed(&mut &b"Z\0"[..]), Ok(None));
    assert_eq!(decoder.gap(), Ok(None));
    assert_eq!(decoder.pending(), b"Z\0");
    assert!(decoder.feed(&mut &b"\0\0\x05I"[..]).expect("good").is_some());
}

/// What has not been taken is the other protocol's, wherever the last message of the first one was cut.
#[test]
fn another_protocol_takes_over_in_mid_stream() {
    let stream = [vectors::READY, b"abcdefgh"].concat();
    for cut in 0..=stream.len() {
        let (mut first, mut second) = stream.split_at(cut);
        let mut memory = [0; 64];
        let mut decoder = Decoder::new(Backend::established(), Borrowed::new(&mut memory));
        let mut found = decoder.feed(&mut first).expect("good").is_some();
        if !found {
            assert!(first.is_empty());
            found = decoder.feed(&mut second).expect("good").is_some();
        }
        assert!(found);
        let (_, storage) = decoder.into_parts();
        // Of the old message there may be bytes in it; it is for the new decoder to begin with nothing.
        let mut storage = storage;
        storage.clear();
        let mut decoder = Decoder::new(Triples, storage);
        let mut triples = Vec::new();
        for mut input in [first, second] {
            while let Some(triple) = decoder.feed(&mut input).expect("good") {
                triples.push(triple.to_vec());
            }
        }
        assert_eq!(triples, [b"abc", b"def"]);
        assert_eq!(decoder.pending(), b"gh");
        assert_eq!(decoder.end(), Err(Error::Lost(Fault::Truncated { held: 2, missing: 1 })));
    }
}

#[test]
fn tls_begins_behind_the_consent() {
    let stream = b"S\x16\x03\x03\0\x7a\x02";
    let mut decoder = Decoder::new(vectors::asked(Encryption::Ssl), Array::<64>::new());
    assert_eq!(decoder.needed(), 1);
    let mut input = &stream[..];
    let frame = decoder.feed(&mut input).expect("good").expect("one byte");
    assert_eq!(
        frame.message(),
        Ok(Message::EncryptionResponse(EncryptionResponse::Accepted(Encryption::Ssl)))
    );
    assert_eq!(input, &stream[1..]);

    // Who forgets the encryption is told (CVE-2021-23222).
    let mut stuffed = vectors::OK;
    assert!(decoder.feed(&mut stuffed).expect_err("in clear").is_lost());

    let mut decoder = Decoder::new(vectors::asked(Encryption::Ssl), Array::<64>::new());
    assert!(decoder.feed(&mut &b"S"[..]).expect("good").is_some());
    decoder.protocol_mut().secured();
    assert_eq!(decoder.feed(&mut &vectors::OK[..]).expect("good").expect("whole").name(), "Authentication");
}

#[test]
fn a_request_for_encryption_with_more_behind_it_is_refused() {
    let request = b"\0\0\0\x08\x04\xd2\x16\x2f";
    let stream = [&request[..], vectors::STARTUP].concat();
    let accepted = EncryptionResponse::Accepted(Encryption::Ssl);

    let mut decoder = Decoder::new(Frontend::new(), Array::<64>::new());
    let mut input = &stream[..];
    assert!(decoder.feed(&mut input).expect("good").is_some());
    let error = decoder.protocol_mut().answered(accepted, input).expect_err("bytes in clear");
    assert!(matches!(
        (error.message(), error.at(), error.problem()),
        ("SSLRequest", 8, Problem::Disagrees(_))
    ));
    assert!(decoder.feed(&mut input).expect_err("closed").is_lost());

    // After a refusal they are welcome; after a consent with nothing behind the request, so is what is decrypted.
    for (response, rest) in [(EncryptionResponse::Refused, &stream[8..]), (accepted, b"")] {
        let mut decoder = Decoder::new(Frontend::new(), Array::<64>::new());
        assert!(decoder.feed(&mut &stream[..8]).expect("good").is_some());
        assert_eq!(decoder.protocol_mut().answered(response, rest), Ok(()));
        let mut input = &stream[8..];
        assert_eq!(decoder.feed(&mut input).expect("good").expect("whole").name(), "StartupMessage");
    }
}

/// A protocol's careless answers must not make the decoder wait for ever or turn in a circle.
#[test]
fn nought_counts_as_one() {
    #[derive(Debug, Clone, Copy)]
    struct Careless(Extent);
    impl Protocol for Careless {
        type Bytes<'a> = &'a [u8];
        type Message<'a> = usize;
        type Error = Fault;
        fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
            if let Extent::Need(_) = self.0 {
                return Ok(if head.len() < 3 { Extent::Need(0) } else { Extent::Message(3) });
            }
            if head.first() == Some(&b'.') { Ok(Extent::Message(1)) } else { Ok(self.0) }
        }
        fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Fault> {
            Ok(frame.len())
        }
    }
    for (extent, expected) in [
        (Extent::Skip(0), vec![1]),
        (Extent::Skip(usize::MAX), vec![]),
        (Extent::Piece(0), vec![1; 4]),
        (Extent::Piece(usize::MAX), vec![4]),
        (Extent::Need(0), vec![3]),
        (Extent::Until(b""), vec![1; 4]),
    ] {
        let mut decoder = Decoder::new(Careless(extent), Array::<8>::new());
        let mut input = &b"abc."[..];
        let mut lengths = Vec::new();
        while let Some(length) = decoder.feed(&mut input).expect("good") {
            lengths.push(length);
            assert!(lengths.len() < 10, "{extent:?}");
        }
        assert_eq!(lengths, expected, "{extent:?}");
        assert!(input.is_empty());
    }
}

/// What was passed over before the bytes that lost the stream is not among them.
#[test]
fn the_bytes_that_lose_the_stream_are_pending() {
    struct Padded;
    impl Protocol for Padded {
        type Bytes<'a> = &'a [u8];
        type Message<'a> = &'a [u8];
        type Error = Fault;
        fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
            match head {
                [] | [b' '] => Ok(Extent::Need(2)),
                [b' ', ..] => Ok(Extent::Skip(1)),
                [b'?', ..] => Err(Fault::Memory { needed: 0 }),
                _ => Ok(Extent::Message(1)),
            }
        }
        fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
            Ok(frame)
        }
    }
    let mut decoder = Decoder::new(Padded, Array::<8>::new());
    assert_eq!(decoder.feed(&mut &b" "[..]), Ok(None));
    let mut input = &b"?a"[..];
    assert!(decoder.feed(&mut input).expect_err("a question").is_lost());
    assert_eq!((decoder.pending(), input), (&b"?"[..], &b"a"[..]));
}

/// A storage that has less room than it says.
#[test]
fn memory_that_runs_out_loses_the_stream() {
    let mut decoder = Decoder::new(Triples, NoMemory { limit: 100 });
    assert_eq!(decoder.feed(&mut &b"abc"[..]), Ok(Some(&b"abc"[..])));
    let lost = Err(Error::Lost(Fault::Memory { needed: 2 }));
    assert_eq!(decoder.feed(&mut &b"ab"[..]), lost);
    assert_eq!(decoder.feed(&mut &b"abc"[..]), lost);
}

/// What a `static` of firmware wants is made while compiling.
#[test]
fn decoders_are_constants() {
    use feedrate::pg::stream::Streaming;
    use feedrate::pg::{
        Backend, BackendLimits, Frontend, FrontendLimits, List, Secret, Text, frontend::Bind,
    };
    use feedrate::rdp::packet::Packets;
    use feedrate::rdp::record::Records;

    const SERVER: Decoder<Backend, Array<64>> = Decoder::new(
        Backend::established().limits(BackendLimits::new().long(1 << 20)).allow_unknown(9),
        Array::new(),
    );
    const CLIENT: Decoder<Streaming<Frontend>, Array<64>> =
        Decoder::new(Streaming::new(Frontend::new().limits(FrontendLimits::new().large(9))), Array::new());
    const LINE: Decoder<Packets, Array<64>> = Decoder::new(Packets, Array::new());
    const STREAM: Decoder<Records, Array<64>> = Decoder::new(Records::new(), Array::new());
    const BIND: Bind<'static> = Bind {
        portal: Text::from_bytes(b"p"),
        statement: Text::from_bytes(b"s"),
        parameter_formats: List::new(&[]),
        parameters: List::new(&[Some(b"1")]),
        result_formats: List::EMPTY,
    };
    const KEY: Secret<'static> = Secret::from_bytes(b"key");

    let (mut server, mut client, mut line, mut stream) = (SERVER, CLIENT, LINE, STREAM);
    let mut input = &b"Z\0\0\0\x05I"[..];
    assert_eq!(server.feed(&mut input).unwrap().unwrap().name(), "ReadyForQuery");
    assert!(client.feed(&mut &b"\0\0\0\x08"[..]).unwrap().is_none());
    assert!(line.feed(&mut &b"\0"[..]).unwrap().is_none());
    assert!(stream.feed(&mut &b"\0"[..]).unwrap().is_none());
    assert_eq!((BIND.parameters.len(), KEY.expose().len()), (1, 3));
}
