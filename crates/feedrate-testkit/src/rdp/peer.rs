//! A host that is put together by hand: it writes any message, with any sequence and time, on any channel, and reads
//! what an agent says. Nothing of the real host is in it.

use feedrate::Encode;
use feedrate::rdp::frame::{Bytes, Frame, Heartbeat, Hello, Record, Welcome};
use feedrate::rdp::record::Message;
use feedrate::rdp::{Channel, crc};
use feedrate_rdp::Role;
use feedrate_rdp::session::{Checksum, Context, Seal};

/// Bytes of a message in front of its debug frame.
const HEADER: usize = 8;

/// What an agent has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// On which channel.
    pub channel: Channel,
    /// The agent's count.
    pub sequence: u32,
    /// The agent's session clock.
    pub time: u32,
    /// The debug frame.
    pub bytes: Vec<u8>,
}

impl Said {
    /// What it says.
    pub fn frame(&self) -> Frame<'_> {
        Frame::read(&self.bytes).expect("an agent's frame is well-formed")
    }
}

/// A host by hand.
#[derive(Debug, Clone)]
pub struct Peer<Z = Checksum> {
    /// Its seal, once its handshake is over.
    pub seal: Z,
    /// Messages are sealed with the seal, and not with a checksum before its handshake.
    pub sealed: bool,
    /// Its nonce.
    pub nonce: [u8; 16],
    /// What Welcome gave.
    pub device_nonce: [u8; 16],
    /// Sequence of the next message.
    pub next: u32,
    /// The greatest time that the agent has written.
    pub heard: u32,
    /// The last message of each channel of the agent.
    pub last: [Option<u32>; 2],
    /// The latest message of the agent, and its time.
    latest: (u32, u32),
    /// Bytes of a record that is not whole yet.
    begun: Vec<u8>,
}

impl<Z: Seal> Peer<Z> {
    /// One that has said nothing, with this nonce.
    pub fn new(seal: Z, nonce: [u8; 16]) -> Self {
        Self {
            seal,
            sealed: true,
            nonce,
            device_nonce: [0; 16],
            next: 0,
            heard: 0,
            last: [None; 2],
            latest: (0, 0),
            begun: Vec::new(),
        }
    }

    /// A message: not counted, and with whatever is said here.
    pub fn message(&mut self, channel: Channel, sequence: u32, time: u32, frame: &[u8]) -> Vec<u8> {
        let header = [sequence.to_be_bytes(), time.to_be_bytes()].concat();
        let header: [u8; HEADER] = header.try_into().expect("8 bytes");
        let context = Context { sender: Role::Host, channel, header };
        let mut frame = frame.to_vec();
        let mut tag = vec![0; if self.sealed { Z::TAG } else { Checksum::TAG }];
        if self.sealed {
            self.seal.seal(&context, &mut frame, &mut tag);
        } else {
            Checksum::new().seal(&context, &mut frame, &mut tag);
        }
        [&header[..], &frame, &tag].concat()
    }

    /// The next message: counted, and with what was heard last.
    pub fn next(&mut self, channel: Channel, frame: &[u8]) -> Vec<u8> {
        let sequence = self.next;
        self.next += 1;
        self.message(channel, sequence, self.heard, frame)
    }

    /// Hello, as the first message. What follows is bound to its nonce.
    pub fn hello(&mut self, token: &[u8]) -> Vec<u8> {
        let suites = [Z::SUITE];
        let hello = Frame::Hello(Hello {
            lowest: 3,
            highest: 3,
            nonce: self.nonce,
            longest: 512,
            suites: feedrate::rdp::frame::List::new(&suites),
            token: feedrate::rdp::frame::Secret::new(token),
        });
        self.hello_of(&hello)
    }

    /// The same with any frame.
    pub fn hello_of(&mut self, frame: &Frame<'_>) -> Vec<u8> {
        let hello = self.next(Channel::Urgent, &bytes(frame));
        self.seal.bind(&self.nonce, &[0; 16]);
        hello
    }

    /// What has arrived on a stream.
    pub fn read(&mut self, stream: &[u8]) -> Vec<Said> {
        self.begun.extend(stream);
        let mut said = Vec::new();
        while let Some(head) = self.begun.first_chunk::<2>() {
            let head = u16::from_be_bytes(*head);
            let channel = if head & 0x8000 == 0 { Channel::Urgent } else { Channel::Ordinary };
            let whole = usize::from(head & 0x7FFF) + 2;
            if self.begun.len() < whole {
                break;
            }
            let record: Vec<u8> = self.begun.drain(..whole).collect();
            said.push(self.open(channel, &record[2..]));
        }
        said
    }

    /// A message of the agent.
    pub fn open(&mut self, channel: Channel, message: &[u8]) -> Said {
        let (header, rest) = message.split_first_chunk::<HEADER>().expect("a header");
        let length = rest.len() - if self.sealed { Z::TAG } else { Checksum::TAG };
        let (frame, tag) = rest.split_at(length);
        let mut frame = frame.to_vec();
        let context = Context { sender: Role::Agent, channel, header: *header };
        let intact = if self.sealed {
            self.seal.open(&context, &mut frame, tag)
        } else {
            Checksum::new().open(&context, &mut frame, tag)
        };
        assert!(intact, "the agent's tag is wrong: {frame:02x?}");
        let [a, b, c, d, e, f, g, h] = *header;
        let (sequence, time) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        let last = &mut self.last[channel.index()];
        assert!(last.is_none_or(|last| last < sequence), "{sequence} after {last:?}");
        *last = Some(sequence);
        if sequence > self.latest.0 {
            assert!(time >= self.latest.1, "the time goes back from {} to {time}", self.latest.1);
            self.latest = (sequence, time);
        }
        self.heard = self.heard.max(time);
        let said = Said { channel, sequence, time, bytes: frame };
        if let Frame::Welcome(Welcome { device_nonce, host_nonce, .. }) = said.frame() {
            assert_eq!(host_nonce, self.nonce);
            self.device_nonce = device_nonce;
            self.seal.bind(&self.nonce, &device_nonce);
        }
        said
    }

    /// The answer to a Heartbeat.
    pub fn echo(&mut self, challenge: u32) -> Vec<u8> {
        let echo = Frame::Heartbeat(Heartbeat { run: None, challenge });
        self.next(Channel::Urgent, &bytes(&echo))
    }
}

/// A debug frame on the wire.
pub fn bytes(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).expect("a vector has room");
    bytes
}

/// A record of a message on a stream.
pub fn record(channel: Channel, message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Message::new(channel, message).encode(&mut bytes).expect("a vector has room");
    bytes
}

/// What a host agrees to: CRC-32 of a frame's body.
pub fn crc_of_body(frame: &[u8]) -> u32 {
    crc::crc_32(&[&frame[6..]])
}

/// CRC-32 of an audit record as it is on the wire.
pub fn crc_of(record: &Record) -> u32 {
    let records = [*record];
    let records = feedrate::rdp::frame::List::new(&records);
    let audit = feedrate::rdp::frame::Audit { request: 0, oldest: 0, next: 0, lost: 0, records };
    let bytes = bytes(&Frame::Audit(audit));
    crc::crc_32(&[&bytes[bytes.len() - Record::SIZE..]])
}

/// A value to force, or to write.
pub fn value<C>(bytes: &[u8]) -> Bytes<'_, C> {
    Bytes::new(bytes)
}
