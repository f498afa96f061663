//! The rows of a PostgreSQL server over a transport in memory: a connection of feedrate-io, a loop by hand, `Framed`.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use feedrate::pg::Backend;
use feedrate::{Decoder, Grow};
use feedrate_io::codec::Codec;
use feedrate_io::tokio::Connection;
use feedrate_io::{Limits, Never};
use futures_core::Stream;
use postgres_protocol::message::backend;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::FramedRead;

use crate::Sum;

/// What one read brings at most, whoever reads.
const READ: usize = 64 * 1024;
const LONGEST: usize = 1 << 20;

/// A socket whose bytes are there.
struct Memory<'a>(&'a [u8]);

impl AsyncRead for Memory<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = self.0.len().min(buffer.remaining()).min(READ);
        let (read, rest) = self.0.split_at(n);
        buffer.put_slice(read);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
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

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn connection(stream: &[u8]) -> Connection<Backend, Grow, Memory<'_>, Never> {
    let (protocol, storage) = (Backend::established(), Grow::new(LONGEST));
    let mut connection = Connection::with_timer(Memory(stream), protocol, storage, Limits::new(), Never);
    connection.established();
    connection
}

/// A read, and a loop around `feed`: what everybody has written.
pub fn by_hand(stream: &[u8]) -> Sum {
    let mut io = Memory(stream);
    let mut decoder = Decoder::new(Backend::established(), Grow::new(LONGEST));
    let (mut sum, mut buffer) = (Sum::default(), vec![0; READ]);
    block_on(async {
        loop {
            let n = std::future::poll_fn(|cx| {
                let mut buffer = ReadBuf::new(&mut buffer);
                Pin::new(&mut io).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
            });
            let n = n.await.expect("memory can be read");
            if n == 0 {
                return;
            }
            let mut input = &buffer[..n];
            while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
                sum.add(frame.raw().len());
                sum.add(frame.tag().into());
            }
        }
    });
    sum
}

/// Each message awaited.
pub fn next(stream: &[u8]) -> Sum {
    let mut connection = connection(stream);
    let mut sum = Sum::default();
    block_on(async {
        while let Some(frame) = connection.next().await.expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
        }
    });
    sum
}

/// What is there taken, and awaited only when nothing is.
pub fn try_next(stream: &[u8]) -> Sum {
    let mut connection = connection(stream);
    let mut sum = Sum::default();
    block_on(async {
        while let Some(frame) = connection.next().await.expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
            while let Some(frame) = connection.try_next().expect("a good stream") {
                sum.add(frame.raw().len());
                sum.add(frame.tag().into());
            }
        }
    });
    sum
}

/// tokio-util's `Framed` with our codec.
pub fn framed(stream: &[u8]) -> Sum {
    let codec = Codec::new(Backend::established(), Grow::new(LONGEST));
    let mut framed = FramedRead::with_capacity(Memory(stream), codec, READ);
    let mut sum = Sum::default();
    block_on(async {
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut framed).poll_next(cx)).await {
            let frame = frame.expect("a good stream").expect("a good message");
            sum.add(frame.as_frame().raw().len());
            sum.add(frame.as_frame().tag().into());
        }
    });
    sum
}

/// As tokio-postgres reads: `Framed` over postgres-protocol's headers.
pub fn postgres_framed(stream: &[u8]) -> Sum {
    struct Frames;
    impl tokio_util::codec::Decoder for Frames {
        type Item = BytesMut;
        type Error = io::Error;

        fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, io::Error> {
            let Some(header) = backend::Header::parse(src)? else { return Ok(None) };
            let length = header.len() as usize + 1;
            if src.len() < length {
                return Ok(None);
            }
            Ok(Some(src.split_to(length)))
        }
    }
    let mut framed = FramedRead::with_capacity(Memory(stream), Frames, READ);
    let mut sum = Sum::default();
    block_on(async {
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut framed).poll_next(cx)).await {
            let frame = frame.expect("a good stream");
            sum.add(frame.remaining());
            sum.add(frame[0].into());
        }
    });
    sum
}
