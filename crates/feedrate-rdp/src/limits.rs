//! Numbers of the protocol that both sides keep to (SPEC section 9).

/// Version of the protocol.
pub(crate) const VERSION: u8 = 3;
/// The longest message before the handshake has said something else.
pub(crate) const FIRST_LIMIT: usize = 512;
/// The longest message that there may be.
pub(crate) const LONGEST: usize = 4096;
/// The longest token.
pub(crate) const TOKEN: usize = 384;
/// The longest name of a firmware.
pub(crate) const NAME: usize = 32;
