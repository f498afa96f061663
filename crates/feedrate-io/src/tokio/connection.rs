//! One connection: [`Connection`].

use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::{Buffer, Decoder, Encode, EncodeError, Grow, Protocol, Ready, Storage};

use super::Error;
use super::clock::Clock;
use super::lease::Lease;
use super::line::Line;
use super::outgoing::{Outgoing, poll_flush, poll_send, poll_shutdown};
use super::reading::Reading;
use crate::inlet::Inlet;
use crate::limits::Limits;
use crate::outlet::Outlet;
use crate::timer::Timer;

/// Messages in both directions over a transport `T`.
///
/// * What waits to be written is written whenever something is awaited, [`next`](Self::next) included, so that two
///   sides that talk at once do not wait for each other.
/// * When the peer sends no more, what waits is still written before `next` returns `None`.
/// * What cannot be written is not reported before the peer's last words have been read: a server says why it
///   leaves.
/// * A connection that waits holds no read buffer.
///
/// # Cancel safety
///
/// Every future can be dropped at any time, and nothing is lost or sent twice. Each method says what has happened by
/// then.
///
/// ```
/// use feedrate::pg::backend::{Message, ReadyForQuery, TransactionStatus};
/// use feedrate::pg::frontend::Query;
/// use feedrate::pg::{Backend, Frontend};
/// use feedrate::Grow;
/// use feedrate_io::Limits;
/// use feedrate_io::tokio::Connection;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // In place of a socket:
/// let (io, server) = tokio::io::duplex(64);
/// # let server = async move {
/// #     let mut server = Connection::new(server, Frontend::established(), Grow::new(1 << 20), Limits::new());
/// #     server.next().await.unwrap().unwrap();
/// #     server.push(&ReadyForQuery { status: TransactionStatus::Idle }).unwrap();
/// #     server.shutdown().await.unwrap();
/// # };
/// # let client = async move {
/// let mut pg = Connection::new(io, Backend::established(), Grow::new(1 << 20), Limits::new());
/// pg.established();
/// pg.push(&Query { sql: "select 1".into() })?;
/// while let Some(frame) = pg.next().await? {
///     match frame.message()? {
///         Message::DataRow(row) => println!("{} columns", row.columns.iter().count()),
///         Message::ReadyForQuery(_) => break,
///         _ => {}
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # };
/// # tokio::join!(client, server).0
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connection<P: Protocol, S, T, C = Clock> {
    pub(crate) inlet: Inlet<P, S, Lease>,
    pub(crate) outlet: Outlet<Grow>,
    pub(super) line: Line<T, C>,
    pub(super) reading: Reading,
}

/// What a connection consists of: [`Connection::into_parts`], [`Connection::from_parts`].
///
/// ```
/// use feedrate::{Buffer, Decoder, Grow, pg::Frontend};
/// use feedrate_io::Limits;
/// use feedrate_io::tokio::{Connection, Parts};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // A program that has read something before it knew what it was:
/// let (io, _client) = tokio::io::duplex(64);
/// let mut parts = Parts::new(io, Decoder::new(Frontend::established(), Grow::new(1 << 20)));
/// parts.unread = b"S\0\0\0\x04".to_vec();
/// let mut pg = Connection::from_parts(parts, Limits::new());
/// assert_eq!(pg.next().await?.unwrap().name(), "Sync");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub struct Parts<P: Protocol, S, T> {
    /// The transport.
    pub io: T,
    /// The decoder, with what it holds of a message that has not all arrived ([`Decoder::pending`]).
    pub decoder: Decoder<P, S>,
    /// What has been read and not been taken: after an upgrade, the first bytes of the other protocol.
    pub unread: Vec<u8>,
    /// What has been pushed and not been written.
    pub unsent: Vec<u8>,
}

impl<P: Protocol<Error: 'static>, S: Storage, T> Connection<P, S, T> {
    /// A connection that begins now. Its longest message is what `storage` holds.
    ///
    /// The handshake lasts until [`established`](Self::established) is called.
    pub fn new(io: T, protocol: P, storage: S, limits: Limits) -> Self {
        Self::with_timer(io, protocol, storage, limits, Clock::new())
    }

    /// Goes on from where another connection was. Its limits of time begin anew.
    pub fn from_parts(parts: Parts<P, S, T>, limits: Limits) -> Self {
        let Parts { io, decoder, unread, unsent } = parts;
        // What waits already may, and no more does than may.
        let mut outlet = Outlet::new(Grow::new(limits.queued.max(unsent.len())));
        outlet.secret(true);
        let _ = outlet.push_bytes(&unsent);
        let held = unread.len();
        let lease = if held > 0 { Lease::holding(unread, true) } else { Lease::NONE };
        let mut inlet = Inlet::from_parts(decoder, Buffer::new(lease));
        inlet.filled(held);
        let reading = Reading { ended: false, leased: held > 0 };
        Self { inlet, outlet, line: Line::new(io, limits, Clock::new()), reading }
    }
}

impl<P: Protocol, S, T> Parts<P, S, T> {
    /// Nothing has been read, and nothing waits.
    pub const fn new(io: T, decoder: Decoder<P, S>) -> Self {
        Self { io, decoder, unread: Vec::new(), unsent: Vec::new() }
    }
}

impl<P: Protocol<Error: 'static>, S: Storage, T, C: Timer> Connection<P, S, T, C> {
    /// As [`new`](Self::new), with a clock of the caller's.
    pub fn with_timer(io: T, protocol: P, storage: S, limits: Limits, timer: C) -> Self {
        let mut outlet = Outlet::new(Grow::new(limits.queued));
        outlet.secret(true);
        Self {
            inlet: Inlet::new(protocol, storage, Lease::NONE),
            outlet,
            line: Line::new(io, limits, timer),
            reading: Reading::default(),
        }
    }

    /// The handshake is over, and so is its limit of time. Memory that held passwords is wiped when it is given back.
    ///
    /// The decoder's storage, where a message that came in pieces was put together, is not wiped: it is the caller's.
    pub fn established(&mut self) {
        self.line.watch.established(self.line.timer.now());
        self.outlet.secret(false);
        // A buffer with something unread goes back later, and is wiped then.
        self.reading.give_back(&mut self.inlet);
    }

    /// The decoder's protocol, and what it holds.
    pub const fn decoder(&self) -> &Decoder<P, S> {
        self.inlet.decoder()
    }

    /// The protocol, to tell it between two messages what the bytes alone do not say.
    pub const fn protocol_mut(&mut self) -> &mut P {
        self.inlet.decoder_mut().protocol_mut()
    }

    /// The transport.
    pub const fn io(&self) -> &T {
        &self.line.io
    }

    /// Queues a message. It is written with whatever is awaited next.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`] where as much waits as may: [`flush`](Self::flush), or [`send`](Self::send). Others where
    /// it cannot be written at all. Nothing has been queued then.
    pub fn push(&mut self, message: &impl Encode) -> Result<(), EncodeError> {
        self.outlet.push(message).map(|_| ())
    }

    /// Queues bytes that are whole messages already: what a proxy forwards.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`]: nothing has been queued.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.outlet.push_bytes(bytes)
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.outlet.unsent().len()
    }

    /// The next message, if all of it has been read already. It never waits, and so costs least: for a loop that takes
    /// what is there, and awaits [`next`](Self::next) when nothing is.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`](crate::Error::Protocol).
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        self.reading.pull(&mut self.inlet)
    }

    /// Takes the connection apart, for a protocol that becomes another one in mid-stream.
    pub fn into_parts(self) -> Parts<P, S, T> {
        let (decoder, buffer) = self.inlet.into_parts();
        let (unread, unsent) = (buffer.unread().to_vec(), self.outlet.unsent().to_vec());
        Parts { io: self.line.io, decoder, unread, unsent }
    }
}

impl<P: Protocol<Error: 'static>, S: Storage, T: AsyncRead + AsyncWrite + Unpin, C: Timer>
    Connection<P, S, T, C>
{
    /// The next message, lent until something else is asked of the connection. `None`: the peer sends no more, and what
    /// waited has been written.
    ///
    /// Dropped: no message is lost, the next call finds it.
    ///
    /// # Errors
    ///
    /// [`crate::Error`]. After one that is not [over](crate::Error::is_over), the next message follows.
    // Not `Iterator::next`, which cannot lend: the name is what everybody expects of it.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        // Most messages are there: this is all that they cost.
        if let Some(ready) = self.inlet.glance() {
            return self.reading.take(ready, &mut self.inlet).map(Some);
        }
        let ready = poll_fn(|cx| self.poll_ready(cx)).await;
        Reading::finish(ready, &mut self.inlet)
    }

    /// As [`next`](Self::next), and with the message the sending half, to answer while it is lent.
    ///
    /// ```
    /// # use feedrate::{Grow, Protocol, Storage, pg::Frontend};
    /// # use feedrate_io::tokio::{Connection, Error};
    /// # use tokio::net::TcpStream;
    /// # async fn forward(
    /// #     client: &mut Connection<Frontend, Grow, TcpStream>,
    /// # ) -> Result<(), Error<Frontend>> {
    /// while let Some((frame, mut out)) = client.incoming().await? {
    ///     out.send(&frame).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    #[allow(clippy::type_complexity)]
    pub async fn incoming(&mut self) -> Result<Option<(P::Message<'_>, Outgoing<'_, P, T, C>)>, Error<P>> {
        let Some(ready) = poll_fn(|cx| self.poll_ready(cx)).await? else { return Ok(None) };
        let message = self.inlet.take(ready).map_err(crate::Error::Protocol)?;
        let outgoing = Outgoing { line: &mut self.line, outlet: &mut self.outlet, protocol: PhantomData };
        Ok(Some((message, outgoing)))
    }

    /// Queues a message as soon as there is room for it, and has the transport take what it takes at once.
    ///
    /// Dropped: the message has not been queued. (It is once this returns.)
    ///
    /// # Errors
    ///
    /// [`Error::Message`](crate::Error::Message), [`Error::Io`](crate::Error::Io), [`Error::Late`](crate::Error::Late).
    pub async fn send(&mut self, message: &impl Encode) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_send(&mut self.line, &mut self.outlet, message, cx)).await
    }

    /// Writes what waits.
    ///
    /// A peer that writes to us and does not read meanwhile is not heard: where both sides have much to say,
    /// [`next`](Self::next) does both. Dropped: the rest still waits.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Late`](crate::Error::Late).
    pub async fn flush(&mut self) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_flush(&mut self.line, &mut self.outlet, cx)).await
    }

    /// Writes what waits, and tells the peer that no more will come. What it sends can still be read.
    ///
    /// Dropped: call it again.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Late`](crate::Error::Late).
    pub async fn shutdown(&mut self) -> Result<(), Error<P>> {
        poll_fn(|cx| poll_shutdown(&mut self.line, &mut self.outlet, cx)).await
    }

    // Not inlined, so that what is there already costs a future of a few instructions.
    #[inline(never)]
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Ready>, Error<P>>> {
        let Self { inlet, outlet, line, reading } = self;
        reading.poll_ready(cx, line, inlet, |line, cx| {
            if line.poll_write(cx, outlet).is_ready() {
                return Poll::Ready(None);
            }
            if line.ended { line.poll_late_write(cx).map(Some) } else { Poll::Pending }
        })
    }
}

impl<P: Protocol, S, T, C> fmt::Debug for Connection<P, S, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("outlet", &self.outlet)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

impl<P: Protocol, S, T: fmt::Debug> fmt::Debug for Parts<P, S, T> {
    /// The bytes may be anybody's password, and are only counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unread, unsent) = (self.unread.len(), self.unsent.len());
        f.debug_struct("Parts")
            .field("io", &self.io)
            .field("unread", &unread)
            .field("unsent", &unsent)
            .finish_non_exhaustive()
    }
}
