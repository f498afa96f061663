//! A transport with its deadlines, whatever is written to it and read from it.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use feedrate::Storage;

use crate::limits::{Late, Limits};
use crate::outlet::Outlet;
use crate::timer::Timer;
use crate::watch::Watch;

/// What waits to be written.
pub(crate) trait Queue {
    /// What is next.
    fn unsent(&self) -> &[u8];
    /// So much has been written.
    fn sent(&mut self, n: usize);
    /// Nothing can be written any more.
    fn clear(&mut self);
    /// The transport takes no more for now.
    fn stuck(&mut self) {}
}

impl<S: Storage> Queue for Outlet<S> {
    fn unsent(&self) -> &[u8] {
        self.unsent()
    }

    fn sent(&mut self, n: usize) {
        self.sent(n);
    }

    fn clear(&mut self) {
        self.clear();
    }
}

/// Whether something can be written. Behind a failure nothing ever is: it would stand behind a hole in the stream.
enum Writing {
    Good,
    /// It failed, and nobody has been told.
    Failed(io::Error),
    /// Somebody has.
    Over,
}

pub(crate) struct Line<T, C> {
    pub(crate) io: T,
    pub(crate) watch: Watch,
    pub(crate) timer: C,
    /// The peer sends no more.
    pub(crate) ended: bool,
    /// A failure is not told at once, as the peer's last words may still be read.
    writing: Writing,
    /// What was written may still be held back by the transport.
    unflushed: bool,
}

impl<T, C: Timer> Line<T, C> {
    pub(crate) fn new(io: T, limits: Limits, timer: C) -> Self {
        let watch = Watch::new(limits, timer.now());
        Self { io, watch, timer, ended: false, writing: Writing::Good, unflushed: false }
    }

    /// The same, over something else.
    #[cfg(any(feature = "pg-tls", feature = "ws-tls"))]
    pub(crate) fn replace<U>(self, io: U) -> (Line<U, C>, T) {
        let Self { io: was, watch, timer, ended, writing, unflushed } = self;
        (Line { io, watch, timer, ended, writing, unflushed }, was)
    }

    /// One for each direction.
    pub(crate) fn split(self) -> (Line<ReadHalf<T>, C>, Line<WriteHalf<T>, C>)
    where
        T: AsyncRead + AsyncWrite,
        C: Clone,
    {
        let Self { io, mut watch, timer, ended, writing, unflushed } = self;
        let (reader, writer) = ::tokio::io::split(io);
        let writer = Line { io: writer, watch, timer: timer.clone(), ended, writing, unflushed };
        watch.writing(false, feedrate::Instant::ZERO);
        (Line { io: reader, watch, timer, ended, writing: Writing::Good, unflushed: false }, writer)
    }

    /// Ready when a limit has been passed.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        Self::late(&mut self.timer, cx, self.watch.deadline(), |now| self.watch.check(now))
    }

    /// Ready when a limit of writing has been passed.
    pub(crate) fn poll_late_write(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        Self::late(&mut self.timer, cx, self.watch.write_deadline(), |now| self.watch.check_write(now))
    }

    fn late(
        timer: &mut C,
        cx: &mut Context<'_>,
        deadline: Option<feedrate::Instant>,
        check: impl Fn(feedrate::Instant) -> Result<(), Late>,
    ) -> Poll<Late> {
        let Some(deadline) = deadline else { return Poll::Pending };
        if timer.poll_until(cx, deadline).is_pending() {
            return Poll::Pending;
        }
        check(timer.now().max(deadline)).map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    /// Why nothing can be written any more, told once: for whoever reads.
    pub(crate) fn failure(&mut self) -> io::Result<()> {
        match core::mem::replace(&mut self.writing, Writing::Over) {
            Writing::Good => {
                self.writing = Writing::Good;
                Ok(())
            }
            Writing::Failed(error) => Err(error),
            Writing::Over => Ok(()),
        }
    }

    /// As [`failure`](Self::failure), and again and again: for whoever writes.
    pub(crate) fn refusal(&mut self) -> io::Result<()> {
        self.failure()?;
        self.over()
    }

    /// It has been told that nothing can be written any more.
    pub(crate) fn over(&self) -> io::Result<()> {
        match self.writing {
            Writing::Over => Err(io::ErrorKind::BrokenPipe.into()),
            Writing::Good | Writing::Failed(_) => Ok(()),
        }
    }
}

impl<T: AsyncWrite + Unpin, C: Timer> Line<T, C> {
    /// Writes what waits. Ready: all of it has been, or nothing can be written any more.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, queue: &mut impl Queue) -> Poll<()> {
        if !matches!(self.writing, Writing::Good) {
            queue.clear();
            return Poll::Ready(());
        }
        if queue.unsent().is_empty() && !self.unflushed {
            return Poll::Ready(());
        }
        match self.write_all(cx, queue) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                self.writing = Writing::Failed(error);
                self.unflushed = false;
                queue.clear();
            }
            Poll::Pending => return Poll::Pending,
        }
        self.watch.writing(false, feedrate::Instant::ZERO);
        Poll::Ready(())
    }

    fn write_all(&mut self, cx: &mut Context<'_>, queue: &mut impl Queue) -> Poll<io::Result<()>> {
        let mut moved = false;
        let written = loop {
            let bytes = queue.unsent();
            if bytes.is_empty() {
                break Pin::new(&mut self.io).poll_flush(cx);
            }
            match Pin::new(&mut self.io).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => queue.sent(n),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
            moved = true;
            self.unflushed = true;
        };
        match written {
            Poll::Ready(written) => {
                self.unflushed = false;
                Poll::Ready(written)
            }
            Poll::Pending => {
                queue.stuck();
                let now = self.timer.now();
                if moved {
                    self.watch.written(now);
                }
                self.watch.writing(true, now);
                Poll::Pending
            }
        }
    }

    /// Whether several slices go in one write.
    #[cfg(feature = "ws")]
    pub(crate) fn is_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// Writes what the transport takes of these at once, and returns how much that was.
    #[cfg(feature = "ws")]
    pub(crate) fn write_now(&mut self, cx: &mut Context<'_>, parts: [&[u8]; 3]) -> usize {
        if !matches!(self.writing, Writing::Good) {
            return 0;
        }
        match Pin::new(&mut self.io).poll_write_vectored(cx, &parts.map(io::IoSlice::new)) {
            Poll::Ready(Ok(n)) => {
                self.unflushed = true;
                self.watch.written(self.timer.now());
                n
            }
            Poll::Ready(Err(error)) => {
                self.writing = Writing::Failed(error);
                0
            }
            Poll::Pending => 0,
        }
    }

    /// Writes what waits, and says that no more will come.
    pub(crate) fn poll_shutdown(
        &mut self,
        cx: &mut Context<'_>,
        queue: &mut impl Queue,
    ) -> Poll<io::Result<()>> {
        core::task::ready!(self.poll_write(cx, queue));
        self.refusal()?;
        let done = Pin::new(&mut self.io).poll_shutdown(cx);
        self.watch.writing(done.is_pending(), self.timer.now());
        done
    }
}

impl<T: AsyncRead + Unpin, C> Line<T, C> {
    /// Reads what there is. Ready with 0: the peer sends no more.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(space);
        core::task::ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        let n = buffer.filled().len();
        self.ended |= n == 0;
        Poll::Ready(Ok(n))
    }

    /// The same, where a stream that is cut ends as any other (TLS that has not said that it ends): the protocol has an
    /// end of its own.
    #[cfg(feature = "ws")]
    pub(crate) fn poll_read_or_cut(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match core::task::ready!(self.poll_read(cx, space)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ended = true;
                Poll::Ready(Ok(0))
            }
            read => Poll::Ready(read),
        }
    }
}
