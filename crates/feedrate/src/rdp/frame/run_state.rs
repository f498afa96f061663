//! How the program under debug is, as Status, State and Heartbeat tell it (SPEC section 6.4).

use super::field::{enumeration, optional};

enumeration! {
    /// How the program under debug is.
    #[non_exhaustive]
    pub enum RunState {
        /// It runs.
        Running = 1,
        /// It stands still.
        Stopped = 2,
        /// It is being stepped.
        Stepping = 3,
    }
}

optional!(RunState);
