//! Parse: a statement, and the types of its parameters.

use super::message;
use crate::pg::list::List;
use crate::pg::text::Text;

message! {
    /// Makes a prepared statement.
    ///
    /// ```
    /// use feedrate::{Encode, pg::frontend::Parse};
    ///
    /// let mut out = Vec::new();
    /// Parse { statement: "s1".into(), sql: "select $1".into(), parameter_types: (&[23]).into() }.encode(&mut out)?;
    /// assert_eq!(out, b"P\0\0\0\x17s1\0select $1\0\0\x01\0\0\0\x17");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct Parse<'a> = b'P', frontend(Large) {
        /// The name of the statement to be made, empty for the unnamed one.
        pub statement: Text<'a> => Statement,
        /// One SQL statement.
        pub sql: Text<'a> => Sql,
        /// Object identifiers of the parameters' types, for as many parameters as the frontend wants to specify; 0
        /// leaves a type to the server.
        pub parameter_types: List<'a, u32> => ParameterTypes,
    }
}
