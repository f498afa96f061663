//! Force (SPEC section 6.3).

use super::body::frame;
use super::fingerprint::Fingerprint;
use super::list::Bytes;

frame! {
    /// A variable is to be held at a value, for some time. The answer is [`Done`](super::Done).
    pub struct Force<'a> = 0x1A, from HOST {
        /// Address of the variable.
        pub addr: u64,
        /// How long it is held, in milliseconds, at least 1.
        pub lease: u32,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
        /// 1 to 16 bytes, in the target's byte order.
        pub value: Bytes<'a, u8>,
    }
}
