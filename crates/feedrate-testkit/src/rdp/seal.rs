//! A seal with keys and a handshake of its own, which shows where such a one goes. It is no cryptography.

use std::cell::Cell;
use std::rc::Rc;

use feedrate_rdp::Role;
use feedrate_rdp::session::{Context, Progress, Seal};

use crate::random::mix;

/// What a record of the handshake begins with.
const GREETING: u8 = 0xA5;
/// The code with which a record is refused.
pub const REFUSED: u32 = 0xBAD;

/// Both sides give a share of the key; with `confirms` the host says once more that it has it.
#[derive(Debug, Clone)]
pub struct Toy {
    /// Three records, and not two.
    pub confirms: bool,
    /// How often [`Seal::progress`] says that the seal still computes, after each record of the peer.
    pub pending: u32,
    /// Whose key it is: what the other side learns.
    pub name: u8,
    /// Sessions so far.
    pub sessions: u32,
    /// CRC failures that it was told of.
    pub crc_failures: Rc<Cell<u32>>,
    role: Role,
    computes: Cell<u32>,
    share: u64,
    sent: u32,
    taken: u32,
    peer: [u8; 1],
    key: u64,
    nonces: u64,
}

impl Toy {
    /// Nothing has been said.
    pub fn new(name: u8, confirms: bool, pending: u32) -> Self {
        Self {
            confirms,
            pending,
            name,
            sessions: 0,
            crc_failures: Rc::default(),
            role: Role::Host,
            computes: Cell::new(0),
            share: 0,
            sent: 0,
            taken: 0,
            peer: [0],
            key: 0,
            nonces: 0,
        }
    }

    fn stream(&self, context: &Context) -> u64 {
        let header = context.header.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        mix(self.key ^ mix(header ^ u64::from(context.direction()) << 56))
    }

    fn mask(&self, context: &Context, frame: &mut [u8]) {
        let stream = self.stream(context);
        frame.iter_mut().zip(0..).for_each(|(byte, at)| *byte ^= mix(stream + at) as u8);
    }

    fn tag(&self, context: &Context, masked: &[u8]) -> [u8; 8] {
        let sum =
            masked.iter().fold(self.stream(context) ^ self.nonces, |sum, byte| mix(sum ^ u64::from(*byte)));
        sum.to_be_bytes()
    }

    fn wanted(&self) -> (u32, u32) {
        match (self.role, self.confirms) {
            (Role::Host, false) | (Role::Agent, false) => (1, 1),
            (Role::Host, true) => (2, 1),
            (Role::Agent, true) => (1, 2),
        }
    }

    fn is_its_turn(&self) -> bool {
        let (sends, _) = self.wanted();
        match self.role {
            Role::Host => self.sent < sends && self.sent == self.taken,
            Role::Agent => self.sent < sends && self.sent < self.taken,
        }
    }
}

impl Seal for Toy {
    const SUITE: u16 = 0xFF01;
    const TAG: usize = 8;

    fn bind(&mut self, host_nonce: &[u8; 16], device_nonce: &[u8; 16]) {
        self.nonces = host_nonce.iter().chain(device_nonce).fold(7, |n, byte| mix(n ^ u64::from(*byte)));
    }

    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
        self.mask(context, frame);
        tag.copy_from_slice(&self.tag(context, frame));
    }

    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
        let right = self.tag(context, frame) == *tag;
        if right {
            self.mask(context, frame);
        }
        right
    }

    fn begin(&mut self, role: Role) {
        self.role = role;
        self.sessions += 1;
        self.share = mix(u64::from(self.name) << 32 | u64::from(self.sessions));
        (self.sent, self.taken, self.key, self.peer) = (0, 0, 0, [0]);
        self.computes.set(0);
    }

    fn progress(&self) -> Progress {
        if self.computes.get() > 0 {
            self.computes.set(self.computes.get() - 1);
            return Progress::Pending;
        }
        let done = (self.sent, self.taken) == self.wanted();
        if done { Progress::Ready } else { Progress::Records }
    }

    fn next_record(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.computes.get() > 0 || !self.is_its_turn() {
            return None;
        }
        self.sent += 1;
        let record = [&[GREETING, self.sent as u8, self.name][..], &self.share.to_be_bytes()].concat();
        out.get_mut(..record.len())?.copy_from_slice(&record);
        Some(record.len())
    }

    fn take_record(&mut self, record: &[u8]) -> Result<(), u32> {
        let [GREETING, number, name, share @ ..] = record else { return Err(REFUSED) };
        let share = share.try_into().map(u64::from_be_bytes).map_err(|_| REFUSED)?;
        if u32::from(*number) != self.taken + 1 || self.is_its_turn() || self.taken >= self.wanted().1 {
            return Err(REFUSED);
        }
        self.taken += 1;
        self.peer = [*name];
        self.key = mix(self.share ^ share);
        self.computes.set(self.pending);
        Ok(())
    }

    fn peer(&self) -> &[u8] {
        &self.peer
    }

    fn crc_failed(&mut self) {
        self.crc_failures.set(self.crc_failures.get() + 1);
    }
}
