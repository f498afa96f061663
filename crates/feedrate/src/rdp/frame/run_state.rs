//! The state of the program under debug, as Status, State and Heartbeat report it (SPEC section 6.4).

use super::field::{enumeration, optional};

enumeration! {
    /// The state of the program under debug.
    #[non_exhaustive]
    pub enum RunState {
        /// It runs.
        Running = 1,
        /// It is stopped.
        Stopped = 2,
        /// It is being stepped.
        Stepping = 3,
    }
}

optional!(RunState);
