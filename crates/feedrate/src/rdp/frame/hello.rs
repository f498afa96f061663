//! Hello (SPEC sections 5.4 and 6.3).

use super::body::frame;
use super::list::{List, Secret};

frame! {
    /// The host begins a session. The answer is [`Welcome`](super::Welcome).
    pub struct Hello<'a> = 0x40, from HOST {
        /// Lowest version of the protocol that the host supports.
        pub lowest: u8,
        /// Highest version of the protocol that the host supports.
        pub highest: u8,
        /// Random.
        pub nonce: [u8; 16],
        /// The longest message that the host accepts on channel 1, in bytes, at least 512.
        pub longest: u16,
        /// The seals that the host offers, in ascending order of preference.
        pub suites: List<'a, u16, u8>,
        /// Who the host acts for. At most 384 bytes.
        pub token: Secret<'a, u16>,
    }
}
