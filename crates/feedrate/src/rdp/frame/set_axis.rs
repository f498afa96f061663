//! SetAxis (SPEC section 6.3).

use super::body::frame;
use super::fingerprint::Fingerprint;

frame! {
    /// The position at which the machine is to take an axis to be. It moves nothing. The answer is
    /// [`Done`](super::Done).
    pub struct SetAxis = 0x29, from HOST {
        /// Index of the axis.
        pub axis: u8,
        /// Nanometres.
        pub position: i64,
        /// Which device this is meant for.
        pub fingerprint: Fingerprint,
    }
}
