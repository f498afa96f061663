//! Axes (SPEC section 6.4).

use super::body::frame;
use super::list::List;

frame! {
    /// Where the axes are.
    pub struct Axes<'a> = 0xAA, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// Nanometres.
        pub positions: List<'a, i64, u8>,
    }
}
