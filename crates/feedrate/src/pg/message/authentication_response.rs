//! An answer to an authentication request, of unknown kind.

use super::message;
use crate::pg::text::Secret;

message! {
    /// A `p` message whose kind the decoder has not been told: see [`Frontend::expect`](crate::pg::Frontend::expect).
    #[derive(Default)]
    pub struct AuthenticationResponse<'a> = b'p', frontend(Answer) {
        /// The mechanism's bytes.
        pub data: Secret<'a>,
    }
}
