//! The state of a link, and its counters.

use crate::line::LineEnd;

/// The state of the link.
// Exhaustive: SPEC section 4.1 has no other states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// There has been no connection yet.
    Idle,
    /// The host waits for the agent's answer.
    Opening,
    /// There is a connection with this number.
    Open(u16),
    /// There was one.
    Ended(LineEnd),
}

/// What a link counts beside its [lanes](super::LaneCounts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounts {
    /// Packets of another connection, or for another version.
    pub stray: u32,
    /// How often the bulk lane became damaged.
    pub damaged: u32,
}
