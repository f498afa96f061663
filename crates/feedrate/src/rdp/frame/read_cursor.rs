//! ReadCursor (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Where does the G-code program stand? The answer is [`Cursor`](super::Cursor).
    pub struct ReadCursor = 0x2C, from HOST;
}
