//! What a connection does before its protocol begins: it changes its transport.

use alloc::vec::Vec;
use core::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::pg::backend::EncryptionResponse;
use feedrate::pg::{self, Frontend};
use feedrate::{Grow, Protocol, Storage};

use super::Error;
use super::connection::Connection;
use super::lease::Lease;
use super::outgoing::poll_flush;
use crate::limits::Late;
use crate::outlet::Outlet;
use crate::timer::Timer;

impl<P: Protocol<Error: 'static>, S, T, C: Timer> Connection<P, S, T, C> {
    /// The same connection, over something else: its deadlines run on.
    pub(crate) fn replace_io<U>(self, io: U) -> (Connection<P, S, U, C>, T) {
        let Self { inlet, outlet, line, reading } = self;
        let (mut line, io) = line.replace(io);
        line.watch.reading(true, 0, line.timer.now());
        (Connection { inlet, outlet, line, reading }, io)
    }

    /// Ready when a limit has been passed.
    pub(crate) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        self.line.poll_late(cx)
    }

    /// Writes what is in `first`, before all that waits.
    pub(crate) fn poll_flush_first(
        &mut self,
        cx: &mut Context<'_>,
        first: &mut Outlet<Grow>,
    ) -> Poll<Result<(), Error<P>>>
    where
        T: AsyncWrite + Unpin,
    {
        poll_flush(&mut self.line, first, cx)
    }
}

impl<P: Protocol<Error: 'static>, S: Storage, T, C: Timer> Connection<P, S, T, C> {
    /// Whether anything has been read, and not been taken as a message.
    pub(crate) fn has_begun(&self) -> bool {
        !self.inlet.unread().is_empty() || !self.decoder().pending().is_empty()
    }

    /// The first bytes that have been read, as many as there are and as `memory` holds.
    pub(crate) fn head<'m>(&self, memory: &'m mut [u8]) -> &'m [u8] {
        let read = self.decoder().pending().iter().chain(self.inlet.unread());
        let n = memory.iter_mut().zip(read).map(|(to, from)| *to = *from).count();
        memory.get(..n).unwrap_or_default()
    }

    /// What has been read and not been taken, for another protocol.
    pub(crate) fn take_unread(&mut self) -> Vec<u8> {
        self.reading.leased = false;
        self.inlet.take_unread(Lease::NONE)
    }

    /// Reads at most `most` bytes, behind what is unread. Ready with 0: the peer sends no more.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<usize, Error<P>>>
    where
        T: AsyncRead + Unpin,
    {
        if !self.reading.leased {
            self.reading.leased = self.inlet.replace(Lease::new(true)).is_ok();
        }
        let space = self.inlet.space();
        let most = most.min(space.len());
        match self.line.poll_read(cx, space.get_mut(..most).unwrap_or_default()) {
            Poll::Ready(Ok(n)) => {
                self.inlet.filled(n);
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(crate::Error::Io(error))),
            Poll::Pending => {
                self.reading.give_back(&mut self.inlet);
                let held = self.inlet.unread().len();
                self.line.watch.reading(false, held, self.line.timer.now());
                self.line.poll_late(cx).map(|late| Err(crate::Error::Late(late)))
            }
        }
    }
}

impl<S: Storage, T, C: Timer> Connection<Frontend, S, T, C> {
    /// An encryption request is answered, with what is unread behind it.
    pub(crate) fn answered(&mut self, response: EncryptionResponse) -> Result<(), Error<Frontend>> {
        let (frontend, rest) = self.inlet.protocol_and_unread();
        let answered: Result<(), pg::Error> = frontend.answered(response, rest);
        answered.map_err(feedrate::Error::Message).map_err(crate::Error::Protocol)
    }
}
