//! A WebSocket as a byte stream: [`Bytes`].

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use feedrate_ws::{CloseCode, InPieces, Kind};

use super::error::Error;
use super::socket::WebSocket;
use crate::timer::Timer;
use crate::tokio::Clock;

/// The longest message that is sent.
const LONGEST: usize = 16 * 1024;

/// A byte stream in a WebSocket's binary messages, whose boundaries mean nothing: for protocols that want bytes.
///
/// A text message is an error: the other side has another protocol in mind. No more than one message waits to be
/// written, so that a writer may think again about what is next.
///
/// It is for one task that reads and writes. For two there is [`WebSocket::split`].
///
/// ```
/// use feedrate_io::ws::{Bytes, ClientConfig, Config, Origins, WebSocket};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (a, b) = tokio::io::duplex(1024);
/// # let client = WebSocket::client(a, &ClientConfig::new("example.com", "/"), &[]);
/// # let server = WebSocket::server(b, &Config::new(Origins::Any), &[]);
/// // Two ends, behind the handshake:
/// let (mut client, mut server) = (Bytes::new(client), Bytes::new(server));
/// client.write_all(b"hello").await?;
/// client.flush().await?;
/// let mut three = [0; 3];
/// server.read_exact(&mut three).await?;
/// assert_eq!(&three, b"hel");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Bytes<T, C = Clock> {
    ws: WebSocket<T, InPieces, C>,
    /// What did not fit where it was to be read to, and how much of it has been read since.
    left: Vec<u8>,
    read: usize,
}

impl<T, C: Timer> Bytes<T, C> {
    /// Its messages may be of any length. To be called before anything else is done with the WebSocket.
    pub fn new(ws: WebSocket<T, feedrate_ws::Whole, C>) -> Self {
        Self { ws: ws.in_pieces(u64::MAX), left: Vec::new(), read: 0 }
    }

    /// The transport.
    pub const fn io(&self) -> &T {
        self.ws.io()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Timer + Unpin> AsyncRead for Bytes<T, C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { ws, left, read } = &mut *self;
        while *read == left.len() {
            // What is dropped at the end of each turn loses nothing: that is what is promised of it.
            let Some(piece) = ready!(pin!(ws.next()).poll(cx)).map_err(failed)? else {
                return Poll::Ready(Ok(()));
            };
            if piece.kind() == Kind::Text {
                let wrong = "a text message, expected binary ones";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, wrong)));
            }
            let (now, later) = piece.as_bytes().split_at(piece.as_bytes().len().min(buffer.remaining()));
            buffer.put_slice(now);
            left.clear();
            left.extend_from_slice(later);
            *read = 0;
            if !now.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        let rest = left.get(*read..).unwrap_or_default();
        let rest = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(rest);
        *read = read.saturating_add(rest.len());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Timer + Unpin> AsyncWrite for Bytes<T, C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let message = bytes.get(..LONGEST).unwrap_or(bytes);
        self.ws.push(message).map_err(io::Error::other)?;
        let _ = self.poll_flush(cx)?;
        Poll::Ready(Ok(message.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = pin!(self.ws.flush());
        flush.poll(cx).map_err(failed)
    }

    /// Begins the closing handshake. Reading does the rest of it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ws.start_close(CloseCode::NORMAL, "");
        self.poll_flush(cx)
    }
}

fn failed(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::Late(late) => io::Error::new(io::ErrorKind::TimedOut, late),
        error => io::Error::other(error),
    }
}

impl<T, C> fmt::Debug for Bytes<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes").field("ws", &self.ws).finish_non_exhaustive()
    }
}
