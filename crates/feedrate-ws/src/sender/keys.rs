//! Masking keys: RFC 6455, section 5.3.

use crate::role::Role;

/// Where masking keys come from.
pub trait Keys {
    /// Which side has such keys.
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

/// A client's keys must not be known beforehand by who gives it things to send (RFC 6455, section 10.3): a
/// cryptographic generator makes them.
impl<F: FnMut() -> [u8; 4]> Keys for F {
    const ROLE: Role = Role::Client;

    fn next_key(&mut self) -> Option<[u8; 4]> {
        Some(self())
    }
}
