//! ReadMap (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Which memory is there? The answer is [`Map`](super::Map).
    #[derive(Default)]
    pub struct ReadMap = 0x34, from HOST {
        /// Number of the first region wanted, counted from 0.
        pub from: u16,
    }
}
