//! Hello (SPEC section 6.3).

use super::body::frame;
use super::list::Bytes;

frame! {
    /// The host begins a session. The answer is [`Welcome`](super::Welcome).
    pub struct Hello<'a> = 0x40, from HOST {
        /// Lowest version of the protocol that the host speaks.
        pub lowest: u8,
        /// Highest version of the protocol that the host speaks.
        pub highest: u8,
        /// Random.
        pub nonce: [u8; 16],
        /// The longest message that the host accepts, in bytes.
        pub longest: u16,
        /// Who the host acts for. At most 384 bytes.
        pub token: Bytes<'a, u16>,
    }
}
