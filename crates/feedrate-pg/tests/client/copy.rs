//! COPY in, out and both, and what it swallows.

use feedrate::pg::frontend::{CopyData, CopyDone, CopyFail, Flush, Query};
use feedrate_pg::client::{Error, SendError};

use crate::Session;

const COPY: Query<'_> = Query { sql: feedrate::pg::Text::from_bytes(b"copy") };
const DATA: CopyData<'_> = CopyData { data: b"1\n" };

#[test]
fn in_by_query() {
    let mut session = Session::new();
    session.send(COPY).unwrap();
    assert_eq!(session.send(DATA), Err(SendError::NoCopy));
    session.receive("G");
    assert_eq!(session.send(COPY), Err(SendError::InCopy));
    assert_eq!(session.send(Flush), Err(SendError::InCopy));
    assert_eq!(session.send(feedrate::pg::frontend::Sync), Err(SendError::InCopy));
    assert_eq!((session.send(DATA), session.send(CopyDone)), (Ok(0), Ok(0)));
    assert_eq!(session.send(DATA), Err(SendError::NoCopy));
    // Another one can be sent before the first is confirmed.
    assert_eq!(session.send(COPY), Ok(1));
    let shown = session.receive("CZG");
    assert_eq!(shown[2], (Some(1), "CopyInResponse"));
    session.send(CopyFail { reason: "no".into() }).unwrap();
    assert_eq!(session.receive("EZ").last(), Some(&(Some(1), "ReadyForQuery")));
    assert!(session.client.is_idle());
}

/// Several in one Query, and data of the one that failed are not sent any more.
#[test]
fn an_error_ends_it() {
    let mut session = Session::new();
    session.send(COPY).unwrap();
    session.receive("G");
    session.send(CopyDone).unwrap();
    session.receive("CG");
    session.send(DATA).unwrap();
    session.receive("E");
    assert_eq!(session.send(DATA), Err(SendError::NoCopy));
    assert_eq!(session.receive("Z"), [(Some(0), "ReadyForQuery")]);
}

#[test]
fn out() {
    let mut session = Session::new();
    session.send(COPY).unwrap();
    assert_eq!(session.receive("HddcCHdcCZ").len(), 10);
    session.batch();
    session.sync();
    let shown = session.receive("12nHdcCZ");
    assert_eq!(shown[6..], [(Some(4), "CommandComplete"), (Some(5), "ReadyForQuery")]);
}

/// The Sync behind it is swallowed, so another one is due.
#[test]
fn in_by_execute() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    session.written();
    session.receive("12nG");
    session.send(DATA).unwrap();
    session.send(CopyDone).unwrap();
    session.receive("C");
    assert!(!session.client.is_idle(), "a Sync is missing");
    let sync = session.sync();
    assert_eq!(session.written(), ["CopyData", "CopyDone", "Sync"]);
    assert_eq!((sync, session.receive("Z")), (5, vec![(Some(5), "ReadyForQuery")]));
    assert!(session.client.is_idle());
}

/// After CopyDone nobody knows yet whether it fails, and so whether the Sync from before is swallowed.
#[test]
fn in_by_execute_with_sync_behind_copy_done() {
    for answers in ["CZIZ", "EZIZ", "EZZIZ"] {
        let mut session = Session::new();
        session.batch();
        session.sync();
        session.receive("12nG");
        session.written();
        session.send(CopyDone).unwrap();
        assert_eq!(session.send(COPY), Err(SendError::Swallowed));
        let sync = session.sync();
        let next = session.send(COPY).unwrap();
        assert_eq!(session.written(), ["CopyDone", "Sync", "Query", "Query"]);
        let shown = session.receive(answers);
        assert_eq!(shown.len(), 2, "{answers}: {shown:?}");
        assert_eq!(shown[1], (Some(sync), "ReadyForQuery"));
        assert_eq!(session.receive("CZ").last(), Some(&(Some(next), "ReadyForQuery")));
        assert!(session.client.is_idle());
    }
}

/// It failed before or after the server read the Sync: one ReadyForQuery or two.
#[test]
fn in_by_execute_that_fails() {
    for answers in ["ZIZ", "ZZIZ"] {
        let mut session = Session::new();
        session.batch();
        session.sync();
        session.receive("12nGE");
        session.written();
        assert_eq!(session.send(COPY), Err(SendError::Failed));
        let sync = session.sync();
        assert_eq!(session.written(), ["Sync", "Query"]);
        assert_eq!(session.receive(answers), [(Some(sync), "ReadyForQuery")], "{answers}");
        assert!(session.client.is_idle());
        // Which is over then.
        session.sync();
        assert_eq!(session.written(), ["Sync"]);
    }
}

/// Of a Sync and its mark, both are written or neither.
#[test]
fn a_mark_without_room() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    session.receive("12nGE");
    let mut memory = [0; 10];
    let mut out = feedrate::SliceOutput::new(&mut memory);
    let sent = session.client.send(&feedrate::pg::frontend::Sync, &mut out);
    assert!(matches!(sent, Err(SendError::Encode(_))) && out.as_bytes().is_empty(), "{sent:?}");
    let sync = session.sync();
    assert_eq!(session.receive("ZIZ"), [(Some(sync), "ReadyForQuery")]);
}

/// The one that was not swallowed is answered before another is sent.
#[test]
fn in_by_execute_that_fails_early() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    assert_eq!(session.receive("12nGEZ").len(), 5);
    let sync = session.sync();
    assert_eq!(session.receive("ZIZ"), [(Some(sync), "ReadyForQuery")]);
    assert!(session.try_receive("Z").is_err());
}

/// Without a Sync behind it there is nothing to be swallowed.
#[test]
fn in_by_execute_without_sync() {
    let mut session = Session::new();
    session.batch();
    session.send(Flush).unwrap();
    session.receive("12nGE");
    session.written();
    let sync = session.sync();
    assert_eq!(session.written(), ["Sync"]);
    assert_eq!(session.receive("Z"), [(Some(sync), "ReadyForQuery")]);
}

/// A failing Sync among those of which nobody knows how many there are.
#[test]
fn a_marked_sync_fails() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    session.receive("12nGE");
    let sync = session.sync();
    let shown = session.receive("ZEZIZ");
    assert_eq!(shown, [(Some(sync), "ErrorResponse"), (Some(sync), "ReadyForQuery")]);
}

/// The server would take it for data, or die of it.
#[test]
fn requests_behind_a_copy() {
    let behind: [fn(&mut Session); 2] = [
        |session| {
            session.send(COPY).unwrap();
            session.send(COPY).unwrap();
        },
        |session| {
            session.batch();
            session.batch();
            session.sync();
        },
    ];
    for (send, before) in behind.iter().zip(["", "12n"]) {
        let mut session = Session::new();
        send(&mut session);
        session.receive(before);
        assert_eq!(session.try_receive("G"), Err(Error::BehindCopy));
    }
    let mut session = Session::new();
    behind[0](&mut session);
    assert_eq!(session.try_receive("W"), Err(Error::BehindCopy));
}

/// As replication does it: both sides end by themselves, data come behind the server's CopyDone, and there are two
/// CommandCompletes, with a row before them at the end of a timeline.
#[test]
fn both() {
    for end in ["ddcddCC", "dcTDCC", "CC", "cC", "E"] {
        let mut session = Session::new();
        session.send(COPY).unwrap();
        session.receive("Wd");
        session.send(DATA).unwrap();
        assert_eq!(session.send(COPY), Err(SendError::InCopy));
        assert_eq!(session.send(CopyFail { reason: "no".into() }), Err(SendError::CopyBoth));
        session.send(CopyDone).unwrap();
        assert_eq!(session.send(DATA), Err(SendError::NoCopy));
        session.receive(end);
        assert_eq!(session.receive("Z"), [(Some(0), "ReadyForQuery")], "{end}");
    }
}
