//! One connection: [`WebSocket`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, ready};
use core::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::{Grow, Instant};
use feedrate_ws::frame::CONTROL;
use feedrate_ws::{
    CloseCode, Event, InPieces, Message, Piece, Ready, Receiver, Role, SendError, Sender, Whole,
};

use super::config::{ClientConfig, Common, Config};
use super::ends::{Ends, Joint};
use super::error::Error;
use super::half::{Half, What, poll_flush, poll_send};
use super::keys::{RandomKeys, next_key};
use super::mode::Mode;
use super::pings::Pings;
use super::state::{Closed, Intake, Source, State};
use crate::timer::Timer;
use crate::tokio::Clock;
use crate::tokio::line::{Line, Queue};

/// What is queued waits for what follows, but no longer than this.
const LAG: Duration = Duration::from_millis(1);

/// A WebSocket over a transport `T`. `M`: messages come out [`Whole`], or [`InPieces`].
///
/// * Pings are answered, a silent peer is pinged, and the closing handshake is done, while something is awaited.
/// * What waits to be written is written whenever something is awaited, [`incoming`](Self::incoming) included, so that
///   two sides that talk at once do not wait for each other.
/// * When the peer sends no more, what waits is still written.
/// * When the peer breaks a rule, the close frame that says so is written before the error is returned.
/// * A WebSocket that waits holds no read buffer.
///
/// # Cancel safety
///
/// Every method that is async can be dropped at any time, and nothing is lost or sent twice. Each says what has
/// happened by then.
pub struct WebSocket<T, M = Whole, C = Clock> {
    pub(super) source: Source<M>,
    pub(super) state: State,
    pub(super) ends: Joint<T, C>,
    pub(super) protocol: Option<String>,
    /// When something waited to be written for what follows, and was written.
    wrote: Instant,
}

/// What a WebSocket consists of: [`WebSocket::into_parts`].
#[non_exhaustive]
pub struct Parts<T> {
    /// The transport.
    pub io: T,
    /// What has been read and not been taken.
    pub unread: Vec<u8>,
    /// What has been queued and not been written.
    pub unsent: Vec<u8>,
}

/// What was agreed on in the handshake.
#[derive(Default)]
pub(super) struct Agreed {
    pub(super) protocol: Option<String>,
    #[cfg(feature = "ws-deflate")]
    pub(super) deflate: Option<feedrate_ws::deflate::Params>,
    /// A client cannot do without compression.
    #[cfg(feature = "ws-deflate")]
    pub(super) required: bool,
}

impl<T> WebSocket<T> {
    /// A server's side, where something else has shaken hands, such as a framework for HTTP. `unread`: what came behind
    /// the request.
    pub fn server(io: T, config: &Config, unread: &[u8]) -> Self {
        let line = Line::new(io, config.common.limits, Clock::new());
        Self::open(line, Role::Server, &config.common, Intake::of(unread), Agreed::default())
    }

    /// A client's side, where something else has shaken hands. `unread`: what came behind the answer.
    pub fn client(io: T, config: &ClientConfig, unread: &[u8]) -> Self {
        let line = Line::new(io, config.common.limits, Clock::new());
        Self::open(line, Role::Client, &config.common, Intake::of(unread), Agreed::default())
    }
}

impl<T, C: Timer> WebSocket<T, Whole, C> {
    pub(super) fn open(
        mut line: Line<T, C>,
        role: Role,
        common: &Common,
        intake: Intake,
        agreed: Agreed,
    ) -> Self {
        let now = line.timer.now();
        line.watch.established(now);
        // Headers and control frames come on top, so that a message may be as long as is said.
        let queued = common.limits.queued;
        let queue = Grow::new(queued.saturating_add(queued.div_ceil(64)).saturating_add(4096));
        let mut receiver = Receiver::new(role, Grow::new(common.longest.saturating_add(CONTROL)));
        if let Some(kind) = common.only {
            receiver = receiver.only(kind);
        }
        #[cfg(feature = "ws-deflate")]
        let receiver = receiver.deflate(agreed.deflate);
        let half = match role {
            Role::Server => {
                let sender = Sender::server(queue).patience(common.closing);
                #[cfg(feature = "ws-deflate")]
                let sender = sender.deflate(agreed.deflate);
                Half::Server(sender)
            }
            Role::Client => {
                let keys: RandomKeys = next_key;
                let sender = Sender::client(queue, keys).patience(common.closing);
                #[cfg(feature = "ws-deflate")]
                let sender = if agreed.required {
                    sender.require_deflate(agreed.deflate, now)
                } else {
                    sender.deflate(agreed.deflate)
                };
                Half::Client(sender)
            }
        };
        let pings = Pings::new(common.ping, common.pong, now);
        Self {
            source: Source { receiver, intake },
            state: State::new(pings, common.closing, now),
            ends: Joint { line, half },
            protocol: agreed.protocol,
            wrote: now,
        }
    }

    /// Hands out messages of up to `limit` bytes (`u64::MAX`: of any length) in the pieces in which they arrive, in
    /// constant memory. To be called before anything else.
    ///
    /// [`Limits::message`](crate::Limits::message) is then how long the next piece of a message that has begun may
    /// take.
    pub fn in_pieces(self, limit: u64) -> WebSocket<T, InPieces, C> {
        let Self { source: Source { receiver, intake }, state, ends, protocol, wrote } = self;
        let source = Source { receiver: receiver.in_pieces(limit), intake };
        WebSocket { source, state, ends, protocol, wrote }
    }
}

impl<T, M, C: Timer> WebSocket<T, M, C> {
    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// What the peer's close frame says, once it has come.
    pub const fn closed(&self) -> Option<&Closed> {
        self.state.closed.as_ref()
    }

    /// How long the last pong took. Pings are sent when nothing has come [for a while](Config::ping).
    pub const fn round_trip(&self) -> Option<Duration> {
        self.state.pings.round_trip
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.ends.half.queued()
    }

    /// The transport.
    pub const fn io(&self) -> &T {
        &self.ends.line.io
    }

    /// Queues a message. It is written with whatever is awaited next.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] where as much waits as may: [`flush`](Self::flush), or [`send`](Self::send). Others where it
    /// can never be sent. Nothing has been queued then.
    pub fn push<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), SendError> {
        self.ends.half.push(message.into())
    }

    /// Begins the closing handshake: the close frame is queued behind all that is queued, and nothing can be sent any
    /// more. [`incoming`](Self::incoming) returns what the peer still has to say, and then `None`. Does nothing if the
    /// handshake has begun.
    pub fn start_close(&mut self, code: CloseCode, reason: &str) {
        let now = self.ends.line.timer.now();
        // It is closing already, or there is no memory for a few bytes, and then nothing can be said.
        let _ = self.ends.half.close(code, reason, now);
    }

    /// Takes it apart, for a protocol that becomes another one in mid-stream.
    pub fn into_parts(mut self) -> Parts<T> {
        let unread = self.source.intake.buffer.unread().to_vec();
        let mut unsent = Vec::new();
        while !self.ends.half.unsent().is_empty() {
            unsent.extend_from_slice(self.ends.half.unsent());
            self.ends.half.sent(self.ends.half.unsent().len());
        }
        Parts { io: self.ends.line.io, unread, unsent }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, M: Mode, C: Timer> WebSocket<T, M, C> {
    /// The next message, lent until something else is asked of the WebSocket. `None`: the peer has closed it, has been
    /// answered, and is gone.
    ///
    /// Dropped: no message is lost, the next call finds it.
    ///
    /// # Errors
    ///
    /// [`Error`]. The WebSocket is over then, and the next call returns `None`.
    // Not `Iterator::next`, which cannot lend: the name is what everybody expects of it.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<M::Data<'_>>, Error> {
        Ok(self.incoming().await?.map(|(message, _)| message))
    }

    /// As [`next`](Self::next), and with the message the sending half, to answer while it is lent.
    ///
    /// ```
    /// use feedrate_io::ws::{self, Config, Origins};
    /// # use tokio::net::TcpStream;
    ///
    /// /// Sends back what it receives.
    /// async fn echo(socket: TcpStream) -> Result<(), ws::Error> {
    ///     let mut ws = ws::accept(socket, &Config::new(Origins::Any)).await?;
    ///     while let Some((message, mut out)) = ws.incoming().await? {
    ///         out.send(message).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    #[allow(clippy::type_complexity)]
    pub async fn incoming(&mut self) -> Result<Option<(M::Data<'_>, Outgoing<'_, T, C>)>, Error> {
        let Some(ready) = self.ready(false).await? else { return Ok(None) };
        let Self { source, state, ends, .. } = self;
        let more = source.intake.buffer.unread().len() > ready.in_buffer();
        match source.take(ready, state.now, ends) {
            Ok(Some(Event::Message(message))) => {
                let Joint { line, half } = ends;
                return Ok(Some((message, Outgoing { line, half, more })));
            }
            // It was ready, and it was a message.
            Ok(_) => return Ok(None),
            Err(violation) => state.fail(violation),
        }
        poll_fn(|cx| state.poll_last(cx, ends)).await.map(|()| None)
    }

    /// The next event: a message, and what others do not have to see, as it has been answered. After
    /// [`Event::Closed`] the next call does what is left of the closing handshake.
    ///
    /// Dropped: as [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn event(&mut self) -> Result<Option<Event<'_, M::Data<'_>>>, Error> {
        let Some(ready) = self.ready(true).await? else { return Ok(None) };
        let Self { source, state, ends, .. } = self;
        match source.take(ready, state.now, ends) {
            Ok(Some(event)) => {
                state.note(&event);
                return Ok(Some(event));
            }
            Ok(None) => return Ok(None),
            Err(violation) => state.fail(violation),
        }
        poll_fn(|cx| state.poll_last(cx, ends)).await.map(|()| None)
    }

    /// Queues a message as soon as there is room for it, and has the transport take what it takes at once. A long one
    /// is written from where it lies, as far as that is taken at once.
    ///
    /// Dropped: the message has not been queued. (It is once this returns.)
    ///
    /// # Errors
    ///
    /// [`Error::Send`], [`Error::Io`], [`Error::Late`].
    pub async fn send<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.queue(What::Message(message.into())).await
    }

    /// As [`send`](Self::send), a piece of a message: the first begins one, the one that says so ends it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_piece(&mut self, piece: Piece<'_>) -> Result<(), Error> {
        self.queue(What::Piece(piece)).await
    }

    /// Sends a ping, before all messages that wait. The pong is an [`event`](Self::event).
    ///
    /// Dropped: the ping has not been queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.queue(What::Ping(payload)).await
    }

    /// Writes what waits.
    ///
    /// A peer that writes to us and does not read meanwhile is not heard: where both sides have much to say,
    /// [`incoming`](Self::incoming) does both. Dropped: the rest still waits.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Late`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| poll_flush(&mut self.ends.line, &mut self.ends.half, cx)).await
    }

    /// Closes the WebSocket: says goodbye, waits for the answer and the end of the stream, and drops what else comes.
    /// It takes as long as [`Config::closing`] says at most.
    ///
    /// To read what the peer still has to say, [`start_close`](Self::start_close) instead. Dropped: call it again, or
    /// go on reading.
    ///
    /// # Errors
    ///
    /// [`Error`]: the peer has not said goodbye, and may not have got all that was sent.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.start_close(code, reason);
        poll_fn(|cx| {
            let Self { source, state, ends, .. } = self;
            loop {
                let Some(ready) = ready!(state.poll_ready(cx, source, ends, false))? else {
                    return Poll::Ready(Ok(()));
                };
                if let Err(violation) = source.take(ready, state.now, ends) {
                    state.fail(violation);
                }
            }
        })
        .await
    }

    async fn queue(&mut self, what: What<'_>) -> Result<(), Error> {
        poll_fn(|cx| poll_send(&mut self.ends.line, &mut self.ends.half, what, false, cx)).await
    }

    async fn ready(&mut self, all: bool) -> Result<Option<Ready>, Error> {
        poll_fn(|cx| {
            let Self { source, state, ends, wrote, .. } = self;
            if ends.half.queued() > 0 {
                // Answers to what came together go together, unless making them takes long.
                let now = ends.line.timer.now();
                if now.saturating_since(state.now.max(*wrote)) >= LAG {
                    *wrote = now;
                    let _ = ends.poll_write(cx);
                }
            }
            state.poll_ready(cx, source, ends, all)
        })
        .await
    }
}

/// The sending half of a WebSocket whose message is being looked at: see [`WebSocket::incoming`].
pub struct Outgoing<'a, T, C = Clock> {
    line: &'a mut Line<T, C>,
    half: &'a mut Half,
    /// More has arrived behind the message.
    more: bool,
}

impl<T: AsyncWrite + Unpin, C: Timer> Outgoing<'_, T, C> {
    /// As [`WebSocket::push`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn push<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), SendError> {
        self.half.push(message.into())
    }

    /// As [`WebSocket::send`]. Where more messages have arrived already, a short answer waits for theirs, so that they
    /// go in one write: [`flush`](Self::flush) it if the next takes long to make.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.queue(What::Message(message.into())).await
    }

    /// As [`WebSocket::send_piece`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send_piece(&mut self, piece: Piece<'_>) -> Result<(), Error> {
        self.queue(What::Piece(piece)).await
    }

    /// As [`WebSocket::flush`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| poll_flush(self.line, self.half, cx)).await
    }

    /// As [`WebSocket::start_close`].
    pub fn start_close(&mut self, code: CloseCode, reason: &str) {
        let now = self.line.timer.now();
        let _ = self.half.close(code, reason, now);
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        self.half.queued()
    }

    async fn queue(&mut self, what: What<'_>) -> Result<(), Error> {
        poll_fn(|cx| poll_send(self.line, self.half, what, self.more, cx)).await
    }
}

impl<T, M, C> fmt::Debug for WebSocket<T, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("queued", &self.ends.half.queued())
            .field("closed", &self.state.closed)
            .finish_non_exhaustive()
    }
}

impl<T, C> fmt::Debug for Outgoing<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("queued", &self.half.queued()).finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Parts<T> {
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
