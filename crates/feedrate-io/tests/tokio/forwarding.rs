//! What a proxy does with the two halves: bytes go on as they are, however long, and the receiver sets the pace.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use feedrate::pg::frontend::{Answer, Query, Sync};
use feedrate::pg::{Backend, Frontend};
use feedrate::{Grow, Protocol};
use feedrate_io::tokio::{Connection, Reader, Writer};
use feedrate_io::{Error, Late, Limits};
use feedrate_testkit::counting::live;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance};

use crate::trickle::Trickle;
use crate::{bytes, client, server};

const SECOND: Duration = Duration::from_secs(1);

fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// As the documentation of `has_message` has it.
async fn forward<P, T, U>(from: &mut Reader<Frontend, Grow, T>, to: &mut Writer<P, U>)
where
    P: Protocol<Error: 'static>,
    T: tokio::io::AsyncRead,
    U: tokio::io::AsyncWrite,
{
    loop {
        if !from.has_message().unwrap() {
            to.flush().await.unwrap();
        }
        let Some(frame) = from.next().await.unwrap() else { break };
        to.forward(&mut frame.raw()).await.unwrap();
    }
    to.shutdown().await.unwrap();
}

/// With queues that nothing fits in, that some fit in, and that all fit in.
#[tokio::test]
async fn everything_arrives_in_order() {
    let queries: Vec<u8> =
        (0..300).flat_map(|n| bytes(&Query { sql: "x".repeat(n * 7 % 501).as_str().into() })).collect();
    for queued in [1, 100, 1 << 20] {
        let (from, _keep) = server(Trickle::new(queries.clone(), 7), Limits::new()).split();
        let (mut from, (raw, io)) = (from, duplex(64));
        let (_reader, mut to) = client(io, Limits::new().queued(queued)).split();
        let (mut raw, mut read) = (raw, Vec::new());
        tokio::join!(forward(&mut from, &mut to), async { raw.read_to_end(&mut read).await.unwrap() });
        assert!(read == queries, "{queued}");
    }
}

/// Each step is dropped after one poll: `bytes` says what is left to be sent.
#[tokio::test]
async fn forward_sends_each_byte_once() {
    let all = bytes(&Query { sql: "y".repeat(2000).as_str().into() });
    let mut dropped = 0;
    for queued in [1, 100, 1500] {
        let (io, mut raw) = duplex(3);
        let (_reader, mut to) = client(io, Limits::new().queued(queued)).split();
        let (mut left, mut read) = (&all[..], Vec::new());
        while !left.is_empty() {
            match once(to.forward(&mut left)) {
                Poll::Ready(done) => done.unwrap(),
                Poll::Pending => dropped += 1,
            }
            // Or tokio lets it do nothing more.
            tokio::task::yield_now().await;
            let mut some = [0; 2];
            if let Poll::Ready(n) = once(raw.read(&mut some)) {
                read.extend_from_slice(&some[..n.unwrap()]);
            }
        }
        tokio::join!(async { to.shutdown().await.unwrap() }, async {
            raw.read_to_end(&mut read).await.unwrap()
        });
        assert!(read == all, "{queued}");
    }
    assert!(dropped > 1000, "{dropped}");
}

/// What fits goes with one write, when it is flushed; what does not is not copied.
#[tokio::test]
async fn a_long_message_is_not_copied() {
    let long = vec![b'z'; 1 << 20];
    let (io, mut raw) = duplex(64);
    let (_reader, mut to) = client(io, Limits::new().queued(1000)).split();
    to.forward(&mut &b"first"[..]).await.unwrap();
    assert_eq!((to.queued(), once(raw.read(&mut [0])).is_pending()), (5, true));
    let (before, mut left) = (live(), &long[..]);
    assert!(once(to.forward(&mut left)).is_pending());
    assert!(live() - before < 2000, "{}", live() - before);
    // The transport has taken 64, of which five were there before.
    assert_eq!((to.queued(), left.len()), (0, long.len() - 59));
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_late() {
    let (io, _raw) = duplex(64);
    let (_reader, mut to) = client(io, Limits::new().queued(10).progress(SECOND * 3)).split();
    let start = Instant::now();
    let error = to.forward(&mut &[0; 100][..]).await.unwrap_err();
    assert!(matches!(error, Error::Late(Late::Progress(limit)) if limit == SECOND * 3), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn who_is_gone_is_told_of() {
    let (io, raw) = duplex(64);
    drop(raw);
    let (_reader, mut to) = client(io, Limits::new().queued(10)).split();
    assert!(matches!(to.forward(&mut &[0; 100][..]).await, Err(Error::Io(_))));
    assert!(matches!(to.forward(&mut &[0; 1][..]).await, Err(Error::Io(_))));
}

#[tokio::test]
async fn a_message_is_there_when_all_of_it_is() {
    let (mut raw, io) = duplex(64);
    let (mut reader, _writer) = server(io, Limits::new()).split();
    let sync = bytes(&Sync);
    raw.write_all(&[&sync[..], &sync, b"S\0\0"].concat()).await.unwrap();
    assert!(!reader.has_message().unwrap());
    reader.next().await.unwrap().unwrap();
    // Asking does not take it.
    assert!(reader.has_message().unwrap() && reader.has_message().unwrap());
    reader.next().await.unwrap().unwrap();
    assert!(!reader.has_message().unwrap());
}

/// The first byte of a password's message, before it is known how the message is to be read.
#[tokio::test]
async fn peek_takes_nothing() {
    let (mut raw, io) = duplex(64);
    let (mut reader, _writer) = Connection::new(io, Frontend::new(), Grow::new(4096), Limits::new()).split();
    raw.write_all(b"\0\0\0\x09\0\x03\0\0\0p\0\0").await.unwrap();
    assert_eq!(reader.peek().await.unwrap(), Some(0));
    assert_eq!(reader.next().await.unwrap().unwrap().name(), "StartupMessage");
    for _ in 0..3 {
        assert_eq!(reader.peek().await.unwrap(), Some(b'p'));
    }
    reader.protocol_mut().expect(Answer::Password);
    assert!(once(reader.next()).is_pending());
    // Now it is the decoder that holds it.
    assert_eq!(reader.peek().await.unwrap(), Some(b'p'));
    raw.write_all(b"\0\x06x\0").await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().name(), "PasswordMessage");
    assert!(once(reader.peek()).is_pending());
    drop(raw);
    assert_eq!(reader.peek().await.unwrap(), None);
    assert!(reader.next().await.unwrap().is_none());
}

fn halves(
    limits: Limits,
) -> (DuplexStream, Reader<Backend, Grow, DuplexStream>, Writer<Backend, DuplexStream>) {
    let (raw, io) = duplex(64);
    let (reader, writer) = Connection::new(io, Backend::new(), Grow::new(4096), limits).split();
    (raw, reader, writer)
}

/// The limit of a handshake is over for the half that has been told so.
#[tokio::test(start_paused = true)]
async fn each_half_is_established_by_itself() {
    let limits = Limits::new().handshake(SECOND * 5).progress(SECOND * 60).queued(10);
    let (_raw, mut reader, mut writer) = halves(limits);
    let error = reader.peek().await.unwrap_err();
    assert!(matches!(error, Error::Late(Late::Handshake(_))), "{error:?}");
    let error = writer.forward(&mut &[0; 100][..]).await.unwrap_err();
    assert!(matches!(error, Error::Late(Late::Handshake(_))), "{error:?}");

    let (_raw, mut reader, mut writer) = halves(limits);
    reader.established();
    writer.established();
    advance(SECOND * 6).await;
    assert!(tokio::time::timeout(SECOND * 30, reader.peek()).await.is_err());
    let error = writer.forward(&mut &[0; 100][..]).await.unwrap_err();
    assert!(matches!(error, Error::Late(Late::Progress(_))), "{error:?}");
}
