//! A client's side: RFC 6455, section 4.1.

use feedrate::{Input, Storage};

use super::head::{HeadError, Headers, Reader};
use super::key;
use super::list::Extensions;
use super::request::ClientRequest;
use super::response::Response;
#[cfg(feature = "deflate")]
use crate::deflate::{Offer, Params};

/// Reads the server's answer.
#[derive(Debug)]
pub struct Client<'a, S: Storage> {
    request: ClientRequest<'a>,
    head: Reader<S>,
    /// Interim answers that were skipped.
    interim: u8,
}

/// Why the connection must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClientError {
    /// The answer is not HTTP, or it is a malformed upgrade.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The server does not upgrade. Its headers may give more information: [`Client::headers`]. This error takes
    /// precedence over anything else that is wrong with such an answer: its version, its headers or its length.
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
    /// Reads the answer to this request. The storage holds the answer, so its limit is the longest answer that is
    /// accepted.
    pub const fn new(request: ClientRequest<'a>, storage: S) -> Self {
        Self { request, head: Reader::new(storage, true), interim: 0 }
    }

    /// Takes bytes off the front of `input`, up to the end of the answer. `None`: it is not complete yet.
    ///
    /// Up to eight interim answers before it, such as 103, are skipped.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. Close the connection.
    pub fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<Option<Response<'_>>, ClientError> {
        loop {
            match self.head.feed(input) {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(error) => return Err(self.wrong(error)),
            }
            match self.head.status() {
                Some(101) => break,
                // RFC 9110, section 15.2.
                Some(100..=199) if self.interim < INTERIM => self.interim = self.interim.saturating_add(1),
                _ => return Err(self.wrong(HeadError::FirstLine)),
            }
            self.head.again();
        }
        if !is_upgrade(self.head.first_line()) {
            return Err(HeadError::FirstLine.into());
        }
        self.head.check()?;
        let headers = self.head.headers();
        let protocol = check(headers, &self.request)?;
        #[cfg(not(feature = "deflate"))]
        if headers.texts("Sec-WebSocket-Extensions").flat_map(Extensions::new).next().is_some() {
            return Err(UNASKED);
        }
        Ok(Some(Response {
            headers,
            protocol,
            #[cfg(feature = "deflate")]
            deflate: extension(headers, self.request.deflate.as_ref())?,
        }))
    }

    /// To be called when the stream has ended.
    ///
    /// # Errors
    ///
    /// If the answer was not complete. It is [`ClientError::Status`] if the status had arrived and is not that of an
    /// upgrade.
    ///
    /// ```
    /// use feedrate::Array;
    /// use feedrate_ws::handshake::{Client, ClientError, ClientRequest};
    ///
    /// let request = ClientRequest::new("server.example.com", "/", *b"the sample nonce");
    /// let mut client = Client::new(request, Array::<2048>::new());
    /// let mut input = &b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\n"[..];
    /// assert!(client.feed(&mut input)?.is_none());
    /// assert_eq!(client.end(), Err(ClientError::Status(503)));
    /// # Ok::<(), ClientError>(())
    /// ```
    pub fn end(&self) -> Result<(), ClientError> {
        if self.head.is_done() { Ok(()) } else { Err(self.wrong(HeadError::Truncated)) }
    }

    /// The error to return if the head is wrong in this way.
    fn wrong(&self, error: HeadError) -> ClientError {
        match self.head.status() {
            Some(101) | None => error.into(),
            Some(status) => ClientError::Status(status),
        }
    }

    /// The answer's headers, once it is complete, whatever its status.
    pub fn headers(&self) -> Headers<'_> {
        self.head.headers()
    }
}

/// How many interim answers are skipped: a server that sends more probably sends nothing else.
const INTERIM: u8 = 8;

/// Whether a status line with status 101 is of HTTP/1.1 or a later minor version (RFC 9110, section 2.5).
fn is_upgrade(line: &[u8]) -> bool {
    // Not `strip_prefix`: at opt-level "z" a panic may be left in it.
    let Some((b"HTTP/1.", rest)) = line.split_first_chunk() else { return false };
    matches!(rest, [b'1'..=b'9', b' ', b'1', b'0', b'1'] | [b'1'..=b'9', b' ', b'1', b'0', b'1', b' ', ..])
}

/// Checks the headers of an upgrade, and returns the subprotocol.
fn check<'h>(headers: Headers<'h>, request: &ClientRequest<'_>) -> Result<Option<&'h str>, ClientError> {
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
fn extension(headers: Headers<'_>, offer: Option<&Offer>) -> Result<Option<Params>, ClientError> {
    let mut agreed = None;
    for value in headers.all("Sec-WebSocket-Extensions") {
        let value = core::str::from_utf8(value).map_err(|_| UNASKED)?;
        for extension in Extensions::new(value) {
            let params = offer.and_then(|offer| offer.answered(&extension).ok()).ok_or(UNASKED)?;
            if agreed.replace(params).is_some() {
                return Err(UNASKED);
            }
        }
    }
    Ok(agreed)
}

#[cfg(all(test, not(feature = "deflate")))]
mod tests {
    use super::*;
    use feedrate::Array;

    #[test]
    fn an_extension_that_was_not_asked_for_is_refused() {
        let request = ClientRequest::new("a", "/", *b"the sample nonce");
        let mut client = Client::new(request, Array::<512>::new());
        let mut input = &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
            Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"[..];
        assert_eq!(client.feed(&mut input).err(), Some(UNASKED));
    }
}
