//! Every future is polled once and dropped, until one is ready: nothing is lost, and nothing is done twice.
//!
//! `FEEDRATE_DROPS` (2000) is how many futures of each kind are dropped at least.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use feedrate::pg::frontend::{Message, Query, Sync};

use crate::trickle::Trickle;
use crate::{bytes, client, server};
use feedrate_io::Limits;

fn least() -> usize {
    std::env::var("FEEDRATE_DROPS").map_or(2000, |drops| drops.parse().expect("a number"))
}

/// Polls a future once.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn queries() -> (Vec<Vec<u8>>, Vec<u8>) {
    let texts = (0..40).map(|n| "x".repeat(n * 7 % 50));
    let messages: Vec<_> = texts.map(|sql| bytes(&Query { sql: sql.as_str().into() })).collect();
    let stream = messages.concat();
    (messages, stream)
}

#[tokio::test]
async fn next_loses_no_message() {
    let (messages, stream) = queries();
    let (mut dropped, mut seed) = (0, 1);
    while dropped < least() {
        seed += 1;
        let mut server = server(Trickle::new(stream.clone(), seed), Limits::new());
        let mut found = Vec::new();
        loop {
            match once(server.next()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(Some(frame))) => found.push(frame.raw().to_vec()),
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(found, messages);
    }
}

#[tokio::test]
async fn the_halves_lose_no_message() {
    let (messages, stream) = queries();
    let (mut dropped, mut seed) = (0, 1000);
    while dropped < least() {
        seed += 1;
        let (mut reader, mut writer) = server(Trickle::new(stream.clone(), seed), Limits::new()).split();
        let mut found = Vec::new();
        loop {
            match once(reader.next()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(Some(frame))) => found.push(frame.raw().to_vec()),
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(found, messages);
        writer.push(&Sync).unwrap();
        while once(writer.shutdown()).is_pending() {
            dropped += 1;
        }
    }
}

/// A dropped `send` has queued nothing, and one that returns has.
#[tokio::test]
async fn send_queues_a_message_once() {
    let (messages, stream) = queries();
    let (mut dropped, mut seed) = (0, 2000);
    while dropped < least() {
        seed += 1;
        let limits = Limits::new().queued(64);
        let mut client = client(Trickle::new(Vec::new(), seed), limits);
        for message in &messages {
            let sql = std::str::from_utf8(&message[5..message.len() - 1]).unwrap();
            while once(client.send(&Query { sql: sql.into() })).map(|sent| sent.unwrap()).is_pending() {
                dropped += 1;
            }
        }
        while once(client.flush()).map(|flushed| flushed.unwrap()).is_pending() {
            dropped += 1;
        }
        assert_eq!(client.io().written, stream);
    }
}

#[tokio::test]
async fn flush_and_shutdown_write_all_of_it_once() {
    let (messages, stream) = queries();
    let (mut dropped, mut seed) = (0, 3000);
    while dropped < least() {
        seed += 1;
        let mut client = client(Trickle::new(Vec::new(), seed), Limits::new());
        for (n, message) in messages.iter().enumerate() {
            client.push_bytes(message).unwrap();
            if n % 3 == 0 {
                while once(client.flush()).map(|flushed| flushed.unwrap()).is_pending() {
                    dropped += 1;
                }
                assert_eq!(client.queued(), 0);
            }
        }
        while once(client.shutdown()).map(|shut| shut.unwrap()).is_pending() {
            dropped += 1;
        }
        assert_eq!((&client.io().written, client.io().shut), (&stream, true));
    }
}

/// An echo: each answer is sent while the message is lent, and every future is dropped.
#[tokio::test]
async fn an_answer_while_a_message_is_lent() {
    let (_, stream) = queries();
    let (mut dropped, mut seed) = (0, 4000);
    while dropped < least() {
        seed += 1;
        let mut server = server(Trickle::new(stream.clone(), seed), Limits::new().queued(4096));
        loop {
            match once(server.incoming()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => panic!("{error}"),
                Poll::Ready(Ok(Some((frame, mut out)))) => {
                    let Ok(Message::Query(query)) = frame.message() else { panic!("{frame:?}") };
                    while once(out.send(&query)).map(|sent| sent.unwrap()).is_pending() {
                        dropped += 1;
                    }
                }
            }
        }
        // At the end of the input, what waits has been written.
        assert_eq!(server.io().written, stream);
    }
}
