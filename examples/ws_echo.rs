//! A WebSocket server that sends back what it receives:
//!
//! ```text
//! $ cargo run --release --example ws_echo -- --listen 127.0.0.1:9001
//! listening on 127.0.0.1:9001
//! ```
//!
//! [`echo`] is all that there is to it. `--help` lists the options.

use std::process::ExitCode;
use std::sync::Arc;

use feedrate_examples::tls;
use feedrate_examples::ws::{self as sockets, Limits};
use feedrate_io::ws::tls::{ServerTls, accept};
use feedrate_io::ws::{self, Config, Origins};
use feedrate_ws::deflate;
use tokio::net::TcpStream;

/// Until the connection ends.
async fn echo(socket: TcpStream, config: &Config, tls: Option<&ServerTls>) -> Result<(), ws::Error> {
    let mut ws = accept(socket, config, tls).await?;
    while let Some((message, mut out)) = ws.incoming().await? {
        out.send(message).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let Options { listen, config, tls, connections, quiet } = match options(std::env::args().skip(1)) {
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
    let side = Arc::new((config, tls));
    let connection = |socket| {
        let side = Arc::clone(&side);
        async move {
            let (config, tls) = &*side;
            echo(socket, config, tls.as_ref()).await.or_else(|error| if quiet { Ok(()) } else { Err(error) })
        }
    };
    match sockets::serve("ws_echo", &listen, connections, connection).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_echo: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "\
usage: ws_echo --listen ADDRESS:PORT [options]
  --limit BYTES          the longest message that is accepted (1048576); each client can make the server
                         hold two of that length, so it is as long as its messages are, and no longer
  --connections N        how many clients are served at once (256); more wait until one has left
  --handshake SECONDS    how long a handshake may take, from the connection on (10)
  --progress SECONDS     drops a client that has taken nothing of what it is sent for so long (30)
  --no-deflate           does not compress
  --protocols NAME,NAME  the subprotocols that it agrees to speak
  --tls-cert FILE        with --tls-key: TLS, with this certificate and those that lead to its issuer (PEM)
  --tls-key FILE         its key (PEM)
  --quiet                says nothing of connections that go wrong
";

struct Options {
    listen: String,
    config: Config,
    tls: Option<ServerTls>,
    connections: usize,
    quiet: bool,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let (mut listen, mut limit, mut limits) = (None, 1 << 20, Limits::default());
    let (mut compresses, mut protocols) = (true, Vec::new());
    let (mut connections, mut quiet) = (256, false);
    let (mut certificate, mut key) = (None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        if limits.option(&argument, &mut value)? {
            continue;
        }
        match argument.as_str() {
            "--help" => return Ok(None),
            "--listen" => listen = Some(value()?),
            "--limit" => {
                let value = value()?;
                limit = value.parse().map_err(|_| format!("--limit {value}: expected a number of bytes"))?;
            }
            "--connections" => connections = sockets::connections(&value()?)?,
            "--no-deflate" => compresses = false,
            "--protocols" => protocols = value()?.split(',').map(String::from).collect(),
            "--tls-cert" => certificate = Some(value()?),
            "--tls-key" => key = Some(value()?),
            "--quiet" => quiet = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    // Web pages of all origins: they get nothing that they have not sent.
    let config = Config::new(Origins::Any)
        .longest_message(limit)
        .limits(limits.queued(limit))
        .deflate(compresses.then(deflate::Config::default))
        .protocols(protocols);
    let tls = tls::server(certificate.as_deref(), key.as_deref())?;
    Ok(Some(Options { listen: listen.ok_or("--listen is missing")?, config, tls, connections, quiet }))
}
