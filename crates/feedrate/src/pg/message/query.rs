//! Query: SQL, run at once.

use super::message;
use crate::pg::text::Text;

message! {
    /// One or more SQL statements, run at once.
    ///
    /// ```
    /// use feedrate::{Encode, pg::frontend::Query};
    ///
    /// let mut out = Vec::new();
    /// Query { sql: "select 1".into() }.encode(&mut out)?;
    /// assert_eq!(out, b"Q\0\0\0\x0dselect 1\0");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct Query<'a> = b'Q', frontend(Large) {
        /// The statements, separated by semicolons.
        pub sql: Text<'a> => Sql,
    }
}
