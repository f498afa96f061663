//! EmptyQueryResponse: the query string was empty.

use super::message;

message! {
    /// In place of CommandComplete, for a query string without a command in it.
    pub struct EmptyQueryResponse = b'I', backend(Short);
}
