//! A server's side: RFC 6455, section 4.2.

use feedrate::{Encode, EncodeError, Output, Storage};

use super::head::{HeadError, Headers, Reader};
use super::key;
use super::list::{self, Extensions};
use crate::Input;

/// Reads a client's request to upgrade.
#[derive(Debug)]
pub struct Server<S: Storage> {
    head: Reader<S>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It is not HTTP, or too much of it.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Its method is not GET.
    #[error("method other than GET")]
    Method,
    /// It is not HTTP/1.1.
    #[error("version of HTTP other than 1.1")]
    Http,
    /// It has a body.
    #[error("request with a body")]
    Body,
    /// A header is missing, or there more than once, or has another value.
    #[error("header {name}: expected {expected}")]
    Header {
        /// Its name.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// It asks for another version of the protocol.
    #[error("header Sec-WebSocket-Version: expected 13")]
    Version,
}

impl ServerError {
    /// The answer that says so. Then close the connection.
    pub const fn rejection(&self) -> Rejection {
        Rejection {
            status: match self {
                Self::Head(HeadError::TooLong { .. } | HeadError::TooManyHeaders { .. }) => 431,
                Self::Method => 405,
                Self::Http => 505,
                Self::Version => 426,
                _ => 400,
            },
        }
    }
}

impl<S: Storage> Server<S> {
    /// The storage holds the request: its limit is that of the request's length.
    pub const fn new(storage: S) -> Self {
        Self { head: Reader::new(storage) }
    }

    /// Accepts this many headers at most (100, if this is not called).
    #[must_use]
    pub fn with_headers(mut self, limit: usize) -> Self {
        self.head.limit_headers(limit);
        self
    }

    /// Takes bytes off the front of `input`, up to the end of the request. `None`: it is not all there.
    ///
    /// # Errors
    ///
    /// See [`ServerError`]. What is left to do is to write its [`rejection`](ServerError::rejection) and close the connection.
    pub fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<Option<Request<'_>>, ServerError> {
        if !self.head.feed(input)? {
            return Ok(None);
        }
        let target = target(self.head.first_line())?;
        let headers = self.head.headers();
        let key = check(headers)?;
        Ok(Some(Request { target, headers, key }))
    }
}

/// The request's target, of a first line that asks for it.
fn target(line: &[u8]) -> Result<&str, ServerError> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HeadError::FirstLine.into());
    };
    if !list::is_token(method) || !version.starts_with(b"HTTP/") {
        return Err(HeadError::FirstLine.into());
    }
    if method != b"GET" {
        return Err(ServerError::Method);
    }
    if version != b"HTTP/1.1" {
        return Err(ServerError::Http);
    }
    // RFC 6455, section 4.1: a path, or a whole URI.
    let visible = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    let target = core::str::from_utf8(target).ok().filter(|_| visible);
    let whole = |target: &&str| target.starts_with("http://") || target.starts_with("https://");
    target.filter(|target| target.starts_with('/') || whole(target)).ok_or(HeadError::FirstLine.into())
}

fn check(headers: Headers<'_>) -> Result<[u8; 24], ServerError> {
    let bad = |name, expected| ServerError::Header { name, expected };
    if headers.get("Transfer-Encoding").is_some()
        || headers.all("Content-Length").any(|length| length != b"0")
    {
        return Err(ServerError::Body);
    }
    if headers.only("Host").is_none() {
        return Err(bad("Host", "one"));
    }
    if !headers.lists("Upgrade", "websocket") {
        return Err(bad("Upgrade", "websocket"));
    }
    if !headers.lists("Connection", "Upgrade") {
        return Err(bad("Connection", "Upgrade"));
    }
    match headers.only("Sec-WebSocket-Version") {
        Some("13") => {}
        Some(_) => return Err(ServerError::Version),
        None => return Err(bad("Sec-WebSocket-Version", "13, once")),
    }
    headers
        .only("Sec-WebSocket-Key")
        .filter(|key| key::is_key(key.as_bytes()))
        .and_then(|key| key.as_bytes().first_chunk().copied())
        .ok_or(bad("Sec-WebSocket-Key", "16 bytes in base64, once"))
}

/// A good request to upgrade. To refuse it all the same, write a [`Rejection`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    target: &'a str,
    headers: Headers<'a>,
    key: [u8; 24],
}

impl<'a> Request<'a> {
    /// What is asked for: a path and perhaps a query, or a whole URI.
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The page that a browser asks for, which is what tells a user's click from another site's (RFC 6455, section 10.2).
    pub fn origin(&self) -> Option<&'a str> {
        self.headers.only("Origin")
    }

    /// The subprotocols that the client speaks, the one that it likes best first.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.texts("Sec-WebSocket-Protocol").flat_map(list::tokens)
    }

    /// The extensions that the client offers, the one that it likes best first.
    pub fn extensions(&self) -> impl Iterator<Item = super::Extension<'a>> + use<'a> {
        self.headers.texts("Sec-WebSocket-Extensions").flat_map(Extensions::new)
    }

    /// What is agreed on of the client's offers to compress, with what this side wants. `None`: it has offered nothing that can be accepted.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn deflate(&self, config: &crate::deflate::Config) -> Option<crate::deflate::Params> {
        use crate::deflate::Offer;
        self.extensions()
            .filter_map(|offer| Offer::parse(&offer).ok())
            .map(|offer| config.accept(&offer))
            .next()
    }

    /// The answer that agrees.
    pub fn accept(&self) -> Accept<'static> {
        Accept {
            accept: key::accept(&self.key),
            protocol: None,
            #[cfg(feature = "deflate")]
            deflate: None,
            headers: &[],
        }
    }
}

/// The answer that agrees: write it, and the connection is open.
#[derive(Debug, Clone, Copy)]
pub struct Accept<'a> {
    accept: [u8; 28],
    protocol: Option<&'a str>,
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::Params>,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Accept<'a> {
    /// Speaks this one of the [`protocols`](Request::protocols) that the client speaks.
    #[must_use]
    pub fn protocol<'b>(self, protocol: Option<&'b str>) -> Accept<'b>
    where
        'a: 'b,
    {
        Accept { protocol, ..self }
    }

    /// Has more headers, names and values.
    #[must_use]
    pub fn headers<'b>(self, headers: &'b [(&'b str, &'b str)]) -> Accept<'b>
    where
        'a: 'b,
    {
        Accept { headers, ..self }
    }

    /// Compresses as [agreed](Request::deflate).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub const fn deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
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
        for (name, value) in self.headers {
            put_header(out, name, value)?;
        }
        out.put(b"\r\n")
    }
}

/// Writes a header, which must not be able to become two.
pub(super) fn put_header<O: Output>(out: &mut O, name: &str, value: &str) -> Result<(), EncodeError> {
    list::check_token("header's name", name)?;
    if value.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
        return Err(EncodeError::Invalid { what: "header's value", expected: "no control characters" });
    }
    for part in [name, ": ", value, "\r\n"] {
        out.put(part.as_bytes())?;
    }
    Ok(())
}

/// The answer that refuses. Write it and close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP's number for the reason: 400 for a bad request, 401, 403, 404, 429, 503 and so on.
    pub status: u16,
}

impl Rejection {
    const REASONS: [(u16, &'static str); 11] = [
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

impl Encode for Rejection {
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
        out.put(b"\r\n")
    }
}
