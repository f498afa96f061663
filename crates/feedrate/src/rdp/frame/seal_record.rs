//! SealRecord (SPEC sections 5.5 and 6.3).

use super::body::frame;
use super::list::{Secret, ToEnd};

frame! {
    /// A part of a seal's own handshake, before [`Hello`](super::Hello). What answers it is the seal's to say.
    pub struct SealRecord<'a> = 0x44, from BOTH {
        /// Number of the seal.
        pub suite: u16,
        /// What the seal says.
        pub record: Secret<'a, ToEnd>,
    }
}
