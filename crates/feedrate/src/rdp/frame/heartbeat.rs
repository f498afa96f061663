//! Heartbeat (SPEC section 6.3).

use super::body::frame;
use super::run_state::RunState;

frame! {
    /// The sender is there. There is no answer.
    pub struct Heartbeat = 0x42, from BOTH {
        /// How the program is; `None` from a host.
        pub run: Option<RunState>,
    }
}
