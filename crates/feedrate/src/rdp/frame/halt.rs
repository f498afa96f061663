//! Halt (SPEC section 6.3).

use super::body::frame;

frame! {
    /// The program is to stop, in the way that [`Welcome::halt`](super::Welcome::halt) declares. The answer is
    /// [`Done`](super::Done), which does not mean that the axes are at standstill; [`Stopped`](super::Stopped)
    /// follows.
    pub struct Halt = 0x10, from HOST;
}
