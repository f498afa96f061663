//! Watches a connection: what may come, and what is owed.
//!
//! An [`Observer`] is shown the messages of both directions as they pass. It tells of each whether its sender may send
//! it, and knows at any time how many ReadyForQuery the server owes, what the transaction's status is, and whether a
//! COPY
//! runs. Its rules are those of servers from PostgreSQL 10 to 18, in SQL and in replication, as measured; where the
//! documentation says otherwise, servers have the last word.
//!
//! The main loop of a proxy:
//!
//! ```
//! use feedrate::pg::{Backend, Frontend};
//! use feedrate::{Array, Decoder};
//! use feedrate_pg::observer::{Observer, Verdict};
//! use feedrate_pg::queue::Slot;
//!
//! let mut observer = Observer::established([Slot::EMPTY; 64]);
//! let mut client = Decoder::new(Frontend::established(), Array::<1024>::new());
//! let mut server = Decoder::new(Backend::established(), Array::<1024>::new());
//! # let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
//!
//! let mut from_client = &b"Q\0\0\0\x0dselect 1\0S\0\0\0\x04"[..];
//! while let Some(frame) = client.feed(&mut from_client)? {
//!     // If this fails, nothing has been counted: read from the server until it succeeds.
//!     if let Verdict::Unexpected { expected } = observer.frontend(&frame)? {
//!         println!("unexpected {}: expected {expected}", frame.name());
//!     }
//!     to_server.extend_from_slice(frame.raw());
//! }
//! assert_eq!(observer.ready_owed().exact(), Some(2));
//!
//! let mut from_server = &b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I1\0\0\0\x04"[..];
//! while let Some(frame) = server.feed(&mut from_server)? {
//!     if let Verdict::Unexpected { expected } = observer.backend(&frame) {
//!         assert_eq!(frame.name(), "ParseComplete");
//!         assert_eq!(expected.to_string(), "ErrorResponse, NoticeResponse, NotificationResponse, \
//!             ParameterStatus, ReadyForQuery");
//!     }
//!     to_client.extend_from_slice(frame.raw());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is owed
//!
//! [`ready_owed`](Observer::ready_owed) is exact, or a range in the few situations in which nobody can know: see
//! [`Situation`]. [`in_step`](Observer::in_step) tells which. The next message that only one of the possibilities
//! admits
//! makes it exact again, such as the response to a Query.
//!
//! # What a pool needs
//!
//! [`is_idle`](Observer::is_idle) says that nothing is owed and no transaction is open: another client's messages
//! would be
//! answered as on a new connection. It does not say that the session is as new: settings, prepared statements,
//! temporary
//! tables and advisory locks stay. [`session`](Observer::session) has hints at these, and only DISCARD ALL, or a new
//! connection, is a proof.

mod expected;
mod machine;
mod machines;
mod report;
mod session;
mod startup;
mod step;
mod watch;

pub use self::expected::{Expected, Verdict};
pub use self::report::{InStep, Owed, Phase, Situation};
pub use self::session::Session;
pub use self::watch::{Copy, Observer};
