//! How a session of PostgreSQL begins, on both sides: what works, and what is refused.

mod attacks_on_client;
mod attacks_on_server;
mod bytewise;
mod deadlines;
mod end_point;
mod identity;
mod sessions;

use feedrate::pg::frontend::{Parameter, StartupMessage};
use feedrate::pg::{Backend, Frontend, List, Version};
use feedrate::{Encode, Grow};
use feedrate_io::pg_tls::Stream;
use feedrate_io::{Limits, tokio::Connection};
use tokio::io::DuplexStream;

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const GSSENC_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";

type Client<T = DuplexStream> = Connection<Backend, Grow, T>;
type Server<T = DuplexStream> = Connection<Frontend, Grow, T>;

fn client<T>(io: T) -> Client<T> {
    Connection::new(io, Backend::new(), Grow::new(1 << 20), Limits::new())
}

fn server<T>(io: T) -> Server<T> {
    Connection::new(io, Frontend::new(), Grow::new(1 << 20), Limits::new())
}

fn bytes(message: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).expect("a message that can be written");
    out
}

/// A StartupMessage.
fn startup() -> Vec<u8> {
    let parameters = [Parameter { name: "user".into(), value: "alice".into() }];
    bytes(&StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) })
}

/// Reads the next message's name and bytes.
async fn next<T>(server: &mut Server<Stream<T>>) -> (String, Vec<u8>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let frame = server.next().await.unwrap().unwrap();
    (frame.name().to_owned(), frame.raw().to_vec())
}
