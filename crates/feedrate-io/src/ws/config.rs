//! What a side agrees to, and how long its peer may take: [`Config`] and [`ClientConfig`].

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use feedrate_ws::Kind;
#[cfg(feature = "ws-deflate")]
use feedrate_ws::deflate;
use feedrate_ws::handshake::Request;

use crate::limits::Limits;

/// What both sides have.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) limits: Limits,
    pub(super) longest: usize,
    pub(super) only: Option<Kind>,
    pub(super) ping: Option<Duration>,
    pub(super) pong: Duration,
    pub(super) closing: Duration,
    pub(super) protocols: Vec<String>,
}

impl Common {
    const fn new() -> Self {
        Self {
            limits: Limits::new(),
            longest: 1 << 20,
            only: None,
            ping: Some(Duration::from_secs(30)),
            pong: Duration::from_secs(30),
            closing: Duration::from_secs(5),
            protocols: Vec::new(),
        }
    }
}

macro_rules! common {
    () => {
        /// The limits of time, and how many bytes may wait to be written: [`Limits::new`], if this is not called. A
        /// message that is longer than may wait can be sent in pieces only.
        pub fn limits(mut self, limits: Limits) -> Self {
            self.common.limits = limits;
            self
        }

        /// The longest message that is accepted, in bytes (1 MiB). It is as much memory as one peer can claim by
        /// sending, and [`Limits::queued`] is as much as it can claim by not reading.
        pub const fn longest_message(mut self, bytes: usize) -> Self {
            self.common.longest = bytes;
            self
        }

        /// Messages of one kind alone: one of the other is a violation (1003).
        pub const fn only(mut self, kind: Kind) -> Self {
            self.common.only = Some(kind);
            self
        }

        /// When nothing has come for so long (30 s), the peer is sent a ping. `None`: it never is.
        pub fn ping(mut self, idle: impl Into<Option<Duration>>) -> Self {
            self.common.ping = idle.into();
            self
        }

        /// When nothing comes for so long after a ping (30 s), the peer is gone: [`Late::Pong`](crate::Late::Pong).
        /// Whatever comes is a sign of life, as a pong may have to wait behind a long message.
        pub const fn pong(mut self, patience: Duration) -> Self {
            self.common.pong = patience;
            self
        }

        /// How long the closing handshake may take (5 s): [`Late::Closing`](crate::Late::Closing).
        pub const fn closing(mut self, patience: Duration) -> Self {
            self.common.closing = patience;
            self
        }

        /// The subprotocols that this side speaks, the one that it likes best first.
        pub fn protocols<I: Into<String>>(mut self, protocols: impl IntoIterator<Item = I>) -> Self {
            self.common.protocols = protocols.into_iter().map(Into::into).collect();
            self
        }
    };
}

/// What a server agrees to.
///
/// ```
/// use core::time::Duration;
/// use feedrate_io::ws::{Config, Origins};
///
/// let config = Config::new(Origins::only(["https://example.com"]))
///     .longest_message(64 * 1024)
///     .protocols(["chat"])
///     .ping(Duration::from_secs(20));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    pub(super) common: Common,
    pub(super) origins: Origins,
    #[cfg(feature = "ws-deflate")]
    pub(super) deflate: Option<deflate::Config>,
}

impl Config {
    /// Whose pages may connect has to be said. The rest has defaults that a public server survives.
    pub const fn new(origins: Origins) -> Self {
        Self {
            common: Common::new(),
            origins,
            #[cfg(feature = "ws-deflate")]
            deflate: None,
        }
    }

    common!();

    /// Compresses, if the client offers to. It costs memory for each connection
    /// ([`Params::memory`](deflate::Params::memory)), and what is secret must not be compressed together with what
    /// others choose.
    #[cfg(feature = "ws-deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ws-deflate")))]
    pub fn deflate(mut self, config: impl Into<Option<deflate::Config>>) -> Self {
        self.deflate = config.into();
        self
    }
}

/// The web pages that may connect. A browser says of which origin a page is, and leaves it to the server to refuse it
/// (RFC 6455, section 10.2): otherwise any page that a user looks at reaches what the user's machine does. Other
/// programs say nothing of the kind, and may connect.
#[derive(Debug, Clone)]
// Exhaustive: some, or all.
pub enum Origins {
    /// All: for a server that gives them nothing.
    Any,
    /// Those of these origins, like `https://example.com`; of an empty list, none. That a page has the server's own
    /// name is no reason: whoever owns a name can have it lead here.
    Only(Vec<String>),
}

impl Origins {
    /// [`Origins::Only`] of these.
    pub fn only<I: Into<String>>(origins: impl IntoIterator<Item = I>) -> Self {
        Self::Only(origins.into_iter().map(Into::into).collect())
    }

    /// The origin that may not connect, if there is one.
    pub(super) fn foreign<'a>(&self, request: &Request<'a>) -> Option<&'a [u8]> {
        let Self::Only(ours) = self else { return None };
        let is_ours = |origin: &[u8]| ours.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(origin));
        request.headers().all("Origin").find(|origin| !is_ours(origin))
    }
}

/// What a client asks for.
///
/// ```
/// use feedrate_io::ws::ClientConfig;
///
/// let config = ClientConfig::new("server.example.com", "/chat?room=7")
///     .protocols(["chat"])
///     .header("Authorization", "Bearer of a token");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientConfig {
    pub(super) common: Common,
    secure: bool,
    pub(super) host: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    #[cfg(feature = "ws-deflate")]
    pub(super) deflate: Option<deflate::Offer>,
    #[cfg(feature = "ws-deflate")]
    pub(super) required: bool,
}

impl ClientConfig {
    /// `host` with its port, if that is not the usual one; `target` is a path and perhaps a query.
    pub fn new(host: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            common: Common::new(),
            secure: false,
            host: host.into(),
            target: target.into(),
            headers: Vec::new(),
            #[cfg(feature = "ws-deflate")]
            deflate: None,
            #[cfg(feature = "ws-deflate")]
            required: false,
        }
    }

    /// For a URL like `ws://HOST:PORT/PATH?QUERY`, or `wss`, for which the caller brings the TLS. `None`: it is none,
    /// or has a fragment, which one of WebSocket has not (RFC 6455, section 3).
    ///
    /// ```
    /// use feedrate_io::ws::ClientConfig;
    ///
    /// let config = ClientConfig::url("wss://[::1]?room=7").unwrap();
    /// assert_eq!((config.host(), config.target()), ("[::1]", "/?room=7"));
    /// assert_eq!((config.address().as_str(), config.is_secure()), ("[::1]:443", true));
    /// assert!(ClientConfig::url("http://example.com/").is_none());
    /// ```
    pub fn url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") || rest.contains('#') {
            return None;
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at_checked(at)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        // A name and a password are not part of it either.
        (!host.is_empty() && !host.contains('@')).then(|| Self { secure, ..Self::new(host, target) })
    }

    /// Whether the URL was one of `wss`.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Where to connect to: the host with a port, which is 80, or 443 for `wss`, where none is given.
    #[must_use]
    pub fn address(&self) -> String {
        let port = if self.secure { 443 } else { 80 };
        // An IPv6 address has colons of its own.
        match self.host.rsplit_once(':') {
            Some((host, "")) => format!("{host}:{port}"),
            Some((_, digits)) if !digits.ends_with(']') => self.host.clone(),
            _ => format!("{}:{port}", self.host),
        }
    }

    /// The host alone, without port and brackets: what a certificate is for.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.host.strip_prefix('[') {
            Some(v6) => v6.split_once(']').map_or(v6, |(v6, _)| v6),
            None => self.host.split_once(':').map_or(self.host.as_str(), |(name, _)| name),
        }
    }

    /// The host, with its port if there is one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, and the query.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    common!();

    /// Asks the same host for something else.
    pub fn at(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// A header more. Those of the handshake itself are an error when it is written.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Offers to compress.
    #[cfg(feature = "ws-deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ws-deflate")))]
    pub fn deflate(mut self, offer: impl Into<Option<deflate::Offer>>) -> Self {
        self.deflate = offer.into();
        self
    }

    /// Cannot do without compression: if the server does not agree to it, it is told so (1010), and the WebSocket ends.
    #[cfg(feature = "ws-deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ws-deflate")))]
    pub const fn require_deflate(mut self, required: bool) -> Self {
        self.required = required;
        self
    }
}
