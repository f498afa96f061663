//! feedrate: a `Receiver`, a `Sender`, and a buffer to read into, which all connections of a thread can share.

use std::io::{IoSlice, Read};

use feedrate::Grow;
use feedrate_ws::{Answer, Event, Message, Receiver, Sender, Unmasked};

use super::wire::{Wire, chunk};
use super::{End, Role, Visited};

/// The longest message, what is queued of them included.
const LIMIT: usize = 4 << 20;

type Keys = fn() -> [u8; 4];

#[derive(Debug)]
enum Sending {
    Server(Sender<Grow, Unmasked>),
    Client(Sender<Grow, Keys>),
}

#[derive(Debug)]
pub struct Peer {
    receiver: Receiver<Grow>,
    sending: Sending,
    wire: Wire,
    text: String,
    read: Box<[u8]>,
    next: usize,
    end: usize,
}

impl End for Peer {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let (role, sending) = match role {
            Role::Server => (feedrate_ws::Role::Server, Sending::Server(Sender::server(Grow::new(LIMIT)))),
            Role::Client => {
                let keys: Keys = || rand::random::<u32>().to_ne_bytes();
                (feedrate_ws::Role::Client, Sending::Client(Sender::client(Grow::new(LIMIT), keys)))
            }
        };
        let receiver = Receiver::new(role, Grow::new(LIMIT));
        let read = vec![0; chunk()].into_boxed_slice();
        Self { receiver, sending, wire, text: text.into(), read, next: 0, end: 0 }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        let mut visited = Visited::default();
        match &mut self.sending {
            Sending::Server(sender) => {
                let (read, at) = (&mut self.read, (&mut self.next, &mut self.end));
                receive(&mut self.receiver, sender, &mut self.wire, read, at, messages, |_, message| {
                    visited.message(message.as_bytes());
                });
            }
            Sending::Client(sender) => {
                let (read, at) = (&mut self.read, (&mut self.next, &mut self.end));
                receive(&mut self.receiver, sender, &mut self.wire, read, at, messages, |_, message| {
                    visited.message(message.as_bytes());
                });
            }
        }
        visited
    }

    #[inline(never)]
    fn encode(&mut self, times: usize) {
        match &mut self.sending {
            Sending::Server(sender) => send(sender, &self.wire, &self.text, times),
            Sending::Client(sender) => send(sender, &self.wire, &self.text, times),
        }
    }

    #[inline(never)]
    fn echo(&mut self) {
        let Sending::Server(sender) = &mut self.sending else { panic!("a server echoes") };
        let wire = self.wire.clone();
        let (read, at) = (&mut self.read, (&mut self.next, &mut self.end));
        receive(&mut self.receiver, sender, &mut self.wire, read, at, 1, |sender, message| {
            queue(sender, &wire, message);
        });
        flush(sender, &wire);
    }

    fn state() -> usize {
        size_of::<Receiver<Grow>>() + size_of::<Sender<Grow, Unmasked>>()
    }

    fn lent(&self) -> usize {
        self.read.len()
    }
}

#[inline(always)]
fn receive<A: Answer>(
    receiver: &mut Receiver<Grow>,
    sender: &mut A,
    wire: &mut Wire,
    read: &mut [u8],
    (next, end): (&mut usize, &mut usize),
    messages: usize,
    mut each: impl FnMut(&mut A, Message<'_>),
) {
    let mut left = messages;
    while left > 0 {
        if *next == *end {
            (*next, *end) = (0, wire.read(read).expect("a good stream"));
        }
        let mut input = &mut read[*next..*end];
        while left > 0 {
            let Some(event) = receiver.feed(&mut input, sender) else { break };
            let Event::Message(message) = event else { panic!("{event:?}") };
            each(sender, message);
            left -= 1;
        }
        *next = *end - input.len();
    }
}

/// As a program does that has short messages and long ones.
#[inline(always)]
fn queue<K: feedrate_ws::Keys>(sender: &mut Sender<Grow, K>, wire: &Wire, message: Message<'_>) {
    if message.as_bytes().len() < chunk() {
        sender.send(message).expect("room");
    } else {
        sender.send_vectored(message, |parts| wire.put(&parts.map(IoSlice::new))).expect("room");
    }
}

/// A write to the wire when there is enough for one.
#[inline(always)]
fn send<K: feedrate_ws::Keys>(sender: &mut Sender<Grow, K>, wire: &Wire, text: &str, times: usize) {
    for _ in 0..times {
        queue(sender, wire, text.into());
        if sender.queued() >= chunk() {
            flush(sender, wire);
        }
    }
    flush(sender, wire);
}

#[inline(always)]
fn flush<K: feedrate_ws::Keys>(sender: &mut Sender<Grow, K>, wire: &Wire) {
    loop {
        let bytes = sender.transmit();
        if bytes.is_empty() {
            return;
        }
        let written = wire.put(&[IoSlice::new(bytes)]);
        sender.sent(written);
    }
}
