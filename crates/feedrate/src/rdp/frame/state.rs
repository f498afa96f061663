//! State (SPEC section 6.4).

use super::body::frame;
use super::list::List;
use super::location::Location;
use super::run_state::RunState;

frame! {
    /// How the machine is, when a session begins. The host answers with [`Agree`](super::Agree).
    pub struct State<'a> = 0xC1, from AGENT {
        /// How the program is.
        pub run: RunState,
        /// Positions in nanometres.
        pub axes: List<'a, i64, u8>,
        /// The first registers of the PLC.
        pub plc: List<'a, u16, u8>,
        /// Where the G-code program stands.
        pub cursor: Location,
    }
}
