//! CopyFail: a COPY is given up.

use super::message;
use crate::pg::text::Text;

message! {
    /// The frontend gives up a COPY it was sending; the server returns an error.
    ///
    /// Servers since PostgreSQL 14 close the connection at one whose length is more than 10000; those before take it.
    /// [`FrontendLimits::since_14`](crate::pg::FrontendLimits::since_14) refuses it.
    #[derive(Default)]
    pub struct CopyFail<'a> = b'f', frontend(Small) {
        /// The reason, which the server puts into its error.
        pub reason: Text<'a>,
    }
}
