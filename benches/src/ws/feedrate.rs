//! feedrate: a `Receiver`, a `Sender`, and a buffer to read into, which all connections of a thread can
//! share. And the frame layer alone, for what can do with that.

use std::io::{IoSlice, Read};

use feedrate::{Encode, Grow, Instant, SliceOutput};
use feedrate_ws::frame::{Frame, HEADER, Header, Opcode};
use feedrate_ws::{Answer, Event, Message, Receiver, Sender, Unmasked, mask};

use super::end::{End, Role, Visited};
use super::wire::{Wire, chunk};

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
            let fed = receiver.feed(&mut input, Instant::ZERO, sender).expect("a good stream");
            let Some(event) = fed else { break };
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
        sender.transmitted(written);
    }
}

/// The frame layer alone: no message of more than one frame, no check of text, no answers, no queue. A
/// frame is read into a buffer of the connection's own, until it is whole.
#[derive(Debug)]
pub struct Frames {
    wire: Wire,
    role: Role,
    text: Vec<u8>,
    /// What was read of the wire, and where in it the next frame is.
    read: Vec<u8>,
    next: usize,
    end: usize,
    /// What is to be written to the wire.
    write: Vec<u8>,
}

impl Frames {
    /// Where in `read` the next message is then.
    #[inline(always)]
    fn receive(&mut self) -> std::ops::Range<usize> {
        loop {
            let from = &self.read[self.next..self.end];
            if let Some((header, n)) = Header::parse(from).expect("a good stream") {
                let length = usize::try_from(header.length).expect("a short one");
                if length <= from.len() - n {
                    assert!(header.fin && header.mask.is_some() == (self.role == Role::Server));
                    let payload = self.next + n..self.next + n + length;
                    if let Some(key) = header.mask {
                        mask::apply(&mut self.read[payload.clone()], key);
                    }
                    self.next = payload.end;
                    return payload;
                }
            }
            self.read.copy_within(self.next..self.end, 0);
            self.end -= self.next;
            self.next = 0;
            let room = self.end..self.end + chunk();
            self.end += self.wire.read(&mut self.read[room]).expect("a good stream");
        }
    }

    #[inline(always)]
    fn frame(role: Role, payload: &[u8], to: &mut [u8]) -> usize {
        let mask = (role == Role::Client).then(|| rand::random::<u32>().to_ne_bytes());
        let mut out = SliceOutput::new(to);
        Frame { mask, ..Frame::new(Opcode::Text, payload) }.encode(&mut out).expect("room");
        out.as_bytes().len()
    }
}

impl End for Frames {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let size = (1 << 20) + HEADER + chunk();
        let (read, write) = (vec![0; size], vec![0; size]);
        Self { wire, role, text: text.into(), read, next: 0, end: 0, write }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        let mut visited = Visited::default();
        for _ in 0..messages {
            let payload = self.receive();
            visited.message(&self.read[payload]);
        }
        visited
    }

    #[inline(never)]
    fn encode(&mut self, times: usize) {
        let mut at = 0;
        for _ in 0..times {
            at += Self::frame(self.role, &self.text, &mut self.write[at..]);
            if at >= chunk() {
                self.wire.put(&[IoSlice::new(&self.write[..at])]);
                at = 0;
            }
        }
        self.wire.put(&[IoSlice::new(&self.write[..at])]);
    }

    #[inline(never)]
    fn echo(&mut self) {
        let payload = self.receive();
        let length = Self::frame(self.role, &self.read[payload], &mut self.write);
        self.wire.put(&[IoSlice::new(&self.write[..length])]);
    }

    fn state() -> usize {
        size_of::<Role>() + 2 * size_of::<usize>()
    }

    fn lent(&self) -> usize {
        self.read.capacity() + self.write.capacity()
    }
}
