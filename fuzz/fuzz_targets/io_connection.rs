//! A connection over a transport that does what it likes, and whose futures are dropped at any time: what comes out is
//! what one decoder makes of the whole stream, and what is written is what was sent, in order.
#![no_main]

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use feedrate::pg::frontend::CopyData;
use feedrate::pg::{Backend, Error as PgError, Frame, Frontend};
use feedrate::{Decoder, Encode, EncodeError, Error as Severity, Grow};
use feedrate_fuzz::Plan;
use feedrate_io::tokio::Connection;
use feedrate_io::{Error, Limits, Never};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const LIMIT: usize = 512;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    // What is done, and how the transport behaves, by the same bytes.
    let steps: Vec<u8> = [&[plan.flags], plan.sizes].concat();
    let reference = reference(plan.stream);
    let io = Transport { input: plan.stream, written: Vec::new(), steps: &steps, at: 0 };
    let limits = Limits::new().queued(64);
    let mut connection = Connection::with_timer(io, Backend::established(), Grow::new(LIMIT), limits, Never);
    if plan.flag(0) {
        connection.established();
    }
    let (mut found, mut sent, mut failed, mut over) = (Vec::new(), Vec::new(), false, false);
    let mut actions = steps.iter().rev().cycle();
    for turn in 0..4 * plan.stream.len() + 64 {
        if over {
            break;
        }
        let polls = usize::from(actions.next().unwrap() >> 4);
        match actions.next().unwrap() % 8 {
            0..=2 => over = note(polled(polls, connection.next()), &mut found, &mut failed),
            3 => match connection.try_next() {
                Ok(Some(frame)) => found.push(Item::of(&frame)),
                Ok(None) => {}
                Err(error) => over = note(Poll::Ready(Err(error)), &mut found, &mut failed),
            },
            4 => {
                let data = vec![turn as u8; turn % 70];
                let message = CopyData { data: &data };
                if connection.push(&message) == Ok(()) {
                    message.encode(&mut sent).unwrap();
                }
            }
            5 => {
                let data = vec![turn as u8; turn % 70];
                let message = CopyData { data: &data };
                match polled(polls, connection.send(&message)) {
                    Poll::Ready(Ok(())) => _ = message.encode(&mut sent).unwrap(),
                    Poll::Ready(Err(Error::Message(EncodeError::Full))) => assert!(data.len() > 59),
                    Poll::Ready(Err(_)) => failed = true,
                    Poll::Pending => {}
                }
            }
            6 => failed |= matches!(polled(polls, connection.flush()), Poll::Ready(Err(_))),
            _ => {
                let incoming = polled(polls, connection.incoming()).map_ok(|incoming| {
                    let (frame, mut out) = incoming?;
                    if out.push(&frame) == Ok(()) {
                        sent.extend_from_slice(frame.raw());
                    }
                    Some(frame)
                });
                over = note(incoming, &mut found, &mut failed);
            }
        }
        assert!(sent.starts_with(&connection.io().written));
    }
    assert!(over || reference.starts_with(&found), "{found:?} of {reference:?}");
    if over {
        assert_eq!(found, reference);
    }
    if !failed && polled(usize::MAX, connection.flush()).is_ready() && connection.queued() == 0 {
        // A failure that nobody has been told of leaves less.
        assert!(sent.starts_with(&connection.io().written));
    }
    // The other direction's protocol is not what the bytes are for: it must not matter to the transport.
    let mut other =
        Connection::with_timer(connection.into_parts().io, Frontend::new(), Grow::new(8), limits, Never);
    _ = polled(3, other.next());
});

/// Notes what came of `next`. Whether the stream is over.
fn note(
    next: Poll<Result<Option<Frame<'_, Backend>>, Error<PgError, io::Error>>>,
    found: &mut Vec<Item>,
    failed: &mut bool,
) -> bool {
    match next {
        Poll::Pending => false,
        Poll::Ready(Ok(Some(frame))) => {
            found.push(Item::of(&frame));
            false
        }
        Poll::Ready(Ok(None)) => {
            found.push(Item::End);
            true
        }
        Poll::Ready(Err(Error::Protocol(Severity::Message(error)))) => {
            found.push(Item::Bad(error));
            false
        }
        Poll::Ready(Err(Error::Protocol(Severity::Lost(error)))) => {
            found.push(Item::Lost(error));
            true
        }
        Poll::Ready(Err(_)) => {
            *failed = true;
            false
        }
    }
}

#[derive(Debug, PartialEq)]
enum Item {
    Frame(Vec<u8>),
    Bad(PgError),
    Lost(PgError),
    End,
}

impl Item {
    fn of(frame: &Frame<'_, Backend>) -> Self {
        Self::Frame(frame.raw().to_vec())
    }
}

/// What one decoder makes of the whole stream.
fn reference(stream: &[u8]) -> Vec<Item> {
    let mut decoder = Decoder::new(Backend::established(), Grow::new(LIMIT));
    let (mut input, mut items) = (stream, Vec::new());
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(frame)) => items.push(Item::of(&frame)),
            Ok(None) => break,
            Err(Severity::Message(error)) => items.push(Item::Bad(error)),
            Err(Severity::Lost(error)) => {
                items.push(Item::Lost(error));
                return items;
            }
        }
    }
    items.push(match decoder.end() {
        Ok(()) => Item::End,
        Err(error) => Item::Lost(error.into_inner()),
    });
    items
}

/// Polls a future up to so many times, and drops it.
fn polled<F: Future>(polls: usize, future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls.min(100_000) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Poll::Ready(output);
        }
    }
    Poll::Pending
}

/// Each step is of the script, over and over: not ready, an error that loses nothing, or so many bytes.
struct Transport<'a> {
    input: &'a [u8],
    written: Vec<u8>,
    steps: &'a [u8],
    at: usize,
}

impl Transport<'_> {
    fn step(&mut self) -> Poll<io::Result<usize>> {
        let step = self.steps[self.at % self.steps.len()];
        self.at += 1;
        match step % 16 {
            0..=3 => Poll::Pending,
            4 if step > 0xe0 => Poll::Ready(Err(io::ErrorKind::Other.into())),
            n => Poll::Ready(Ok(usize::from(n - 3) * usize::from(step / 16 + 1))),
        }
    }
}

impl AsyncRead for Transport<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.step().map_ok(|n| {
            let n = n.min(self.input.len()).min(buffer.remaining());
            let (read, rest) = self.input.split_at(n);
            buffer.put_slice(read);
            self.input = rest;
        })
    }
}

impl AsyncWrite for Transport<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.step().map_ok(|n| {
            let n = n.min(bytes.len());
            self.written.extend_from_slice(&bytes[..n]);
            n
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step().map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step().map_ok(|_| ())
    }
}
