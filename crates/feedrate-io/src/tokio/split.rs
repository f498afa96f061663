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
use super::outgoing::{poll_flush, poll_forward, poll_send, poll_shutdown};
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
            return self.reading.take(ready, &mut self.inlet).map(Some);
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

    /// Whether all of the next message has been read already, so that [`next`](Self::next) does not wait: what comes
    /// together can go on together.
    ///
    /// ```
    /// # use feedrate::{Grow, pg::{Backend, Frontend}};
    /// # use feedrate_io::tokio::{Reader, Writer};
    /// # use tokio::net::TcpStream;
    /// /// One direction of a proxy. Where the receiver is slow, the sender has to wait.
    /// async fn forward(
    ///     mut from: Reader<Backend, Grow, TcpStream>,
    ///     mut to: Writer<Frontend, TcpStream>,
    /// ) -> Result<(), Box<dyn std::error::Error>> {
    ///     loop {
    ///         if !from.has_message()? {
    ///             to.flush().await?;
    ///         }
    ///         let Some(frame) = from.next().await? else { break };
    ///         to.forward(&mut frame.raw()).await?;
    ///     }
    ///     Ok(to.shutdown().await?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Connection::try_next`].
    pub fn has_message(&mut self) -> Result<bool, Error<P>> {
        self.inlet.ready().map(|ready| ready.is_some()).map_err(crate::Error::Protocol)
    }

    /// The first byte of the next message, which stays where it is: for whoever has to know what comes before it is
    /// decoded. `None`: the peer sends no more.
    ///
    /// Dropped: nothing is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Late`](crate::Error::Late).
    pub async fn peek(&mut self) -> Result<Option<u8>, Error<P>> {
        poll_fn(|cx| self.poll_peek(cx)).await
    }

    fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u8>, Error<P>>> {
        loop {
            let first = self.inlet.decoder().pending().first().or(self.inlet.unread().first()).copied();
            if first.is_some() || self.line.ended {
                return Poll::Ready(Ok(first));
            }
            match self.reading.poll_read(cx, &mut self.line, &mut self.inlet) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(crate::Error::Io(error))),
                Poll::Pending => return self.line.poll_late(cx).map(|late| Err(crate::Error::Late(late))),
            }
        }
    }

    /// The protocol, to tell it between two messages what the bytes alone do not say.
    pub const fn protocol_mut(&mut self) -> &mut P {
        self.inlet.decoder_mut().protocol_mut()
    }

    /// As [`Connection::established`], for this direction.
    pub fn established(&mut self) {
        self.line.watch.established(self.line.timer.now());
        self.reading.give_back(&mut self.inlet);
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

    /// Sends bytes that are whole messages already, however long: what a proxy forwards. What has room in the queue is
    /// queued, and goes with what comes next; what has not is written from where it lies, without being copied.
    ///
    /// Dropped: `bytes` is what has been neither queued nor written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Late`](crate::Error::Late).
    pub async fn forward(&mut self, bytes: &mut &[u8]) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_forward(&mut self.line, &mut self.outlet, bytes, cx)).await
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.outlet.unsent().len()
    }

    /// As [`Connection::established`], for this direction.
    pub fn established(&mut self) {
        self.line.watch.established(self.line.timer.now());
        self.outlet.secret(false);
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
