//! Carries a byte stream in the binary messages of a WebSocket, cut anywhere: a database, a debug agent, or
//! whatever else speaks TCP, behind something that only lets WebSockets through.
//!
//! ```text
//! $ ws_tunnel --listen ws:127.0.0.1:9001 --to tcp:127.0.0.1:5432        beside the database
//! $ ws_tunnel --listen tcp:127.0.0.1:6432 --to ws://127.0.0.1:9001/     beside its client
//! $ psql -h 127.0.0.1 -p 6432
//! ```
//!
//! [`tunnel`] is the loop: it has no message in memory, and when one side does not take what it is sent, the other is
//! not read.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use feedrate::Grow;
use feedrate_examples::ws::{self, Asking, Open, Serving};
use feedrate_ws::{CloseCode, Event, InPieces, Keys, Kind, Receiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const USAGE: &str = "\
usage: ws_tunnel --listen ws:ADDRESS:PORT --to tcp:ADDRESS:PORT
       ws_tunnel --listen tcp:ADDRESS:PORT --to ws://ADDRESS:PORT/PATH
";
/// Bytes that are read at once, and that a message has at most.
const CHUNK: usize = 16 * 1024;

/// Until one of the two ends.
async fn tunnel<K: Keys>(open: Open<K>, mut plain: TcpStream, mut buffer: Vec<u8>) -> io::Result<()> {
    let (mut stream, receiver, mut sender, mut n) = open;
    let mut receiver: Receiver<Grow, InPieces> = receiver.only(Kind::Binary).in_pieces(u64::MAX);
    let mut chunk = vec![0; CHUNK];
    // What the plain side has not taken: while there is some, the WebSocket is not read.
    let mut out = Vec::new();
    loop {
        let mut input = &mut buffer[..n];
        n = 0;
        // What comes behind a violation is dropped, and the sender has the close frame that says so.
        while let Some(event) = receiver.feed(&mut input, stream.now(), &mut sender).unwrap_or_default() {
            if let Event::Message(piece) = event {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        if sender.is_closing() && out.is_empty() {
            let _ = plain.shutdown().await;
        }
        if !stream.tend(&mut sender).await {
            return Ok(());
        }
        let (now, deadline) = (stream.now(), stream.deadline(&sender));
        let room = !sender.is_closing() && sender.free() > CHUNK + 14;
        let (mut plain_reader, mut plain_writer) = plain.split();
        let (mut reader, mut writer) = stream.socket().split();
        tokio::select! {
            read = reader.read(&mut buffer), if out.is_empty() => match read? {
                0 => return Ok(()),
                read => n = read,
            },
            written = writer.write(sender.transmit()), if sender.queued() > 0 => sender.transmitted(written?),
            read = plain_reader.read(&mut chunk), if room => match read? {
                0 => sender.close(CloseCode::NORMAL, "", now).map_err(io::Error::other)?,
                read => sender.binary(&chunk[..read]).map_err(io::Error::other)?,
            },
            written = plain_writer.write(&out), if !out.is_empty() => drop(out.drain(..written?)),
            () = deadline => return Ok(()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let (listen, to) = match options(std::env::args().skip(1)) {
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
        async move { connect(socket, &to).await }
    };
    match ws::serve("ws_tunnel", &listen, connection).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_tunnel: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where it all goes.
enum To {
    Tcp(String),
    WebSocket(Box<Asking>),
}

async fn connect(socket: TcpStream, to: &To) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    match to {
        To::Tcp(address) => {
            // What is carried may be compressed or encrypted already.
            let serving = Serving { limit: 1 << 20, deflate: None, protocols: Vec::new(), quiet: true };
            match ws::accept(socket, &serving, &mut buffer).await? {
                Some(open) => tunnel(open, ws::reach(address).await?, buffer).await,
                None => Ok(()),
            }
        }
        To::WebSocket(asking) => {
            let (open, _) = ws::connect(asking, &mut buffer).await?;
            tunnel(open, socket, buffer).await
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<(String, To)>, String> {
    let (mut listen, mut to) = (None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" => return Ok(None),
            "--listen" => listen = Some(value()?),
            "--to" => to = Some(value()?),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let (listen, to) = (listen.ok_or("--listen is missing")?, to.ok_or("--to is missing")?);
    match (listen.split_once(':'), to.strip_prefix("tcp:")) {
        (Some(("ws", listen)), Some(to)) => Ok(Some((listen.into(), To::Tcp(to.into())))),
        (Some(("tcp", listen)), None) => {
            Ok(Some((listen.into(), To::WebSocket(Box::new(Asking::url(&to)?)))))
        }
        _ => {
            Err(format!("--listen {listen} --to {to}: expected a WebSocket on one side and TCP on the other"))
        }
    }
}
