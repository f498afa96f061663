//! What a WebSocket runs over: [`Stream`].

use alloc::boxed::Box;
use core::fmt;

use ::tokio::net::TcpStream;
use tokio_rustls::{TlsStream, rustls};

use crate::forward::forward;

/// A transport in clear, or TLS over it.
pub struct Stream<T = TcpStream>(Kind<T>);

enum Kind<T> {
    Plain(T),
    // It is large.
    Tls(Box<TlsStream<T>>),
}

impl<T> Stream<T> {
    /// In clear.
    pub const fn plain(io: T) -> Self {
        Self(Kind::Plain(io))
    }

    /// Whether what is sent is encrypted.
    pub const fn is_tls(&self) -> bool {
        matches!(self.0, Kind::Tls(_))
    }

    /// What TLS has agreed on: the version, the cipher, the peer's certificates. `None` in clear.
    pub fn session(&self) -> Option<&rustls::CommonState> {
        match &self.0 {
            Kind::Plain(_) => None,
            Kind::Tls(tls) => Some(tls.get_ref().1),
        }
    }

    /// The name that the client gave for the server, on the server's side (SNI).
    pub fn server_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Tls(tls) => match &**tls {
                TlsStream::Server(server) => server.get_ref().1.server_name(),
                TlsStream::Client(_) => None,
            },
            Kind::Plain(_) => None,
        }
    }

    /// The transport.
    pub fn get_ref(&self) -> &T {
        match &self.0 {
            Kind::Plain(io) => io,
            Kind::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(io: TcpStream) -> Self {
        Self::plain(io)
    }
}

impl<T> From<TlsStream<T>> for Stream<T> {
    fn from(tls: TlsStream<T>) -> Self {
        Self(Kind::Tls(Box::new(tls)))
    }
}

impl<T: fmt::Debug> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("io", self.get_ref()).field("is_tls", &self.is_tls()).finish()
    }
}

forward! {
    impl<T> for Stream<T>: stream => stream.0;
    Kind::Plain(io) => *io,
    Kind::Tls(tls) => **tls,
}
