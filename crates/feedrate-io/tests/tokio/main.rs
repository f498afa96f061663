//! Connections over tokio's traits: what is promised of every await, deadline and end.

mod cancel;
mod deadlines;
mod ends;
mod forwarding;
mod held;
mod trickle;
mod writing;

use feedrate::pg::{Backend, Frontend};
use feedrate::{Encode, Grow};
use feedrate_io::Limits;
use feedrate_io::tokio::Connection;
use feedrate_testkit::counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A client of a server that has let it in.
fn client<T>(io: T, limits: Limits) -> Connection<Backend, Grow, T> {
    let mut client = Connection::new(io, Backend::established(), Grow::new(1 << 20), limits);
    client.established();
    client
}

/// A server that has let its client in.
fn server<T>(io: T, limits: Limits) -> Connection<Frontend, Grow, T> {
    let mut server = Connection::new(io, Frontend::established(), Grow::new(1 << 20), limits);
    server.established();
    server
}

fn bytes(message: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).expect("a message that can be written");
    out
}
