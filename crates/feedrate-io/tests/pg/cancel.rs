//! Every future is polled once and dropped, until one is ready: nothing is lost, and nothing is written twice.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use feedrate::Grow;
use feedrate::pg::Backend;
use feedrate::pg::frontend::{CopyData, Query, Sync};
use feedrate_io::pg::{Client, is_full};
use feedrate_io::{Limits, tokio::Connection};
use feedrate_pg::client::SendError;

use crate::trickle::Trickle;
use crate::{READY, Wire, answer};

/// `FEEDRATE_DROPS` is how many futures of each kind are dropped at least.
fn least() -> usize {
    std::env::var("FEEDRATE_DROPS").map_or(2000, |drops| drops.parse().expect("a number"))
}

/// Polls a future once.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn client(input: Vec<u8>, seed: u64, queued: usize) -> Client<Trickle> {
    let io = Trickle::new(input, seed);
    let limits = Limits::new().queued(queued);
    Client::new(Connection::new(io, Backend::established(), Grow::new(1 << 16), limits), 8)
}

/// Until it is ready; how often it was not is counted.
macro_rules! until_ready {
    ($dropped:ident, $future:expr) => {
        loop {
            match once($future) {
                Poll::Pending => $dropped += 1,
                Poll::Ready(done) => break done,
            }
        }
    };
}

#[tokio::test]
async fn next_loses_no_event() {
    let (mut dropped, mut seed) = (0, 1);
    while dropped < least() {
        seed += 1;
        let mut pg = client([READY.wire(), answer(30), answer(0)].concat(), seed, 1 << 16);
        assert!(until_ready!(dropped, pg.next()).unwrap().is_some());
        let first = pg.push(&Query { sql: "select 1".into() }).unwrap();
        let second = pg.push(&Query { sql: "select 2".into() }).unwrap();
        let mut events = Vec::new();
        loop {
            let event = loop {
                match once(pg.next()) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(event) => {
                        break event.unwrap().map(|event| (event.request, event.message.name()));
                    }
                }
            };
            let Some(event) = event else { break };
            events.push(event);
        }
        assert_eq!(events.len(), 33 + 3, "{events:?}");
        assert!(events[..33].iter().all(|(request, _)| *request == Some(first)), "{events:?}");
        assert!(events[33..].iter().all(|(request, _)| *request == Some(second)), "{events:?}");
        let sent =
            [Query { sql: "select 1".into() }.wire(), Query { sql: "select 2".into() }.wire()].concat();
        assert_eq!(pg.connection().io().written, sent);
    }
}

/// What is given up is not shown, however often the call that reads past it is given up itself.
#[tokio::test]
async fn room_loses_nothing() {
    let (mut dropped, mut seed) = (0, 1);
    while dropped < least() {
        seed += 1;
        let mut pg = client([READY.wire(), answer(30), answer(1)].concat(), seed, 1 << 16);
        until_ready!(dropped, pg.next()).unwrap();
        pg.push(&Query { sql: "select 1".into() }).unwrap();
        pg.abandon();
        assert_eq!(pg.push(&Sync), Err(SendError::Abandoned));
        assert!(!until_ready!(dropped, pg.room()).unwrap(), "no event");
        let next = pg.push(&Query { sql: "select 2".into() }).unwrap();
        for name in ["RowDescription", "DataRow", "CommandComplete", "ReadyForQuery"] {
            let event = loop {
                match once(pg.next()) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(event) => {
                        break event.unwrap().map(|event| (event.request, event.message.name()));
                    }
                }
            };
            assert_eq!(event, Some((Some(next), name)));
        }
    }
}

/// The data of a COPY, through a queue that is always full.
#[tokio::test]
async fn data_is_sent_once() {
    let (mut dropped, mut seed) = (0, 1);
    while dropped < least() {
        seed += 1;
        let mut pg = client([READY.wire(), b"G\0\0\0\x07\0\0\0".to_vec()].concat(), seed, 64);
        until_ready!(dropped, pg.next()).unwrap();
        pg.push(&Query { sql: "copy".into() }).unwrap();
        until_ready!(dropped, pg.next()).unwrap();
        let mut sent = Query { sql: "copy".into() }.wire();
        for n in 0..40_u8 {
            let data = [n; 20];
            let message = CopyData { data: &data[..usize::from(n % 20)] };
            while let Err(error) = pg.push(&message) {
                assert!(is_full(&error), "{error}");
                // The end of the input is an event.
                let _ = until_ready!(dropped, pg.room()).unwrap();
                if pg.connection().queued() > 0 {
                    until_ready!(dropped, pg.flush()).unwrap();
                }
            }
            sent.extend(message.wire());
        }
        until_ready!(dropped, pg.flush()).unwrap();
        assert_eq!(pg.connection().io().written, sent);
    }
}
