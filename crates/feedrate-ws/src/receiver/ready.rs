//! [`feed`](Receiver::<S>::feed) in two steps, for a client that pulls: [`Receiver::ready`] and [`Receiver::take`].

use feedrate::{Buffer, Instant, Storage};

use super::Receiver;
use super::assembly::What;
use super::control::{fail, tell, tell_error};
use super::event::{Event, Fed};
use super::step::Step;
use crate::answer::Answer;
use crate::error::Error;
use crate::frames::QUICK;
use crate::message::{Message, Piece};
use crate::mode::InPieces;

/// An event that can be [taken](Receiver::take). As long as it has not been, nothing has happened to it: it is found
/// again by whoever asks next.
#[derive(Debug)]
#[must_use = "the event is not taken before `take` is called"]
pub struct Ready {
    step: Step,
    /// How much of the stream comes before it.
    at: u64,
    /// Bytes at the front of the buffer that leave with it.
    length: usize,
}

impl Ready {
    /// Whether it is a message, or a piece of one. If not, it is what a control frame says.
    pub const fn is_message(&self) -> bool {
        !matches!(self.step, Step::Lend(What::Control(_)) | Step::Stored(What::Control(_), _))
    }

    /// How many of the buffer's bytes leave when it is taken. Where there are more, another event may be ready behind
    /// it.
    pub const fn in_buffer(&self) -> usize {
        self.length
    }
}

/// Memory that is read into.
trait Memory: AsRef<[u8]> + AsMut<[u8]> {}
impl<M: AsRef<[u8]> + AsMut<[u8]>> Memory for M {}

impl<S: Storage> Receiver<S> {
    /// As [`feed`](Self::feed), in two steps: whether there is an event. It is for clients that read when there is
    /// none, and lend the message when there is, which one function cannot do before the borrow checker. `None`: the
    /// buffer is empty.
    ///
    /// ```
    /// use std::io::{self, Read};
    ///
    /// use feedrate::{Buffer, Grow, Instant};
    /// use feedrate_ws::{Event, Message, Receiver, Role, Sender};
    ///
    /// struct Client<R> {
    ///     io: R,
    ///     receiver: Receiver<Grow>,
    ///     sender: Sender<Grow, fn() -> [u8; 4]>,
    ///     buffer: Buffer<[u8; 4096]>,
    /// }
    ///
    /// impl<R: Read> Client<R> {
    ///     /// `None`: the stream has ended.
    ///     fn next(&mut self) -> io::Result<Option<Event<'_, Message<'_>>>> {
    ///         let now = Instant::ZERO; // or what a clock says
    ///         let Self { io, receiver, sender, buffer } = self;
    ///         let ready = loop {
    ///             if let Some(ready) = receiver.ready(buffer, now, sender).map_err(io::Error::other)? {
    ///                 break ready;
    ///             }
    ///             match io.read(buffer.space())? {
    ///                 0 => return Ok(None),
    ///                 n => buffer.filled(n),
    ///             }
    ///         };
    ///         // The borrow comes last, or this does not compile.
    ///         receiver.take(ready, buffer, now, sender).map_err(io::Error::other)
    ///     }
    /// }
    ///
    /// let mut client = Client {
    ///     io: &b"\x81\x05Hello"[..],
    ///     receiver: Receiver::new(Role::Client, Grow::new(1 << 20)),
    ///     sender: Sender::client(Grow::new(1 << 20), || *b"mask"),
    ///     buffer: Buffer::new([0; 4096]),
    /// };
    /// assert_eq!(client.next()?, Some(Event::Message("Hello".into())));
    /// assert_eq!(client.next()?, None);
    /// # Ok::<(), io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    #[inline]
    pub fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        buffer: &mut Buffer<M>,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Ready>, Error> {
        if QUICK && self.assembly.is_quick() {
            let look = self.frames.protocol().look(buffer.unread());
            if let Some(look) = look.filter(|look| self.assembly.is_single(look)) {
                return Ok(Some(Ready { step: Step::Single, at: self.position(), length: look.frame() }));
            }
        }
        self.search(buffer, true).map_err(|error| tell_error(error, now, answers))
    }

    /// Takes the event that is [ready](Self::ready), from the same buffer. `None`: it is not there any more, as it has
    /// been taken.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed): what a text says is looked at here.
    #[inline]
    pub fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<M>,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Event<'a, Message<'a>>>, Error> {
        let fed = self.taken(&ready, buffer);
        tell(&fed, now, answers);
        fed
    }

    #[inline]
    fn taken<'a, M: Memory>(&'a mut self, ready: &Ready, buffer: &'a mut Buffer<M>) -> Fed<'a, Message<'a>> {
        if self.position() != ready.at {
            return Ok(None);
        }
        match ready.step {
            Step::Idle => Ok(None),
            Step::Single => {
                let look = self.frames.protocol().look(buffer.unread());
                let Some(look) = look.filter(|look| self.assembly.is_single(look)) else { return Ok(None) };
                self.single(&look, &mut buffer.consume(look.frame()))
            }
            Step::Lend(what) => match self.payload(buffer, what, true) {
                Some(mut payload) => self.lend(what, &mut payload),
                None => Ok(None),
            },
            Step::Stored(..) => match self.assembly.take_found(true) {
                Some((what, at)) => self.held(what, at),
                None => Ok(None),
            },
        }
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// As [`ready`](Receiver::<S>::ready), and what is ready is a piece of a message.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    #[inline]
    pub fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        buffer: &mut Buffer<M>,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Ready>, Error> {
        self.search(buffer, false).map_err(|error| tell_error(error, now, answers))
    }

    /// As [`take`](Receiver::<S>::take).
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    #[inline]
    pub fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<M>,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Event<'a, Piece<'a>>>, Error> {
        let fed = self.taken(&ready, buffer);
        tell(&fed, now, answers);
        fed
    }

    fn taken<'a, M: Memory>(&'a mut self, ready: &Ready, buffer: &'a mut Buffer<M>) -> Fed<'a, Piece<'a>> {
        if self.position() != ready.at {
            return Ok(None);
        }
        match ready.step {
            Step::Idle => Ok(None),
            // A whole frame.
            Step::Single => {
                let look = self.frames.protocol().look(buffer.unread()).filter(|look| look.is_whole());
                let Some(look) = look else { return Ok(None) };
                self.lend(None, &mut buffer.consume(look.frame()))
            }
            Step::Lend(what) => match self.payload(buffer, what, false) {
                Some(mut payload) => self.lend(Some(what), &mut payload),
                None => Ok(None),
            },
            Step::Stored(..) => match self.assembly.take_found(false) {
                Some((what, at)) => self.held(what, at),
                None => Ok(None),
            },
        }
    }
}

impl<S: Storage, N> Receiver<S, N> {
    fn position(&self) -> u64 {
        self.assembly.position(self.frames.protocol().remaining())
    }

    fn search<M: Memory>(&mut self, buffer: &mut Buffer<M>, whole: bool) -> Result<Option<Ready>, Error> {
        let mut input = buffer.unread_mut();
        let all = input.len();
        let step = self.step(&mut input, whole);
        let taken = all.saturating_sub(input.len());
        buffer.consume(taken);
        match step {
            Ok(Step::Idle) => Ok(None),
            Ok(step) => {
                if let Step::Stored(what, _) = step {
                    self.assembly.find(what);
                }
                let length = match step {
                    Step::Idle | Step::Stored(..) => 0,
                    Step::Single => {
                        self.frames.protocol().look(buffer.unread()).map_or(0, |look| look.frame())
                    }
                    Step::Lend(_) => self.here(buffer),
                };
                Ok(Some(Ready { step, at: self.position(), length }))
            }
            Err(violation) => {
                let failed: Fed<'_, ()> = fail(violation, &mut self.assembly);
                failed.map(|_| None)
            }
        }
    }

    /// The payload that is at the front of the buffer. All of it, unless it is a piece of a message.
    fn payload<'a, M: Memory>(
        &self,
        buffer: &'a mut Buffer<M>,
        what: What,
        whole: bool,
    ) -> Option<&'a mut [u8]> {
        let here = self.here(buffer);
        let all = u64::try_from(here) == Ok(self.frames.protocol().remaining());
        let whole = whole || matches!(what, What::Control(_));
        (here > 0 && (all || !whole)).then(|| buffer.consume(here))
    }

    /// Bytes of the frame's payload that are at the front of the buffer.
    fn here<M: Memory>(&self, buffer: &Buffer<M>) -> usize {
        let remaining = usize::try_from(self.frames.protocol().remaining()).unwrap_or(usize::MAX);
        buffer.unread().len().min(remaining)
    }
}
