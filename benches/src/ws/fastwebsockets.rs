//! fastwebsockets, with `FragmentCollector`: like the others, it answers with messages.

use fastwebsockets::{FragmentCollector, Frame, Payload, WebSocket};

use super::end::{End, Role, Visited, ready};
use super::wire::Wire;

// The peer has no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Peer {
    socket: FragmentCollector<Wire>,
    role: Role,
    text: Vec<u8>,
    /// What a client masks in place. Without it, it takes memory for every message.
    masked: Vec<u8>,
}

impl End for Peer {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let theirs = match role {
            Role::Server => fastwebsockets::Role::Server,
            Role::Client => fastwebsockets::Role::Client,
        };
        let socket = FragmentCollector::new(WebSocket::after_handshake(wire, theirs));
        Self { socket, role, text: text.into(), masked: Vec::with_capacity(text.len()) }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        ready(async {
            let mut visited = Visited::default();
            for _ in 0..messages {
                visited.message(&self.socket.read_frame().await.expect("a good stream").payload);
            }
            visited
        })
    }

    #[inline(never)]
    fn encode(&mut self, times: usize) {
        let Self { socket, role, text, masked } = self;
        ready(async {
            for _ in 0..times {
                let payload = match role {
                    Role::Server => Payload::Borrowed(text),
                    Role::Client => {
                        masked.clear();
                        masked.extend_from_slice(text);
                        Payload::BorrowedMut(masked)
                    }
                };
                socket.write_frame(Frame::text(payload)).await.expect("a good message");
            }
        });
    }

    #[inline(never)]
    fn echo(&mut self) {
        ready(async {
            let frame = self.socket.read_frame().await.expect("a good stream");
            self.socket.write_frame(Frame::text(frame.payload)).await.expect("a good message");
        });
    }

    fn state() -> usize {
        size_of::<FragmentCollector<Wire>>() - size_of::<Wire>()
    }

    fn waiting(&mut self) -> usize {
        size_of_val(&self.socket.read_frame())
    }
}
