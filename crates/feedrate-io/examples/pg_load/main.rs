//! Load for a PostgreSQL proxy, for tests/rig/tap_load.sh. It is no program to start from.
//!
//!   pg_load serve                            answers queries, whose text is a number of rows; prints its port
//!   pg_load measure ADDRESS N M ROUNDS SECONDS   N clients ask once a second: how long they wait, without and with M
//!                                            malicious clients
//!   pg_load bad ADDRESS M                    these malicious clients
//!   pg_load idle ADDRESS N                   N clients that have logged in and wait; ends with its standard input

mod bad;
mod good;
mod responder;

use std::env::args;
use std::process::ExitCode;

use feedrate::Grow;
use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{Parameter, StartupMessage};
use feedrate::pg::{Backend, List, Version};
use feedrate_io::tokio::Connection;
use feedrate_io::{Limits, socket::TcpOptions};
use tokio::net::TcpStream;

type Result<V> = std::result::Result<V, Box<dyn std::error::Error + Send + Sync>>;
type Client = Connection<Backend, Grow, TcpStream>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = args().skip(1).collect();
    let done = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => responder::serve().await,
        ["measure", address, numbers @ ..] => good::measure(address, numbers).await,
        ["bad", address, clients] => bad::run(address, clients).await,
        ["idle", address, clients] => good::idle(address, clients).await,
        _ => Err("see the top of the source".into()),
    };
    done.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// A StartupMessage.
fn startup() -> StartupMessage<'static> {
    const PARAMETERS: &[Parameter<'static>] = &[Parameter {
        name: feedrate::pg::Text::from_bytes(b"user"),
        value: feedrate::pg::Text::from_bytes(b"load"),
    }];
    StartupMessage { version: Version::V3_0, parameters: List::new(PARAMETERS) }
}

/// A client that has logged in.
async fn log_in(address: &str) -> Result<Client> {
    let socket = TcpStream::connect(address).await?;
    TcpOptions::new().apply(&socket)?;
    // Somebody who waits long is who is looked for.
    let limits = Limits::new().handshake(None);
    let mut client = Connection::new(socket, Backend::new(), Grow::new(1 << 20), limits);
    client.push(&startup())?;
    while let Some(frame) = client.next().await? {
        if let Message::ReadyForQuery(_) = frame.message()? {
            client.established();
            return Ok(client);
        }
    }
    Err("the server has left".into())
}
