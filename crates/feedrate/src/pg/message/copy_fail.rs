//! CopyFail: the frontend aborts a COPY.

use super::message;
use crate::pg::text::Text;

message! {
    /// The frontend aborts a COPY it was sending; the server returns an error.
    ///
    /// Servers since PostgreSQL 14 close the connection if the length is more than 10000; older ones accept it.
    /// [`FrontendLimits::since_14`](crate::pg::FrontendLimits::since_14) refuses it.
    #[derive(Default)]
    pub struct CopyFail<'a> = b'f', frontend(Small) {
        /// The reason, which the server puts into its error.
        pub reason: Text<'a>,
    }
}
