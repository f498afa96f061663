//! WebSocket over TLS by rustls, for URLs of `wss`: [`connect`] and [`accept`].
//!
//! ```no_run
//! use feedrate_io::ws::tls::{self, ClientTls, ServerTls, rustls};
//! use feedrate_io::ws::{ClientConfig, Config, Error};
//! use tokio::net::TcpStream;
//!
//! # async fn client(config: rustls::ClientConfig) -> Result<(), Box<dyn std::error::Error>> {
//! // A client, with a rustls `config` of its own. It goes by the URL whether there is TLS:
//! let tls = ClientTls::new(config);
//! let url = ClientConfig::url("wss://server.example.com/chat").ok_or("no URL of a WebSocket")?;
//! let mut ws = tls::connect(&url, &tls).await?;
//! ws.send("Hello").await?;
//! # Ok(())
//! # }
//!
//! // A server's connection:
//! async fn echo(socket: TcpStream, config: &Config, tls: &ServerTls) -> Result<(), Error> {
//!     let mut ws = tls::accept(socket, config, Some(tls)).await?;
//!     while let Some((message, mut out)) = ws.incoming().await? {
//!         out.send(message).await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`Limits::handshake`](crate::Limits::handshake) is one deadline for all that comes before the first message: finding
//! the address, connecting, TLS, and WebSocket's own handshake.
//!
//! A program that needs more of TLS than this (certificates that change, a name that decides which certificate it is)
//! shakes hands with tokio-rustls itself, and gives the stream to [`ws::accept`](super::accept) or
//! [`ws::connect`](super::connect). The time that it takes is not limited there.
//!
//! # Cryptography
//!
//! It is rustls's, by a provider that the program chooses when it makes the configuration ([`rustls`] is exported here
//! in the version that fits). This crate switches none of rustls's features on: TLS 1.2 needs its `tls12`.
//!
//! # A stream that is cut
//!
//! WebSocket has an end of its own, and peers often close the connection without TLS's. So the end of TLS does not
//! count: behind a close frame no end is an error, and without one each is [`Error::Truncated`].

mod reach;
mod stream;

use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
pub use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use self::stream::Stream;
use super::config::{ClientConfig, Config};
use super::error::Error;
use super::opening::{Accepting, connect_line};
use super::socket::WebSocket;
use crate::limits::Limits;
use crate::tokio::Clock;
use crate::tokio::line::Line;

/// What both sides say that they speak inside (RFC 7301). HTTP/2 has WebSockets of another form (RFC 8441).
const ALPN: &[u8] = b"http/1.1";

/// How a client encrypts, and whom it believes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClientTls(Arc<rustls::ClientConfig>);

impl ClientTls {
    /// With this configuration of rustls. Its ALPN protocols become `http/1.1`, and it sends no early data.
    pub fn new(config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        let mut config = Arc::unwrap_or_clone(config.into());
        config.alpn_protocols = [ALPN.to_vec()].into();
        config.enable_early_data = false;
        Self(Arc::new(config))
    }
}

/// How a server encrypts, and whom it says that it is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerTls(Arc<rustls::ServerConfig>);

impl ServerTls {
    /// With this configuration of rustls. Its ALPN protocols become `http/1.1`: a client that speaks others only is
    /// refused, one that says nothing is not. It takes no early data, which anybody can send again.
    pub fn new(config: impl Into<Arc<rustls::ServerConfig>>) -> Self {
        let mut config = Arc::unwrap_or_clone(config.into());
        config.alpn_protocols = [ALPN.to_vec()].into();
        config.max_early_data_size = 0;
        Self(Arc::new(config))
    }
}

/// Connects to a [URL](ClientConfig::url): finds the host's addresses, connects to the first that answers, and shakes
/// hands, with TLS for `wss`. The server has to prove that it is the URL's host, if rustls's configuration says so.
///
/// An address that does not answer within 250 ms does not keep the next one waiting.
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error::Connect`], [`Error::Tls`], and those of [`ws::connect`](super::connect).
pub async fn connect(config: &ClientConfig, tls: &ClientTls) -> Result<WebSocket<Stream>, Error> {
    let mut opening = Beginning::new(config.common.limits);
    let address = config.address();
    let reached = opening.in_time(reach::reach(&address)).await?;
    let socket = reached.map_err(|error| Error::Connect { address, error })?;
    // What is to wait waits in the queue.
    let _ = socket.set_nodelay(true);
    let stream = if config.is_secure() {
        let name = ServerName::try_from(config.name())
            .map_err(|error| Error::Io(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let connector = TlsConnector::from(Arc::clone(&tls.0));
        let secured = opening.in_time(connector.connect(name.to_owned(), socket)).await?;
        Stream::from(tokio_rustls::TlsStream::from(secured.map_err(Error::of_tls)?))
    } else {
        Stream::from(socket)
    };
    connect_line(opening.0.replace(stream).0, config).await
}

/// A server's handshake, as [`ws::accept`](super::accept), with TLS before it if there is a `tls`.
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error::Tls`], and those of [`ws::accept`](super::accept).
pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    config: &Config,
    tls: Option<&ServerTls>,
) -> Result<WebSocket<Stream<T>>, Error> {
    accepting(io, config, tls).await?.accept().await
}

/// As [`accept`], as far as TLS goes: to look at the request before it is agreed to.
///
/// # Errors
///
/// [`Error::Tls`], [`Error::Io`], [`Error::Late`].
pub async fn accepting<'a, T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    config: &'a Config,
    tls: Option<&ServerTls>,
) -> Result<Accepting<'a, Stream<T>>, Error> {
    let mut opening = Beginning::new(config.common.limits);
    let stream = match tls {
        Some(tls) => {
            let acceptor = TlsAcceptor::from(Arc::clone(&tls.0));
            let secured = opening.in_time(acceptor.accept(io)).await?;
            Stream::from(tokio_rustls::TlsStream::from(secured.map_err(Error::of_tls)?))
        }
        None => Stream::plain(io),
    };
    Ok(Accepting::over(opening.0.replace(stream).0, config))
}

/// A connection that has no transport yet, and its deadline.
struct Beginning(Line<(), Clock>);

impl Beginning {
    fn new(limits: Limits) -> Self {
        Self(Line::new((), limits, Clock::new()))
    }

    async fn in_time<R>(&mut self, step: impl Future<Output = R>) -> Result<R, Error> {
        let mut step = pin!(step);
        poll_fn(|cx| match step.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.0.poll_late(cx).map(|late| Err(Error::Late(late))),
        })
        .await
    }
}
