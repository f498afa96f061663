//! Step (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Executes some instructions. The answer is [`Done`](super::Done); [`Stopped`](super::Stopped) follows.
    pub struct Step = 0x12, from HOST {
        /// How many instructions, at least 1.
        pub count: u32,
        /// Whether every step is reported, and not only the last one.
        pub trace: bool,
    }
}
