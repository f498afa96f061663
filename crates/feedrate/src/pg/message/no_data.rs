//! NoData: there are no rows to describe.

use super::message;

message! {
    /// In place of RowDescription, for a statement or portal that returns no rows.
    pub struct NoData = b'n', backend(Short);
}
