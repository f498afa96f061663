//! What can go wrong with a WebSocket.

use std::io;
use std::string::String;

use feedrate::EncodeError;
use feedrate_ws::handshake::{ClientError, ServerError};
use feedrate_ws::{SendError, Truncated};

use crate::limits::Late;

/// Why a WebSocket could not do what it was asked to. After all but [`Send`](Self::Send) it is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// The peer broke a rule. The close frame that says which has been written, as far as the peer took it.
    #[error("{0}")]
    Violation(#[source] feedrate_ws::Error),
    /// The peer sends no more, and has not said goodbye: a message may be lost. What was queued has been written. TLS
    /// that ended without saying so is the same, as somebody else may have cut it.
    #[error("{0}")]
    Truncated(#[source] Truncated),
    /// The peer took too long.
    #[error("{0}")]
    Late(#[source] Late),
    /// A message cannot be sent: it can never fit into the queue, or the WebSocket is being closed.
    #[error("cannot send: {0}")]
    Send(#[source] SendError),
    /// No connection could be made.
    #[cfg(feature = "ws-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ws-tls")))]
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// Where to: the host and the port.
        address: String,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The handshake of TLS failed.
    #[cfg(feature = "ws-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ws-tls")))]
    #[error("TLS: {0}")]
    Tls(#[source] tokio_rustls::rustls::Error),
    /// A client closed the connection before its request, or inside it.
    #[error("the client closed the connection {} its request", where_it_ended(*.inside))]
    NoRequest {
        /// Part of the request had come.
        inside: bool,
    },
    /// A server closed the connection before its answer, or inside it.
    #[error("the server closed the connection {} its answer", where_it_ended(*.inside))]
    NoAnswer {
        /// Part of the answer had come.
        inside: bool,
    },
    /// A client's request was bad. It has been told.
    #[error("request refused: {0}")]
    Request(#[source] ServerError),
    /// A page of this origin may not connect. It has been told.
    #[error("a page of {0} may not connect")]
    Origin(String),
    /// A server's answer is not the one that was asked for.
    #[error("{0}")]
    Answer(#[source] ClientError),
    /// A request or an answer cannot be written as it is configured.
    #[error("cannot write the handshake: {0}")]
    Handshake(#[source] EncodeError),
}

fn where_it_ended(inside: bool) -> &'static str {
    if inside { "inside" } else { "before" }
}

impl Error {
    /// Whether the WebSocket is over.
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Send(_))
    }

    /// The TLS layer's, which wraps its errors in those of the transport.
    #[cfg(feature = "ws-tls")]
    pub(super) fn of_tls(error: io::Error) -> Self {
        match error.downcast() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Io(error),
        }
    }
}
