//! A client's session, message by message.

mod abandoning;
mod chance;
mod copy;
mod requests;

use feedrate::pg::backend::{self, Message};
use feedrate::pg::frontend::{self, Bind, Describe, Execute, Parse, Target};
use feedrate::pg::{Backend, Frontend};
use feedrate::{Decoder, Grow};
use feedrate_pg::client::{Client, Error, Request, SendError};
use feedrate_pg::queue::Slot;

/// A client, and what it has written.
struct Session {
    client: Client<[Slot; 16]>,
    out: Vec<u8>,
}

/// What a client shows of a message: the request and the message's name.
type Shown = (Option<u64>, &'static str);

impl Session {
    fn new() -> Self {
        let mut new = Self { client: Client::new([Slot::EMPTY; 16]), out: Vec::new() };
        assert_eq!(new.receive("Z"), [(None, "ReadyForQuery")]);
        new
    }

    fn send(&mut self, request: impl Request) -> Result<u64, SendError> {
        self.client.send(&request, &mut self.out)
    }

    /// The names of the messages that were written since the last time.
    fn written(&mut self) -> Vec<&'static str> {
        let mut decoder = Decoder::new(Frontend::established(), Grow::new(1 << 20));
        let (mut input, mut names) = (&self.out[..], Vec::new());
        while let Some(frame) = decoder.feed(&mut input).unwrap() {
            names.push(frame.name());
        }
        decoder.end().unwrap();
        self.out.clear();
        names
    }

    /// What is shown of the messages that these letters stand for: their type bytes.
    fn receive(&mut self, tags: &str) -> Vec<Shown> {
        self.try_receive(tags).unwrap()
    }

    fn try_receive(&mut self, tags: &str) -> Result<Vec<Shown>, Error> {
        let mut shown = Vec::new();
        let mut decoder = Decoder::new(Backend::established(), Grow::new(1 << 20));
        let bytes = tags.bytes().flat_map(wire).collect::<Vec<_>>();
        let mut input = &bytes[..];
        while let Some(frame) = decoder.feed(&mut input).unwrap() {
            if let Some(event) = self.client.receive(&frame)? {
                shown.push((event.request, event.message.name()));
            }
        }
        Ok(shown)
    }

    /// The numbers of Parse, Bind, Describe, Execute without Sync.
    fn batch(&mut self) -> [u64; 4] {
        [
            self.send(Parse::default()).unwrap(),
            self.send(Bind::default()).unwrap(),
            self.send(Describe { target: Target::Portal("".into()) }).unwrap(),
            self.send(Execute::default()).unwrap(),
        ]
    }

    fn sync(&mut self) -> u64 {
        self.send(frontend::Sync).unwrap()
    }
}

/// A message of this type, with as little in it as possible.
fn wire(tag: u8) -> Vec<u8> {
    let body: &[u8] = match tag {
        b'Z' => b"I",
        b'E' => b"SERROR\0VERROR\0C57014\0Mno\0\0",
        b'F' => b"SFATAL\0VFATAL\0C57P01\0Mno\0\0",
        b'N' => b"SNOTICE\0VNOTICE\0C00000\0Mhm\0\0",
        b'A' => b"\0\0\0\x01c\0p\0",
        b'S' => b"server_version\x0018.4 (Debian)\0",
        b'C' => b"SELECT 1\0",
        b'T' | b'D' | b't' => b"\0\0",
        b'G' | b'H' | b'W' => b"\0\0\0",
        b'K' => b"\0\0\0\x2a\x01\x02\x03\x04",
        b'V' => b"\xff\xff\xff\xff",
        _ => b"",
    };
    let tag = if tag == b'F' { b'E' } else { tag };
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// So that the letters above are what their message's name says.
#[test]
fn letters() {
    for (tag, name) in [(b'Z', "ReadyForQuery"), (b'W', "CopyBothResponse"), (b's', "PortalSuspended")] {
        let bytes = wire(tag);
        assert_eq!(backend::Frame::from_bytes(&bytes).unwrap().name(), name);
    }
    assert!(matches!(
        backend::Frame::from_bytes(&wire(b'Z')).unwrap().message(),
        Ok(Message::ReadyForQuery(_))
    ));
}
