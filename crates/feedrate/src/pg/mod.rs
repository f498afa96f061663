//! PostgreSQL's frontend/backend protocol, versions 3.0 and 3.2: every message, both directions.
//!
//! The specification is the chapter [Frontend/Backend Protocol](https://www.postgresql.org/docs/18/protocol.html) of
//! PostgreSQL's documentation. Where servers and libpq deviate from it, this module follows them, and its documentation
//! says so.
//!
//! A backend is a server, a frontend a client. A stream has a direction, [`Backend`] or [`Frontend`], named after its
//! sender; the two have different message types, [`backend::Message`] and [`frontend::Message`]. `feed` returns a
//! [`Frame`]: the raw bytes of one message, its type byte, and on demand the parsed [`message`](Frame::message).
//!
//! | you want to | use |
//! |---|---|
//! | forward | [`Frame::raw`] |
//! | route by type | [`Frame::tag`], compared with [`backend::DataRow::TAG`] and the like |
//! | read fields | [`Frame::message`] |
//! | write | [`Encode`](crate::Encode), which every message implements, or [`writer`] for one field at a time |
//! | handle values that are larger than you want to hold | [`stream`] |
//! | trace | [`trace`], in the format of libpq's `PQtrace` |
//!
//! # Startup
//!
//! A connection begins with packets that have no type byte. The answer to an SSLRequest or GSSENCRequest is one byte.
//! The decoder has to be told that it is coming, because it could be the type byte of a message:
//!
//! ```
//! use feedrate::{Array, Decoder, Encode};
//! use feedrate::pg::{Backend, Encryption, EncryptionResponse, backend::Message, frontend::SSLRequest};
//!
//! let mut out = Vec::new();
//! SSLRequest.encode(&mut out)?;
//!
//! let mut decoder = Decoder::new(Backend::new(), Array::<64>::new());
//! decoder.protocol_mut().expect_encryption_response(Encryption::Ssl);
//! let mut input = &b"N"[..];
//! let frame = decoder.feed(&mut input)?.unwrap();
//! assert_eq!(frame.message()?, Message::EncryptionResponse(EncryptionResponse::Refused));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Authentication
//!
//! Four kinds of messages share the type byte `p`; which one it is depends on the server's last authentication request.
//! A program that reads both directions has to tell the client's decoder what to expect, before it forwards the
//! request. That includes requests that are malformed or of an unknown kind: the client may understand them.
//!
//! ```
//! use feedrate::{Array, Decoder};
//! use feedrate::pg::{Backend, Frontend, backend::{self, Authentication}, frontend};
//!
//! let mut server = Decoder::new(Backend::new(), Array::<256>::new());
//! let mut client = Decoder::new(Frontend::new(), Array::<256>::new());
//! # let mut input = &b"\0\0\0\x14\0\x03\0\0user\0alice\0\0"[..];
//! # client.feed(&mut input)?;
//! let mut from_server = &b"R\0\0\0\x0c\0\0\0\x05\x01\x02\x03\x04"[..];
//! while let Some(frame) = server.feed(&mut from_server)? {
//!     if let Some(answer) = frame.answer() {
//!         client.protocol_mut().expect(answer);
//!     } else if frame.message() == Ok(backend::Message::Authentication(Authentication::Ok)) {
//!         client.protocol_mut().authenticated();
//!     }
//! }
//!
//! let mut from_client = &b"p\0\0\0\x0bsecret\0"[..];
//! let frame = client.feed(&mut from_client)?.unwrap();
//! let frontend::Message::PasswordMessage(answer) = frame.message()? else { unreachable!() };
//! assert_eq!(answer.password.expose(), b"secret");
//! assert!(!format!("{answer:?}").contains("secret"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Extended queries
//!
//! ```
//! // `frontend::Sync` is not imported: it would hide the `Sync` of the standard library.
//! use feedrate::{Encode, pg::{List, frontend::{self, Bind, Execute, Parse}}};
//!
//! let mut out = Vec::new();
//! Parse { sql: "select $1::int4".into(), ..Parse::default() }.encode(&mut out)?;
//! Bind { parameters: List::from(&[Some(&b"42"[..])]), ..Bind::default() }.encode(&mut out)?;
//! Execute::default().encode(&mut out)?;
//! frontend::Sync.encode(&mut out)?;
//! # Ok::<(), feedrate::EncodeError>(())
//! ```
//!
//! # COPY
//!
//! ```
//! use feedrate::{Encode, pg::frontend::{CopyData, CopyDone}};
//!
//! let mut out = Vec::new();
//! for row in ["1\tone\n", "2\ttwo\n"] {
//!     CopyData { data: row.as_bytes() }.encode(&mut out)?;
//! }
//! CopyDone.encode(&mut out)?;
//! # Ok::<(), feedrate::EncodeError>(())
//! ```
//!
//! # Cancellation
//!
//! ```
//! use feedrate::{Array, Decoder, Encode};
//! use feedrate::pg::{Backend, backend::Message, frontend::CancelRequest};
//!
//! let mut decoder = Decoder::new(Backend::established(), Array::<512>::new());
//! let mut input = &b"K\0\0\0\x0c\0\0\0\x2a\x01\x02\x03\x04"[..];
//! let frame = decoder.feed(&mut input)?.unwrap();
//! let Message::BackendKeyData(key) = frame.message()? else { unreachable!() };
//!
//! // On a connection of its own:
//! let mut out = Vec::new();
//! CancelRequest { process_id: key.process_id, key: key.key }.encode(&mut out)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors and notices
//!
//! [`backend::ErrorResponse`] has an example. Texts come from the server, in `client_encoding`: escape them before you
//! print them to a terminal.
//!
//! # What is left to the caller
//!
//! This module handles messages, and the startup phase of a connection. It does not check the order of messages or
//! which answers are outstanding, and it does not contain SCRAM, value formats or replication payloads.

mod answer;
pub mod backend;
mod cap;
mod error;
mod form;
mod format;
mod frame;
pub mod frontend;
mod limits;
mod list;
mod message;
mod messages;
mod notice;
mod reader;
mod shape;
pub mod stream;
mod target;
mod text;
pub mod trace;
mod version;
mod write;
pub mod writer;

pub use backend::Backend;
pub use error::{Error, Problem};
pub use format::Format;
#[cfg(feature = "alloc")]
pub use frame::OwnedFrame;
pub use frame::{Direction, Frame};
pub use frontend::Frontend;
pub use limits::backend::BackendLimits;
pub use limits::frontend::FrontendLimits;
pub use limits::{Limits, Within};
pub use list::{Item, Iter, List};
pub use message::encryption_response::{Encryption, EncryptionResponse};
pub use text::{Secret, Text};
pub use version::Version;
