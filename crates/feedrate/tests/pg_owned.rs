//! Frames from bytes that are whole in memory, and what owns its bytes.

use feedrate::pg::backend::{
    ErrorResponse, NoticeField, NoticeResponse, OwnedErrorResponse, Severity, field,
};
use feedrate::pg::stream::{Begin, Event, Part, Streaming};
use feedrate::pg::{Backend, Format, Frame, Frontend, List, OwnedFrame, Problem, backend, frontend};
use feedrate::{Array, Decoder, Encode};
use feedrate_testkit::pg::vectors::{self, Good};
use feedrate_testkit::pg::{Side, message};

/// Every message of an established connection, and no piece or neighbour of one.
fn alone<D: Side>(rows: &[Good<D, D::Owned>], established: &D) {
    let mut tried = 0;
    for Good { bytes, .. } in rows.iter().filter(|row| row.bytes.len() < 1_000) {
        // Some rows are of a startup, or allow what is not allowed by default.
        let mut decoder = Decoder::new(established.clone(), Array::<1_000>::new());
        let mut input = &bytes[..];
        let expected = match decoder.feed(&mut input) {
            Ok(Some(frame)) if frame.raw().len() == bytes.len() => frame,
            _ => {
                assert!(Frame::<D>::from_bytes(bytes).is_err(), "{}", bytes.escape_ascii());
                continue;
            }
        };
        let frame = Frame::<D>::from_bytes(bytes).expect("a whole message");
        assert_eq!((frame, frame.tag()), (expected, expected.tag()));
        tried += 1;

        for end in 0..bytes.len() {
            let error = Frame::<D>::from_bytes(&bytes[..end]).expect_err("a part of a message");
            let Problem::Short { needed, left, .. } = error.problem() else { panic!("{error}") };
            assert!(left == end && needed > end && needed <= bytes.len(), "{error}");
            assert_eq!(error.at(), end);
        }
        let two = [&bytes[..], &bytes[..]].concat();
        let error = Frame::<D>::from_bytes(&two).expect_err("more than a message");
        assert_eq!((error.problem(), error.at()), (Problem::Behind(bytes.len()), bytes.len()));

        let owned = OwnedFrame::from(frame);
        assert_eq!((owned.as_frame(), owned.as_frame().tag()), (frame, frame.tag()));
        assert_eq!(owned.clone(), owned);
        let mut out = Vec::new();
        assert_eq!(owned.encode(&mut out), Ok(bytes.len()));
        assert_eq!(&out, bytes);
        // Nobody's password.
        assert_eq!(format!("{owned:?}"), format!("{frame:?}"));
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn one_message_in_memory() {
    alone(&vectors::backend(), &Backend::established());
    alone(&vectors::frontend(), &Frontend::established());
}

#[test]
fn no_message_in_memory() {
    for bytes in [&b""[..], b"?", b"Z\0\0\0\x03", b"Z\x7f\xff\xff\xff\0", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    {
        assert!(backend::Frame::from_bytes(bytes).is_err(), "{}", bytes.escape_ascii());
        assert!(frontend::Frame::from_bytes(bytes).is_err(), "{}", bytes.escape_ascii());
    }
    // A StartupMessage has no type byte: it is not one of an established connection.
    assert!(frontend::Frame::from_bytes(b"\0\0\0\x14\0\x03\0\0user\0alice\0\0").is_err());
}

#[test]
fn a_frame_keeps_its_kind() {
    let mut decoder = Decoder::new(Frontend::new(), Array::<64>::new());
    let mut input = &b"\0\0\0\x08\x04\xd2\x16\x2f"[..];
    let frame = decoder.feed(&mut input).unwrap().unwrap();
    let owned = OwnedFrame::from(frame);
    assert_eq!(owned.as_frame().message(), Ok(frontend::Message::SSLRequest(frontend::SSLRequest)));
}

const FIELDS: [NoticeField<'static>; 4] = [
    NoticeField { code: field::SEVERITY, value: text(b"FEHLER") },
    NoticeField { code: field::SEVERITY_NONLOCALIZED, value: text(b"ERROR") },
    NoticeField { code: field::CODE, value: text(b"22012") },
    NoticeField { code: field::MESSAGE, value: text(b"division by zero") },
];

const fn text(bytes: &'static [u8]) -> feedrate::pg::Text<'static> {
    feedrate::pg::Text::from_bytes(bytes)
}

#[test]
fn an_error_outlives_its_message() {
    let mut wire = Vec::new();
    ErrorResponse { fields: List::from(&FIELDS) }.encode(&mut wire).unwrap();
    let frame = backend::Frame::from_bytes(&wire).unwrap();
    let backend::Message::ErrorResponse(lent) = frame.message().unwrap() else { unreachable!() };
    for lent in [lent, ErrorResponse { fields: List::from(&FIELDS) }] {
        let owned = OwnedErrorResponse::from(lent);
        assert_eq!(owned.as_response(), lent);
        assert_eq!(owned.as_response().severity(), Some(Severity::Error));
        let error: Box<dyn std::error::Error + Send + Sync> = owned.clone().into();
        assert_eq!(error.to_string(), "ERROR: division by zero (SQLSTATE 22012)");
        assert_eq!(error.to_string(), lent.to_string());
        assert_eq!(error.downcast_ref(), Some(&owned));
    }
}

#[test]
fn errors_and_notices_in_one_line() {
    let notice = |fields| NoticeResponse { fields: List::new(fields) }.to_string();
    assert_eq!(notice(&FIELDS), "ERROR: division by zero (SQLSTATE 22012)");
    // Servers before 9.6 have no word that is never translated; and any field can be missing.
    assert_eq!(notice(&[FIELDS[0], FIELDS[3]]), "FEHLER: division by zero");
    assert_eq!(notice(&[]), "NoticeResponse: no message");
    assert_eq!(Severity::Warning.to_string(), "WARNING");
}

#[test]
fn an_owned_error_holds_what_can_be_on_the_wire() {
    let bad = NoticeField { code: field::DETAIL, value: text(b"a\0b") };
    let zero = NoticeField { code: 0, value: text(b"x") };
    for bad in [bad, zero] {
        let fields = [FIELDS[2], bad, FIELDS[3]];
        let owned = OwnedErrorResponse::from(ErrorResponse { fields: List::from(&fields) });
        let good = ErrorResponse { fields: List::from(&[FIELDS[2]]) };
        assert_eq!(owned.as_response(), good);
        assert_eq!(owned, good.into());
    }
}

/// What the fields of a message are called when it comes in pieces, and in which order.
#[test]
fn pieces_are_called_by_their_fields() {
    fn parts<D: Side>(direction: D, bytes: &[u8]) -> Vec<Part> {
        let mut decoder = Decoder::new(Streaming::new(direction), Array::<5>::new());
        let mut parts = Vec::new();
        let mut input = bytes;
        while let Some(event) = decoder.feed(&mut input).unwrap() {
            match event {
                Event::Part(part) => parts.push(part),
                Event::Begin(Begin { tag, length }) => {
                    assert_eq!((tag, length as usize), (bytes[0], bytes.len() - 1));
                }
                Event::Whole(_) => panic!("it fits into five bytes"),
                Event::Bytes(_) | Event::End => {}
            }
        }
        parts
    }
    let value = |index, length| Part::Value { index, length };
    let frontend = |tag: u8, body: &[u8]| parts(Frontend::established(), &message(tag, body));
    assert_eq!(
        frontend(b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01v\xff\xff\xff\xff\0\x02\0\0\0\x01"),
        [
            Part::Portal,
            Part::Statement,
            Part::ParameterFormats { count: 1 },
            Part::Values { count: 2 },
            value(0, Some(1)),
            value(1, None),
            Part::ResultFormats { count: 2 },
        ]
    );
    assert_eq!(
        frontend(b'P', b"s\0q\0\0\x01\0\0\0\x17"),
        [Part::Statement, Part::Sql, Part::ParameterTypes { count: 1 }]
    );
    assert_eq!(
        frontend(b'F', b"\0\x01\0\x02\0\0\0\x01\0\0\0\0\xff\xff"),
        [
            Part::Function(0x1_0002),
            Part::ParameterFormats { count: 0 },
            Part::Values { count: 1 },
            value(0, Some(0)),
            Part::ResultFormat(Format(-1)),
        ]
    );
    assert_eq!(frontend(b'Q', b"q\0"), [Part::Sql]);
    assert_eq!(frontend(b'd', b"x"), [Part::Data]);
    assert_eq!(frontend(b'D', b"Ss\0"), [Part::Body]);
    let backend = |tag: u8, body: &[u8]| parts(Backend::established(), &message(tag, body));
    assert_eq!(backend(b'D', b"\0\x01\0\0\0\x01v"), [Part::Values { count: 1 }, value(0, Some(1))]);
    assert_eq!(backend(b'd', b"x"), [Part::Data]);
    assert_eq!(backend(b'V', b"\0\0\0\x01v"), [value(0, Some(1))]);
    assert_eq!(backend(b'C', b"SELECT 1\0"), [Part::Body]);
}
