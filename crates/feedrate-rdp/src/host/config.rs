//! What a host has to be told.

use core::time::Duration;

use feedrate::rdp::frame::Fingerprint;

/// What a host has to be told.
///
/// ```
/// use core::time::Duration;
/// use feedrate_rdp::host::HostConfig;
///
/// const CONFIG: HostConfig = HostConfig::new().device(Some(*b"servo 7, fw 1.02"));
/// assert_eq!((CONFIG.patience, CONFIG.generation), (Duration::from_secs(20), None));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HostConfig {
    /// The device that is meant. Any, if `None`.
    pub device: Option<Fingerprint>,
    /// The generation of the program that is meant: the one that a symbol table or a list of variables belongs to
    /// (SPEC section 8.11). Any, if `None`.
    pub generation: Option<u32>,
    /// The least suite: an agent that has a worse one in use is left.
    pub suite: u16,
    /// The suites that Hello offers, in rising order of preference: the 16 last ones at most. None: only that of the
    /// seal in use. A program that would rather use another one, and does not because the agent seems not to have it,
    /// names both: if the better one was struck out on the way, that is found (SPEC section 5.5).
    pub offers: &'static [u16],
    /// How long a command may take to be answered before the session is given up.
    pub patience: Duration,
}

impl HostConfig {
    /// Any device, any program, any suite, twenty seconds of patience: longer than a link tries.
    pub const fn new() -> Self {
        Self { device: None, generation: None, suite: 0, offers: &[], patience: Duration::from_secs(20) }
    }

    /// The same for this device, or for any.
    #[must_use]
    pub const fn device(mut self, device: Option<Fingerprint>) -> Self {
        self.device = device;
        self
    }

    /// The same for this generation of the program, or for any.
    #[must_use]
    pub const fn generation(mut self, generation: Option<u32>) -> Self {
        self.generation = generation;
        self
    }

    /// The same, with seals of this suite at least.
    #[must_use]
    pub const fn suite(mut self, least: u16) -> Self {
        self.suite = least;
        self
    }

    /// The same, offering these suites, in rising order of preference.
    #[must_use]
    pub const fn offers(mut self, suites: &'static [u16]) -> Self {
        self.offers = suites;
        self
    }

    /// The same with this much patience.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Default for HostConfig {
    fn default() -> Self {
        Self::new()
    }
}
