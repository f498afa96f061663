//! Messages: how they go, and what a WebSocket holds of them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use feedrate_io::Limits;
use feedrate_io::ws::{Message, SendError};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

use crate::{client, config, server, sockets, wire};

/// Counts what is written, by the write.
struct Counted {
    io: DuplexStream,
    writes: Vec<usize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, to)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(n)) = written {
            self.writes.push(n);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        if let Poll::Ready(Ok(n)) = written {
            self.writes.push(n);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Answers to what came together go together; an answer to what came alone goes at once.
#[tokio::test(start_paused = true)]
async fn answers_go_together() {
    let (mut raw, io) = duplex(1 << 16);
    let all = (0..100).fold(wire(), |wire, _| wire.text("0123456789"));
    raw.write_all(&all.into_bytes()).await.unwrap();
    let mut ws = server(Counted { io, writes: Vec::new() }, &config());
    for _ in 0..100 {
        let (message, mut out) = ws.incoming().await.unwrap().unwrap();
        out.send(message).await.unwrap();
    }
    assert_eq!(ws.io().writes, [1200]);
    raw.write_all(&wire().text("alone").into_bytes()).await.unwrap();
    let (message, mut out) = ws.incoming().await.unwrap().unwrap();
    out.send(message).await.unwrap();
    assert_eq!(ws.io().writes, [1200, 7]);
    // Who takes long to answer does not have the others wait.
    let all = (0..3).fold(wire(), |wire, _| wire.text("0123456789"));
    raw.write_all(&all.into_bytes()).await.unwrap();
    for _ in 0..3 {
        let (message, mut out) = ws.incoming().await.unwrap().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        out.send(message).await.unwrap();
    }
    assert_eq!(ws.io().writes, [1200, 7, 12, 12, 12]);
}

/// A long message is written from where it lies, header and all in one write, and only the rest of it is queued.
#[tokio::test]
async fn a_long_message_is_not_copied() {
    let (raw, io) = duplex(50_000);
    let mut ws = server(Counted { io, writes: Vec::new() }, &config());
    ws.push("before").unwrap();
    ws.send(&[1; 40_000]).await.unwrap();
    assert_eq!((&ws.io().writes[..], ws.queued()), (&[40_012][..], 0));
    ws.send(&[2; 40_000]).await.unwrap();
    assert_eq!((&ws.io().writes[..], ws.queued()), (&[40_012, 9_988][..], 40_004 - 9_988));
    drop(raw);
}

/// Messages of every size, both ways at once, over sockets.
#[tokio::test]
async fn both_talk_at_once() {
    let (left, right) = sockets().await;
    let (mut peer, mut ws) = (client(left, Limits::new()), server(right, &config()));
    let sizes = [0, 1, 125, 126, 1_000, 16_384, 65_535, 65_536, 200_000, 1 << 20];
    let task = tokio::spawn(async move {
        while let Some((message, mut out)) = ws.incoming().await.unwrap() {
            out.send(message).await.unwrap();
        }
    });
    for round in 0..3_u8 {
        for size in sizes {
            peer.send(&vec![round; size]).await.unwrap();
        }
        for size in sizes {
            assert_eq!(peer.next().await.unwrap(), Some(Message::Binary(&vec![round; size])), "{size}");
        }
    }
    peer.close(feedrate_io::ws::CloseCode::NORMAL, "").await.unwrap();
    task.await.unwrap();
}

/// A message as long as is said can be queued, and one that is longer never.
#[tokio::test]
async fn as_much_is_queued_as_may_be() {
    let mut ws = server(duplex(64).0, &config().limits(Limits::new().queued(10_000)));
    ws.push(&[0; 10_000]).unwrap();
    assert!(matches!(ws.push(&[0; 10_000]), Err(SendError::Full { .. })));
    assert!(matches!(ws.push(&[0; 20_000]), Err(SendError::TooLong { .. })));
    assert!(matches!(ws.send(&[0; 20_000]).await, Err(feedrate_io::ws::Error::Send(_))));
}

/// The peer floods with pings and reads nothing: few pongs wait.
#[tokio::test]
async fn pongs_do_not_pile_up() {
    let (mut raw, io) = duplex(64);
    let mut ws = server(io, &config());
    let flood = async {
        for n in 0..10_000_u32 {
            raw.write_all(&wire().ping(n.to_be_bytes()).into_bytes()).await.unwrap();
        }
        raw.write_all(&wire().text("end").into_bytes()).await.unwrap();
    };
    let (message, ()) = tokio::join!(ws.next(), flood);
    assert_eq!(message.unwrap(), Some("end".into()));
    assert!(ws.queued() < 1000, "{}", ws.queued());
    // The last is answered.
    let unsent = ws.into_parts().unsent;
    assert!(unsent.ends_with(&9_999_u32.to_be_bytes()));
}
