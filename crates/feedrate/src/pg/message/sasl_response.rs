//! SASLResponse: the next message of a SASL mechanism.

use super::message;
use crate::pg::text::Secret;

message! {
    /// The next message of the SASL mechanism.
    #[derive(Default)]
    pub struct SASLResponse<'a> = b'p', frontend(Sasl) {
        /// The mechanism's bytes.
        pub data: Secret<'a>,
    }
}
