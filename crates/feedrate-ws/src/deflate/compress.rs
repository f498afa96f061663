//! Compresses messages: RFC 7692, section 7.2.1.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{Deflate, DeflateFlush};

use super::decompress::TAIL;

pub(crate) struct Deflater {
    /// Allocated with the first compressed message.
    state: Option<Box<State>>,
    /// Shorter messages are not compressed.
    threshold: u32,
    window_bits: u8,
    level: u8,
    /// Each message begins with an empty window.
    no_context: bool,
    /// The current message in pieces is compressed.
    begun: bool,
    /// The piece in `out` is the first of its message.
    first: bool,
    /// It is the last of its message.
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

    /// Whether a message, or a piece of one, is to be compressed.
    pub(crate) fn wants(&self, bytes: &[u8], first: bool, last: bool) -> bool {
        // The length of a message in pieces is unknown.
        let long = usize::try_from(self.threshold).is_ok_and(|threshold| bytes.len() >= threshold);
        if first { !last || long } else { self.begun }
    }

    /// The largest size after compression. `whole`: not a piece, so that it can go uncompressed instead.
    pub(crate) fn longest(bytes: &[u8], whole: bool) -> usize {
        if whole { bytes.len() } else { stored(bytes.len()) }
    }

    /// Compresses what is [wanted](Self::wants) into at most `most` bytes, which must not be less than
    /// [`longest`](Self::longest). `None`: it goes uncompressed.
    pub(crate) fn compress(&mut self, bytes: &[u8], first: bool, last: bool, most: usize) -> Option<&[u8]> {
        #[cfg(test)]
        COMPRESSED.set(COMPRESSED.get().saturating_add(bytes.len()));
        (self.begun, self.first, self.last) = (true, first, last);
        let (level, bits) = (i32::from(self.level), self.window_bits);
        let state = self.state.get_or_insert_with(|| {
            Box::new(State { deflate: Deflate::new(level, false, bits), out: Vec::new() })
        });
        if !state.run(bytes, last, most) {
            // The peer will not see this data, so later data must not refer to it.
            state.deflate.reset();
            if first && last {
                self.begun = false;
                return None;
            }
            state.store(bytes, last);
        }
        Some(&state.out)
    }

    /// Reports whether the result of [`compress`](Self::compress) has been queued.
    pub(crate) fn sent(&mut self, queued: bool) {
        let ends = queued && self.last;
        if let Some(state) = &mut self.state {
            // Later data must not refer to what the peer has not seen.
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
    /// Compresses all of a message, or of a piece of one. `false`: it takes more than `most` bytes.
    fn run(&mut self, bytes: &[u8], last: bool, most: usize) -> bool {
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
            // If room is left over, everything has come out.
            if rest.is_empty() && made < STEP {
                break;
            }
            if result.is_err() || (made == 0 && taken == 0) || length > most.saturating_add(TAIL.len()) {
                return false;
            }
        }
        out.truncate(length);
        if last {
            match out.strip_suffix(&TAIL).map(<[u8]>::len) {
                Some(stripped) => out.truncate(stripped),
                // There was nothing to flush: an empty block, without its tail (section 7.2.3.6).
                None => out.push(0),
            }
        }
        out.len() <= most
    }

    /// Puts it into uncompressed blocks (RFC 1951, section 3.2.4), which need no window.
    fn store(&mut self, bytes: &[u8], last: bool) {
        self.out.clear();
        for block in bytes.chunks(BLOCK) {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.out.push(0);
            self.out.extend(length.to_le_bytes());
            self.out.extend((!length).to_le_bytes());
            self.out.extend(block);
        }
        if last {
            // An empty block, without its tail.
            self.out.push(0);
        }
    }
}

/// The longest block that is stored: RFC 1951, section 3.2.4.
const BLOCK: usize = 65_535;

/// The largest size that [`State::store`] makes of `length` bytes.
const fn stored(length: usize) -> usize {
    let blocks = (length / BLOCK).saturating_add(1);
    length.saturating_add(blocks.saturating_mul(5)).saturating_add(1)
}

#[cfg(test)]
std::thread_local! {
    /// Bytes that were given to the compressor.
    pub(crate) static COMPRESSED: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::{Config, Inflater, Offer};
    use crate::message::Piece;
    use crate::role::Role;
    use crate::sender::{SendError, Sender};
    use feedrate::Grow;
    use std::vec;

    fn sender(limit: usize) -> Sender<Grow> {
        let agreed = Config::new().threshold(0).accept(&Offer::new());
        Sender::server(Grow::new(limit + 524)).deflate(Some(agreed))
    }

    /// A peer that does not read causes no compression work: not for whole messages, in either way of sending them, and
    /// not for pieces, the first or a later one.
    #[test]
    fn what_is_refused_is_not_compressed() {
        let long = vec![b'a'; 1 << 20];
        type Send = fn(&mut Sender<Grow>, &[u8]) -> Result<(), SendError>;
        let whole: Send = |sender, bytes| sender.binary(bytes);
        let vectored: Send = |sender, bytes| sender.send_vectored(bytes, |_| 0);
        let piece: Send = |sender, bytes| sender.piece(Piece::binary(bytes, false));
        let end: Send = |sender, bytes| sender.piece(Piece::binary(bytes, true));
        for (send, begun) in [(whole, false), (vectored, false), (piece, false), (piece, true), (end, true)] {
            for limit in [2 << 20, 1 << 10] {
                let mut sender = sender(limit);
                // What a peer has not taken: noise, so that compression does not shorten it.
                let mut seed = 1_u64;
                let noise = (0..limit.min(1 << 20)).map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    seed.to_be_bytes()[0]
                });
                let filling: Vec<u8> = noise.collect();
                let filling = &filling[..filling.len() - 100];
                sender.piece(Piece::binary(filling, !begun)).unwrap();
                let before = sender.queued();
                COMPRESSED.set(0);
                for _ in 0..20 {
                    let (full, too_long) = match send(&mut sender, &long).unwrap_err() {
                        SendError::Full { needed, free } => (free < needed, false),
                        SendError::TooLong { needed, limit: most } => (false, most < needed && most == limit),
                        _ => (false, false),
                    };
                    assert_eq!((full, too_long), (limit > 1 << 20, limit < 1 << 20));
                }
                assert_eq!((COMPRESSED.get(), sender.queued()), (0, before));
                // Once it has been taken, there is room, and the message is compressed, once.
                sender.transmitted(sender.queued());
                if limit > 1 << 20 {
                    send(&mut sender, &long).unwrap();
                    assert_eq!(COMPRESSED.get(), long.len());
                    assert!(sender.queued() < 10_000);
                }
            }
        }
    }

    #[test]
    fn stored_blocks_are_no_longer_than_was_said() {
        let agreed = Config::new().threshold(0).accept(&Offer::new());
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 200_000] {
            for last in [false, true] {
                let bytes = vec![7; length];
                let mut deflater = agreed.deflater(Role::Server);
                // Nothing fits into zero bytes.
                let out = deflater.compress(&bytes, false, last, 0).map(<[u8]>::to_vec).unwrap();
                assert!(out.len() <= Deflater::longest(&bytes, false), "{length}: {}", out.len());
                assert!(out.len() >= length);
                let (mut found, mut fed, mut block) = (Vec::new(), 0, [0; 1000]);
                let mut inflater = Inflater::new();
                let ended = loop {
                    let window = agreed.window(Role::Client);
                    let run = inflater.run(window, &out[fed..], last, None, &mut block);
                    found.extend_from_slice(&block[..run.produced]);
                    fed += run.consumed;
                    if run.state != Ok(false) || (run.produced == 0 && run.consumed == 0) {
                        break run.state;
                    }
                };
                assert_eq!((ended, found == bytes), (Ok(last), true), "{length}");
            }
        }
    }

    /// A message that went uncompressed leaves nothing begun, and nothing that has to be kept.
    #[test]
    fn what_goes_as_it_is_has_not_begun() {
        let mut deflater = Config::new().accept(&Offer::new()).deflater(Role::Server);
        assert_eq!(deflater.compress(&[1; 1000], true, true, 0), None);
        assert!(!deflater.wants(b"", false, true));
        deflater.release();
        assert!(deflater.state.is_none());
    }
}
