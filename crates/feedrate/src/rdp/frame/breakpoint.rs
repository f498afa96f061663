//! The breakpoint frame: five kinds with one body of 18 bytes in all (SPEC section 6.1).

use super::body::kinds;
use super::field::fields;

fields! {
    /// The body of five kinds:
    ///
    /// | kind | meaning | answer |
    /// |---|---|---|
    /// | SetBreakpoint | stop at the address, by whatever means | [`BreakpointSet`](super::BreakpointSet) |
    /// | ClearBreakpoint | no longer stop there; an address of 0 means any address | [`Done`](super::Done) |
    /// | ListBreakpoints | which there are, from the id on | [`Breakpoints`](super::Breakpoints) |
    /// | SetHardwareBreakpoint | stop there by a comparator of the processor | as SetBreakpoint |
    /// | SetSoftwareBreakpoint | stop there by patching the instruction | as SetBreakpoint |
    pub struct Breakpoint {
        /// The instruction's address; 0 in ListBreakpoints.
        pub addr: u64,
        /// Chosen by the host, unique in the session. In ListBreakpoints, the lowest that is wanted.
        pub id: u32,
    }
}

kinds! {
    SetBreakpoint = 0x01, from HOST;
    ClearBreakpoint = 0x02, from HOST;
    ListBreakpoints = 0x03, from HOST;
    SetHardwareBreakpoint = 0x04, from HOST;
    SetSoftwareBreakpoint = 0x05, from HOST;
}
