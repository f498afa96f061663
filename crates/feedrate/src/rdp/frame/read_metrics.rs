//! ReadMetrics (SPEC section 6.3).

use super::body::frame;

frame! {
    /// What does the agent count? The answer is [`Metrics`](super::Metrics).
    pub struct ReadMetrics = 0x31, from HOST;
}
