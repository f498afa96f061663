//! What fuzzing has found, and what is known to have gone wrong elsewhere: one test for each input, and
//! what must come of it.

use feedrate::pg::frontend::Answer;
use feedrate::pg::{Backend, EncryptionResponse, Frontend, Problem};
use feedrate::{Array, Decoder, Grow};
use feedrate_testkit::pg::vectors::{self, READY, SYNC, TERMINATE, authenticating};
use feedrate_testkit::pg::{Entry, Side, transcript};

/// The problems of a stream, with the names of the good messages between them.
fn outcome<D: Side>(start: &D, bytes: &[u8]) -> Vec<String> {
    let entries = transcript(start, Grow::new(1 << 20), &[bytes]).entries;
    let shown = |entry: &Entry| match entry {
        Entry::Message { name, .. } => (*name).to_owned(),
        Entry::Bad(error) => format!("bad: {error}"),
        Entry::Lost(error) => format!("lost: {error}"),
    };
    entries.iter().map(shown).collect()
}

/// Reachable by anybody, before authentication: the length does not even count itself.
#[test]
fn a_password_of_an_impossible_length() {
    for answer in
        [None, Some(Answer::Password), Some(Answer::SaslInitial), Some(Answer::Sasl), Some(Answer::Gss)]
    {
        for (bytes, length) in [(b"p\0\0\0\0", 0), (b"p\0\0\0\x03", 3)] {
            let expected =
                format!("lost: AuthenticationResponse at byte 1: length {length}, expected 4 to 65535");
            assert_eq!(outcome(&authenticating(answer), bytes), [expected]);
        }
    }
}

#[test]
fn copy_data_shorter_than_its_own_length() {
    let expected = "lost: CopyData at byte 1: length 2, expected 4 to 1073741826";
    assert_eq!(outcome(&Frontend::established(), b"d\0\0\0\x02"), [expected]);
}

#[test]
fn empty_bodies_of_a_frontend() {
    for (tag, problem) in [
        (b'B', "Bind at byte 5: the string has no terminating NUL before the message ends"),
        (b'P', "Parse at byte 5: the string has no terminating NUL before the message ends"),
        (b'D', "Describe at byte 5: kind needs 1 bytes, and the message ends after 0"),
        (b'C', "Close at byte 5: kind needs 1 bytes, and the message ends after 0"),
        (b'E', "Execute at byte 5: the string has no terminating NUL before the message ends"),
    ] {
        let bytes = [&[tag, 0, 0, 0, 4][..], SYNC].concat();
        assert_eq!(outcome(&Frontend::established(), &bytes), [format!("bad: {problem}"), "Sync".into()]);
    }
}

#[test]
fn a_truncated_bind() {
    let bind = b"\0s1\0\0\x01\0\x01\0\x02\0\0\0\x0242\xff\xff\xff\xff\0\x01\0\x01";
    for n in 0..bind.len() {
        let bytes = [&[b'B', 0, 0, 0, n as u8 + 4][..], &bind[..n], SYNC].concat();
        let found = transcript(&Frontend::established(), Grow::new(100), &[&bytes]);
        assert_eq!(found.names(), ["!", "Sync"], "{n}");
    }
}

/// A string must not be looked for in the next message, whose bytes would be missing then.
#[test]
fn a_query_without_its_nul() {
    let bytes = [b"Q\0\0\0\x07abc", TERMINATE].concat();
    let expected = "bad: Query at byte 5: the string has no terminating NUL before the message ends";
    assert_eq!(outcome(&Frontend::established(), &bytes), [expected, "Terminate"]);
}

/// The bytes too many are not the next message.
#[test]
fn a_sync_with_a_body() {
    let bytes = [b"S\0\0\0\x07QQQ", SYNC].concat();
    let expected = "bad: Sync at byte 5: 3 bytes after the end of the last field";
    assert_eq!(outcome(&Frontend::established(), &bytes), [expected, "Sync"]);
}

#[test]
fn a_parameter_of_length_minus_two_is_not_null() {
    let bytes = [b"B\0\0\0\x10\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0", SYNC].concat();
    let expected = "bad: Bind at byte 11: value length -2, expected -1 for NULL, or 0 and more";
    assert_eq!(outcome(&Frontend::established(), &bytes), [expected, "Sync"]);
}

#[test]
fn empty_and_truncated_bodies_of_a_backend() {
    for (bytes, problem) in [
        (
            &b"D\0\0\0\x04"[..],
            "DataRow at byte 5: number of columns needs 2 bytes, and the message ends after 0",
        ),
        (
            b"D\0\0\0\x05\0",
            "DataRow at byte 5: number of columns needs 2 bytes, and the message ends after 1",
        ),
        (b"R\0\0\0\x04", "Authentication at byte 5: code needs 4 bytes, and the message ends after 0"),
        (b"K\0\0\0\x04", "BackendKeyData at byte 5: process_id needs 4 bytes, and the message ends after 0"),
        (b"Z\0\0\0\x04", "ReadyForQuery at byte 5: status needs 1 bytes, and the message ends after 0"),
        (
            b"G\0\0\0\x07\0\0\x02",
            "CopyInResponse at byte 8: column_formats needs 4 bytes, and the message ends after 0",
        ),
        (
            b"t\0\0\0\x06\xff\xff",
            "ParameterDescription at byte 7: types needs 262140 bytes, and the message ends after 0",
        ),
        (
            b"T\0\0\0\x06\xff\xff",
            "RowDescription at byte 7: the string has no terminating NUL before the message ends",
        ),
    ] {
        let bytes = [bytes, READY].concat();
        let expected = [format!("bad: {problem}"), "ReadyForQuery".into()];
        assert_eq!(outcome(&Backend::established(), &bytes), expected);
    }
}

/// The terminator that is missing must not be found in the next message.
#[test]
fn an_error_without_its_terminator() {
    let bytes = [b"E\0\0\0\x07Ma\0", READY].concat();
    let expected = "bad: ErrorResponse at byte 8: fields needs 1 bytes, and the message ends after 0";
    assert_eq!(outcome(&Backend::established(), &bytes), [expected, "ReadyForQuery"]);
}

#[test]
fn messages_that_others_do_not_know() {
    let found =
        outcome(&Backend::new(), b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0R\0\0\0\x08\0\0\0\x07R\0\0\0\x09\0\0\0\x08x");
    assert_eq!(found, ["NegotiateProtocolVersion", "Authentication", "Authentication"]);
    let key = [&b"K\0\0\0\x28\0\0\0\x01"[..], &[7; 32]].concat();
    let bytes = [b"V\0\0\0\x08\xff\xff\xff\xff", b"W\0\0\0\x07\0\0\0".as_slice(), &key].concat();
    assert_eq!(
        outcome(&Backend::established(), &bytes),
        ["FunctionCallResponse", "CopyBothResponse", "BackendKeyData"]
    );
}

/// Text of protocol 2.0, whose first letters are a length of 1.6 GB.
#[test]
fn an_error_before_the_protocol_begins() {
    let text = b"Ecould not fork new process for connection: Cannot allocate memory\n\0";
    assert_eq!(outcome(&Backend::new(), text), ["PlainError"]);
    let mut decoder = Decoder::new(Backend::new(), Array::<128>::new());
    let frame = decoder.feed(&mut &text[..]).expect("good").expect("whole");
    let Ok(feedrate::pg::backend::Message::PlainError(error)) = frame.message() else { panic!("{frame:?}") };
    assert_eq!(error.text, "could not fork new process for connection: Cannot allocate memory\n");
}

/// "GET " is a length of a gigabyte, and "HELP" is no message either.
#[test]
fn other_protocols_at_the_door() {
    let lost = |start: &Frontend, request: &[u8]| {
        let found = transcript(start, Array::<64>::new(), &[request]);
        let [Entry::Lost(error)] = found.entries[..] else { panic!("{found:?}") };
        error
    };
    for request in [&b"SSH-2.0-x\r\n"[..], b"HELO x\r\n", b"*1\r\n$4\r\nPING\r\n"] {
        let error = lost(&Frontend::new(), request);
        assert!(matches!(error.problem(), Problem::Length { min: 8, max: 10_004, .. }), "{error}");
    }
    for request in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"POST / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let error = lost(&Frontend::new(), request);
        assert_eq!(error.problem(), Problem::Foreign { first: request[0], protocol: "HTTP" });
        // POST begins with a frontend's type byte, Parse's.
        let error = lost(&Frontend::established(), request);
        assert!(matches!(error.problem(), Problem::Foreign { .. } | Problem::UnknownTag(b'G')), "{error}");
    }
    let error = lost(&Frontend::established(), b"\x16\x03\x01\x02\0\x01");
    assert_eq!(error.to_string(), "0x16 does not begin a message: this looks like TLS");
}

/// The text has no length of its own to be limited, and must not fill a storage that grows.
#[test]
fn an_error_text_without_an_end() {
    let start = Backend::new();
    let text = [&b"E"[..], &[b'x'; 40_000]].concat();
    let expected =
        ["lost: ErrorResponse at byte 30000: the string has no terminating NUL before the message ends"];
    assert_eq!(outcome(&start, &text), expected);
    let bytewise: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(transcript(&start, Grow::new(1 << 20), &bytewise).entries.len(), 1);
    // One that does end is as long as a storage allows only up to the limit.
    let whole = [&text[..29_999], b"\0"].concat();
    assert_eq!(outcome(&start, &whole), ["PlainError"]);
}

/// A limit above what an Int32 can say is that of an Int32: or a negative length of a value could be a
/// place in the message.
#[test]
fn a_limit_above_what_a_length_can_be() {
    let limits = feedrate::pg::BackendLimits::new().long(u32::MAX);
    let expected = "lost: DataRow at byte 1: length 2147483648, expected 4 to 2147483647";
    assert_eq!(outcome(&Backend::established().limits(limits), b"D\x80\0\0\0"), [expected]);
}

/// Too long for the storage, and a second request: which of the two is said must not depend on how many
/// bytes are there.
#[test]
fn a_second_request_that_is_too_long() {
    let bytes = b"\0\0\0\x08\x04\xd2\x16\x30\0\0\x03\xf6\x04\xd2\x16\x30\0\0\0\x31";
    let whole = transcript(&Frontend::new(), Array::<64>::new(), &[bytes]);
    for at in 1..bytes.len() {
        let (one, two) = bytes.split_at(at);
        assert_eq!(transcript(&Frontend::new(), Array::<64>::new(), &[one, two]), whole, "cut at {at}");
    }
}

/// It came in pieces once, and the connection was not over behind it.
#[test]
fn a_terminate_that_is_longer_than_the_storage() {
    use feedrate::pg::stream::Streaming;
    use feedrate::{Decoder, Error};

    let mut decoder = Decoder::new(Streaming::new(Frontend::established()), Array::<5>::new());
    let mut input = &b"X\0\0\0\x06abX\0\0\0\x04C"[..];
    let refused = decoder.feed(&mut input).expect_err("longer than the storage");
    let too_long = Problem::Fault(feedrate::Fault::TooLong { declared: 7, limit: 5 });
    assert!(matches!(refused, Error::Message(error) if error.problem() == too_long));
    assert!(decoder.feed(&mut input).expect("a good Terminate").is_some());
    assert!(decoder.feed(&mut input).expect("passed over").is_none());
    assert_eq!((input, decoder.end()), (&b""[..], Ok(())));
}

/// What the server says, and the decoder is told of, may cross a goodbye.
#[test]
fn a_goodbye_lasts() {
    let mut decoder = Decoder::new(authenticating(None), Array::<20>::new());
    assert!(decoder.feed(&mut &TERMINATE[..]).is_ok_and(|frame| frame.is_some()));
    decoder.protocol_mut().authenticated();
    decoder.protocol_mut().expect(Answer::Password);
    assert!(decoder.protocol_mut().answered(EncryptionResponse::Refused, b"").is_ok());
    for after in [&b"\x16\x03\x01"[..], SYNC, b"Q\x7f\xff\xff\xff"] {
        assert!(decoder.feed(&mut &after[..]).is_ok_and(|frame| frame.is_none()));
    }
    assert!(decoder.end().is_ok());
}

/// No server reads further, so that nothing is lost there, nor cut off (pgbouncer 904).
#[test]
fn whatever_follows_the_last_message() {
    let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\x01\0\x03\xff";
    let badly = b"\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\x2a";
    let long = [b'x'; 1_000];
    let after: [&[u8]; 11] = [
        TERMINATE,
        &TERMINATE.repeat(2),
        &TERMINATE[..3],
        SYNC,
        cancel,
        vectors::STARTUP,
        b"\0",
        b"\x16\x03\x01",
        b"p\0\0\0\x03",
        b"Q\x7f\xff\xff\xff",
        &long,
    ];
    for (start, last, name) in [
        (Frontend::new(), &cancel[..], "CancelRequest"),
        (
            Frontend::new(),
            badly,
            "bad: CancelRequest at byte 12: length of the key 0x0, expected 1 to 256 bytes",
        ),
        (Frontend::established(), TERMINATE, "Terminate"),
        (authenticating(None), TERMINATE, "Terminate"),
        (Frontend::established().allow_unknown(100), TERMINATE, "Terminate"),
    ] {
        for after in after {
            let bytes = [last, after].concat();
            assert_eq!(outcome(&start, &bytes), [name], "{}", after.escape_ascii());
            let whole = transcript(&start, Array::<20>::new(), &[&bytes]);
            assert_eq!(whole.end, Ok(()));
            for at in 0..=bytes.len() {
                let (one, two) = bytes.split_at(at);
                assert_eq!(transcript(&start, Array::<20>::new(), &[one, two]), whole, "cut at {at}");
            }
            // All of it, at once.
            let mut decoder = Decoder::new(start.clone(), Array::<20>::new());
            let mut input = &bytes[..];
            assert!(decoder.feed(&mut input).is_ok_and(|frame| frame.is_some()));
            assert!(decoder.feed(&mut input).is_ok_and(|frame| frame.is_none()));
            assert_eq!((input, decoder.needed()), (&b""[..], 1));
        }
    }
}
