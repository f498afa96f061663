//! BindComplete: Bind was carried out.

use super::message;

message! {
    /// Answers Bind.
    pub struct BindComplete = b'2', backend(Short);
}
