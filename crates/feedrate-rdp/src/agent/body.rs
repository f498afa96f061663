//! What an agent is beside its link and its session: what all its commands work on.

use feedrate::rdp::frame::{ByeReason, RunState};

use super::breakpoints::Table;
use super::config::AgentConfig;
use super::forces::Leases;
use super::metrics::{Counts, LinkFacts};
use super::policy::Policies;
use super::registers::Captures;
use super::stops::Stops;
use crate::arch::Arch;
use crate::authority::Grant;
use crate::target::Target;
use crate::time::{Millis, reached};

/// The most bytes of memory in one answer.
pub(super) const MEMORY: usize = 256;

/// All but the link and the session.
pub(super) struct Body<A: Arch, U> {
    pub(super) config: AgentConfig,
    pub(super) authority: U,
    pub(super) grant: Option<(Grant, Millis)>,
    /// State is to be sent; and then its CRC.
    pub(super) state_due: bool,
    pub(super) agreed: Option<u32>,
    pub(super) message_limit: usize,
    pub(super) breakpoints: Table,
    pub(super) forces: Leases,
    pub(super) policies: Policies,
    pub(super) captures: Captures<A>,
    pub(super) stops: Stops,
    pub(super) last_command: u32,
    pub(super) counts: Counts,
    pub(super) started: Option<Millis>,
    pub(super) facts: LinkFacts,
    pub(super) end: Option<End>,
}

/// What a message leads to, beside its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The handshake failed.
    Failed,
    /// Say goodbye.
    Bye(ByeReason),
    /// The peer has said goodbye; this side has answered.
    Answered,
}

impl<A: Arch, U> Body<A, U> {
    pub(super) const fn new(config: AgentConfig, authority: U, message_limit: usize) -> Self {
        Self {
            config,
            authority,
            grant: None,
            state_due: false,
            agreed: None,
            message_limit,
            breakpoints: Table::NEW,
            forces: Leases::NEW,
            policies: Policies::NEW,
            captures: Captures::NEW,
            stops: Stops::NEW,
            last_command: 0,
            counts: Counts::NEW,
            started: None,
            facts: LinkFacts::NEW,
            end: None,
        }
    }

    /// Nothing of the session stays in the machine, except that a stopped machine stays stopped.
    pub(super) fn withdraw<T: Target<Arch = A>>(&mut self, target: &mut T) {
        self.forces.release_all(target);
        self.breakpoints.clear_all(target);
        self.stops.forget();
        self.captures.forget();
        self.grant = None;
        self.last_command = 0;
    }

    pub(super) fn run_state<T: Target<Arch = A>>(&self, target: &T) -> RunState {
        if self.stops.is_stepping() {
            RunState::Stepping
        } else if target.is_stopped() {
            RunState::Stopped
        } else {
            RunState::Running
        }
    }

    pub(super) fn uptime(&self, now: Millis) -> u32 {
        self.started.map_or(0, |started| now.wrapping_sub(started))
    }

    /// What the token grants still.
    pub(super) fn granted(&self, now: Millis) -> Option<Grant> {
        self.grant.filter(|(_, until)| !reached(now, *until)).map(|(grant, _)| grant)
    }
}
