//! A client's side: RFC 6455, section 4.1.

use feedrate::{Encode, EncodeError, Output, Storage};

use super::head::{HeadError, Headers, Reader};
use super::key;
use super::list;
use super::server::put_header;
use crate::Input;

/// A client's request to upgrade.
///
/// ```
/// use feedrate::{Array, Encode};
/// use feedrate_ws::handshake::{Client, ClientRequest};
///
/// // From a cryptographic generator.
/// let nonce = *b"the sample nonce";
/// let request = ClientRequest::new("server.example.com", "/chat", nonce).protocols(&["chat"]);
/// let mut out = Vec::new();
/// request.encode(&mut out)?;
///
/// let mut client = Client::new(request, Array::<2048>::new());
/// let mut input = &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"[..];
/// let response = client.feed(&mut input)?.expect("all of it");
/// assert_eq!(response.protocol(), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    host: &'a str,
    target: &'a str,
    key: [u8; 24],
    protocols: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::Offer>,
}

impl<'a> Request<'a> {
    /// `host` with its port, if that is not the usual one; `target` is a path and perhaps a query; `nonce` is random, and new for each connection.
    pub fn new(host: &'a str, target: &'a str, nonce: [u8; 16]) -> Self {
        Self {
            host,
            target,
            key: key::key(&nonce),
            protocols: &[],
            headers: &[],
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Speaks these subprotocols, the one that it likes best first.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Has more headers, names and values.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Offers to compress.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub const fn deflate(mut self, offer: crate::deflate::Offer) -> Self {
        self.deflate = Some(offer);
        self
    }
}

impl Encode for Request<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let visible = self.target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !visible || !self.target.starts_with('/') {
            return Err(EncodeError::Invalid {
                what: "target",
                expected: "a path, of visible ASCII without a fragment",
            });
        }
        for part in ["GET ", self.target, " HTTP/1.1\r\n"] {
            out.put(part.as_bytes())?;
        }
        put_header(out, "Host", self.host)?;
        out.put(
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
        )?;
        out.put(&self.key)?;
        out.put(b"\r\n")?;
        for (i, protocol) in self.protocols.iter().enumerate() {
            list::check_token("subprotocol", protocol)?;
            if self.protocols.iter().take(i).any(|before| before == protocol) {
                return Err(EncodeError::Invalid { what: "subprotocol", expected: "each once" });
            }
            out.put(if i == 0 { b"Sec-WebSocket-Protocol: " } else { b", " })?;
            out.put(protocol.as_bytes())?;
        }
        if !self.protocols.is_empty() {
            out.put(b"\r\n")?;
        }
        #[cfg(feature = "deflate")]
        if let Some(offer) = &self.deflate {
            out.put(b"Sec-WebSocket-Extensions: ")?;
            offer.write(out)?;
            out.put(b"\r\n")?;
        }
        for (name, value) in self.headers {
            put_header(out, name, value)?;
        }
        out.put(b"\r\n")
    }
}

/// Reads the server's answer.
#[derive(Debug)]
pub struct Client<'a, S: Storage> {
    request: Request<'a>,
    head: Reader<S>,
}

/// Why the connection is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The answer is not HTTP, or too much of it.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The server does not upgrade. Its headers may say more: [`Client::headers`].
    #[error("status {0}, expected 101")]
    Status(u16),
    /// A header is missing, or there more than once, or has another value.
    #[error("header {name}: expected {expected}")]
    Header {
        /// Its name.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

impl<'a, S: Storage> Client<'a, S> {
    /// For the answer to this request. The storage holds the answer: its limit is that of its length.
    pub const fn new(request: Request<'a>, storage: S) -> Self {
        Self { request, head: Reader::new(storage) }
    }

    /// Takes bytes off the front of `input`, up to the end of the answer. `None`: it is not all there.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. What is left to do is to close the connection.
    pub fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<Option<Response<'_>>, ClientError> {
        if !self.head.feed(input)? {
            return Ok(None);
        }
        match status(self.head.first_line())? {
            101 => {}
            other => return Err(ClientError::Status(other)),
        }
        let headers = self.head.headers();
        let protocol = check(headers, &self.request)?;
        #[cfg(not(feature = "deflate"))]
        if headers.texts("Sec-WebSocket-Extensions").flat_map(super::Extensions::new).next().is_some() {
            return Err(UNASKED);
        }
        Ok(Some(Response {
            headers,
            protocol,
            #[cfg(feature = "deflate")]
            deflate: extension(headers, self.request.deflate.as_ref())?,
        }))
    }

    /// The answer's headers, once it is all there, whatever its status.
    pub fn headers(&self) -> Headers<'_> {
        self.head.headers()
    }
}

fn status(line: &[u8]) -> Result<u16, ClientError> {
    let status = line.strip_prefix(b"HTTP/1.1 ").and_then(<[u8]>::split_first_chunk::<3>);
    match status {
        Some((digits, [] | [b' ', ..])) if digits.iter().all(u8::is_ascii_digit) => {
            let number = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            number.ok_or(HeadError::FirstLine.into())
        }
        _ => Err(HeadError::FirstLine.into()),
    }
}

/// The subprotocol, of an answer that is right.
fn check<'h>(headers: Headers<'h>, request: &Request<'_>) -> Result<Option<&'h str>, ClientError> {
    let bad = |name, expected| ClientError::Header { name, expected };
    if !headers.only("Upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err(bad("Upgrade", "websocket"));
    }
    if !headers.lists("Connection", "Upgrade") {
        return Err(bad("Connection", "Upgrade"));
    }
    if headers.only("Sec-WebSocket-Accept").map(str::as_bytes) != Some(&key::accept(&request.key)) {
        return Err(bad("Sec-WebSocket-Accept", "the answer to the key, once"));
    }
    let Some(_) = headers.get("Sec-WebSocket-Protocol") else { return Ok(None) };
    headers
        .only("Sec-WebSocket-Protocol")
        .filter(|chosen| request.protocols.contains(chosen))
        .map(Some)
        .ok_or(bad("Sec-WebSocket-Protocol", "one of those asked for, once"))
}

/// RFC 6455, section 4.1: an extension that was not asked for.
const UNASKED: ClientError =
    ClientError::Header { name: "Sec-WebSocket-Extensions", expected: "what was offered, once" };

#[cfg(feature = "deflate")]
fn extension(
    headers: Headers<'_>,
    offer: Option<&crate::deflate::Offer>,
) -> Result<Option<crate::deflate::Params>, ClientError> {
    let mut agreed = None;
    for value in headers.all("Sec-WebSocket-Extensions") {
        let value = core::str::from_utf8(value).map_err(|_| UNASKED)?;
        for extension in super::Extensions::new(value) {
            let params = offer.and_then(|offer| offer.answered(&extension).ok()).ok_or(UNASKED)?;
            if agreed.replace(params).is_some() {
                return Err(UNASKED);
            }
        }
    }
    Ok(agreed)
}

/// The answer of a server that agrees. The connection is open.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    headers: Headers<'a>,
    protocol: Option<&'a str>,
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::Params>,
}

impl<'a> Response<'a> {
    /// The subprotocol that the server has chosen of those asked for.
    pub const fn protocol(&self) -> Option<&'a str> {
        self.protocol
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// How it was agreed to compress. A client that cannot do without gives it to [`Sender::requiring_deflate`](crate::Sender::requiring_deflate).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub const fn deflate(&self) -> Option<crate::deflate::Params> {
        self.deflate
    }
}

#[cfg(all(test, not(feature = "deflate")))]
mod tests {
    use super::*;
    use feedrate::Array;

    #[test]
    fn an_extension_that_was_not_asked_for_is_refused() {
        let request = Request::new("a", "/", *b"the sample nonce");
        let mut client = Client::new(request, Array::<512>::new());
        let mut input = &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"[..];
        assert_eq!(client.feed(&mut input).err(), Some(UNASKED));
    }
}
