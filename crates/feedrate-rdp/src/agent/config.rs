//! What an agent has to be told.

use feedrate::rdp::packet::Line;

/// What an agent has to be told.
///
/// ```
/// use feedrate::rdp::packet::Line;
/// use feedrate_rdp::agent::AgentConfig;
///
/// const CONFIG: AgentConfig = AgentConfig::board(*b"boot no. 815", "servo").bulk(None).loss(5000);
/// assert_eq!((CONFIG.signal, CONFIG.loss), (Line::UART, 5000));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AgentConfig {
    /// The signal lane.
    pub signal: Line,
    /// The bulk lane, if there is one.
    pub bulk: Option<Line>,
    /// Different at **every** start of the device: random, or a counter in memory that keeps. The device's nonces are
    /// made of it, and old commands could be replayed if one ever came again.
    pub boot: [u8; 12],
    /// Name of the firmware, at most 32 bytes.
    pub name: &'static str,
    /// How often each side is to be heard of, in milliseconds.
    pub heartbeat: u16,
    /// After how long a silence the host counts as lost, in milliseconds.
    pub loss: u16,
    /// How far a command's time may be off, in milliseconds.
    pub tolerance: u16,
}

impl AgentConfig {
    /// A UART, SPI beside it, and the usual times.
    pub const fn board(boot: [u8; 12], name: &'static str) -> Self {
        Self {
            signal: Line::UART,
            bulk: Some(Line::SPI),
            boot,
            name,
            heartbeat: 1000,
            loss: 3000,
            tolerance: 5000,
        }
    }

    /// TCP, no bulk lane, and the usual times.
    pub const fn tcp(boot: [u8; 12], name: &'static str) -> Self {
        Self::board(boot, name).signal(Line::TCP).bulk(None)
    }

    /// The same with another signal lane.
    #[must_use]
    pub const fn signal(mut self, line: Line) -> Self {
        self.signal = line;
        self
    }

    /// The same with another bulk lane, or without one.
    #[must_use]
    pub const fn bulk(mut self, line: Option<Line>) -> Self {
        self.bulk = line;
        self
    }

    /// The same, to be heard of so often, in milliseconds.
    #[must_use]
    pub const fn heartbeat(mut self, milliseconds: u16) -> Self {
        self.heartbeat = milliseconds;
        self
    }

    /// The same, with a host that is lost after so long a silence, in milliseconds.
    #[must_use]
    pub const fn loss(mut self, milliseconds: u16) -> Self {
        self.loss = milliseconds;
        self
    }

    /// The same for commands whose time is off by so much, in milliseconds.
    #[must_use]
    pub const fn tolerance(mut self, milliseconds: u16) -> Self {
        self.tolerance = milliseconds;
        self
    }
}
