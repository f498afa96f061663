//! GSSResponse: a token of GSSAPI or SSPI.

use super::message;
use crate::pg::text::Secret;

message! {
    /// A token of GSSAPI or SSPI.
    #[derive(Default)]
    pub struct GSSResponse<'a> = b'p', frontend(Answer) {
        /// The mechanism's bytes.
        pub data: Secret<'a>,
    }
}
