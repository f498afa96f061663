//! Where the other end of a lane is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use feedrate_examples::ws::reach;
use feedrate_io::serial;
use feedrate_io::socket::TcpOptions;
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixStream;

/// Roughly how many bytes the system buffers for sending: nothing can overtake them, not even a Halt (SPEC 5.1).
const SEND_BUFFER: usize = 16 * 1024;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
const BAUD: u32 = 115_200;

/// A socket or a serial line.
pub(crate) type Port = Box<dyn Io>;

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// Where the other end of a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// `tcp:HOST:PORT`: a TCP connection, a byte stream.
    Tcp(String),
    /// `uart:HOST:PORT`: a TCP connection that stands for a serial line (QEMU's `-serial tcp:`).
    Uart(String),
    /// `serial:PATH`: a serial line, a pseudo terminal, or a Unix socket that stands for one (QEMU's
    /// `-serial unix:`).
    Serial(PathBuf),
}

impl Address {
    /// Reads an address. `HOST:PORT` without a prefix is TCP.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected tcp:HOST:PORT, uart:HOST:PORT or serial:PATH";
        let socket = |address: &str| match address.rsplit_once(':').map(|(_, port)| port.parse::<u16>()) {
            Some(Ok(_)) => Ok(address.to_owned()),
            _ => Err(format!("{text:?} is no address: {expected}")),
        };
        match text.split_once(':') {
            Some(("tcp", address)) => socket(address).map(Self::Tcp),
            Some(("uart", address)) => socket(address).map(Self::Uart),
            Some(("serial", path)) if !path.is_empty() => Ok(Self::Serial(path.into())),
            _ => socket(text).map(Self::Tcp),
        }
    }

    /// Whether it is a byte stream, not a serial line.
    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    pub(crate) async fn connect(&self) -> Result<Port, String> {
        match self {
            Self::Tcp(address) | Self::Uart(address) => {
                let socket = reach(address, CONNECT).await.map_err(|error| error.to_string())?;
                let options = TcpOptions::new().send_buffer(SEND_BUFFER);
                options.apply(&socket).map_err(|error| format!("cannot connect to {address}: {error}"))?;
                Ok(Box::new(socket))
            }
            Self::Serial(path) => {
                open(path).await.map_err(|error| format!("cannot open {}: {error}", path.display()))
            }
        }
    }
}

#[cfg(unix)]
async fn open(path: &Path) -> std::io::Result<Port> {
    use std::os::unix::fs::FileTypeExt;

    if std::fs::metadata(path)?.file_type().is_socket() {
        return Ok(Box::new(UnixStream::connect(path).await?));
    }
    Ok(Box::new(serial::Port::open(path, BAUD)?))
}

#[cfg(not(unix))]
async fn open(path: &Path) -> std::io::Result<Port> {
    Ok(Box::new(serial::Port::open(path, BAUD)?))
}
