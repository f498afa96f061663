//! How messages are written: from where they lie, and what goes first when the peer takes nothing.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use feedrate_io::Limits;
use feedrate_io::ws::Error;
use feedrate_testkit::ws::wire::{BINARY, CLOSE, FIN, TEXT, frames};
use feedrate_ws::Role;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::timeout;

use crate::{config, once, server, wire};

/// Takes all that is written, and notes where the slices of vectored writes lie.
struct Slices {
    vectored: bool,
    seen: Vec<(usize, usize)>,
    copied: usize,
}

impl AsyncRead for Slices {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Slices {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.copied += bytes.len();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let seen = slices.iter().map(|slice| (slice.as_ptr() as usize, slice.len()));
        self.seen.extend(seen.filter(|(_, length)| *length > 0));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A long message is not copied, if the transport takes several slices; a short one is.
#[tokio::test]
async fn a_long_message_is_written_from_where_it_lies() {
    let message = vec![7; 60_000];
    for (vectored, length) in [(true, 60_000), (true, 1000), (false, 60_000)] {
        let message = &message[..length];
        let mut ws = server(Slices { vectored, seen: Vec::new(), copied: 0 }, &config());
        ws.send(message).await.unwrap();
        ws.flush().await.unwrap();
        let Slices { seen, copied, .. } = ws.io();
        if vectored && length > 16 * 1024 {
            assert!(seen.contains(&(message.as_ptr() as usize, length)), "{seen:?}");
            assert_eq!(*copied, 0);
        } else {
            assert!(seen.is_empty());
            assert_eq!(*copied, length + 4);
        }
    }
}

/// A peer that takes nothing and breaks a rule hears of that first: what waited is dropped.
#[tokio::test]
async fn a_violation_of_a_deaf_peer_is_told_before_what_waits() {
    let (mut raw, io) = duplex(100);
    let mut ws = server(io, &config());
    for n in 0..10_u8 {
        ws.push(&[n; 1000]).unwrap();
    }
    assert!(once(ws.next()).is_pending());
    raw.write_all(&wire().frame(FIN | 3, "").into_bytes()).await.unwrap();
    let mut answers = Vec::new();
    let (error, _) = tokio::join!(ws.next(), async {
        raw.read_to_end(&mut answers).await.unwrap();
        raw.shutdown().await.unwrap();
    });
    assert!(matches!(error.unwrap_err(), Error::Violation(_)));
    let all = frames(Role::Server, &answers);
    // The frame that had begun ends; nothing follows but the close frame.
    assert_eq!(all, [(FIN | BINARY, vec![0; 1000]), (FIN | CLOSE, b"\x03\xea".to_vec())]);
}

/// A transport that has one waker for both directions, that of whoever asked to read: TLS is one, when it writes while
/// it reads.
struct OneWaker {
    io: DuplexStream,
    reader: Arc<Mutex<Option<Waker>>>,
}

impl AsyncRead for OneWaker {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        *self.reader.lock().unwrap() = Some(cx.waker().clone());
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for OneWaker {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let reader = self.reader.lock().unwrap().clone();
        let waker = reader.unwrap_or_else(|| cx.waker().clone());
        Pin::new(&mut self.io).poll_write(&mut Context::from_waker(&waker), bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A peer that never stops.
struct Endless(Vec<u8>);

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while to.remaining() > 0 {
            let (n, length) = (to.remaining().min(self.0.len()), self.0.len());
            to.put_slice(&self.0[..n]);
            self.0.rotate_left(n % length);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The others on this thread have their turn all the same, and it goes on by itself.
#[tokio::test]
async fn a_peer_that_never_stops_does_not_keep_others_waiting() {
    let mut ws = server(Endless(wire().binary([7; 1000]).into_bytes()), &config());
    let echoed = Cell::new(0);
    let mut echo = std::pin::pin!(async {
        while let Some((message, mut out)) = ws.incoming().await.unwrap() {
            out.send(message).await.unwrap();
            echoed.set(echoed.get() + message.as_bytes().len());
        }
    });
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for turn in 1..=3 {
        assert!(echo.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), turn);
    }
    let echoed = echoed.get();
    assert!((200_000..1_000_000).contains(&echoed), "{echoed}");
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The reader makes room, and tells the writers.
#[tokio::test]
async fn a_reader_that_writes_wakes_the_writers() {
    let (mut raw, io) = duplex(100);
    let io = OneWaker { io, reader: Arc::default() };
    let (mut reader, writer) = server(io, &config().limits(Limits::new().queued(1000))).split();
    let reading = tokio::spawn(async move { reader.next().await.map(|message| message.is_some()) });
    tokio::task::yield_now().await;
    let sending = tokio::spawn(async move {
        for n in 0..20_u8 {
            writer.send(&[n; 3000]).await.unwrap();
        }
        writer
    });
    let mut all = vec![0; 20 * 3004];
    timeout(Duration::from_secs(10), raw.read_exact(&mut all)).await.expect("nobody was woken").unwrap();
    assert_eq!(frames(Role::Server, &all).len(), 20);
    let _writer = sending.await.unwrap();
    raw.write_all(&wire().frame(FIN | TEXT, "end").into_bytes()).await.unwrap();
    assert!(reading.await.unwrap().unwrap());
}

/// Nothing can be sent any more: who waits for room hears of it.
#[tokio::test(start_paused = true)]
async fn the_end_wakes_the_writers() {
    for frame in [wire().frame(FIN | 3, ""), wire().close(1000, "")] {
        let (mut raw, io) = duplex(100);
        let limits = Limits::new().queued(1000).progress(Duration::from_secs(1000));
        let (mut reader, writer) = server(io, &config().limits(limits)).split();
        let sending = tokio::spawn(async move {
            loop {
                writer.send(&[7; 3000]).await?;
            }
            #[allow(unreachable_code)]
            Ok::<(), Error>(())
        });
        tokio::task::yield_now().await;
        raw.write_all(&frame.into_bytes()).await.unwrap();
        let _ = reader.next().await;
        let ended = timeout(Duration::from_secs(1), sending).await.expect("nobody was woken").unwrap();
        assert!(ended.is_err());
    }
}
