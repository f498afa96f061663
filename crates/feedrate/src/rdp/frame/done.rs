//! Done (SPEC section 6.4).

use super::body::frame;

frame! {
    /// A command has been done.
    pub struct Done = 0x80, from AGENT {
        /// Sequence of the command.
        pub request: u32,
    }
}
