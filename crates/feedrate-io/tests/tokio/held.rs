//! What a connection holds, and what it leaves behind.

use feedrate::pg::frontend::{PasswordMessage, Sync};
use feedrate::pg::{Frontend, Secret};
use feedrate::{Encode, Grow};
use feedrate_io::Limits;
use feedrate_io::tokio::Connection;
use feedrate_testkit::counting::live;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{bytes, client, server};

/// Polls `next` once, so that the connection waits.
async fn waits(server: &mut Connection<Frontend, Grow, DuplexStream>) {
    tokio::select! {
        biased;
        next = server.next() => panic!("{next:?}"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_connection_that_waits_holds_no_buffer() {
    let start = live();
    let mut ends: Vec<_> =
        (0..100).map(|_| duplex(64)).map(|(raw, io)| (raw, server(io, Limits::new()))).collect();
    let mut before = None;
    // The first time, for the pool's buffer and the transports' own memory.
    for _ in 0..3 {
        for (raw, server) in &mut ends {
            raw.write_all(&bytes(&Sync)).await.unwrap();
            server.next().await.unwrap().unwrap();
            server.push(&Sync).unwrap();
            server.flush().await.unwrap();
            raw.read_exact(&mut [0; 5]).await.unwrap();
            waits(server).await;
        }
        assert_eq!(live(), *before.get_or_insert(live()));
        // All of them and their transports, less than four buffers.
        assert!(live() - start < 256 * 1024, "{}", live() - start);
    }
}

#[tokio::test]
async fn in_steady_state_nothing_more_is_held() {
    let (mut raw, io) = duplex(4096);
    let mut server = server(io, Limits::new());
    let (message, mut echo) = (bytes(&Sync), [0; 5]);
    for round in 0..20 {
        raw.write_all(&message).await.unwrap();
        let before = live();
        let (frame, mut out) = server.incoming().await.unwrap().unwrap();
        out.send(&frame).await.unwrap();
        // The queue's memory goes when it is empty, and the pool's buffer was there.
        assert!(round == 0 || live() == before, "{}", live() - before);
        raw.read_exact(&mut echo).await.unwrap();
        waits(&mut server).await;
    }
}

/// While the next reader of the thread waits, there is one buffer, and it is wiped by the time that it is read to.
#[tokio::test]
async fn a_login_gives_its_buffer_back_when_it_is_over() {
    let start = live();
    let (mut raw, io) = duplex(4096);
    let mut server = Connection::new(io, Frontend::new(), Grow::new(4096), Limits::new());
    raw.write_all(b"\0\0\0\x09\0\x03\0\0\0").await.unwrap();
    server.next().await.unwrap().unwrap();
    server.established();
    let (mut raw, io) = duplex(4096);
    let mut other = crate::server(io, Limits::new());
    raw.write_all(b"S\0\0\0\x04").await.unwrap();
    other.next().await.unwrap().unwrap();
    assert!(live() - start < 200 * 1024, "{}", live() - start);
    drop(server);
}

/// The thread's pool has one buffer here. Whoever reads next finds nothing of a login in it.
#[tokio::test]
async fn a_buffer_that_held_a_login_is_wiped() {
    let password = b"correct horse battery staple";
    let message = bytes(&PasswordMessage { password: Secret::from(&password[..]) });
    let start = || {
        let mut frontend = Frontend::new();
        let startup = bytes(&feedrate::pg::frontend::StartupMessage {
            version: feedrate::pg::Version::V3_0,
            parameters: feedrate::pg::List::from(&[]),
        });
        frontend.expect(feedrate::pg::frontend::Answer::Password);
        (frontend, startup)
    };
    for established in [false, true] {
        let (mut raw, io) = duplex(4096);
        let (frontend, startup) = start();
        let mut server = Connection::new(io, frontend, Grow::new(4096), Limits::new());
        raw.write_all(&[&startup[..], &message].concat()).await.unwrap();
        server.next().await.unwrap().unwrap();
        let frame = server.next().await.unwrap().unwrap();
        assert_eq!(frame.name(), "PasswordMessage");
        if established {
            server.established();
            waits(&mut server).await;
        }
        drop(server);
        // Somebody else reads three bytes, and looks at what is behind them.
        let (mut raw, io) = duplex(4096);
        let mut spy = crate::server(Spy { io, seen: Vec::new() }, Limits::new());
        raw.write_all(b"S\0\0\0\x04").await.unwrap();
        spy.next().await.unwrap().unwrap();
        let seen = &spy.io().seen;
        assert!(seen.len() > 1000);
        assert!(!seen.windows(7).any(|window| window == b"battery"), "{established}");
    }
}

/// The queue's memory is wiped as it is written: a message's bytes are gone when they have been sent.
#[tokio::test]
async fn a_login_is_sent_as_it_is() {
    let (mut raw, io) = duplex(64);
    let mut client = client(io, Limits::new());
    let password = PasswordMessage { password: Secret::from(&b"secret"[..]) };
    client.push(&password).unwrap();
    client.flush().await.unwrap();
    let mut read = [0; 12];
    raw.read_exact(&mut read).await.unwrap();
    let mut expected = Vec::new();
    password.encode(&mut expected).unwrap();
    assert_eq!(read[..], expected);
}

/// Keeps what was in the memory that it was given to read to.
struct Spy {
    io: DuplexStream,
    seen: Vec<u8>,
}

impl tokio::io::AsyncRead for Spy {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let seen = buffer.initialize_unfilled().to_vec();
        self.seen = seen;
        std::pin::Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl tokio::io::AsyncWrite for Spy {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
