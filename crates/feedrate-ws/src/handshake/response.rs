//! Answers to a request to upgrade, as a server writes them and a client reads them: RFC 6455, section 4.2.2.

use feedrate::{Encode, EncodeError, Output};

use super::head::{Headers, put_header, put_headers};
use super::key;
use super::list;
#[cfg(feature = "deflate")]
use crate::deflate::Params;

/// The answer that accepts a request. Once it is written, the connection is open.
#[derive(Debug, Clone, Copy)]
#[must_use = "the client waits for an answer"]
pub struct Accept<'a> {
    accept: [u8; 28],
    protocol: Option<&'a str>,
    #[cfg(feature = "deflate")]
    deflate: Option<Params>,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Accept<'a> {
    /// Answers the request with this key.
    pub(super) fn new(key: &[u8; 24]) -> Self {
        Self {
            accept: key::accept(key),
            protocol: None,
            #[cfg(feature = "deflate")]
            deflate: None,
            headers: &[],
        }
    }

    /// Selects this one of the client's [`protocols`](super::Request::protocols).
    pub const fn protocol<'b>(self, protocol: Option<&'b str>) -> Accept<'b>
    where
        'a: 'b,
    {
        Accept { protocol, ..self }
    }

    /// Adds headers: names and values. Headers that belong to the handshake or the connection cause an error when this
    /// is written: `Host`, `Connection`, `Upgrade`, `Content-Length`, `Transfer-Encoding` and all that begin with
    /// `Sec-WebSocket-`.
    pub const fn headers<'b>(self, headers: &'b [(&'b str, &'b str)]) -> Accept<'b>
    where
        'a: 'b,
    {
        Accept { headers, ..self }
    }

    /// Enables compression as [agreed](super::Request::deflate).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub const fn deflate(mut self, params: Option<Params>) -> Self {
        self.deflate = params;
        self
    }
}

impl Encode for Accept<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")?;
        out.put(b"Sec-WebSocket-Accept: ")?;
        out.put(&self.accept)?;
        out.put(b"\r\n")?;
        if let Some(protocol) = self.protocol {
            list::check_token("subprotocol", protocol)?;
            put_header(out, "Sec-WebSocket-Protocol", protocol)?;
        }
        #[cfg(feature = "deflate")]
        if let Some(params) = &self.deflate {
            out.put(b"Sec-WebSocket-Extensions: ")?;
            params.write(out)?;
            out.put(b"\r\n")?;
        }
        put_headers(out, self.headers)?;
        out.put(b"\r\n")
    }
}

/// The answer that refuses a request. Write it and close the connection.
///
/// ```
/// use feedrate::Encode;
/// use feedrate_ws::handshake::Rejection;
///
/// let mut out = Vec::new();
/// Rejection::new(401).headers(&[("WWW-Authenticate", "Bearer")]).encode(&mut out)?;
/// assert!(out.starts_with(b"HTTP/1.1 401 Unauthorized\r\n"));
/// assert!(out.ends_with(b"\r\nWWW-Authenticate: Bearer\r\n\r\n"));
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the client waits for an answer"]
#[non_exhaustive]
pub struct Rejection<'a> {
    /// The HTTP status: 400 for a bad request, 401, 403, 404, 429, 503 and so on.
    pub status: u16,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Rejection<'a> {
    /// A rejection with this status: 300 to 599.
    pub const fn new(status: u16) -> Self {
        Self { status, headers: &[] }
    }

    /// Adds headers, such as `WWW-Authenticate` with 401, `Location` with 302, `Retry-After` with 503. Headers that
    /// belong to the handshake or the connection cause an error when this is written, as for [`Accept::headers`].
    pub const fn headers<'b>(self, headers: &'b [(&'b str, &'b str)]) -> Rejection<'b> {
        Rejection { status: self.status, headers }
    }

    const REASONS: [(u16, &'static str); 16] = [
        (301, "Moved Permanently"),
        (302, "Found"),
        (303, "See Other"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (426, "Upgrade Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (505, "HTTP Version Not Supported"),
    ];
}

impl Encode for Rejection<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let digit = |unit: u16| {
            let digit = self.status.checked_div(unit).unwrap_or(0) % 10;
            u8::try_from(digit).unwrap_or(0) | b'0'
        };
        if !(300..600).contains(&self.status) {
            return Err(EncodeError::Invalid { what: "status", expected: "300 to 599" });
        }
        let reason =
            Self::REASONS.iter().find(|(status, _)| *status == self.status).map_or("", |(_, reason)| reason);
        out.put(b"HTTP/1.1 ")?;
        out.put(&[digit(100), digit(10), digit(1), b' '])?;
        out.put(reason.as_bytes())?;
        out.put(b"\r\nConnection: close\r\nContent-Length: 0\r\n")?;
        match self.status {
            405 => out.put(b"Allow: GET\r\n")?,
            // RFC 6455, section 4.4.
            426 => out.put(b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")?,
            _ => {}
        }
        put_headers(out, self.headers)?;
        out.put(b"\r\n")
    }
}

/// The answer of a server that accepts the request. The connection is open.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    pub(super) headers: Headers<'a>,
    pub(super) protocol: Option<&'a str>,
    #[cfg(feature = "deflate")]
    pub(super) deflate: Option<Params>,
}

impl<'a> Response<'a> {
    /// The subprotocol that the server has chosen.
    pub const fn protocol(&self) -> Option<&'a str> {
        self.protocol
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The compression that was agreed on. A client that requires compression passes it to
    /// [`Sender::require_deflate`](crate::Sender::require_deflate).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub const fn deflate(&self) -> Option<Params> {
        self.deflate
    }
}
