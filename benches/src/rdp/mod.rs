//! RDPv3 and what is used in its place: packets and records alone, and a whole request with its answer.

pub mod exchange;
pub mod gdb;
pub mod packets;
pub mod records;

use feedrate::Encode;
use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, Packet, PacketType};
use feedrate::rdp::record::Message;

/// Bytes of a breakpoint's debug frame; the most that a packet carries on a UART, on SPI, on the longest lane.
pub const PAYLOADS: [usize; 4] = [18, 45, 491, 1001];
/// Bytes of a breakpoint's message; the most of a message on channel 0.
pub const MESSAGES: [usize; 2] = [30, 512];

/// Packets or records of one size: what is to be said in them, and how each contender says it.
#[derive(Debug)]
pub struct Stream {
    pub payload: usize,
    pub payloads: Vec<Vec<u8>>,
}

impl Stream {
    /// As many as have `total` bytes of payload between them.
    pub fn new(payload: usize, total: usize) -> Self {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // One byte in four is a zero: what goes over a debugger's line is addresses, counts and memory.
        let mut byte = || match random() {
            n if n & 0x300 == 0 => 0,
            n => n as u8,
        };
        let payloads = (0..total / payload).map(|_| (0..payload).map(|_| byte()).collect()).collect();
        Self { payload, payloads }
    }

    pub fn len(&self) -> usize {
        self.payloads.len()
    }

    pub fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    /// The header of the packet at `i`.
    pub fn header(i: usize) -> Header {
        Header::new(PacketType::Data, 7, i as u32)
    }

    /// The channel of the record at `i`.
    pub fn channel(i: usize) -> Channel {
        Channel::ALL[i % 2]
    }

    /// As RDPv3 has it on a lane.
    pub fn packets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, payload) in self.payloads.iter().enumerate() {
            Packet::new(Self::header(i), payload).encode(&mut out).expect("a vector grows");
        }
        out
    }

    /// As RDPv3 has it on a byte stream.
    pub fn records(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, message) in self.payloads.iter().enumerate() {
            Message::new(Self::channel(i), message).encode(&mut out).expect("a vector grows");
        }
        out
    }

    /// The packets without framing, each behind two bytes of length: for who looks at the checksums alone.
    pub fn plain(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for encoded in self.packets().split(|byte| *byte == 0).filter(|encoded| !encoded.is_empty()) {
            let mut packet = encoded.to_vec();
            let length = cobs::decode_in_place(&mut packet).expect("good COBS");
            out.extend((length as u16).to_be_bytes());
            out.extend(&packet[..length]);
        }
        out
    }
}
