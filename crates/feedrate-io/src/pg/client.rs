//! A session over a transport: [`Client`].

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::pg::Backend;
use feedrate::pg::backend::TransactionStatus;
use feedrate::pg::frontend::{CancelRequest, Terminate};
use feedrate::{Encode, EncodeError, Grow, Ready};
use feedrate_pg::client::{self, Event, Request, SendError};
use feedrate_pg::queue::Slot;

use super::cancel::Canceller;
use super::error::Error;
use super::reach::Reach;
use crate::limits::Limits;
use crate::tokio::Connection;

/// A client's session, over a transport `T`.
///
/// [`push`](Self::push) queues requests, [`next`](Self::next) returns what comes, and writes meanwhile. So any number
/// of requests can be on their way: where there is no room for another one, call `next`, and then `push` it again.
///
/// # Cancel safety
///
/// Every future can be dropped at any time, and nothing is lost or sent twice.
pub struct Client<T> {
    connection: Connection<Backend, Grow, T>,
    session: client::Client<Vec<Slot>>,
    /// The way to the server, if it is known.
    reach: Option<Box<(Reach, Limits)>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    /// Over a connection whose authentication is over. At most `requests` of them wait for their responses, repeats not
    /// counted.
    pub fn new(connection: Connection<Backend, Grow, T>, requests: usize) -> Self {
        Self { connection, session: client::Client::new(vec![Slot::EMPTY; requests]), reach: None }
    }

    /// The login is over, and so is its limit of time.
    pub(super) fn established(&mut self) {
        self.connection.established();
    }

    pub(super) fn reached_by(mut self, reach: Reach, limits: Limits) -> Self {
        self.reach = Some(Box::new((reach, limits)));
        self
    }

    /// Queues a request, and returns its number: the events that answer it carry it. It is written with whatever is
    /// awaited next.
    ///
    /// # Errors
    ///
    /// [`SendError`]. If that is [full](is_full), [`next`](Self::next) and [`room`](Self::room) make room.
    pub fn push(&mut self, request: &impl Request) -> Result<u64, SendError> {
        let Self { connection, session, .. } = self;
        let sent = session.send(request, &mut connection.outlet.output());
        if !matches!(sent, Err(SendError::Encode(EncodeError::Full))) {
            return sent;
        }
        // What has been written takes room as long as something waits behind it.
        connection.outlet.drop_sent();
        session.send(request, &mut connection.outlet.output())
    }

    /// The next event: a message, and the request that it answers. `None`: the server has ended the session.
    ///
    /// Dropped: nothing is lost, the next call returns it.
    ///
    /// # Errors
    ///
    /// [`Error`]. After one that is not [over](Error::is_over) the session goes on.
    // Not `Iterator::next`, which cannot lend: the name is what everybody expects of it.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        let Some(ready) = poll_fn(|cx| self.poll_shown(cx)).await? else { return Ok(None) };
        let frame = self.connection.inlet.take(ready).map_err(crate::Error::Protocol)?;
        Ok(self.session.receive(&frame)?)
    }

    /// Receives what is not to be shown, up to a message that is.
    fn poll_shown(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Ready>, Error>> {
        let Self { connection, session, .. } = self;
        loop {
            // Where there is no room for it yet, there will be.
            let _ = session.transmit(&mut connection.outlet.output());
            let Some(ready) = ready!(connection.poll_ready(cx))? else { return Poll::Ready(Ok(None)) };
            let tag = connection.inlet.peek(&ready).first().copied().unwrap_or_default();
            if session.shows(tag) {
                return Poll::Ready(Ok(Some(ready)));
            }
            let frame = connection.inlet.take(ready).map_err(crate::Error::Protocol)?;
            session.receive(&frame)?;
        }
    }

    /// Writes what waits.
    ///
    /// A server that writes much and reads nothing meanwhile is not heard: [`next`](Self::next) does both. Dropped: the
    /// rest still waits.
    ///
    /// # Errors
    ///
    /// As [`Connection::flush`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        Ok(self.connection.flush().await?)
    }

    /// Waits until there is room for more requests or data, or an event: whether there is one. Where
    /// [`push`](Self::push) was refused for want of room.
    ///
    /// Dropped: nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn room(&mut self) -> Result<bool, Error> {
        poll_fn(|cx| match self.poll_shown(cx) {
            // It is not taken, and so it is found again. The end of the session is an event too.
            Poll::Ready(shown) => Poll::Ready(shown.map(|_| true)),
            Poll::Pending if self.has_room() => Poll::Ready(Ok(false)),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn has_room(&self) -> bool {
        self.connection.queued() == 0 && self.session.owed().has_room(2) && !self.session.is_abandoning()
    }

    /// Gives up everything that has been sent: nothing of it is shown any more, and an open COPY is ended. New
    /// requests can be sent when all of it has ended, for which [`room`](Self::room) waits. See
    /// [`client::Client::abandon`].
    pub fn abandon(&mut self) {
        self.session.abandon();
    }

    /// Ends the session: Terminate, and the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`Connection::shutdown`].
    pub async fn close(mut self) -> Result<(), Error> {
        // A session that is over needs none, and one without room for it ends without.
        let _ = self.push(&Terminate);
        Ok(self.connection.shutdown().await?)
    }

    /// The transaction's status, by the last ReadyForQuery.
    pub const fn transaction_status(&self) -> TransactionStatus {
        self.session.transaction_status()
    }

    /// Whether everything that was sent has been answered.
    pub const fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    /// The CancelRequest for this session.
    pub fn cancel_request(&self) -> Option<CancelRequest<'_>> {
        self.session.cancel_request()
    }

    /// What cancels this session from outside of it. `None` if the server sent no key, or the session was not
    /// [connected to](super::Connector) but made of a connection.
    pub fn canceller(&self) -> Option<Canceller> {
        let (reach, limits) = self.reach.as_deref()?;
        let mut request = Vec::new();
        self.cancel_request()?.encode(&mut request).ok()?;
        Some(Canceller { reach: reach.clone(), request, limits: *limits })
    }

    /// The state of the session.
    pub const fn session(&self) -> &client::Client<Vec<Slot>> {
        &self.session
    }

    /// The connection.
    pub const fn connection(&self) -> &Connection<Backend, Grow, T> {
        &self.connection
    }
}

/// Whether a request was refused only for now: it can be sent when more has been received.
pub const fn is_full(error: &SendError) -> bool {
    matches!(error, SendError::Full(_) | SendError::Encode(EncodeError::Full) | SendError::Abandoned)
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", &self.connection)
            .field("session", &self.session)
            .finish()
    }
}
