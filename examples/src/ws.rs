//! What the WebSocket programs need beside [`feedrate_io::ws`]: options, listening, and connecting.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use feedrate_io::ws::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::options::seconds;

/// How long a peer may take. Without such limits a few peers that are slow on purpose, or gone without a word, hold
/// all of a program's memory and sockets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the whole handshake, however its bytes arrive.
    pub handshake: Duration,
    /// Until it takes more of what it is sent.
    pub progress: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(10), progress: Duration::from_secs(30) }
    }
}

impl Limits {
    /// Reads one of the options `--handshake` and `--progress`. `false`: it is another one.
    pub fn option(
        &mut self,
        name: &str,
        value: impl FnOnce() -> Result<String, String>,
    ) -> Result<bool, String> {
        let limit = match name {
            "--handshake" => &mut self.handshake,
            "--progress" => &mut self.progress,
            _ => return Ok(false),
        };
        *limit = seconds(name, &value()?)?;
        Ok(true)
    }

    /// With so many bytes that may wait for a peer.
    pub fn queued(&self, bytes: usize) -> feedrate_io::Limits {
        feedrate_io::Limits::new().handshake(self.handshake).progress(self.progress).queued(bytes)
    }
}

/// The error of a peer that took too long for this.
pub fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

/// The option `--connections`.
pub fn connections(text: &str) -> Result<usize, String> {
    let most = text.parse().ok().filter(|most| (1..=1 << 20).contains(most));
    most.ok_or_else(|| format!("--connections {text}: expected a number of connections"))
}

/// Accepts connections, each in a task of its own. When there are as many as there may be, more wait until one has
/// ended: so what all of them hold has a bound.
pub async fn serve<F, E>(
    program: &'static str,
    listen: &str,
    most: usize,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let places = Arc::new(Semaphore::new(most));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((socket, peer)) = listener.accept().await else {
            // A client that has left again, or too many open files: neither is for ever.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let _ = socket.set_nodelay(true);
        let connection = connection(socket);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("{program}: {peer}: {error}");
            }
            drop(place);
        });
    }
}

/// Lets the peer read what it was told before the connection is reset for what it has sent meanwhile.
pub async fn drain(mut socket: TcpStream) {
    let mut buffer = [0; 1024];
    if socket.shutdown().await.is_ok() {
        let all = async { while socket.read(&mut buffer).await.is_ok_and(|n| n > 0) {} };
        let _ = timeout(Duration::from_secs(1), all).await;
    }
}

/// A client for a URL.
pub fn url(url: &str) -> Result<ClientConfig, String> {
    ClientConfig::url(url).ok_or_else(|| format!("{url}: expected ws://HOST:PORT/PATH, or wss"))
}

/// A connection, or an error that says where none could be made in time.
pub async fn reach(address: &str, limit: Duration) -> io::Result<TcpStream> {
    let failed =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}"));
    let connected = match timeout(limit, TcpStream::connect(address)).await {
        Ok(connected) => connected.map_err(failed)?,
        Err(_) => return Err(failed(io::ErrorKind::TimedOut.into())),
    };
    connected.set_nodelay(true)?;
    Ok(connected)
}
