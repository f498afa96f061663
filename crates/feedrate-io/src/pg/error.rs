//! What can go wrong with a session: [`Error`], and with connecting: [`ConnectError`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::io;

use feedrate::EncodeError;
use feedrate::pg;
use feedrate::pg::backend::{OwnedErrorResponse, SqlState};
use feedrate_pg::auth::{BadPolicy, Method};
use feedrate_pg::client::{self, LoginError, SendError};
use feedrate_pg::conninfo::{Failure, Invalid, Mismatch};

use crate::pg_tls;

/// Why the next event could not be returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed, the server was late, or what it sent is not what the protocol allows.
    #[error("{0}")]
    Connection(#[from] crate::Error<pg::Error, io::Error>),
    /// What the server sent may not come where it came, or cannot be read.
    #[error("{0}")]
    Session(#[from] client::Error),
}

impl Error {
    /// Whether the session is over.
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_over(),
            Self::Session(error) => error.is_lost(),
        }
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The settings do not say how to connect.
    #[error(transparent)]
    Settings(#[from] Invalid),
    /// The operating system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// There is no runtime for a blocking client.
    #[error("the runtime: {0}")]
    Runtime(#[source] io::Error),
    /// Every attempt failed.
    #[error("{}", List(.0))]
    NoServer(Vec<Tried>),
}

/// An attempt that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tried {
    /// Where to.
    pub place: String,
    /// Why.
    pub why: Why,
}

/// One line for each.
struct List<'a>(&'a [Tried]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is no server to connect to");
        }
        for (at, tried) in self.0.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}connection to {} failed: {}", tried.place, tried.why)?;
        }
        Ok(())
    }
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is no connection.
    #[error("{0}")]
    Io(io::Error),
    /// It took longer than `connect_timeout`.
    #[error("it took longer than {0:?} (connect_timeout)")]
    Late(Duration),
    /// TLS failed, or what came before it.
    #[error("{0}")]
    Tls(pg_tls::Error),
    /// The server does not encrypt, and `sslmode` insists.
    #[error("the server does not support SSL, but SSL was required (sslmode)")]
    NoTls,
    /// `sslmode` insists on TLS, and the program has no means to make it.
    #[error("SSL is required (sslmode), and the program has not said how to make it")]
    NoRoots,
    /// The server refused.
    #[error("{0}")]
    Refused(OwnedErrorResponse),
    /// The server refused after the authentication: there is no such database, say.
    #[error("{0}")]
    RefusedLate(OwnedErrorResponse),
    /// The server refused in the form of protocol 2.0.
    #[error("the server refused: {0:?}")]
    RefusedPlainly(String),
    /// The server closed the connection.
    #[error("server closed the connection unexpectedly")]
    Ended,
    /// What the server asks for cannot be answered, or may not be.
    #[error("{0}")]
    Login(LoginError),
    /// The server asks for GSSAPI or SSPI, for which there is no library here.
    #[error("the server asks for {0}, which this client has not")]
    Method(Method),
    /// The session failed.
    #[error("{0}")]
    Session(#[from] Error),
    /// Nobody knows what kind of server it is: it does not answer.
    #[error("what kind of server it is could not be found out: {0}")]
    Question(Box<Why>),
    /// A question about the server cannot be sent.
    #[error("{0}")]
    Request(SendError),
    /// What has to be sent cannot be.
    #[error("{0}")]
    Message(EncodeError),
    /// The settings do not say who logs in, or how.
    #[error("{0}")]
    Settings(Invalid),
    /// `require_auth` is none.
    #[error("{0}")]
    Policy(BadPolicy),
    /// The operating system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// It is another server than the one that is wanted.
    #[error("{0}")]
    Mismatch(Mismatch),
}

impl Why {
    /// What this means for the attempts that follow. `None`: they know.
    pub(super) fn failure(&self) -> Option<Failure> {
        Some(match self {
            Self::NoTls | Self::Mismatch(_) => return None,
            Self::Io(_) | Self::Late(_) => Failure::Unreachable,
            Self::Tls(error) if error.is_handshake() => Failure::Tls,
            Self::Refused(error) => Failure::Rejected(error.as_response().sql_state().unwrap_or(NO_STATE)),
            Self::RefusedPlainly(_) => Failure::Rejected(OLD),
            Self::Ended | Self::Session(Error::Connection(crate::Error::Io(_))) => Failure::Closed,
            Self::Question(_) => Failure::Question,
            _ => Failure::Other,
        })
    }
}

/// The state in an error that has none.
const NO_STATE: SqlState = SqlState(*b"XX000");
/// What a server's error would say that knows protocol 2.0 only.
const OLD: SqlState = SqlState(*b"0A000");

/// Why a session could not be cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CancelError {
    /// The server could not be reached.
    #[error("{0}")]
    Io(io::Error),
    /// TLS failed.
    #[error("{0}")]
    Tls(pg_tls::Error),
    /// The connection failed, or the server was late in closing it.
    #[error("{0}")]
    Connection(#[from] crate::Error<pg::Error, io::Error>),
    /// The session is encrypted, and the server did not encrypt this connection.
    #[error("the server did not encrypt the connection for the CancelRequest")]
    NoTls,
}
