//! Close: closes a statement or portal.

use super::message;
use crate::pg::target::Target;

message! {
    /// Closes a statement together with its portals, or one portal. A name that does not exist is not an error.
    ///
    /// ```
    /// use feedrate::{Encode, pg::frontend::{Close, Target}};
    ///
    /// let mut out = Vec::new();
    /// Close { target: Target::Portal("".into()) }.encode(&mut out)?;
    /// assert_eq!(out, b"C\0\0\0\x06P\0");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    pub struct Close<'a> = b'C', frontend(Small) {
        /// What is to be closed.
        pub target: Target<'a>,
    }
}
