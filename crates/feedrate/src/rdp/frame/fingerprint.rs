//! The fingerprint, which Welcome states and which every command that can move the machine repeats (SPEC sections 6.3
//! and 6.4).

/// Identifies one physical device and its firmware: another controller, or the same one with another program, has
/// another fingerprint.
pub type Fingerprint = [u8; 16];
