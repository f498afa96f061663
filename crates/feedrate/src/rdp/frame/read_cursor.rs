//! ReadCursor (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Where is the G-code program? The answer is [`Cursor`](super::Cursor).
    pub struct ReadCursor = 0x2C, from HOST;
}
