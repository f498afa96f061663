//! Deadlines, on a clock that is paused: each fires at its second, and none where a peer lives.

use std::time::Duration;

use feedrate::Grow;
use feedrate::pg::frontend::Sync;
use feedrate::pg::{Backend, backend};
use feedrate_io::tokio::Connection;
use feedrate_io::{Error, Late, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, sleep};

use crate::{bytes, client, server};

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits::new().handshake(SECOND * 5).message(SECOND * 10).rate(0).idle(SECOND * 20).progress(SECOND * 7)
}

/// Which limit an error names.
fn late<E: std::error::Error + 'static>(error: Error<E, std::io::Error>) -> Late {
    match error {
        Error::Late(late) => late,
        error => panic!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_trickles_is_cut_off() {
    let (mut raw, io) = duplex(4096);
    let begun = Instant::now();
    let trickle = async {
        loop {
            raw.write_all(b"N\0\0\0\x05\0").await.unwrap();
            sleep(SECOND / 2).await;
        }
    };
    let mut client = Connection::new(io, Backend::new(), Grow::new(4096), limits());
    let next = async {
        loop {
            if let Err(error) = client.next().await {
                break error;
            }
        }
    };
    let error = tokio::select! { error = next => error, () = trickle => unreachable!() };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Handshake(SECOND * 5), 5));
}

/// A message that has been looked at before it is taken ends the idle time as any other does.
#[tokio::test(start_paused = true)]
async fn what_is_found_at_a_glance_is_a_message_too() {
    let (mut raw, io) = duplex(4096);
    let (mut reader, _writer) = server(io, limits()).split();
    reader.established();
    let begun = Instant::now();
    raw.write_all(&bytes(&Sync)).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().name(), "Sync");
    let later = async {
        sleep(SECOND * 6).await;
        raw.write_all(&bytes(&Sync)).await.unwrap();
    };
    let (first, ()) = tokio::join!(reader.peek(), later);
    assert_eq!(first.unwrap(), Some(b'S'));
    assert_eq!(reader.next().await.unwrap().unwrap().name(), "Sync");
    let error = reader.next().await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Idle(SECOND * 20), 26));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_trickles_is_cut_off() {
    let (mut raw, io) = duplex(4096);
    let trickle = async {
        sleep(SECOND * 3).await;
        raw.write_all(b"Q\0\0\x10\0").await.unwrap();
        loop {
            raw.write_all(b"x").await.unwrap();
            sleep(SECOND / 2).await;
        }
    };
    let mut server = server(io, limits());
    let begun = Instant::now();
    let error = tokio::select! { next = server.next() => next.unwrap_err(), () = trickle => unreachable!() };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Message(SECOND * 10), 13));
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_idle() {
    let (mut raw, io) = duplex(4096);
    let mut server = server(io, limits());
    let begun = Instant::now();
    let talk = async {
        sleep(SECOND * 15).await;
        raw.write_all(&bytes(&Sync)).await.unwrap();
        std::future::pending::<()>().await;
    };
    let listen = async {
        assert_eq!(server.next().await.unwrap().unwrap().name(), "Sync");
        server.next().await.unwrap_err()
    };
    let error = tokio::select! { error = listen => error, () = talk => unreachable!() };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Idle(SECOND * 20), 35));
}

/// Whatever is awaited: a peer that takes nothing is cut off.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_cut_off() {
    for what in ["next", "send", "flush", "shutdown"] {
        let (_raw, io) = duplex(100);
        let mut client = client(io, limits().queued(1000));
        client.push_bytes(&[7; 990]).unwrap();
        let begun = Instant::now();
        let error = match what {
            "next" => client.next().await.map(|_| ()),
            "send" => client.send(&feedrate::pg::frontend::Query { sql: "0123456789".into() }).await,
            "flush" => client.flush().await,
            _ => client.shutdown().await,
        };
        if what == "send" {
            // The transport took a hundred bytes, which made room.
            error.unwrap();
            continue;
        }
        assert_eq!(
            (late(error.unwrap_err()), begun.elapsed().as_secs()),
            (Late::Progress(SECOND * 7), 7),
            "{what}"
        );
    }
    let (_raw, io) = duplex(100);
    let mut client = client(io, limits().queued(1000));
    let begun = Instant::now();
    let error = loop {
        if let Err(error) = client.send(&Sync).await {
            break error;
        }
    };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Progress(SECOND * 7), 7));
}

/// A peer that takes little at a time makes progress.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_lives() {
    let (mut raw, io) = duplex(100);
    let mut client = client(io, limits());
    client.push_bytes(&[7; 3000]).unwrap();
    let begun = Instant::now();
    let read = async {
        let mut buffer = [0; 100];
        for _ in 0..30 {
            sleep(SECOND * 6).await;
            raw.read_exact(&mut buffer).await.unwrap();
        }
    };
    let (flushed, ()) = tokio::join!(client.flush(), read);
    flushed.unwrap();
    assert!(begun.elapsed() > SECOND * 170);
}

/// Two live peers last for a day, with every limit on.
#[tokio::test(start_paused = true)]
async fn two_live_peers_last() {
    let (left, right) = duplex(1000);
    let (mut client, mut server) = (client(left, limits()), server(right, limits()));
    let ready = backend::ReadyForQuery { status: backend::TransactionStatus::Idle };
    let begun = Instant::now();
    let ask = async {
        while begun.elapsed() < SECOND * 86_400 {
            sleep(SECOND * 19).await;
            client.send(&Sync).await.unwrap();
            client.next().await.unwrap().unwrap();
        }
        client.shutdown().await.unwrap();
    };
    let answer = async {
        while let Some((_, mut out)) = server.incoming().await.unwrap() {
            out.send(&ready).await.unwrap();
        }
    };
    tokio::join!(ask, answer);
}

/// A program that was busy itself blames nobody: what has arrived meanwhile counts, however late it is looked at.
#[tokio::test(start_paused = true)]
async fn a_busy_program_blames_nobody() {
    let (mut raw, io) = duplex(4096);
    let mut server = server(io, limits());
    raw.write_all(&bytes(&Sync)[..3]).await.unwrap();
    assert!(tokio::time::timeout(SECOND, server.next()).await.is_err());
    raw.write_all(&bytes(&Sync)[3..]).await.unwrap();
    sleep(SECOND * 100).await;
    assert_eq!(server.next().await.unwrap().unwrap().name(), "Sync");
}

/// What has been taken after all is waited for no more, by whoever writes it.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_counts_no_more() {
    for split in [false, true] {
        let (mut raw, io) = duplex(100);
        let mut client = client(io, limits().idle(None));
        client.push_bytes(&[7; 150]).unwrap();
        tokio::select! {
            biased;
            next = client.next() => panic!("{next:?}"),
            () = std::future::ready(()) => {}
        }
        if split {
            // The reader does not wait for what the writer has to write.
            let (mut reader, _writer) = client.split();
            assert!(tokio::time::timeout(SECOND * 30, reader.next()).await.is_err());
        } else {
            raw.read_exact(&mut [0; 150][..100]).await.unwrap();
            assert!(tokio::time::timeout(SECOND * 30, client.next()).await.is_err());
            assert_eq!(client.queued(), 0);
        }
    }
}

/// Each half has the limits of its own direction.
#[tokio::test(start_paused = true)]
async fn the_halves_have_their_limits() {
    let (_raw, io) = duplex(100);
    let (mut reader, mut writer) = server(io, limits()).split();
    writer.push_bytes(&[7; 150]).unwrap();
    let begun = Instant::now();
    let (read, written) =
        tokio::join!(async { (late(reader.next().await.unwrap_err()), begun.elapsed().as_secs()) }, async {
            (late(writer.flush().await.unwrap_err()), begun.elapsed().as_secs())
        });
    assert_eq!(read, (Late::Idle(SECOND * 20), 20));
    assert_eq!(written, (Late::Progress(SECOND * 7), 7));
}

/// Messages that follow one another without a pause are no message that takes too long: for a half as well.
#[tokio::test(start_paused = true)]
async fn messages_in_pieces_without_a_pause_are_in_time() {
    let (mut raw, io) = duplex(4096);
    let (mut reader, _writer) = server(io, limits()).split();
    let talk = async {
        // The end of one message and the beginning of the next come together.
        raw.write_all(b"S").await.unwrap();
        for _ in 0..20 {
            sleep(SECOND).await;
            raw.write_all(b"\0\0\0\x04S").await.unwrap();
        }
    };
    let listen = async {
        for _ in 0..20 {
            assert_eq!(reader.next().await.unwrap().unwrap().name(), "Sync");
        }
    };
    tokio::join!(talk, listen);
    drop(raw);
    assert!(matches!(reader.next().await, Err(Error::Protocol(feedrate::Error::Lost(_)))));
}
