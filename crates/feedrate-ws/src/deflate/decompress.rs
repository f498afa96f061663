//! Decompresses messages: RFC 7692, section 7.2.2.
//!
//! One compressed byte can become a thousand. So of an unfinished message that is put together, no more is decompressed
//! than [`FREE`] bytes plus [`FACTOR`] for each byte received. The rest is kept compressed until the message ends or
//! more of it arrives. So a peer that sends little cannot make this side hold much for long.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::error::Violation;

/// What a sender leaves out at the end of each message: section 7.2.1.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The same, followed by a byte that must not be consumed: decompression stops where a block ends, and only there.
const TAIL_AND_MORE: [u8; 5] = [0, 0, 0xff, 0xff, 0];

/// Bytes that may be decompressed of any message.
const FREE: u64 = 64 * 1024;
/// Additional bytes for each byte received. Most messages stay within these limits.
const FACTOR: u64 = 4;

/// The decompressor: only a pointer, because a connection may be idle.
#[derive(Default)]
pub(crate) struct Inflater {
    /// Allocated with the first compressed message.
    state: Option<Box<State>>,
}

/// The peer's parameters: the bits of its window, and whether it begins each message with an empty one.
#[derive(Clone, Copy)]
pub(crate) struct Window(u8);

struct State {
    inflate: Inflate,
    /// Bytes of [`TAIL`] that have been fed for this message.
    tail: u8,
    /// There was no room for all output of the last bytes.
    pending: bool,
    /// This message has had a final block, and nothing after it.
    ended: bool,
    /// Bytes of this message that have been received.
    received: u64,
    /// The last of them, which wait to be decompressed.
    waiting: Vec<u8>,
    /// How many of those are used up.
    done: usize,
    /// The data after what may be decompressed now is malformed.
    broken: bool,
}

/// The result of one call.
pub(crate) struct Run {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
    /// Whether the message is complete; or why it cannot be decompressed.
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

    /// Whether more output is available without more input. `held`: see [`run`](Self::run).
    pub(crate) fn is_pending(&self, held: Option<u64>) -> bool {
        self.state.as_ref().is_some_and(|state| {
            let more = state.pending || state.broken || state.done < state.waiting.len();
            more && held.is_none_or(|held| held < allowed(state.received))
        })
    }

    /// Decompresses some of `input` into `out`. `ends`: the message ends with `input`. `held`: how many decompressed
    /// bytes of the message are held. `None`: none are, because it is handed out in pieces, and nothing has to wait.
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

    /// Frees the memory, unless the peer may refer to what is in it.
    pub(crate) fn release(&mut self, window: Window) {
        if window.is_new_each_time() {
            self.state = None;
        }
    }
}

/// How much may be held of an unfinished message of which `received` bytes have come.
const fn allowed(received: u64) -> u64 {
    received.saturating_mul(FACTOR).saturating_add(FREE)
}

impl State {
    /// Decompresses as much as may be held, and keeps the rest.
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
        // When this error is found depends on how the bytes were split; when it is reported must not.
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

    /// `n` more of the waiting bytes are used up.
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
            // Each call has to consume or produce something, or the data is malformed. The tail has to end a block, and
            // to produce nothing, unless the message ended inside a block.
            let stuck = (in_tail || !rest.is_empty()) && consumed == 0 && produced == 0 && !self.ended;
            let inside = in_tail && (produced > 0 || usize::from(self.tail) > TAIL.len());
            if result.is_err() || stuck || inside {
                run.state = Err(Violation::Deflate);
                return run;
            }
        }
        run
    }

    /// One call of the inflater: bytes consumed, bytes produced, and its status. Output before an error counts too.
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
