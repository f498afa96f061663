//! Describe: asks for the description of a statement or portal.

use super::message;
use crate::pg::target::Target;

message! {
    /// Asks for the description of a statement (ParameterDescription, then RowDescription or NoData) or of a portal
    /// (the latter alone).
    ///
    /// ```
    /// use feedrate::{Encode, pg::frontend::{Describe, Target}};
    ///
    /// let mut out = Vec::new();
    /// Describe { target: Target::Statement("s1".into()) }.encode(&mut out)?;
    /// assert_eq!(out, b"D\0\0\0\x08Ss1\0");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    pub struct Describe<'a> = b'D', frontend(Small) {
        /// What is to be described.
        pub target: Target<'a>,
    }
}
