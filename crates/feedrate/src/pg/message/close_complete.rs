//! CloseComplete: Close was carried out.

use super::message;

message! {
    /// Answers Close.
    pub struct CloseComplete = b'3', backend(Short);
}
