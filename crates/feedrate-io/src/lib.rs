#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used))]
#![cfg_attr(test, allow(clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]
// The front page shows what all features have.
#![cfg_attr(
    not(all(
        feature = "codec",
        feature = "embedded-io-07",
        feature = "pg-client",
        feature = "rdp",
        feature = "serial",
        feature = "socket",
        feature = "tokio",
        feature = "ws",
        feature = "ws-tls"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
//! Connections for [`feedrate`]'s protocols: the buffers, deadlines, back-pressure and half-closes that every program
//! around a [`Decoder`](feedrate::Decoder) needs, on tokio, on `std`, and on embedded-io-async.
//!
//! # Four uses
//!
//! **A client that pulls**, with [`tokio::Connection`]. A message is lent until the next one is asked for:
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn query(socket: ::tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
//! use feedrate::Grow;
//! use feedrate::pg::{Backend, backend::Message, frontend::Query};
//! use feedrate_io::{Limits, tokio::Connection};
//!
//! // On a session that is open:
//! let mut pg = Connection::new(socket, Backend::established(), Grow::new(1 << 20), Limits::new());
//! pg.established();
//! pg.push(&Query { sql: "select 1".into() })?;
//! while let Some(frame) = pg.next().await? {
//!     match frame.message()? {
//!         Message::DataRow(row) => println!("{} columns", row.columns.iter().count()),
//!         Message::ReadyForQuery(_) => break,
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **A server that replies**, with [`incoming`](tokio::Connection::incoming). It returns the message and the sending
//! half, so that a reply can borrow from the message:
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn echo(
//! #     mut peer: feedrate_io::tokio::Connection<feedrate::pg::Frontend, feedrate::Grow, ::tokio::net::TcpStream>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! while let Some((frame, mut out)) = peer.incoming().await? {
//!     out.send(&frame).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **A thread a connection**, with [`blocking::Connection`]; **firmware**, with [`embedded::Reader`] and
//! [`embedded::Writer`] in memory of a fixed size. And for programs that are built of streams and sinks, there is
//! [`codec::Codec`], which copies each message.
//!
//! Some protocols have more than messages. [`ws`] is WebSocket with its handshakes and its end:
//!
//! ```
//! # #[cfg(feature = "ws")]
//! # async fn echo(socket: ::tokio::net::TcpStream) -> Result<(), feedrate_io::ws::Error> {
//! use feedrate_io::ws::{self, Config, Origins};
//!
//! // Whose pages may connect has to be said: any, where they get nothing that they have not sent.
//! let mut ws = ws::accept(socket, &Config::new(Origins::Any)).await?;
//! while let Some((message, mut out)) = ws.incoming().await? {
//!     out.send(message).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`ws::tls`] connects to a URL, with TLS by rustls for `wss`, and accepts TLS.
//!
//! [`pg`] is a client of PostgreSQL, which connects by a connection string, logs in, and has a session. [`pg_tls`] is
//! how such a session begins, on both sides: in clear, or with TLS by rustls. [`rdp`] is RDPv3: a tool's session, and
//! the agent that it debugs with, on a [serial port](serial) too.
//!
//! Without any feature there are the parts of which all of these are made, for a loop of your own: [`Inlet`] (what is
//! unread), [`Outlet`] (what is unsent), [`Watch`] (deadlines, by your clock).
//!
//! # What is guaranteed
//!
//! | | [`tokio`] | [`blocking`] | [`embedded`] | [`codec`] |
//! |---|---|---|---|---|
//! | messages are lent, not copied | yes | yes | yes | copied once |
//! | nothing is lost or sent twice when a call is given up | yes | yes | if the driver allows | as `Framed` |
//! | queued bytes are written after the end of input | yes | before reading | you flush | as `Framed` |
//! | the peer's last message is read although writing fails | yes | no | you decide | no |
//! | time limits, named in the error | [`Limits`] | the socket's | yours | yours |
//! | the queue is bounded | [`Limits::queued`] | no | by its memory | as `Framed` |
//! | an idle connection holds no buffer | yes | no | no | as `Framed` |
//! | memory that held a password is wiped | read buffers and queue | no | no | no |
//!
//! # Limits
//!
//! Some clients of a public server send one byte a minute, never read, or disappear. [`Limits`] bounds what they cost,
//! and each limit has a default. By default an idle connection has no limit, because a PostgreSQL connection may be
//! silent for days. To detect a dead peer, set keepalive and `TCP_USER_TIMEOUT` on its socket ([`socket`]).

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod blocking;
#[cfg(feature = "codec")]
#[cfg_attr(docsrs, doc(cfg(feature = "codec")))]
pub mod codec;
#[cfg(feature = "embedded-io-07")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded-io-07")))]
pub mod embedded;
mod error;
#[cfg(any(feature = "pg-tls", feature = "ws-tls"))]
mod forward;
mod inlet;
mod limits;
mod outlet;
#[cfg(feature = "pg-client")]
#[cfg_attr(docsrs, doc(cfg(feature = "pg-client")))]
pub mod pg;
#[cfg(feature = "pg-tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "pg-tls")))]
pub mod pg_tls;
#[cfg(feature = "alloc")]
mod pool;
#[cfg(feature = "rdp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rdp")))]
pub mod rdp;
#[cfg(feature = "serial")]
#[cfg_attr(docsrs, doc(cfg(feature = "serial")))]
pub mod serial;
#[cfg(feature = "socket")]
#[cfg_attr(docsrs, doc(cfg(feature = "socket")))]
pub mod socket;
mod timer;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
mod watch;
#[cfg(feature = "ws")]
#[cfg_attr(docsrs, doc(cfg(feature = "ws")))]
pub mod ws;

pub use self::error::Error;
pub use self::inlet::Inlet;
pub use self::limits::{Late, Limits};
pub use self::outlet::Outlet;
#[cfg(feature = "alloc")]
pub use self::pool::Pool;
pub use self::timer::{Never, Timer};
pub use self::watch::Watch;

/// The example on the package's page.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}
