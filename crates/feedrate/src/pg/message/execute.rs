//! Execute: runs a portal.

use super::message;
use crate::pg::text::Text;

message! {
    /// Runs a portal.
    ///
    /// ```
    /// use feedrate::{Encode, pg::frontend::Execute};
    ///
    /// let mut out = Vec::new();
    /// Execute { portal: "".into(), max_rows: 0 }.encode(&mut out)?;
    /// assert_eq!(out, b"E\0\0\0\x09\0\0\0\0\0");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct Execute<'a> = b'E', frontend(Small) {
        /// The portal's name.
        pub portal: Text<'a>,
        /// After this many rows the server sends PortalSuspended. 0 and less: all rows.
        pub max_rows: i32,
    }
}
