//! Times that both sides wait (SPEC section 9), in milliseconds.

/// How long a handshake may take.
pub(crate) const HANDSHAKE: u32 = 5000;
/// How long goodbyes may take.
pub(crate) const GOODBYE: u32 = 1000;
