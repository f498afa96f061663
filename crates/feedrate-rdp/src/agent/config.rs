//! An agent's configuration.

use feedrate::rdp::frame::Lifecycle;

/// The upper limit of leases, in milliseconds.
const LONGEST_LEASE: u32 = 600_000;
/// Heartbeats whose challenges are kept (SPEC section 5.7).
pub(super) const CHALLENGES: u16 = 4;

/// An agent's configuration.
///
/// ```
/// use feedrate_rdp::agent::AgentConfig;
///
/// const CONFIG: AgentConfig = AgentConfig::new(*b"boot no. 815", 815, "servo").loss(2000);
/// assert_eq!((CONFIG.heartbeat, CONFIG.loss, CONFIG.tolerance, CONFIG.stall), (1000, 2000, 5000, 500));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AgentConfig {
    /// Different at **every** start of the device: random, or a counter in retentive memory. The device's nonces are
    /// derived from it, and old commands could be replayed if a nonce ever occurred again. The challenges of
    /// Heartbeats are derived from it too: whoever cannot guess it cannot guess them.
    pub boot: [u8; 12],
    /// Number of this boot, greater by one with each boot: the records of the audit log contain it.
    pub boots: u32,
    /// Name of the firmware, at most 32 bytes.
    pub name: &'static str,
    /// How often the host is challenged, in milliseconds.
    pub heartbeat: u16,
    /// After how long without an answer to a challenge the host is lost, in milliseconds.
    pub loss: u16,
    /// How old a command may be, in milliseconds.
    pub tolerance: u16,
    /// After how long without a run of the agent what applies forces drops them, in milliseconds.
    pub stall: u16,
    /// The longest lease of a force, in milliseconds.
    pub lease: u32,
    /// This many runs that find the clock where the last one left it, since the host was heard, mean that the clock
    /// is broken.
    pub frozen: u32,
    /// The operator's line also accepts peers that may only observe.
    pub observers: bool,
    /// From a reset on, breakpoints are forbidden at every address until a policy is pushed.
    pub policy: bool,
    /// The stage of the device's life. In production a checksum is not accepted as a seal.
    pub lifecycle: Lifecycle,
    /// The least suite that is accepted.
    pub suite: u16,
}

impl AgentConfig {
    /// The usual times: challenged every second, lost after three, commands of up to five, forces dropped after half a
    /// second without a run, leases of a minute; in development.
    pub const fn new(boot: [u8; 12], boots: u32, name: &'static str) -> Self {
        Self {
            boot,
            boots,
            name,
            heartbeat: 1000,
            loss: 3000,
            tolerance: 5000,
            stall: 500,
            lease: 60_000,
            frozen: 1 << 20,
            observers: false,
            policy: false,
            lifecycle: Lifecycle::Development,
            suite: 0,
        }
    }

    /// The same, with this interval between challenges, in milliseconds. If [`loss`](Self::loss) is more than four
    /// times as long, a quarter of it is used instead: the answers to older challenges would not be recognised.
    #[must_use]
    pub const fn heartbeat(mut self, milliseconds: u16) -> Self {
        self.heartbeat = milliseconds;
        self
    }

    /// The same, with a host that is lost after this time, in milliseconds. It must be longer than a heartbeat's
    /// interval and the longest round trip (SPEC section 5.7).
    #[must_use]
    pub const fn loss(mut self, milliseconds: u16) -> Self {
        self.loss = milliseconds;
        self
    }

    /// The same for commands of up to this age, in milliseconds: at least [`loss`](Self::loss).
    #[must_use]
    pub const fn tolerance(mut self, milliseconds: u16) -> Self {
        self.tolerance = milliseconds;
        self
    }

    /// The same, with forces that are dropped after this time without a run, in milliseconds.
    #[must_use]
    pub const fn stall(mut self, milliseconds: u16) -> Self {
        self.stall = milliseconds;
        self
    }

    /// The same, with leases of up to this many milliseconds; 600,000 at most.
    #[must_use]
    pub const fn lease(mut self, milliseconds: u32) -> Self {
        self.lease = if milliseconds < LONGEST_LEASE { milliseconds } else { LONGEST_LEASE };
        self
    }

    /// The same, with a clock that counts as broken if this many runs find it where the last one left it, since the
    /// host was heard: more than there can be in [`loss`](Self::loss) with a healthy one. A clock with a resolution
    /// finer than a run shows progress at each run.
    #[must_use]
    pub const fn frozen(mut self, runs: u32) -> Self {
        self.frozen = runs;
        self
    }

    /// The same, with an operator's line that accepts observers too, or does not.
    #[must_use]
    pub const fn observers(mut self, taken: bool) -> Self {
        self.observers = taken;
        self
    }

    /// The same, with breakpoints forbidden after a reset until a policy is pushed, or without the need for a policy.
    #[must_use]
    pub const fn policy(mut self, needed: bool) -> Self {
        self.policy = needed;
        self
    }

    /// The same, at this stage of the device's life.
    #[must_use]
    pub const fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// The same, with seals of this suite at least.
    #[must_use]
    pub const fn suite(mut self, least: u16) -> Self {
        self.suite = least;
        self
    }

    /// How often the host is challenged.
    pub(super) fn interval(&self) -> u16 {
        self.heartbeat.max(self.loss.checked_div(CHALLENGES).unwrap_or_default())
    }
}
