//! Unmasking alone, of those that let it be called alone.
//!
//! tungstenite's, tokio-websockets' and embedded-websocket's functions are private to them: what they take
//! shows in how much longer a server's stream takes them than a client's.

use super::end::KEY;

/// Where a short client's frame's payload lies if the frame begins with a line: behind two bytes and the key.
const OFFSET: usize = 6;
const LINE: usize = 64;

pub type Unmask = fn(&mut [u8], [u8; 4]);

/// The first is what the others are compared with.
pub const CONTENDERS: [(&str, Unmask); 3] =
    [("feedrate", feedrate_ws::mask::apply), ("by hand", by_hand), ("fastwebsockets", fastwebsockets)];

/// The least that can be done in safe code for any processor: eight bytes at once, wherever they lie.
#[inline(never)]
pub fn by_hand(payload: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
}

#[inline(never)]
pub fn fastwebsockets(payload: &mut [u8], key: [u8; 4]) {
    ::fastwebsockets::unmask(payload, key);
}

/// Payloads of one size, each behind the start of a line by as much as a frame's header takes.
#[derive(Debug)]
pub struct Payloads {
    memory: Vec<u8>,
    /// Of the first line in `memory`.
    line: usize,
    size: usize,
    count: usize,
}

impl Payloads {
    /// As many as fit into `room` bytes, one at least.
    pub fn new(size: usize, room: usize) -> Self {
        let count = (room / Self::stride(size)).max(1);
        // Written to, so that all of it is there.
        let memory = vec![0x55; count * Self::stride(size) + LINE];
        let line = memory.as_ptr().align_offset(LINE);
        Self { memory, line, size, count }
    }

    fn stride(size: usize) -> usize {
        (OFFSET + size).next_multiple_of(LINE)
    }

    /// Of payload in all.
    pub fn bytes(&self) -> usize {
        self.size * self.count
    }

    pub fn pass(&mut self, unmask: Unmask) {
        let stride = Self::stride(self.size);
        for frame in self.memory[self.line..].chunks_exact_mut(stride).take(self.count) {
            unmask(&mut frame[OFFSET..][..self.size], KEY);
        }
    }

    pub fn first(&self) -> &[u8] {
        &self.memory[self.line + OFFSET..][..self.size]
    }
}
