//! Transports that do everything in the smallest steps, or nothing until they are let.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

/// Reads and writes one to three bytes at a time, and is not ready before each.
#[derive(Debug)]
pub(crate) struct Trickle {
    io: DuplexStream,
    seed: u64,
    read_ready: bool,
    write_ready: bool,
}

/// Two ends.
pub(crate) fn trickles(seed: u64) -> (Trickle, Trickle) {
    let (a, b) = duplex(4096);
    let trickle = |io, seed| Trickle { io, seed, read_ready: false, write_ready: false };
    (trickle(a, seed), trickle(b, seed.wrapping_mul(3)))
}

impl Trickle {
    /// xorshift.
    fn step(&mut self) -> usize {
        self.seed |= 1;
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        1 + (self.seed % 3) as usize
    }
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read_ready = !self.read_ready;
        if self.read_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut bytes = [0; 3];
        let most = self.step().min(buffer.remaining());
        let mut few = ReadBuf::new(&mut bytes[..most]);
        let read = Pin::new(&mut self.io).poll_read(cx, &mut few);
        buffer.put_slice(few.filled());
        read
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_ready = !self.write_ready;
        if self.write_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = self.step().min(bytes.len());
        Pin::new(&mut self.io).poll_write(cx, &bytes[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Takes nothing that is written while it is shut.
#[derive(Debug)]
pub(crate) struct Valve {
    io: DuplexStream,
    pub(crate) shut: Rc<Cell<bool>>,
    /// How much was written.
    pub(crate) written: Rc<Cell<usize>>,
}

impl Valve {
    pub(crate) fn new(io: DuplexStream) -> Self {
        Self { io, shut: Rc::default(), written: Rc::default() }
    }
}

impl AsyncRead for Valve {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Valve {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.shut.get() {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(n)) = written {
            self.written.set(self.written.get() + n);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
