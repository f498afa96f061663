//! Agree (SPEC section 6.3).

use super::body::frame;

frame! {
    /// The host confirms the machine's state. The answer is [`Done`](super::Done): the session is active.
    pub struct Agree = 0x41, from HOST {
        /// CRC-32 of the body of State.
        pub crc: u32,
    }
}
