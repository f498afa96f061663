//! Finds the next message, in plain numbers: [`Decoder::advance`].
//!
//! [`cross`](Decoder::cross) is the fast path for a message cut by the end of the input. [`search`](Decoder::search)
//! handles everything, step by step, in the same way wherever the bytes lie.

use super::state::{Decoder, Seen, State};
use crate::error::{Error, Fault};
use crate::protocol::{Extent, Protocol, Recovery};
use crate::scan::find_end;
use crate::storage::Storage;

/// Whether the fast paths are compiled. Targets without an operating system do without them, to save flash.
const QUICK: bool = !cfg!(target_os = "none");

/// How far [`Decoder::advance`] came. Small enough for registers, because every chunk that is read cuts a message.
#[derive(Clone, Copy)]
pub(super) struct Advance {
    /// Bytes of the input that precede the message, or went into the storage.
    pub(super) taken: usize,
    /// Length of the message, which is in the storage if anything is held, and otherwise at that place in the input; or
    /// [`NOTHING`](Self::NOTHING).
    pub(super) length: usize,
}

impl Advance {
    /// The input is used up, or there is an error. No message is this long.
    pub(super) const NOTHING: usize = usize::MAX;
}

/// Whether the missing bytes may still come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    Silent,
}

/// What a search works on.
struct Run<'i, 'e, E> {
    /// What has not been taken.
    input: &'i [u8],
    line: Line,
    /// What [`Protocol::glance`] returned for the input, or 0.
    known: usize,
    error: &'e mut Option<Error<E>>,
}

impl<E> Run<'_, '_, E> {
    fn drop_input(&mut self, n: usize) {
        self.input = self.input.get(n..).unwrap_or_default();
    }
}

/// What to do next.
enum Step {
    Again,
    Idle,
    /// A whole message, or a piece of one, of this many bytes.
    Lend(usize),
    /// There is an error. As much of the malformed message as has to be skipped has been.
    Failed,
}

impl<P: Protocol, S: Storage> Decoder<P, S> {
    #[inline(always)]
    pub(super) fn measure(&self, input: &[u8]) -> Option<usize> {
        if QUICK { self.protocol.glance(input) } else { None }
    }

    /// Finds the next message. `known`: what [`Protocol::glance`] returned for the input, or 0.
    #[cfg_attr(not(target_os = "none"), inline(never))]
    pub(super) fn advance(
        &mut self,
        input: &[u8],
        known: usize,
        line: Line,
        error: &mut Option<Error<P::Error>>,
    ) -> Advance {
        let mut rest = input;
        if let Some(length) = self.cross(&mut rest, known, line) {
            return Advance { taken: input.len().saturating_sub(rest.len()), length };
        }
        let mut run = Run { input: rest, line, known, error };
        let length = self.search(&mut run);
        Advance { taken: input.len().saturating_sub(run.input.len()), length }
    }

    /// The fast path for a message cut by the end of the input, which takes it twice. It returns nothing that
    /// [`step`](Self::step) would not.
    #[inline(always)]
    fn cross(&mut self, input: &mut &[u8], known: usize, line: Line) -> Option<usize> {
        if !QUICK {
            return None;
        }
        let held = self.storage.held().len();
        match self.state {
            // The rest of a message whose length is known.
            State::Stored { from: 0, seen: Seen::Length(n @ 1..) } => {
                let (missing, rest) = input.split_at_checked(n.saturating_sub(held))?;
                self.storage.append(missing).ok()?;
                *input = rest;
                self.protocol.check(self.storage.held().get(..n)?).ok()?;
                return Some(n);
            }
            State::Stored { from, .. } if from >= held => {
                self.storage.clear();
                self.enter(State::Direct);
            }
            State::Direct => {}
            _ => return None,
        }
        if input.is_empty() && line == Line::Open && !self.protocol.inside() {
            self.storage.release();
            return Some(Advance::NOTHING);
        }
        if known == 0 || known >= self.room {
            return None;
        }
        if known > input.len() {
            // The beginning of a message.
            self.storage.append(input).ok()?;
            self.enter(State::Stored { from: 0, seen: Seen::Length(known) });
            *input = &[];
            return Some(Advance::NOTHING);
        }
        Some(known)
    }

    /// Copies bytes that have to be changed, but cannot be in place, into the empty storage. Returns how many were
    /// copied: all, unless it is a piece.
    pub(super) fn store(&mut self, input: &[u8], length: usize) -> Result<usize, Error<P::Error>> {
        let length = length.min(self.storage.limit().max(1));
        if let Err(fault) = self.storage.append(input.get(..length).unwrap_or_default()) {
            let error = P::Error::from(fault);
            self.enter(State::Lost(error.clone()));
            return Err(Error::Lost(error));
        }
        Ok(length)
    }

    #[inline(always)]
    pub(super) fn enter(&mut self, state: State<P::Error>) {
        self.room = match state {
            State::Direct => self.storage.limit().saturating_add(1),
            _ => 0,
        };
        self.state = state;
    }

    #[inline(never)]
    fn search(&mut self, run: &mut Run<'_, '_, P::Error>) -> usize {
        loop {
            match self.step(run) {
                Step::Again => run.known = 0,
                Step::Lend(length) => return length,
                Step::Failed => return Advance::NOTHING,
                Step::Idle => {
                    if let State::Direct = self.state {
                        self.storage.release();
                    }
                    return Advance::NOTHING;
                }
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, run: &mut Run<'_, '_, P::Error>) -> Step {
        if let State::Stored { from, .. } = self.state {
            if from >= self.storage.held().len() {
                self.storage.clear();
                self.enter(State::Direct);
            }
        }
        let limit = self.storage.limit();
        let (held, seen) = match &self.state {
            // `glance` has seen all of the input. A message longer than the limit is measured again, from the bytes up
            // to the limit.
            State::Direct => (run.input, Seen::Length(if run.known <= limit { run.known } else { 0 })),
            State::Stored { from, seen } => (self.storage.held().get(*from..).unwrap_or_default(), *seen),
            State::Lost(error) => {
                *run.error = Some(Error::Lost(error.clone()));
                return Step::Failed;
            }
            State::Passing(_) | State::Until { .. } | State::Noise => return self.pass(run),
        };
        // Never look past the limit: had the bytes come one by one, those would never have been seen.
        let bytes = held.get(..limit).unwrap_or(held);
        let (all, have) = (held.len(), bytes.len());
        let extent = match seen {
            Seen::Length(n @ 1..) => Ok(Extent::Message(n)),
            Seen::Length(0) | Seen::Bytes { .. } => self.protocol.extent(bytes),
        };
        match extent {
            Ok(Extent::Message(n)) if n <= have => self.checked(run, n),
            Ok(Extent::Message(n)) if n <= limit => self.wait(run, n, Seen::Length(n)),
            Ok(Extent::Message(n)) => match self.protocol.head(bytes, n) {
                Some(head) if head <= have => Step::Lend(head),
                Some(head) if head <= limit => self.wait(run, head, Seen::NOTHING),
                _ => self.refuse(run, n),
            },
            Ok(Extent::Need(n)) => {
                let needed = n.max(have.saturating_add(1));
                // With a header longer than the limit, the message's length is unknown.
                if needed > limit {
                    self.too_long(run, needed)
                } else {
                    self.wait(run, needed, Seen::NOTHING)
                }
            }
            Ok(Extent::Piece(_) | Extent::Skip(_)) if have == 0 => Step::Idle,
            Ok(Extent::Piece(n)) => Step::Lend(n.max(1).min(all)),
            Ok(Extent::Skip(n)) => {
                self.give_up(run, n.max(1).min(all));
                Step::Again
            }
            Ok(Extent::Until(delimiter)) => self.until(run, delimiter),
            Ok(Extent::Silence) => self.until_silence(run),
            Err(error) => self.fail(run, error),
        }
    }

    /// The bytes at the front: held ones, or the input.
    fn front<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            _ => input,
        }
    }

    /// A whole frame, if it passes [`Protocol::check`].
    fn checked(&mut self, run: &mut Run<'_, '_, P::Error>, n: usize) -> Step {
        match self.protocol.check(self.front(run.input).get(..n).unwrap_or_default()) {
            Ok(()) => Step::Lend(n),
            Err(error) => {
                self.give_up(run, if P::RECOVERY == Recovery::Hunt { 1 } else { n });
                *run.error = Some(Error::Message(error));
                Step::Failed
            }
        }
    }

    /// Appends bytes from the input to the held ones, until `needed` are held or the input is empty.
    #[inline(never)]
    fn wait(&mut self, run: &mut Run<'_, '_, P::Error>, needed: usize, seen: Seen) -> Step {
        if run.line == Line::Silent {
            return self.silence(run);
        }
        if run.input.is_empty() {
            if let State::Stored { seen: its, .. } = &mut self.state {
                *its = seen;
            }
            return Step::Idle;
        }
        if let State::Stored { from: from @ 1.., .. } = self.state {
            self.storage.discard(from);
        }
        // Before anything can fail, because `from` is outdated.
        self.enter(State::Stored { from: 0, seen });
        let missing = needed.saturating_sub(self.storage.held().len()).min(run.input.len());
        let (now, rest) = run.input.split_at_checked(missing).unwrap_or_default();
        if let Err(fault) = self.storage.append(now) {
            return self.fault(run, fault);
        }
        run.input = rest;
        Step::Again
    }

    /// A message that ends with a delimiter.
    fn until(&mut self, run: &mut Run<'_, '_, P::Error>, delimiter: &'static [u8]) -> Step {
        let (searched, mut matched) = match self.state {
            State::Stored { seen: Seen::Bytes { searched, matched }, .. } => (searched, matched),
            _ => (0, 0),
        };
        let limit = self.storage.limit();
        let all = match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            _ => run.input,
        };
        let bytes = all.get(..limit).unwrap_or(all);
        let have = bytes.len();
        let found = find_end(delimiter, &mut matched, bytes.get(searched..).unwrap_or_default());
        let end = found.map_or(have, |end| searched.saturating_add(end));
        if end > searched {
            if let Err(error) = self.protocol.scan(bytes.get(..end).unwrap_or_default(), searched) {
                return self.fail(run, error);
            }
        }
        if found.is_some() {
            return self.checked(run, end);
        }
        if have >= limit {
            return self.overlong(run, delimiter, matched);
        }
        // Up to the delimiter, and nothing after it. If nothing is held, the input is what has just been searched.
        let mut needed = have;
        if let State::Stored { .. } = self.state {
            let more = find_end(delimiter, &mut matched.clone(), run.input).unwrap_or(run.input.len());
            needed = have.saturating_add(more).min(limit);
        }
        self.wait(run, needed, Seen::Bytes { searched: have, matched })
    }

    /// A message that ends at a silence.
    fn until_silence(&mut self, run: &mut Run<'_, '_, P::Error>) -> Step {
        let mut all = self.front(run.input).len();
        if let (State::Stored { .. }, Line::Open) = (&self.state, run.line) {
            all = all.saturating_add(run.input.len());
        }
        let limit = self.storage.limit();
        if all > limit {
            return self.too_long(run, limit.saturating_add(1));
        }
        match run.line {
            Line::Silent if all == 0 => Step::Idle,
            Line::Silent => self.checked(run, all),
            Line::Open => self.wait(run, all, Seen::NOTHING),
        }
    }

    /// The line fell silent inside a message.
    fn silence(&mut self, run: &mut Run<'_, '_, P::Error>) -> Step {
        let held = self.pending().len();
        match P::RECOVERY {
            _ if held == 0 => Step::Idle,
            Recovery::Hunt => {
                self.give_up(run, 1);
                Step::Again
            }
            Recovery::Silence => {
                let missing = self.needed();
                self.give_up(run, held);
                *run.error = Some(Error::Message(Fault::Truncated { held, missing }.into()));
                Step::Failed
            }
            Recovery::Close | Recovery::Delimiter => Step::Idle,
        }
    }

    /// `extent` failed, or what it said cannot be.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, run: &mut Run<'_, '_, P::Error>, error: P::Error) -> Step {
        match P::RECOVERY {
            Recovery::Hunt => self.give_up(run, 1),
            Recovery::Silence => {
                self.give_up(run, self.front(run.input).len());
                self.storage.clear();
                self.enter(State::Noise);
            }
            Recovery::Close | Recovery::Delimiter => {
                if let State::Stored { from, .. } = self.state {
                    self.storage.discard(from);
                }
                self.enter(State::Lost(error));
                return Step::Again;
            }
        }
        *run.error = Some(Error::Message(error));
        Step::Failed
    }

    #[cold]
    #[inline(never)]
    fn fault(&mut self, run: &mut Run<'_, '_, P::Error>, fault: Fault) -> Step {
        self.fail(run, fault.into())
    }

    /// A message that is longer than the storage, by an unknown amount.
    #[cold]
    #[inline(never)]
    fn too_long(&mut self, run: &mut Run<'_, '_, P::Error>, declared: usize) -> Step {
        let limit = self.storage.limit();
        self.fault(run, Fault::TooLong { declared, limit })
    }

    /// A message of `n` bytes, which is longer than the storage. If the framing is intact, only this message is
    /// refused.
    #[cold]
    fn refuse(&mut self, run: &mut Run<'_, '_, P::Error>, n: usize) -> Step {
        // `usize::MAX` stands for a length that could not be read.
        if matches!(P::RECOVERY, Recovery::Hunt | Recovery::Silence) || n == usize::MAX {
            return self.too_long(run, n);
        }
        let here = self.front(run.input).len().min(n);
        self.give_up(run, here);
        if here < n {
            self.storage.clear();
            self.enter(State::Passing(n.saturating_sub(here)));
        }
        self.refused(run, n)
    }

    /// No delimiter within the limit.
    #[cold]
    fn overlong(
        &mut self,
        run: &mut Run<'_, '_, P::Error>,
        delimiter: &'static [u8],
        matched: usize,
    ) -> Step {
        // The delimiter's place must not matter, or the error would depend on how much has arrived.
        let limit = self.storage.limit();
        let declared = limit.saturating_add(1);
        if P::RECOVERY != Recovery::Delimiter {
            return self.too_long(run, declared);
        }
        self.give_up(run, limit);
        self.storage.clear();
        self.enter(State::Until { delimiter, matched });
        self.refused(run, declared)
    }

    fn refused(&self, run: &mut Run<'_, '_, P::Error>, declared: usize) -> Step {
        let limit = self.storage.limit();
        *run.error = Some(Error::Message(Fault::TooLong { declared, limit }.into()));
        Step::Failed
    }

    /// Skips what belongs to a refused message. Each state is tied to its recoveries, so a protocol contains no code
    /// for the others.
    #[cold]
    fn pass(&mut self, run: &mut Run<'_, '_, P::Error>) -> Step {
        let available = run.input.len();
        let (n, over) = match &mut self.state {
            State::Passing(left) if matches!(P::RECOVERY, Recovery::Close | Recovery::Delimiter) => {
                let n = available.min(*left);
                *left = left.saturating_sub(n);
                (n, *left == 0)
            }
            State::Until { delimiter, matched } if P::RECOVERY == Recovery::Delimiter => {
                let end = find_end(delimiter, matched, run.input);
                (end.unwrap_or(available), end.is_some())
            }
            State::Noise if P::RECOVERY == Recovery::Silence => (available, run.line == Line::Silent),
            _ => (0, true),
        };
        run.drop_input(n);
        self.protocol.skipped(n);
        if over {
            self.enter(State::Direct);
        }
        if over && run.line == Line::Open { Step::Again } else { Step::Idle }
    }

    /// Gives up `n` bytes at the front.
    fn give_up(&mut self, run: &mut Run<'_, '_, P::Error>, n: usize) {
        if let State::Stored { from, seen } = &mut self.state {
            *from = from.saturating_add(n);
            *seen = Seen::NOTHING;
        } else {
            run.drop_input(n);
        }
        self.protocol.skipped(n);
    }
}
