//! GetStatus (SPEC section 6.3).

use super::body::frame;

frame! {
    /// How is the agent? The answer is [`Status`](super::Status).
    pub struct GetStatus = 0x28, from HOST;
}
