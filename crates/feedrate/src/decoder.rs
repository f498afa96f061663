//! How bytes become messages: [`Decoder::feed`].
//!
//! ```text
//!            extent(head)                        parse(frame)
//!  input ──► how far does it reach? ──► lend ──► what is it? ──► Message<'a>
//!            numbers only                │
//!                                        ├─ from `input`, when it is whole there
//!                                        └─ from the storage, when it came in pieces
//! ```
//!
//! Limits, resynchronisation and the accounting of bytes are written here, once for all protocols.

use core::fmt;

use crate::protocol::{Error, Extent, Fault, Protocol, Recovery};
use crate::scan::find;
use crate::storage::Storage;

/// Turns byte slices into messages.
///
/// `P` says what the bytes mean, `S` holds a message that came in pieces. See the [crate's front page](crate) for the
/// loop and the promises.
pub struct Decoder<P: Protocol, S> {
    protocol: P,
    storage: S,
    state: State<P::Error>,
    /// A message that is shorter than this may be lent from the input at once: none while bytes are held, or the stream is lost.
    room: usize,
}

enum State<E> {
    /// The storage is empty: messages are lent from the input.
    Direct,
    /// The storage holds bytes. Those before `from` are done with, though the caller may still look at them; `searched` of those
    /// behind it hold no delimiter, so that a delimiter that takes its time is looked for once in each byte.
    Stored {
        from: usize,
        searched: usize,
    },
    /// A delimited message was longer than the storage: everything up to the delimiter belongs to it.
    Overlong {
        delimiter: u8,
    },
    Lost(E),
}

/// What to do next, in plain numbers, so that the borrow comes last.
enum Step<E> {
    Again,
    Idle,
    Lend(usize),
    /// A bad message, of which as much as there is to be has been passed over.
    Bad(E),
}

/// What [`Decoder::feed`] answers.
type Pulled<'a, P> = Result<Option<<P as Protocol>::Message<'a>>, Error<<P as Protocol>::Error>>;

/// Whether the bytes that are missing are on their way, or will not come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    Silent,
}

impl<P: Protocol, S: Storage> Decoder<P, S> {
    /// A decoder at the beginning of a stream.
    ///
    /// The storage's limit is the length of the longest message that is accepted whole, wherever its bytes lie.
    pub const fn new(protocol: P, storage: S) -> Self {
        // As if bytes had been held and used up, which asks nothing of the storage: so a decoder can be made in a `static`.
        Self { protocol, storage, state: State::Stored { from: 0, searched: 0 }, room: 0 }
    }

    /// Takes bytes off the front of `input`, up to the end of the next message, and hands that message out.
    ///
    /// `Ok(None)` means that `input` is empty. Nothing past the message is touched, so that the rest can be given to
    /// another decoder, for example after an upgrade. A message that is whole in `input` is lent from there, one that
    /// came in pieces from the storage. (A protocol that [hunts](Recovery::Hunt) looks again at bytes it has taken, and so may hold
    /// bytes past the message: see [`pending`](Self::pending).)
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for one bad message: call again. [`Error::Lost`] when the stream is lost: the bytes from the
    /// bad header on are left where they are, in [`pending`](Self::pending) and `input`.
    #[inline(always)]
    pub fn feed<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Message<'a>>, Error<P::Error>> {
        // The common case, small enough to be inlined into the caller's loop.
        if let Some((message, length)) = self.protocol.glance(input, self.room) {
            *input = input.get(length..).unwrap_or_default();
            return Ok(Some(message));
        }
        // By value: a cursor whose address is never taken stays in the caller's registers.
        let (result, rest) = self.pull(input, Line::Open);
        *input = rest;
        result
    }

    /// The line fell silent: what has begun will not be continued. Call until it answers `Ok(None)`.
    ///
    /// A protocol whose messages end in silence (Modbus RTU) gets its message here. One that hunts gives up the bytes that
    /// looked like the beginning of a message, one by one, and finds the messages that were hidden behind them. For a protocol that does
    /// neither, silence means nothing, and the held bytes stay.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    pub fn gap(&mut self) -> Result<Option<P::Message<'_>>, Error<P::Error>> {
        self.pull(&[], Line::Silent).0
    }

    /// The stream ended.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`] if it ended inside a message, and whatever made the stream lost before.
    pub fn end(&self) -> Result<(), Error<P::Error>> {
        if let State::Lost(error) = &self.state {
            return Err(Error::Lost(error.clone()));
        }
        let held = self.pending().len();
        if held > 0 || self.protocol.inside() || matches!(self.state, State::Overlong { .. }) {
            return Err(Error::Lost(Fault::Truncated { held, missing: self.needed() }.into()));
        }
        Ok(())
    }

    /// The least number of bytes that must arrive before the next message, or piece, can be handed out. At least 1, and exact
    /// once the header is there: reading that many never takes a byte that belongs to what comes after.
    pub fn needed(&self) -> usize {
        let held = self.pending();
        let total = match self.protocol.extent(held) {
            Ok(Extent::Need(n)) => n,
            Ok(Extent::Message(n)) if n <= self.storage.limit() => n,
            Ok(Extent::Message(n)) => self.protocol.head(held, n).unwrap_or(n),
            Ok(Extent::Piece(_) | Extent::Until(_) | Extent::Skip(_)) | Err(_) => 0,
        };
        total.saturating_sub(held.len()).max(1)
    }

    /// Whether the stream is lost: every call answers [`Error::Lost`] until [`reset`](Self::reset).
    pub const fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost(_))
    }

    /// The bytes of a message that has not all arrived yet.
    pub fn pending(&self) -> &[u8] {
        match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            // The bytes that lost the stream.
            State::Lost(_) => self.storage.held(),
            State::Direct | State::Overlong { .. } => &[],
        }
    }

    /// Forgets what is held, and an error, and begins anew: [`Protocol::reset`] is called too.
    pub fn reset(&mut self) {
        self.storage.clear();
        self.enter(State::Direct);
        self.protocol.reset();
    }

    /// The protocol.
    pub const fn protocol(&self) -> &P {
        &self.protocol
    }

    /// The protocol, to tell it between two messages what the bytes alone do not say.
    pub const fn protocol_mut(&mut self) -> &mut P {
        &mut self.protocol
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Takes the decoder apart, for a protocol that becomes another one in mid-stream.
    pub fn into_parts(self) -> (P, S) {
        (self.protocol, self.storage)
    }
}

/// The rest of `feed`: everything but the common case.
impl<P: Protocol, S: Storage> Decoder<P, S> {
    #[inline(never)]
    fn pull<'a, 'i: 'a>(&'a mut self, mut input: &'i [u8], line: Line) -> (Pulled<'a, P>, &'i [u8]) {
        if matches!(self.state, State::Stored { from, .. } if from >= self.storage.held().len()) {
            self.storage.clear();
            self.enter(State::Direct);
            // The message before came in pieces; this one need not have.
            if let Some((message, length)) = self.protocol.glance(input, self.room) {
                return (Ok(Some(message)), input.get(length..).unwrap_or_default());
            }
        }
        let length = loop {
            if let State::Lost(error) = &self.state {
                return (Err(Error::Lost(error.clone())), input);
            }
            match self.step(&mut input, line) {
                Step::Again => {}
                Step::Idle => {
                    if let State::Direct = self.state {
                        self.storage.release();
                    }
                    return (Ok(None), input);
                }
                Step::Lend(length) => break length,
                Step::Bad(error) => return (Err(Error::Message(error)), input),
            }
        };
        let whole = input;
        let frame = if let State::Stored { from, .. } = self.state {
            let to = from.saturating_add(length);
            self.state = State::Stored { from: to, searched: 0 };
            self.storage.held().get(from..to).unwrap_or_default()
        } else {
            let (frame, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
            input = rest;
            frame
        };
        let result = self.protocol.parse(frame).map(Some).map_err(|error| {
            if P::RECOVERY == Recovery::Hunt {
                // All but one byte of it is looked at again.
                if let State::Stored { from, .. } = &mut self.state {
                    *from = from.saturating_sub(length.saturating_sub(1));
                } else {
                    input = whole.get(1..).unwrap_or_default();
                }
                self.protocol.skipped(1);
            }
            Error::Message(error)
        });
        (result, input)
    }

    fn enter(&mut self, state: State<P::Error>) {
        self.room = match state {
            State::Direct => self.storage.limit().saturating_add(1),
            _ => 0,
        };
        self.state = state;
    }

    fn step(&mut self, input: &mut &[u8], line: Line) -> Step<P::Error> {
        match self.state {
            State::Overlong { delimiter } if P::RECOVERY == Recovery::Delimiter => {
                return self.skip_overlong(input, delimiter);
            }
            State::Stored { from, .. } if from >= self.storage.held().len() => {
                self.storage.clear();
                self.enter(State::Direct);
            }
            _ => {}
        }
        let (held, searched) = match self.state {
            State::Stored { from, searched } => {
                (self.storage.held().get(from..).unwrap_or_default(), searched)
            }
            _ => (*input, 0),
        };
        let (all, limit) = (held.len(), self.storage.limit());
        // Had the bytes come one by one, none past the limit would ever be looked at.
        let bytes = held.get(..limit).unwrap_or(held);
        let have = bytes.len();
        let needed = match self.protocol.extent(bytes) {
            Ok(Extent::Message(n)) if n <= limit => n,
            Ok(Extent::Message(n)) => match self.protocol.head(bytes, n) {
                Some(head) if head <= limit => head,
                _ => return self.too_long(input, n),
            },
            Ok(Extent::Need(n)) if n > have => n,
            Ok(Extent::Need(_)) => {
                let stored = matches!(self.state, State::Stored { .. });
                let follows = all > limit || (stored && !input.is_empty());
                return match have.checked_add(1) {
                    Some(needed) if needed <= limit => self.wait(input, needed, line),
                    // The storage is full, which is an error only once something does follow.
                    _ if follows => self.too_long(input, limit.saturating_add(1)),
                    _ if stored && line == Line::Open => Step::Idle,
                    _ => self.wait(input, have, line),
                };
            }
            Ok(Extent::Piece(_) | Extent::Skip(_)) if have == 0 => return Step::Idle,
            Ok(Extent::Piece(n)) => return Step::Lend(n.max(1).min(all)),
            Ok(Extent::Skip(n)) => {
                self.give_up(input, n.max(1).min(all));
                return Step::Again;
            }
            Ok(Extent::Until(delimiter)) => {
                let unsearched = bytes.get(searched..).unwrap_or_default();
                match find(delimiter, unsearched) {
                    Some(at) => searched.saturating_add(at).saturating_add(1),
                    None if have < limit => return self.wait_for_delimiter(input, delimiter, line),
                    None => return self.overlong(input, delimiter, limit),
                }
            }
            Err(error) => return self.fail(input, error),
        };
        if needed > limit {
            self.too_long(input, needed)
        } else if needed <= have {
            Step::Lend(needed)
        } else {
            self.wait(input, needed, line)
        }
    }

    /// Puts the missing bytes into the storage, as far as they are here.
    fn wait(&mut self, input: &mut &[u8], needed: usize, line: Line) -> Step<P::Error> {
        if line == Line::Silent {
            return self.silence(input);
        }
        if input.is_empty() {
            return Step::Idle;
        }
        match self.take(input, needed) {
            Ok(()) => Step::Again,
            Err(fault) => self.fail(input, fault.into()),
        }
    }

    /// As [`wait`](Self::wait), when only the delimiter will say how many bytes are missing.
    fn wait_for_delimiter(&mut self, input: &mut &[u8], delimiter: u8, line: Line) -> Step<P::Error> {
        let held = self.pending().len();
        let more = find(delimiter, input).map_or(input.len(), |at| at.saturating_add(1));
        let needed = held.saturating_add(more).min(self.storage.limit());
        let step = self.wait(input, needed, line);
        if let (Step::Again, State::Stored { searched, .. }) = (&step, &mut self.state) {
            *searched = held;
        }
        step
    }

    /// Moves bytes from the input behind the held ones, until `needed` are held or the input is empty.
    fn take(&mut self, input: &mut &[u8], needed: usize) -> Result<(), Fault> {
        let searched = match self.state {
            State::Stored { from, searched } => {
                if from > 0 {
                    self.storage.discard(from);
                }
                searched
            }
            _ => 0,
        };
        // Before anything can fail: `from` no longer holds.
        self.enter(State::Stored { from: 0, searched });
        let missing = needed.saturating_sub(self.storage.held().len()).min(input.len());
        if let Some((now, rest)) = input.split_at_checked(missing) {
            self.storage.append(now)?;
            *input = rest;
        }
        Ok(())
    }

    fn silence(&mut self, input: &mut &[u8]) -> Step<P::Error> {
        let held = self.pending();
        if held.is_empty() {
            return Step::Idle;
        }
        match self.protocol.silence(held) {
            Some(n) => Step::Lend(n.min(held.len())),
            None if P::RECOVERY == Recovery::Hunt => {
                self.give_up(input, 1);
                Step::Again
            }
            None => Step::Idle,
        }
    }

    /// `extent` failed, or what it said cannot be.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, input: &mut &[u8], error: P::Error) -> Step<P::Error> {
        if P::RECOVERY == Recovery::Hunt {
            self.give_up(input, 1);
            return Step::Bad(error);
        }
        if let State::Stored { from, .. } = self.state {
            self.storage.discard(from);
        }
        self.enter(State::Lost(error));
        Step::Again
    }

    #[cold]
    #[inline(never)]
    fn too_long(&mut self, input: &mut &[u8], declared: usize) -> Step<P::Error> {
        self.fail(input, Fault::TooLong { declared, limit: self.storage.limit() }.into())
    }

    fn overlong(&mut self, input: &mut &[u8], delimiter: u8, limit: usize) -> Step<P::Error> {
        // Where the delimiter is must not matter, or the error would depend on how much has arrived.
        let declared = limit.saturating_add(1);
        if P::RECOVERY != Recovery::Delimiter {
            return self.too_long(input, declared);
        }
        let error = Fault::TooLong { declared, limit }.into();
        self.storage.clear();
        self.enter(State::Overlong { delimiter });
        Step::Bad(error)
    }

    fn skip_overlong(&mut self, input: &mut &[u8], delimiter: u8) -> Step<P::Error> {
        let skipped = match find(delimiter, input) {
            Some(at) => {
                self.enter(State::Direct);
                at.saturating_add(1)
            }
            None if input.is_empty() => return Step::Idle,
            None => input.len(),
        };
        *input = input.get(skipped..).unwrap_or_default();
        self.protocol.skipped(skipped);
        Step::Again
    }

    fn give_up(&mut self, input: &mut &[u8], n: usize) {
        match &mut self.state {
            State::Stored { from, searched } => {
                *from = from.saturating_add(n);
                *searched = 0;
            }
            _ => *input = input.get(n..).unwrap_or_default(),
        }
        self.protocol.skipped(n);
    }
}

impl<P: Protocol + fmt::Debug, S: Storage> fmt::Debug for Decoder<P, S> {
    /// The held bytes may be anybody's password, and are only counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("protocol", &self.protocol)
            .field("pending", &self.pending().len())
            .field("lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}
