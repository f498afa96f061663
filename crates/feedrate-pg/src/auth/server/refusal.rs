//! Why a client is not let in.

use core::fmt::{self, Write};

use feedrate::pg::List;
use feedrate::pg::backend::{ErrorResponse, NoticeField, field};
use feedrate::{Encode, EncodeError, Output};

use super::super::buffer::Buffer;

/// Why a client is not let in. It encodes as an ErrorResponse, which is the last that the client gets.
///
/// ```
/// use feedrate::Encode;
/// use feedrate_pg::auth::Refusal;
///
/// let mut out = Vec::new();
/// Refusal::Denied.encode(&mut out)?;
/// assert_eq!(out, b"E\0\0\0\x3aSFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
///
/// A wrong password and an unknown user are the same, [`Denied`](Self::Denied), and come at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refusal {
    /// The password is wrong, or there is no such user.
    #[error("password authentication failed")]
    Denied,
    /// The caller has refused the bearer token.
    #[error("bearer authentication failed")]
    Token,
    /// The caller has refused the user: a certificate, GSSAPI, SSPI.
    #[error("authentication failed")]
    Caller,
    /// The client chose a SASL mechanism that it was not offered.
    #[error("the client chose a SASL mechanism that was not offered")]
    Mechanism,
    /// What the client says of channel binding is not so.
    #[error("{why}")]
    Binding {
        /// What is wrong.
        why: &'static str,
    },
    /// client-final-message has not the nonce of this exchange.
    #[error("client-final-message: expected the nonce of server-first-message")]
    Nonce,
    /// A message is malformed.
    #[error("{message}: expected {expected} at byte {at}")]
    Malformed {
        /// The message.
        message: &'static str,
        /// Offset within the message.
        at: usize,
        /// What is missing there.
        expected: &'static str,
    },
    /// A message is longer than what is kept of it.
    #[error("{message}: {size} bytes, expected at most {limit}")]
    TooLong {
        /// The message.
        message: &'static str,
        /// Its bytes.
        size: usize,
        /// The most that are kept.
        limit: usize,
    },
    /// The message does not come at its place: a second StartupMessage, a query, a response that nobody asked for.
    #[error("{what} came, expected {expected}")]
    OutOfPlace {
        /// The message.
        what: &'static str,
        /// What may come here.
        expected: &'static str,
    },
}

impl Refusal {
    /// The code that PostgreSQL sends with it.
    pub const fn sql_state(&self) -> &'static str {
        match self {
            Self::Denied => "28P01",
            Self::Token | Self::Caller | Self::Binding { .. } => "28000",
            Self::Mechanism
            | Self::Nonce
            | Self::Malformed { .. }
            | Self::TooLong { .. }
            | Self::OutOfPlace { .. } => "08P01",
        }
    }
}

/// ErrorResponse, whose message is what `Display` shows.
impl Encode for Refusal {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        // Longer than any of them.
        let mut text = Text(Buffer::<256>::new());
        let _ = write!(text, "{self}");
        let text = feedrate::pg::Text::from(text.0.as_bytes());
        let fields = [
            (field::SEVERITY, "FATAL".into()),
            (field::SEVERITY_NONLOCALIZED, "FATAL".into()),
            (field::CODE, self.sql_state().into()),
            (field::MESSAGE, text),
        ]
        .map(|(code, value)| NoticeField { code, value });
        ErrorResponse { fields: List::new(&fields) }.write(out)
    }
}

struct Text(Buffer<256>);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
