//! A message's payload, decompressed: RFC 7692, section 7.2.2.

use alloc::boxed::Box;

use zlib_rs::{Inflate, InflateFlush, Status};

/// What a sender leaves out at the end of each message: section 7.2.1.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) struct Inflater {
    /// From the first compressed message on.
    state: Option<Box<Inflate>>,
    window_bits: u8,
    /// The peer begins each message with an empty window.
    no_context: bool,
    /// So much of [`TAIL`] has been given to this message.
    tail: u8,
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

impl Inflater {
    pub(crate) const fn new(window_bits: u8, no_context: bool) -> Self {
        Self { state: None, window_bits, no_context, tail: 0, ended: false }
    }

    /// Decompresses some of `input` into `out`. `ends`: nothing of the message comes after `input`.
    pub(crate) fn run(&mut self, input: &[u8], ends: bool, out: &mut [u8]) -> Run {
        let mut run = Run { consumed: 0, produced: 0, state: Ok(false) };
        let bits = self.window_bits;
        let state = self.state.get_or_insert_with(|| Box::new(Inflate::new(false, bits)));
        loop {
            let rest = input.get(run.consumed..).unwrap_or_default();
            let tail = TAIL.get(usize::from(self.tail)..).unwrap_or_default();
            let from_tail = rest.is_empty();
            let from = match (from_tail, ends) {
                (false, _) => rest,
                (true, false) => break,
                (true, true) => tail,
            };
            let room = out.get_mut(run.produced..).unwrap_or_default();
            let full_before = room.is_empty();
            // A message that ends with a final block needs no tail: section 7.2.3.4.
            if from_tail && self.ended {
                run.state = Ok(true);
                break;
            }
            let before = (state.total_in(), state.total_out());
            let result = state.decompress(from, room, InflateFlush::NoFlush);
            let consumed = usize::try_from(state.total_in().saturating_sub(before.0)).unwrap_or(0);
            let produced = usize::try_from(state.total_out().saturating_sub(before.1)).unwrap_or(0);
            run.produced = run.produced.saturating_add(produced);
            if from_tail {
                self.tail = self.tail.saturating_add(u8::try_from(consumed).unwrap_or(0));
            } else {
                run.consumed = run.consumed.saturating_add(consumed);
            }
            self.ended = result == Ok(Status::StreamEnd);
            match result {
                Ok(Status::StreamEnd) => state.reset(false),
                Ok(_) if consumed == 0 && produced == 0 => {
                    // Nothing is left in it, or there is no room for it.
                    let given = usize::from(self.tail) == TAIL.len();
                    run.state = Ok(from_tail && given && !full_before);
                    break;
                }
                Ok(_) => {}
                Err(_) => {
                    run.state = Err(());
                    break;
                }
            }
        }
        if run.state == Ok(true) {
            (self.tail, self.ended) = (0, false);
        }
        run
    }

    /// Gives the memory back, unless the peer may refer to what is in it.
    pub(crate) fn release(&mut self) {
        if self.no_context {
            self.state = None;
        }
    }
}
