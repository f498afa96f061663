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
}

/// Why the connection is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
    pub const fn new(request: ClientRequest<'a>, storage: S) -> Self {
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
