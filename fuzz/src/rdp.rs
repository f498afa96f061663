//! What the targets of RDPv3 share: a peer whose every byte the fuzzer chooses, with checksums and tags that are
//! right, and the machine behind an agent.

use arbitrary::{Arbitrary, Unstructured};
use feedrate::rdp::frame::Fingerprint;
use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketType, Packets};
use feedrate::{Decoder, Encode, Grow};
use feedrate_rdp::Role;
use feedrate_rdp::link::Sizes;
use feedrate_rdp::session::{Checksum, Context, Seal};
use feedrate_rdp::target::Refusal;
use feedrate_testkit::machine::{Fake, Log};

/// Little memory, so that its ends are reached.
pub enum Small {}

impl Sizes for Small {
    type Lane = [u8; 1024];
    type Send = [u8; 1200];
    type Message = [u8; 600];
    type Queue = [u8; 800];
}

pub const HOST_NONCE: [u8; 16] = *b"the host's nonce";
pub const FINGERPRINT: Fingerprint = *b"the fuzzed thing";

/// One side of a connection over a lane with stream framing, without any state machine.
pub struct Peer {
    /// What this side is.
    pub role: Role,
    pub connection: u16,
    pub device_nonce: [u8; 16],
    /// Of the next message.
    pub sequence: u32,
    sent: [u32; 2],
    received: [u32; 2],
    streams: [Vec<u8>; 2],
    acks: u32,
    /// Whether it acknowledges.
    pub deaf: bool,
}

impl Peer {
    pub fn new(role: Role) -> Self {
        Self {
            role,
            connection: 0,
            device_nonce: [0; 16],
            sequence: 0,
            sent: [0; 2],
            received: [0; 2],
            streams: Default::default(),
            acks: 0,
            deaf: false,
        }
    }

    /// A packet with right checksums.
    pub fn packet(&self, header: Header, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let payload = &payload[..payload.len().min(1006)];
        Packet::new(header, payload).framed(Framing::Stream).encode(&mut bytes).unwrap();
        bytes
    }

    /// The next bytes of a channel.
    pub fn data(&mut self, channel: usize, bytes: &[u8]) -> Vec<u8> {
        let mut packets = Vec::new();
        for chunk in bytes.chunks(1000) {
            let header =
                Header::new(PacketType::Data, self.connection, self.sent[channel]).data(channel == 1, 0);
            packets.extend(self.packet(header, chunk));
            self.sent[channel] = self.sent[channel].wrapping_add(chunk.len() as u32);
        }
        packets
    }

    /// A record with a message in it, whose tag is right.
    pub fn record(
        &self,
        sequence: u32,
        time: u32,
        epoch: u8,
        frame: &[u8],
        nonces: [[u8; 16]; 2],
    ) -> Vec<u8> {
        let mut header = [0; 9];
        header[..4].copy_from_slice(&sequence.to_be_bytes());
        header[4..8].copy_from_slice(&time.to_be_bytes());
        header[8] = epoch;
        let [host_nonce, device_nonce] = nonces;
        let context = Context { host_nonce, device_nonce, sender: self.role, header };
        let (mut frame, mut tag) = (frame.to_vec(), [0; 4]);
        Checksum.seal(&context, &mut frame, &mut tag);
        let length = (9 + frame.len() + 4) as u16;
        [&length.to_be_bytes()[..], &header, &frame, &tag].concat()
    }

    /// The next message of the session.
    pub fn say(&mut self, time: u32, frame: &[u8]) -> Vec<u8> {
        let record = self.record(self.sequence, time, 0, frame, [HOST_NONCE, self.device_nonce]);
        self.sequence += 1;
        self.data(0, &record)
    }

    /// Takes a packet of the other side. Answers the messages' headers and frames, and puts the ACK into `back`.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        back: &mut Vec<u8>,
        mut see: impl FnMut(&mut Self, Header, &[u8]),
    ) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::new(Packets::new(Framing::Stream), Grow::new(1024));
        let mut messages = Vec::new();
        let mut input = bytes;
        let mut news = false;
        while let Some(packet) = decoder.feed(&mut input).expect("what is sent is right") {
            let header = packet.header;
            let payload: Vec<u8> = packet.payload().to_vec();
            if header.kind == PacketType::Data && header.connection == self.connection {
                let channel = usize::from(header.is_bulk());
                let known = self.received[channel].wrapping_sub(header.position) as usize;
                if known < payload.len() {
                    self.received[channel] =
                        self.received[channel].wrapping_add((payload.len() - known) as u32);
                    self.streams[channel].extend(&payload[known..]);
                }
                news = true;
            }
            see(self, header, &payload);
        }
        for stream in &mut self.streams {
            while let Some(length) =
                stream.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))
            {
                assert!(length > 0);
                if stream.len() < length + 2 {
                    break;
                }
                messages.push(stream[2..length + 2].to_vec());
                stream.drain(..length + 2);
            }
        }
        if news && !self.deaf {
            back.extend(self.ack(0));
        }
        messages
    }

    /// What has been received, with room for more.
    pub fn ack(&mut self, nack: u8) -> Vec<u8> {
        self.acks += 1;
        let window = 4096_u16.to_be_bytes();
        let [signal, bulk] = self.received.map(u32::to_be_bytes);
        let payload = [&signal[..], &window, &bulk, &window, &[0; 6], &[nack], &[0; 2]].concat();
        self.packet(Header::new(PacketType::Ack, self.connection, self.acks), &payload)
    }

    /// Header and frame of a message whose tag must be right.
    pub fn open<'m>(&self, message: &'m mut [u8], nonces: [[u8; 16]; 2]) -> (u32, &'m [u8]) {
        let sender = if self.role == Role::Host { Role::Agent } else { Role::Host };
        let (header, rest) = message.split_first_chunk_mut::<9>().expect("a header");
        let at = rest.len() - 4;
        let (frame, tag) = rest.split_at_mut(at);
        let context = Context { host_nonce: nonces[0], device_nonce: nonces[1], sender, header: *header };
        assert!(Checksum.open(&context, frame, tag), "its own tag is wrong");
        (u32::from_be_bytes([header[0], header[1], header[2], header[3]]), frame)
    }
}

/// What the fuzzer does next.
#[derive(Debug, Arbitrary)]
pub enum Act<'a> {
    /// A frame of this kind, in a message with everything right.
    Say {
        kind: u8,
        body: &'a [u8],
    },
    /// One of the frames that make sense.
    Sense {
        which: u8,
        a: u8,
        b: u32,
    },
    /// With another sequence, time or epoch.
    Odd {
        sequence: i8,
        time: i16,
        epoch: u8,
        which: u8,
        channel: bool,
    },
    /// Bytes of a channel's stream.
    Stream {
        channel: bool,
        bytes: &'a [u8],
    },
    /// A packet with right checksums.
    Packet {
        kind: u8,
        flags: u8,
        mine: bool,
        position: u32,
        payload: &'a [u8],
    },
    /// A DATA of before or of later.
    Shifted {
        by: i8,
        bytes: &'a [u8],
    },
    /// An ACK with this in it.
    Nack(u8),
    /// Whether it acknowledges.
    Deaf(bool),
    /// Bytes on the lane, whatever they are.
    Raw(&'a [u8]),
    Wait(u16),
    /// The machine stops; or the host asks for something.
    Own {
        which: u8,
        a: u32,
    },
}

/// What happened to a packet's header fields.
pub fn header(kind: u8, flags: u8, connection: u16, position: u32) -> Header {
    Header { flags, ..Header::new(PacketType::from(kind), connection, position) }
}

pub fn acts(data: &[u8]) -> impl Iterator<Item = Act<'_>> {
    let mut u = Unstructured::new(data);
    std::iter::from_fn(move || if u.is_empty() { None } else { u.arbitrary().ok() }).take(200)
}

pub const LANE: Line = Line::TCP;

/// A machine that refuses nothing, or everything for one of three reasons; it has three axes, or fewer.
pub fn machine(refuse: u8, stopped: bool) -> Fake {
    let refuse = refuse % 4;
    Fake {
        fingerprint: FINGERPRINT,
        stopped,
        refuses: [None, Some(Refusal::Interlock), Some(Refusal::Fatal(3)), Some(Refusal::ReadOnly)]
            [usize::from(refuse)],
        // Each time that they are read, another one has changed.
        registers: |machine| std::array::from_fn(|i| (machine.captures + i as u64) / 17),
        memory: |addr, into| {
            into.fill(addr as u8);
            Ok(into.len().min(addr as usize % 300))
        },
        axes: vec![-5; usize::from(3 - refuse)],
        plc: |first, into| into.len().min(usize::from(first)),
        log: Log::of::<16>(),
        ..Fake::new()
    }
}
