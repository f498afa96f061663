//! embedded-websocket, with `WebSocket` itself: it reads from a slice into a slice, and writes likewise.
//!
//! It does not check that text is UTF-8.

use std::io::{IoSlice, Read};

use embedded_websocket::{
    Error, WebSocketClient, WebSocketReadResult, WebSocketReceiveMessageType, WebSocketSendMessageType,
    WebSocketServer, WebSocketState,
};
use rand::rngs::ThreadRng;

use super::end::{End, Role, Visited};
use super::wire::{Wire, chunk};

/// The longest header.
const HEADER: usize = 14;
/// Larger than any message here.
const MESSAGE: usize = (1 << 20) + HEADER;

enum Socket {
    Server(WebSocketServer),
    Client(WebSocketClient<ThreadRng>),
}

impl Socket {
    #[inline(always)]
    fn read(&mut self, from: &[u8], to: &mut [u8]) -> Result<WebSocketReadResult, Error> {
        match self {
            Self::Server(socket) => socket.read(from, to),
            Self::Client(socket) => socket.read(from, to),
        }
    }

    #[inline(always)]
    fn write(&mut self, text: &[u8], to: &mut [u8]) -> usize {
        let kind = WebSocketSendMessageType::Text;
        match self {
            Self::Server(socket) => socket.write(kind, true, text, to),
            Self::Client(socket) => socket.write(kind, true, text, to),
        }
        .expect("a good message")
    }
}

// The peer has no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Peer {
    socket: Socket,
    wire: Wire,
    text: Vec<u8>,
    /// What was read of the wire, and where in it the next frame is.
    read: Vec<u8>,
    next: usize,
    end: usize,
    message: Vec<u8>,
    /// What is to be written to the wire.
    write: Vec<u8>,
}

impl Peer {
    /// The length of what is then in `message`.
    #[inline(always)]
    fn receive(&mut self) -> usize {
        let mut length = 0;
        loop {
            let from = &self.read[self.next..self.end];
            match self.socket.read(from, &mut self.message[length..]) {
                Ok(part) => {
                    use WebSocketReceiveMessageType::{Binary, Text};
                    assert!(matches!(part.message_type, Text | Binary));
                    self.next += part.len_from;
                    length += part.len_to;
                    if part.end_of_message {
                        return length;
                    }
                }
                // It wants a header in one piece.
                Err(Error::ReadFrameIncomplete) => {}
                Err(error) => panic!("{error}"),
            }
            self.read.copy_within(self.next..self.end, 0);
            self.end -= self.next;
            self.next = 0;
            let room = self.end..self.end + chunk();
            self.end += self.wire.read(&mut self.read[room]).expect("a good stream");
        }
    }
}

impl End for Peer {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let socket = match role {
            Role::Server => {
                let mut socket = WebSocketServer::new_server();
                socket.state = WebSocketState::Open;
                Socket::Server(socket)
            }
            Role::Client => {
                let mut socket = WebSocketClient::new_client(rand::thread_rng());
                socket.state = WebSocketState::Open;
                Socket::Client(socket)
            }
        };
        let (read, message, write) =
            (vec![0; HEADER + chunk()], vec![0; MESSAGE], vec![0; chunk() + MESSAGE]);
        Self { socket, wire, text: text.into(), read, next: 0, end: 0, message, write }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        let mut visited = Visited::default();
        for _ in 0..messages {
            let length = self.receive();
            visited.message(&self.message[..length]);
        }
        visited
    }

    /// A write to the wire when there is enough for one.
    #[inline(never)]
    fn encode(&mut self, times: usize) {
        let mut at = 0;
        for _ in 0..times {
            at += self.socket.write(&self.text, &mut self.write[at..]);
            if at >= chunk() {
                self.wire.put(&[IoSlice::new(&self.write[..at])]);
                at = 0;
            }
        }
        self.wire.put(&[IoSlice::new(&self.write[..at])]);
    }

    #[inline(never)]
    fn echo(&mut self) {
        let length = self.receive();
        let length = self.socket.write(&self.message[..length], &mut self.write);
        self.wire.put(&[IoSlice::new(&self.write[..length])]);
    }

    fn state() -> usize {
        size_of::<WebSocketServer>()
    }

    fn lent(&self) -> usize {
        self.read.capacity() + self.message.capacity() + self.write.capacity()
    }
}
