//! Numbers of the protocol that both sides keep to (SPEC section 9).

/// Version of the protocol.
pub(crate) const VERSION: u8 = 3;
/// The longest message on channel 0, and on channel 1 before the handshake has set another limit (SPEC section 4.2).
pub(crate) const FIRST_LIMIT: usize = 512;
/// The upper limit of a message's length.
pub(crate) const LONGEST: usize = 4096;
/// The longest token.
pub(crate) const TOKEN: usize = 384;
/// The longest name of a firmware, and of a variable.
pub(crate) const NAME: usize = 32;
/// The maximum number of axes.
pub(crate) const AXES: usize = 16;
/// The maximum number of PLC registers in State.
pub(crate) const PLC: usize = 32;
/// The longest variable, and value of a force.
pub(crate) const VALUE: usize = 16;
