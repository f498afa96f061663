//! Release (SPEC section 6.3).

use super::body::frame;
use super::fingerprint::Fingerprint;

frame! {
    /// A variable is to be released. The answer is [`Done`](super::Done).
    pub struct Release = 0x1B, from HOST {
        /// Address of the variable.
        pub addr: u64,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
    }
}
