//! Heartbeat (SPEC sections 5.7 and 6.3).

use super::body::frame;
use super::run_state::RunState;

frame! {
    /// A sign of life. A host answers each of the agent's with one of its own, at once.
    pub struct Heartbeat = 0x42, from BOTH {
        /// The state of the program; `None` from a host.
        pub run: Option<RunState>,
        /// The agent's challenge, which the host repeats.
        pub challenge: u32,
    }
}
