//! Terminate: the end of a connection.

use super::message;

message! {
    /// The frontend is done, and closes the connection.
    pub struct Terminate = b'X', frontend(End);
}
