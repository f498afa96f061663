//! A transport that does everything in the smallest steps.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads and writes one to three bytes at a time, and is not ready before each.
#[derive(Debug)]
pub(crate) struct Trickle {
    pub(crate) input: Vec<u8>,
    read: usize,
    pub(crate) written: Vec<u8>,
    /// How the steps differ.
    seed: u64,
    read_ready: bool,
    write_ready: bool,
    pub(crate) shut: bool,
}

impl Trickle {
    pub(crate) fn new(input: Vec<u8>, seed: u64) -> Self {
        Self { input, read: 0, written: Vec::new(), seed, read_ready: false, write_ready: false, shut: false }
    }

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
        let n = self.step().min(self.input.len() - self.read).min(buffer.remaining());
        let read = self.read;
        buffer.put_slice(&self.input[read..read + n]);
        self.read += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_ready = !self.write_ready;
        if self.write_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        assert!(!self.shut, "written behind the end");
        let n = self.step().min(bytes.len());
        self.written.extend_from_slice(&bytes[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_ready = !self.write_ready;
        if self.write_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_ready = !self.write_ready;
        if self.write_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}
