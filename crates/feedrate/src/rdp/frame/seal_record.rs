//! SealRecord (SPEC sections 5.5 and 6.3).

use super::body::frame;
use super::list::{Secret, ToEnd};

frame! {
    /// A part of a seal's own handshake, before [`Hello`](super::Hello). The seal defines what answers it.
    pub struct SealRecord<'a> = 0x44, from BOTH {
        /// Number of the seal.
        pub suite: u16,
        /// The seal's own data.
        pub record: Secret<'a, ToEnd>,
    }
}
