//! Stopped (SPEC section 6.4).

use super::body::frame;
use super::field::{enumeration, optional};
use super::values::Values;

frame! {
    /// The program has come to a stand: an event, which answers nothing.
    pub struct Stopped<'a> = 0x92, from AGENT {
        /// Sequence of the Halt, Step or StepRange that it comes from, or 0.
        pub request: u32,
        /// Why.
        pub reason: Reason,
        /// Whether further steps of the same request follow.
        pub more: bool,
        /// Whether the axes stand, as the control believes.
        pub axes: Standing,
        /// Depends on the reason.
        pub detail: u64,
        /// Number of the capture: see [`Registers::capture`](super::Registers::capture).
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
        /// An interlock stopped it, or forbade the next step.
        Interlock = 6,
        /// It has been reset.
        Reset = 7,
    }
}

enumeration! {
    /// Whether the axes stand, as the control believes. It is no safe standstill (SPEC section 13).
    #[non_exhaustive]
    pub enum Standing {
        /// Not known.
        Unknown = 0,
        /// All of them stand.
        Stand = 1,
        /// Some of them move.
        Move = 2,
    }
}

optional!(Reason);
