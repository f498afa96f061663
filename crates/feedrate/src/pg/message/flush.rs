//! Flush: the server is to send what it has.

use super::message;

message! {
    /// Has the server send what it has buffered, without ending the batch.
    pub struct Flush = b'H', frontend(Small);
}
