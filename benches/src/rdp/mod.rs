//! RDPv3 and what is used in its place: packets alone, and a whole request with its answer.

pub mod exchange;
pub mod gdb;
pub mod packets;

use feedrate::Encode;
use feedrate::rdp::packet::{Framing, Header, Packet, PacketType};

/// Bytes of a breakpoint's debug frame; the most that a packet carries on a UART, on SPI, on TCP.
pub const PAYLOADS: [usize; 4] = [18, 45, 491, 1006];

/// Packets of one size: what is to be said in them, and how each contender says it.
#[derive(Debug)]
pub struct Stream {
    pub payload: usize,
    pub payloads: Vec<Vec<u8>>,
}

impl Stream {
    /// As many packets as have `total` bytes of payload between them.
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

    /// As RDPv3 has it on a lane.
    pub fn packets(&self, framing: Framing) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, payload) in self.payloads.iter().enumerate() {
            Packet::new(Self::header(i), payload).framed(framing).encode(&mut out).expect("a vector grows");
        }
        out
    }
}
