//! The two directions of a WebSocket, for two tasks: [`Reader`] and [`Writer`].
//!
//! The sending half is behind a lock, as both have something to send: the writer messages, the reader pongs and close
//! frames. Neither waits for the other to write: whoever finds the transport blocked leaves its waker, and all are
//! woken when it is not.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::mem::take;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use feedrate::Instant;
use feedrate_ws::{CloseCode, Event, Message, Piece, Ready, SendError, Whole};

use super::ends::{Ends, Joint};
use super::error::Error;
use super::half::{Half, What, poll_flush, poll_send};
use super::mode::Mode;
use super::socket::WebSocket;
use super::state::{Closed, Source, State};
use crate::limits::Late;
use crate::timer::Timer;
use crate::tokio::Clock;
use crate::tokio::line::Line;

/// The direction that comes in: [`WebSocket::split`]. It answers pings and does the closing handshake, so it has to be
/// read from as long as the WebSocket is open.
pub struct Reader<T, M = Whole, C = Clock> {
    source: Source<M>,
    state: State,
    ends: Apart<T, C>,
    protocol: Option<String>,
}

/// The direction that goes out: [`WebSocket::split`]. Clones are for more tasks that send.
pub struct Writer<T, C = Clock> {
    shared: Arc<Shared<T, C>>,
}

/// What both write to.
struct Shared<T, C> {
    joint: Mutex<Joint<WriteHalf<T>, C>>,
    wakers: Arc<Wakers>,
}

/// Who waits until more can be written.
#[derive(Default)]
struct Wakers {
    reader: Mutex<Option<Waker>>,
    writers: Mutex<Vec<Waker>>,
}

impl Wakers {
    fn wake_reader(&self) {
        let reader = lock(&self.reader).take();
        reader.into_iter().for_each(Waker::wake);
    }

    fn wake_writers(&self) {
        let writers = take(&mut *lock(&self.writers));
        writers.into_iter().for_each(Waker::wake);
    }

    fn enter(&self, waker: &Waker) {
        let mut writers = lock(&self.writers);
        if !writers.iter().any(|other| other.will_wake(waker)) {
            writers.push(waker.clone());
        }
    }

    fn leave(&self, waker: &Waker) {
        lock(&self.writers).retain(|other| !other.will_wake(waker));
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_reader();
        self.wake_writers();
    }
}

/// What is locked is in order even where somebody has panicked: nothing is half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T, M: Mode, C> WebSocket<T, M, C>
where
    T: AsyncRead + AsyncWrite,
    C: Timer + Clone,
{
    /// Takes the WebSocket apart into its two directions, for two tasks.
    ///
    /// ```
    /// use feedrate_io::ws::{self, CloseCode, WebSocket};
    /// # use tokio::net::TcpStream;
    ///
    /// # async fn run(ws: WebSocket<TcpStream>) -> Result<(), ws::Error> {
    /// let (mut reader, writer) = ws.split();
    /// let ticks = tokio::spawn(async move {
    ///     for tick in 0..10 {
    ///         writer.send(format!("tick {tick}").as_str()).await?;
    ///     }
    ///     writer.start_close(CloseCode::NORMAL, "");
    ///     Ok::<(), ws::Error>(())
    /// });
    /// while let Some(message) = reader.next().await? {
    ///     println!("{message:?}");
    /// }
    /// # drop(ticks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn split(self) -> (Reader<T, M, C>, Writer<T, C>) {
        let Self { source, state, ends: Joint { line, half }, protocol, .. } = self;
        let (reader, writer) = line.split();
        let joint = Mutex::new(Joint { line: writer, half });
        let shared = Arc::new(Shared { joint, wakers: Arc::default() });
        let ends = Apart { line: reader, shared: Arc::clone(&shared) };
        (Reader { source, state, ends, protocol }, Writer { shared })
    }
}

impl<T: AsyncRead + AsyncWrite, M: Mode, C: Timer> Reader<T, M, C> {
    /// As [`WebSocket::next`].
    ///
    /// # Errors
    ///
    /// As there.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<M::Data<'_>>, Error> {
        let Some(ready) = self.ready(false).await? else { return Ok(None) };
        let Self { source, state, ends, .. } = self;
        match source.take(ready, state.now, ends) {
            Ok(Some(Event::Message(message))) => return Ok(Some(message)),
            Ok(_) => return Ok(None),
            Err(violation) => state.fail(violation),
        }
        poll_fn(|cx| state.poll_last(cx, ends)).await.map(|()| None)
    }

    /// As [`WebSocket::event`].
    ///
    /// # Errors
    ///
    /// As there.
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

    async fn ready(&mut self, all: bool) -> Result<Option<Ready>, Error> {
        poll_fn(|cx| self.state.poll_ready(cx, &mut self.source, &mut self.ends, all)).await
    }
}

impl<T, M, C> Reader<T, M, C> {
    /// As [`WebSocket::protocol`].
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// As [`WebSocket::closed`].
    pub const fn closed(&self) -> Option<&Closed> {
        self.state.closed.as_ref()
    }

    /// As [`WebSocket::round_trip`].
    pub const fn round_trip(&self) -> Option<Duration> {
        self.state.pings.round_trip
    }
}

impl<T: AsyncWrite, C: Timer> Writer<T, C> {
    /// As [`WebSocket::send`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send<'a>(&self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        self.queue(What::Message(message.into())).await
    }

    /// As [`WebSocket::send_piece`]. A message in pieces belongs to one task: those of others have to wait until it has
    /// ended, and are refused meanwhile ([`SendError::Unfinished`]).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send_piece(&self, piece: Piece<'_>) -> Result<(), Error> {
        self.queue(What::Piece(piece)).await
    }

    /// As [`WebSocket::ping`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.queue(What::Ping(payload)).await
    }

    /// As [`WebSocket::flush`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn flush(&self) -> Result<(), Error> {
        poll_fn(|cx| self.poll(cx, poll_flush)).await
    }

    /// As [`WebSocket::push`]. The reader's task writes it, if nobody else does.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn push<'a>(&self, message: impl Into<Message<'a>>) -> Result<(), SendError> {
        lock(&self.shared.joint).half.push(message.into())?;
        self.shared.wakers.wake_reader();
        Ok(())
    }

    /// As [`WebSocket::start_close`]. The reader does the rest of the closing handshake.
    pub fn start_close(&self, code: CloseCode, reason: &str) {
        let mut joint = lock(&self.shared.joint);
        let now = joint.line.timer.now();
        let _ = joint.half.close(code, reason, now);
        drop(joint);
        self.shared.wakers.wake_reader();
        self.shared.wakers.wake_writers();
    }

    /// Bytes that wait to be written.
    pub fn queued(&self) -> usize {
        lock(&self.shared.joint).half.queued()
    }

    async fn queue(&self, what: What<'_>) -> Result<(), Error> {
        poll_fn(|cx| self.poll(cx, |line, half, cx| poll_send(line, half, what, false, cx))).await
    }

    fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Line<WriteHalf<T>, C>, &mut Half, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let wakers = &self.shared.wakers;
        // Before it is tried: who finds room meanwhile must find the waker.
        wakers.enter(cx.waker());
        let polled = self.shared.with(|line, half, cx| act(line, half, cx));
        if polled.is_ready() {
            wakers.leave(cx.waker());
        }
        polled
    }
}

impl<T, C> Clone for Writer<T, C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T, C> Shared<T, C> {
    /// Does something that wakes all who wait, when it can go on.
    fn with<R>(&self, act: impl FnOnce(&mut Line<WriteHalf<T>, C>, &mut Half, &mut Context<'_>) -> R) -> R {
        let waker = Waker::from(Arc::clone(&self.wakers));
        let mut joint = lock(&self.joint);
        let Joint { line, half } = &mut *joint;
        let before = half.queued();
        let done = act(line, half, &mut Context::from_waker(&waker));
        let room = half.queued() < before;
        drop(joint);
        if room {
            self.wakers.wake_writers();
        }
        done
    }
}

/// The reader's transport, and what it shares with the writer.
struct Apart<T, C> {
    line: Line<ReadHalf<T>, C>,
    shared: Arc<Shared<T, C>>,
}

impl<T: AsyncRead + AsyncWrite, C: Timer> Ends for Apart<T, C> {
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut reader = lock(&self.shared.wakers.reader);
        match &mut *reader {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        drop(reader);
        self.shared.with(|line, half, cx| line.poll_write(cx, half))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<()> {
        let _ = ready!(self.shared.with(|line, half, cx| line.poll_shutdown(cx, half)));
        Poll::Ready(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        self.line.poll_read_or_cut(cx, space)
    }

    fn ended(&self) -> bool {
        self.line.ended
    }

    fn failure(&mut self) -> io::Result<()> {
        lock(&self.shared.joint).line.failure()
    }

    fn half<R>(&mut self, act: impl FnOnce(&mut Half) -> R) -> R {
        act(&mut lock(&self.shared.joint).half)
    }

    fn rouse(&self) {
        self.shared.wakers.wake_writers();
    }

    fn now(&self) -> Instant {
        self.line.timer.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.line.timer.poll_until(cx, at)
    }

    fn reading(&mut self, ended: bool, held: usize, now: Instant) {
        self.line.watch.reading(ended, held, now);
    }

    fn deadline(&self) -> Option<Instant> {
        [self.line.watch.deadline(), self.write_deadline()].into_iter().flatten().min()
    }

    fn check(&self, now: Instant) -> Result<(), Late> {
        self.line.watch.check(now).and_then(|()| self.check_write(now))
    }

    fn write_deadline(&self) -> Option<Instant> {
        lock(&self.shared.joint).line.watch.write_deadline()
    }

    fn check_write(&self, now: Instant) -> Result<(), Late> {
        lock(&self.shared.joint).line.watch.check_write(now)
    }
}

impl<T, M, C> fmt::Debug for Reader<T, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("closed", &self.state.closed).finish_non_exhaustive()
    }
}

impl<T, C> fmt::Debug for Writer<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
