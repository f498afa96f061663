//! How bytes become messages: [`Decoder::feed`], and [`Decoder::ready`] with [`Decoder::take`].
//!
//! ```text
//!            extent(head)                 check(frame)                parse(bytes)
//!  input ──► how far does it reach? ────► may it be believed? ──► lend ──► what is it? ──► Message<'a>
//!            numbers only                 looks, changes nothing  │
//!                                                                 ├─ from `input`, when it is whole there
//!                                                                 └─ from the storage, when it came in pieces
//! ```
//!
//! Everything up to `lend` is in plain numbers ([`advance`](Decoder::advance)), so that the borrow comes last. Limits,
//! resynchronisation and the accounting of bytes are written here, once for all protocols.

use core::fmt;

use crate::input::sealed::Bytes as _;
use crate::input::{Buffer, Input};
use crate::protocol::{Error, Extent, Fault, Protocol, Recovery};
use crate::scan::find_end;
use crate::storage::Storage;

/// Turns byte slices into messages.
///
/// `P` says what the bytes mean, `S` holds a message that came in pieces. See the [crate's front page](crate) for the
/// loop and the promises.
pub struct Decoder<P: Protocol, S> {
    protocol: P,
    storage: S,
    state: State<P::Error>,
    /// A message that is shorter than this may be lent from the input at once: none while bytes are held that are not done
    /// with, or the stream is lost.
    room: usize,
}

enum State<E> {
    /// The storage is empty: messages are lent from the input.
    Direct,
    /// The storage holds bytes. Those before `from` are done with, though the caller may still look at them.
    Stored {
        from: usize,
        seen: Seen,
    },
    /// So many bytes of a refused message are still to come.
    Passing(usize),
    /// A delimited message was refused: everything up to the delimiter belongs to it.
    Until {
        delimiter: &'static [u8],
        matched: usize,
    },
    /// Everything up to the next silence belongs to what was refused.
    Noise,
    Lost(E),
}

/// What is known of the message that is held, so that nothing is asked or looked for twice.
#[derive(Clone, Copy)]
enum Seen {
    /// How long it is; 0 if that is not known.
    Length(usize),
    /// So many bytes of it hold no delimiter, and `matched` of them, at their end, are the beginning of one.
    Bytes { searched: usize, matched: usize },
}

/// What to do next, in plain numbers.
enum Step<E> {
    Again,
    Idle,
    /// A whole message, or a piece of one, of this many bytes.
    Lend(usize),
    /// A malformed message, of which as much as there is to be has been passed over.
    Bad(E),
    Lost(E),
}

/// How far [`Decoder::advance`] came: in registers, because a message is cut at every end of what was read.
#[derive(Clone, Copy)]
struct Advance {
    /// Bytes of the input that come before the message, or went into the storage.
    taken: usize,
    /// Bytes of the message, which is held if anything is, and else lies there in the input; or [`NOTHING`](Self::NOTHING).
    length: usize,
}

impl Advance {
    /// The input is used up, or something went wrong. No message is as long as this.
    const NOTHING: usize = usize::MAX;
}

/// A message that can be [taken](Decoder::take). As long as it has not been, nothing has happened to it: it is found
/// again by whoever asks next.
#[derive(Debug)]
#[must_use = "the message is not taken before `take` is called"]
pub struct Ready {
    length: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the front of the input, for a buffer: from this byte on.
    Input(usize),
    /// In the storage, from this byte on.
    Stored(usize),
}

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
        Self { protocol, storage, state: State::Stored { from: 0, seen: Seen::NOTHING }, room: 0 }
    }

    /// Takes bytes off the front of `input`, up to the end of the next message, and hands that message out.
    ///
    /// `Ok(None)` means that `input` is empty. Nothing past the message is touched, so that the rest can be given to
    /// another decoder, for example after an upgrade. A message that is whole in `input` is lent from there, one that
    /// came in pieces from the storage. (A protocol that [hunts](Recovery::Hunt) looks again at bytes it has taken, and
    /// so may hold bytes past the message: see [`pending`](Self::pending). One that changes its bytes is lent from
    /// `&mut [u8]`, and from `&[u8]` by way of the storage.)
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for one malformed message: call again. [`Error::Lost`] when the stream is lost: the bytes from
    /// the malformed header on are left where they are, in [`pending`](Self::pending) and `input`.
    #[inline(always)]
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
    ) -> Result<Option<P::Message<'a>>, Error<P::Error>> {
        // The common case, small enough to be inlined into the caller's loop.
        let mut known = 0;
        if let Some(length) = self.protocol.glance(input.bytes()) {
            let lends = I::MUTABLE || P::Bytes::<'a>::SHARED;
            if length < self.room && length <= input.bytes().len() && lends {
                if let Some(frame) = input.take(length).lend() {
                    return self.protocol.quick(frame).map(Some).map_err(Error::Message);
                }
            }
            known = length;
        }
        let mut error = None;
        let Advance { taken, length } = self.advance(input.bytes(), known, Line::Open, &mut error);
        input.take(taken);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let frame = if let State::Stored { from, .. } = self.state {
            P::Bytes::mutable(take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length)))
        } else if I::MUTABLE || P::Bytes::<'a>::SHARED {
            let Some(frame) = input.take(length).lend() else { return Ok(None) };
            frame
        } else {
            let length = self.store(input.bytes(), length)?;
            input.take(length);
            P::Bytes::mutable(take_stored(&mut self.storage, &mut self.state, &mut self.room, (0, length)))
        };
        self.protocol.parse(frame).map(Some).map_err(Error::Message)
    }

    /// As [`feed`](Self::feed), in two steps: whether there is a message. It is for clients that read when there is
    /// none, and lend the message when there is, which one function cannot do before the borrow checker: see [`Buffer`]
    /// for the loop. `Ok(None)` means that the buffer is empty.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    #[inline]
    pub fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        buffer: &mut Buffer<M>,
    ) -> Result<Option<Ready>, Error<P::Error>> {
        let unread = buffer.unread();
        let known = self.protocol.glance(unread).unwrap_or(0);
        if known > 0 && known < self.room && known <= unread.len() {
            return Ok(Some(Ready { length: known, place: Place::Input(buffer.start()) }));
        }
        let mut error = None;
        let Advance { taken, length } = self.advance(unread, known, Line::Open, &mut error);
        buffer.take(taken);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let place = match self.state {
            State::Stored { from, .. } => Place::Stored(from),
            _ => Place::Input(buffer.start()),
        };
        Ok(Some(Ready { length, place }))
    }

    /// Takes the message that is [ready](Self::ready), from the same buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for a malformed message. [`Fault::NotReady`] if the message is no longer there.
    #[inline]
    pub fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<M>,
    ) -> Result<P::Message<'a>, Error<P::Error>> {
        let Ready { length, place } = ready;
        let frame = match place {
            Place::Input(start) => {
                if start != buffer.start() || buffer.unread().len() < length || self.room == 0 {
                    return Err(Error::Message(Fault::NotReady.into()));
                }
                buffer.take(length)
            }
            Place::Stored(from) => {
                if !matches!(self.state, State::Stored { from: its, .. } if its == from) {
                    return Err(Error::Message(Fault::NotReady.into()));
                }
                take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length))
            }
        };
        self.protocol.parse(P::Bytes::mutable(frame)).map_err(Error::Message)
    }

    /// The line fell silent: what has begun will not be continued. Call until it returns `Ok(None)`.
    ///
    /// A protocol whose messages end in silence (Modbus RTU) gets its message here. One that hunts gives up the bytes that
    /// looked like the beginning of a message, one by one, and finds the messages that were hidden behind them. For a
    /// protocol that does neither, silence means nothing, and the held bytes stay.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    pub fn gap(&mut self) -> Result<Option<P::Message<'_>>, Error<P::Error>> {
        let mut error = None;
        let Advance { length, .. } = self.advance(&[], 0, Line::Silent, &mut error);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let frame = match self.state {
            State::Stored { from, .. } => {
                take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length))
            }
            _ => &mut [],
        };
        self.protocol.parse(P::Bytes::mutable(frame)).map(Some).map_err(Error::Message)
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
        let passing = matches!(self.state, State::Passing(_) | State::Until { .. });
        if held > 0 || passing || self.protocol.inside() {
            return Err(Error::Lost(Fault::Truncated { held, missing: self.needed() }.into()));
        }
        Ok(())
    }

    /// The least number of bytes that must arrive before the next message, or piece, can be handed out. At least 1, and
    /// exact once the header is there: reading that many never takes a byte that belongs to what comes after.
    pub fn needed(&self) -> usize {
        if let State::Passing(left) = self.state {
            return left;
        }
        let held = self.pending();
        let total = match self.protocol.extent(held) {
            Ok(Extent::Need(n)) => n,
            Ok(Extent::Message(n)) if n <= self.storage.limit() => n,
            Ok(Extent::Message(n)) => self.protocol.head(held, n).unwrap_or(n),
            Ok(Extent::Piece(_) | Extent::Until(_) | Extent::Silence | Extent::Skip(_)) | Err(_) => 0,
        };
        total.saturating_sub(held.len()).max(1)
    }

    /// Whether the stream is lost: every call returns [`Error::Lost`] until [`reset`](Self::reset).
    pub const fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost(_))
    }

    /// The bytes of a message that has not all arrived yet.
    pub fn pending(&self) -> &[u8] {
        match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            // The bytes that lost the stream.
            State::Lost(_) => self.storage.held(),
            State::Direct | State::Passing(_) | State::Until { .. } | State::Noise => &[],
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
        // What has begun to arrive is measured anew: it may be something else now.
        if let State::Stored { seen, .. } = &mut self.state {
            *seen = Seen::NOTHING;
        }
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

/// Lends what the storage holds of a message, and is done with it. When that was all, the next message can be lent from the
/// input at once; what is left in the storage goes when the storage is needed.
#[inline]
fn take_stored<'a, S: Storage, E>(
    storage: &'a mut S,
    state: &mut State<E>,
    room: &mut usize,
    (from, length): (usize, usize),
) -> &'a mut [u8] {
    let to = from.saturating_add(length);
    *state = State::Stored { from: to, seen: Seen::NOTHING };
    if to >= storage.held().len() {
        *room = storage.limit().saturating_add(1);
    }
    storage.held_mut().get_mut(from..to).unwrap_or_default()
}

/// Everything but the common case.
impl<P: Protocol, S: Storage> Decoder<P, S> {
    /// Goes on to the next message. `known`: what [`Protocol::glance`] says of the input, or 0.
    #[inline(never)]
    fn advance(
        &mut self,
        input: &[u8],
        known: usize,
        line: Line,
        error: &mut Option<Error<P::Error>>,
    ) -> Advance {
        let mut rest = input;
        let length = match self.cross(&mut rest, known, line) {
            Some(length) => length,
            None => self.search(&mut rest, known, line, error),
        };
        Advance { taken: input.len().saturating_sub(rest.len()), length }
    }

    /// Goes on step by step.
    #[inline(never)]
    fn search(
        &mut self,
        input: &mut &[u8],
        mut known: usize,
        line: Line,
        error: &mut Option<Error<P::Error>>,
    ) -> usize {
        loop {
            match self.step(input, known, line) {
                Step::Again => known = 0,
                Step::Idle => {
                    if let State::Direct = self.state {
                        self.storage.release();
                    }
                    return Advance::NOTHING;
                }
                Step::Lend(length) => return length,
                Step::Bad(its) => {
                    *error = Some(Error::Message(its));
                    return Advance::NOTHING;
                }
                Step::Lost(its) => {
                    *error = Some(Error::Lost(its));
                    return Advance::NOTHING;
                }
            }
        }
    }

    /// The quick way across the end of what was read: a message that is cut there costs this three times. Whatever it
    /// returns, [`step`](Self::step) would too.
    #[inline(always)]
    fn cross(&mut self, input: &mut &[u8], known: usize, line: Line) -> Option<usize> {
        let held = self.storage.held().len();
        match self.state {
            // The rest of one whose length is known.
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
            // The beginning of one.
            self.storage.append(input).ok()?;
            self.enter(State::Stored { from: 0, seen: Seen::Length(known) });
            *input = &[];
            return Some(Advance::NOTHING);
        }
        Some(known)
    }

    /// Copies what is to be changed, and cannot be where it lies, into the empty storage. Returns how much it was:
    /// all, unless it is a piece.
    fn store(&mut self, input: &[u8], length: usize) -> Result<usize, Error<P::Error>> {
        let length = length.min(self.storage.limit().max(1));
        if let Err(fault) = self.storage.append(input.get(..length).unwrap_or_default()) {
            let error = P::Error::from(fault);
            self.enter(State::Lost(error.clone()));
            return Err(Error::Lost(error));
        }
        Ok(length)
    }

    fn enter(&mut self, state: State<P::Error>) {
        self.room = match state {
            State::Direct => self.storage.limit().saturating_add(1),
            _ => 0,
        };
        self.state = state;
    }

    #[inline]
    fn step(&mut self, input: &mut &[u8], known: usize, line: Line) -> Step<P::Error> {
        if let State::Stored { from, .. } = self.state {
            if from >= self.storage.held().len() {
                self.storage.clear();
                self.enter(State::Direct);
            }
        }
        let limit = self.storage.limit();
        let (held, seen) = match &self.state {
            // A glance has seen all of the input: what does not fit is measured by what would.
            State::Direct => (*input, Seen::Length(if known <= limit { known } else { 0 })),
            State::Stored { from, seen } => (self.storage.held().get(*from..).unwrap_or_default(), *seen),
            State::Lost(error) => return Step::Lost(error.clone()),
            State::Passing(left) => return self.pass(input, *left),
            State::Until { delimiter, matched } => return self.pass_until(input, delimiter, *matched),
            State::Noise => return self.pass_noise(input, line),
        };
        let all = held.len();
        // Had the bytes come one by one, none past the limit would ever be looked at.
        let bytes = held.get(..limit).unwrap_or(held);
        let have = bytes.len();
        let extent = match seen {
            Seen::Length(n @ 1..) => Ok(Extent::Message(n)),
            Seen::Length(0) | Seen::Bytes { .. } => self.protocol.extent(bytes),
        };
        match extent {
            Ok(Extent::Message(n)) if n <= have => self.checked(input, n),
            Ok(Extent::Message(n)) if n <= limit => self.wait(input, n, Seen::Length(n), line),
            Ok(Extent::Message(n)) => match self.protocol.head(bytes, n) {
                Some(head) if head <= have => Step::Lend(head),
                Some(head) if head <= limit => self.wait(input, head, Seen::NOTHING, line),
                _ => self.refuse(input, n),
            },
            Ok(Extent::Need(n)) => {
                let needed = n.max(have.saturating_add(1));
                if needed > limit {
                    // How long the message is, nobody knows.
                    return self.fail(input, Fault::TooLong { declared: needed, limit }.into());
                }
                self.wait(input, needed, Seen::NOTHING, line)
            }
            Ok(Extent::Piece(_) | Extent::Skip(_)) if have == 0 => Step::Idle,
            Ok(Extent::Piece(n)) => Step::Lend(n.max(1).min(all)),
            Ok(Extent::Skip(n)) => {
                self.give_up(input, n.max(1).min(all));
                Step::Again
            }
            Ok(Extent::Until(&[])) => self.wait(input, have.max(1), Seen::Length(1), line),
            Ok(Extent::Until(delimiter)) => self.until(input, delimiter, line),
            Ok(Extent::Silence) => self.until_silence(input, line),
            Err(error) => self.fail(input, error),
        }
    }

    /// What is at the front: held bytes, or the input.
    fn front<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            _ => input,
        }
    }

    const fn is_stored(&self) -> bool {
        matches!(self.state, State::Stored { .. })
    }

    /// A whole frame, if it may be believed.
    fn checked(&mut self, input: &mut &[u8], n: usize) -> Step<P::Error> {
        match self.protocol.check(self.front(input).get(..n).unwrap_or_default()) {
            Ok(()) => Step::Lend(n),
            Err(error) => {
                self.give_up(input, if P::RECOVERY == Recovery::Hunt { 1 } else { n });
                Step::Bad(error)
            }
        }
    }

    /// Puts the missing bytes into the storage, as far as they are here.
    fn wait(&mut self, input: &mut &[u8], needed: usize, seen: Seen, line: Line) -> Step<P::Error> {
        if line == Line::Silent {
            return self.silence(input);
        }
        if input.is_empty() {
            return Step::Idle;
        }
        match self.hold(input, needed, seen) {
            Ok(()) if self.storage.held().len() < needed => Step::Idle,
            Ok(()) => Step::Again,
            Err(fault) => self.fail(input, fault.into()),
        }
    }

    /// Moves bytes from the input behind the held ones, until `needed` are held or the input is empty.
    fn hold(&mut self, input: &mut &[u8], needed: usize, seen: Seen) -> Result<(), Fault> {
        if let State::Stored { from: from @ 1.., .. } = self.state {
            self.storage.discard(from);
        }
        // Before anything can fail: `from` no longer holds.
        self.enter(State::Stored { from: 0, seen });
        let missing = needed.saturating_sub(self.storage.held().len()).min(input.len());
        if let Some((now, rest)) = input.split_at_checked(missing) {
            self.storage.append(now)?;
            *input = rest;
        }
        Ok(())
    }

    /// A message that reaches up to a delimiter.
    fn until(&mut self, input: &mut &[u8], delimiter: &'static [u8], line: Line) -> Step<P::Error> {
        let (searched, mut matched) = match self.state {
            State::Stored { seen: Seen::Bytes { searched, matched }, .. } => (searched, matched),
            _ => (0, 0),
        };
        let limit = self.storage.limit();
        let all = self.front(input);
        let bytes = all.get(..limit).unwrap_or(all);
        let found = find_end(delimiter, &mut matched, bytes.get(searched..).unwrap_or_default());
        let end = found.map(|end| searched.saturating_add(end));
        let (have, shown) = (bytes.len(), bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default());
        if shown.len() > searched {
            if let Err(error) = self.protocol.scan(shown, searched) {
                return self.fail(input, error);
            }
        }
        let Some(end) = end else {
            if have >= limit {
                return self.overlong(input, delimiter, matched, have);
            }
            // Up to the delimiter, and nothing behind it. What is not held yet is what has just been searched.
            let more = match self.state {
                State::Stored { .. } => {
                    find_end(delimiter, &mut matched.clone(), input).unwrap_or(input.len())
                }
                _ => 0,
            };
            let needed = have.saturating_add(more).min(limit);
            return self.wait(input, needed, Seen::Bytes { searched: have, matched }, line);
        };
        self.checked(input, end)
    }

    /// A message that reaches up to a silence.
    fn until_silence(&mut self, input: &mut &[u8], line: Line) -> Step<P::Error> {
        let (front, limit) = (self.front(input).len(), self.storage.limit());
        let all = if self.is_stored() { front.saturating_add(input.len()) } else { front };
        if all > limit {
            let declared = limit.saturating_add(1);
            return self.fail(input, Fault::TooLong { declared, limit }.into());
        }
        match line {
            Line::Silent if front == 0 => Step::Idle,
            Line::Silent => self.checked(input, front),
            Line::Open if input.is_empty() => Step::Idle,
            Line::Open => match self.hold(input, all, Seen::NOTHING) {
                Ok(()) => Step::Idle,
                Err(fault) => self.fail(input, fault.into()),
            },
        }
    }

    /// The line fell silent inside a message.
    fn silence(&mut self, input: &mut &[u8]) -> Step<P::Error> {
        let held = self.pending().len();
        match P::RECOVERY {
            _ if held == 0 => Step::Idle,
            Recovery::Hunt => {
                self.give_up(input, 1);
                Step::Again
            }
            Recovery::Silence => {
                let missing = self.needed();
                self.give_up(input, held);
                Step::Bad(Fault::Truncated { held, missing }.into())
            }
            Recovery::Close | Recovery::Delimiter => Step::Idle,
        }
    }

    /// `extent` failed, or what it said cannot be.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, input: &mut &[u8], error: P::Error) -> Step<P::Error> {
        match P::RECOVERY {
            Recovery::Hunt => {
                self.give_up(input, 1);
                Step::Bad(error)
            }
            Recovery::Silence => {
                self.give_up(input, self.front(input).len());
                self.storage.clear();
                self.enter(State::Noise);
                Step::Bad(error)
            }
            Recovery::Close | Recovery::Delimiter => {
                if let State::Stored { from, .. } = self.state {
                    self.storage.discard(from);
                }
                self.enter(State::Lost(error.clone()));
                Step::Lost(error)
            }
        }
    }

    /// A message of `n` bytes, which is longer than the storage. Its framing is intact: it alone is refused.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self, input: &mut &[u8], n: usize) -> Step<P::Error> {
        let error = Fault::TooLong { declared: n, limit: self.storage.limit() }.into();
        // A length that no memory can have stands for one that could not be read.
        if matches!(P::RECOVERY, Recovery::Hunt | Recovery::Silence) || n == usize::MAX {
            return self.fail(input, error);
        }
        let here = self.front(input).len().min(n);
        self.give_up(input, here);
        if let left @ 1.. = n.saturating_sub(here) {
            self.storage.clear();
            self.enter(State::Passing(left));
        }
        Step::Bad(error)
    }

    /// No delimiter in as many bytes as there may be.
    #[cold]
    #[inline(never)]
    fn overlong(
        &mut self,
        input: &mut &[u8],
        delimiter: &'static [u8],
        matched: usize,
        have: usize,
    ) -> Step<P::Error> {
        // Where the delimiter is must not matter, or the error would depend on how much has arrived.
        let error = Fault::TooLong { declared: have.saturating_add(1), limit: have }.into();
        if P::RECOVERY != Recovery::Delimiter {
            return self.fail(input, error);
        }
        self.give_up(input, have);
        self.storage.clear();
        self.enter(State::Until { delimiter, matched });
        Step::Bad(error)
    }

    fn pass(&mut self, input: &mut &[u8], left: usize) -> Step<P::Error> {
        let n = left.min(input.len());
        self.drop_input(input, n);
        match left.saturating_sub(n) {
            0 => {
                self.enter(State::Direct);
                Step::Again
            }
            left => {
                self.enter(State::Passing(left));
                Step::Idle
            }
        }
    }

    fn pass_until(
        &mut self,
        input: &mut &[u8],
        delimiter: &'static [u8],
        mut matched: usize,
    ) -> Step<P::Error> {
        let end = find_end(delimiter, &mut matched, input);
        self.drop_input(input, end.unwrap_or(input.len()));
        if end.is_some() {
            self.enter(State::Direct);
            return Step::Again;
        }
        self.enter(State::Until { delimiter, matched });
        Step::Idle
    }

    fn pass_noise(&mut self, input: &mut &[u8], line: Line) -> Step<P::Error> {
        self.drop_input(input, input.len());
        if line == Line::Silent {
            self.enter(State::Direct);
        }
        Step::Idle
    }

    /// Bytes at the front are no message.
    fn give_up(&mut self, input: &mut &[u8], n: usize) {
        if let State::Stored { from, seen } = &mut self.state {
            *from = from.saturating_add(n);
            *seen = Seen::NOTHING;
            self.protocol.skipped(n);
        } else {
            self.drop_input(input, n);
        }
    }

    fn drop_input(&mut self, input: &mut &[u8], n: usize) {
        *input = input.get(n..).unwrap_or_default();
        self.protocol.skipped(n);
    }
}

impl Seen {
    const NOTHING: Self = Self::Length(0);
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
