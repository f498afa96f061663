//! Sync: the end of a batch.

use super::message;

message! {
    /// Ends a batch of the extended query flow. The server returns ReadyForQuery; after an error it discards
    /// everything up to here.
    pub struct Sync = b'S', frontend(Small);
}
