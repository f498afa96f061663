//! The opening handshakes: [`accept`], [`Accepting`], [`connect`].

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, ready};
use core::time::Duration;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::{Encode, Grow};
use feedrate_ws::Role;
use feedrate_ws::handshake::{Client, ClientRequest, HeadError, Rejection, Request, Server};

use super::config::{ClientConfig, Config};
use super::error::Error;
use super::socket::{Agreed, WebSocket};
use super::state::Intake;
use crate::limits::Late;
use crate::outlet::Outlet;
use crate::timer::Timer;
use crate::tokio::Clock;
use crate::tokio::line::Line;

/// The longest head of a request or an answer, in bytes.
const HEAD: usize = 16 * 1024;
/// How long a peer that is refused may take to read why.
const LINGER: Duration = Duration::from_secs(1);

/// A server's handshake: reads the request, refuses pages of [origins](super::Origins) that are not ours, agrees to the
/// first subprotocol of the client's that the server speaks. To look at the request first, there is [`Accepting`].
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error::Request`], [`Error::Origin`], [`Error::Io`], [`Error::Late`]. A client that is refused has been told.
pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    config: &Config,
) -> Result<WebSocket<T>, Error> {
    Accepting::new(io, config).accept().await
}

/// A client's handshake, over a transport that is connected to the server: a TCP socket, or for `wss` the TLS stream
/// over it.
///
/// ```
/// use feedrate_io::ws::{self, ClientConfig, Message};
/// # use tokio::net::TcpStream;
///
/// # async fn say(socket: TcpStream) -> Result<(), ws::Error> {
/// let mut ws = ws::connect(socket, &ClientConfig::new("server.example.com", "/chat")).await?;
/// ws.send("Hello").await?;
/// if let Some(Message::Text(text)) = ws.next().await? {
///     println!("{text}");
/// }
/// ws.close(ws::CloseCode::NORMAL, "").await
/// # }
/// ```
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error::Answer`], [`Error::Handshake`], [`Error::Io`], [`Error::Late`].
pub async fn connect<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    config: &ClientConfig,
) -> Result<WebSocket<T>, Error> {
    connect_with(io, config, Clock::new()).await
}

/// As [`connect`], with a clock of the caller's.
///
/// # Errors
///
/// As [`connect`].
pub async fn connect_with<T: AsyncRead + AsyncWrite + Unpin, C: Timer>(
    io: T,
    config: &ClientConfig,
    timer: C,
) -> Result<WebSocket<T, feedrate_ws::Whole, C>, Error> {
    connect_line(Line::new(io, config.common.limits, timer), config).await
}

/// As [`connect`], over a line whose deadline runs.
pub(super) async fn connect_line<T: AsyncRead + AsyncWrite + Unpin, C: Timer>(
    line: Line<T, C>,
    config: &ClientConfig,
) -> Result<WebSocket<T, feedrate_ws::Whole, C>, Error> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| Error::Io(io::Error::other(error.to_string())))?;
    let protocols: Vec<&str> = config.common.protocols.iter().map(String::as_str).collect();
    let headers = borrowed(&config.headers);
    let request =
        ClientRequest::new(&config.host, &config.target, nonce).protocols(&protocols).headers(&headers);
    #[cfg(feature = "ws-deflate")]
    let request = match config.deflate {
        Some(offer) => request.deflate(offer),
        None => request,
    };
    let mut opening = Opening::new(line);
    opening.write(&request).await?;
    let mut client = Client::new(request, Grow::new(HEAD));
    let agreed = loop {
        if opening.read().await? == 0 {
            return Err(Error::NoAnswer { inside: opening.begun });
        }
        let (answer, taken) = opening.feed(|mut input| {
            let all = input.len();
            let answer = client.feed(&mut input).map(|answer| {
                answer.map(|answer| Agreed {
                    protocol: answer.protocol().map(ToOwned::to_owned),
                    #[cfg(feature = "ws-deflate")]
                    deflate: answer.deflate(),
                    #[cfg(feature = "ws-deflate")]
                    required: config.required,
                })
            });
            (answer, all.saturating_sub(input.len()))
        });
        opening.intake.buffer.consume(taken);
        if let Some(agreed) = answer.map_err(Error::Answer)? {
            break agreed;
        }
    };
    Ok(WebSocket::open(opening.line, Role::Client, &config.common, opening.intake, agreed))
}

/// A server's handshake in steps: the [request](Self::request) first, then the answer.
///
/// ```
/// use feedrate_io::ws::{self, Accepting, Config, Rejection, WebSocket};
/// # use tokio::net::TcpStream;
///
/// /// `None`: what is asked for is not here.
/// async fn open(socket: TcpStream, config: &Config) -> Result<Option<WebSocket<TcpStream>>, ws::Error> {
///     let mut accepting = Accepting::new(socket, config);
///     if accepting.request().await?.target() != "/chat" {
///         accepting.reject(Rejection::new(404)).await?;
///         return Ok(None);
///     }
///     accepting.header("Set-Cookie", "seen=1").accept().await.map(Some)
/// }
/// ```
pub struct Accepting<'a, T, C = Clock> {
    opening: Opening<T, C>,
    server: Server<Grow>,
    config: &'a Config,
    /// The request is there.
    asked: bool,
    protocol: Option<Option<String>>,
    headers: Vec<(String, String)>,
}

impl<'a, T> Accepting<'a, T> {
    /// A connection that begins now. The limit for the handshake begins with it.
    pub fn new(io: T, config: &'a Config) -> Self {
        Self::with_timer(io, config, Clock::new())
    }
}

impl<'a, T, C: Timer> Accepting<'a, T, C> {
    /// As [`new`](Self::new), with a clock of the caller's.
    pub fn with_timer(io: T, config: &'a Config, timer: C) -> Self {
        Self::over(Line::new(io, config.common.limits, timer), config)
    }

    /// Over a line whose deadline runs.
    pub(super) fn over(line: Line<T, C>, config: &'a Config) -> Self {
        Self {
            opening: Opening::new(line),
            server: Server::new(Grow::new(HEAD)),
            config,
            asked: false,
            protocol: None,
            headers: Vec::new(),
        }
    }

    /// Speaks this one of the [`protocols`](Request::protocols) that the client speaks, or none, whatever the
    /// configuration says.
    #[must_use]
    pub fn protocol(mut self, protocol: Option<&str>) -> Self {
        self.protocol = Some(protocol.map(ToOwned::to_owned));
        self
    }

    /// A header more in the answer that agrees. Those of the handshake itself are an error when it is written.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Timer> Accepting<'_, T, C> {
    /// The request. It can be asked for again.
    ///
    /// Dropped: call it again, or go on.
    ///
    /// # Errors
    ///
    /// As [`accept`]: the client has been refused.
    pub async fn request(&mut self) -> Result<Request<'_>, Error> {
        while !self.asked {
            if self.opening.read().await? == 0 {
                return Err(Error::NoRequest { inside: self.opening.begun });
            }
            let (server, origins) = (&mut self.server, &self.config.origins);
            let (refused, taken) = self.opening.feed(|mut input| {
                let all = input.len();
                let refused = match server.feed(&mut input) {
                    Ok(None) => None,
                    Ok(Some(request)) => {
                        self.asked = true;
                        let foreign = origins.foreign(&request);
                        foreign.map(|origin| Error::Origin(origin.escape_ascii().to_string()))
                    }
                    Err(error) => Some(Error::Request(error)),
                };
                (refused, all.saturating_sub(input.len()))
            });
            self.opening.intake.buffer.consume(taken);
            if let Some(error) = refused {
                let rejection = match &error {
                    Error::Request(error) => error.rejection(),
                    _ => Rejection::new(403),
                };
                self.refuse(rejection).await?;
                return Err(error);
            }
        }
        asked(&mut self.server)
    }

    /// Agrees, and the WebSocket is open.
    ///
    /// # Errors
    ///
    /// As [`accept`], and [`Error::Handshake`] for a header that cannot be written.
    pub async fn accept(mut self) -> Result<WebSocket<T, feedrate_ws::Whole, C>, Error> {
        self.request().await?;
        let Self { mut opening, mut server, config, protocol, headers, .. } = self;
        let request = asked(&mut server)?;
        let ours = &config.common.protocols;
        let protocol = protocol.unwrap_or_else(|| {
            request.protocols().find(|name| ours.iter().any(|ours| ours == name)).map(ToOwned::to_owned)
        });
        let headers = borrowed(&headers);
        let answer = request.accept().protocol(protocol.as_deref()).headers(&headers);
        #[cfg(feature = "ws-deflate")]
        let deflate = config.deflate.as_ref().and_then(|config| request.deflate(config));
        #[cfg(feature = "ws-deflate")]
        let answer = answer.deflate(deflate);
        opening.write(&answer).await?;
        let agreed = Agreed {
            protocol,
            #[cfg(feature = "ws-deflate")]
            deflate,
            #[cfg(feature = "ws-deflate")]
            required: false,
        };
        Ok(WebSocket::open(opening.line, Role::Server, &config.common, opening.intake, agreed))
    }

    /// Refuses, and closes the connection when the client has read why, or has had a second to.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] for a rejection that cannot be written, [`Error::Io`], [`Error::Late`].
    pub async fn reject(mut self, rejection: Rejection<'_>) -> Result<(), Error> {
        self.refuse(rejection).await
    }

    async fn refuse(&mut self, rejection: Rejection<'_>) -> Result<(), Error> {
        self.opening.write(&rejection).await?;
        self.opening.linger().await;
        Ok(())
    }
}

/// The request that has been read.
fn asked(server: &mut Server<Grow>) -> Result<Request<'_>, Error> {
    match server.feed(&mut &[][..]) {
        Ok(Some(request)) => Ok(request),
        Ok(None) => Err(Error::Request(HeadError::Truncated.into())),
        Err(error) => Err(Error::Request(error)),
    }
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A transport whose handshake has not ended.
struct Opening<T, C> {
    line: Line<T, C>,
    intake: Intake,
    outlet: Outlet<Grow>,
    /// Something has come.
    begun: bool,
}

impl<T, C: Timer> Opening<T, C> {
    fn new(line: Line<T, C>) -> Self {
        Self { line, intake: Intake::new(), outlet: Outlet::new(Grow::new(usize::MAX)), begun: false }
    }

    /// What has been read, to be looked at.
    fn feed<R>(&mut self, look: impl FnOnce(&mut [u8]) -> R) -> R {
        look(self.intake.buffer.unread_mut())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Timer> Opening<T, C> {
    /// How much came. 0: the peer sends no more.
    async fn read(&mut self) -> Result<usize, Error> {
        let Self { line, intake, begun, .. } = self;
        poll_fn(|cx| match intake.poll_read(|space| line.poll_read_or_cut(cx, space)) {
            Poll::Ready(Ok(n)) => {
                *begun |= n > 0;
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(Error::Io(error))),
            Poll::Pending => line.poll_late(cx).map(|late| Err(Error::Late(late))),
        })
        .await
    }

    async fn write(&mut self, message: &impl Encode) -> Result<(), Error> {
        let Self { line, outlet, .. } = self;
        outlet.push(message).map_err(Error::Handshake)?;
        poll_fn(|cx| match line.poll_write(cx, outlet) {
            Poll::Ready(()) => Poll::Ready(line.refusal().map_err(Error::Io)),
            Poll::Pending => line.poll_late_write(cx).map(|late: Late| Err(Error::Late(late))),
        })
        .await
    }

    /// Lets the peer read what it was told, before the connection is reset for what it has sent meanwhile.
    async fn linger(&mut self) {
        let Self { line, outlet, .. } = self;
        let (until, mut shut) = (line.timer.now().saturating_add(LINGER), false);
        let mut dropped = Intake::new();
        poll_fn(|cx| {
            loop {
                shut = shut || line.poll_shutdown(cx, outlet).is_ready();
                match dropped.poll_read(|space| line.poll_read(cx, space)) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(n)) => {
                        dropped.buffer.consume(n);
                    }
                    Poll::Pending => {
                        ready!(line.timer.poll_until(cx, until));
                        return Poll::Ready(());
                    }
                }
            }
        })
        .await;
    }
}

impl<T, C> fmt::Debug for Accepting<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepting").field("asked", &self.asked).finish_non_exhaustive()
    }
}
