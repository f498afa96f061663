//! Bind: values for a prepared statement's parameters.

use super::message;
use crate::pg::format::Format;
use crate::pg::list::List;
use crate::pg::text::Text;

message! {
    /// Makes a portal from a prepared statement and values for its parameters.
    ///
    /// A list of formats is empty (all text), has one element (for all), or one for each parameter or result column.
    /// The server checks how many there are.
    ///
    /// ```
    /// use feedrate::{Encode, pg::{Format, List, frontend::Bind}};
    ///
    /// let parameters = [Some(&b"42"[..]), None];
    /// let bind = Bind {
    ///     statement: "s1".into(),
    ///     parameters: List::from(&parameters),
    ///     result_formats: List::from(&[Format::BINARY]),
    ///     ..Bind::default()
    /// };
    /// let mut out = Vec::new();
    /// bind.encode(&mut out)?;
    /// assert_eq!(out, b"B\0\0\0\x1a\0s1\0\0\0\0\x02\0\0\0\x0242\xff\xff\xff\xff\0\x01\0\x01");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct Bind<'a> = b'B', frontend(Large) {
        /// The name of the portal to be made, empty for the unnamed one.
        pub portal: Text<'a> => Portal,
        /// The name of the prepared statement.
        pub statement: Text<'a> => Statement,
        /// How the parameters are represented.
        pub parameter_formats: List<'a, Format> => ParameterFormats,
        /// The parameters' values.
        pub parameters: List<'a, Option<&'a [u8]>> => Values,
        /// The requested representation of the result columns.
        pub result_formats: List<'a, Format> => ResultFormats,
    }
}
