//! A chat over WebSockets, both its ends:
//!
//! ```text
//! $ ws_chat serve --listen 127.0.0.1:9001
//! $ ws_chat join ws://127.0.0.1:9001/ --name alice
//! ```
//!
//! [`server`](server::serve) says to everybody what anybody says. What it holds has a bound, whoever reads slowly or
//! not at all: who is too slow has to leave, and is told how many lines it missed. [`client`](client::join) connects
//! again by itself, and says again what the server may not have heard; what is heard twice is shown once.
//!
//! The server keeps nothing when it ends: what it had taken and not yet passed on is lost with it.

#[path = "ws_chat/backoff.rs"]
mod backoff;
#[path = "ws_chat/client.rs"]
mod client;
#[path = "ws_chat/line.rs"]
mod line;
#[path = "ws_chat/server.rs"]
mod server;

use std::process::ExitCode;

use feedrate_examples::{tls, ws};
use feedrate_io::ws::tls::{ClientTls, ServerTls};
use feedrate_io::ws::{ClientConfig, Config, Kind, Origins};

use crate::line::LONGEST;

const USAGE: &str = "\
usage: ws_chat serve --listen ADDRESS:PORT [--tls-cert FILE --tls-key FILE] [--connections N]
       ws_chat join URL --name NAME [--ca FILE]
  --origin ORIGIN      web pages of this origin may connect as well; may be given again
  --tls-cert FILE      with --tls-key: TLS, with this certificate and those that lead to its issuer (PEM)
  --tls-key FILE       its key (PEM)
  --connections N      how many there may be at once (256); more wait until one has left
  --name NAME          what others see, without spaces
  --ca FILE            whose signature on a server's certificate is believed (PEM): for wss, which fails without it
what is typed is said, line by line; at the end of input, and when all of it has been heard, join ends.
";

enum Role {
    Serve { listen: String, config: Config, tls: Option<ServerTls>, connections: usize },
    Join { config: ClientConfig, tls: ClientTls, name: String },
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match options(std::env::args().skip(1)) {
        Ok(Some(Role::Serve { listen, config, tls, connections })) => {
            server::serve(&listen, config, tls, connections).await
        }
        Ok(Some(Role::Join { config, tls, name })) => client::join(&config, &tls, &name).await,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("ws_chat: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Role>, String> {
    let (mut words, mut origins, mut connections) = (Vec::new(), Vec::new(), 256);
    let (mut listen, mut name, mut certificate, mut key, mut authorities) = (None, None, None, None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" => return Ok(None),
            "--listen" => listen = Some(value()?),
            "--origin" => origins.push(value()?),
            "--connections" => connections = ws::connections(&value()?)?,
            "--tls-cert" => certificate = Some(value()?),
            "--tls-key" => key = Some(value()?),
            "--ca" => authorities = Some(value()?),
            "--name" => name = Some(value()?),
            other if other.starts_with("--") => return Err(format!("unknown argument {other}")),
            _ => words.push(argument),
        }
    }
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => {
            let config = Config::new(Origins::Only(origins)).longest_message(LONGEST).only(Kind::Text);
            let tls = tls::server(certificate.as_deref(), key.as_deref())?;
            let listen = listen.ok_or("--listen is missing")?;
            Ok(Some(Role::Serve { listen, config, tls, connections }))
        }
        ["join", url] => {
            let config = ws::url(url)?.longest_message(LONGEST).only(Kind::Text);
            let tls = tls::client(authorities.as_deref())?;
            let name = name.ok_or("--name is missing")?;
            if name.is_empty() || name.contains(char::is_whitespace) || name.len() > 64 {
                return Err(format!("--name {name}: expected up to 64 bytes without spaces"));
            }
            Ok(Some(Role::Join { config, tls, name }))
        }
        _ => Err("expected serve, or join URL".into()),
    }
}
