//! An observer's line, beside the operator's (SPEC section 8.2).

use core::fmt;

use feedrate::Instant;

use super::Agent;
use super::seat::Seat;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::line::Line;
use crate::link::{LaneId, Link};
use crate::session::SessionState;
use crate::session::seal::{Checksum, Seal};
use crate::sizes::{Board, Sizes};
use crate::stream::{Busy, Stream, StreamError};
use crate::target::Target;
use crate::time::deadline;

/// An observer's line: a peer there may observe, and nothing else, whatever its token grants. What happens on it
/// changes nothing in the machine, and nothing for the operator.
///
/// It has a session of its own, and sees the machine through the [`Agent`]: call its [`run`](Self::run) after the
/// agent's.
///
/// ```
/// # use feedrate_rdp::arch::CortexM;
/// # use feedrate_rdp::authority::{Claim, Grant};
/// use feedrate_rdp::agent::Observer;
/// use feedrate_rdp::session::{Checksum, SessionState};
/// use feedrate_rdp::stream::Stream;
/// # type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
/// # fn authority(_: &Claim<'_>) -> Result<Grant, u32> { Err(0) }
///
/// let mut observer = Observer::<CortexM, Authority, Stream>::new(Stream::agent(), authority, Checksum::new());
/// assert_eq!(observer.connect(), Ok(()));
/// assert_eq!(observer.state(), SessionState::Idle);
/// ```
pub struct Observer<A: Arch, U, L: Line = Stream<Board>, Z = Checksum> {
    seat: Seat<A, U, L, Z>,
}

impl<A: Arch, U: Authorize, L: Line, Z: Seal> Observer<A, U, L, Z> {
    /// A line that has not had a session yet.
    pub const fn new(line: L, authority: U, seal: Z) -> Self {
        Self { seat: Seat::new(line, authority, seal, true) }
    }

    /// The state of the observer's session.
    pub const fn state(&self) -> SessionState {
        self.seat.state()
    }

    /// The line, for its counters.
    pub const fn line(&self) -> &L {
        &self.seat.endpoint.line
    }

    /// Executes the observer's commands, one at a time.
    pub fn run<T, V, M, Y>(&mut self, agent: &mut Agent<A, V, M, Y>, target: &mut T, now: Instant)
    where
        T: Target<Arch = A>,
        V: Authorize,
        M: Line,
        Y: Seal,
    {
        let Self { seat } = self;
        let device = &mut agent.device;
        let now = device.clock.see(now);
        seat.follow_clock(device, target, now);
        if !device.recovered {
            // As on an operator's line (SPEC section 8.12).
            seat.endpoint.line.set_busy(true);
            seat.follow_line(device, target, now);
            seat.follow_time(device, target, 0, now);
            return;
        }
        seat.follow_line(device, target, now);
        seat.follow_time(device, target, 0, now);
        seat.urgent(device, target, now);
        seat.tell_state(device, target, now);
        seat.ordinary(device, target, now);
        seat.heartbeat(device, target, now);
        seat.set_busy();
    }

    /// When [`run`](Self::run) should be called at the latest, if nothing arrives before.
    pub fn deadline<V, M: Line, Y>(&self, agent: &Agent<A, V, M, Y>) -> Option<Instant> {
        deadline(self.seat.deadline(&agent.device))
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Observer<A, U, Link<S>, Z> {
    /// As [`Agent::feed`].
    pub fn feed(&mut self, lane: LaneId, input: &[u8], now: Instant) {
        self.seat.endpoint.line.feed(lane, input, now);
    }

    /// As [`Agent::poll_transmit`].
    #[must_use]
    pub fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        self.seat.endpoint.line.poll_transmit(lane, out, now)
    }

    /// As [`Agent::disconnect`].
    pub fn disconnect(&mut self, lane: LaneId, now: Instant) {
        self.seat.endpoint.line.disconnect(lane, now);
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Observer<A, U, Stream<S>, Z> {
    /// There is a new connection.
    ///
    /// # Errors
    ///
    /// [`Busy`]: another observer's session is active. The new connection is to be closed at once.
    pub fn connect(&mut self) -> Result<(), Busy> {
        self.seat.endpoint.line.connect()
    }

    /// Takes what has arrived, as far as there is room for it: the rest stays in `input`.
    ///
    /// # Errors
    ///
    /// [`StreamError`]: it cannot be RDPv3. The connection is to be closed.
    pub fn feed(&mut self, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        self.seat.endpoint.line.feed(input, now)
    }

    /// Writes what is to be sent into `out`, and returns how many bytes.
    #[must_use]
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        self.seat.endpoint.line.poll_transmit(out)
    }

    /// The connection has ended.
    pub fn disconnect(&mut self) {
        self.seat.endpoint.line.disconnect();
    }

    /// Whether the connection is to be closed.
    pub fn is_finished(&self) -> bool {
        self.seat.endpoint.line.is_finished()
    }
}

impl<A: Arch, U, L: Line, Z> fmt::Debug for Observer<A, U, L, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("session", &self.seat.endpoint.session).finish_non_exhaustive()
    }
}
