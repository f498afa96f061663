//! A WebSocket on a socket of tokio's: the handshakes, and one turn of reading and writing. What happens with the
//! messages is the programs' own loop.

use std::future::pending;
use std::io::{self, IoSlice};
use std::time::{self, Duration};

use feedrate::{Array, Encode, Grow, Instant};
use feedrate_ws::deflate::{Config, Offer, Params};
use feedrate_ws::frame::CONTROL;
use feedrate_ws::handshake::{Client, ClientRequest, Rejection, Server};
use feedrate_ws::{Keys, Message, Receiver, Role, SendError, Sender, StreamEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, sleep_until, timeout};

/// The longest head of a request or an answer, in bytes.
const HEAD: usize = 16 * 1024;
/// Shorter messages go together: to write each by itself would cost more than to copy it.
const LONG: usize = 16 * 1024;
/// How long a handshake may take, and a peer that takes nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A socket, and the clock for closing it.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    started: time::Instant,
}

impl Stream {
    /// An open connection.
    pub fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, started: time::Instant::now() })
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
    pub async fn turn<K: Keys>(
        &mut self,
        sender: &mut Sender<Grow, K>,
        buffer: &mut [u8],
    ) -> io::Result<Option<usize>> {
        if !self.tend(sender).await {
            return Ok(None);
        }
        let deadline = self.deadline(sender);
        let closing = sender.is_closing();
        let (mut reader, mut writer) = self.socket.split();
        let done = tokio::select! {
            read = reader.read(buffer) => read.map(|n| Some(n).filter(|n| *n > 0)),
            written = writer.write(sender.transmit()), if sender.queued() > 0 => written.map(|n| {
                sender.transmitted(n);
                Some(0)
            }),
            () = deadline => Ok(None),
        };
        // A peer that does not wait for us to close is no news any more.
        if closing { done.or(Ok(None)) } else { done }
    }

    /// Writes some of what is queued, so that there is room for more.
    pub async fn make_room<K: Keys>(&mut self, sender: &mut Sender<Grow, K>) -> io::Result<()> {
        let written = timeout(PATIENCE, self.socket.write(sender.transmit())).await??;
        sender.transmitted(written);
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
        let deadline = sender.deadline().map(|deadline| self.started + (deadline - Instant::ZERO));
        async move {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => pending().await,
            }
        }
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
    // Headers, control frames, and data that compression makes longer.
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
    /// Whether it says nothing of connections that go wrong.
    pub quiet: bool,
}

/// An open connection: its socket, its halves, and how many bytes at the front of the buffer came behind the
/// handshake.
pub type Open<K> = (Stream, Receiver<Grow>, Sender<Grow, K>, usize);

/// Accepts connections, each in a task of its own.
pub async fn serve<F>(
    program: &'static str,
    listen: &str,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
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
        });
    }
}

/// A server's handshake. `None`: the request was bad, and the client has been told.
pub async fn accept(
    mut socket: TcpStream,
    serving: &Serving,
    buffer: &mut [u8],
) -> io::Result<Option<Open<feedrate_ws::Unmasked>>> {
    let mut server = Server::new(Array::<HEAD>::new());
    let mut out = Vec::new();
    let (rest, deflate) = loop {
        let n = timeout(PATIENCE, socket.read(buffer)).await??;
        if n == 0 {
            return Ok(None);
        }
        let mut input = buffer.get_mut(..n).unwrap_or_default();
        let refused: Rejection = match server.feed(&mut input) {
            Ok(None) => continue,
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
        return Ok(None);
    };
    socket.write_all(&out).await?;
    let (receiver, sender) = halves(Role::Server, serving.limit, deflate, Sender::server);
    Ok(Some((Stream::new(socket)?, receiver, sender, rest)))
}

/// Lets the client read the answer before the connection is reset for what it has sent behind its request.
async fn drain(mut socket: TcpStream) {
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
}

impl Asking {
    /// For a URL like `ws://HOST:PORT/PATH`.
    pub fn url(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("ws://").ok_or_else(|| format!("{url}: expected ws://HOST:PORT/PATH"))?;
        let (host, target) = match rest.find(['/', '?']) {
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
        })
    }
}

/// A connection, or an error that says where none could be made.
pub async fn reach(address: &str) -> io::Result<TcpStream> {
    let failed =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}"));
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(connected) => connected.map_err(failed),
        Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
    }
}

/// A client's connection and handshake, and the subprotocol that the server has chosen.
pub async fn connect(asking: &Asking, buffer: &mut [u8]) -> io::Result<(Open<RandomKeys>, Option<String>)> {
    let address = if asking.host.contains(':') { asking.host.clone() } else { format!("{}:80", asking.host) };
    let mut socket = reach(&address).await?;
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
        let n = timeout(PATIENCE, socket.read(buffer)).await??;
        if n == 0 {
            return Err(io::Error::other("the server closed the connection instead of answering"));
        }
        let mut input = buffer.get_mut(..n).unwrap_or_default();
        if let Some(response) = client.feed(&mut input).map_err(io::Error::other)? {
            let protocol = response.protocol().map(String::from);
            break (keep(n, input.len(), buffer), response.deflate(), protocol);
        }
    };
    let keys: RandomKeys =
        || getrandom::u32().unwrap_or_else(|error| panic!("no randomness: {error}")).to_ne_bytes();
    let stream = Stream::new(socket)?;
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
