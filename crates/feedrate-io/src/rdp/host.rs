//! The tool's end: [`Connection`].

use alloc::boxed::Box;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Instant;
use feedrate::rdp::frame;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::host::command::{Command, Ticket};
use feedrate_rdp::host::{Closed, Device, Event, Host, HostConfig, Ready, TokenTooLong};
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, Seal, SendError, SessionState};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::{Stream, StreamError};

use super::lanes::{Lanes, Side};
use crate::timer::Timer;
use crate::tokio::Clock;

/// How long the peer may take to read what it was told last.
const LINGER: Duration = Duration::from_millis(100);
/// A deadline that has passed, and cannot be met before a line is free, is looked at again after this time.
const AGAIN: Duration = Duration::from_millis(1);

/// A session with an agent, over a transport `T`: a byte stream, or a serial lane with perhaps another one beside it.
///
/// * What happens comes out of [`next`](Self::next), one event at a time, and is lent until something else is asked of
///   the connection.
/// * Heartbeats are answered while something is awaited, and only then: await it in the loop that acts for the
///   operator.
/// * A peer that is silent is noticed within the agent's loss time, one that takes nothing of what it is sent within
///   5 s.
///
/// # Cancel safety
///
/// Every method that is async can be dropped at any time, and no event is lost. Each says what has happened by then.
///
/// ```
/// # use feedrate::rdp::frame::{Fingerprint, GetStatus, RunState};
/// # use feedrate_io::rdp::agent::Server;
/// # use feedrate_rdp::{agent::AgentConfig, arch::CortexM, authority::{Claim, Grant}, target::{Refusal, Target}};
/// # struct Servo;
/// # impl Target for Servo {
/// #     type Arch = CortexM;
/// #     fn fingerprint(&self) -> Fingerprint { *b"servo 7, fw 1.02" }
/// #     fn is_stopped(&self) -> bool { false }
/// #     fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> { Err(Refusal::WrongState) }
/// #     fn recover(&mut self) -> Result<(), Refusal> { Ok(()) }
/// # }
/// # fn authority(_: &Claim<'_>) -> Result<Grant, u32> {
/// #     Ok(Grant::new(*b"maria\0\0\0", feedrate::rdp::frame::Domains::ALL, std::time::Duration::from_secs(60)))
/// # }
/// use feedrate_io::rdp::host::Connection;
/// use feedrate_rdp::host::HostConfig;
/// use feedrate_rdp::session::Checksum;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // In place of a socket:
/// let (io, servo) = tokio::io::duplex(64);
/// # let config = AgentConfig::new(*b"boot no. 815", 815, "servo");
/// # let mut server = Server::<CortexM, _, _>::stream(config, authority, Checksum::new());
/// # server.connect(servo).unwrap();
/// # let serve = async { loop { server.wait().await; server.run(&mut Servo); } };
/// # let debug = async {
/// let mut rdp = Connection::stream(io, HostConfig::new(), Checksum::new(), b"my token")?;
/// rdp.active(|_| {}).await?;
/// let run = rdp.ask(&GetStatus, |status| status.run, |event| println!("{event:?}")).await??;
/// assert_eq!(run, RunState::Running);
/// rdp.close(|_| {}).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # };
/// # tokio::select! { done = debug => done, () = serve => Ok(()) }
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connection<T, Z = Checksum> {
    host: Either<Z>,
    lanes: Lanes<T>,
    timer: Clock,
    closed: Option<Closed>,
}

/// What came of looking once.
enum Step {
    Event(Ready),
    /// Something was read or written, or is due.
    Moved,
    Over,
}

/// Why there is no session, or a command is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
    /// The command cannot be sent, now or ever.
    #[error("{0}")]
    Send(#[source] SendError),
}

/// Why a session cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The token is too long.
    #[error(transparent)]
    Token(#[from] TokenTooLong),
    /// The system has no random numbers.
    #[error("there are no random numbers: {0}")]
    Random(io::Error),
}

/// The host on either kind of line: both do the same, through different calls.
enum Either<Z> {
    Stream(Box<Host<Stream<Desk>, Z>>),
    Serial(Box<Host<Link<Desk>, Z>>),
}

macro_rules! either {
    ($either:expr, $host:ident => $what:expr) => {
        match $either {
            Either::Stream($host) => $what,
            Either::Serial($host) => $what,
        }
    };
}

impl<Z: Seal> Side for Either<Z> {
    fn feed(&mut self, lane: LaneId, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        match self {
            Self::Stream(host) => host.feed(input, now),
            Self::Serial(host) => {
                host.feed(lane, input, now);
                *input = &[];
                Ok(())
            }
        }
    }

    fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        match self {
            Self::Stream(host) => host.poll_transmit(out),
            Self::Serial(host) => host.poll_transmit(lane, out, now),
        }
    }

    fn disconnect(&mut self, lane: LaneId, now: Instant) {
        match self {
            Self::Stream(host) => host.disconnect(),
            Self::Serial(host) => host.disconnect(lane, now),
        }
    }

    fn is_finished(&self) -> bool {
        match self {
            Self::Stream(host) => host.is_finished(),
            // What is last tells the agent that the session is over.
            Self::Serial(host) => host.state() == SessionState::Closed,
        }
    }
}

impl<T, Z: Seal> Connection<T, Z>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// Begins a session on a byte stream: TCP, a WebSocket's bytes.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn stream(io: T, config: HostConfig, seal: Z, token: &[u8]) -> Result<Self, OpenError> {
        let timer = Clock::new();
        let mut host = Box::new(Host::new(config, Stream::host(), seal));
        host.connect(token, random()?, timer.now())?;
        Ok(Self::new(Either::Stream(host), [Some(io), None], timer))
    }

    /// Begins a session on a serial line, perhaps with a bulk lane beside it.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn serial(
        signal: T,
        bulk: Option<T>,
        config: HostConfig,
        seal: Z,
        token: &[u8],
    ) -> Result<Self, OpenError> {
        let timer = Clock::new();
        let line = Link::host(Lane::UART, bulk.is_some().then_some(Lane::SPI));
        let mut host = Box::new(Host::new(config, line, seal));
        host.connect(token, u32::from_ne_bytes(random()?), random()?, timer.now())?;
        Ok(Self::new(Either::Serial(host), [Some(signal), bulk], timer))
    }

    fn new(host: Either<Z>, transports: [Option<T>; 2], timer: Clock) -> Self {
        let mut lanes = Lanes::new(LINGER);
        for (id, io) in [LaneId::Signal, LaneId::Bulk].into_iter().zip(transports) {
            if let Some(io) = io {
                lanes.put(id, io);
            }
        }
        Self { host, lanes, timer, closed: None }
    }

    /// Sends a command. It is written with whatever is awaited next, and its answer is an
    /// [`Event::Answer`] that the ticket recognises.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] and [`SendError::Credit`]: await [`next`](Self::next) first. Others: it cannot be sent.
    pub fn request<C: Command>(&mut self, command: &C) -> Result<Ticket<C>, SendError> {
        either!(&mut self.host, host => host.request(command, self.timer.now()))
    }

    /// Begins to end the session. [`Event::Closed`] follows. Commands that have no answer by then have none at all.
    pub fn end(&mut self) {
        either!(&mut self.host, host => host.end(self.timer.now()));
    }

    /// The next event. `None`: the session is over, what was to be said has been written, and the transports have been
    /// dropped.
    ///
    /// Dropped: no event is lost, the next call finds it.
    // Not `Iterator::next`, which cannot lend: the name is what everybody expects of it.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Option<Event<'_>> {
        let ready = poll_fn(|cx| self.poll_ready(cx)).await?;
        either!(&mut self.host, host => host.take(ready))
    }

    /// Waits until commands can be sent. Every event that happens meanwhile is shown to `seen`, the state of the
    /// machine among them ([`Event::State`]).
    ///
    /// Dropped: call it again.
    ///
    /// # Errors
    ///
    /// Why there is no session.
    pub async fn active(&mut self, mut seen: impl FnMut(&Event<'_>)) -> Result<(), Error> {
        loop {
            self.check()?;
            let Some(event) = self.next().await else { continue };
            seen(&event);
            if matches!(event, Event::Active) {
                return Ok(());
            }
        }
    }

    /// Sends a command as soon as it can be, and waits for its answer. `read` takes from it what is wanted. Every event
    /// that happens meanwhile is shown to `seen`, the answer among them. The outer result is about the session, the
    /// inner one about the command.
    ///
    /// Dropped: the command has been sent, or not. If it has, its answer comes out of what is awaited next, as an
    /// [`Event::Answer`].
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn ask<C: Command, R>(
        &mut self,
        command: &C,
        mut read: impl FnMut(C::Answer<'_>) -> R,
        mut seen: impl FnMut(&Event<'_>),
    ) -> Result<Result<R, frame::Error>, Error> {
        let ticket = loop {
            self.check()?;
            match self.request(command) {
                Ok(ticket) => break ticket,
                // Soon it can be: when an answer has come, or something has left. Or the session is over.
                Err(SendError::Full | SendError::Credit | SendError::NotActive) => {
                    self.turn(&mut seen).await;
                }
                Err(error) => return Err(Error::Send(error)),
            }
        };
        loop {
            self.check()?;
            let Some(event) = self.next().await else { continue };
            seen(&event);
            if let Event::Answer(answer) = &event {
                if let Some(result) = ticket.read(answer) {
                    return Ok(result.map(&mut read));
                }
            }
        }
    }

    /// Ends the session, and returns why it ended: that is the reason which came first. Every event that still happens
    /// is shown to `seen`.
    ///
    /// Dropped: call it again.
    pub async fn close(&mut self, mut seen: impl FnMut(&Event<'_>)) -> Closed {
        self.end();
        loop {
            if let Some(event) = self.next().await {
                seen(&event);
            } else if let Some(why) = self.closed {
                return why;
            }
        }
    }

    /// Why the session is over, if it is.
    pub const fn closed(&self) -> Option<Closed> {
        self.closed
    }

    /// What Welcome stated about the device, once it has arrived.
    pub fn device(&self) -> Option<&Device> {
        either!(&self.host, host => host.device())
    }

    /// The state of the session.
    pub fn state(&self) -> SessionState {
        either!(&self.host, host => host.state())
    }

    /// Goes on by one step: there may be room for a command then.
    async fn turn(&mut self, seen: &mut impl FnMut(&Event<'_>)) {
        if let Step::Event(ready) = poll_fn(|cx| self.poll_step(cx)).await {
            if let Some(event) = either!(&mut self.host, host => host.take(ready)) {
                seen(&event);
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.closed.map_or(Ok(()), |why| Err(Error::Closed(why)))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ready>> {
        loop {
            match core::task::ready!(self.poll_step(cx)) {
                Step::Event(ready) => return Poll::Ready(Some(ready)),
                Step::Over => return Poll::Ready(None),
                Step::Moved => {}
            }
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Self { host, lanes, timer, closed } = self;
        // Why a transport has ended is the session's to say.
        let mut ended = |_, _| {};
        let now = timer.now();
        let mut moved = lanes.receive(cx, host, now, &mut ended);
        let ready = either!(host, host => host.poll_ready(now));
        // Answers to Heartbeats do not wait until the event has been dealt with.
        moved |= lanes.transmit(cx, host, now, &mut ended);
        if let Some(ready) = ready {
            *closed = closed.or(ready.closed());
            return Poll::Ready(Step::Event(ready));
        }
        if closed.is_some() && lanes.is_empty() {
            return Poll::Ready(Step::Over);
        }
        if !moved {
            let Some(due) = either!(host, host => host.deadline()) else { return Poll::Pending };
            core::task::ready!(timer.poll_until(cx, due.max(now.saturating_add(AGAIN))));
        }
        Poll::Ready(Step::Moved)
    }
}

fn random<const N: usize>() -> Result<[u8; N], OpenError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| OpenError::Random(io::Error::other(alloc::format!("{error}"))))?;
    Ok(bytes)
}

impl<T, Z: Seal> fmt::Debug for Connection<T, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("state", &either!(&self.host, host => host.state()))
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
