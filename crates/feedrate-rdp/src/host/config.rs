//! A host's configuration.

use core::time::Duration;

use feedrate::rdp::frame::Fingerprint;

/// A host's configuration.
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
    /// The device that is expected. Any, if `None`.
    pub device: Option<Fingerprint>,
    /// The generation of the program that is expected: the one that a symbol table or a list of variables belongs to
    /// (SPEC section 8.11). Any, if `None`.
    pub generation: Option<u32>,
    /// The least suite: a session whose suite is below it is closed.
    pub suite: u16,
    /// The suites that Hello offers, in ascending order of preference: the last 16 at most. If empty: only that of
    /// the seal in use. A program that prefers another suite, but does not use it because the agent seems not to have
    /// it, lists both: if the better one was removed on the way, this is detected (SPEC section 5.5).
    pub offers: &'static [u16],
    /// How long a command may remain unanswered before the session is given up.
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

    /// The same, offering these suites, in ascending order of preference.
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
