//! Two tasks: the reader answers pings and says goodbye whatever the writers do.

use std::time::Duration;

use feedrate_io::Limits;
use feedrate_io::ws::{CloseCode, Error};
use feedrate_testkit::ws::wire::{BINARY, CLOSE, FIN, PONG, TEXT, frame, frames};
use feedrate_ws::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

use crate::{client, config, late, server, sockets, wire};

/// A frame of a server.
async fn read(raw: &mut (impl AsyncReadExt + Unpin)) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        bytes.push(raw.read_u8().await.unwrap());
        if let Some((frame, rest)) = frame(Role::Server, &bytes) {
            assert!(rest.is_empty());
            return frame;
        }
    }
}

/// Nobody polls the writer.
#[tokio::test]
async fn the_reader_answers_by_itself() {
    let (mut raw, io) = duplex(4096);
    let (mut reader, writer) = server(io, &config()).split();
    let task = tokio::spawn(async move { reader.next().await.map(|message| message.is_some()) });
    raw.write_all(&wire().ping("there").into_bytes()).await.unwrap();
    assert_eq!(read(&mut raw).await, (FIN | PONG, b"there".to_vec()));
    // What is pushed it writes too.
    writer.push("pushed").unwrap();
    assert_eq!(read(&mut raw).await, (FIN | TEXT, b"pushed".to_vec()));
    raw.write_all(&wire().close(1000, "").into_bytes()).await.unwrap();
    assert_eq!(read(&mut raw).await.0, FIN | CLOSE);
    assert_eq!(raw.read(&mut [0]).await.unwrap(), 0);
    drop(raw);
    assert!(!task.await.unwrap().unwrap());
    assert!(matches!(writer.send("late").await, Err(Error::Send(_))));
}

/// A writer that waits for room, and a reader with a pong: both go on when the peer reads.
#[tokio::test]
async fn a_blocked_transport_wakes_both() {
    for round in 0..20 {
        let (mut raw, io) = duplex(64);
        let limits = Limits::new().queued(1000);
        let (mut reader, writer) = server(io, &config().limits(limits)).split();
        let sending = tokio::spawn(async move {
            for n in 0..50_u8 {
                writer.send(&[n; 700]).await.unwrap();
            }
            writer.flush().await.unwrap();
        });
        let reading = tokio::spawn(async move { reader.next().await.map(|message| message.is_some()) });
        raw.write_all(&wire().ping("p").into_bytes()).await.unwrap();
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let (mut messages, mut pongs) = (0, 0);
        while messages < 50 {
            match timeout(Duration::from_secs(10), read(&mut raw)).await.expect("nobody was woken") {
                (first, payload) if first == FIN | BINARY => {
                    assert_eq!(payload, [messages; 700]);
                    messages += 1;
                }
                (first, _) => pongs += usize::from(first == FIN | PONG),
            }
        }
        assert_eq!(pongs, 1);
        sending.await.unwrap();
        raw.write_all(&wire().text("end").into_bytes()).await.unwrap();
        assert!(reading.await.unwrap().unwrap());
    }
}

/// A `send` that waited for room and was dropped takes nobody's waker along.
#[tokio::test]
async fn a_dropped_send_does_not_silence_the_reader() {
    let (mut raw, io) = duplex(64);
    let limits = Limits::new().queued(100);
    let (mut reader, writer) = server(io, &config().limits(limits)).split();
    let reading = tokio::spawn(async move { reader.next().await.map(|message| message.is_some()) });
    tokio::task::yield_now().await;
    while timeout(Duration::from_millis(10), writer.send(&[7; 1000])).await.is_ok() {}
    raw.write_all(&wire().ping("p").into_bytes()).await.unwrap();
    // All of it comes, though only the reader is left to write it.
    loop {
        let (first, payload) = timeout(Duration::from_secs(10), read(&mut raw)).await.expect("no waker");
        if first == FIN | PONG {
            break assert_eq!(payload, b"p");
        }
    }
    raw.write_all(&wire().text("end").into_bytes()).await.unwrap();
    assert!(reading.await.unwrap().unwrap());
}

/// Many writers, over sockets, with threads: every message comes, each writer's in order.
#[tokio::test]
async fn several_writers() {
    let (left, right) = sockets().await;
    let mut peer = client(left, Limits::new());
    let (mut reader, writer) = server(right, &config().limits(Limits::new().queued(20_000))).split();
    let writers: Vec<_> = (0..8_u8)
        .map(|who| {
            let writer = writer.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for n in 0..200_u8 {
                        writer.send(&[[who, n].as_slice(), &[0; 999]].concat()).await.unwrap();
                    }
                    writer.flush().await.unwrap();
                });
            })
        })
        .collect();
    let reading = tokio::spawn(async move { reader.next().await.map(|message| message.is_some()) });
    let mut next = [0; 8];
    for _ in 0..1600 {
        let message = peer.next().await.unwrap().unwrap();
        let [who, n, ..] = message.as_bytes() else { panic!() };
        assert_eq!(next[usize::from(*who)], *n);
        next[usize::from(*who)] += 1;
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    writer.start_close(CloseCode::NORMAL, "done");
    assert!(peer.next().await.unwrap().is_none());
    assert!(!reading.await.unwrap().unwrap());
    assert_eq!(peer.closed().unwrap().reason(), "done");
}

/// The reader waits, and a writer says goodbye: the reader's deadline begins.
#[tokio::test(start_paused = true)]
async fn a_writers_goodbye_has_a_deadline() {
    let (mut raw, io) = duplex(4096);
    let (mut reader, writer) = server(io, &config().closing(Duration::from_secs(4))).split();
    let begun = tokio::time::Instant::now();
    let close = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        writer.start_close(CloseCode::NORMAL, "");
    };
    let (next, ()) = tokio::join!(reader.next(), close);
    late(next.unwrap_err());
    assert_eq!(begun.elapsed().as_secs(), 7);
    drop((reader, writer));
    let mut said = Vec::new();
    raw.read_to_end(&mut said).await.unwrap();
    assert_eq!(frames(Role::Server, &said), [(FIN | CLOSE, b"\x03\xe8".to_vec())]);
}

/// A writer that waits for room is told that nobody will make any.
#[tokio::test(start_paused = true)]
async fn a_writer_does_not_wait_for_a_peer_that_is_gone() {
    let (mut raw, io) = duplex(64);
    let limits = Limits::new().queued(100).progress(Duration::from_secs(7));
    let (mut reader, writer) = server(io, &config().limits(limits)).split();
    let begun = tokio::time::Instant::now();
    let sending = async {
        loop {
            if let Err(error) = writer.send(&[7; 1000]).await {
                break error;
            }
        }
    };
    let (read, sent) = tokio::join!(reader.next(), sending);
    late(read.unwrap_err());
    late(sent);
    assert_eq!(begun.elapsed().as_secs(), 7);
    raw.shutdown().await.unwrap();
}
