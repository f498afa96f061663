//! Passwords, keys, and what SASL and GSSAPI say, show in no `Debug` and in no error, whether the message
//! is good, malformed, or not complete.

use std::fmt::Debug;

use feedrate::pg::frontend::{self, Answer};
use feedrate::pg::stream::{Event, Streaming};
use feedrate::pg::writer::CopyDataWriter;
use feedrate::pg::{Backend, Frontend, Secret, backend};
use feedrate::{Array, Decoder, Error, Grow, SliceOutput};
use feedrate_testkit::pg::vectors::{asked, authenticating};
use feedrate_testkit::pg::{Side, message, packet};

const SECRET: &[u8] = b"hunter2!";

/// That neither the secret nor a part of it is in there, as text or as numbers.
fn is_silent(shown: &str) {
    let decimal = format!("{SECRET:?}").replace(['[', ']'], "");
    let numbers = decimal[..11].to_string();
    let hexadecimal: String = SECRET[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    for told in ["hunter2", "unter", &numbers, &hexadecimal, "68, 75", "0x68"] {
        assert!(!shown.contains(told), "{told} is in {shown}");
    }
}

fn shows(value: &dyn Debug) -> String {
    let shown = format!("{value:?} {value:#?}");
    is_silent(&shown);
    shown
}

/// Bodies that have the secret in them, good and bad, and what they need to be read.
fn frontend() -> Vec<(Frontend, Vec<u8>)> {
    let with = |before: &[u8], behind: &[u8]| [before, SECRET, behind].concat();
    let to = |answer| authenticating(Some(answer));
    let p = |body: Vec<u8>| message(b'p', body);
    vec![
        (to(Answer::Password), p(with(b"", b"\0"))),
        (to(Answer::Password), p(with(b"", b""))),
        (to(Answer::Password), p(with(b"", b"\0trailing"))),
        (to(Answer::SaslInitial), p(with(b"SCRAM-SHA-256\0\0\0\0\x08", b""))),
        (to(Answer::SaslInitial), p(with(b"SCRAM-SHA-256\0\0\0\0\x09", b""))),
        (to(Answer::SaslInitial), p(with(b"SCRAM-SHA-256\0\0\0\0\x07", b""))),
        (to(Answer::SaslInitial), p(with(b"SCRAM-SHA-256\0\xff\xff\xff\xff", b""))),
        // The secret where the mechanism should be, as of somebody who answers another request.
        (to(Answer::SaslInitial), p(with(b"", b""))),
        (to(Answer::Sasl), p(with(b"c=biws,p=", b""))),
        (to(Answer::Gss), p(with(b"", b""))),
        (authenticating(None), p(with(b"", b"\0"))),
        (Frontend::new(), packet(with(b"\x04\xd2\x16\x2e\0\0\0\x01", b""))),
        (Frontend::new(), packet(with(b"\x04\xd2\x16\x2e\0\0\0\x01", &[b'x'; 300]))),
    ]
}

fn backend() -> Vec<(Backend, Vec<u8>)> {
    let with = |before: &[u8], behind: &[u8]| [before, SECRET, behind].concat();
    vec![
        (Backend::established(), message(b'K', with(b"\0\0\0\x01", b""))),
        (Backend::established(), message(b'K', with(b"\0\0\0\x01", &[b'x'; 300]))),
        (Backend::new(), message(b'R', with(b"\0\0\0\x0b", b""))),
        (Backend::new(), message(b'R', with(b"\0\0\0\x0c", b""))),
        (Backend::new(), message(b'R', with(b"\0\0\0\x08", b""))),
        (Backend::new(), message(b'R', with(b"\0\0\0\x63", b""))),
        (Backend::new(), message(b'R', with(b"\0\0\0\x00", b""))),
        (asked(feedrate::pg::Encryption::Ssl), message(b'E', with(b"M", b"\0\0"))),
        (asked(feedrate::pg::Encryption::Ssl), with(b"E", b"\0")),
    ]
}

/// Whole, in pieces, cut off, and lost.
fn keeps<D: Side>(
    rows: &[(D, Vec<u8>)],
    show: impl Fn(&feedrate::pg::Frame<'_, D>) -> Result<String, feedrate::pg::Error>,
) {
    let (mut good, mut bad) = (0, 0);
    for (start, bytes) in rows {
        let mut decoder = Decoder::new(start.clone(), Array::<512>::new());
        let mut input = &bytes[..];
        let frame = decoder.feed(&mut input).expect("a frame").expect("whole");
        assert!(shows(&frame).contains(frame.name()));
        match show(&frame) {
            Ok(shown) => {
                is_silent(&shown);
                good += 1;
            }
            Err(error) => {
                shows(&error);
                is_silent(&error.to_string());
                is_silent(&Error::Message(error).to_string());
                bad += 1;
            }
        }
        shows(&decoder);

        for cut in 1..bytes.len() {
            let mut decoder = Decoder::new(start.clone(), Grow::new(512));
            let mut input = &bytes[..cut];
            assert_eq!(decoder.feed(&mut input), Ok(None));
            shows(&decoder);
            shows(decoder.storage());
            let error = decoder.end().expect_err("cut off");
            shows(&error);
            is_silent(&error.to_string());
        }

        // No room: lost, with the bytes held or not.
        let mut decoder = Decoder::new(start.clone(), Array::<8>::new());
        let mut lost = None;
        for byte in bytes {
            lost = lost.or(decoder.feed(&mut &[*byte][..]).err());
        }
        let lost = lost.expect("more than 8 bytes");
        is_silent(&lost.to_string());
        shows(&lost);
        shows(&decoder);

        let mut decoder = Decoder::new(Streaming::new(start.clone()), Array::<512>::new());
        let mut input = &bytes[..];
        let event = decoder.feed(&mut input).expect("a frame").expect("whole");
        assert!(matches!(event, Event::Whole(_)));
        shows(&event);
        shows(&decoder);
    }
    assert!(good > 4 && bad > 1, "{good} good, {bad} bad");
}

#[test]
fn what_a_frontend_says_in_confidence() {
    keeps(&frontend(), |frame| {
        // The mechanism is not a secret; where the secret stands in its place, the message is malformed.
        frame.message().map(|message| shows(&message) + message.name())
    });
}

#[test]
fn what_a_backend_says_in_confidence() {
    keeps(&backend(), |frame| frame.message().map(|message| shows(&message) + message.name()));
}

#[test]
fn messages_made_by_hand() {
    let secret = Secret::from(SECRET);
    assert!(shows(&secret).contains("8 bytes"));
    shows(&frontend::PasswordMessage { password: secret });
    shows(&frontend::SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data: Some(secret) });
    shows(&frontend::SASLResponse { data: secret });
    shows(&frontend::GSSResponse { data: secret });
    shows(&frontend::AuthenticationResponse { data: secret });
    shows(&frontend::CancelRequest { process_id: 1, key: secret });
    shows(&backend::BackendKeyData { process_id: 1, key: secret });
    shows(&backend::Authentication::SaslContinue { data: secret });
    shows(&backend::Authentication::SaslFinal { data: secret });
    shows(&backend::Authentication::GssContinue { data: secret });
    shows(&backend::Authentication::Other { code: 99, data: secret });
}

#[test]
fn an_error_of_the_encoder_does_not_quote() {
    use feedrate::Encode;

    let with_nul = [SECRET, b"\0", SECRET].concat();
    let error = frontend::PasswordMessage { password: Secret::from(&with_nul[..]) }
        .encode(&mut Vec::new())
        .expect_err("a NUL");
    shows(&error);
    is_silent(&error.to_string());
}

#[test]
fn bytes_on_their_way_out() {
    let mut memory = [0; 64];
    let mut out = SliceOutput::new(&mut memory);
    let mut copy = CopyDataWriter::begin(&mut out).expect("room");
    copy.put(SECRET).expect("room");
    shows(&copy);
    copy.finish().expect("room");
    shows(&out);
}

#[test]
fn streamed_bytes_are_counted_only() {
    let bytes = message(b'd', [SECRET, SECRET].concat());
    let mut decoder = Decoder::new(Streaming::new(Backend::established()), Array::<8>::new());
    let mut input = &bytes[..];
    let mut shown = String::new();
    while let Some(event) = decoder.feed(&mut input).expect("good") {
        shown += &shows(&event);
    }
    assert!(shown.contains("Bytes("));
}

#[test]
fn secrets_compare_whole() {
    let equal = |a: &[u8], b: &[u8]| Secret::from(a) == Secret::from(b);
    assert!(equal(SECRET, b"hunter2!"));
    assert!(equal(b"", b""));
    for other in [&b"hunter2?"[..], b"Hunter2!", b"hunter2", b"hunter2!!", b""] {
        assert!(!equal(SECRET, other));
    }
}
