//! The agent: what runs in the controller, beside the program that is debugged (SPEC sections 5 and 8).
//!
//! ```text
//!  UART, SPI, TCP ──► feed ──► queues ──► run(&mut target) ──► answers ──► poll_transmit ──► UART, SPI, TCP
//!  a trap         ──► stopped(&mut target) ──────────────────► events  ──┘
//! ```
//!
//! `feed` does not touch the target, so that it can be called from an interrupt; [`run`](Agent::run) does what the
//! peer requested, and what is due. Everything that keeps the machine safe happens in `run`: call it often, and never
//! later than [`deadline`](Agent::deadline) says.
//!
//! | file | what |
//! |---|---|
//! | `seat` | one line, and the session on it |
//! | `visit`, `heartbeats`, `handshake` | the session: who, since when, heard when |
//! | `commands` | what is checked before a command is executed |
//! | `execute`, `change` | the commands: those that read, and those that change something |
//! | `device` | what all sessions work on, and the interlock |
//! | `withdraw` | how forces and traps are taken back |
//! | `clock`, `record`, `map`, `metrics` | the clock, the log, the memory map, counters |
//! | `breakpoints`, `forces`, `policy`, `registers`, `stops` | tables |

mod axes;
mod breakpoints;
mod change;
mod clock;
mod commands;
mod config;
mod device;
mod execute;
mod fail;
mod forces;
mod handshake;
mod heartbeats;
mod map;
mod metrics;
mod observer;
mod policy;
mod record;
mod registers;
mod seat;
mod stopping;
mod stops;
mod visit;
mod withdraw;

use core::fmt;

use feedrate::Instant;
use feedrate::rdp::frame::Cause;

use self::clock::Run;
pub use self::config::AgentConfig;
use self::device::Device;
use self::metrics::Count;
pub use self::observer::Observer;
use self::seat::Seat;
pub use self::stops::StopCause;
use self::withdraw::What;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::line::Line;
use crate::line::sealed::Line as _;
use crate::link::{LaneId, Link};
use crate::session::SessionState;
use crate::session::seal::{Checksum, Seal};
use crate::sizes::{Board, Sizes};
use crate::stream::{Busy, Stream, StreamError};
use crate::target::Target;
use crate::time::{Span, deadline, earlier, later, ms, whole_ms};

/// How often a recovery is tried again, if nothing arrives.
const RECOVERY: Span = 100_000;

/// The agent, on its operator's line. It fits into a `static`: making one costs nothing, and every method takes
/// `&mut self`, plain bytes and the time.
///
/// ```
/// use feedrate::Instant;
/// use feedrate::rdp::frame::Fingerprint;
/// use feedrate::rdp::packet::Lane;
/// use feedrate_rdp::agent::{Agent, AgentConfig};
/// use feedrate_rdp::arch::{Arch, CortexM};
/// use feedrate_rdp::authority::{Claim, Grant};
/// use feedrate_rdp::link::{LaneId, Link};
/// use feedrate_rdp::session::Checksum;
/// use feedrate_rdp::target::{Refusal, Target};
///
/// struct Servo;
///
/// impl Target for Servo {
///     type Arch = CortexM;
///
///     fn fingerprint(&self) -> Fingerprint {
///         *b"servo 7, fw 1.02"
///     }
///
///     fn is_stopped(&self) -> bool {
///         false
///     }
///
///     fn read_registers(&mut self, _: &mut <CortexM as Arch>::Registers) -> Result<(), Refusal> {
///         Err(Refusal::WrongState)
///     }
///
///     fn recover(&mut self) -> Result<(), Refusal> {
///         Ok(()) // Nothing of it outlives a reset.
///     }
/// }
///
/// fn authority(_: &Claim<'_>) -> Result<Grant, u32> {
///     Err(0)
/// }
///
/// type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
/// let config = AgentConfig::new(*b"boot no. 815", 815, "servo");
/// let line: Link = Link::agent(Lane::UART, Some(Lane::SPI));
/// let mut agent = Agent::<CortexM, Authority, Link>::new(config, line, authority, Checksum::new());
///
/// // In the interrupt, or wherever bytes come from:
/// agent.feed(LaneId::Signal, b"\0noise\0", Instant::ZERO);
/// // In the main loop:
/// let now = Instant::from_millis(1);
/// agent.run(&mut Servo, now);
/// let mut packet = [0; 64];
/// while let length @ 1.. = agent.poll_transmit(LaneId::Signal, &mut packet, now) {
///     // Send packet[..length].
/// }
/// ```
// In this order, as in all that it consists of: what is small lies before the buffers, within reach of short
// instructions.
#[repr(C)]
pub struct Agent<A: Arch, U, L: Line = Link<Board>, Z = Checksum> {
    device: Device<A>,
    seat: Seat<A, U, L, Z>,
}

impl<A: Arch, U: Authorize, L: Line, Z: Seal> Agent<A, U, L, Z> {
    /// An agent that has not had a session yet, on this line: [`Link::agent`] or [`Stream::agent`].
    pub const fn new(config: AgentConfig, line: L, authority: U, seal: Z) -> Self {
        Self { seat: Seat::new(line, authority, seal, false), device: Device::new(config) }
    }

    /// Replaces [`AgentConfig::boot`] and [`AgentConfig::boots`], for a device that can determine them only after its
    /// `static`s exist. Call it before anything else.
    pub fn set_boot(&mut self, boot: [u8; 12], boots: u32) {
        (self.device.config.boot, self.device.config.boots) = (boot, boots);
    }

    /// The state of the operator's session.
    pub const fn state(&self) -> SessionState {
        self.seat.state()
    }

    /// The line, for its counters.
    pub const fn line(&self) -> &L {
        &self.seat.endpoint.line
    }

    /// Does what the peer has requested since the last call, as far as there is room for answers, and what is due.
    pub fn run<T: Target<Arch = A>>(&mut self, target: &mut T, now: Instant) {
        let Self { seat, device } = self;
        let Run { now, gap, broken } = device.clock.run(now, device.config.frozen);
        device.counts.at_least(Count::LONGEST_GAP, whole_ms(gap));
        if !device.recovered {
            seat.endpoint.line.count_from(first_connection(device.config.boot));
            if target.recover().is_err() {
                // Requests wait; the time for a handshake does not (SPEC section 8.12).
                seat.follow_line(device, target, now);
                seat.follow_time(device, target, gap, now);
                return;
            }
            device.recovered = true;
        }
        // First what must not wait, also what came just before the line ended (SPEC section 8.9).
        if seat.state() == SessionState::Active {
            seat.urgent(device, target, now);
        }
        device.breaks = device.breaks.wrapping_add(broken.into());
        seat.follow_clock(device, target, now);
        if gap >= ms(device.config.stall) {
            device.withdraw(target, What::Forces, Cause::Stalled, seat.visit.who(now));
        }
        seat.follow_line(device, target, now);
        seat.follow_time(device, target, gap, now);
        seat.follow_machine(device, target, now);
        seat.urgent(device, target, now);
        seat.tell_state(device, target, now);
        // A command is executed only when the stop before it has been reported to the host.
        if self.tell_stop(now) {
            self.seat.ordinary(&mut self.device, target, now);
        }
        self.go_on(target);
        self.seat.heartbeat(&mut self.device, target, now);
        self.seat.conclude(&mut self.device, target, now);
        self.seat.set_busy();
    }

    /// When [`run`](Self::run) or `poll_transmit` should be called at the latest, if nothing arrives before. It may
    /// have passed already, as long as a line is busy or there is no room: wait for the line then, and not for the
    /// time.
    pub fn deadline(&self) -> Option<Instant> {
        let Self { seat, device } = self;
        if device.stops.next && !seat.is_awaited() {
            return Some(Instant::ZERO);
        }
        if !device.recovered {
            // It is tried at every run (SPEC section 8.12).
            return Some(device.clock.ran().map_or(Instant::ZERO, |ran| later(ran, RECOVERY)));
        }
        let mut at = earlier(device.forces.deadline(), seat.deadline(device));
        if let (Some(ran), true) = (device.clock.ran(), device.forces.len() > 0) {
            // What applies the forces is to be told that the agent runs.
            at = earlier(at, later(ran, ms(device.config.stall >> 1)));
        }
        deadline(at)
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Agent<A, U, Link<S>, Z> {
    /// Takes what has arrived on a lane: all of it. It does not touch the target.
    pub fn feed(&mut self, lane: LaneId, input: &[u8], now: Instant) {
        let now = self.device.clock.see(now);
        if !self.device.recovered {
            // Nobody gets a connection before the machine has recovered from its reset (SPEC section 8.12).
            self.seat.endpoint.line.set_busy(true);
        }
        self.seat.endpoint.line.feed(lane, input, now);
    }

    /// Writes the next packet that is to be sent on a lane into `out`, which has the lane's MTU, and returns its
    /// length. 0: there is nothing to send now.
    #[must_use]
    pub fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize {
        let now = self.device.clock.see(now);
        self.seat.endpoint.line.poll_transmit(lane, out, now)
    }

    /// The line of a lane is gone. Without its signal lane the session ends.
    pub fn disconnect(&mut self, lane: LaneId, now: Instant) {
        let now = self.device.clock.see(now);
        self.seat.endpoint.line.disconnect(lane, now);
    }

    /// The line of a lane that was gone is back.
    pub fn reconnect(&mut self, lane: LaneId) {
        self.seat.endpoint.line.reconnect(lane);
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Agent<A, U, Stream<S>, Z> {
    /// There is a new connection. It inherits nothing from an earlier one.
    ///
    /// # Errors
    ///
    /// [`Busy`]: a session is active. The new connection is to be closed at once; the old one is not affected.
    pub fn connect(&mut self) -> Result<(), Busy> {
        self.seat.endpoint.line.connect()
    }

    /// Takes what has arrived, as far as there is room for it: the rest stays in `input`, until [`run`](Self::run) has
    /// made room. It does not touch the target.
    ///
    /// # Errors
    ///
    /// [`StreamError`]: it cannot be RDPv3. The connection is to be closed.
    pub fn feed(&mut self, input: &mut &[u8], now: Instant) -> Result<(), StreamError> {
        let now = self.device.clock.see(now);
        self.seat.endpoint.line.feed(input, now)
    }

    /// Writes what is to be sent into `out`, and returns how many bytes. 0: there is nothing to send now.
    #[must_use]
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        self.seat.endpoint.line.poll_transmit(out)
    }

    /// The connection has ended, and with it the session.
    pub fn disconnect(&mut self) {
        self.seat.endpoint.line.disconnect();
    }

    /// Whether the connection is to be closed: the session is over, and everything has been sent; or what came is not
    /// RDPv3.
    pub fn is_finished(&self) -> bool {
        self.seat.endpoint.line.is_finished()
    }
}

/// The number from which an agent's connections are counted: a different one after another boot, whichever of the
/// boot's bytes has changed.
fn first_connection(boot: [u8; 12]) -> u16 {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = boot;
    u16::from_be_bytes([a ^ c ^ e ^ g ^ i ^ k, b ^ d ^ f ^ h ^ j ^ l])
}

impl<A: Arch, U, L: Line + fmt::Debug, Z> fmt::Debug for Agent<A, U, L, Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("session", &self.seat.endpoint.session)
            .field("line", &self.seat.endpoint.line)
            .finish_non_exhaustive()
    }
}
