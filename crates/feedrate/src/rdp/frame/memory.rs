//! Memory (SPEC section 6.4).

use super::body::frame;
use super::list::Bytes;

frame! {
    /// What is in memory.
    pub struct Memory<'a> = 0x99, from AGENT {
        /// Sequence of the command.
        pub request: u32,
        /// First address.
        pub addr: u64,
        /// What is there. If shorter than asked for, the rest is not mapped, or too much for one answer.
        pub data: Bytes<'a, u16>,
    }
}
