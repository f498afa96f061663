//! What a host has to be told.

use feedrate::rdp::frame::Fingerprint;
use feedrate::rdp::packet::Line;

/// What a host has to be told.
///
/// ```
/// use feedrate::rdp::packet::Line;
/// use feedrate_rdp::host::HostConfig;
///
/// const CONFIG: HostConfig = HostConfig::new(Line::UART).bulk(Some(Line::SPI)).device(Some(*b"servo 7, fw 1.02"));
/// assert_eq!(CONFIG.patience, 20_000);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HostConfig {
    /// The signal lane.
    pub signal: Line,
    /// The bulk lane, if there is one.
    pub bulk: Option<Line>,
    /// The device that is meant. Any, if `None`.
    pub device: Option<Fingerprint>,
    /// How long a command may take to be answered, in milliseconds, before the session is given up.
    pub patience: u32,
}

impl HostConfig {
    /// This lane, no bulk lane, any device, twenty seconds of patience: longer than the link tries.
    pub const fn new(signal: Line) -> Self {
        Self { signal, bulk: None, device: None, patience: 20_000 }
    }

    /// The same with this bulk lane, or without one.
    #[must_use]
    pub const fn bulk(mut self, line: Option<Line>) -> Self {
        self.bulk = line;
        self
    }

    /// The same for this device, or for any.
    #[must_use]
    pub const fn device(mut self, device: Option<Fingerprint>) -> Self {
        self.device = device;
        self
    }

    /// The same with this much patience, in milliseconds.
    #[must_use]
    pub const fn patience(mut self, milliseconds: u32) -> Self {
        self.patience = milliseconds;
        self
    }
}
