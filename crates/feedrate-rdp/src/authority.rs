//! Who may do what (SPEC section 8.2).

use core::time::Duration;

use feedrate::rdp::frame::{Domains, Fingerprint, Operator};

/// The longest time that a grant lasts: 24 hours, whatever it states.
pub(crate) const LONGEST: Duration = Duration::from_secs(86_400);

/// What a peer shows to be let in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim<'a> {
    /// The token in its Hello.
    pub token: &'a [u8],
    /// The device that it wants to talk to: this one.
    pub device: &'a Fingerprint,
    /// The suite of the session's seal; 0 is a checksum, which proves nothing.
    pub suite: u16,
    /// What the seal knows of the peer: its public key, say. Empty with suite 0.
    pub peer: &'a [u8],
}

impl<'a> Claim<'a> {
    /// A token for a device, in a session whose seal has no keys.
    pub const fn new(token: &'a [u8], device: &'a Fingerprint) -> Self {
        Self { token, device, suite: 0, peer: &[] }
    }
}

/// The token is a secret: only its length is shown.
impl core::fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Claim")
            .field("token", &self.token.len())
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

/// What a valid token grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Who it is.
    pub operator: Operator,
    /// What they may do.
    pub domains: Domains,
    /// For how long, from Hello on: 24 hours at most.
    pub lasts: Duration,
}

impl Grant {
    /// This operator may do this for so long.
    pub const fn new(operator: Operator, domains: Domains, lasts: Duration) -> Self {
        Self { operator, domains, lasts }
    }
}

/// The authority that checks tokens. A token is for one device, and short-lived; its format is agreed between whoever
/// signs it and whoever checks it (a JWT, say). SPEC section 11 states what revocation requires.
///
/// It is a function of what the peer shows, so that a closure will do:
///
/// ```
/// use core::time::Duration;
/// use feedrate::rdp::frame::Domains;
/// use feedrate_rdp::authority::{Authorize, Claim, Grant};
///
/// fn check(claim: &Claim<'_>) -> Result<Grant, u32> {
///     // Verify the signature, the device and the date here.
///     let grant = Grant::new(*b"maria\0\0\0", Domains::OBSERVE, Duration::from_secs(600));
///     if claim.token == b"let maria look" { Ok(grant) } else { Err(1) }
/// }
///
/// let mut authority = check;
/// assert!(authority.authorize(&Claim::new(b"", &[0; 16])).is_err());
/// ```
pub trait Authorize {
    /// Checks a token.
    ///
    /// # Errors
    ///
    /// A code that tells the peer why, in the detail of Error `BadToken`.
    fn authorize(&mut self, claim: &Claim<'_>) -> Result<Grant, u32>;
}

impl<F: FnMut(&Claim<'_>) -> Result<Grant, u32>> Authorize for F {
    fn authorize(&mut self, claim: &Claim<'_>) -> Result<Grant, u32> {
        self(claim)
    }
}
