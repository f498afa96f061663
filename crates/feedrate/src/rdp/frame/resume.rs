//! Resume (SPEC section 6.3).

use super::body::frame;

frame! {
    /// The program is to resume. The answer is [`Done`](super::Done).
    pub struct Resume = 0x11, from HOST;
}
