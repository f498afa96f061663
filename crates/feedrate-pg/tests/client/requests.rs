//! Queries, batches, pipelines and their errors.

use feedrate::pg::backend::{self, TransactionStatus};
use feedrate::pg::frontend::{
    self, Bind, Close, CopyData, CopyDone, Describe, Flush, FunctionCall, Parse, Query, Target, Terminate,
};
use feedrate::pg::{Format, List};
use feedrate::{Encode, SliceOutput};
use feedrate_pg::Full;
use feedrate_pg::client::{Client, Error, Formats, Portal, SendError};
use feedrate_pg::queue::{Kind, Slot};

use crate::{Session, wire};

const QUERY: Query<'_> = Query { sql: feedrate::pg::Text::from_bytes(b"select 1") };

#[test]
fn a_session_begins() {
    let mut client = Client::new([Slot::EMPTY; 4]);
    let mut out = Vec::new();
    assert_eq!(client.send(&QUERY, &mut out), Err(SendError::Starting));
    assert!(client.cancel_request().is_none() && client.server_version().is_none() && !client.is_idle());
    for tag in [b'N', b'S', b'K', b'Z'] {
        let bytes = wire(tag);
        let event = client.receive(&backend::Frame::from_bytes(&bytes).unwrap()).unwrap().unwrap();
        assert_eq!(event.request, None);
    }
    let mut cancel = Vec::new();
    client.cancel_request().unwrap().encode(&mut cancel).unwrap();
    assert_eq!(cancel, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\x01\x02\x03\x04");
    assert_eq!((client.server_version(), client.is_idle()), (Some(18), true));
    assert_eq!(client.send(&QUERY, &mut out), Ok(0));
}

/// Before the first ReadyForQuery nothing answers anything.
#[test]
fn what_may_not_begin_one() {
    for tag in [b'C', b'D', b'1', b'T', b'G', b'R'] {
        let mut client = Client::new([Slot::EMPTY; 4]);
        let bytes = if tag == b'R' { b"R\0\0\0\x08\0\0\0\0".to_vec() } else { wire(tag) };
        let error = client.receive(&backend::Frame::from_bytes(&bytes).unwrap()).unwrap_err();
        assert!(error.is_lost() && matches!(error, Error::Unexpected { due: None, .. }), "{error}");
    }
}

#[test]
fn a_query_has_several_results() {
    let mut session = Session::new();
    assert_eq!(session.send(QUERY), Ok(0));
    let shown = session.receive("TDDCNTCSCIAZ");
    let of_it = shown.iter().filter(|(request, _)| *request == Some(0)).count();
    assert_eq!((shown.len(), of_it), (12, 9));
    assert!(session.client.is_idle());
}

#[test]
fn an_error_ends_a_query_and_not_the_next() {
    let mut session = Session::new();
    assert_eq!((session.send(QUERY), session.send(QUERY)), (Ok(0), Ok(1)));
    let shown = session.receive("TDEZTDCZ");
    assert_eq!(shown[2..4], [(Some(0), "ErrorResponse"), (Some(0), "ReadyForQuery")]);
    assert_eq!(shown[7], (Some(1), "ReadyForQuery"));
}

#[test]
fn a_batch() {
    let mut session = Session::new();
    assert_eq!(session.batch(), [0, 1, 2, 3]);
    assert_eq!((session.send(Flush), session.sync()), (Ok(3), 4));
    assert_eq!(session.written(), ["Parse", "Bind", "Describe", "Execute", "Flush", "Sync"]);
    let shown = session.receive("12TDDsZ");
    let requests = shown.iter().map(|(request, _)| request.unwrap()).collect::<Vec<_>>();
    assert_eq!(requests, [0, 1, 2, 3, 3, 3, 4]);
}

#[test]
fn a_statement_is_described_in_two_messages() {
    let mut session = Session::new();
    session.send(Describe { target: Target::Statement("".into()) }).unwrap();
    session.send(Close { target: Target::Statement("".into()) }).unwrap();
    session.send(FunctionCall::default()).unwrap();
    session.sync();
    let requests = session.receive("tn3VZZ").into_iter().map(|(request, _)| request.unwrap());
    assert!(requests.eq([0, 0, 1, 2, 2, 3]));
    session.send(Describe { target: Target::Statement("".into()) }).unwrap();
    assert!(session.try_receive("T").is_err(), "the parameters come first");
}

/// The server drops everything up to Sync, Query too.
#[test]
fn an_error_drops_what_follows() {
    let mut session = Session::new();
    session.batch();
    session.send(QUERY).unwrap();
    session.send(FunctionCall::default()).unwrap();
    let sync = session.sync();
    session.batch();
    session.sync();
    let shown = session.receive("1EZ12nCZ");
    assert_eq!(shown[1..3], [(Some(1), "ErrorResponse"), (Some(sync), "ReadyForQuery")]);
    assert_eq!(shown[3], (Some(sync + 1), "ParseComplete"));
    assert!(session.client.is_idle());
}

/// What is sent to a server that skips would be lost.
#[test]
fn after_an_error_comes_sync() {
    let mut session = Session::new();
    session.batch();
    session.receive("E");
    assert_eq!(session.send(QUERY), Err(SendError::Failed));
    assert_eq!(session.send(Flush), Err(SendError::Failed));
    assert!(!session.client.is_idle());
    let sync = session.sync();
    assert_eq!(session.send(QUERY), Ok(sync + 1));
    assert_eq!(session.receive("ZCZ").last(), Some(&(Some(sync + 1), "ReadyForQuery")));
}

/// A deferred constraint fails in Sync, and nothing is skipped.
#[test]
fn sync_fails() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    session.sync();
    let shown = session.receive("12nCEZZ");
    assert_eq!(
        shown[4..],
        [(Some(4), "ErrorResponse"), (Some(4), "ReadyForQuery"), (Some(5), "ReadyForQuery")]
    );
}

#[test]
fn the_status_is_that_of_ready_for_query() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("C");
    assert_eq!(session.client.transaction_status(), TransactionStatus::Idle);
    let frame = backend::Frame::from_bytes(b"Z\0\0\0\x05T").unwrap();
    session.client.receive(&frame).unwrap();
    assert_eq!(session.client.transaction_status(), TransactionStatus::InTransaction);
}

/// Of rows of Execute, the Bind says it, not a description of the statement.
#[test]
fn formats_are_those_of_bind() {
    let mut session = Session::new();
    let formats = [Format::BINARY, Format::TEXT];
    let seen = |session: &mut Session, tag| {
        let bytes = wire(tag);
        session.client.receive(&backend::Frame::from_bytes(&bytes).unwrap()).unwrap().unwrap().formats
    };
    for (list, expected) in
        [(&formats[..0], Formats::Text), (&formats[..1], Formats::Binary), (&formats[..], Formats::Mixed)]
    {
        let bind = Bind { result_formats: List::from(list), ..Bind::default() };
        session.send(Describe { target: Target::Statement("".into()) }).unwrap();
        session.send(bind).unwrap();
        session.send(Portal::of(&bind).execute(1)).unwrap();
        session.sync();
        session.receive("tT2");
        assert_eq!(seen(&mut session, b'D'), expected);
        session.receive("CZ");
    }
    // A binary cursor's FETCH.
    session.send(QUERY).unwrap();
    let field = backend::Field { format: Format::BINARY, ..backend::Field::default() };
    let mut bytes = Vec::new();
    backend::RowDescription { fields: List::from(&[field]) }.encode(&mut bytes).unwrap();
    session.client.receive(&backend::Frame::from_bytes(&bytes).unwrap()).unwrap();
    assert_eq!(seen(&mut session, b'D'), Formats::Binary);
}

#[test]
fn what_answers_something_else_is_refused() {
    for (sent, tags) in [
        (Kind::Query, "1"),
        (Kind::Query, "D"),
        (Kind::Query, "TCc"),
        (Kind::Query, "s"),
        (Kind::Query, "Hdd1"),
        (Kind::Query, "Z"),
        (Kind::Sync, "C"),
        (Kind::Parse, "2"),
        (Kind::Parse, "Z"),
        (Kind::FunctionCall, "Z"),
    ] {
        let mut session = Session::new();
        match sent {
            Kind::Query => session.send(QUERY),
            Kind::Sync => session.send(frontend::Sync),
            Kind::Parse => session.send(Parse::default()),
            _ => session.send(FunctionCall::default()),
        }
        .unwrap();
        let error = session.try_receive(tags).unwrap_err();
        assert!(matches!(error, Error::Unexpected { due: Some(due), .. } if due == sent), "{tags}: {error}");
    }
    let error = Session::new().try_receive("C").unwrap_err();
    assert_eq!(error.to_string(), "CommandComplete came, where no response is due");
}

/// A body that cannot be read costs its own message only.
#[test]
fn a_malformed_message_is_not_the_end() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("T");
    let row = backend::Frame::from_bytes(b"D\0\0\0\x06\0\x01").unwrap();
    let error = session.client.receive(&row).unwrap_err();
    assert!(!error.is_lost(), "{error}");
    assert_eq!(session.receive("DCZ").len(), 3);
}

/// Nothing is counted that was not written, and the other way round.
#[test]
fn there_is_no_room() {
    let mut client = Client::new([Slot::EMPTY; 2]);
    client.receive(&backend::Frame::from_bytes(&wire(b'Z')).unwrap()).unwrap();
    let mut out = Vec::new();
    for number in 0..1000 {
        assert_eq!(client.send(&QUERY, &mut out), Ok(number), "repeats take no room");
    }
    client.send(&frontend::Sync, &mut out).unwrap();
    let length = out.len();
    assert_eq!(client.send(&QUERY, &mut out), Err(SendError::Full(Full)));
    assert_eq!(out.len(), length);

    let mut memory = [0; 7];
    let mut out = SliceOutput::new(&mut memory);
    let before = format!("{client:?}");
    assert!(matches!(client.send(&frontend::Sync, &mut out), Ok(1001)));
    assert_ne!(format!("{client:?}"), before);
    let before = format!("{client:?}");
    assert!(matches!(client.send(&frontend::Sync, &mut out), Err(SendError::Encode(_))));
    assert_eq!((format!("{client:?}"), out.as_bytes().len()), (before, 5));
}

#[test]
fn the_end() {
    let mut session = Session::new();
    session.send(Terminate).unwrap();
    assert!(session.client.is_over());
    assert_eq!(session.send(QUERY), Err(SendError::Over));

    // An administrator's command, while nothing is asked.
    let mut session = Session::new();
    assert_eq!(session.receive("F"), [(None, "ErrorResponse")]);
    assert_eq!(session.send(QUERY), Err(SendError::Over));
    assert!(matches!(session.send(CopyDone), Err(SendError::Over)));
}

#[test]
fn streamed_rows() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    assert!(session.client.receive_streamed(b'D').is_err());
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("T");
    assert_eq!(session.client.receive_streamed(b'D'), Ok(Some(0)));
    session.client.abandon();
    assert_eq!(session.client.receive_streamed(b'D'), Ok(None));
}

#[test]
fn data_without_a_copy() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    assert_eq!(session.send(CopyData { data: b"1" }), Err(SendError::NoCopy));
    session.receive("G");
    assert_eq!(session.send(CopyData { data: b"1" }), Ok(0));
}
