//! ParseComplete: Parse was carried out.

use super::message;

message! {
    /// Answers Parse.
    pub struct ParseComplete = b'1', backend(Short);
}
