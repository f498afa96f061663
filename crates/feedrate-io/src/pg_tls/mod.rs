//! How a session of PostgreSQL begins, on both sides: in clear, or with TLS.
//!
//! [`connect`] and [`accept`] take a [`Connection`] that begins, and return one over a [`Stream`], which is encrypted
//! or is not. What was pushed before goes the new way. The limit [`handshake`](crate::Limits::handshake) has run since
//! the connection was made, and runs on until [`established`](Connection::established) is called: it is one deadline
//! for TLS and login together.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn sides(
//! #     socket: ::tokio::net::TcpStream,
//! #     config: feedrate_io::pg_tls::rustls::ClientConfig,
//! #     other: ::tokio::net::TcpStream,
//! #     server: feedrate_io::pg_tls::rustls::ServerConfig,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use feedrate::Grow;
//! use feedrate::pg::{Backend, Frontend};
//! use feedrate_io::pg_tls::{self, ClientTls, ServerTls};
//! use feedrate_io::{Limits, tokio::Connection};
//!
//! // A client, with a rustls `config` of its own:
//! let tls = ClientTls::new(config);
//! let pg = Connection::new(socket, Backend::new(), Grow::new(1 << 20), Limits::new());
//! let pg = pg_tls::connect(pg, &tls, "db.example".try_into()?).await?;
//! assert!(pg.io().is_tls());
//!
//! // A server:
//! let tls = ServerTls::new(server);
//! let pg = Connection::new(other, Frontend::new(), Grow::new(1 << 20), Limits::new());
//! let mut pg = pg_tls::accept(pg, Some(&tls)).await?;
//! let startup = pg.next().await?; // StartupMessage or CancelRequest, whichever way it came
//! # Ok(())
//! # }
//! ```
//!
//! # What is refused
//!
//! | attack | what happens |
//! |---|---|
//! | unencrypted bytes after SSLRequest (CVE-2021-23214) | [`accept`] fails, and does not agree |
//! | unencrypted bytes after the server's `S` (CVE-2021-23222) | only `S` is read: what follows is TLS or fails |
//! | an error instead of the answer (CVE-2024-10977) | [`connect`] fails; its text is kept apart, as [`Untrusted`] |
//! | direct TLS without ALPN `postgresql` | both fail |
//! | a second request, or one inside TLS | the [`Frontend`](feedrate::pg::Frontend) refuses it |
//!
//! # Cryptography
//!
//! It is rustls's, by a provider that the program chooses when it makes the configuration ([`rustls`] is exported here
//! in the version that fits). This crate switches none of rustls's features on: TLS 1.2 needs its `tls12`.
//!
//! # Unix sockets
//!
//! PostgreSQL does not encrypt on them, and libpq does not ask: a client makes its session without [`connect`], and a
//! server gives `None` to [`accept`].
//!
//! # Cancel safety
//!
//! A handshake that is dropped is lost, and the connection with it.
#[cfg(doc)]
use crate::tokio::Connection;

mod client;
mod end_point;
mod error;
mod handshake;
mod server;
mod stream;
mod verify;

pub use tokio_rustls::rustls;

pub use self::client::{ClientTls, Mode, connect};
pub use self::end_point::{EndPoint, EndPointError};
pub use self::error::{Error, Untrusted};
pub use self::server::{ServerTls, accept, accept_with};
pub use self::stream::Stream;
pub use self::verify::{Roots, Verify};

/// What both sides say of their protocol (RFC 7301), since PostgreSQL 17.
const ALPN: &[u8] = b"postgresql";
