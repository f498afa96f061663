//! Why a session could not begin: [`Error`].

use alloc::vec::Vec;
use core::fmt;
use std::io;

use feedrate::pg;
use tokio_rustls::rustls;

/// Why a session could not begin. The connection is gone then, in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed, the peer was late, or what it sent is not what the protocol allows.
    #[error("{0}")]
    Connection(#[from] crate::Error<pg::Error, io::Error>),
    /// The TLS handshake failed.
    #[error("TLS: {0}")]
    Tls(#[source] rustls::Error),
    /// The server does not encrypt, and this client insists ([`Mode::Require`](super::Mode::Require)).
    #[error("the server does not encrypt")]
    Refused,
    /// The server answered the request for TLS with an error. So does one that is overloaded, or older than PostgreSQL
    /// 7: and so does whoever wants to make its words appear as the server's.
    #[error("the server answered the request for TLS with an error")]
    Failed(Untrusted),
    /// The server closed the connection in place of an answer.
    #[error("the server closed the connection when it was asked for TLS")]
    Closed,
    /// A client began TLS without asking, and there is none.
    #[error("a client began TLS, which is not offered")]
    NotOffered,
    /// TLS began without having been asked for, and the peer did not say that it is for PostgreSQL: it might be for
    /// another protocol, whose messages somebody has sent here (the ALPACA attack).
    #[error("direct TLS without the ALPN protocol `postgresql`")]
    NoAlpn,
    /// The connection had bytes already when TLS was to be asked for: an answer could not be told from them.
    #[error("bytes came from the server before it was asked for TLS")]
    Begun,
}

/// What a server said before it was known to be one (CVE-2024-10977): anybody may have written it, to be shown to the
/// user. It is in no error's text.
#[derive(Clone, PartialEq, Eq)]
pub struct Untrusted(pub(super) Vec<u8>);

impl Untrusted {
    /// The bytes, from the `E` on: an ErrorResponse, or text that ends in a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

impl Error {
    /// Whether the TLS handshake itself failed, and not what came before it.
    pub const fn is_handshake(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::NoAlpn)
    }

    /// The TLS layer's, which wraps its errors in those of the transport.
    pub(super) fn of_tls(error: io::Error) -> Self {
        match error.downcast::<rustls::Error>() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Connection(crate::Error::Io(error)),
        }
    }
}
