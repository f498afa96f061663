//! CopyBothResponse: COPY data flow both ways.

use super::message;
use crate::pg::format::{Format, OneByte};
use crate::pg::list::List;

message! {
    /// CopyData flows both ways: streaming replication.
    #[derive(Default)]
    pub struct CopyBothResponse<'a> = b'W', backend(Short) {
        /// The overall format: an Int8 on the wire, so 0 to 255.
        pub format: Format as OneByte,
        /// The format of each column.
        pub column_formats: List<'a, Format>,
    }
}
