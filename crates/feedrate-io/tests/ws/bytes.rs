//! A WebSocket as a byte stream.

use std::io::ErrorKind;
use std::task::Poll;

use feedrate_io::ws::Bytes;
use feedrate_testkit::ws::wire::{BINARY, FIN, Wire, frames};
use feedrate_ws::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::trickle::Trickle;
use crate::{client, config, once, server, wire};
use feedrate_io::Limits;

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|n| (n * 7 % 251) as u8).collect()
}

/// Messages of any length, in fragments or not, with pings between them, and every future dropped.
#[tokio::test]
async fn what_comes_in_messages_comes_out_as_bytes() {
    let all = bytes(4000);
    let (mut rest, mut stream) = (&all[..], Wire::new(Role::Client));
    for n in (0..).map(|n| n * 13 % 200) {
        let (now, later) = rest.split_at(rest.len().min(n));
        stream = stream.binary(now).ping("x");
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    let stream = stream.close(1000, "").into_bytes();
    for seed in 1..20 {
        let mut ws = Bytes::new(server(Trickle::new(stream.clone(), seed), &config()));
        let (mut found, mut dropped) = (Vec::new(), 0);
        loop {
            let mut some = [0; 7];
            match once(ws.read(&mut some)) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(n)) => found.extend_from_slice(&some[..n]),
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert!(found == all && dropped > 1000, "{} of {} bytes, {dropped} dropped", found.len(), all.len());
    }
}

/// What is written is sent once, and no more than one message waits.
#[tokio::test]
async fn what_is_written_is_sent_once() {
    let all = bytes(5000);
    for seed in 1..20 {
        let mut ws = Bytes::new(server(Trickle::new(Vec::new(), seed), &config()));
        let mut written = 0;
        while written < all.len() {
            let next = &all[written..all.len().min(written + 99)];
            if let Poll::Ready(n) = once(ws.write(next)) {
                written += n.unwrap();
                let (sent, most) = (ws.io().written.len(), written + written / 99 * 2);
                assert!(sent + 99 + 4 > most.saturating_sub(99), "{sent} bytes were sent, {written} written");
            }
        }
        while once(ws.shutdown()).map(|shut| shut.unwrap()).is_pending() {}
        let mut sent = frames(Role::Server, &ws.io().written);
        assert_eq!(sent.pop(), Some((FIN | 8, b"\x03\xe8".to_vec())));
        assert!(sent.iter().all(|(first, _)| *first == FIN | BINARY));
        assert_eq!(sent.into_iter().flat_map(|(_, payload)| payload).collect::<Vec<_>>(), all);
    }
}

#[tokio::test]
async fn a_text_is_refused() {
    let stream = wire().binary(b"ab").text("c").into_bytes();
    let mut ws = Bytes::new(server(Trickle::new(stream, 7), &config()));
    let mut found = [0; 9];
    ws.read_exact(&mut found[..2]).await.unwrap();
    assert_eq!(ws.read(&mut found).await.unwrap_err().kind(), ErrorKind::InvalidData);
}

/// Two of them, until both have said goodbye.
#[tokio::test]
async fn there_and_back() {
    let (a, b) = duplex(64);
    let (mut client, mut server) = (Bytes::new(client(a, Limits::new())), Bytes::new(server(b, &config())));
    let all = bytes(100_000);
    let echo = async {
        let mut read = Vec::new();
        server.read_to_end(&mut read).await.unwrap();
        read
    };
    let send = async {
        client.write_all(&all).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    };
    let (read, ()) = tokio::join!(echo, send);
    assert!(read == all);
}
