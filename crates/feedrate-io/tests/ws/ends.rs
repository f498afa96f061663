//! Ends: a peer that sends no more, that reads no more, that is gone.

use std::task::Poll;

use feedrate_io::Limits;
use feedrate_io::ws::{CloseCode, Error, WebSocket};
use feedrate_testkit::ws::wire::{BINARY, CLOSE, FIN, PONG, TEXT, frames};
use feedrate_ws::{Role, Truncated};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::{client, config, once, said, server, sockets, wire};

/// An echo, as everybody writes it.
async fn echo<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut ws: WebSocket<T>,
) -> Result<(), Error> {
    while let Some((message, mut out)) = ws.incoming().await? {
        out.send(message).await?;
    }
    Ok(())
}

/// What waits is written after the end of input: 200 times, as chance is in it.
#[tokio::test]
async fn a_half_close_loses_nothing() {
    let long = vec![7; 300_000];
    let stream = wire().text("hello").ping("there").binary(&long).close(1000, "").into_bytes();
    for _ in 0..200 {
        let (mut raw, io) = sockets().await;
        let task = tokio::spawn(echo(server(io, &config())));
        raw.write_all(&stream).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut answers = Vec::new();
        raw.read_to_end(&mut answers).await.unwrap();
        let mut all = frames(Role::Server, &answers);
        all.sort_by_key(|(first, _)| *first == FIN | PONG);
        // Of 64 KiB each.
        let rest: Vec<u8> = all[1..all.len() - 2].iter().flat_map(|(_, part)| part.clone()).collect();
        assert_eq!((&all[0], &rest), (&(FIN | TEXT, b"hello".to_vec()), &long));
        assert_eq!(all[all.len() - 2], (FIN | CLOSE, b"\x03\xe8".to_vec()));
        assert_eq!(all[all.len() - 1], (FIN | PONG, b"there".to_vec()));
        task.await.unwrap().unwrap();
    }
}

/// Without goodbye it is an error, and what waits is written all the same.
#[tokio::test]
async fn a_stream_that_ends_without_goodbye_is_truncated() {
    let cases = [(wire().text("hello"), false), (wire().text("hello").frame(TEXT, "half"), true)];
    for (stream, inside) in cases {
        let (mut raw, io) = sockets().await;
        raw.write_all(&stream.into_bytes()).await.unwrap();
        raw.shutdown().await.unwrap();
        let error = echo(server(io, &config())).await.unwrap_err();
        assert!(matches!(error, Error::Truncated(Truncated { inside: its }) if its == inside));
        let mut answers = Vec::new();
        raw.read_to_end(&mut answers).await.unwrap();
        assert_eq!(answers, b"\x81\x05hello");
    }
    // More than the system takes at once.
    let (mut raw, io) = sockets().await;
    raw.shutdown().await.unwrap();
    let mut ws = server(io, &config().limits(Limits::new().queued(20 << 20)));
    ws.push(&vec![7; 20 << 20]).unwrap();
    let (error, ()) = tokio::join!(ws.next(), async {
        raw.read_exact(&mut vec![0; 20 << 20]).await.unwrap();
    });
    assert!(matches!(error.unwrap_err(), Error::Truncated(_)));
}

/// The close frame that says what was wrong is read by a peer that goes on sending for a while.
#[tokio::test]
async fn a_violation_is_heard_by_who_goes_on_sending() {
    for _ in 0..50 {
        let (mut raw, io) = sockets().await;
        let task = tokio::spawn(echo(server(io, &config())));
        raw.write_all(&wire().text("hello").frame(FIN | 3, "").into_bytes()).await.unwrap();
        raw.write_all(&vec![0; 2_000_000]).await.unwrap();
        let mut answers = Vec::new();
        let reading = raw.read_to_end(&mut answers).await;
        assert_eq!(answers, b"\x81\x05hello\x88\x02\x03\xea", "{reading:?}");
        drop(raw);
        assert!(matches!(task.await.unwrap().unwrap_err(), Error::Violation(_)));
    }
}

/// A peer says why it leaves, and has closed by the time that we write: the words are read, and the failure is told
/// afterwards.
#[tokio::test]
async fn the_last_words_are_read_although_writing_fails() {
    let (io, mut raw) = duplex(4096);
    raw.write_all(b"\x81\x04last").await.unwrap();
    drop(raw);
    let mut ws = client(io, Limits::new());
    ws.push("hello").unwrap();
    assert_eq!(ws.next().await.unwrap(), Some("last".into()));
    let error = ws.next().await.unwrap_err();
    assert!(matches!(&error, Error::Io(io) if io.kind() == std::io::ErrorKind::BrokenPipe), "{error:?}");
    assert!(error.is_over());
    assert!(ws.next().await.unwrap().is_none());
}

/// A client that is gone as soon as it has said goodbye is no news.
#[tokio::test]
async fn who_has_said_goodbye_may_be_gone() {
    for _ in 0..50 {
        let (mut raw, io) = sockets().await;
        let mut ws = server(io, &config());
        // What it does not read any more makes the system reset the connection.
        ws.push(&[0; 10_000]).unwrap();
        raw.write_all(&wire().close(1001, "").into_bytes()).await.unwrap();
        drop(raw);
        assert!(ws.next().await.unwrap().is_none());
        assert_eq!(ws.closed().and_then(|closed| closed.code()), Some(CloseCode::GOING_AWAY));
    }
}

#[tokio::test]
async fn two_of_ours_say_goodbye() {
    for by_client in [true, false] {
        let (left, right) = sockets().await;
        let (mut peer, mut ws) = (client(left, Limits::new()), server(right, &config()));
        peer.send("one").await.unwrap();
        ws.send("two").await.unwrap();
        let (a, b) = if by_client {
            tokio::join!(peer.close(CloseCode::new(4001).unwrap(), "bye"), async {
                while ws.next().await?.is_some() {}
                Ok(())
            })
        } else {
            let (b, a) = tokio::join!(ws.close(CloseCode::new(4001).unwrap(), "bye"), async {
                while peer.next().await?.is_some() {}
                Ok(())
            });
            (a, b)
        };
        a.unwrap();
        b.unwrap();
        for closed in [peer.closed(), ws.closed()] {
            let closed = closed.unwrap();
            assert_eq!((closed.code().map(CloseCode::get), closed.reason()), (Some(4001), "bye"));
        }
    }
}

/// The server closes first, and then the client, at once: not only when it is dropped.
#[tokio::test]
async fn the_end_is_closed_on_both_sides_in_order() {
    let (mut raw, io) = duplex(4096);
    let mut ws = client(io, Limits::new());
    raw.write_all(&said().close(1000, "").into_bytes()).await.unwrap();
    assert!(once(ws.next()).is_pending());
    raw.read_exact(&mut [0; 8]).await.unwrap();
    assert!(once(raw.read(&mut [0; 1])).is_pending());
    raw.shutdown().await.unwrap();
    assert!(matches!(once(ws.next()), Poll::Ready(Ok(None))));
    assert!(matches!(once(raw.read(&mut [0; 1])), Poll::Ready(Ok(0))));

    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &config());
    raw.write_all(&wire().close(1000, "").into_bytes()).await.unwrap();
    assert!(once(ws.next()).is_pending());
    raw.read_exact(&mut [0; 4]).await.unwrap();
    assert!(matches!(once(raw.read(&mut [0; 1])), Poll::Ready(Ok(0))));
    drop(raw);
    assert!(matches!(once(ws.next()), Poll::Ready(Ok(None))));
}

/// A proxy takes over in the middle of a stream.
#[tokio::test]
async fn it_comes_apart_with_all_its_bytes() {
    let (mut raw, io) = duplex(4096);
    let stream = wire().text("one").binary([0; 100]).into_bytes();
    raw.write_all(&stream).await.unwrap();
    let mut ws = server(io, &config());
    ws.next().await.unwrap().unwrap();
    ws.push("answer").unwrap();
    let parts = ws.into_parts();
    assert_eq!(parts.unread, stream[9..]);
    assert_eq!(parts.unsent, b"\x81\x06answer");
    let mut again = WebSocket::server(parts.io, &config(), &parts.unread);
    let message = again.next().await.unwrap().unwrap();
    assert_eq!((message.as_bytes(), BINARY), (&[0; 100][..], 2));
}
