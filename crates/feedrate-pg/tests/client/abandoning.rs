//! A caller that has an error of its own, in every state.

use feedrate::pg::frontend::{CopyData, Query};

use feedrate_pg::client::SendError;

use crate::{Session, Shown};

const QUERY: Query<'_> = Query { sql: feedrate::pg::Text::from_bytes(b"select 1") };

impl Session {
    fn abandon(&mut self) -> Vec<&'static str> {
        self.written();
        self.client.abandon();
        self.transmit()
    }

    fn transmit(&mut self) -> Vec<&'static str> {
        self.client.transmit(&mut self.out).unwrap();
        self.written()
    }

    /// The next request gets its own response, and nothing else is shown.
    fn goes_on(&mut self, rest: &str) {
        if !rest.is_empty() && self.client.is_abandoning() {
            assert_eq!(self.send(QUERY), Err(SendError::Abandoned));
        }
        assert_eq!(self.receive(rest), [] as [Shown; 0], "{rest}");
        let next = self.send(QUERY).unwrap();
        let shown = self.receive("TDCZ");
        assert!(shown.len() == 4 && shown.iter().all(|(request, _)| *request == Some(next)), "{shown:?}");
        assert!(self.client.is_idle());
    }
}

#[test]
fn nothing_is_in_flight() {
    let mut session = Session::new();
    assert!(session.abandon().is_empty());
    session.goes_on("");
}

#[test]
fn rows() {
    for rest in ["DDCZ", "EZ", "CTCZ"] {
        let mut session = Session::new();
        session.send(QUERY).unwrap();
        session.receive("TD");
        assert!(session.abandon().is_empty());
        session.goes_on(rest);
    }
}

/// What comes at any time is shown all the same.
#[test]
fn notices() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.abandon();
    assert_eq!(session.receive("TNDA").len(), 2);
    session.goes_on("CZ");
}

#[test]
fn a_batch_without_sync() {
    for rest in ["12nCZ", "12EZ", "1EZ"] {
        let mut session = Session::new();
        session.batch();
        assert_eq!(session.abandon(), ["Sync"]);
        session.goes_on(rest);
    }
}

#[test]
fn a_batch_with_sync() {
    let mut session = Session::new();
    session.batch();
    session.sync();
    session.receive("12n");
    assert!(session.abandon().is_empty());
    session.goes_on("DDCZ");
}

#[test]
fn a_batch_that_has_failed() {
    let mut session = Session::new();
    session.batch();
    session.receive("1E");
    assert_eq!(session.abandon(), ["Sync"]);
    session.goes_on("Z");
}

#[test]
fn a_copy_by_query() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("G");
    session.send(CopyData { data: b"1\n" }).unwrap();
    assert_eq!(session.abandon(), ["CopyFail"]);
    session.goes_on("EZ");
}

#[test]
fn a_copy_by_execute() {
    let mut session = Session::new();
    session.batch();
    session.receive("12nG");
    assert_eq!(session.abandon(), ["CopyFail", "Sync"]);
    session.goes_on("EZ");
}

/// Whose Sync was swallowed, or not.
#[test]
fn a_copy_by_execute_with_sync() {
    for rest in ["EZIZ", "EZZIZ"] {
        let mut session = Session::new();
        session.batch();
        session.sync();
        session.receive("12nG");
        assert_eq!(session.abandon(), ["CopyFail", "Sync", "Query"]);
        session.goes_on(rest);
    }
}

/// It asks for data when it has been abandoned already.
#[test]
fn a_copy_that_begins_later() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    assert!(session.abandon().is_empty());
    assert!(session.receive("G").is_empty());
    assert_eq!(session.transmit(), ["CopyFail"]);
    session.goes_on("EZ");

    let mut session = Session::new();
    session.batch();
    assert_eq!(session.abandon(), ["Sync"]);
    assert!(session.receive("12nG").is_empty());
    assert_eq!(session.transmit(), ["CopyFail", "Sync", "Query"]);
    session.goes_on("EZZIZ");
}

#[test]
fn a_copy_from_the_server() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("Hd");
    assert!(session.abandon().is_empty());
    session.goes_on("ddcCZ");
}

#[test]
fn a_copy_both_ways() {
    let mut session = Session::new();
    session.send(QUERY).unwrap();
    session.receive("Wd");
    assert_eq!(session.abandon(), ["CopyDone"]);
    session.goes_on("dcdCCZ");
}

/// Without room for the Sync it is written when there is some.
#[test]
fn there_is_no_room() {
    let mut session = Session::new();
    for _ in 0..3 {
        session.batch();
        session.sync();
    }
    assert_eq!(session.send(feedrate::pg::frontend::Parse::default()), Ok(15));
    session.written();
    session.client.abandon();
    assert!(session.client.transmit(&mut session.out).is_err());
    assert!(session.out.is_empty());
    session.receive("1");
    assert_eq!(session.transmit(), ["Sync"]);
    assert!(session.receive("2nCZ12nCZ").is_empty());
    session.goes_on("12nCZ1Z");
}
