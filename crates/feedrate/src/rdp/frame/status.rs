//! Status (SPEC section 6.4).

use super::body::frame;
use super::run_state::RunState;
use super::stopped::Reason;

frame! {
    /// The state of the agent.
    pub struct Status = 0xA8, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// The state of the program.
        pub run: RunState,
        /// Number of breakpoints.
        pub breakpoints: u16,
        /// Number of forced variables.
        pub forces: u16,
        /// Steps that are still to be done; [`u32::MAX`] in a StepRange.
        pub steps: u32,
        /// Version of the policy, 0 if there is none.
        pub policy: u32,
        /// Whether the policy is in force.
        pub enabled: bool,
        /// Whether memory or registers were written to since the program's start (SPEC section 8.6).
        pub modified: bool,
        /// How many forces and traps could not be taken back (SPEC section 8.7).
        pub stuck: u8,
        /// Why the program last stopped.
        pub last: Option<Reason>,
        /// Seconds since the agent's start.
        pub uptime: u32,
    }
}
