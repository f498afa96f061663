//! A message's payload, decompressed: RFC 7692, section 7.2.2.
//!
//! A byte can stand for a thousand. So of a message that is put together and has not ended, no more is decompressed
//! than [`FREE`] bytes and [`FACTOR`] for each that has come. What would become more is kept as it came, until the
//! message ends or enough has come: who sends little, cannot have much held for it, for as long as it likes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::error::Violation;

/// What a sender leaves out at the end of each message: section 7.2.1.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The same, and a byte behind it that is there not to be taken: decompression stops where a block ends,
/// and only there.
const TAIL_AND_MORE: [u8; 5] = [0, 0, 0xff, 0xff, 0];

/// Bytes that a message may become without further ado.
const FREE: u64 = 64 * 1024;
/// More of them, for each byte that has come. Most messages become no more.
const FACTOR: u64 = 4;

/// What decompresses: a pointer, as a connection may be idle.
#[derive(Default)]
pub(crate) struct Inflater {
    /// From the first compressed message on.
    state: Option<Box<State>>,
}

/// What the peer has agreed to: the bits of its window, and whether it begins each message with an empty one.
#[derive(Clone, Copy)]
pub(crate) struct Window(u8);

struct State {
    inflate: Inflate,
    /// So much of [`TAIL`] has been given to this message.
    tail: u8,
    /// There was no room for all that came of the last bytes.
    pending: bool,
    /// This message had a final block, and nothing after it.
    ended: bool,
    /// Bytes of this message that have come.
    received: u64,
    /// The last of them, which wait.
    waiting: Vec<u8>,
    /// So many of those are done with.
    done: usize,
    /// What comes behind what may be held cannot be decompressed.
    broken: bool,
}

/// What was done in one go.
pub(crate) struct Run {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
    /// Whether the message is done; or why it cannot be decompressed.
    pub(crate) state: Result<bool, Violation>,
}

impl Window {
    const NO_CONTEXT: u8 = 0x80;
    /// Nothing was agreed to.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn new(bits: u8, no_context: bool) -> Self {
        Self(if no_context { bits | Self::NO_CONTEXT } else { bits })
    }

    const fn bits(self) -> u8 {
        self.0 & !Self::NO_CONTEXT
    }

    const fn is_new_each_time(self) -> bool {
        self.0 & Self::NO_CONTEXT != 0
    }
}

impl Inflater {
    pub(crate) const fn new() -> Self {
        Self { state: None }
    }

    /// Whether more will come out without more going in. `held`: see [`run`](Self::run).
    pub(crate) fn is_pending(&self, held: Option<u64>) -> bool {
        self.state.as_ref().is_some_and(|state| {
            let more = state.pending || state.broken || state.done < state.waiting.len();
            more && held.is_none_or(|held| held < allowed(state.received))
        })
    }

    /// Decompresses some of `input` into `out`. `ends`: nothing of the message comes after `input`. `held`: what came
    /// of it so far is held, and is so many bytes. `None`: nothing is, and it need not wait.
    pub(crate) fn run(
        &mut self,
        window: Window,
        input: &[u8],
        ends: bool,
        held: Option<u64>,
        out: &mut [u8],
    ) -> Run {
        let make = || {
            let inflate = Inflate::new(false, window.bits());
            let (waiting, done) = (Vec::new(), 0);
            let (pending, ended, broken) = (false, false, false);
            Box::new(State { inflate, tail: 0, pending, ended, received: 0, waiting, done, broken })
        };
        self.state.get_or_insert_with(make).feed(input, ends, held, out)
    }

    /// Gives the memory back, unless the peer may refer to what is in it.
    pub(crate) fn release(&mut self, window: Window) {
        if window.is_new_each_time() {
            self.state = None;
        }
    }
}

/// How much may be held of a message, of which so many bytes have come, and not all.
const fn allowed(received: u64) -> u64 {
    received.saturating_mul(FACTOR).saturating_add(FREE)
}

impl State {
    /// Decompresses as much as may be held, and lets the rest wait.
    fn feed(&mut self, input: &[u8], ends: bool, held: Option<u64>, out: &mut [u8]) -> Run {
        let all = self.received.saturating_add(u64::try_from(input.len()).unwrap_or(u64::MAX));
        let left = held.filter(|_| !ends).map_or(u64::MAX, |held| allowed(all).saturating_sub(held));
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let must_wait = room < out.len();
        let out = out.get_mut(..room).unwrap_or_default();
        if self.broken && room > 0 {
            return Run { consumed: 0, produced: 0, state: Err(Violation::Deflate) };
        }
        let mut run = if self.waiting.is_empty() {
            let mut run = self.run(input, ends, out);
            let rest = input.get(run.consumed..).unwrap_or_default();
            if must_wait && run.produced == room && run.state.is_ok() {
                run.state = self.wait(rest).map(|()| false);
                run.consumed = input.len();
            }
            run
        } else if let Err(violation) = self.wait(input) {
            Run { consumed: 0, produced: 0, state: Err(violation) }
        } else {
            let waiting = core::mem::take(&mut self.waiting);
            let run = self.run(waiting.get(self.done..).unwrap_or_default(), ends, out);
            self.waiting = waiting;
            self.forget(run.consumed);
            Run { consumed: input.len(), ..run }
        };
        // When that is found out depends on how much came at a time; when it is told must not.
        if must_wait && run.produced == room && run.state == Err(Violation::Deflate) {
            self.broken = true;
            run = Run { consumed: input.len(), state: Ok(false), ..run };
        }
        self.received = self.received.saturating_add(u64::try_from(run.consumed).unwrap_or(u64::MAX));
        if run.state == Ok(true) {
            (self.received, self.waiting, self.done) = (0, Vec::new(), 0);
        }
        run
    }

    fn wait(&mut self, input: &[u8]) -> Result<(), Violation> {
        self.waiting.try_reserve(input.len()).map_err(|_| Violation::Memory)?;
        self.waiting.extend_from_slice(input);
        Ok(())
    }

    /// `n` more bytes of those that wait are done with.
    fn forget(&mut self, n: usize) {
        self.done = self.done.saturating_add(n);
        if self.done >= self.waiting.len() {
            self.waiting.clear();
            self.done = 0;
        }
    }

    fn run(&mut self, input: &[u8], ends: bool, out: &mut [u8]) -> Run {
        let mut run = Run { consumed: 0, produced: 0, state: Ok(false) };
        while run.produced < out.len() {
            let rest = input.get(run.consumed..).unwrap_or_default();
            let tail = TAIL_AND_MORE.get(usize::from(self.tail)..).unwrap_or_default();
            let in_tail = rest.is_empty() && ends && !self.pending;
            // A message that ends with a final block needs no tail: section 7.2.3.4.
            if in_tail && (self.ended || usize::from(self.tail) == TAIL.len()) {
                (self.tail, self.ended) = (0, false);
                run.state = Ok(true);
                return run;
            }
            if rest.is_empty() && !self.pending && !ends {
                return run;
            }
            let room = out.get_mut(run.produced..).unwrap_or_default();
            let free = room.len();
            let (from, flush) =
                if in_tail { (tail, InflateFlush::Block) } else { (rest, InflateFlush::NoFlush) };
            let (consumed, produced, result) = self.step(from, room, flush);
            if in_tail {
                self.tail = self.tail.saturating_add(u8::try_from(consumed).unwrap_or(0));
            } else {
                run.produced = run.produced.saturating_add(produced);
                run.consumed = run.consumed.saturating_add(consumed);
            }
            self.pending = produced == free;
            // It takes or makes something, or it is broken. And unless the message ended inside a block,
            // nothing comes of the tail, and it ends one.
            let stuck = (in_tail || !rest.is_empty()) && consumed == 0 && produced == 0 && !self.ended;
            let inside = in_tail && (produced > 0 || usize::from(self.tail) > TAIL.len());
            if result.is_err() || stuck || inside {
                run.state = Err(Violation::Deflate);
                return run;
            }
        }
        run
    }

    /// One call: what went in, what came out, and whether it was good. What came out before an error counts too.
    fn step(&mut self, input: &[u8], out: &mut [u8], flush: InflateFlush) -> (usize, usize, Result<(), ()>) {
        let state = &mut self.inflate;
        let before = (state.total_in(), state.total_out());
        let result = state.decompress(input, out, flush);
        let consumed = usize::try_from(state.total_in().saturating_sub(before.0)).unwrap_or(0);
        let produced = usize::try_from(state.total_out().saturating_sub(before.1)).unwrap_or(0);
        if consumed > 0 || produced > 0 {
            self.ended = false;
        }
        if result == Ok(Status::StreamEnd) {
            self.ended = true;
            state.reset(false);
        }
        (consumed, produced, result.map(|_| ()).map_err(|_| ()))
    }
}
