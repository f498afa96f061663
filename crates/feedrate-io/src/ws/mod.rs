//! WebSocket over tokio's traits: [`accept`], [`connect`], and a [`WebSocket`] that lends its messages.
//!
//! An echo server, all of it:
//!
//! ```no_run
//! use feedrate_io::ws::{self, Config, Origins};
//! use tokio::net::TcpListener;
//!
//! # async fn serve() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:9001").await?;
//! loop {
//!     let (socket, _) = listener.accept().await?;
//!     tokio::spawn(async move {
//!         let mut ws = ws::accept(socket, &Config::new(Origins::Any)).await?;
//!         while let Some((message, mut out)) = ws.incoming().await? {
//!             out.send(message).await?;
//!         }
//!         Ok::<(), ws::Error>(())
//!     });
//! }
//! # }
//! ```
//!
//! [`WebSocket::split`] is for programs that send and receive in two tasks, [`WebSocket::in_pieces`] for messages that
//! are longer than memory, [`Accepting`] for servers that look at the request before they agree. Anything that is
//! `AsyncRead` and `AsyncWrite` carries a WebSocket. For TLS there is [`tls`], which also connects to a URL.
//!
//! # Limits
//!
//! Those of [`Limits`](crate::Limits), for the handshake, a message, idleness and what is queued, and those of
//! [`Config`] and [`ClientConfig`]: the longest message, how long a peer may be silent before it is asked whether it is
//! there, how long it may take to answer, how long closing may take. An error names the limit that was passed.

mod bytes;
mod config;
mod ends;
mod error;
mod half;
mod keys;
mod mode;
mod opening;
mod pings;
mod socket;
mod split;
mod state;
#[cfg(feature = "ws-tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "ws-tls")))]
pub mod tls;

pub use feedrate_ws::handshake::{Headers, Rejection, Request};
pub use feedrate_ws::{CloseCode, Event, InPieces, Kind, Message, Piece, SendError, Text, Whole};

pub use self::bytes::Bytes;
pub use self::config::{ClientConfig, Config, Origins};
pub use self::error::Error;
pub use self::mode::Mode;
pub use self::opening::{Accepting, accept, connect, connect_with};
pub use self::socket::{Outgoing, Parts, WebSocket};
pub use self::split::{Reader, Writer};
pub use self::state::Closed;
