//! Carries a byte stream in the binary messages of a WebSocket, cut anywhere. With it, a database, a debug agent, or
//! anything else that speaks TCP can be reached through something that only lets WebSockets through.
//!
//! ```text
//! $ ws_tunnel --listen ws:127.0.0.1:9001 --to tcp:127.0.0.1:5432        beside the database
//! $ ws_tunnel --listen tcp:127.0.0.1:6432 --to ws://127.0.0.1:9001/     beside its client
//! $ psql -h 127.0.0.1 -p 6432
//! ```
//!
//! Web pages may not connect, unless `--origin` names them. Without TLS and a password in front, whoever reaches the
//! port reaches what is behind the tunnel.
//!
//! [`tunnel`] is the loop. It never holds a message in memory, and while one side does not accept data, it does not
//! read from the other.
//!
//! A WebSocket has no half-closed state: when the plain side sends no more, the WebSocket is closed, and what its
//! peer has not sent by then is lost.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use feedrate::Grow;
use feedrate_examples::ws::{self, Asking, Limits, Open, Origins, Progress, Serving};
use feedrate_ws::{CloseCode, Event, InPieces, Keys, Kind, Receiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const USAGE: &str = "\
usage: ws_tunnel --listen ws:ADDRESS:PORT --to tcp:ADDRESS:PORT
       ws_tunnel --listen tcp:ADDRESS:PORT --to ws://ADDRESS:PORT/PATH
options:
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

/// Until one of the two ends.
async fn tunnel<K: Keys>(
    open: Open<K>,
    mut plain: TcpStream,
    mut buffer: Vec<u8>,
    patience: Duration,
) -> io::Result<()> {
    let (mut stream, receiver, mut sender, mut n) = open;
    let mut receiver: Receiver<Grow, InPieces> = receiver.only(Kind::Binary).in_pieces(u64::MAX);
    let mut chunk = vec![0; CHUNK];
    // What the plain side has not taken: while there is some, the WebSocket is not read.
    let mut out = Vec::new();
    // Whether more comes from the WebSocket, whether it has said goodbye, and whether the plain side has been told.
    let (mut ended, mut heard, mut told) = (false, false, false);
    let (mut to_socket, mut to_plain) = (Progress::default(), Progress::default());
    loop {
        let mut input = &mut buffer[..n];
        n = 0;
        loop {
            match receiver.feed(&mut input, stream.now(), &mut sender) {
                Ok(Some(Event::Message(piece))) => out.extend_from_slice(piece.as_bytes()),
                Ok(Some(Event::Closed(_))) => heard = true,
                Ok(Some(_)) => {}
                Ok(None) => break,
                // What comes behind a violation is dropped, and the sender has the close frame that says so.
                Err(_) => heard = true,
            }
        }
        if (ended || heard) && out.is_empty() && !told {
            told = true;
            let _ = plain.shutdown().await;
        }
        if !stream.tend(&mut sender).await {
            return Ok(());
        }
        // A WebSocket that sends no more may still read: all that is on the way to it is written first. (What it has
        // sent the plain side has taken, or its end would not have been read.)
        if ended && sender.is_closing() && sender.queued() == 0 {
            drop(stream);
            ws::drain(plain).await;
            return Ok(());
        }
        to_socket.waits(sender.queued() > 0);
        to_plain.waits(told || !out.is_empty());
        let (stuck, plain_stuck) = (to_socket.missing(patience), to_plain.missing(patience));
        let (now, deadline) = (stream.now(), stream.deadline(&sender));
        let room = !sender.is_closing() && sender.free() > CHUNK + 14;
        let (mut plain_reader, mut plain_writer) = plain.split();
        let (mut reader, mut writer) = stream.socket().split();
        tokio::select! {
            read = reader.read(&mut buffer), if out.is_empty() && !ended => {
                n = read?;
                ended = n == 0;
            }
            written = writer.write(sender.transmit()), if sender.queued() > 0 => {
                sender.transmitted(written?);
                to_socket.made();
            }
            read = plain_reader.read(&mut chunk), if room => {
                to_plain.made();
                match read? {
                    0 => sender.close(CloseCode::NORMAL, "", now).map_err(io::Error::other)?,
                    read => sender.binary(&chunk[..read]).map_err(io::Error::other)?,
                }
            }
            written = plain_writer.write(&out), if !out.is_empty() => {
                out.drain(..written?);
                to_plain.made();
            }
            () = stuck => return Err(ws::late(ws::STUCK)),
            () = plain_stuck => return Err(ws::late("the other side took nothing, or did not end, for too long")),
            () = deadline => return Ok(()),
        }
    }
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
    match ws::serve("ws_tunnel", &listen, connections, connection).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_tunnel: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where it all goes.
enum To {
    Tcp(String, Serving),
    WebSocket(Box<Asking>),
}

async fn connect(socket: TcpStream, to: &To, limits: Limits) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    match to {
        To::Tcp(address, serving) => match ws::accept(socket, serving, &mut buffer).await? {
            Some(open) => {
                let plain = ws::reach(address, limits.handshake).await?;
                tunnel(open, plain, buffer, limits.progress).await
            }
            None => Ok(()),
        },
        To::WebSocket(asking) => {
            let (open, _) = ws::connect(asking, &mut buffer).await?;
            tunnel(open, socket, buffer, limits.progress).await
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
            "--connections" => connections = ws::connections(&value()?)?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let (listen, to) = (listen.ok_or("--listen is missing")?, to.ok_or("--to is missing")?);
    let (listen, to) = match (listen.split_once(':'), to.strip_prefix("tcp:")) {
        (Some(("ws", listen)), Some(to)) => {
            // What is carried may be compressed or encrypted already.
            let serving = Serving {
                limit: 1 << 20,
                deflate: None,
                protocols: Vec::new(),
                origins,
                limits,
                connections,
                quiet: true,
            };
            (listen.into(), To::Tcp(to.into(), serving))
        }
        (Some(("tcp", listen)), None) => {
            let asking = Asking { limits, ..Asking::url(&to)? };
            (listen.into(), To::WebSocket(Box::new(asking)))
        }
        _ => {
            return Err(format!(
                "--listen {listen} --to {to}: expected a WebSocket on one side and TCP on the other"
            ));
        }
    };
    Ok(Some(Options { listen, to, limits, connections }))
}
