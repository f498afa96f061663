//! What all clients have in common.

use feedrate::Grow;
use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{Parameter, StartupMessage};
use feedrate::pg::{Backend, List, Version};
use feedrate_io::tokio::Connection;
use feedrate_io::{Limits, socket::TcpOptions};
use tokio::net::TcpStream;

pub(crate) type Result<V> = std::result::Result<V, Box<dyn std::error::Error + Send + Sync>>;
pub(crate) type Client = Connection<Backend, Grow, TcpStream>;

/// A StartupMessage.
pub(crate) fn startup() -> StartupMessage<'static> {
    const PARAMETERS: &[Parameter<'static>] = &[Parameter {
        name: feedrate::pg::Text::from_bytes(b"user"),
        value: feedrate::pg::Text::from_bytes(b"load"),
    }];
    StartupMessage { version: Version::V3_0, parameters: List::new(PARAMETERS) }
}

/// A client that has logged in.
pub(crate) async fn log_in(address: &str) -> Result<Client> {
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
