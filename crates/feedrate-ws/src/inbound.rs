//! Frames, one behind the other, whichever way their payload leaves: what both kinds of [`Receiver`](crate::Receiver) are made of.
//!
//! ```text
//!  input ──► header ──► payload ──┬─► whole in `input`, or handed out in pieces ─► unmasked there, lent from there
//!            (frame.rs)           └─► else ─► storage: append, unmask, validate ─► lent from the storage
//! ```

use feedrate::Storage;

use crate::error::Violation;
use crate::frame::{Expected, HEADER, Header, Opcode};
use crate::input::Sealed as Input;
use crate::mask;
use crate::message::Kind;
use crate::receiver::Role;
use crate::utf8::Utf8;

/// Bytes that are unmasked and validated together, while they are in the nearest cache.
pub(crate) const BLOCK: usize = 4096;

type Found = Result<Option<(What, Place)>, Violation>;

pub(crate) struct Inbound<S> {
    /// A message so far, and behind it a control frame's payload so far.
    pub(crate) storage: S,
    /// The longest message.
    pub(crate) limit: u64,
    /// Bytes of the stream that have been taken.
    position: u64,
    /// Where in the stream the frame begins.
    frame_at: u64,
    /// Bytes of the frame's payload that have not been taken.
    remaining: u64,
    /// Bytes in the storage that outlast what has been lent from it.
    keep: usize,
    /// A header that came in pieces.
    spill: [u8; HEADER],
    spilled: u8,
    /// The key for the next byte of the payload.
    key: Option<[u8; 4]>,
    /// The message so far, decompressed.
    pub(crate) text: Checked,
    /// The frame whose payload comes next.
    frame: Option<Opcode>,
    fin: bool,
    /// The message that has begun.
    message: Option<Kind>,
    /// It is compressed.
    compressed: bool,
    /// No piece of it has been handed out, and none stored.
    fresh: bool,
    /// The storage's last bytes have been lent, and are forgotten at the next call.
    lent: bool,
    /// A frame that is whole in the input can be lent from there without looking at anything else.
    quick: bool,
    /// The peer's close frame has come, or a violation: nothing that follows counts.
    done: bool,
    pub(crate) role: Role,
    /// Messages of the other kind are refused.
    pub(crate) only: Option<Kind>,
    #[cfg(feature = "deflate")]
    pub(crate) inflate: Option<crate::deflate::Inflater>,
}

/// Where a payload, or a piece of one, is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// So many bytes at the front of the input, under this key.
    Input(usize, Option<[u8; 4]>),
    /// In the storage, from here on. Unmasked, and text has been validated.
    Stored(usize),
}

/// What it is.
#[derive(Clone, Copy)]
pub(crate) enum What {
    Control(Opcode),
    Data { kind: Kind, first: bool, last: bool },
}

/// A frame of a whole message at the front of the input.
pub(crate) struct Glance {
    pub(crate) kind: Kind,
    pub(crate) header: usize,
    pub(crate) length: usize,
    pub(crate) key: Option<[u8; 4]>,
}

impl<S: Storage> Inbound<S> {
    pub(crate) const fn new(role: Role, storage: S) -> Self {
        Self {
            storage,
            limit: u64::MAX,
            position: 0,
            frame_at: 0,
            remaining: 0,
            keep: 0,
            spill: [0; HEADER],
            spilled: 0,
            key: None,
            text: Checked::new(false),
            frame: None,
            fin: false,
            message: None,
            compressed: false,
            fresh: true,
            lent: false,
            quick: true,
            done: false,
            role,
            only: None,
            #[cfg(feature = "deflate")]
            inflate: None,
        }
    }

    /// The common case, in a few instructions: a whole, uncompressed message at the front of `bytes`, between two messages.
    #[inline(always)]
    pub(crate) fn glance(&mut self, bytes: &[u8]) -> Option<Glance> {
        let [first, second, length @ ..] = bytes else { return None };
        if !self.quick {
            return None;
        }
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        let mask = match self.role {
            Role::Server => 0x80,
            Role::Client => 0,
        };
        let (length, key, header) = match second ^ mask {
            short @ ..=125 => (u64::from(short), length, 2_usize),
            126 => {
                let (bytes, key) = length.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*bytes)), key, 4)
            }
            _ => return None,
        };
        let short = header == 4 && length < 126;
        if length > self.limit || short || self.only.is_some_and(|only| only != kind) {
            return None;
        }
        let (key, payload, header) = match self.role {
            Role::Server => {
                let (key, payload) = key.split_first_chunk()?;
                (Some(*key), payload, header.saturating_add(4))
            }
            Role::Client => (None, key, header),
        };
        let length = usize::try_from(length).ok().filter(|n| *n <= payload.len())?;
        self.frame_at = self.position;
        let whole = header.saturating_add(length);
        self.position = self.position.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        Some(Glance { kind, header, length, key })
    }

    /// Goes on to the next payload, or piece of one, that can be handed out. `None`: the input is empty.
    pub(crate) fn step<'i, I: Input<'i>>(&mut self, input: &mut I, whole: bool) -> Found {
        self.forget();
        if self.done {
            self.take(input, usize::MAX);
            return Ok(None);
        }
        loop {
            let opcode = match self.frame {
                Some(opcode) => opcode,
                None => match self.header(input)? {
                    Some(opcode) => opcode,
                    None => return Ok(None),
                },
            };
            let here = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(input.bytes().len());
            if here == 0 && self.remaining > 0 && !self.is_pending() {
                return Ok(None);
            }
            let found = match self.message {
                _ if opcode.is_control() => self.control(input, opcode, here),
                #[cfg(feature = "deflate")]
                Some(kind) if self.compressed => self.inflated(input, kind, here, whole),
                Some(kind) if whole => self.collected(input, kind, here),
                Some(kind) => self.passed(input, kind, here),
                // A data frame without a message: its header has been refused.
                None => return Ok(None),
            }?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Whether more of a compressed message will come without more bytes.
    fn is_pending(&self) -> bool {
        #[cfg(feature = "deflate")]
        return self.compressed && self.inflate.as_ref().is_some_and(|inflate| inflate.is_pending());
        #[cfg(not(feature = "deflate"))]
        false
    }

    /// Whether a frame's payload, or a message, has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        !self.done && (self.spilled > 0 || self.frame.is_some() || self.message.is_some())
    }

    /// Whether the peer's last frame has come.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Unmasks a piece where it lies, and validates it while it is in the cache.
    pub(crate) fn unmask_and_check<'i, I: Input<'i>>(
        &mut self,
        piece: I,
        key: Option<[u8; 4]>,
        last: bool,
    ) -> Result<&'i [u8], Violation> {
        let piece = piece.lend_checked(key, |block| self.text.feed(block))?;
        if last {
            self.text.end()?;
        }
        Ok(piece)
    }

    pub(crate) const fn frame_at(&self) -> u64 {
        self.frame_at
    }

    /// Nothing that follows counts.
    pub(crate) fn finish(&mut self) {
        (self.done, self.quick) = (true, false);
    }

    /// Gives memory back to the heap, as far as nothing is held in it.
    pub(crate) fn release(&mut self) {
        self.forget();
        // What had begun when the last event came will not end.
        if self.done || self.storage.held().is_empty() {
            self.storage.clear();
            self.storage.release();
        }
        #[cfg(feature = "deflate")]
        if let (Some(inflate), None) = (&mut self.inflate, self.message) {
            inflate.release();
        }
    }

    fn forget(&mut self) {
        if self.lent {
            self.lent = false;
            if self.keep == 0 {
                self.storage.clear()
            } else {
                self.storage.truncate(self.keep)
            }
            self.settle();
        }
    }

    /// Between two messages, with nothing held, the next can be [lent at once](Self::glance).
    fn settle(&mut self) {
        self.quick =
            !self.done && !self.lent && self.frame.is_none() && self.message.is_none() && self.spilled == 0;
    }

    fn take<'i, I: Input<'i>>(&mut self, input: &mut I, n: usize) -> I {
        let n = n.min(input.bytes().len());
        self.position = self.position.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        input.take(n)
    }

    /// Reads a header, from the input or across its end, and begins its frame.
    fn header<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<Option<Opcode>, Violation> {
        if self.spilled == 0 {
            self.frame_at = self.position;
        }
        let header = loop {
            let spilled = usize::from(self.spilled);
            if spilled == 0 {
                if let Some((header, n)) = Header::parse_expecting(input.bytes(), &self.expected())? {
                    self.take(input, n);
                    break header;
                }
            }
            if input.bytes().is_empty() {
                self.settle();
                return Ok(None);
            }
            let byte = self.take(input, 1);
            if let (Some(to), Some(from)) = (self.spill.get_mut(spilled), byte.bytes().first()) {
                *to = *from;
            }
            self.spilled = self.spilled.saturating_add(1);
            let bytes = self.spill.get(..=spilled).unwrap_or_default();
            if let Some((header, _)) = Header::parse_expecting(bytes, &self.expected())? {
                self.spilled = 0;
                break header;
            }
        };
        self.begin(&header)?;
        Ok(Some(header.opcode))
    }

    fn expected(&self) -> Expected {
        Expected {
            #[cfg(feature = "deflate")]
            compressed: self.inflate.is_some(),
            #[cfg(not(feature = "deflate"))]
            compressed: false,
            masked: Some(self.role == Role::Server),
            in_message: Some(self.message.is_some()),
            only: self.only,
        }
    }

    fn begin(&mut self, header: &Header) -> Result<(), Violation> {
        let kind = Kind::of(header.opcode);
        if kind.is_some() {
            (self.message, self.compressed) = (kind, header.rsv1);
            (self.fresh, self.text) = (true, Checked::new(kind == Some(Kind::Text)));
        }
        if header.opcode.is_control() {
            self.keep = self.storage.held().len();
        } else {
            self.fin = header.fin;
            let length = self.text.length.saturating_add(header.length);
            // What a compressed message's length will be, its header does not say.
            if !self.compressed && length > self.limit {
                return Err(Violation::TooLong { length, limit: self.limit });
            }
        }
        self.frame = Some(header.opcode);
        (self.key, self.remaining, self.quick) = (header.mask, header.length, false);
        Ok(())
    }

    /// `n` bytes of the payload are done with.
    fn consumed(&mut self, n: usize) {
        self.remaining = self.remaining.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        if self.remaining == 0 {
            self.frame = None;
        }
    }

    fn is_rest(&self, n: usize) -> bool {
        u64::try_from(n) == Ok(self.remaining)
    }

    /// `n` bytes at the front of the input leave from there.
    fn lend(&mut self, n: usize) -> Place {
        let place = Place::Input(n, self.key);
        self.key = self.key.map(|key| mask::advance(key, n));
        self.position = self.position.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        self.consumed(n);
        self.settle();
        place
    }

    /// What the storage holds from `at` on leaves from there.
    fn lend_stored(&mut self, at: usize) -> Place {
        (self.keep, self.lent) = (at, true);
        Place::Stored(at)
    }

    /// Moves `n` bytes from the input to the storage, and unmasks them there. Data is validated while it is in the cache.
    fn store<'i, I: Input<'i>>(&mut self, input: &mut I, n: usize, data: bool) -> Result<(), Violation> {
        let piece = self.take(input, n);
        for block in piece.bytes().chunks(BLOCK) {
            let at = self.storage.held().len();
            self.storage.append(block).map_err(|_| Violation::Memory)?;
            let stored = self.storage.held_mut().get_mut(at..).unwrap_or_default();
            if let Some(key) = &mut self.key {
                mask::apply(stored, *key);
                *key = mask::advance(*key, block.len());
            }
            if data {
                self.text.feed(stored)?;
            }
        }
        self.consumed(n);
        Ok(())
    }

    fn control<'i, I: Input<'i>>(&mut self, input: &mut I, opcode: Opcode, here: usize) -> Found {
        let at = self.keep;
        let untouched = self.storage.held().len() == at;
        if untouched && self.is_rest(here) && (I::MUTABLE || self.key.is_none()) {
            return Ok(Some((What::Control(opcode), self.lend(here))));
        }
        self.store(input, here, false)?;
        Ok((self.remaining == 0).then(|| (What::Control(opcode), self.lend_stored(at))))
    }

    /// Some of a message that is to be whole.
    fn collected<'i, I: Input<'i>>(&mut self, input: &mut I, kind: Kind, here: usize) -> Found {
        let last = self.fin && self.is_rest(here);
        let first = core::mem::replace(&mut self.fresh, false);
        if first && last && (I::MUTABLE || self.key.is_none()) {
            self.message = None;
            return Ok(Some((What::Data { kind, first, last }, self.lend(here))));
        }
        self.store(input, here, true)?;
        if !last {
            return Ok(None);
        }
        self.end()?;
        Ok(Some((What::Data { kind, first, last }, self.lend_stored(0))))
    }

    /// Some of a message that is handed out in pieces.
    fn passed<'i, I: Input<'i>>(&mut self, input: &mut I, kind: Kind, here: usize) -> Found {
        let mutable = I::MUTABLE || self.key.is_none();
        let n = if mutable { here } else { here.min(self.storage.limit().max(1)) };
        let last = self.fin && self.is_rest(n);
        if n == 0 && !last {
            self.consumed(0);
            return Ok(None);
        }
        let first = core::mem::replace(&mut self.fresh, false);
        let what = What::Data { kind, first, last };
        if mutable {
            if last {
                self.message = None;
            }
            return Ok(Some((what, self.lend(n))));
        }
        self.store(input, n, true)?;
        if last {
            self.end()?;
        }
        Ok(Some((what, self.lend_stored(0))))
    }

    /// Some of a compressed message.
    #[cfg(feature = "deflate")]
    fn inflated<'i, I: Input<'i>>(&mut self, input: &mut I, kind: Kind, here: usize, whole: bool) -> Found {
        let (mut block, mut out) = ([0; 1024], [0; BLOCK]);
        let n = here.min(block.len());
        let compressed = block.get_mut(..n).unwrap_or_default();
        compressed.iter_mut().zip(input.bytes()).for_each(|(to, from)| *to = *from);
        if let Some(key) = self.key {
            mask::apply(compressed, key);
        }
        let room = if whole { BLOCK } else { self.storage.limit().clamp(1, BLOCK) };
        let out = out.get_mut(..room).unwrap_or_default();
        let ends = self.fin && self.is_rest(n);
        let Some(inflater) = &mut self.inflate else { return Err(Violation::Deflate) };
        let run = inflater.run(compressed, ends, out);
        self.key = self.key.map(|key| mask::advance(key, run.consumed));
        self.take(input, run.consumed);
        self.remaining = self.remaining.saturating_sub(u64::try_from(run.consumed).unwrap_or(u64::MAX));
        // What came out before something went wrong counts before it.
        let all = out.get(..run.produced).unwrap_or_default();
        let most = usize::try_from(self.limit.saturating_sub(self.text.length)).unwrap_or(usize::MAX);
        let out = all.get(..most).unwrap_or(all);
        self.text.feed(out)?;
        if out.len() < all.len() {
            return Err(Violation::TooLong { length: self.limit.saturating_add(1), limit: self.limit });
        }
        let done = run.state.map_err(|_| Violation::Deflate)?;
        self.storage.append(out).map_err(|_| Violation::Memory)?;
        if done || (self.remaining == 0 && !self.fin && !self.is_pending()) {
            self.frame = None;
        }
        if done {
            self.end()?;
        }
        if done || (!whole && !out.is_empty()) {
            let first = core::mem::replace(&mut self.fresh, false);
            return Ok(Some((What::Data { kind, first, last: done }, self.lend_stored(0))));
        }
        Ok(None)
    }

    /// The message ends.
    fn end(&mut self) -> Result<(), Violation> {
        self.message = None;
        self.text.end()
    }
}

/// What is known of a message's bytes so far.
pub(crate) struct Checked {
    /// They have to be UTF-8.
    text: bool,
    utf8: Utf8,
    length: u64,
}

impl Checked {
    const fn new(text: bool) -> Self {
        Self { text, utf8: Utf8::new(), length: 0 }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let at = self.length;
        self.length = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if !self.text {
            return Ok(());
        }
        let bad = |n| Violation::Utf8 { at: at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX)) };
        self.utf8.feed(bytes).map_err(bad)
    }

    pub(crate) const fn end(&self) -> Result<(), Violation> {
        if self.utf8.is_whole() { Ok(()) } else { Err(Violation::Utf8 { at: self.length }) }
    }
}
