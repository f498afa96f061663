//! The message that is put together from frames, and the state of the current frame.
//!
//! ```text
//! input ─► Decoder<Frames> ─► part ─┬─► whole in `input`, or in pieces ─► unmasked there, lent from there
//!          (frames/)                └─► else ─► storage: append, unmask, validate ─► lent from there
//! ```

use feedrate::Storage;

#[cfg(feature = "deflate")]
use crate::deflate::{Inflater, Window};
use crate::error::Violation;
use crate::frames::Look;
use crate::header::Header;
use crate::mask;
use crate::opcode::{CONTROL, Kind, Opcode};
use crate::part::{Part, Payload};
use crate::utf8::Utf8;

/// Bytes that are unmasked and validated together, while they are in the nearest cache.
pub(crate) const BLOCK: usize = 4096;

/// The state of assembly. The fields are ordered without gaps, because there may be many idle connections.
pub(crate) struct Assembly<S> {
    /// The message so far, followed by a control frame's payload so far.
    pub(crate) storage: S,
    /// The longest message. `u64::MAX`: any, or, for messages that are put together, what the storage's limit allows.
    pub(crate) limit: u64,
    /// Bytes of the message so far, decompressed.
    length: u64,
    /// Where in the stream the current frame begins.
    pub(crate) frame_at: u64,
    /// Where the next frame begins.
    frame_end: u64,
    #[cfg(feature = "deflate")]
    pub(crate) inflater: Inflater,
    utf8: Utf8,
    frame: Current,
    message: Begun,
    next: Next,
    #[cfg(feature = "deflate")]
    pub(crate) window: Window,
}

/// The frame whose payload comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Current {
    /// None: a header comes next.
    Header,
    Data,
    Control(Opcode),
    /// Everything that follows is ignored, after the peer's close frame or a violation.
    Over,
}

/// The message that has begun and not ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    No,
    Text,
    Binary,
    CompressedText,
    CompressedBinary,
}

/// How to go on. One byte, as idle connections are many.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Next(u8);

impl Next {
    /// Step by step.
    const SLOW: Self = Self(0);
    /// A frame that is whole in the input can be lent from there without looking at anything else.
    const QUICK: Self = Self(1);
    const CLOSE: Self = Self(2);
    const PING: Self = Self(3);
    const PONG: Self = Self(4);
    const DATA: u8 = 8;
    const TEXT: u8 = 1;
    const FIRST: u8 = 2;
    const LAST: u8 = 4;

    /// With what the storage holds.
    const fn found(what: What) -> Self {
        match what {
            What::Control(Opcode::Close) => Self::CLOSE,
            What::Control(Opcode::Ping) => Self::PING,
            What::Control(_) => Self::PONG,
            What::Data { kind, first, last } => {
                let text = if matches!(kind, Kind::Text) { Self::TEXT } else { 0 };
                let first = if first { Self::FIRST } else { 0 };
                Self(Self::DATA | text | first | if last { Self::LAST } else { 0 })
            }
        }
    }

    /// What the storage holds.
    const fn what(self) -> Option<What> {
        Some(match self {
            Self::SLOW | Self::QUICK => return None,
            Self::CLOSE => What::Control(Opcode::Close),
            Self::PING => What::Control(Opcode::Ping),
            Self::PONG => What::Control(Opcode::Pong),
            Self(bits) => {
                let kind = if bits & Self::TEXT != 0 { Kind::Text } else { Kind::Binary };
                What::Data { kind, first: bits & Self::FIRST != 0, last: bits & Self::LAST != 0 }
            }
        })
    }
}

/// What there is to be handed out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Control(Opcode),
    Data { kind: Kind, first: bool, last: bool },
}

impl<S: Storage> Assembly<S> {
    pub(crate) const fn new(storage: S) -> Self {
        Self {
            storage,
            limit: u64::MAX,
            length: 0,
            frame_at: 0,
            frame_end: 0,
            #[cfg(feature = "deflate")]
            inflater: Inflater::new(),
            utf8: Utf8::new(),
            frame: Current::Header,
            message: Begun::No,
            next: Next::SLOW,
            #[cfg(feature = "deflate")]
            window: Window::NONE,
        }
    }

    pub(crate) const fn frame(&self) -> Current {
        self.frame
    }

    pub(crate) fn is_over(&self) -> bool {
        self.frame == Current::Over
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.message != Begun::No
    }

    /// Whether none of the message has been handed out or stored.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.frame == Current::Data && matches!(self.message, Begun::CompressedText | Begun::CompressedBinary)
    }

    /// Whether more of an uncompressed message follows.
    pub(crate) fn is_plain(&self) -> bool {
        self.frame == Current::Data && matches!(self.message, Begun::Text | Begun::Binary)
    }

    /// Whether a frame is a whole message that is complete in the input and not too long.
    #[inline(always)]
    pub(crate) fn is_single(&self, look: &Look) -> bool {
        let fits = u64::try_from(look.length).is_ok_and(|length| length <= self.limit);
        look.is_single() & look.is_whole() & fits
    }

    /// What the next payload belongs to. `fin`: the frame is the message's last.
    pub(crate) fn what(&self, fin: bool) -> What {
        match self.frame {
            Current::Control(opcode) => What::Control(opcode),
            _ => What::Data { kind: self.kind(), first: self.is_fresh(), last: fin },
        }
    }

    const fn kind(&self) -> Kind {
        match self.message {
            Begun::Text | Begun::CompressedText => Kind::Text,
            // A data frame without a message has been refused.
            Begun::Binary | Begun::CompressedBinary | Begun::No => Kind::Binary,
        }
    }

    /// Bytes of the message that the storage holds, before those of a control frame. `whole`: messages are
    /// put together.
    fn kept(&self, whole: bool) -> usize {
        if whole && self.is_inside() { usize::try_from(self.length).unwrap_or(usize::MAX) } else { 0 }
    }

    /// What the storage holds is to be taken later.
    pub(crate) const fn find(&mut self, what: What) {
        self.next = Next::found(what);
    }

    /// Whether there is something to be taken.
    #[inline(always)]
    pub(crate) const fn is_found(&self) -> bool {
        self.next.0 > Next::QUICK.0
    }

    /// What was to be taken, and where in the storage it is.
    #[cold]
    pub(crate) fn take_found(&mut self, whole: bool) -> Option<(What, usize)> {
        let what = self.next.what()?;
        self.next = Next::SLOW;
        Some((what, if let What::Control(_) = what { self.kept(whole) } else { 0 }))
    }

    /// How many bytes of the stream come before the next one, if so many of the frame's payload are still to come.
    pub(crate) const fn position(&self, remaining: u64) -> u64 {
        self.frame_end.saturating_sub(remaining)
    }

    /// Forgets what has been lent from the storage.
    pub(crate) fn forget(&mut self, whole: bool) {
        if let Current::Control(_) | Current::Over = self.frame {
            return;
        }
        // Not done in `new`, which is `const`: a `const fn` cannot call the storage's methods.
        if whole && self.limit == u64::MAX {
            let limit = self.storage.limit().saturating_sub(CONTROL);
            self.limit = u64::try_from(limit).unwrap_or(u64::MAX);
        }
        let kept = self.kept(whole);
        if self.storage.held().len() > kept {
            if kept == 0 {
                self.storage.clear();
            } else {
                self.storage.truncate(kept);
            }
        }
    }

    /// Between two messages, with nothing held, the next one can be lent at once. `held`: there is a part of a header.
    pub(crate) fn settle(&mut self, held: bool) {
        let between = self.frame == Current::Header && self.message == Begun::No;
        let quick = between && !held && self.storage.held().is_empty();
        self.next = if quick { Next::QUICK } else { Next::SLOW };
    }

    /// Ignores everything that follows.
    pub(crate) fn finish(&mut self) {
        (self.frame, self.next) = (Current::Over, Next::SLOW);
    }

    /// Whether a frame that is whole in the input can be lent from there without looking at anything else.
    #[inline(always)]
    pub(crate) fn is_quick(&self) -> bool {
        self.next == Next::QUICK
    }

    /// The next message is whole in the input.
    pub(crate) const fn be_quick(&mut self) {
        self.next = Next::QUICK;
    }

    /// The next frame breaks a rule.
    pub(crate) fn refuse(&mut self) {
        self.frame_at = self.frame_end;
    }

    /// Gives back heap memory in which nothing is held.
    pub(crate) fn release(&mut self, whole: bool) {
        if !self.is_found() {
            self.forget(whole);
        }
        // What had begun when the last event came will not end.
        if self.is_over() || self.storage.held().is_empty() {
            self.storage.clear();
            self.storage.release();
        }
        #[cfg(feature = "deflate")]
        if self.message == Begun::No {
            self.inflater.release(self.window);
        }
    }

    /// Counts a whole message in one frame of `n` bytes, after which nothing is held.
    #[inline(always)]
    pub(crate) fn single(&mut self, n: usize) {
        self.frame_at = self.frame_end;
        // No stream has 2^64 bytes.
        self.frame_end = self.frame_end.wrapping_add(u64::try_from(n).unwrap_or(u64::MAX));
    }

    /// A frame begins.
    pub(crate) fn begin(&mut self, header: &Header) -> Result<(), Violation> {
        self.frame_at = self.frame_end;
        let size = u64::try_from(header.size()).unwrap_or(0);
        self.frame_end = self.frame_at.saturating_add(size).saturating_add(header.length);
        self.next = Next::SLOW;
        if header.opcode.is_control() {
            self.frame = Current::Control(header.opcode);
            return Ok(());
        }
        self.frame = Current::Data;
        if let Some(kind) = Kind::of(header.opcode) {
            self.message = match (kind, header.rsv1) {
                (Kind::Text, false) => Begun::Text,
                (Kind::Binary, false) => Begun::Binary,
                (Kind::Text, true) => Begun::CompressedText,
                (Kind::Binary, true) => Begun::CompressedBinary,
            };
            (self.length, self.utf8) = (0, Utf8::new());
        }
        // The header does not contain the length of a decompressed message.
        if let Begun::Text | Begun::Binary = self.message {
            let length = self.length.saturating_add(header.length);
            if length > self.limit {
                return Err(Violation::TooLong { length, limit: self.limit });
            }
        }
        Ok(())
    }

    /// The payload of the frame has ended; if `fin`, so has the message. Returns what is to be handed out, and where in
    /// the storage it is.
    pub(crate) fn end_frame(&mut self, fin: bool, whole: bool) -> Result<Option<(What, usize)>, Violation> {
        let found = match self.frame {
            Current::Control(opcode) => Some((What::Control(opcode), self.kept(whole))),
            Current::Data if fin => {
                let (kind, first) = (self.kind(), self.is_fresh() || whole);
                self.end_message()?;
                // In pieces, this only marks the end of a message.
                Some((What::Data { kind, first, last: true }, 0))
            }
            _ => None,
        };
        self.frame = Current::Header;
        Ok(found)
    }

    fn end_message(&mut self) -> Result<(), Violation> {
        let kind = self.kind();
        self.message = Begun::No;
        if kind == Kind::Text && !self.utf8.is_whole() {
            return Err(Violation::Utf8 { at: self.length });
        }
        Ok(())
    }

    /// Whether no byte of the control frame has been stored.
    pub(crate) fn is_untouched(&self, whole: bool) -> bool {
        self.storage.held().len() == self.kept(whole)
    }

    /// Appends a payload, unmasked. Data is validated while it is in the cache.
    pub(crate) fn store(&mut self, payload: &Payload<'_>) -> Result<(), Violation> {
        let (key, data, text) = (payload.key(), self.frame == Current::Data, self.kind() == Kind::Text);
        for block in payload.as_bytes().chunks(BLOCK) {
            let at = self.storage.held().len();
            self.storage.append(block).map_err(|_| Violation::Memory)?;
            let stored = self.storage.held_mut().get_mut(at..).unwrap_or_default();
            if let Some(key) = key {
                // A block is a multiple of the key.
                mask::apply(stored, key);
            }
            if data {
                check(text, &mut self.utf8, &mut self.length, stored)?;
            }
        }
        Ok(())
    }

    /// A piece of a message has been stored by itself. `last`: it is the frame's last.
    pub(crate) fn piece(&mut self, first: bool, last: bool, fin: bool) -> Result<What, Violation> {
        let (kind, ends) = (self.kind(), last && fin);
        if last {
            self.frame = Current::Header;
        }
        if ends {
            self.end_message()?;
        }
        Ok(What::Data { kind, first, last: ends })
    }

    /// Lends a piece of a message, unmasked in place and validated while it is in the cache.
    pub(crate) fn lend<'a>(&mut self, part: Part<'a>, fin: bool) -> Result<(What, &'a [u8]), Violation> {
        if let Some(header) = &part.header {
            self.begin(header)?;
        }
        let (kind, first, last) = (self.kind(), self.is_fresh(), part.last && fin);
        let (utf8, length) = (&mut self.utf8, &mut self.length);
        let bytes =
            part.payload.unmask_checked(BLOCK, |block| check(kind == Kind::Text, utf8, length, block))?;
        if last {
            self.end_message()?;
        }
        if part.last {
            self.frame = Current::Header;
        }
        Ok((What::Data { kind, first, last }, bytes))
    }

    /// Counts a whole message, or the payload of a control frame, that is lent from the input.
    pub(crate) fn lent(&mut self) {
        if self.frame == Current::Data {
            self.message = Begun::No;
        }
        self.frame = Current::Header;
        self.settle(false);
    }

    /// Decompresses some of a payload, the unmasked `compressed`. `ends`: the message ends with it. Returns how many
    /// bytes were taken, and what is to be handed out.
    #[cfg(feature = "deflate")]
    pub(crate) fn inflate(
        &mut self,
        compressed: &[u8],
        ends: bool,
        whole: bool,
    ) -> (usize, Result<Option<What>, Violation>) {
        let mut out = [0; BLOCK];
        let room = if whole { BLOCK } else { self.storage.limit().clamp(1, BLOCK) };
        let out = out.get_mut(..room).unwrap_or_default();
        let run = self.inflater.run(self.window, compressed, ends, self.held(whole), out);
        let all = out.get(..run.produced).unwrap_or_default();
        (run.consumed, self.inflated(all, run.state, whole))
    }

    /// Bytes of the message that are held while more of it comes. `None` in pieces.
    #[cfg(feature = "deflate")]
    fn held(&self, whole: bool) -> Option<u64> {
        whole.then_some(self.length)
    }

    /// Whether more of the compressed message can be decompressed without more payload.
    #[cfg(feature = "deflate")]
    pub(crate) fn is_pending(&self, whole: bool) -> bool {
        self.inflater.is_pending(self.held(whole))
    }

    #[cfg(feature = "deflate")]
    fn inflated(
        &mut self,
        all: &[u8],
        state: Result<bool, Violation>,
        whole: bool,
    ) -> Result<Option<What>, Violation> {
        let (kind, first) = (self.kind(), self.is_fresh() || whole);
        // Output before an error is checked before the error is reported.
        let most = usize::try_from(self.limit.saturating_sub(self.length)).unwrap_or(usize::MAX);
        let out = all.get(..most).unwrap_or(all);
        check(kind == Kind::Text, &mut self.utf8, &mut self.length, out)?;
        if out.len() < all.len() {
            return Err(Violation::TooLong { length: self.limit.saturating_add(1), limit: self.limit });
        }
        let last = state?;
        self.storage.append(out).map_err(|_| Violation::Memory)?;
        if last {
            self.frame = Current::Header;
            self.end_message()?;
        }
        Ok((last || (!whole && !out.is_empty())).then_some(What::Data { kind, first, last }))
    }

    /// A compressed message's frame has been taken completely, and is not the last.
    #[cfg(feature = "deflate")]
    pub(crate) fn end_fragment(&mut self) {
        self.frame = Current::Header;
    }
}

/// More of a message has come.
fn check(text: bool, utf8: &mut Utf8, length: &mut u64, bytes: &[u8]) -> Result<(), Violation> {
    let at = *length;
    *length = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    if !text {
        return Ok(());
    }
    let bad = |n| Violation::Utf8 { at: at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX)) };
    utf8.feed(bytes).map_err(bad)
}
