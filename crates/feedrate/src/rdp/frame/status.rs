//! Status (SPEC section 6.4).

use super::body::frame;
use super::run_state::RunState;

frame! {
    /// How the agent is.
    pub struct Status = 0xA8, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// How the program is.
        pub run: RunState,
        /// Number of breakpoints.
        pub breakpoints: u16,
        /// Number of forced variables.
        pub forces: u16,
        /// Steps that are still to be done.
        pub steps: u32,
        /// Version of the policy, 0 if there is none.
        pub policy: u32,
        /// Whether the policy is in force.
        pub enabled: bool,
        /// Milliseconds since the agent's start.
        pub uptime: u32,
    }
}
