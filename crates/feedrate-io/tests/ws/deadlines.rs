//! Deadlines, on a clock that is paused: each fires at its second, and none where a peer lives.

use std::time::Duration;

use feedrate_io::ws::{self, Accepting, ClientConfig, CloseCode, Config, Event, Message, Rejection};
use feedrate_io::{Late, Limits};
use feedrate_testkit::ws::wire::{BINARY, FIN, PING, frames};
use feedrate_ws::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use crate::{client, config, late, said, server, wire};

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits::new().handshake(SECOND * 5).message(SECOND * 10).rate(0).idle(SECOND * 300).progress(SECOND * 7)
}

fn limited() -> Config {
    config().limits(limits()).ping(SECOND * 20).pong(SECOND * 15).closing(SECOND * 4)
}

/// Writes a byte every half of a second.
async fn drip(raw: &mut DuplexStream, bytes: &[u8]) {
    for byte in bytes {
        raw.write_all(&[*byte]).await.unwrap();
        sleep(SECOND / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_drips_is_cut_off() {
    let (mut raw, io) = duplex(4096);
    let begun = Instant::now();
    let config = limited();
    let error = tokio::select! {
        opened = ws::accept(io, &config) => opened.unwrap_err(),
        () = drip(&mut raw, &[b'G'; 100]) => unreachable!(),
    };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Handshake(SECOND * 5), 5));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_cut_off() {
    // Room for none of the request, and for all.
    for room in [10, 4096] {
        let (_raw, io) = duplex(room);
        let begun = Instant::now();
        let config = ClientConfig::new("a", "/").limits(limits());
        let error = ws::connect(io, &config).await.unwrap_err();
        assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Handshake(SECOND * 5), 5));
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_has_a_second_to_read_why() {
    let (mut raw, io) = duplex(4096);
    raw.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    ws::accept(io, &limited()).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 1);
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // And no longer than it takes.
    let (mut raw, io) = duplex(4096);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    raw.write_all(request.as_bytes()).await.unwrap();
    raw.shutdown().await.unwrap();
    let (begun, limited) = (Instant::now(), limited());
    Accepting::new(io, &limited).reject(Rejection::new(503)).await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 0);
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 503 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_drips_is_cut_off() {
    let long = wire().head(FIN | BINARY, 1000).masked(&[0; 500]).into_bytes();
    let parts = wire().frame(BINARY, "a").frame(0, "b").frame(0, [0; 125]).into_bytes();
    for stream in [long, parts] {
        let (mut raw, io) = duplex(4096);
        let mut ws = server(io, &limited());
        let begun = Instant::now();
        let drips = async {
            sleep(SECOND * 3).await;
            drip(&mut raw, &stream).await;
        };
        let error = tokio::select! { next = ws.next() => next.unwrap_err(), () = drips => unreachable!() };
        assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Message(SECOND * 10), 13));
        assert!(ws.next().await.unwrap().is_none());
    }
}

/// In pieces a message may take for ever, as long as it goes on.
#[tokio::test(start_paused = true)]
async fn a_piece_that_does_not_come_is_cut_off() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited()).in_pieces(u64::MAX);
    let begun = Instant::now();
    let stream = wire().head(FIN | BINARY, 1000).masked(&[0; 50]).into_bytes();
    let drips = async {
        for byte in &stream {
            raw.write_all(&[*byte]).await.unwrap();
            sleep(SECOND * 9).await;
        }
        std::future::pending::<()>().await;
    };
    // The header, of 8 bytes, has to come in time.
    let listen = async {
        loop {
            match ws.next().await {
                Ok(piece) => assert!(piece.is_some()),
                Err(error) => break error,
            }
        }
    };
    let error = tokio::select! { error = listen => error, () = drips => unreachable!() };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Message(SECOND * 10), 10));
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited()).in_pieces(u64::MAX);
    raw.write_all(&stream[..8]).await.unwrap();
    let drips = async {
        for byte in &stream[8..] {
            raw.write_all(&[*byte]).await.unwrap();
            sleep(SECOND * 9).await;
        }
        std::future::pending::<()>().await;
    };
    let listen = async {
        for _ in 0..50 {
            assert_eq!(ws.next().await.unwrap().unwrap().as_bytes().len(), 1);
        }
        (ws.next().await.unwrap_err(), Instant::now())
    };
    let begun = Instant::now();
    let (error, at) = tokio::select! { error = listen => error, () = drips => unreachable!() };
    assert_eq!((late(error), (at - begun).as_secs()), (Late::Message(SECOND * 10), 49 * 9 + 10));
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_and_given_up() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited());
    let begun = Instant::now();
    let error = ws.next().await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Pong(SECOND * 15), 35));
    drop(ws);
    let mut asked = Vec::new();
    raw.read_to_end(&mut asked).await.unwrap();
    let asked = frames(Role::Server, &asked);
    assert!(
        matches!(&asked[..], [(first, payload)] if *first == FIN | PING && payload.len() == 8),
        "{asked:?}"
    );
    assert_eq!(ws::Error::Late(Late::Pong(SECOND)).to_string(), {
        "nothing came for 1s after a ping (limit `pong`)"
    });
}

/// Whatever comes is a sign of life, and who talks is not asked.
#[tokio::test(start_paused = true)]
async fn who_talks_is_not_asked() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited());
    let talk = async {
        for _ in 0..10 {
            sleep(SECOND * 19).await;
            raw.write_all(&wire().text("here").into_bytes()).await.unwrap();
        }
        // Nothing but answers to pings, of which the payload does not matter.
        let mut pings = 0;
        let begun = Instant::now();
        while begun.elapsed() < SECOND * 250 {
            let mut ping = [0; 10];
            raw.read_exact(&mut ping).await.unwrap();
            assert_eq!(ping[..2], [FIN | PING, 8]);
            pings += 1;
            sleep(SECOND * 14).await;
            raw.write_all(&wire().pong("whatever").into_bytes()).await.unwrap();
        }
        assert_eq!(pings, 8);
        raw.write_all(&wire().text("still here").into_bytes()).await.unwrap();
        raw.write_all(&wire().close(1000, "").into_bytes()).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut rest = Vec::new();
        raw.read_to_end(&mut rest).await.unwrap();
        frames(Role::Server, &rest).len()
    };
    let listen = async {
        let mut messages = 0;
        while ws.next().await.unwrap().is_some() {
            messages += 1;
        }
        messages
    };
    assert_eq!(tokio::join!(talk, listen), (1, 11));
}

/// Idle is who sends no messages, though it answers pings.
#[tokio::test(start_paused = true)]
async fn a_peer_without_messages_is_idle() {
    let (left, right) = duplex(4096);
    let (mut ws, mut peer) = (server(left, &limited()), client(right, Limits::new()));
    let begun = Instant::now();
    let error = tokio::select! { next = ws.next() => next.unwrap_err(), _ = peer.next() => unreachable!() };
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Idle(SECOND * 300), 300));
    assert_eq!(ws.round_trip(), Some(Duration::ZERO));
}

/// Two live peers last for a day, with every limit on.
#[tokio::test(start_paused = true)]
async fn two_live_peers_last() {
    let (left, right) = duplex(1000);
    let limits = limits().idle(None);
    let mut ws = server(left, &limited().limits(limits));
    let mut peer = client(right, limits);
    let begun = Instant::now();
    let serve = async {
        while let Some((message, mut out)) = ws.incoming().await.unwrap() {
            out.send(message).await.unwrap();
        }
    };
    let ask = async {
        // Pings and pongs alone, then messages.
        while begun.elapsed() < SECOND * 86_400 {
            assert!(tokio::time::timeout(SECOND * 3_600, peer.next()).await.is_err());
            peer.send("still there?").await.unwrap();
            assert_eq!(peer.next().await.unwrap(), Some("still there?".into()));
        }
        peer.close(CloseCode::NORMAL, "").await.unwrap();
    };
    tokio::join!(serve, ask);
}

/// Whatever is awaited: a peer that takes nothing is cut off.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_cut_off() {
    for what in ["next", "flush", "send", "close"] {
        let (_raw, io) = duplex(100);
        let mut ws = server(io, &limited().limits(limits().queued(1000)).closing(SECOND * 60));
        ws.push(&[7; 990]).unwrap();
        let begun = Instant::now();
        let error = match what {
            "next" => ws.next().await.map(|_| ()),
            "flush" => ws.flush().await,
            "close" => ws.close(CloseCode::NORMAL, "").await,
            _ => loop {
                if let Err(error) = ws.send(&[7; 990]).await {
                    break Err(error);
                }
            },
        };
        assert_eq!(
            (late(error.unwrap_err()), begun.elapsed().as_secs()),
            (Late::Progress(SECOND * 7), 7),
            "{what}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_is_not_answered_is_waited_for_so_long() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited());
    raw.write_all(&wire().text("x").into_bytes()).await.unwrap();
    let begun = Instant::now();
    let error = ws.close(CloseCode::NORMAL, "").await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Closing(SECOND * 4), 4));
    // The same for who goes on reading.
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited());
    raw.write_all(&wire().text("x").into_bytes()).await.unwrap();
    ws.start_close(CloseCode::NORMAL, "");
    let begun = Instant::now();
    assert_eq!(ws.next().await.unwrap(), Some("x".into()));
    let error = ws.next().await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Closing(SECOND * 4), 4));
}

/// Both have said goodbye, and the peer does not close the stream: that is no error, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_closed_is_dropped() {
    for role in [Role::Server, Role::Client] {
        let (mut raw, io) = duplex(4096);
        let mut ws = match role {
            Role::Server => server(io, &limited()),
            Role::Client => {
                let config = ClientConfig::new("a", "/").closing(SECOND * 4);
                ws::WebSocket::client(io, &config, &[])
            }
        };
        let goodbye = if role == Role::Server { wire() } else { said() }.close(1000, "").into_bytes();
        raw.write_all(&goodbye).await.unwrap();
        let begun = Instant::now();
        assert!(ws.next().await.unwrap().is_none());
        assert_eq!(begun.elapsed().as_secs(), 4);
    }
}

/// A violation's close frame is not waited for longer than closing may take, and the error is the violation.
#[tokio::test(start_paused = true)]
async fn who_breaks_a_rule_and_reads_nothing_is_dropped() {
    let (mut raw, io) = duplex(64);
    let mut ws = server(io, &limited());
    ws.push(&[0; 500]).unwrap();
    raw.write_all(&wire().frame(FIN | 3, "").into_bytes()).await.unwrap();
    let begun = Instant::now();
    assert!(matches!(ws.next().await.unwrap_err(), ws::Error::Violation(_)));
    assert_eq!(begun.elapsed().as_secs(), 4);
}

/// A program that was busy itself blames nobody: what has arrived meanwhile counts, however late it is looked at.
#[tokio::test(start_paused = true)]
async fn a_busy_program_blames_nobody() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited());
    let message = wire().text("Hello").into_bytes();
    raw.write_all(&message[..3]).await.unwrap();
    assert!(tokio::time::timeout(SECOND, ws.next()).await.is_err());
    raw.write_all(&message[3..]).await.unwrap();
    sleep(SECOND * 1000).await;
    assert_eq!(ws.next().await.unwrap(), Some(Message::from("Hello")));
    // And a pong that has waited is one.
    assert!(tokio::time::timeout(SECOND * 21, ws.next()).await.is_err());
    raw.write_all(&wire().pong("").into_bytes()).await.unwrap();
    sleep(SECOND * 100).await;
    assert!(matches!(ws.event().await.unwrap(), Some(Event::Pong(b""))));
    let mut ping = [0; 10];
    raw.read_exact(&mut ping).await.unwrap();
    assert_eq!(ping[0], FIN | PING);
}

/// Nothing follows a close frame, no ping either: the limit of closing is the one that passes.
#[tokio::test(start_paused = true)]
async fn who_is_closing_is_not_pinged() {
    let (mut raw, io) = duplex(4096);
    let mut ws = server(io, &limited().closing(SECOND * 60).ping(SECOND * 10).pong(SECOND * 10));
    ws.start_close(CloseCode::NORMAL, "");
    let begun = Instant::now();
    let error = ws.next().await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Closing(SECOND * 60), 60));
    drop(ws);
    let mut said = Vec::new();
    raw.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"\x88\x02\x03\xe8");
}

/// Nor is one that sends no more, and takes slowly what it is sent: no pong can come.
#[tokio::test(start_paused = true)]
async fn who_sends_no_more_is_not_pinged() {
    let (mut raw, io) = duplex(10);
    raw.shutdown().await.unwrap();
    let mut ws = server(io, &limited().ping(SECOND * 2).pong(SECOND));
    ws.push(&[7; 100]).unwrap();
    let begun = Instant::now();
    let error = ws.next().await.unwrap_err();
    assert_eq!((late(error), begun.elapsed().as_secs()), (Late::Progress(SECOND * 7), 7));
}
