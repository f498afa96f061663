//! GetStatus (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Asks for the agent's status. The answer is [`Status`](super::Status).
    pub struct GetStatus = 0x28, from HOST;
}
