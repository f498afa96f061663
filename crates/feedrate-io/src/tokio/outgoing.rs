//! The sending half, while a message is lent: [`Outgoing`].

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use ::tokio::io::AsyncWrite;
use feedrate::{Encode, EncodeError, Grow, Protocol};

use super::Error;
use super::clock::Clock;
use super::line::{Line, Queue};
use crate::outlet::Outlet;
use crate::timer::Timer;

/// The sending half of a connection whose message is being looked at: see
/// [`Connection::incoming`](super::Connection::incoming).
pub struct Outgoing<'a, P, T, C = Clock> {
    pub(super) line: &'a mut Line<T, C>,
    pub(super) outlet: &'a mut Outlet<Grow>,
    pub(super) protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol<Error: 'static>, T: AsyncWrite + Unpin, C: Timer> Outgoing<'_, P, T, C> {
    /// As [`Connection::push`](super::Connection::push).
    ///
    /// # Errors
    ///
    /// [`EncodeError`]: nothing has been queued then.
    pub fn push(&mut self, message: &impl Encode) -> Result<(), EncodeError> {
        self.outlet.push(message).map(|_| ())
    }

    /// As [`Connection::send`](super::Connection::send).
    ///
    /// # Errors
    ///
    /// As [`Connection::send`](super::Connection::send).
    pub async fn send(&mut self, message: &impl Encode) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_send(self.line, self.outlet, message, cx)).await
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.outlet.unsent().len()
    }
}

impl<P, T, C> fmt::Debug for Outgoing<'_, P, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("outlet", &self.outlet).finish_non_exhaustive()
    }
}

/// Ready when the message has been queued, and nothing has happened to it before.
pub(super) fn poll_send<E, T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    outlet: &mut Outlet<Grow>,
    message: &impl Encode,
    cx: &mut Context<'_>,
) -> Poll<Result<(), crate::Error<E, std::io::Error>>>
where
    E: core::error::Error + 'static,
{
    line.over().map_err(crate::Error::Io)?;
    loop {
        match outlet.push(message) {
            Ok(_) => {
                // What the transport takes at once it gets at once; the rest goes with the next call.
                let _ = line.poll_write(cx, outlet);
                return Poll::Ready(Ok(()));
            }
            Err(EncodeError::Full) if !outlet.unsent().is_empty() => {}
            Err(error) => return Poll::Ready(Err(crate::Error::Message(error))),
        }
        let before = outlet.unsent().len();
        if line.poll_write(cx, outlet).is_ready() {
            line.refusal().map_err(crate::Error::Io)?;
        } else if outlet.unsent().len() == before {
            return line.poll_late_write(cx).map(|late| Err(crate::Error::Late(late)));
        }
    }
}

/// Ready when all of `bytes` has been queued or written.
pub(super) fn poll_forward<E, T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    outlet: &mut Outlet<Grow>,
    bytes: &mut &[u8],
    cx: &mut Context<'_>,
) -> Poll<Result<(), crate::Error<E, std::io::Error>>>
where
    E: core::error::Error + 'static,
{
    line.over().map_err(crate::Error::Io)?;
    if outlet.push_bytes(bytes).is_ok() {
        *bytes = &[];
        return Poll::Ready(Ok(()));
    }
    match line.poll_write(cx, &mut Behind { outlet, bytes }) {
        Poll::Ready(()) => Poll::Ready(line.refusal().map_err(crate::Error::Io)),
        Poll::Pending => line.poll_late_write(cx).map(|late| Err(crate::Error::Late(late))),
    }
}

/// Bytes behind what waits in the queue.
struct Behind<'q, 'b, 'a> {
    outlet: &'q mut Outlet<Grow>,
    bytes: &'b mut &'a [u8],
}

impl Queue for Behind<'_, '_, '_> {
    fn unsent(&self) -> &[u8] {
        if self.outlet.unsent().is_empty() { self.bytes } else { self.outlet.unsent() }
    }

    fn sent(&mut self, n: usize) {
        if self.outlet.unsent().is_empty() {
            *self.bytes = self.bytes.get(n..).unwrap_or_default();
        } else {
            self.outlet.sent(n);
        }
    }

    fn clear(&mut self) {
        self.outlet.clear();
        *self.bytes = &[];
    }
}

/// Ready when all has been written.
pub(super) fn poll_flush<E, T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    outlet: &mut Outlet<Grow>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), crate::Error<E, std::io::Error>>>
where
    E: core::error::Error + 'static,
{
    match line.poll_write(cx, outlet) {
        Poll::Ready(()) => Poll::Ready(line.refusal().map_err(crate::Error::Io)),
        Poll::Pending => line.poll_late_write(cx).map(|late| Err(crate::Error::Late(late))),
    }
}

/// Ready when all has been written, and the peer knows that no more will come.
pub(super) fn poll_shutdown<E, T: AsyncWrite + Unpin, C: Timer>(
    line: &mut Line<T, C>,
    outlet: &mut Outlet<Grow>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), crate::Error<E, std::io::Error>>>
where
    E: core::error::Error + 'static,
{
    match line.poll_shutdown(cx, outlet) {
        Poll::Ready(done) => Poll::Ready(done.map_err(crate::Error::Io)),
        Poll::Pending => line.poll_late_write(cx).map(|late| Err(crate::Error::Late(late))),
    }
}
