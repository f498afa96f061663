//! Connections over tokio's traits: [`Connection`].
//!
//! Anything that is [`AsyncRead`](tokio::io::AsyncRead) and [`AsyncWrite`](tokio::io::AsyncWrite) carries one: a TCP or
//! Unix socket, a TLS stream, a serial port, a pipe in a test.

#[cfg(feature = "pg-tls")]
mod begin;
mod clock;
mod connection;
pub(crate) mod lease;
pub(crate) mod line;
mod outgoing;
mod reading;
mod split;

pub use self::clock::Clock;
pub use self::connection::{Connection, Parts};
pub use self::outgoing::Outgoing;
pub use self::split::{Reader, Writer};

/// What can go wrong, for the protocol `P`.
pub type Error<P> = crate::Error<<P as feedrate::Protocol>::Error, std::io::Error>;
