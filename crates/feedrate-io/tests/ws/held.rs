//! What a WebSocket holds while it waits.

use std::time::Duration;

use feedrate_io::ws::WebSocket;
use feedrate_testkit::counting::live;
use feedrate_testkit::ws::wire::{FIN, TEXT};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use crate::{config, once, server, wire};

/// Echoes a message of this length, of which half comes by itself, and waits for the next.
async fn round(raw: &mut DuplexStream, ws: &mut WebSocket<DuplexStream>, length: usize) {
    let message = wire().frame(FIN | TEXT, vec![b'x'; length]).into_bytes();
    let (a, b) = message.split_at(message.len() / 2);
    raw.write_all(a).await.unwrap();
    assert!(once(ws.incoming()).is_pending());
    raw.write_all(b).await.unwrap();
    let (message, mut out) = ws.incoming().await.unwrap().unwrap();
    out.send(message).await.unwrap();
    out.flush().await.unwrap();
    let mut echo = vec![0; length + 4];
    let echo = if length < 126 { &mut echo[..length + 2] } else { &mut echo[..] };
    raw.read_exact(echo).await.unwrap();
    assert!(once(ws.incoming()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_waits_holds_no_buffer() {
    let mut ends: Vec<_> =
        (0..100).map(|_| duplex(1 << 16)).map(|(raw, io)| (raw, server(io, &config()))).collect();
    let before = live();
    for (raw, ws) in &mut ends {
        round(raw, ws, 100).await;
    }
    // The pool's buffers, each connection's timer, and its transport's own memory.
    let each = (live() - before) / 100;
    assert!(each < 5_000, "{each} bytes");
}

/// Memory for long messages goes when it has been silent for a while.
#[tokio::test(start_paused = true)]
async fn a_silent_websocket_gives_memory_back() {
    let (mut raw, io) = duplex(1 << 17);
    let mut ws = server(io, &config().ping(Duration::from_secs(20)));
    round(&mut raw, &mut ws, 60_000).await;
    let held = live();
    assert!(timeout(Duration::from_secs(21), ws.next()).await.is_err());
    // The message came in two halves, which were put together in as much.
    assert!(live() < held - 60_000, "{}", held - live());
}
