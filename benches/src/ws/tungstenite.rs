//! tungstenite, over a `Read` and `Write`, with `WebSocket`.

use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::end::{End, Role, Visited};
use super::wire::Wire;

/// As it comes. It fills what is free of its 128 KiB with zeros before it reads, however little there is to be read.
pub type Default = Peer<{ 128 * 1024 }>;
/// As its documentation advises for many connections: it has less to fill with zeros.
pub type Small = Peer<{ 4 * 1024 }>;

#[derive(Debug)]
pub struct Peer<const READ: usize> {
    socket: WebSocket<Wire>,
    text: Message,
}

impl<const READ: usize> End for Peer<READ> {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let role = match role {
            Role::Server => protocol::Role::Server,
            Role::Client => protocol::Role::Client,
        };
        let config = WebSocketConfig::default().read_buffer_size(READ);
        let socket = WebSocket::from_raw_socket(wire, role, Some(config));
        Self { socket, text: Message::text(text) }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        let mut visited = Visited::default();
        for _ in 0..messages {
            match self.socket.read().expect("a good stream") {
                Message::Text(text) => visited.message(text.as_bytes()),
                Message::Binary(bytes) => visited.message(&bytes),
                other => panic!("{other}"),
            }
        }
        visited
    }

    #[inline(never)]
    fn encode(&mut self, times: usize) {
        for _ in 0..times {
            self.socket.write(self.text.clone()).expect("a good message");
        }
        self.socket.flush().expect("room");
    }

    #[inline(never)]
    fn echo(&mut self) {
        let message = self.socket.read().expect("a good stream");
        self.socket.send(message).expect("a good message");
    }

    fn state() -> usize {
        size_of::<WebSocket<Wire>>() - size_of::<Wire>()
    }
}
