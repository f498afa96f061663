//! Flush: the answers so far, please.

use super::message;

message! {
    /// Has the server send what it has buffered, without ending the batch.
    pub struct Flush = b'H', frontend(Small);
}
