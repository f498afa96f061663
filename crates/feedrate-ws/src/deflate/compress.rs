//! A message's payload, compressed: RFC 7692, section 7.2.1.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateFlush};

use super::decompress::TAIL;

pub(crate) struct Deflater {
    /// From the first compressed message on.
    state: Option<Box<State>>,
    /// Shorter messages go as they are.
    threshold: u32,
    window_bits: u8,
    level: u8,
    /// Each message begins with an empty window.
    no_context: bool,
    /// The message of pieces that has begun is compressed.
    begun: bool,
    /// The piece in `out` is the message's first.
    first: bool,
    /// It is the message's last.
    last: bool,
}

struct State {
    deflate: Deflate,
    /// The compressed message, until it is queued. Kept for the next.
    out: Vec<u8>,
}

/// Memory that is kept from one message to the next.
const KEPT: usize = 128 * 1024;
/// What the output grows by.
const STEP: usize = 4096;

impl Deflater {
    pub(crate) const fn new(window_bits: u8, level: u8, no_context: bool, threshold: u32) -> Self {
        Self { state: None, threshold, window_bits, level, no_context, begun: false, first: true, last: true }
    }

    /// A message, or a piece of one, compressed. `None`: it goes as it is.
    pub(crate) fn compress(&mut self, bytes: &[u8], first: bool, last: bool) -> Option<&[u8]> {
        // Of a message of pieces nobody knows how long it will be.
        let long = usize::try_from(self.threshold).is_ok_and(|threshold| bytes.len() >= threshold);
        let compressed = if first { !last || long } else { self.begun };
        if !compressed {
            return None;
        }
        (self.begun, self.first, self.last) = (true, first, last);
        let (level, bits) = (i32::from(self.level), self.window_bits);
        let state = self.state.get_or_insert_with(|| {
            Box::new(State { deflate: Deflate::new(level, false, bits), out: Vec::new() })
        });
        if !state.run(bytes, last) {
            // It is broken, and a new one will begin with an empty window.
            self.state = None;
        }
        self.state.as_ref().map(|state| state.out.as_slice())
    }

    /// Whether what [`compress`](Self::compress) made has been queued.
    pub(crate) fn sent(&mut self, queued: bool) {
        let ends = queued && self.last;
        if let Some(state) = &mut self.state {
            // What the peer has not seen must not be referred to.
            if !queued || (ends && self.no_context) {
                state.deflate.reset();
            }
            if state.out.capacity() > KEPT {
                state.out = Vec::new();
            }
        }
        // A message whose first piece was refused has not begun.
        if ends || (self.first && !queued) {
            self.begun = false;
        }
    }

    /// Gives the memory back. The next message begins with an empty window, which is always allowed.
    pub(crate) fn release(&mut self) {
        if !self.begun {
            self.state = None;
        }
    }
}

impl State {
    /// Compresses a message, or a piece of one, all of it.
    fn run(&mut self, bytes: &[u8], last: bool) -> bool {
        let Self { deflate, out } = self;
        out.clear();
        let (mut rest, mut length) = (bytes, 0_usize);
        loop {
            out.resize(length.saturating_add(STEP), 0);
            let before = (deflate.total_in(), deflate.total_out());
            let room = out.get_mut(length..).unwrap_or_default();
            let result = deflate.compress(rest, room, DeflateFlush::SyncFlush);
            let taken = usize::try_from(deflate.total_in().saturating_sub(before.0)).unwrap_or(0);
            let made = usize::try_from(deflate.total_out().saturating_sub(before.1)).unwrap_or(0);
            rest = rest.get(taken..).unwrap_or_default();
            length = length.saturating_add(made);
            // With room left over, all has come out.
            if rest.is_empty() && made < STEP {
                break;
            }
            if result.is_err() || (made == 0 && taken == 0) {
                return false;
            }
        }
        out.truncate(length);
        if last {
            match out.strip_suffix(&TAIL).map(<[u8]>::len) {
                Some(stripped) => out.truncate(stripped),
                // Nothing was left to be flushed: an empty block, without its tail (section 7.2.3.6).
                None => out.push(0),
            }
        }
        true
    }
}
