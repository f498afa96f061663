//! Who may do what (SPEC section 8.2).

use feedrate::rdp::frame::{Domains, Fingerprint, Operator};

/// What a good token says.
// Exhaustive: whoever checks tokens writes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Who it is.
    pub operator: Operator,
    /// What they may do.
    pub domains: Domains,
    /// For how long, in milliseconds from now on.
    pub lasts: u32,
}

/// The authority that checks tokens. A token is for one device, and short-lived; what it looks like is between
/// whoever signs it and whoever checks it (a JWT, say).
///
/// It is a function of the token and the device, so that a closure will do:
///
/// ```
/// use feedrate::rdp::frame::{Domains, Fingerprint};
/// use feedrate_rdp::authority::{Authorize, Grant};
///
/// fn check(token: &[u8], device: &Fingerprint) -> Result<Grant, u32> {
///     // Verify the signature, the device and the date here.
///     let grant = Grant { operator: *b"maria\0\0\0", domains: Domains::OBSERVE, lasts: 600_000 };
///     if token == b"let maria look" { Ok(grant) } else { Err(1) }
/// }
///
/// let mut authority = check;
/// assert!(authority.authorize(b"", &[0; 16]).is_err());
/// ```
pub trait Authorize {
    /// Checks a token.
    ///
    /// # Errors
    ///
    /// A code that tells the peer why, in the detail of Error `BadToken`.
    fn authorize(&mut self, token: &[u8], device: &Fingerprint) -> Result<Grant, u32>;
}

impl<F: FnMut(&[u8], &Fingerprint) -> Result<Grant, u32>> Authorize for F {
    fn authorize(&mut self, token: &[u8], device: &Fingerprint) -> Result<Grant, u32> {
        self(token, device)
    }
}
