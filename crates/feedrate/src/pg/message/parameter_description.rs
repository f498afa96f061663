//! ParameterDescription: the types of a statement's parameters.

use super::message;
use crate::pg::list::List;

message! {
    /// The types of a statement's parameters, in answer to Describe.
    ///
    /// libpq refuses more than 7498 parameters, because this type is missing from its list of messages that may be
    /// long.
    #[derive(Default)]
    pub struct ParameterDescription<'a> = b't', backend(Description) {
        /// Object identifiers.
        pub types: List<'a, u32>,
    }
}
