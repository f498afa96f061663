//! WriteMemory (SPEC sections 6.3 and 8.6).

use super::body::frame;
use super::fingerprint::Fingerprint;
use super::list::Bytes;

frame! {
    /// Memory is to be changed, while the program is stopped. The answer is [`Done`](super::Done).
    pub struct WriteMemory<'a> = 0x1D, from HOST {
        /// First address.
        pub addr: u64,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
        /// What is to be there, at least 1 byte.
        pub data: Bytes<'a, u16>,
    }
}
