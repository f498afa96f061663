//! A client's session: [`Client`].
//!
//! It writes requests, keeps in mind what is owed for them, and says of each message that the server sends which
//! request it answers. Connecting and encryption come before it, and the [authentication](crate::auth): [`Login`].
//!
//! ```
//! use feedrate::pg::backend::{self, Message};
//! use feedrate::pg::frontend::Query;
//! use feedrate::pg::Backend;
//! use feedrate::{Decoder, Grow};
//! use feedrate_pg::client::Client;
//! use feedrate_pg::queue::Slot;
//!
//! # let rows = b"T\0\0\0\x06\0\0D\0\0\0\x06\0\0C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
//! # let mut server = vec![&b"Z\0\0\0\x05I"[..], rows].into_iter();
//! # let mut read = || server.next().unwrap();
//! # let mut write = |bytes: &mut Vec<u8>| bytes.clear();
//! let mut client = Client::new([Slot::EMPTY; 32]);
//! let mut decoder = Decoder::new(Backend::established(), Grow::new(1 << 20));
//! let mut out = Vec::new();
//! let mut asked = None;
//! 'session: loop {
//!     let mut input = read();
//!     while let Some(frame) = decoder.feed(&mut input)? {
//!         let Some(event) = client.receive(&frame)? else { continue };
//!         match event.message {
//!             Message::DataRow(row) => println!("{} columns for {:?}", row.columns.len(), event.request),
//!             Message::ErrorResponse(error) => println!("{error}"),
//!             // The session has begun.
//!             Message::ReadyForQuery(_) if asked.is_none() => {
//!                 asked = Some(client.send(&Query { sql: "select".into() }, &mut out)?);
//!             }
//!             Message::ReadyForQuery(_) if event.request == asked => break 'session,
//!             _ => {}
//!         }
//!     }
//!     // Write as much as is taken; what is not goes out while more is read.
//!     write(&mut out);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors and skipping
//!
//! An error of a Query ends that request alone. After one in the extended protocol the server drops everything up to
//! the next Sync: the requests whose numbers lie between that of the ErrorResponse and that of the Sync's ReadyForQuery
//! get no response.
//!
//! # COPY
//!
//! CopyInResponse says that CopyData may be sent, and at its end CopyDone or CopyFail. A Sync that was sent before it
//! came is swallowed by the COPY; so after CopyDone, send another. If the COPY was begun by Query, no Sync is due.
//!
//! # Giving up
//!
//! [`abandon`](Client::abandon) is for a caller that has an error of its own in the middle: whatever is in flight is
//! brought to its end and not shown. Then the session is as good as new.

mod answer;
mod error;
mod key;
#[cfg(feature = "auth")]
mod login;
mod portal;
mod request;
mod session;

pub use self::error::{Error, SendError};
#[cfg(feature = "auth")]
#[cfg_attr(docsrs, doc(cfg(feature = "auth")))]
pub use self::login::{Login, LoginError, LoginEvent};
pub use self::portal::{ExecutePortal, Formats, Portal};
pub use self::request::Request;
pub use self::session::{Client, Event};
