//! What a session runs over: [`Stream`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsStream, rustls};

use super::end_point::{EndPoint, EndPointError};
use crate::forward::forward;

/// A transport in clear, or TLS over it.
///
/// A peer that ends TLS without saying so ends with an error of the kind
/// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), as what it sent may have been cut off by somebody else.
pub struct Stream<T>(Kind<T>);

enum Kind<T> {
    Plain(T),
    Tls(Box<Tls<T>>),
}

struct Tls<T> {
    stream: TlsStream<Prefixed<T>>,
    end_point: Result<EndPoint, EndPointError>,
}

impl<T> Stream<T> {
    /// In clear, where others of its type are encrypted.
    pub const fn plain(io: T) -> Self {
        Self(Kind::Plain(io))
    }

    pub(super) fn tls(stream: TlsStream<Prefixed<T>>, end_point: Result<EndPoint, EndPointError>) -> Self {
        Self(Kind::Tls(Box::new(Tls { stream, end_point })))
    }

    /// Whether what is sent is encrypted.
    pub const fn is_tls(&self) -> bool {
        matches!(self.0, Kind::Tls(_))
    }

    /// What TLS has agreed on: the version, the cipher, the peer's certificates. `None` in clear.
    pub fn session(&self) -> Option<&rustls::CommonState> {
        match &self.0 {
            Kind::Plain(_) => None,
            Kind::Tls(tls) => Some(tls.stream.get_ref().1),
        }
    }

    /// The name that the client gave for the server, on the server's side (SNI).
    pub fn server_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Tls(tls) => match &tls.stream {
                TlsStream::Server(server) => server.get_ref().1.server_name(),
                TlsStream::Client(_) => None,
            },
            Kind::Plain(_) => None,
        }
    }

    /// What SCRAM-SHA-256-PLUS binds itself to, on either side.
    ///
    /// # Errors
    ///
    /// [`EndPointError`]: SCRAM-SHA-256-PLUS can then neither be offered nor chosen.
    pub fn end_point(&self) -> Result<EndPoint, EndPointError> {
        match &self.0 {
            Kind::Plain(_) => Err(EndPointError::Clear),
            Kind::Tls(tls) => tls.end_point,
        }
    }

    /// The transport.
    pub fn get_ref(&self) -> &T {
        match &self.0 {
            Kind::Plain(io) => io,
            Kind::Tls(tls) => &tls.stream.get_ref().0.io,
        }
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
    Kind::Tls(tls) => tls.stream,
}

/// A transport of which the first bytes have been read already.
pub(super) struct Prefixed<T> {
    prefix: Vec<u8>,
    read: usize,
    io: T,
}

impl<T> Prefixed<T> {
    pub(super) const fn new(prefix: Vec<u8>, io: T) -> Self {
        Self { prefix, read: 0, io }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Prefixed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.prefix.get(self.read..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let rest = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(rest);
        let read = self.read.saturating_add(rest.len());
        self.read = read;
        if self.read == self.prefix.len() {
            (self.prefix, self.read) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Prefixed<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
