//! Force (SPEC section 6.3).

use super::body::frame;
use super::fingerprint::Fingerprint;
use super::list::Bytes;

frame! {
    /// Holds a variable at a value for some time (SPEC section 8.7). The answer is [`Done`](super::Done).
    pub struct Force<'a> = 0x1A, from HOST {
        /// Address of the variable.
        pub addr: u64,
        /// How long it is held, in milliseconds, at least 1.
        pub lease: u32,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
        /// 1 to 16 bytes, in the target's byte order.
        pub value: Bytes<'a, u8>,
        /// The value that the variable is given at the end, before it is released: as long as the value, or empty;
        /// then it is released as it is.
        pub safe: Bytes<'a, u8>,
    }
}
