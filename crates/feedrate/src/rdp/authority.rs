//! Who may do what (SPEC section 8.2).

use super::audit::Operator;
use super::target::Fingerprint;

/// What a token grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Domains(pub u8);

impl Domains {
    /// Looking.
    pub const OBSERVE: Self = Self(1);
    /// Breakpoints, halting, stepping.
    pub const CONTROL: Self = Self(2);
    /// Forcing variables and setting axes.
    pub const FORCE: Self = Self(4);
    /// Saying which breakpoints are allowed.
    pub const POLICY: Self = Self(8);
    /// All of it.
    pub const ALL: Self = Self(15);

    /// Whether all of `other` is granted.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a good token says.
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
/// use feedrate::rdp::{Authorize, Domains, Fingerprint, Grant};
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

/// What the target can do, as Welcome tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// [`Breakpoints`](super::Breakpoints).
    pub const BREAKPOINTS: Self = Self(1);
    /// [`Stepping`](super::Stepping).
    pub const STEPPING: Self = Self(2);
    /// [`Memory`](super::Memory).
    pub const MEMORY: Self = Self(4);
    /// [`Forcing`](super::Forcing).
    pub const FORCING: Self = Self(8);
    /// [`Machine`](super::Machine).
    pub const MACHINE: Self = Self(16);
    /// [`Audit`](super::Audit).
    pub const AUDIT: Self = Self(32);

    /// Whether all of `other` is there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
