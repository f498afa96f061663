//! A client against the [honest server](super::server), both driven by chance: what the client says of each message
//! must be what the server meant.

use std::collections::{BTreeMap, VecDeque};

use feedrate::pg::frontend::{
    self, Bind, Close, CopyData, CopyDone, CopyFail, Describe, Flush, FunctionCall, Parse, Query, Target,
};
use feedrate::pg::{Frontend, backend};
use feedrate::{Decoder, Grow};
use feedrate_pg::client::{Client, Error, SendError};
use feedrate_pg::queue::{Kind, Slot};

use super::server::{Chance, Sent, Server};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both are idle, and all was as it must be.
    Idle,
    /// The client has sent something behind a COPY, and said so.
    BehindCopy,
}

struct Run {
    client: Client<[Slot; 12]>,
    server: Server,
    /// What the client has written and the server has not read.
    requests: VecDeque<Vec<u8>>,
    /// What the server has sent and the client has not read.
    responses: VecDeque<Sent>,
    written: usize,
    /// Of each request, which of the client's messages it is.
    numbers: BTreeMap<u64, usize>,
    /// Requests before this are not shown.
    abandoned: u64,
    /// It sends nothing behind what may be a COPY, but Sync behind an Execute.
    patient: bool,
    /// Of each request, whether the last message of its response was shown.
    answered: BTreeMap<u64, bool>,
}

/// Plays `steps` steps, and then until nothing is left.
///
/// # Panics
///
/// If the client is wrong.
pub fn play(steps: u64, chance: Chance<'_>) -> Outcome {
    let mut run = Run {
        client: Client::new([Slot::EMPTY; 12]),
        server: Server::default(),
        requests: VecDeque::new(),
        responses: VecDeque::new(),
        written: 0,
        numbers: BTreeMap::new(),
        abandoned: 0,
        patient: chance(4) > 0,
        answered: BTreeMap::new(),
    };
    for _ in 0..steps {
        if run.step(chance).is_err() {
            return Outcome::BehindCopy;
        }
    }
    if run.finish(chance).is_err() {
        return Outcome::BehindCopy;
    }
    Outcome::Idle
}

/// The client has said that it sent something behind a COPY.
struct Lost;

impl Run {
    fn step(&mut self, chance: Chance<'_>) -> Result<(), Lost> {
        match chance(8) {
            0..3 => self.send(chance),
            3 | 4 => self.serve(chance),
            5 | 6 => return self.receive(),
            _ if chance(12) == 0 => self.abandon(),
            _ if chance(12) == 0 => self.server.disturb(),
            _ => {}
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.client.abandon();
        self.abandoned = self.client.owed().pushed();
        self.transmit();
    }

    /// The client's own messages.
    fn transmit(&mut self) {
        let mut out = Vec::new();
        let done = self.client.transmit(&mut out);
        assert!(matches!(done, Ok(()) | Err(SendError::Full(_))), "{done:?}");
        self.write(out, None);
    }

    fn write(&mut self, out: Vec<u8>, request: Option<u64>) {
        let mut decoder = Decoder::new(Frontend::established(), Grow::new(1 << 16));
        let mut input = &out[..];
        let mut number = request;
        while let Some(frame) = decoder.feed(&mut input).expect("what it writes can be read") {
            if let Some(number) = number.take() {
                self.numbers.insert(number, self.written);
            }
            self.requests.push_back(frame.raw().to_vec());
            self.written += 1;
        }
        decoder.end().expect("whole messages");
    }

    fn send(&mut self, chance: Chance<'_>) {
        self.transmit();
        let (before, pushed) = (format!("{:?}", self.client), self.client.owed().pushed());
        let mut out = Vec::new();
        let may_copy = |kind| self.client.owed().iter().any(|entry| entry.kind == kind);
        let what = match self.patient && !self.client.is_copying() {
            true if may_copy(Kind::Query) => return,
            true if may_copy(Kind::Execute) => 13,
            _ => chance(14),
        };
        let client = &mut self.client;
        let sent = match what {
            0 | 1 => client.send(&Query { sql: "select".into() }, &mut out),
            2 => client.send(&Parse::default(), &mut out),
            3 => client.send(&Bind::default(), &mut out),
            4 => client.send(&Describe { target: Target::Statement("".into()) }, &mut out),
            5 => client.send(&Describe { target: Target::Portal("".into()) }, &mut out),
            6 => client.send(&frontend::Execute::default(), &mut out),
            7 => client.send(&Close { target: Target::Portal("".into()) }, &mut out),
            8 => client.send(&FunctionCall::default(), &mut out),
            9 => client.send(&Flush, &mut out),
            10 => client.send(&CopyData { data: b"1\n" }, &mut out),
            11 => client.send(&CopyDone, &mut out),
            12 => client.send(&CopyFail { reason: "no".into() }, &mut out),
            _ => client.send(&frontend::Sync, &mut out),
        };
        if sent.is_err() {
            assert!(out.is_empty(), "{sent:?} has written {out:?}");
            assert_eq!(format!("{:?}", self.client), before, "{sent:?}");
        }
        // What belongs to another request has its number.
        let request = sent.ok().filter(|_| self.client.owed().pushed() > pushed);
        self.write(out, request);
    }

    fn serve(&mut self, chance: Chance<'_>) {
        if let Some(request) = self.requests.pop_front() {
            let frame = frontend::Frame::from_bytes(&request).expect("a frame");
            let ended = self.server.over;
            self.server.read(&frame.message().expect("a message"), chance);
            assert!(
                ended || !self.server.over || frame.name() == "Flush" || self.is_behind_copy(),
                "the client has killed the server with {frame:?}"
            );
        }
        self.responses.extend(core::iter::from_fn(|| self.server.take()));
    }

    /// Whether something that kills the server was sent before the client could know that a COPY reads it. The client
    /// will find that out.
    fn is_behind_copy(&self) -> bool {
        self.responses.iter().chain(self.server.waiting()).any(|sent| matches!(sent.tag, b'G' | b'W'))
    }

    fn receive(&mut self) -> Result<(), Lost> {
        self.responses.extend(core::iter::from_fn(|| self.server.take()));
        let Some(sent) = self.responses.pop_front() else { return Ok(()) };
        let bytes = wire(sent.tag);
        let frame = backend::Frame::from_bytes(&bytes).expect("a frame");
        let shows = self.client.shows(frame.tag());
        let event = match self.client.receive(&frame) {
            Err(Error::BehindCopy) => return Err(Lost),
            event => event.unwrap_or_else(|error| panic!("{sent:?}: {error}; {:?}", self.client)),
        };
        assert_eq!(event.is_some(), shows, "{sent:?}");
        if let Some(event) = event {
            self.judge(sent, event.request);
        }
        self.transmit();
        // A Flush leaves no trace in the client, and kills a server that has begun a COPY both ways.
        if self.client.is_over() { Err(Lost) } else { Ok(()) }
    }

    fn judge(&mut self, sent: Sent, request: Option<u64>) {
        let Some(of) = sent.of else {
            assert_eq!(request, None, "{sent:?}");
            return;
        };
        // Of a Sync that a COPY might have swallowed, and has not.
        if request.is_none() && sent.tag == b'E' && self.numbers.values().any(|at| *at == of) {
            return;
        }
        let request = request.unwrap_or_else(|| panic!("{sent:?} was taken for an answer to nothing"));
        assert!(request >= self.abandoned, "{sent:?} of {request} was abandoned");
        let at = self.numbers[&request];
        // A Sync may have an empty Query behind it, which counts as the same request; and if some before it were
        // perhaps swallowed, an error may be of one of those.
        let same = at == of || (sent.tag == b'Z' && at + 1 == of) || (sent.tag == b'E' && at > of);
        assert!(same, "{sent:?} was taken for an answer to {request}, which is the message {at}");
        let last = matches!(sent.tag, b'Z' | b'1' | b'2' | b'3' | b'n' | b's' | b'I');
        *self.answered.entry(request).or_default() |= last;
    }

    /// Brings everything to its end.
    fn finish(&mut self, chance: Chance<'_>) -> Result<(), Lost> {
        let mut out = Vec::new();
        for _ in 0..100_000 {
            while !self.requests.is_empty() {
                self.serve(chance);
            }
            self.serve(chance);
            while !self.responses.is_empty() {
                self.receive()?;
            }
            if !self.requests.is_empty() {
                continue;
            }
            if self.client.is_copying() {
                let request = match self.client.send(&CopyFail { reason: "the end".into() }, &mut out) {
                    Err(SendError::CopyBoth) => self.client.send(&CopyDone, &mut out),
                    request => request,
                };
                assert!(request.is_ok(), "{request:?}");
            } else if !self.client.is_idle() {
                let number = self.client.send(&frontend::Sync, &mut out).expect("room for Sync");
                self.write(core::mem::take(&mut out), Some(number));
            } else {
                break;
            }
            self.write(core::mem::take(&mut out), None);
        }
        assert!(self.client.is_idle() && self.server.is_idle(), "{:?} {:?}", self.client, self.server);
        // A Sync that is not abandoned, and was not swallowed by a COPY, is answered.
        let number = self.client.send(&frontend::Sync, &mut out).expect("room");
        self.write(out, Some(number));
        while !self.requests.is_empty() || !self.responses.is_empty() {
            self.serve(chance);
            self.receive()?;
        }
        assert_eq!(self.answered.get(&number), Some(&true), "the last Sync");
        assert!(self.client.owed().front().map(|entry| entry.kind) != Some(Kind::Sync));
        Ok(())
    }
}

/// A message of this type, with as little in it as possible.
fn wire(tag: u8) -> Vec<u8> {
    let body: &[u8] = match tag {
        b'Z' => b"I",
        b'E' => b"SERROR\0VERROR\0C57014\0Mno\0\0",
        b'F' => b"SFATAL\0VFATAL\0C08P01\0Mno\0\0",
        b'N' => b"SNOTICE\0VNOTICE\0C00000\0Mhm\0\0",
        b'A' => b"\0\0\0\x01c\0p\0",
        b'S' => b"server_version\x0018.4\0",
        b'C' => b"SELECT 1\0",
        b'T' | b'D' | b't' => b"\0\0",
        b'G' | b'H' | b'W' => b"\0\0\0",
        b'K' => b"\0\0\0\x2a\x01\x02\x03\x04",
        b'V' => b"\xff\xff\xff\xff",
        _ => b"",
    };
    let tag = if tag == b'F' { b'E' } else { tag };
    let length = (body.len() + 4) as u32;
    [&[tag][..], &length.to_be_bytes(), body].concat()
}
