//! WriteRegister (SPEC sections 6.3 and 8.6).

use super::body::frame;
use super::fingerprint::Fingerprint;

frame! {
    /// A register is to be changed, while the program is stopped. The answer is [`Done`](super::Done).
    pub struct WriteRegister = 0x1E, from HOST {
        /// Index of the register in its architecture (SPEC section 7).
        pub register: u8,
        /// What is to be in it.
        pub value: u64,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
    }
}
