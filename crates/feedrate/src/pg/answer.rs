//! The meanings of the frontend's type byte `p`.

/// How the next `p` message is to be read: see [`Frontend::expect`](super::Frontend::expect). It depends on the
/// server's last authentication request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Answer {
    /// As a [`PasswordMessage`](super::frontend::PasswordMessage).
    Password,
    /// As a [`SASLInitialResponse`](super::frontend::SASLInitialResponse).
    SaslInitial,
    /// As a [`SASLResponse`](super::frontend::SASLResponse).
    Sasl,
    /// As a [`GSSResponse`](super::frontend::GSSResponse), which SSPI uses too.
    Gss,
    /// As an [`AuthenticationResponse`](super::frontend::AuthenticationResponse): the request was malformed, or of a
    /// kind that this crate does not know.
    Unknown,
}
