//! Stopped (SPEC section 6.4).

use super::body::frame;
use super::field::enumeration;
use super::values::Values;

frame! {
    /// The program has come to a stand: an event, which answers nothing.
    pub struct Stopped<'a> = 0x92, from AGENT {
        /// Sequence of the Halt or Step that it comes from, or 0.
        pub request: u32,
        /// Why.
        pub reason: Reason,
        /// Whether further steps of the same request follow.
        pub more: bool,
        /// Depends on the reason.
        pub detail: u64,
        /// Number of the capture.
        pub capture: u32,
        /// The registers that have changed since they were last sent, and the program counter.
        pub values: Values<'a>,
    }
}

enumeration! {
    /// Why the program stands still.
    #[non_exhaustive]
    pub enum Reason {
        /// It was stepped.
        Step = 1,
        /// It met a breakpoint, whose id is the detail.
        Breakpoint = 2,
        /// It met a watchpoint: its id is the upper half of the detail, and the address the lower.
        Watch = 3,
        /// It was told to halt.
        Halted = 4,
        /// It did something that cannot be; the detail is the architecture's code.
        Fault = 5,
        /// An interlock stopped it.
        Interlock = 6,
        /// It has been reset.
        Reset = 7,
    }
}
