//! Cursor (SPEC section 6.4).

use super::body::frame;
use super::location::Location;

frame! {
    /// The position in the G-code program.
    pub struct Cursor = 0xAC, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// The position in the G-code program.
        pub cursor: Location,
    }
}
