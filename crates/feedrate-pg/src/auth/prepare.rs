//! SASLprep.

/// Gives the bytes that SCRAM hashes for this password, piece by piece.
pub(super) fn prepare(password: &[u8], mut piece: impl FnMut(&[u8])) {
    piece(password)
}
