//! A client of PostgreSQL: [`Connector`] connects by a connection string's settings and logs in, and a [`Client`] is
//! the session. What each message means is [`feedrate_pg`]'s; this adds the transport.
//!
//! # A driver
//!
//! What a program writes on it, whole:
//!
//! ```no_run
#![doc = include_str!("../../examples/pg_driver.rs")]
//! ```

pub mod blocking;
mod cancel;
mod client;
mod connect;
mod error;
mod login;
mod reach;
mod socket;

pub use self::cancel::Canceller;
pub use self::client::{Client, is_full};
pub use self::connect::{Connector, Session};
pub use self::error::{CancelError, ConnectError, Error, Tried, Why};
pub use self::socket::Socket;
