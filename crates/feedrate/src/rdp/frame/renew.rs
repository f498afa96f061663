//! Renew (SPEC section 6.3).

use super::body::frame;
use super::fingerprint::Fingerprint;

frame! {
    /// Holds a forced variable for longer. The answer is [`Done`](super::Done).
    pub struct Renew = 0x1C, from HOST {
        /// Address of the variable.
        pub addr: u64,
        /// How long it is held, from now on, in milliseconds, at least 1.
        pub lease: u32,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
    }
}
