//! Halt (SPEC section 6.3).

use super::body::frame;

frame! {
    /// The program is to stop. The answer is [`Done`](super::Done); [`Stopped`](super::Stopped) follows.
    pub struct Halt = 0x10, from HOST;
}
