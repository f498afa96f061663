//! Both directions of a connection, in memory: what a socket is for the contenders.

use std::cell::RefCell;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that one call reads, in bytes: 16 KiB, or what the environment says in `WS_READ`.
pub fn chunk() -> usize {
    static CHUNK: OnceLock<usize> = OnceLock::new();
    *CHUNK.get_or_init(|| std::env::var("WS_READ").ok().and_then(|n| n.parse().ok()).unwrap_or(16 * 1024))
}

#[derive(Debug, Default)]
struct Pipe {
    bytes: Vec<u8>,
    /// Of these so many have been read.
    read: usize,
}

/// One end. A clone is the same end.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    input: Rc<RefCell<Pipe>>,
    output: Rc<RefCell<Pipe>>,
}

impl Wire {
    /// Has all of this to read.
    pub fn of(stream: Vec<u8>) -> Self {
        let wire = Self::default();
        wire.input.borrow_mut().bytes = stream;
        wire
    }

    /// The end that reads what this one writes.
    pub fn other_end(&self) -> Self {
        Self { input: self.output.clone(), output: self.input.clone() }
    }

    /// What was read can be read again, from the start.
    pub fn rewind(&self) {
        self.input.borrow_mut().read = 0;
    }

    /// Forgets what was written, and keeps the memory for more.
    pub fn clear(&self) {
        let mut output = self.output.borrow_mut();
        output.bytes.clear();
        output.read = 0;
    }

    /// Neither direction takes memory for as many bytes.
    pub fn reserve(&self, bytes: usize) {
        self.input.borrow_mut().bytes.reserve(bytes);
        self.output.borrow_mut().bytes.reserve(bytes);
    }

    /// How much was written.
    pub fn len(&self) -> usize {
        self.output.borrow().bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of what was written.
    pub fn written(&self) -> Vec<u8> {
        self.output.borrow().bytes.clone()
    }

    /// As a read of a socket: `None` if there is nothing.
    #[inline]
    pub fn get(&self, room: usize, put: impl FnOnce(&[u8])) -> Option<usize> {
        let mut input = self.input.borrow_mut();
        let Pipe { bytes, read } = &mut *input;
        let left = &bytes[*read..];
        let count = left.len().min(room).min(chunk());
        put(&left[..count]);
        *read += count;
        (count > 0).then_some(count)
    }

    /// As a write to a socket that has room for everything.
    #[inline]
    pub fn put(&self, parts: &[IoSlice<'_>]) -> usize {
        let mut output = self.output.borrow_mut();
        if output.read == output.bytes.len() {
            output.bytes.clear();
            output.read = 0;
        }
        let before = output.bytes.len();
        parts.iter().for_each(|part| output.bytes.extend_from_slice(part));
        output.bytes.len() - before
    }
}

impl Read for Wire {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.get(out.len(), |bytes| out[..bytes.len()].copy_from_slice(bytes))
            .ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Wire {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.put(&[IoSlice::new(bytes)]))
    }

    #[inline]
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.put(parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get(out.remaining(), |bytes| out.put_slice(bytes)) {
            Some(_) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.put(&[IoSlice::new(bytes)])))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.put(parts)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
