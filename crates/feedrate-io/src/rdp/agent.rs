//! What is debugged: [`Server`].

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Instant;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{Agent, AgentConfig, Observer, StopCause};
use feedrate_rdp::arch::Arch;
use feedrate_rdp::authority::Authorize;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, Seal};
use feedrate_rdp::sizes::{Board, Sizes};
use feedrate_rdp::stream::{Busy, Stream, StreamError};
use feedrate_rdp::target::Target;

use super::lanes::{Ended, Lanes, Side};
use crate::timer::Timer;
use crate::tokio::Clock;

/// How long a peer whose session is over may take to read what it was told last.
const LINGER: Duration = Duration::from_secs(1);
/// A deadline that has passed, and cannot be met before a line is free, is looked at again after this time.
const AGAIN: Duration = Duration::from_millis(1);

/// An agent with the transports `T` of its lines: the operator's, which is a byte stream, or a serial lane with perhaps
/// a bulk lane beside it; and an observers' line beside that, if there is one.
///
/// [`wait`](Self::wait) does what an interrupt does in firmware: it takes what arrives, and sends what is to be sent.
/// [`run`](Self::run) is the rest, and the only one that touches the target. See [`rdp`](super) for the loop around
/// them.
///
/// `C` is the agent's clock.
pub struct Server<A: Arch, U, T, S: Sizes = Board, Z = Checksum, C = Clock> {
    agent: Either<A, U, S, Z>,
    operator: Lanes<T>,
    observer: Option<Watcher<A, U, S, Z>>,
    observers: Lanes<T>,
    timer: C,
    /// When the agent ran, or was to run, last.
    ran: Instant,
    /// It is to run at once, and others have had their turn.
    yielded: bool,
    left: VecDeque<Left>,
}

/// A transport is not there any more.
#[derive(Debug)]
#[non_exhaustive]
pub struct Left {
    /// What it was connected to.
    pub place: Place,
    /// Why it is gone.
    pub why: Ended,
}

/// What a transport is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The operator's line: a byte stream, or the signal lane.
    Operator,
    /// The bulk lane beside it.
    Bulk,
    /// The observers' line.
    Observer,
}

type Watcher<A, U, S, Z> = Box<Observer<A, U, Stream<S>, Z>>;

/// The agent on either kind of line.
enum Either<A: Arch, U, S: Sizes, Z> {
    Stream(Box<Agent<A, U, Stream<S>, Z>>),
    Serial(Box<Agent<A, U, Link<S>, Z>>),
}

macro_rules! either {
    ($either:expr, $agent:ident => $what:expr) => {
        match $either {
            Either::Stream($agent) => $what,
            Either::Serial($agent) => $what,
        }
    };
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Side for Either<A, U, S, Z> {
    fn feed(&mut self, lane: LaneId, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        match self {
            Self::Stream(agent) => agent.feed(input, now),
            Self::Serial(agent) => {
                agent.feed(lane, input, now);
                *input = &[];
                Ok(())
            }
        }
    }

    fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        match self {
            Self::Stream(agent) => agent.poll_transmit(out),
            Self::Serial(agent) => agent.poll_transmit(lane, out, now),
        }
    }

    fn disconnect(&mut self, lane: LaneId, now: Instant) {
        match self {
            Self::Stream(agent) => agent.disconnect(),
            Self::Serial(agent) => agent.disconnect(lane, now),
        }
    }

    fn is_finished(&self) -> bool {
        match self {
            Self::Stream(agent) => agent.is_finished(),
            // A serial line stays where it is.
            Self::Serial(_) => false,
        }
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Side for Observer<A, U, Stream<S>, Z> {
    fn feed(&mut self, _: LaneId, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        self.feed(input, now)
    }

    fn poll_transmit(&mut self, _: LaneId, out: &mut [u8], _: Instant) -> usize {
        self.poll_transmit(out)
    }

    fn disconnect(&mut self, _: LaneId, _: Instant) {
        self.disconnect();
    }

    fn is_finished(&self) -> bool {
        self.is_finished()
    }
}

impl<A: Arch, U: Authorize, T, S: Sizes, Z: Seal> Server<A, U, T, S, Z>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// An agent whose operator's line is a byte stream. Nobody is connected yet.
    pub fn stream(config: AgentConfig, authority: U, seal: Z) -> Self {
        Self::new(Either::Stream(Box::new(Agent::new(config, Stream::agent(), authority, seal))))
    }

    /// An agent whose operator's line is a serial line, with a bulk lane beside it or without.
    pub fn serial(config: AgentConfig, bulk: bool, authority: U, seal: Z) -> Self {
        let line = Link::agent(Lane::UART, bulk.then_some(Lane::SPI));
        Self::new(Either::Serial(Box::new(Agent::new(config, line, authority, seal))))
    }

    fn new(agent: Either<A, U, S, Z>) -> Self {
        Self {
            agent,
            operator: Lanes::new(LINGER),
            observer: None,
            observers: Lanes::new(LINGER),
            timer: Clock::new(),
            ran: Instant::ZERO,
            yielded: false,
            left: VecDeque::new(),
        }
    }

    /// The same, with a clock of the caller's. To be called before anything else.
    pub fn timer<C: Timer>(self, timer: C) -> Server<A, U, T, S, Z, C> {
        let Self { agent, operator, observer, observers, ran, yielded, left, .. } = self;
        Server { agent, operator, observer, observers, timer, ran, yielded, left }
    }
}

impl<A: Arch, U: Authorize, T, S: Sizes, Z: Seal, C: Timer> Server<A, U, T, S, Z, C>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// The same, with a line for observers, who may look beside the operator: a byte stream.
    #[must_use]
    pub fn observers(mut self, authority: U, seal: Z) -> Self {
        self.observer = Some(Box::new(Observer::new(Stream::agent(), authority, seal)));
        self
    }

    /// Somebody has connected to the operator's line. Whoever was there, and has no session, is dropped.
    ///
    /// # Errors
    ///
    /// [`Busy`]: somebody has a session, and the transport has been dropped. Never of a serial line: there it is the
    /// line that has been replaced.
    pub fn connect(&mut self, io: T) -> Result<(), Busy> {
        let now = self.timer.now();
        match &mut self.agent {
            Either::Stream(agent) => agent.connect()?,
            Either::Serial(agent) => {
                if self.operator.is_connected() {
                    agent.disconnect(LaneId::Signal, now);
                }
                agent.reconnect(LaneId::Signal);
            }
        }
        if self.operator.put(LaneId::Signal, io) {
            self.left.push_back(Left { place: Place::Operator, why: Ended::Replaced });
        }
        Ok(())
    }

    /// Somebody has connected to the bulk lane. On a byte stream there is none, and the transport is dropped.
    pub fn connect_bulk(&mut self, io: T) {
        if let Either::Serial(agent) = &mut self.agent {
            agent.reconnect(LaneId::Bulk);
            if self.operator.put(LaneId::Bulk, io) {
                self.left.push_back(Left { place: Place::Bulk, why: Ended::Replaced });
            }
        }
    }

    /// Somebody has connected to the observers' line.
    ///
    /// # Errors
    ///
    /// [`Busy`]: another observer has a session, or there is no such line. The transport has been dropped.
    pub fn observe(&mut self, io: T) -> Result<(), Busy> {
        if let Some(observer) = &mut self.observer {
            observer.connect()?;
            if self.observers.put(LaneId::Signal, io) {
                self.left.push_back(Left { place: Place::Observer, why: Ended::Replaced });
            }
        }
        Ok(())
    }

    /// Drops a transport. Returns whether there was one.
    pub fn disconnect(&mut self, place: Place) -> bool {
        let now = self.timer.now();
        let (lane, was) = match place {
            Place::Operator => (LaneId::Signal, self.operator.drop(LaneId::Signal)),
            Place::Bulk => (LaneId::Bulk, self.operator.drop(LaneId::Bulk)),
            Place::Observer => {
                if let Some(observer) = &mut self.observer {
                    observer.disconnect();
                }
                return self.observers.drop(LaneId::Signal);
            }
        };
        if was {
            self.agent.disconnect(lane, now);
        }
        was
    }

    /// The device has been reset: from now on whoever is connected to the operator's line is connected to the agent of
    /// `fresh`, which has no transports. The observers' connection has ended.
    pub fn restart<D>(&mut self, fresh: Server<A, U, T, S, Z, D>) {
        self.disconnect(Place::Observer);
        (self.agent, self.observer, self.ran) = (fresh.agent, fresh.observer, Instant::ZERO);
        if let (Either::Stream(agent), true) = (&mut self.agent, self.operator.is_connected()) {
            // It is nobody's now.
            let _ = agent.connect();
        }
    }

    /// Runs the agent: does what has been requested, and what is due. To be called after each [`wait`](Self::wait).
    pub fn run<M: Target<Arch = A>>(&mut self, target: &mut M) {
        let now = self.timer.now();
        self.ran = now;
        either!(&mut self.agent, agent => {
            agent.run(target, now);
            if let Some(observer) = &mut self.observer {
                observer.run(agent, target, now);
            }
        });
    }

    /// The program has come to a stand: see [`Agent::stopped`].
    pub fn stopped<M: Target<Arch = A>>(&mut self, target: &mut M, cause: StopCause) {
        let now = self.timer.now();
        either!(&mut self.agent, agent => agent.stopped(target, cause, now));
    }

    /// When [`run`](Self::run) has to be called at the latest, if nothing arrives before. [`wait`](Self::wait) knows.
    pub fn deadline(&self) -> Option<Instant> {
        either!(&self.agent, agent => {
            let observer = self.observer.as_ref().and_then(|observer| observer.deadline(agent));
            [agent.deadline(), observer].into_iter().flatten().min()
        })
    }

    /// The agent's clock.
    pub const fn clock(&self) -> &C {
        &self.timer
    }

    /// The agent's clock, to be set.
    pub const fn clock_mut(&mut self) -> &mut C {
        &mut self.timer
    }

    /// Waits until there is something for the agent to do; reads and writes meanwhile. `Some`: a transport is gone, and
    /// with it the session, unless it is the bulk lane's.
    ///
    /// Dropped: nothing is lost.
    pub async fn wait(&mut self) -> Option<Left> {
        poll_fn(|cx| self.poll_wait(cx)).await
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Left>> {
        let Self { agent, operator, observer, observers, timer, left, .. } = self;
        let now = timer.now();
        let mut ended = |lane, why| {
            let place = if lane == LaneId::Signal { Place::Operator } else { Place::Bulk };
            left.push_back(Left { place, why });
        };
        let mut moved = operator.receive(cx, agent, now, &mut ended);
        moved |= operator.transmit(cx, agent, now, &mut ended);
        if let Some(observer) = observer {
            let mut ended = |_, why| left.push_back(Left { place: Place::Observer, why });
            moved |= observers.receive(cx, &mut **observer, now, &mut ended);
            moved |= observers.transmit(cx, &mut **observer, now, &mut ended);
        }
        if let Some(left) = self.left.pop_front() {
            return Poll::Ready(Some(left));
        }
        if !moved {
            let Some(due) = self.deadline() else { return Poll::Pending };
            if due > Instant::ZERO {
                // A line that is busy cannot be hurried.
                ready!(self.timer.poll_until(cx, due.max(self.ran.saturating_add(AGAIN))));
                self.ran = self.timer.now();
            } else if !self.yielded {
                // At once. But what arrives meanwhile, a Halt perhaps, must be seen.
                self.yielded = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.yielded = false;
        }
        Poll::Ready(None)
    }
}

impl<A: Arch, U, T, S: Sizes, Z, C> fmt::Debug for Server<A, U, T, S, Z, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("left", &self.left).finish_non_exhaustive()
    }
}
