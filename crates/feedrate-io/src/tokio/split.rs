//! The two directions of a connection, for two tasks: [`Reader`] and [`Writer`].

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use feedrate::{Encode, EncodeError, Grow, Protocol, Ready, Storage};

use super::Error;
use super::clock::Clock;
use super::connection::Connection;
use super::lease::Lease;
use super::line::Line;
use super::outgoing::{poll_flush, poll_send, poll_shutdown};
use super::reading::Reading;
use crate::inlet::Inlet;
use crate::outlet::Outlet;
use crate::timer::Timer;

/// The direction that comes in: [`Connection::split`].
pub struct Reader<P: Protocol, S, T, C = Clock> {
    inlet: Inlet<P, S, Lease>,
    line: Line<ReadHalf<T>, C>,
    reading: Reading,
}

/// The direction that goes out: [`Connection::split`]. What has been pushed is written when
/// [`flush`](Self::flush), [`send`](Self::send) or [`shutdown`](Self::shutdown) is awaited.
pub struct Writer<P, T, C = Clock> {
    outlet: Outlet<Grow>,
    line: Line<WriteHalf<T>, C>,
    protocol: PhantomData<fn() -> P>,
}

impl<P, S, T, C> Connection<P, S, T, C>
where
    P: Protocol<Error: 'static>,
    S: Storage,
    T: AsyncRead + AsyncWrite,
    C: Timer + Clone,
{
    /// Takes the connection apart into its two directions, for two tasks. Each keeps its own limits of time.
    #[allow(clippy::type_complexity)]
    pub fn split(self) -> (Reader<P, S, T, C>, Writer<P, T, C>) {
        let Self { inlet, outlet, line, reading } = self;
        let (reader, writer) = line.split();
        (Reader { inlet, line: reader, reading }, Writer { outlet, line: writer, protocol: PhantomData })
    }
}

impl<P: Protocol<Error: 'static>, S: Storage, T: AsyncRead, C: Timer> Reader<P, S, T, C> {
    /// As [`Connection::next`]; nothing is written meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Connection::next`].
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        // Most messages are there: this is all that they cost.
        if let Some(ready) = self.inlet.glance() {
            return self.inlet.take(ready).map(Some).map_err(crate::Error::Protocol);
        }
        let ready = poll_fn(|cx| self.poll_ready(cx)).await;
        Reading::finish(ready, &mut self.inlet)
    }

    /// As [`Connection::try_next`].
    ///
    /// # Errors
    ///
    /// As [`Connection::try_next`].
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        self.reading.pull(&mut self.inlet)
    }

    /// The protocol, to tell it between two messages what the bytes alone do not say.
    pub const fn protocol_mut(&mut self) -> &mut P {
        self.inlet.decoder_mut().protocol_mut()
    }

    // Not inlined, so that what is there already costs a future of a few instructions.
    #[inline(never)]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Ready>, Error<P>>> {
        let Self { inlet, line, reading } = self;
        reading.poll_ready(cx, line, inlet, |_, _| Poll::Ready(None))
    }
}

impl<P: Protocol<Error: 'static>, T: AsyncWrite, C: Timer> Writer<P, T, C> {
    /// As [`Connection::push`].
    ///
    /// # Errors
    ///
    /// As [`Connection::push`].
    pub fn push(&mut self, message: &impl Encode) -> Result<(), EncodeError> {
        self.outlet.push(message).map(|_| ())
    }

    /// As [`Connection::push_bytes`].
    ///
    /// # Errors
    ///
    /// As [`Connection::push_bytes`].
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.outlet.push_bytes(bytes)
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.outlet.unsent().len()
    }

    /// As [`Connection::send`].
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub async fn send(&mut self, message: &impl Encode) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_send(&mut self.line, &mut self.outlet, message, cx)).await
    }

    /// As [`Connection::flush`].
    ///
    /// # Errors
    ///
    /// As [`Connection::flush`].
    pub async fn flush(&mut self) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_flush(&mut self.line, &mut self.outlet, cx)).await
    }

    /// As [`Connection::shutdown`].
    ///
    /// # Errors
    ///
    /// As [`Connection::shutdown`].
    pub async fn shutdown(&mut self) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_shutdown(&mut self.line, &mut self.outlet, cx)).await
    }
}

impl<P: Protocol, S, T, C> fmt::Debug for Reader<P, S, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("reading", &self.reading).finish_non_exhaustive()
    }
}

impl<P, T, C> fmt::Debug for Writer<P, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("outlet", &self.outlet).finish_non_exhaustive()
    }
}
