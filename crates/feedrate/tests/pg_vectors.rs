//! Every byte vector is read as the message that it is, and written as the bytes that it was; every malformed one gives
//! exactly the error that it should, and costs no other message.

use feedrate::pg::backend::Message;
use feedrate::pg::{Backend, BackendLimits, Encryption, Frontend, Problem, frontend};
use feedrate::{Decoder, Encode, EncodeError, Error, Fault, Grow, SliceOutput};
use feedrate_testkit::pg::vectors::{self, Bad, Expected, Good};
use feedrate_testkit::pg::{Entry, Side, message, transcript};

const STORAGE: usize = 2 << 20;

#[test]
fn what_a_backend_says_is_read_and_written() {
    let rows = vectors::backend();
    rows.iter().for_each(reads_and_writes);
    // None was forgotten: the type bytes, the codes of Authentication, and what has no type byte.
    let tags: Vec<u8> = b"RKv23CWdcGHDIEVnNAtS1sZT".to_vec();
    assert!(tags.iter().all(|tag| rows.iter().any(|row| row.bytes[0] == *tag && row.bytes.len() > 1)));
}

#[test]
fn what_a_frontend_says_is_read_and_written() {
    let rows = vectors::frontend();
    rows.iter().for_each(reads_and_writes);
    assert!(b"pBCdcfDEHFPQSX".iter().all(|tag| rows.iter().any(|row| row.bytes[0] == *tag)));
}

fn reads_and_writes<D: Side>(row: &Good<D, D::Owned>) {
    let Good { start, bytes, message } = row;
    let shown = &bytes[..bytes.len().min(60)];
    let mut decoder = Decoder::new(start.clone(), Grow::new(STORAGE));
    let mut input = &bytes[..];
    let frame = decoder.feed(&mut input).expect("a message").expect("a whole message");
    assert!(D::is(&frame, message), "{:?} from {}", frame, shown.escape_ascii());
    assert_eq!(frame.raw(), bytes);
    assert!(input.is_empty());
    assert_eq!(decoder.end(), Ok(()));

    let widely = D::widely(message);
    assert_eq!(widely.encoded_length(), Ok(bytes.len()), "{}", shown.escape_ascii());
    let mut out = b"before".to_vec();
    assert_eq!(widely.encode(&mut out), Ok(bytes.len()));
    assert!(out[6..] == bytes[..], "{message:?} is written as {}", out[6..].escape_ascii());

    let mut exact = vec![0xaa; bytes.len()];
    let mut out = SliceOutput::new(&mut exact);
    assert_eq!(widely.encode(&mut out), Ok(bytes.len()));
    assert_eq!(out.as_bytes(), bytes);

    let mut short = vec![0xaa; bytes.len() + 4];
    let mut out = SliceOutput::new(&mut short);
    frontend::Sync.encode(&mut out).expect("five bytes");
    assert_eq!(widely.encode(&mut out), Err(EncodeError::Full));
    assert_eq!(out.as_bytes(), vectors::SYNC, "{message:?} was half written");
    // And what has been given up leaves room for another message.
    if bytes.len() > 5 {
        frontend::Sync.encode(&mut out).expect("five bytes more");
        assert_eq!(out.as_bytes(), vectors::SYNC.repeat(2));
    }
}

#[test]
fn what_is_wrong_with_a_backends_message_is_said_exactly() {
    vectors::backend_bad().iter().for_each(is_refused);
}

#[test]
fn what_is_wrong_with_a_frontends_message_is_said_exactly() {
    vectors::frontend_bad().iter().for_each(is_refused);
}

fn is_refused<D: Side>(row: &Bad<D>) {
    let shown = row.bytes[..row.bytes.len().min(60)].escape_ascii().to_string();
    let stream = [&row.bytes[..], row.next].concat();
    let found = transcript(&row.start, Grow::new(STORAGE), &[&stream]);
    let (entry, (name, at, problem)) = match row.expected {
        Expected::Message(name, at, problem) => {
            let Some(Entry::Bad(error)) = found.entries.first() else { panic!("{shown}: {found:?}") };
            // The next message, and nothing else.
            if row.next.is_empty() {
                assert_eq!(found.entries.len(), 1, "{shown}");
            } else {
                assert!(
                    matches!(&found.entries[1..], [Entry::Message { raw, .. }] if raw == row.next),
                    "{shown}: {found:?}"
                );
            }
            assert_eq!(found.end, Ok(()), "{shown}");
            (error, (name, at, problem))
        }
        Expected::Lost(name, at, problem) => {
            let [Entry::Lost(error)] = &found.entries[..] else { panic!("{shown}: {found:?}") };
            assert_eq!(found.end, Err(Error::Lost(*error)), "{shown}");
            (error, (name, at, problem))
        }
    };
    assert_eq!((entry.message(), entry.at(), entry.problem()), (name, at, problem), "{shown}");
}

/// Any other body than the right one is bad, or is another message; it never reaches beyond its frame.
#[test]
fn a_body_cut_short_or_grown_costs_only_itself() {
    fn check<D: Side>(rows: &[Good<D, D::Owned>], next: &[u8]) -> (usize, usize) {
        let (mut bad, mut good) = (0, 0);
        let tagged =
            |row: &&Good<D, D::Owned>| row.bytes.len() < 5_000 && row.bytes.len() >= 5 && row.bytes[0] != 0;
        for row in rows.iter().filter(tagged) {
            let (tag, body) = (row.bytes[0], &row.bytes[5..]);
            let grown = (1..=3).map(|n| [body, &[0, b'S', 0xff][..n]].concat());
            for body in (0..body.len()).map(|n| body[..n].to_vec()).chain(grown) {
                let bytes = message(tag, body);
                let found = transcript(&row.start, Grow::new(STORAGE), &[&bytes, next]);
                match &found.entries[..] {
                    [Entry::Bad(_), Entry::Message { raw, .. }] if raw == next => bad += 1,
                    [Entry::Message { raw: first, .. }, Entry::Message { raw, .. }] if raw == next => {
                        assert_eq!(first, &bytes);
                        good += 1;
                    }
                    // A frontend's Terminate, and a plain error's text, end where they end.
                    _ if tag == b'X' || row.bytes.starts_with(b"Es") => {}
                    _ => panic!("{}: {found:?}", bytes.escape_ascii()),
                }
                assert_eq!(found.end.is_ok(), !matches!(found.entries.last(), Some(Entry::Lost(_))));
            }
        }
        (bad, good)
    }
    let is_ready = |row: &Good<Backend, _>| row.start.is_authenticated();
    let (ready, startup): (Vec<_>, Vec<_>) = vectors::backend().into_iter().partition(is_ready);
    for (bad, good) in [
        check(&ready, vectors::READY),
        check(&startup, vectors::OK),
        check(&vectors::frontend(), vectors::TERMINATE),
    ] {
        assert!(bad > 50, "only {bad} bad ones");
        assert!(good > 5, "only {good} good ones");
    }
}

#[test]
fn the_longest_length_of_each_class_is_accepted_and_one_more_is_not() {
    fn check<D: Side>(rows: &[Bad<D>]) -> usize {
        let mut classes = 0;
        for row in rows {
            let Expected::Lost(_, at @ (0 | 1), Problem::Length { length, max, .. }) = row.expected else {
                continue;
            };
            if length != max + 1 {
                continue;
            }
            let mut header = row.bytes.clone();
            header[at..at + 4].copy_from_slice(&max.to_be_bytes());
            header.truncate(at + 4);
            let mut decoder = Decoder::new(row.start.clone(), Grow::new(usize::MAX));
            let mut input = &header[..];
            assert!(matches!(decoder.feed(&mut input), Ok(None)), "{}", header.escape_ascii());
            // Of a startup packet, the code first.
            let needed = if at == 0 { 4 } else { max as usize - 4 };
            assert_eq!(decoder.needed(), needed, "{}", header.escape_ascii());
            classes += 1;
        }
        classes
    }
    assert!(check(&vectors::backend_bad()) > 25);
    assert!(check(&vectors::frontend_bad()) > 17);
}

#[test]
fn limits_are_the_callers_to_choose() {
    let limits = BackendLimits::new().long(16);
    let backend = Backend::established().limits(limits);
    let found = transcript(&backend, Grow::new(100), &[&message(b'd', [0; 12]), &message(b'd', [0; 13])]);
    assert_eq!(found.names(), ["CopyData", "-"]);

    let limits = pg_limits(16);
    let found = transcript(&Frontend::new().limits(limits), Grow::new(100), &[vectors::STARTUP]);
    assert_eq!(found.names(), ["-"]);
    let ready = Frontend::established().limits(limits);
    let found = transcript(&ready, Grow::new(100), &[&message(b'Q', b"select now()\0")]);
    assert_eq!(found.names(), ["-"]);
}

fn pg_limits(each: u32) -> feedrate::pg::FrontendLimits {
    feedrate::pg::FrontendLimits::new().startup(each).authentication(each).scram(each).small(each).large(each)
}

#[test]
fn an_error_in_answer_to_a_request_for_encryption_is_nobodys_word() {
    // Of protocol 3, and of protocol 2.
    for bytes in [&b"E\0\0\0\x08Mx\0\0"[..], b"Ecould not fork\n\0"] {
        let mut decoder = Decoder::new(vectors::asked(Encryption::Ssl), Grow::new(100));
        let mut input = bytes;
        let frame = decoder.feed(&mut input).expect("an error").expect("whole");
        let Ok(Message::UntrustedError(error)) = frame.message() else { panic!("{frame:?}") };
        assert_eq!(error.raw(), bytes);
        assert!(!format!("{error:?} {frame:?}").contains("fork"));
        let mut out = Vec::new();
        assert_eq!(error.encode(&mut out), Ok(bytes.len()));
        assert_eq!(out, bytes);
        let mut input = vectors::OK;
        assert!(matches!(decoder.feed(&mut input), Err(Error::Lost(_))));
    }
}

#[test]
fn an_early_error_that_is_no_message_is_text_up_to_a_nul() {
    // Too long for a message before authentication, too short for any, and text that begins with a NUL.
    for bytes in
        [&b"E\0\0\x75\x31 \0"[..], b"E\x7f\xff\xff\xff\0", b"E\xff\xff\xff\xff\xff\0", b"E\0\0\0\x03"]
    {
        let found = transcript(&Backend::new(), Grow::new(100), &[bytes]);
        let end = bytes.iter().position(|byte| *byte == 0).expect("a NUL");
        let Some(Entry::Message { raw, shown, .. }) = found.entries.first() else { panic!("{found:?}") };
        assert_eq!(raw, &bytes[..=end]);
        assert!(shown.starts_with("PlainError"), "{shown}");
    }
    // After authentication there is no such thing: what it would be is longer than the storage, and refused.
    let found = transcript(&Backend::established(), Grow::new(100), &[b"Ecould not fork\n\0"]);
    let [Entry::Bad(error)] = &found.entries[..] else { panic!("{found:?}") };
    let limit = Problem::Fault(Fault::TooLong { declared: 0x636f_756c + 1, limit: 100 });
    assert_eq!(error.problem(), limit);
}

#[test]
fn tls_without_a_request_takes_no_bytes() {
    let mut decoder = Decoder::new(Frontend::new(), Grow::new(100));
    let client_hello = &b"\x16\x03\x01\x02\0\x01"[..];
    let mut input = client_hello;
    let frame = decoder.feed(&mut input).expect("a message").expect("whole");
    assert_eq!(frame.message(), Ok(frontend::Message::DirectTls(frontend::DirectTls)));
    assert_eq!((frame.raw(), frame.name()), (&b""[..], "DirectTls"));
    assert_eq!(input, client_hello);
    let mut out = Vec::new();
    assert_eq!(frontend::DirectTls.encode(&mut out), Ok(0));
    // Nobody has taken it out of the stream.
    assert!(matches!(decoder.feed(&mut input), Err(Error::Lost(_))));

    // After a refusal of the other encryption it is allowed still; after SSLRequest, a client that wanted
    // TLS had its answer.
    for (request, expected) in [(&b"\x04\xd2\x16\x30"[..], "DirectTls"), (b"\x04\xd2\x16\x2f", "-")] {
        let found = transcript(&Frontend::new(), Grow::new(100), &[b"\0\0\0\x08", request, client_hello]);
        assert_eq!(found.names()[1], expected);
    }
}
