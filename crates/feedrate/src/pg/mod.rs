//! PostgreSQL's frontend/backend protocol, versions 3.0 and 3.2: every message, both directions.
//!
//! The specification is the chapter [Frontend/Backend Protocol](https://www.postgresql.org/docs/18/protocol.html) of
//! PostgreSQL's documentation; where servers and libpq do otherwise, this module does as they do, and says so.
//!
//! A stream has a direction, [`Backend`] or [`Frontend`], and its messages are typed by it: [`backend::Message`] and
//! [`frontend::Message`] have no variant in common. `feed` hands out a [`Frame`]: the raw bytes of one message, its
//! type byte, and on demand the [`message`](Frame::message) itself.
//!
//! | you want to | use |
//! |---|---|
//! | forward | [`Frame::raw`] |
//! | route by type | [`Frame::tag`], compared with [`backend::DataRow::TAG`] and the like |
//! | read fields | [`Frame::message`] |
//! | write | [`Encode`](crate::Encode) of any message, or [`writer`] for one field at a time |
//! | handle values that are larger than you want to hold | [`stream`] |
//! | watch | [`trace`], in the format of libpq's `PQtrace` |
//!
//! # Startup
//!
//! A connection begins with untagged packets. An SSLRequest or GSSENCRequest is answered by one byte, and then bytes
//! in clear must not follow:
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
//! Four kinds of messages share the type byte `p`, and only the server's last request tells which it is. Who reads
//! both directions passes the word on, before the request is forwarded. A request of an unknown kind, or one that
//! cannot be read, is a request all the same: the client may know it.
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
//! // Not `frontend::Sync` by itself: it would hide the `Sync` of the standard library.
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
//! [`backend::ErrorResponse`] has an example. Texts are the server's, in `client_encoding`: escape them before they
//! reach a terminal.
//!
//! # What is left to the caller
//!
//! This module knows messages, and of a connection only its startup. Which message may follow which, what answers are
//! owed, SCRAM, the formats of values and the payloads of replication are not in it.

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
