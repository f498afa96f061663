//! ParameterDescription: the types of a statement's parameters.

use super::message;
use crate::pg::list::List;

message! {
    /// The types of a statement's parameters, in answer to Describe.
    ///
    /// libpq refuses one of more than 7498 parameters: its type byte is missing in the list of those that may be long.
    #[derive(Default)]
    pub struct ParameterDescription<'a> = b't', backend(Description) {
        /// Object identifiers.
        pub types: List<'a, u32>,
    }
}
