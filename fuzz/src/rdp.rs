//! What the targets of RDPv3 share: a peer whose every byte the fuzzer chooses, with checksums and tags that are
//! right, and a machine.

use arbitrary::{Arbitrary, Unstructured};
use feedrate::rdp::frame::{Fingerprint, Location, Record};
use feedrate::rdp::packet::{Framing, Header, Line, Packet, PacketType, Packets};
use feedrate::{Decoder, Encode, Grow};
use feedrate_rdp::Role;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::link::Sizes;
use feedrate_rdp::session::{Checksum, Context, Seal};
use feedrate_rdp::target::{
    Audit, Breakpoints, Forcing, Full, Machine, Memory, Refusal, Stepping, Target, Trap,
};

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

/// A machine that remembers what is left in it.
pub struct Thing {
    pub stopped: bool,
    pub log: AuditRing<16>,
    pub records: Vec<Record>,
    pub slots: [bool; 4],
    pub held: Vec<u64>,
    pub refuse: u8,
}

impl Default for Thing {
    fn default() -> Self {
        Self {
            stopped: false,
            log: AuditRing::new(),
            records: Vec::new(),
            slots: [false; 4],
            held: Vec::new(),
            refuse: 0,
        }
    }
}

impl Target for Thing {
    type Arch = CortexM;

    fn fingerprint(&self) -> Fingerprint {
        FINGERPRINT
    }

    fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn read_registers(&mut self, into: &mut [u64; 17]) -> Result<(), Refusal> {
        into[usize::from(self.refuse) % 17] += 1;
        Ok(())
    }

    fn breakpoints(&mut self) -> Option<&mut dyn Breakpoints> {
        Some(self)
    }

    fn stepping(&mut self) -> Option<&mut dyn Stepping> {
        Some(self)
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn forcing(&mut self) -> Option<&mut dyn Forcing> {
        Some(self)
    }

    fn machine(&mut self) -> Option<&mut dyn Machine> {
        Some(self)
    }

    fn audit(&mut self) -> Option<&mut dyn Audit> {
        Some(self)
    }
}

impl Thing {
    fn refuses(&self) -> Result<(), Refusal> {
        match self.refuse {
            1 => Err(Refusal::Interlock),
            2 => Err(Refusal::Fatal(3)),
            3 => Err(Refusal::ReadOnly),
            _ => Ok(()),
        }
    }
}

impl Breakpoints for Thing {
    fn slots(&self) -> u16 {
        4
    }

    fn set(&mut self, _: u64, _: Trap) -> Result<u16, Refusal> {
        self.refuses()?;
        let slot = self.slots.iter().position(|slot| !slot).ok_or(Refusal::NoSlot)?;
        self.slots[slot] = true;
        Ok(slot as u16)
    }

    fn clear(&mut self, slot: u16) -> Result<(), Refusal> {
        assert!(self.slots[usize::from(slot)], "an empty slot is cleared");
        self.slots[usize::from(slot)] = false;
        Ok(())
    }
}

impl Stepping for Thing {
    fn halt(&mut self) -> Result<(), Refusal> {
        self.refuses()
    }

    fn resume(&mut self) -> Result<(), Refusal> {
        self.refuses()?;
        self.stopped = false;
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.refuses()?;
        self.stopped = false;
        Ok(())
    }
}

impl Memory for Thing {
    fn read(&mut self, addr: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.refuses()?;
        into.fill(addr as u8);
        Ok(into.len().min(addr as usize % 300))
    }
}

impl Forcing for Thing {
    fn interlock(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    fn force(&mut self, addr: u64, value: &[u8]) -> Result<(), Refusal> {
        assert!((1..=16).contains(&value.len()));
        self.refuses()?;
        self.held.retain(|held| *held != addr);
        self.held.push(addr);
        assert!(self.held.len() <= 8);
        Ok(())
    }

    fn release(&mut self, addr: u64) -> Result<(), Refusal> {
        assert!(self.held.contains(&addr), "what is not held is released");
        self.held.retain(|held| *held != addr);
        Ok(())
    }
}

impl Machine for Thing {
    fn axes(&self) -> u8 {
        self.refuse
    }

    fn axis(&mut self, axis: u8) -> Option<i64> {
        (axis < 20).then_some(-5)
    }

    fn set_axis(&mut self, _: u8, _: i64) -> Result<(), Refusal> {
        self.refuses()
    }

    fn plc(&mut self, first: u16, into: &mut [u16]) -> usize {
        into.len().min(usize::from(first))
    }

    fn cursor(&mut self) -> Location {
        Location::default()
    }
}

impl Audit for Thing {
    fn append(&mut self, record: Record) -> Result<u32, Full> {
        let index = self.log.append(record)?;
        let session = |record: &Record| record.session;
        // Whatever arrives, commands are executed in order, and each once.
        if let Some(last) = self.records.last().filter(|last| session(last) == session(&record)) {
            assert!(record.sequence > last.sequence, "{record:?} after {last:?}");
        }
        self.records.push(record);
        Ok(index)
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.log.conclude(index, verdict);
    }

    fn bounds(&self) -> (u32, u32) {
        self.log.bounds()
    }

    fn get(&self, index: u32) -> Option<Record> {
        self.log.get(index)
    }

    fn release(&mut self, index: u32) {
        self.log.release(index);
    }
}
