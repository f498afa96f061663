//! Memory (SPEC section 6.4).

use super::body::frame;
use super::list::Bytes;

frame! {
    /// The contents of memory.
    pub struct Memory<'a> = 0x99, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// First address.
        pub addr: u64,
        /// The contents. If shorter than requested, the rest is not mapped, or too much for one answer.
        pub data: Bytes<'a, u16>,
    }
}
