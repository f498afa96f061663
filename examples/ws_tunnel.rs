//! Carries a byte stream in the binary messages of a WebSocket, cut anywhere. With it, a database, a debug agent, or
//! anything else that speaks TCP can be reached through something that only lets WebSockets through.
//!
//! ```text
//! $ ws_tunnel --listen ws:127.0.0.1:9001 --to tcp:127.0.0.1:5432        beside the database
//! $ ws_tunnel --listen tcp:127.0.0.1:6432 --to ws://127.0.0.1:9001/     beside its client
//! $ psql -h 127.0.0.1 -p 6432
//! ```
//!
//! Web pages may not connect, unless `--origin` names them. Whoever else reaches the port reaches what is behind the
//! tunnel: TLS (`--tls-cert` on one side, a URL of `wss` on the other) hides what is carried, but asks nobody who they
//! are.
//!
//! [`tunnel`] is the loop. It never holds a message in memory, and while one side does not accept data, it does not
//! read from the other.
//!
//! A WebSocket has no half-closed state: when the plain side sends no more, the WebSocket is closed, and what its
//! peer has not sent by then is lost.

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feedrate_examples::tls as pem;
use feedrate_examples::ws::{self as sockets, Limits};
use feedrate_io::ws::tls::{self, ClientTls, ServerTls, Stream};
use feedrate_io::ws::{ClientConfig, CloseCode, Config, Error, Event, Kind, Origins, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

const USAGE: &str = "\
usage: ws_tunnel --listen ws:ADDRESS:PORT --to tcp:ADDRESS:PORT
       ws_tunnel --listen tcp:ADDRESS:PORT --to ws://ADDRESS:PORT/PATH
options:
  --tls-cert FILE        with --tls-key: TLS for --listen ws:, with this certificate and those that lead to its
                         issuer (PEM)
  --tls-key FILE         its key (PEM)
  --ca FILE              whose signature on a server's certificate is believed (PEM): for --to wss:, which fails
                         without it
  --origin ORIGIN        web pages of this origin, like https://example.com, may connect; may be given
                         again; '*' is all of them. Without it none may: any page that somebody looks at
                         could reach what is behind the tunnel. Programs that are no browsers may
  --handshake SECONDS    how long a handshake may take, from the connection on (10)
  --progress SECONDS     ends when the WebSocket has taken nothing of what it is sent for so long, or the other
                         side has neither taken nor said anything, while it is to take something or to end (300)
  --connections N        how many connections there are at once (256); more wait until one has ended
";
/// Bytes that are read at once, and that a message has at most.
const CHUNK: usize = 16 * 1024;
/// Bytes that wait for the WebSocket's peer at most.
const QUEUED: usize = 64 * 1024;
const STUCK: &str = "the other side took nothing, or did not end, for too long";

/// When the plain side took or said something last, or was first to.
struct Moved(Mutex<Instant>);

impl Moved {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when that is so long ago.
    async fn too_long_ago(&self, patience: Duration) {
        let until = || *self.0.lock().unwrap_or_else(PoisonError::into_inner) + patience;
        while until() > Instant::now() {
            sleep_until(until()).await;
        }
    }
}

/// Until one of the two ends.
async fn tunnel(ws: WebSocket<Stream>, mut plain: TcpStream, patience: Duration) -> io::Result<()> {
    carry(ws, &mut plain, patience).await?;
    sockets::drain(plain).await;
    Ok(())
}

async fn carry(ws: WebSocket<Stream>, plain: &mut TcpStream, patience: Duration) -> io::Result<()> {
    let (mut reader, writer) = ws.in_pieces(u64::MAX).split();
    let (mut from_plain, mut to_plain) = plain.split();
    let moved = Moved(Mutex::new(Instant::now()));
    // Whether the plain side knows that no more will come.
    let (told, mut is_told) = watch::channel(false);
    // Whether the peer, which sends no more, may still read.
    let down = async {
        let half = loop {
            match reader.event().await {
                Ok(Some(Event::Message(piece))) => {
                    let mut bytes = piece.as_bytes();
                    moved.now();
                    while !bytes.is_empty() {
                        let n = tokio::select! {
                            written = to_plain.write(bytes) => written?,
                            () = moved.too_long_ago(patience) => return Err(sockets::late(STUCK)),
                        };
                        moved.now();
                        bytes = bytes.get(n..).unwrap_or_default();
                    }
                }
                Ok(Some(Event::Closed(_)) | None) | Err(Error::Violation(_)) => break false,
                Err(Error::Truncated(_)) => break true,
                Ok(Some(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        };
        let _ = to_plain.shutdown().await;
        moved.now();
        told.send_replace(true);
        // The rest of saying goodbye.
        while reader.event().await.is_ok_and(|event| event.is_some()) {}
        Ok(half)
    };
    let up = async {
        let mut chunk = vec![0; CHUNK];
        loop {
            let quiet = async {
                let _ = is_told.wait_for(|told| *told).await;
                moved.too_long_ago(patience).await;
            };
            let n = tokio::select! {
                read = from_plain.read(&mut chunk) => read?,
                () = quiet => return Err(sockets::late(STUCK)),
            };
            moved.now();
            match chunk.get(..n) {
                Some(read @ [_, ..]) => match writer.send(read).await {
                    Ok(()) => {}
                    // The peer has said goodbye.
                    Err(Error::Send(_)) => return Ok(()),
                    Err(error) => return Err(io::Error::other(error)),
                },
                _ => {
                    writer.start_close(CloseCode::NORMAL, "");
                    return writer.flush().await.map_err(io::Error::other);
                }
            }
        }
    };
    tokio::pin!(down, up);
    let half = tokio::select! {
        half = &mut down => half?,
        done = &mut up => {
            done?;
            down.await?;
            false
        }
    };
    if half { up.await } else { Ok(()) }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Options { listen, to, limits, connections } = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("ws_tunnel: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let to = Arc::new(to);
    let connection = |socket| {
        let to = Arc::clone(&to);
        async move { connect(socket, &to, limits).await }
    };
    match sockets::serve("ws_tunnel", &listen, connections, connection).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_tunnel: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where it all goes.
enum To {
    Tcp(String, Config, Option<ServerTls>),
    WebSocket(ClientConfig, ClientTls),
}

async fn connect(socket: TcpStream, to: &To, limits: Limits) -> io::Result<()> {
    match to {
        To::Tcp(address, config, tls) => {
            let ws = tls::accept(socket, config, tls.as_ref()).await.map_err(io::Error::other)?;
            tunnel(ws, sockets::reach(address, limits.handshake).await?, limits.progress).await
        }
        To::WebSocket(config, tls) => {
            let ws = tls::connect(config, tls).await.map_err(io::Error::other)?;
            tunnel(ws, socket, limits.progress).await
        }
    }
}

struct Options {
    listen: String,
    to: To,
    limits: Limits,
    connections: usize,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let (mut listen, mut to, mut connections) = (None, None, 256);
    let (mut certificate, mut key, mut authorities) = (None, None, None);
    let mut origins = Origins::Only(Vec::new());
    // Who reads from a database may stop for a while, and nothing but these buffers is held meanwhile.
    let mut limits = Limits { progress: Duration::from_secs(300), ..Limits::default() };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        if limits.option(&argument, &mut value)? {
            continue;
        }
        match argument.as_str() {
            "--help" => return Ok(None),
            "--listen" => listen = Some(value()?),
            "--to" => to = Some(value()?),
            "--origin" => match (value()?, &mut origins) {
                (origin, Origins::Only(ours)) if origin != "*" => ours.push(origin),
                _ => origins = Origins::Any,
            },
            "--tls-cert" => certificate = Some(value()?),
            "--tls-key" => key = Some(value()?),
            "--ca" => authorities = Some(value()?),
            "--connections" => connections = sockets::connections(&value()?)?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let server = pem::server(certificate.as_deref(), key.as_deref())?;
    let client = pem::client(authorities.as_deref())?;
    let (listen, to) = (listen.ok_or("--listen is missing")?, to.ok_or("--to is missing")?);
    let (listen, to) = match (listen.split_once(':'), to.strip_prefix("tcp:")) {
        (Some(("ws", listen)), Some(to)) => {
            // What is carried may be compressed or encrypted already.
            let config = Config::new(origins).only(Kind::Binary).limits(limits.queued(QUEUED));
            (listen.into(), To::Tcp(to.into(), config, server))
        }
        (Some(("tcp", listen)), None) => {
            let config = sockets::url(&to)?.only(Kind::Binary).limits(limits.queued(QUEUED));
            (listen.into(), To::WebSocket(config, client))
        }
        _ => {
            return Err(format!(
                "--listen {listen} --to {to}: expected a WebSocket on one side and TCP on the other"
            ));
        }
    };
    Ok(Some(Options { listen, to, limits, connections }))
}
