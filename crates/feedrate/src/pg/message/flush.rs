//! Flush: makes the server send what it has.

use super::message;

message! {
    /// Makes the server send what it has buffered, without ending the batch.
    pub struct Flush = b'H', frontend(Small);
}
