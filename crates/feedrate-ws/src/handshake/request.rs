//! Requests to upgrade, as a client writes them and a server reads them: RFC 6455, sections 4.1 and 4.2.1.

use feedrate::{Encode, EncodeError, Output};

use super::head::{Headers, put_header, put_headers};
use super::key;
use super::list::{self, Extension, Extensions};
use super::response::Accept;
#[cfg(feature = "deflate")]
use crate::deflate::{Config, Offer, Params};

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
pub struct ClientRequest<'a> {
    host: &'a str,
    target: &'a str,
    pub(super) key: [u8; 24],
    pub(super) protocols: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
    #[cfg(feature = "deflate")]
    pub(super) deflate: Option<Offer>,
}

impl<'a> ClientRequest<'a> {
    /// `host` includes the port, unless it is the default one; `target` is a path with an optional query; `nonce` has
    /// to be random, and new for each connection.
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

    /// Offers these subprotocols, in order of preference.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Adds headers: names and values. Headers that belong to the handshake or the connection cause an error when this
    /// is written: `Host`, `Connection`, `Upgrade`, `Content-Length`, `Transfer-Encoding` and all that begin with
    /// `Sec-WebSocket-`.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Offers compression.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub const fn deflate(mut self, offer: Offer) -> Self {
        self.deflate = Some(offer);
        self
    }
}

impl Encode for ClientRequest<'_> {
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
        if self.host.is_empty() || !list::is_authority(self.host.as_bytes()) {
            return Err(EncodeError::Invalid { what: "host", expected: "a host and perhaps a port" });
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
        put_headers(out, self.headers)?;
        out.put(b"\r\n")
    }
}

/// A valid request to upgrade. To refuse it nevertheless, write a [`Rejection`](super::Rejection).
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub(super) target: &'a str,
    pub(super) headers: Headers<'a>,
    pub(super) key: [u8; 24],
}

impl<'a> Request<'a> {
    /// The requested resource: a path with an optional query, or a whole URI.
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The origin of the page that makes a browser connect. A server checks it to refuse the pages of other sites (RFC
    /// 6455, section 10.2).
    pub fn origin(&self) -> Option<&'a str> {
        self.headers.only("Origin")
    }

    /// The subprotocols that the client offers, in order of preference.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.texts("Sec-WebSocket-Protocol").flat_map(list::tokens)
    }

    /// The extensions that the client offers, in order of preference.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        self.headers.texts("Sec-WebSocket-Extensions").flat_map(Extensions::new)
    }

    /// Negotiates compression from the client's offers and `config`. `None`: there is no acceptable offer.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn deflate(&self, config: &Config) -> Option<Params> {
        self.extensions()
            .filter_map(|offer| Offer::parse(&offer).ok())
            .map(|offer| config.accept(&offer))
            .next()
    }

    /// The answer that accepts the request.
    pub fn accept(&self) -> Accept<'static> {
        Accept::new(&self.key)
    }
}
