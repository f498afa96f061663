//! A message's payload, decompressed: RFC 7692, section 7.2.2.

use alloc::boxed::Box;

use zlib_rs::{Inflate, InflateFlush, Status};

/// What a sender leaves out at the end of each message: section 7.2.1.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The same, and a byte behind it that is there not to be taken: decompression stops where a block ends,
/// and only there.
const TAIL_AND_MORE: [u8; 5] = [0, 0, 0xff, 0xff, 0];

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
}

/// What was done in one go.
pub(crate) struct Run {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
    /// Whether the message is done; or it cannot be decompressed.
    pub(crate) state: Result<bool, ()>,
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

    /// Whether more will come out without more going in.
    pub(crate) fn is_pending(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.pending)
    }

    /// Decompresses some of `input` into `out`. `ends`: nothing of the message comes after `input`.
    pub(crate) fn run(&mut self, window: Window, input: &[u8], ends: bool, out: &mut [u8]) -> Run {
        let make = || {
            let inflate = Inflate::new(false, window.bits());
            Box::new(State { inflate, tail: 0, pending: false, ended: false })
        };
        self.state.get_or_insert_with(make).run(input, ends, out)
    }

    /// Gives the memory back, unless the peer may refer to what is in it.
    pub(crate) fn release(&mut self, window: Window) {
        if window.is_new_each_time() {
            self.state = None;
        }
    }
}

impl State {
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
                run.state = Err(());
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
