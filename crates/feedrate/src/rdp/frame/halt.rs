//! Halt (SPEC section 6.3).

use super::body::frame;

frame! {
    /// The program is to stop, and what else [`Welcome::halt`](super::Welcome::halt) says. The answer is
    /// [`Done`](super::Done), which does not mean that the axes stand; [`Stopped`](super::Stopped) follows.
    pub struct Halt = 0x10, from HOST;
}
