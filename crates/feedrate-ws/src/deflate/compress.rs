//! A message's payload, compressed: RFC 7692, section 7.2.1.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateFlush, Status};

use super::decompress::TAIL;

pub(crate) struct Deflater {
    /// From the first compressed message on.
    state: Option<Box<Deflate>>,
    /// The compressed message, until it is queued. Kept for the next.
    out: Vec<u8>,
    window_bits: u8,
    level: u8,
    /// Each message begins with an empty window.
    no_context: bool,
    /// Shorter messages go as they are.
    threshold: usize,
    /// The message of pieces that has begun is compressed.
    begun: bool,
    /// The piece in `out` is the message's first.
    first: bool,
    /// It is the message's last.
    last: bool,
}

/// Memory that is kept from one message to the next.
const KEPT: usize = 128 * 1024;
/// What the output grows by.
const STEP: usize = 4096;

impl Deflater {
    pub(crate) const fn new(window_bits: u8, level: u8, no_context: bool, threshold: usize) -> Self {
        Self {
            state: None,
            out: Vec::new(),
            window_bits,
            level,
            no_context,
            threshold,
            begun: false,
            first: true,
            last: true,
        }
    }

    /// A message, or a piece of one, compressed. `None`: it goes as it is.
    pub(crate) fn compress(&mut self, bytes: &[u8], first: bool, last: bool) -> Option<&[u8]> {
        // Of a message of pieces nobody knows how long it will be.
        let compressed = if first { !last || bytes.len() >= self.threshold } else { self.begun };
        if !compressed {
            return None;
        }
        (self.begun, self.first, self.last) = (true, first, last);
        let (level, bits) = (i32::from(self.level), self.window_bits);
        let state = self.state.get_or_insert_with(|| Box::new(Deflate::new(level, false, bits)));
        self.out.clear();
        let mut rest = bytes;
        let mut length = 0_usize;
        loop {
            self.out.resize(length.saturating_add(STEP), 0);
            let before = (state.total_in(), state.total_out());
            let room = self.out.get_mut(length..).unwrap_or_default();
            let result = state.compress(rest, room, DeflateFlush::SyncFlush);
            let taken = usize::try_from(state.total_in().saturating_sub(before.0)).unwrap_or(0);
            let made = usize::try_from(state.total_out().saturating_sub(before.1)).unwrap_or(0);
            rest = rest.get(taken..).unwrap_or_default();
            length = length.saturating_add(made);
            match result {
                Ok(Status::Ok) if made == STEP => {}
                Ok(Status::BufError) if made == STEP => {}
                Ok(_) if rest.is_empty() => break,
                Ok(_) if made > 0 || taken > 0 => {}
                Ok(_) | Err(_) => {
                    self.state = None;
                    return None;
                }
            }
        }
        self.out.truncate(length);
        if last {
            match self.out.strip_suffix(&TAIL) {
                Some(stripped) => {
                    let stripped = stripped.len();
                    self.out.truncate(stripped);
                }
                // Nothing was left to be flushed: an empty block, without its tail (section 7.2.3.6).
                None => self.out.push(0),
            }
        }
        Some(&self.out)
    }

    /// Whether what [`compress`](Self::compress) made has been queued.
    pub(crate) fn sent(&mut self, queued: bool) {
        let ends = queued && self.last;
        if !queued || (ends && self.no_context) {
            // What the peer has not seen must not be referred to.
            if let Some(state) = &mut self.state {
                state.reset();
            }
        }
        // A message whose first piece was refused has not begun.
        if ends || (self.first && !queued) {
            self.begun = false;
        }
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
    }

    /// Gives the memory back. The next message begins with an empty window, which is always allowed.
    pub(crate) fn release(&mut self) {
        if !self.begun {
            (self.state, self.out) = (None, Vec::new());
        }
    }
}
