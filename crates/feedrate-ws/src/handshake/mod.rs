//! The opening handshake: an HTTP/1.1 request to upgrade, and its answer. RFC 6455, section 4.
//!
//! [`Server`] reads a request and [`Client`] an answer, as the bytes arrive. Both leave whatever follows in the
//! caller's slice. Neither is needed if something else has done the handshake, such as HTTP/2 (RFC 8441): just create a
//! [`Receiver`](crate::Receiver) and a [`Sender`](crate::Sender).
//!
//! ```
//! use feedrate::{Array, Encode, Instant};
//! use feedrate_ws::{Receiver, Role, Sender, handshake};
//!
//! let mut server = handshake::Server::new(Array::<2048>::new());
//! let mut chunk = *b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
//!     Sec-WebSocket-Version: 13\r\n\r\n\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let mut input = &mut chunk[..];
//! let mut out = Vec::new();
//! match server.feed(&mut input) {
//!     Ok(None) => { /* more has to arrive */ }
//!     Ok(Some(request)) => {
//!         assert_eq!(request.target(), "/chat");
//!         let chosen = request.protocols().find(|name| *name == "superchat");
//!         request.accept().protocol(chosen).encode(&mut out)?;
//!     }
//!     // Then close the connection.
//!     Err(error) => _ = error.rejection().encode(&mut out)?,
//! }
//! assert!(out.starts_with(b"HTTP/1.1 101 "));
//! // Whatever the client sent after its request is still there.
//! let mut receiver = Receiver::new(Role::Server, Array::<1024>::new());
//! let mut sender = Sender::server(Array::<1024>::new());
//! let now = Instant::ZERO;
//! assert!(receiver.feed(&mut input, now, &mut sender)?.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod head;
mod key;
mod list;
mod request;
mod response;
mod server;

pub use client::{Client, ClientError};
pub use head::{HeadError, Headers};
pub use key::accept;
pub use list::{Extension, Extensions, Param, Value};
pub use request::{ClientRequest, Request};
pub use response::{Accept, Rejection, Response};
pub use server::{Server, ServerError};
