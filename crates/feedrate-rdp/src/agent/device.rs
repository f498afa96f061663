//! What an agent consists of beside its lines: the machine's side, on which the sessions of operator and observers
//! work.

use feedrate::rdp::crc;
use feedrate::rdp::frame::{Cause, ErrorCode, Operator, Reason, RunState, Standing, StopEffect};

use super::breakpoints::Table;
use super::clock::Clock;
use super::config::AgentConfig;
use super::fail::Fail;
use super::forces::{Forces, MOST};
use super::metrics::Counts;
use super::policy::Policy;
use super::registers::Captures;
use super::stops::Stops;
use crate::arch::Arch;
use crate::target::{Act, Target};

/// The maximum number of bytes of memory in one command or answer.
pub(super) const MEMORY: usize = 256;

/// All but lines and sessions.
#[repr(C)]
pub(super) struct Device<A: Arch> {
    pub(super) clock: Clock,
    pub(super) config: AgentConfig,
    pub(super) stops: Stops,
    pub(super) last_stop: Option<(Reason, u64)>,
    /// How often the clock was found to be broken.
    pub(super) breaks: u32,
    entropy: u32,
    /// Generation of the program in which something was written (SPEC section 8.6).
    modified: Option<u32>,
    /// The target has recovered from its last reset.
    pub(super) recovered: bool,
    /// The command that is being executed has been recorded.
    pub(super) recorded: bool,
    pub(super) counts: Counts,
    pub(super) last_end: LastEnd,
    pub(super) captures: Captures<A>,
    pub(super) forces: Forces,
    pub(super) breakpoints: Table,
    pub(super) policy: Policy,
}

/// Why the last session ended, and the forces that this end withdrew.
pub(super) struct LastEnd {
    pub(super) cause: Cause,
    pub(super) ended: [u64; MOST],
    pub(super) count: usize,
}

/// Who acts, in which session, and when on its clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who {
    pub(super) operator: Operator,
    pub(super) session: u32,
    pub(super) suite: u16,
    pub(super) clock: u32,
}

impl Who {
    /// No session.
    pub(super) const NOBODY: Self = Self { operator: [0; 8], session: 0, suite: 0, clock: 0 };
}

impl<A: Arch> Device<A> {
    pub(super) const fn new(config: AgentConfig) -> Self {
        Self {
            config,
            clock: Clock::NEW,
            breakpoints: Table::NEW,
            forces: Forces::NEW,
            policy: Policy::NEW,
            captures: Captures::NEW,
            stops: Stops::NEW,
            counts: Counts::NEW,
            breaks: 0,
            recovered: false,
            modified: None,
            last_stop: None,
            last_end: LastEnd { cause: Cause::None, ended: [0; MOST], count: 0 },
            entropy: 0,
            recorded: false,
        }
    }

    #[inline(never)]
    pub(super) fn run_state<T: Target<Arch = A>>(&self, target: &T) -> RunState {
        if self.stops.is_stepping() {
            RunState::Stepping
        } else if target.is_stopped() {
            RunState::Stopped
        } else {
            RunState::Running
        }
    }

    /// Forces and traps that could not be taken back.
    #[inline(never)]
    pub(super) fn stuck(&self) -> u8 {
        let stuck = self.forces.stuck().saturating_add(self.breakpoints.stuck());
        u8::try_from(stuck).unwrap_or(u8::MAX)
    }

    pub(super) fn set_modified<T: Target<Arch = A>>(&mut self, target: &T) {
        self.modified = Some(target.generation());
    }

    /// Whether something was written since the program's start.
    pub(super) fn is_modified<T: Target<Arch = A>>(&self, target: &T) -> bool {
        self.modified == Some(target.generation())
    }

    /// The boot's number, and the session's in it: never the same again.
    pub(super) fn device_nonce(&self) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.config.boot;
        let [m, n, o, p] = self.counts.sessions().to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Another challenge: a permuted congruential generator, whose period is longer than a boot, so that no challenge
    /// repeats soon. Whoever knows the boot's number and suite 0 can compute it; they could then forge the answer,
    /// too.
    pub(super) fn next_challenge(&mut self) -> u32 {
        if self.entropy == 0 {
            self.entropy = crc::crc_32(&[&self.config.boot]);
        }
        let state = self.entropy;
        self.entropy = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let shift = (state >> 28).wrapping_add(4);
        let word = (state.checked_shr(shift).unwrap_or_default() ^ state).wrapping_mul(277_803_737);
        (word >> 22) ^ word
    }

    /// Asks the interlock (SPEC section 8.3).
    #[inline(never)]
    pub(super) fn permit<T: Target<Arch = A>>(&self, target: &mut T, act: Act) -> Result<(), Fail> {
        if let Some(interlock) = target.interlock() {
            if act == Act::Halt && interlock.halt_effect() != StopEffect::Program {
                return Ok(());
            }
            return Ok(interlock.permit(act)?);
        }
        let allowed = match act {
            Act::Arm(_) | Act::KeepArmed(_) | Act::Halt => {
                target.machine().is_none_or(|machine| machine.axes() == 0)
            }
            Act::Resume | Act::Step => self.forces.len() == 0,
            _ => return Err(ErrorCode::Unsupported.into()),
        };
        if allowed { Ok(()) } else { Err(ErrorCode::Interlock.into()) }
    }
}

/// Whether the axes are at standstill, as far as the machine knows.
#[inline(never)]
pub(super) fn standing<T: Target>(target: &mut T) -> Standing {
    target.machine().map_or(Standing::Unknown, |machine| machine.standing())
}
