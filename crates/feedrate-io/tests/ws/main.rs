//! WebSocket over tokio's traits: what is promised of every await, deadline and end.

mod bytes;
mod cancel;
mod deadlines;
mod ends;
mod handshake;
mod held;
mod messages;
mod split;
#[path = "../tokio/trickle.rs"]
mod trickle;
mod writing;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use feedrate_io::ws::{ClientConfig, Config, Error, Origins, WebSocket};
use feedrate_io::{Late, Limits};
use feedrate_testkit::counting::Counting;
use feedrate_testkit::ws::wire::Wire;
use feedrate_ws::Role;
use tokio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn config() -> Config {
    Config::new(Origins::Any)
}

/// A server's side, with this config, behind the handshake.
fn server<T>(io: T, config: &Config) -> WebSocket<T> {
    WebSocket::server(io, config, &[])
}

fn client<T>(io: T, limits: Limits) -> WebSocket<T> {
    WebSocket::client(io, &ClientConfig::new("example.com", "/").limits(limits), &[])
}

/// What a client sends.
fn wire() -> Wire {
    Wire::new(Role::Client)
}

/// What a server does.
fn said() -> Wire {
    Wire::new(Role::Server)
}

/// Polls a future once.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(connect, listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Which limit an error names.
fn late(error: Error) -> Late {
    match error {
        Error::Late(late) => late,
        error => panic!("{error:?}"),
    }
}
