//! SASLResponse: what a SASL mechanism says.

use super::message;
use crate::pg::text::Secret;

message! {
    /// What the SASL mechanism says next.
    #[derive(Default)]
    pub struct SASLResponse<'a> = b'p', frontend(Sasl) {
        /// The mechanism's bytes.
        pub data: Secret<'a>,
    }
}
