//! Stopped (SPEC section 6.4).

use super::body::frame;
use super::field::{enumeration, optional};
use super::values::Values;

frame! {
    /// The program has stopped: an event, which answers nothing.
    pub struct Stopped<'a> = 0x92, from AGENT {
        /// Sequence of the Halt, Step or StepRange that caused it, or 0.
        pub request: u32,
        /// Why.
        pub reason: Reason,
        /// Whether further steps of the same request follow.
        pub more: bool,
        /// Whether the axes are at standstill, as the control believes.
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
    /// Why the program has stopped.
    #[non_exhaustive]
    pub enum Reason {
        /// It was stepped.
        Step = 1,
        /// It hit a breakpoint, whose id is the detail.
        Breakpoint = 2,
        /// It hit a watchpoint: its id is the upper half of the detail, and the lower 32 bits of the address are the
        /// lower half.
        Watch = 3,
        /// It was halted.
        Halted = 4,
        /// It caused a fault; the detail is the architecture's code.
        Fault = 5,
        /// An interlock stopped it, or forbade the next step.
        Interlock = 6,
        /// It has been reset.
        Reset = 7,
    }
}

enumeration! {
    /// Whether the axes are at standstill, as the control believes. This is not a safe standstill (SPEC section 13).
    #[non_exhaustive]
    pub enum Standing {
        /// Not known.
        Unknown = 0,
        /// All of them are at standstill.
        Stand = 1,
        /// Some of them are moving.
        Move = 2,
    }
}

optional!(Reason);
