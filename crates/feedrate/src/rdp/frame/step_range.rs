//! StepRange (SPEC sections 6.3 and 8.4).

use super::body::frame;

frame! {
    /// Executes instructions until the program has left a range. The answer is [`Done`](super::Done);
    /// [`Stopped`](super::Stopped) follows.
    pub struct StepRange = 0x13, from HOST {
        /// First address of the range.
        pub first: u64,
        /// Last address of the range.
        pub last: u64,
        /// Whether functions called from the range count as part of it.
        pub over: bool,
    }
}
