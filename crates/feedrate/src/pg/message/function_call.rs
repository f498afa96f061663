//! FunctionCall: a function, called by its object identifier.

use super::message;
use crate::pg::format::Format;
use crate::pg::list::List;

message! {
    /// Calls a function without SQL. The documentation advises against it, but libpq's large object functions still use
    /// it.
    #[derive(Default)]
    pub struct FunctionCall<'a> = b'F', frontend(Large) {
        /// The function's object identifier.
        pub function: u32 => Function,
        /// How the arguments are represented: none, one for all, or one each.
        pub argument_formats: List<'a, Format> => ParameterFormats,
        /// The arguments' values.
        pub arguments: List<'a, Option<&'a [u8]>> => Values,
        /// The requested representation of the result.
        pub result_format: Format => ResultFormat,
    }
}
