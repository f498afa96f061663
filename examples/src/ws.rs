//! A WebSocket on a tokio socket: the handshakes, and one turn of reading and writing. What happens to the messages
//! is up to each program's own loop.

use std::future::pending;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::{self, Duration};

use feedrate::{Array, Encode, Grow, Instant};
use feedrate_ws::deflate::{Config, Offer, Params};
use feedrate_ws::frame::CONTROL;
use feedrate_ws::handshake::{Client, ClientRequest, Rejection, Request, Server};
use feedrate_ws::{Keys, Message, Receiver, Role, SendError, Sender, StreamEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, sleep_until, timeout};

use crate::escape::escaped;
use crate::options::seconds;

/// The longest head of a request or an answer, in bytes.
const HEAD: usize = 16 * 1024;
/// Shorter messages go together: to write each by itself would cost more than to copy it.
const LONG: usize = 16 * 1024;

/// How long a peer may take. Without such limits a few peers that are slow on purpose, or gone without a word, hold
/// all of a program's memory and sockets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the whole handshake, however its bytes arrive.
    pub handshake: Duration,
    /// Until it takes more of what it is sent.
    pub progress: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(10), progress: Duration::from_secs(30) }
    }
}

impl Limits {
    /// Reads one of the options `--handshake` and `--progress`. `false`: it is another one.
    pub fn option(
        &mut self,
        name: &str,
        value: impl FnOnce() -> Result<String, String>,
    ) -> Result<bool, String> {
        let limit = match name {
            "--handshake" => &mut self.handshake,
            "--progress" => &mut self.progress,
            _ => return Ok(false),
        };
        *limit = seconds(name, &value()?)?;
        Ok(true)
    }
}

/// Since when something has waited, and nothing has moved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress(Option<time::Instant>);

impl Progress {
    /// Something waits, or nothing does.
    pub fn waits(&mut self, waits: bool) {
        if waits {
            self.0.get_or_insert_with(time::Instant::now);
        }
    }

    /// Something has moved.
    pub const fn made(&mut self) {
        self.0 = None;
    }

    /// Ends when nothing has moved for so long.
    pub fn missing(&self, limit: Duration) -> impl Future<Output = ()> + use<> {
        until(self.0.map(|since| since + limit))
    }
}

/// Never, if there is no time for it.
async fn until(time: Option<time::Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => pending().await,
    }
}

/// What is done in time, or the error that says what was not.
async fn within<T>(
    limit: Duration,
    what: &'static str,
    done: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(limit, done).await.unwrap_or_else(|_| Err(late(what)))
}

/// The error of a peer that took too long for this.
pub fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

/// What a peer is told of that takes nothing.
pub const STUCK: &str = "it took nothing of what it was sent for too long";

/// A socket, and the clock for closing it.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    started: time::Instant,
    /// How long the peer may take nothing.
    patience: Duration,
    progress: Progress,
    /// The peer sends no more.
    ended: bool,
}

impl Stream {
    /// An open connection.
    pub fn new(socket: TcpStream, limits: Limits) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let (started, progress) = (time::Instant::now(), Progress::default());
        Ok(Self { socket, started, patience: limits.progress, progress, ended: false })
    }

    /// Queues a message. A long one is not copied as far as the socket takes it at once.
    pub fn send<K: Keys>(&self, sender: &mut Sender<Grow, K>, message: Message<'_>) -> Result<(), SendError> {
        if message.as_bytes().len() < LONG {
            return sender.send(message);
        }
        // An error comes again when the rest is written.
        let write = |parts: [&[u8]; 3]| self.socket.try_write_vectored(&parts.map(IoSlice::new));
        sender.send_vectored(message, |parts| write(parts).unwrap_or(0))
    }

    /// Reads or writes, whichever can be done first, and returns how many bytes are in `buffer` then. `None`: the
    /// connection is over.
    ///
    /// A peer that sends no more may still read: what is queued is written before it is over.
    pub async fn turn<K: Keys>(
        &mut self,
        sender: &mut Sender<Grow, K>,
        buffer: &mut [u8],
    ) -> io::Result<Option<usize>> {
        if !self.tend(sender).await {
            return Ok(None);
        }
        if self.ended && sender.queued() == 0 {
            return Ok(None);
        }
        self.progress.waits(sender.queued() > 0);
        let (deadline, stuck) = (self.deadline(sender), self.progress.missing(self.patience));
        let closing = sender.is_closing();
        let (mut reader, mut writer) = self.socket.split();
        let done = tokio::select! {
            read = reader.read(buffer), if !self.ended => read.map(|n| {
                self.ended = n == 0;
                Some(n)
            }),
            written = writer.write(sender.transmit()), if sender.queued() > 0 => written.map(|n| {
                sender.transmitted(n);
                self.progress.made();
                Some(0)
            }),
            () = deadline => Ok(None),
            () = stuck => Err(late(STUCK)),
        };
        // A peer that does not wait for us to close is no news any more.
        if closing { done.or(Ok(None)) } else { done }
    }

    /// Writes some of what is queued, so that there is room for more.
    pub async fn make_room<K: Keys>(&mut self, sender: &mut Sender<Grow, K>) -> io::Result<()> {
        self.progress.waits(sender.queued() > 0);
        let stuck = self.progress.missing(self.patience);
        let written = tokio::select! {
            written = self.socket.write(sender.transmit()) => written?,
            () = stuck => return Err(late(STUCK)),
        };
        sender.transmitted(written);
        self.progress.made();
        Ok(())
    }

    /// Writes all that is queued.
    pub async fn flush<K: Keys>(&mut self, sender: &mut Sender<Grow, K>) -> io::Result<()> {
        while sender.queued() > 0 {
            self.make_room(sender).await?;
        }
        Ok(())
    }

    /// Does what closing asks for. `false`: it took too long, and the connection is over.
    pub async fn tend<K: Keys>(&mut self, sender: &mut Sender<Grow, K>) -> bool {
        sender.handle_timeout(self.now());
        while let Some(event) = sender.poll_event() {
            match event {
                StreamEvent::Finished => _ = self.socket.shutdown().await,
                _ => return false,
            }
        }
        true
    }

    /// The time, for whoever has to be told.
    pub fn now(&self) -> Instant {
        self.started.elapsed().into()
    }

    /// Ends when it is time to drop the connection.
    pub fn deadline<K: Keys>(&self, sender: &Sender<Grow, K>) -> impl Future<Output = ()> + use<K> {
        until(sender.deadline().map(|deadline| self.started + (deadline - Instant::ZERO)))
    }

    /// The socket.
    pub const fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }
}

/// The two halves of a side. `limit`: the longest message; as much may be queued.
fn halves<K: Keys>(
    role: Role,
    limit: usize,
    deflate: Option<Params>,
    sender: impl FnOnce(Grow) -> Sender<Grow, K>,
) -> (Receiver<Grow>, Sender<Grow, K>) {
    // Headers and control frames: `longest_message` of both is the limit, or more.
    let queue = limit.saturating_add(limit / 64).saturating_add(4096);
    let receiver = Receiver::new(role, Grow::new(limit.saturating_add(CONTROL)));
    (receiver.deflate(deflate), sender(Grow::new(queue)).deflate(deflate))
}

/// What a server agrees to.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The longest message in bytes.
    pub limit: usize,
    /// How it compresses, if it does.
    pub deflate: Option<Config>,
    /// The subprotocols that it speaks.
    pub protocols: Vec<String>,
    /// Whose pages may connect.
    pub origins: Origins,
    /// How long a client may take.
    pub limits: Limits,
    /// How many connections there may be at once.
    pub connections: usize,
    /// Whether it says nothing of connections that go wrong.
    pub quiet: bool,
}

/// The web pages that may connect. A browser says of which origin a page is, and leaves it to the server to refuse it
/// (RFC 6455, section 10.2): otherwise any page that a user looks at reaches what the user's machine does. Other
/// programs say nothing of the kind.
#[derive(Debug, Clone)]
pub enum Origins {
    /// All: for a server that gives them nothing.
    Any,
    /// Those of these origins, like `https://example.com`. That a page has the server's own name is no reason: whoever
    /// owns a name can have it lead here.
    Only(Vec<String>),
}

impl Origins {
    /// The origin that may not connect, if there is one.
    fn foreign<'a>(&self, request: &Request<'a>) -> Option<&'a [u8]> {
        let Self::Only(ours) = self else { return None };
        let is_ours = |origin: &[u8]| ours.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(origin));
        request.headers().all("Origin").find(|origin| !is_ours(origin))
    }
}

/// An open connection: its socket, its halves, and how many bytes at the front of the buffer came behind the
/// handshake.
pub type Open<K> = (Stream, Receiver<Grow>, Sender<Grow, K>, usize);

/// The option `--connections`.
pub fn connections(text: &str) -> Result<usize, String> {
    let most = text.parse().ok().filter(|most| (1..=1 << 20).contains(most));
    most.ok_or_else(|| format!("--connections {text}: expected a number of connections"))
}

/// Accepts connections, each in a task of its own. When there are as many as there may be, more wait until one has
/// ended: so what all of them hold has a bound.
pub async fn serve<F>(
    program: &'static str,
    listen: &str,
    most: usize,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let places = Arc::new(Semaphore::new(most));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((socket, peer)) = listener.accept().await else {
            // A client that has left again, or too many open files: neither is for ever.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let connection = connection(socket);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("{program}: {peer}: {error}");
            }
            drop(place);
        });
    }
}

/// A server's handshake. `None`: the request was bad, and the client has been told.
pub async fn accept(
    socket: TcpStream,
    serving: &Serving,
    buffer: &mut [u8],
) -> io::Result<Option<Open<feedrate_ws::Unmasked>>> {
    within(serving.limits.handshake, LATE, answer(socket, serving, buffer)).await
}

const LATE: &str = "the handshake took too long";

async fn answer(
    mut socket: TcpStream,
    serving: &Serving,
    buffer: &mut [u8],
) -> io::Result<Option<Open<feedrate_ws::Unmasked>>> {
    let mut server = Server::new(Array::<HEAD>::new());
    let (mut out, mut foreign) = (Vec::new(), None);
    let (rest, deflate) = loop {
        let n = socket.read(buffer).await?;
        if n == 0 {
            return Ok(None);
        }
        let mut input = buffer.get_mut(..n).unwrap_or_default();
        let refused: Rejection = match server.feed(&mut input) {
            Ok(None) => continue,
            Ok(Some(request)) if serving.origins.foreign(&request).is_some() => {
                foreign = serving.origins.foreign(&request).map(escaped);
                Rejection::new(403)
            }
            Ok(Some(request)) => {
                let deflate = serving.deflate.as_ref().and_then(|config| request.deflate(config));
                let protocol =
                    request.protocols().find(|name| serving.protocols.iter().any(|ours| ours == name));
                let answer = request.accept().protocol(protocol).deflate(deflate);
                answer.encode(&mut out).map_err(io::Error::other)?;
                break (keep(n, input.len(), buffer), deflate);
            }
            Err(error) => error.rejection(),
        };
        refused.encode(&mut out).map_err(io::Error::other)?;
        socket.write_all(&out).await?;
        drain(socket).await;
        return match foreign {
            Some(origin) => Err(io::Error::other(format!("a page of {origin} may not connect"))),
            None => Ok(None),
        };
    };
    socket.write_all(&out).await?;
    let (receiver, sender) = halves(Role::Server, serving.limit, deflate, Sender::server);
    Ok(Some((Stream::new(socket, serving.limits)?, receiver, sender, rest)))
}

/// Lets the peer read what it was told before the connection is reset for what it has sent meanwhile.
pub async fn drain(mut socket: TcpStream) {
    let mut buffer = [0; 1024];
    if socket.shutdown().await.is_ok() {
        let all = async { while socket.read(&mut buffer).await.is_ok_and(|n| n > 0) {} };
        let _ = timeout(Duration::from_secs(1), all).await;
    }
}

/// A client's keys.
pub type RandomKeys = fn() -> [u8; 4];

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Host and port.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// The longest message in bytes.
    pub limit: usize,
    /// The compression that it offers, if any.
    pub deflate: Option<Offer>,
    /// Whether it cannot do without.
    pub requires_deflate: bool,
    /// The subprotocols that it speaks.
    pub protocols: Vec<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// How long the server may take.
    pub limits: Limits,
}

impl Asking {
    /// For a URL like `ws://HOST:PORT/PATH`.
    pub fn url(url: &str) -> Result<Self, String> {
        let (_, rest) = url
            .split_at_checked(5)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ws://"))
            .ok_or_else(|| format!("{url}: expected ws://HOST:PORT/PATH"))?;
        let (host, target) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        Ok(Self {
            host: host.into(),
            target: if target.starts_with('?') { format!("/{target}") } else { target.into() },
            limit: 64 << 20,
            deflate: None,
            requires_deflate: false,
            protocols: Vec::new(),
            headers: Vec::new(),
            limits: Limits::default(),
        })
    }

    /// Where it connects to: the port is 80 where none is given. An IPv6 address has colons of its own.
    fn address(&self) -> String {
        match self.host.rsplit_once(':') {
            Some((host, "")) => format!("{host}:80"),
            Some((_, port)) if !port.ends_with(']') => self.host.clone(),
            _ => format!("{}:80", self.host),
        }
    }
}

/// A connection, or an error that says where none could be made in time.
pub async fn reach(address: &str, limit: Duration) -> io::Result<TcpStream> {
    let failed =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}"));
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(connected) => connected.map_err(failed),
        Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
    }
}

/// A client's connection and handshake, and the subprotocol that the server has chosen.
pub async fn connect(asking: &Asking, buffer: &mut [u8]) -> io::Result<(Open<RandomKeys>, Option<String>)> {
    within(asking.limits.handshake, LATE, ask(asking, buffer)).await
}

async fn ask(asking: &Asking, buffer: &mut [u8]) -> io::Result<(Open<RandomKeys>, Option<String>)> {
    let mut socket = reach(&asking.address(), asking.limits.handshake).await?;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    let protocols: Vec<&str> = asking.protocols.iter().map(String::as_str).collect();
    let headers: Vec<_> =
        asking.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut request =
        ClientRequest::new(&asking.host, &asking.target, nonce).protocols(&protocols).headers(&headers);
    if let Some(offer) = asking.deflate {
        request = request.deflate(offer);
    }
    let mut out = Vec::new();
    request.encode(&mut out).map_err(io::Error::other)?;
    socket.write_all(&out).await?;

    let mut client = Client::new(request, Array::<HEAD>::new());
    let (rest, deflate, protocol) = loop {
        let n = socket.read(buffer).await?;
        if n == 0 {
            let error = client.end().err().map_or(io::ErrorKind::UnexpectedEof.into(), io::Error::other);
            return Err(error);
        }
        let mut input = buffer.get_mut(..n).unwrap_or_default();
        if let Some(response) = client.feed(&mut input).map_err(io::Error::other)? {
            let protocol = response.protocol().map(String::from);
            break (keep(n, input.len(), buffer), response.deflate(), protocol);
        }
    };
    let keys: RandomKeys =
        || getrandom::u32().unwrap_or_else(|error| panic!("no randomness: {error}")).to_ne_bytes();
    let stream = Stream::new(socket, asking.limits)?;
    let (receiver, mut sender) =
        halves(Role::Client, asking.limit, deflate, |queue| Sender::client(queue, keys));
    if asking.requires_deflate {
        sender = sender.require_deflate(deflate, stream.now());
    }
    Ok(((stream, receiver, sender, rest), protocol))
}

/// Moves what was not taken of `n` bytes to the front.
fn keep(n: usize, rest: usize, buffer: &mut [u8]) -> usize {
    buffer.copy_within(n.saturating_sub(rest)..n, 0);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455, section 3, and RFC 3986, sections 3.1 and 3.2.
    #[test]
    fn urls() {
        for (url, host, address, target) in [
            ("ws://a", "a", "a:80", "/"),
            ("ws://a/b?c", "a", "a:80", "/b?c"),
            ("ws://a?c", "a", "a:80", "/?c"),
            ("ws://a:1/", "a:1", "a:1", "/"),
            ("WS://a:/", "a:", "a:80", "/"),
            ("ws://127.0.0.1", "127.0.0.1", "127.0.0.1:80", "/"),
            ("ws://[::1]/", "[::1]", "[::1]:80", "/"),
            ("ws://[::1]:/", "[::1]:", "[::1]:80", "/"),
            ("ws://[::1]:9001?c", "[::1]:9001", "[::1]:9001", "/?c"),
        ] {
            let asking = Asking::url(url).expect("a good one");
            assert_eq!((&*asking.host, &*asking.target), (host, target), "{url}");
            assert_eq!(asking.address(), address, "{url}");
        }
        for url in ["", "ws:/a", "wss://a", "http://a", "é://a"] {
            assert!(Asking::url(url).is_err(), "{url}");
        }
        // A fragment is for the request to refuse, with whatever else is no target.
        assert_eq!(Asking::url("ws://a#b").expect("a host").target, "#b");
    }
}
