//! Masking keys: RFC 6455, section 5.3.

use crate::role::Role;

/// Where masking keys come from.
pub trait Keys {
    /// The side that uses such keys.
    const ROLE: Role;

    /// The next frame's key, if frames are masked.
    fn next_key(&mut self) -> Option<[u8; 4]>;
}

/// A server masks nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmasked;

impl Keys for Unmasked {
    const ROLE: Role = Role::Server;

    fn next_key(&mut self) -> Option<[u8; 4]> {
        None
    }
}

/// A client's keys must not be predictable for whoever supplies the data (RFC 6455, section 10.3): use a cryptographic
/// generator.
impl<F: FnMut() -> [u8; 4]> Keys for F {
    const ROLE: Role = Role::Client;

    fn next_key(&mut self) -> Option<[u8; 4]> {
        Some(self())
    }
}
