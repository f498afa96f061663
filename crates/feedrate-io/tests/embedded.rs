//! Connections over the traits of embedded-io-async, in fixed memory.
#![cfg(feature = "embedded-io-07")]

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use embedded_io_async_07::{ErrorType, Read, Write};
use feedrate::pg::Frontend;
use feedrate::pg::frontend::{Query, Sync};
use feedrate::{Array, Encode, EncodeError};
use feedrate_io::embedded::{Reader, Writer};

/// Moves up to three bytes at a time, and is not ready before each.
struct Uart {
    bytes: Vec<u8>,
    at: usize,
    flushes: usize,
}

impl ErrorType for Uart {
    type Error = Infallible;
}

async fn not_ready() {
    let mut once = false;
    std::future::poll_fn(|_| {
        once = !once;
        if once { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

impl Read for Uart {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        not_ready().await;
        let n = (self.at % 3 + 1).min(self.bytes.len() - self.at).min(buffer.len());
        buffer[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

impl Write for Uart {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        not_ready().await;
        let n = bytes.len().min(3);
        self.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        not_ready().await;
        self.flushes += 1;
        Ok(())
    }
}

/// Polls a future up to `polls` times, and drops it.
fn polled<F: Future>(polls: usize, future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    (0..polls)
        .map(|_| future.as_mut().poll(&mut Context::from_waker(Waker::noop())))
        .find(Poll::is_ready)
        .map_or(Poll::Pending, |ready| ready)
}

/// A driver whose dropped read has read nothing: dropped at each of its awaits, every message comes once.
#[test]
fn a_dropped_next_loses_no_message() {
    let mut stream = Vec::new();
    for n in 0..60 {
        Query { sql: "x".repeat(n).as_str().into() }.encode(&mut stream).unwrap();
    }
    let uart = Uart { bytes: stream.clone(), at: 0, flushes: 0 };
    let mut reader = Reader::new(uart, Frontend::established(), Array::<100>::new(), [0; 8]);
    let (mut found, mut polls, mut dropped) = (Vec::new(), 0, 0);
    loop {
        // The driver needs two polls for a step: one is always dropped.
        polls = polls % 7 + 1;
        match polled(polls, reader.next()) {
            Poll::Pending => dropped += 1,
            Poll::Ready(Ok(Some(frame))) => found.extend_from_slice(frame.raw()),
            Poll::Ready(Ok(None)) => break,
            Poll::Ready(Err(error)) => panic!("{error}"),
        }
    }
    assert!(dropped > 300, "{dropped}");
    assert_eq!(found, stream);
}

#[test]
fn a_dropped_flush_writes_nothing_twice() {
    let mut writer = Writer::new(Uart { bytes: Vec::new(), at: 0, flushes: 0 }, Array::<16>::new());
    let (mut polls, mut sent) = (0, 0);
    while sent < 200 {
        match writer.push(&Sync) {
            Ok(()) => sent += 1,
            Err(EncodeError::Full) => {
                polls = polls % 5 + 1;
                _ = polled(polls, writer.flush());
            }
            Err(error) => panic!("{error}"),
        }
    }
    while polled(9, writer.flush()).is_pending() {}
    assert_eq!(writer.queued(), 0);
    let uart = writer.into_parts().0;
    assert_eq!(uart.bytes, b"S\0\0\0\x04".repeat(200));
    assert!(uart.flushes > 0);
}

#[test]
fn a_stream_that_ends_inside_a_message_is_lost() {
    let uart = Uart { bytes: b"S\0\0\0\x04S\0".to_vec(), at: 0, flushes: 0 };
    let mut reader = Reader::new(uart, Frontend::established(), Array::<100>::new(), [0; 8]);
    assert!(matches!(polled(99, reader.next()), Poll::Ready(Ok(Some(_)))));
    let Poll::Ready(Err(error)) = polled(99, reader.next()) else { panic!("it goes on") };
    assert!(error.is_over(), "{error}");
}
