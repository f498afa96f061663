//! ListVariables (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Which variables are there? The answer is [`Variables`](super::Variables).
    #[derive(Default)]
    pub struct ListVariables = 0x33, from HOST {
        /// Number of the first variable wanted, counted from 0.
        pub from: u16,
    }
}
