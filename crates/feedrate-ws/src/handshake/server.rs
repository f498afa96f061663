//! A server's side: RFC 6455, section 4.2.

use feedrate::{Input, Storage};

use super::head::{HeadError, Headers, Reader, request_line};
use super::key;
use super::list::is_authority;
use super::request::Request;
use super::response::Rejection;

/// Reads a client's request to upgrade.
#[derive(Debug)]
pub struct Server<S: Storage> {
    head: Reader<S>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ServerError {
    /// It is not HTTP, or too much of it.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Its method is not GET.
    #[error("method of the request, expected GET")]
    Method,
    /// It is not HTTP/1.1.
    #[error("version of HTTP, expected 1.1")]
    Http,
    /// It has a body.
    #[error("request with a body, expected none")]
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
    pub const fn rejection(&self) -> Rejection<'static> {
        Rejection::new(match self {
            Self::Head(HeadError::TooLong { .. } | HeadError::TooManyHeaders { .. }) => 431,
            Self::Method => 405,
            Self::Http => 505,
            Self::Version => 426,
            _ => 400,
        })
    }
}

impl<S: Storage> Server<S> {
    /// The storage holds the request: its limit is that of the request's length.
    pub const fn new(storage: S) -> Self {
        Self { head: Reader::new(storage, false) }
    }

    /// Accepts this many headers at most (100, if this is not called).
    #[must_use]
    pub const fn max_headers(mut self, limit: usize) -> Self {
        self.head.limit_headers(limit);
        self
    }

    /// Takes bytes off the front of `input`, up to the end of the request. `None`: it is not all there.
    ///
    /// # Errors
    ///
    /// See [`ServerError`]. What is left to do is to write its [`rejection`](ServerError::rejection) and
    /// close the connection.
    pub fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<Option<Request<'_>>, ServerError> {
        if !self.head.feed(input)? {
            return Ok(None);
        }
        self.head.check()?;
        let target = target(self.head.first_line())?;
        let headers = self.head.headers();
        let key = check(headers)?;
        Ok(Some(Request { target, headers, key }))
    }
}

/// The request's target, of a first line that asks for it.
fn target(line: &[u8]) -> Result<&str, ServerError> {
    let [method, target, version] = request_line(line)?;
    if method != b"GET" {
        return Err(ServerError::Method);
    }
    // RFC 6455, section 4.2.1: 1.1 or higher. What is higher than 1.1 and no 2 is understood as 1.1 (RFC 9110,
    // section 2.5).
    let Some((b"HTTP/1.", [b'1'..=b'9'])) = version.split_first_chunk() else {
        return Err(ServerError::Http);
    };
    // RFC 6455, section 4.1: a path, or a whole URI.
    let visible = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    let good = visible && (target.first() == Some(&b'/') || is_whole_uri(target));
    core::str::from_utf8(target).ok().filter(|_| good).ok_or(HeadError::FirstLine.into())
}

/// Whether it is one of `http` or `https`, with a host: RFC 9112, section 3.2.2.
fn is_whole_uri(target: &[u8]) -> bool {
    let behind = |scheme: &[u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let Some(rest) = behind(b"http://").or_else(|| behind(b"https://")) else { return false };
    let end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    // RFC 9110, section 4.2.1: an empty host is none.
    !matches!(authority, [] | [b':', ..]) && is_authority(authority)
}

fn check(headers: Headers<'_>) -> Result<[u8; 24], ServerError> {
    let bad = |name, expected| ServerError::Header { name, expected };
    // RFC 9112, section 6.3: two of what says how long a body is, is how requests are smuggled.
    let zero = |length: &[u8]| !length.is_empty() && length.iter().all(|digit| *digit == b'0');
    if headers.get("Transfer-Encoding").is_some()
        || headers.all("Content-Length").enumerate().any(|(i, length)| i > 0 || !zero(length))
    {
        return Err(ServerError::Body);
    }
    // RFC 9112, section 3.2.
    if !headers.only("Host").is_some_and(|host| is_authority(host.as_bytes())) {
        return Err(bad("Host", "one, a host and perhaps a port"));
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
