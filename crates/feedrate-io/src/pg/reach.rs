//! The way to a server: its socket, and TLS over it.

use alloc::string::String;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::PathBuf;

use ::tokio::net::TcpStream;
use feedrate::Grow;
use feedrate::pg::Backend;
use feedrate_pg::conninfo::{Options, Transport};

use super::socket::Socket;
use crate::limits::Limits;
use crate::pg_tls::rustls::pki_types::ServerName;
use crate::pg_tls::{self, ClientTls, Mode, Stream};
use crate::socket::TcpOptions;
use crate::tokio::Connection;

/// How a server was reached, so that a CancelRequest can go the same way.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) place: Endpoint,
    pub(super) transport: Transport,
    pub(super) tls: Option<ClientTls>,
    /// Whom the server has to prove to be.
    pub(super) name: String,
    pub(super) tcp: TcpOptions,
}

/// An address that has been resolved.
#[derive(Debug, Clone)]
pub(super) enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Why a server could not be reached.
#[derive(Debug)]
pub(super) enum Unreached {
    Io(io::Error),
    /// Nothing of it is believed.
    Tls(pg_tls::Error),
}

impl Reach {
    /// A connection over which nothing of the session has gone yet. Encrypted, or in clear because the server does not
    /// encrypt: the caller decides whether that will do.
    pub(super) async fn connect(
        &self,
        limits: Limits,
        longest: usize,
    ) -> Result<Connection<Backend, Grow, Stream<Socket>>, Unreached> {
        let socket = match &self.place {
            Endpoint::Tcp(address) => {
                let socket = TcpStream::connect(address).await.map_err(Unreached::Io)?;
                self.tcp.apply(&socket).map_err(Unreached::Io)?;
                socket.into()
            }
            Endpoint::Unix(path) => Socket::unix(path).await.map_err(Unreached::Io)?,
        };
        let mode = match self.transport {
            Transport::Plain => None,
            Transport::Tls => Some(Mode::Prefer),
            Transport::DirectTls => Some(Mode::Direct),
        };
        let Some((tls, mode)) = self.tls.clone().zip(mode) else {
            let socket = Stream::plain(socket);
            return Ok(Connection::new(socket, Backend::new(), Grow::new(longest), limits));
        };
        let name = ServerName::try_from(self.name.clone())
            .map_err(|error| Unreached::Io(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let connection = Connection::new(socket, Backend::new(), Grow::new(longest), limits);
        pg_tls::connect(connection, &tls.mode(mode), name).await.map_err(Unreached::Tls)
    }
}

/// What libpq's settings say of TCP. Where they say nothing, the defaults of this crate: the systems' are hours.
pub(super) fn tcp_options(options: &Options) -> TcpOptions {
    let mut tcp = TcpOptions::new();
    if options.tcp_user_timeout.is_some() {
        tcp = tcp.user_timeout(options.tcp_user_timeout);
    }
    match options.keepalives {
        None => tcp.no_keepalive(),
        Some(keepalives) => tcp.keepalive(
            keepalives.idle.unwrap_or(Duration::from_secs(60)),
            keepalives.interval.unwrap_or(Duration::from_secs(10)),
            keepalives.count.unwrap_or(6),
        ),
    }
}
