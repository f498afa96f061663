//! A WebSocket server that sends back what it receives:
//!
//! ```text
//! $ cargo run --release --example ws_echo -- --listen 127.0.0.1:9001
//! listening on 127.0.0.1:9001
//! ```
//!
//! [`echo`] is the loop that every such program has. `--help` lists the options.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use feedrate_examples::ws::{self, Limits, Origins, Serving};
use feedrate_ws::deflate::Config;
use feedrate_ws::{Event, SendError};
use tokio::net::TcpStream;

const USAGE: &str = "\
usage: ws_echo --listen ADDRESS:PORT [options]
  --limit BYTES          the longest message that is accepted (1048576); each client can make the server
                         hold two of that length, so it is as long as its messages are, and no longer
  --connections N        how many clients are served at once (256); more wait until one has left
  --handshake SECONDS    how long a handshake may take, from the connection on (10)
  --progress SECONDS     drops a client that has taken nothing of what it is sent for so long (30)
  --no-deflate           does not compress
  --protocols NAME,NAME  the subprotocols that it agrees to speak
  --quiet                says nothing of connections that go wrong
";

/// Runs until the connection ends.
async fn echo(socket: TcpStream, serving: &Serving) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let Some((mut stream, mut receiver, mut sender, mut n)) =
        ws::accept(socket, serving, &mut buffer).await?
    else {
        return Ok(());
    };
    loop {
        let mut input = &mut buffer[..n];
        loop {
            match receiver.feed(&mut input, stream.now(), &mut sender) {
                // A full queue means that the client does not read. Then nothing is read from it either.
                Ok(Some(Event::Message(message))) => {
                    while let Err(SendError::Full { .. }) = stream.send(&mut sender, message) {
                        stream.make_room(&mut sender).await?;
                    }
                }
                // The answer is queued already.
                Ok(Some(_)) => {}
                Ok(None) => break,
                // The close frame is queued, and the next turn writes it.
                Err(error) if !serving.quiet => eprintln!("ws_echo: {error}"),
                Err(_) => {}
            }
        }
        match stream.turn(&mut sender, &mut buffer).await? {
            Some(read) => n = read,
            None => return Ok(()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let (listen, serving) = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("ws_echo: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let (quiet, most, serving) = (serving.quiet, serving.connections, Arc::new(serving));
    let connection = |socket| {
        let serving = Arc::clone(&serving);
        async move { echo(socket, &serving).await.or_else(|error| if quiet { Ok(()) } else { Err(error) }) }
    };
    match ws::serve("ws_echo", &listen, most, connection).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_echo: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<(String, Serving)>, String> {
    let mut listen = None;
    let mut serving = Serving {
        limit: 1 << 20,
        deflate: Some(Config::default()),
        protocols: Vec::new(),
        // Any page: clients only get back what they have sent.
        origins: Origins::Any,
        limits: Limits::default(),
        connections: 256,
        quiet: false,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        if serving.limits.option(&argument, &mut value)? {
            continue;
        }
        match argument.as_str() {
            "--help" => return Ok(None),
            "--listen" => listen = Some(value()?),
            "--limit" => {
                let limit = value()?;
                serving.limit =
                    limit.parse().map_err(|_| format!("--limit {limit}: expected a number of bytes"))?;
            }
            "--connections" => serving.connections = ws::connections(&value()?)?,
            "--no-deflate" => serving.deflate = None,
            "--protocols" => serving.protocols = value()?.split(',').map(String::from).collect(),
            "--quiet" => serving.quiet = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(Some((listen.ok_or("--listen is missing")?, serving)))
}
