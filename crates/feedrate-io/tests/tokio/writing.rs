//! How what waits gets to the transport: flushed, refused, failed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use feedrate::pg::frontend::Sync;
use feedrate_io::{Error, Limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::client;

/// Never has anything to read. Holds back what is written until it is flushed, which takes a second try.
#[derive(Debug, Default)]
struct Holding {
    held: Vec<u8>,
    out: Vec<u8>,
    flushes: usize,
    /// What writing returns first.
    answers: Vec<io::Result<usize>>,
    /// And whether it is not ready then.
    blocks: bool,
    writes: usize,
}

impl AsyncRead for Holding {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Holding {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes += 1;
        if let Some(answer) = self.answers.pop() {
            return Poll::Ready(answer);
        }
        if self.blocks {
            return Poll::Pending;
        }
        self.held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        if self.flushes % 2 == 1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let held = std::mem::take(&mut self.held);
        self.out.extend(held);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A TLS stream, or a buffered one, gives nothing to the socket before it is flushed.
#[tokio::test]
async fn what_is_written_is_flushed() {
    let mut client = client(Holding::default(), Limits::new());
    client.push(&Sync).unwrap();
    client.flush().await.unwrap();
    assert_eq!((client.io().out.as_slice(), client.io().flushes), (&b"S\0\0\0\x04"[..], 2));
    // Nothing waits, and nothing is asked of the transport.
    client.flush().await.unwrap();
    assert_eq!(client.io().flushes, 2);
    // `send` tries once, and what is awaited next goes on.
    client.send(&Sync).await.unwrap();
    assert_eq!((client.io().held.len(), client.io().out.len()), (5, 5));
    tokio::select! {
        biased;
        next = client.next() => panic!("{next:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!((client.io().held.len(), client.io().out.len()), (0, 10));
}

#[tokio::test]
async fn a_transport_that_takes_nothing_has_failed() {
    let io = Holding { answers: vec![Ok(0)], ..Holding::default() };
    let mut client = client(io, Limits::new());
    client.push(&Sync).unwrap();
    let error = client.flush().await.unwrap_err();
    assert!(matches!(&error, Error::Io(io) if io.kind() == io::ErrorKind::WriteZero), "{error:?}");
}

/// Bytes behind a hole in the stream would be read as something else.
#[tokio::test]
async fn nothing_is_written_behind_a_failure() {
    let io = Holding { answers: vec![Err(io::ErrorKind::BrokenPipe.into())], ..Holding::default() };
    let mut client = client(io, Limits::new());
    client.push(&Sync).unwrap();
    for _ in 0..3 {
        tokio::select! {
            biased;
            next = client.next() => panic!("{next:?}"),
            () = std::future::ready(()) => {}
        }
        client.push(&Sync).unwrap();
    }
    assert_eq!((client.io().writes, client.io().held.len()), (1, 0));
    for _ in 0..3 {
        for error in [client.shutdown().await, client.send(&Sync).await, client.flush().await] {
            let error = error.unwrap_err();
            assert!(matches!(&error, Error::Io(io) if io.kind() == io::ErrorKind::BrokenPipe), "{error:?}");
        }
        client.push(&Sync).unwrap();
    }
    assert_eq!((client.io().writes, client.io().held.len()), (1, 0));
}

#[tokio::test]
async fn send_tells_of_a_failure() {
    let io = Holding { answers: vec![Err(io::ErrorKind::BrokenPipe.into())], ..Holding::default() };
    let mut client = client(io, Limits::new().queued(8));
    client.push(&Sync).unwrap();
    let error = client.send(&Sync).await.unwrap_err();
    assert!(matches!(&error, Error::Io(io) if io.kind() == io::ErrorKind::BrokenPipe), "{error:?}");
}

/// What has been written makes room at once, also where more still waits.
#[tokio::test]
async fn send_goes_on_as_soon_as_there_is_room() {
    let io = Holding { answers: vec![Ok(4)], blocks: true, ..Holding::default() };
    let mut client = client(io, Limits::new().queued(8));
    client.push(&Sync).unwrap();
    client.send(&Sync).await.unwrap();
    assert_eq!(client.queued(), 6);
}

/// Takes all, and never says that it has closed.
struct Unclosing;

impl AsyncRead for Unclosing {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Unclosing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn closing_has_its_limit() {
    let limit = std::time::Duration::from_secs(7);
    let mut client = client(Unclosing, Limits::new().progress(limit));
    let begun = tokio::time::Instant::now();
    let error = client.shutdown().await.unwrap_err();
    assert!(
        matches!(error, Error::Late(feedrate_io::Late::Progress(passed)) if passed == limit),
        "{error:?}"
    );
    assert_eq!(begun.elapsed(), limit);
}
