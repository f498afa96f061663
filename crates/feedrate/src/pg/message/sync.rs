//! Sync: the end of a batch.

use super::message;

message! {
    /// Ends a batch of the extended query flow. The server returns ReadyForQuery; after an error it discards
    /// everything up to here.
    ///
    /// Write `frontend::Sync`: imported by itself, it hides the `Sync` of the standard library.
    pub struct Sync = b'S', frontend(Small);
}
