//! CopyInResponse: the server is ready for COPY data.

use super::message;
use crate::pg::format::{Format, OneByte};
use crate::pg::list::List;

message! {
    /// The server is ready to take CopyData from the frontend.
    #[derive(Default)]
    pub struct CopyInResponse<'a> = b'G', backend(Short) {
        /// The overall format: an Int8 on the wire, so 0 to 255.
        pub format: Format as OneByte,
        /// The format of each column.
        pub column_formats: List<'a, Format>,
    }
}
