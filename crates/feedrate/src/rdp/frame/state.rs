//! State (SPEC section 6.4).

use super::body::frame;
use super::cause::Cause;
use super::list::List;
use super::location::Location;
use super::run_state::RunState;
use super::stopped::Reason;

frame! {
    /// The state of the machine when a session begins. The host answers with [`Agree`](super::Agree).
    pub struct State<'a> = 0xC1, from AGENT {
        /// The state of the program.
        pub run: RunState,
        /// Positions in nanometres.
        pub axes: List<'a, i64, u8>,
        /// The first registers of the PLC, at most 32.
        pub plc: List<'a, u16, u8>,
        /// The position in the G-code program.
        pub cursor: Location,
        /// Whether memory or registers were written to since the program's start (SPEC section 8.6).
        pub modified: bool,
        /// How many forces and traps could not be taken back (SPEC section 8.7).
        pub stuck: u8,
        /// Why the program last stopped.
        pub last: Option<Reason>,
        /// The detail of that.
        pub detail: u64,
        /// Why the session before this one ended; [`Cause::None`] if there was none.
        pub cause: Cause,
        /// Addresses of the forces that its end withdrew.
        pub ended: List<'a, u64, u8>,
    }
}
