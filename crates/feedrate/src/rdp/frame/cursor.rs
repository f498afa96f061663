//! Cursor (SPEC section 6.4).

use super::body::frame;
use super::location::Location;

frame! {
    /// Where the G-code program stands.
    pub struct Cursor = 0xAC, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Where the G-code program stands.
        pub cursor: Location,
    }
}
