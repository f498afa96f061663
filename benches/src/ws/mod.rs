//! WebSocket: the same streams for every contender, and the same messages from them.
//!
//! A contender is an [`End`]: it stays open over all passes, so that no pass pays for setting it up.

pub mod counted;
pub mod embedded_websocket;
mod end;
pub mod fastwebsockets;
pub mod feedrate;
pub mod streams;
pub mod tokio_websockets;
pub mod tungstenite;
pub mod unmask;
pub mod wire;

pub use self::end::{End, Role, Visited};
use self::streams::Stream;
use self::wire::Wire;

/// Does the whole work of one pass.
pub type Pass = Box<dyn FnMut() -> Visited>;

/// An [`End`] by its name.
#[derive(Debug, Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    pub decode: fn(&Stream) -> Pass,
    pub encode: fn(Role, &str, usize) -> Pass,
    pub round_trip: fn(&str, usize) -> Pass,
    /// What it wrote, to be checked.
    pub written: fn(Role, &str, usize) -> Vec<u8>,
    pub idle: fn(&str, &dyn Fn() -> usize) -> Idle,
}

/// Bytes that a server holds for a connection that waits, after it has echoed a message.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    pub state: usize,
    pub heap: usize,
    pub waiting: usize,
    pub lent: usize,
}

/// The first is what the others are compared with.
pub const CONTENDERS: [Contender; 7] = [
    Contender::of::<feedrate::Peer>("feedrate"),
    Contender::of::<feedrate::Frames>("feedrate, frames"),
    Contender::of::<tungstenite::Default>("tungstenite"),
    Contender::of::<tungstenite::Small>("tungstenite, 4K"),
    Contender::of::<fastwebsockets::Peer>("fastwebsockets"),
    Contender::of::<tokio_websockets::Peer>("tokio-websockets"),
    Contender::of::<embedded_websocket::Peer>("embedded-websocket"),
];

impl Contender {
    pub const fn of<E: End>(name: &'static str) -> Self {
        Self {
            name,
            decode: decode::<E>,
            encode: encode::<E>,
            round_trip: round_trip::<E>,
            written: written::<E>,
            idle: idle::<E>,
        }
    }
}

fn decode<E: End>(stream: &Stream) -> Pass {
    let (wire, messages) = (Wire::of(stream.bytes.clone()), stream.messages);
    let mut end = E::open(wire.clone(), stream.reader, "");
    Box::new(move || {
        wire.rewind();
        end.decode(messages)
    })
}

fn encode<E: End>(role: Role, text: &str, times: usize) -> Pass {
    let wire = Wire::default();
    let mut end = E::open(wire.clone(), role, text);
    Box::new(move || {
        wire.clear();
        end.encode(times);
        let mut visited = Visited { messages: times, ..Visited::default() };
        visited.sum.add(wire.len());
        visited
    })
}

fn written<E: End>(role: Role, text: &str, times: usize) -> Vec<u8> {
    let wire = Wire::default();
    E::open(wire.clone(), role, text).encode(times);
    wire.written()
}

fn round_trip<E: End>(text: &str, times: usize) -> Pass {
    let wire = Wire::default();
    let mut server = E::open(wire.other_end(), Role::Server, "");
    let mut client = E::open(wire, Role::Client, text);
    Box::new(move || {
        let mut visited = Visited::default();
        for _ in 0..times {
            client.encode(1);
            server.echo();
            let Visited { messages, sum } = client.decode(1);
            visited.messages += messages;
            visited.sum.0 = visited.sum.0.wrapping_add(sum.0);
        }
        visited
    })
}

/// `allocated` says how many bytes are on the heap.
fn idle<E: End>(text: &str, allocated: &dyn Fn() -> usize) -> Idle {
    let wire = Wire::default();
    wire.reserve(1 << 20);
    let mut client = E::open(wire.other_end(), Role::Client, text);
    client.encode(1);
    let before = allocated();
    let mut server = E::open(wire, Role::Server, "");
    server.echo();
    let (heap, lent) = (allocated() - before, server.lent());
    let idle = Idle { state: E::state(), heap: heap - lent, waiting: server.waiting(), lent };
    client.decode(1);
    idle
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Who takes less time because it does not check that text is UTF-8 is to be known.
    #[test]
    fn who_checks_text() {
        let mut bad = Stream::new(Role::Client, streams::Kind::Ascii, 64, 64);
        *bad.bytes.last_mut().expect("a frame") = 0xFF;
        for contender in CONTENDERS {
            let mut pass = (contender.decode)(&bad);
            let checks = catch_unwind(AssertUnwindSafe(&mut pass)).is_err();
            let checked = !["embedded-websocket", "feedrate, frames"].contains(&contender.name);
            assert_eq!(checks, checked, "{}", contender.name);
        }
    }
}
