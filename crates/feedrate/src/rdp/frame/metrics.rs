//! Metrics (SPEC section 6.4).

use super::body::frame;
use super::field::fields;
use super::list::List;

frame! {
    /// The agent's counters.
    pub struct Metrics<'a> = 0xB1, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// The counters.
        pub metrics: List<'a, Metric, u8>,
    }
}

fields! {
    /// One of the agent's counters.
    pub struct Metric {
        /// Its number (SPEC section 8.13).
        pub metric: u16,
        /// Its value.
        pub value: u32,
    }
}
