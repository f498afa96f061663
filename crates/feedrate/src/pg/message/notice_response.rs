//! NoticeResponse: a warning or other information.

use core::fmt;

use super::message;
use crate::pg::list::List;
use crate::pg::notice::{NoticeField, Severity, SqlState, field, report};
use crate::pg::text::Text;

message! {
    /// A warning or other information. It may come at any time.
    #[derive(Default)]
    pub struct NoticeResponse<'a> = b'N', backend(Report) {
        /// The fields, in the server's order.
        pub fields: List<'a, NoticeField<'a>>,
    }
}

report!(NoticeResponse);
