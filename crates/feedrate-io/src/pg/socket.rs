//! TCP, or a Unix socket: [`Socket`].

use std::io;
use std::path::Path;

use ::tokio::net::TcpStream;
#[cfg(unix)]
use ::tokio::net::UnixStream;

use crate::forward::forward;

/// What a session runs over, below its encryption.
#[derive(Debug)]
#[non_exhaustive]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    #[cfg(unix)]
    pub(super) async fn unix(path: &Path) -> io::Result<Self> {
        UnixStream::connect(path).await.map(Self::Unix)
    }

    #[cfg(not(unix))]
    pub(super) async fn unix(_: &Path) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "there are no Unix sockets here"))
    }
}

impl From<TcpStream> for Socket {
    fn from(socket: TcpStream) -> Self {
        Self::Tcp(socket)
    }
}

#[cfg(unix)]
forward! {
    impl for Socket: socket => *socket;
    Socket::Tcp(io) => *io,
    Socket::Unix(io) => *io,
}

#[cfg(not(unix))]
forward! {
    impl for Socket: socket => *socket;
    Socket::Tcp(io) => *io,
}
