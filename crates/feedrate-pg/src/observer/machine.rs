//! One account of where the server is: usually the only one.

use super::expected::Set;
use super::step::{Context, Next, Step, rows};
use crate::queue::{Kind, Place, Queue, Slot};

/// One account of what the server has done with the messages in the queue.
///
/// Where nobody can know what it has done there are two, and each is dropped when a message contradicts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// The first entry that the server has not come to.
    pub(super) place: Place,
    pub(super) step: Step,
    /// The response is one to an extended query: an error makes the server skip.
    extended: bool,
    /// How many more rows Execute may return.
    rows: u32,
    /// Messages from `place` on, and the present one, that get a ReadyForQuery.
    pub(super) ready: u32,
    /// Messages from `place` on that may be a COPY.
    copies: u32,
    /// A Sync or Flush with a body, which fails unless a COPY swallows it, was swallowed or not.
    odd: bool,
    /// So many Syncs, before the present message, that were swallowed by a COPY or not.
    pub(super) ghosts: u32,
}

/// What a message of the server was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    No,
    Yes,
    /// Yes, but from here on there are more possibilities than are followed.
    Lost,
    /// Yes, and from here on there are two accounts: this one, and that one.
    Split(Machine),
}

impl Machine {
    pub(super) const NEW: Self = Self {
        place: Place::ORIGIN,
        step: Step::Idle,
        extended: false,
        rows: rows::ALL,
        ready: 0,
        copies: 0,
        ghosts: 0,
        odd: false,
    };

    /// A row or a piece of a COPY, where it changes nothing. The most frequent of all messages.
    #[inline]
    pub(super) fn quick(&mut self, tag: u8) -> bool {
        match (self.step, tag) {
            (Step::Rows, b'D') | (Step::CopyOut | Step::CopyBoth, b'd') => true,
            (Step::Executing, b'D') => self.rows == rows::ALL,
            _ => false,
        }
    }

    /// What the server may send.
    pub(super) fn may_send(&self, tag: u8, context: Context) -> bool {
        self.step.next(tag, self.rows, self.extended, context).is_some() || self.may_be_ghost(tag)
    }

    /// What the frontend may send.
    pub(super) const fn may_be_sent(&self, context: Context) -> Set {
        let again = matches!(self.step, Step::CopyInDone) && !self.extended;
        self.step.frontend(self.copies > 0 || again, context)
    }

    const fn may_be_ghost(&self, tag: u8) -> bool {
        tag == b'Z' && self.ghosts > 0 && self.step.is_first()
    }

    /// The server has sent a message.
    pub(super) fn take<M>(&mut self, tag: u8, queue: &Queue<M>, context: Context) -> Taken
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let Some(next) = self.step.next(tag, self.rows, self.extended, context) else {
            if !self.may_be_ghost(tag) {
                return Taken::No;
            }
            self.ghosts = self.ghosts.saturating_sub(1);
            if self.step == Step::Skip {
                self.begin(queue, context);
            }
            return Taken::Yes;
        };
        // ReadyForQuery and an error of Sync do not tell whether the Syncs before were answered; everything else was
        // sent after their answers. That a COPY fails makes them doubtful.
        let doubtful = matches!(
            self.step,
            Step::Sync | Step::Failed | Step::CopyIn | Step::CopyInFailed | Step::CopyInBroken
        ) || (self.step, next) == (Step::CopyInDone, Next::Failed);
        if !doubtful {
            self.ghosts = 0;
        }
        let odd = doubtful && self.odd;
        self.odd = odd;
        match next {
            Next::Failed if odd => {
                self.step = if self.extended { Step::Skip } else { Step::Failed };
                self.odd = false;
                let _ = self.extended.then(|| self.skip(queue, context));
                Taken::Lost
            }
            Next::Step(step) => {
                if step == Step::Executing && self.rows < rows::UNKNOWN {
                    self.rows = self.rows.saturating_sub(1);
                }
                self.step = step;
                self.absorb(queue);
                Taken::Yes
            }
            Next::Done => {
                if tag == b'Z' {
                    self.ready = self.ready.saturating_sub(1);
                }
                self.begin(queue, context);
                Taken::Yes
            }
            Next::Failed if self.extended => {
                self.step = Step::Skip;
                self.skip(queue, context)
            }
            Next::Failed => {
                let eaten = self.step == Step::CopyInBroken && context.eats;
                self.step = Step::Failed;
                if !eaten {
                    return Taken::Yes;
                }
                let mut other = *self;
                other.ghosts = 0;
                if let Some(entry) = queue.next(&mut other.place) {
                    other.drop(entry.kind);
                }
                Taken::Split(other)
            }
        }
    }

    /// The frontend has sent a message: it is the last of the queue.
    pub(super) fn pushed<M>(&mut self, kind: Kind, queue: &Queue<M>, context: Context) -> Taken
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        self.ready = self.ready.saturating_add(gets_ready(kind).into());
        self.copies = self.copies.saturating_add(may_copy(kind).into());
        match self.step {
            Step::Idle => self.begin(queue, context),
            Step::Skip => return self.skip(queue, context),
            _ => self.absorb(queue),
        }
        Taken::Yes
    }

    /// Goes on with the next message that the server responds to.
    fn begin<M>(&mut self, queue: &Queue<M>, context: Context)
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        self.step = Step::Idle;
        while self.step == Step::Idle {
            let Some(entry) = queue.next(&mut self.place) else { return };
            self.enter(entry.kind, context);
        }
    }

    fn enter(&mut self, kind: Kind, context: Context) {
        self.step = Step::first(kind, context);
        self.extended = is_extended(kind);
        self.rows = match kind {
            Kind::ExecuteUpTo(Some(limit)) => limit.get().min(rows::UNKNOWN.saturating_sub(1)),
            Kind::ExecuteUpTo(None) => rows::UNKNOWN,
            _ => rows::ALL,
        };
        self.copies = self.copies.saturating_sub(may_copy(kind).into());
    }

    /// Skips up to a Sync.
    ///
    /// Whether the server skips is doubtful if Syncs are: if one of them was not swallowed by the COPY that failed, it
    /// has ended the skipping already.
    fn skip<M>(&mut self, queue: &Queue<M>, context: Context) -> Taken
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let mut taken = Taken::Yes;
        loop {
            let Some(entry) = queue.get(self.place) else { return taken };
            if !is_sync(entry.kind) && self.ghosts > 0 && !is_silent(entry.kind) {
                let mut other = *self;
                other.step = Step::Sync;
                other.ghosts = self.ghosts.saturating_sub(1);
                other.ready = self.ready.saturating_add(1);
                other.extended = false;
                self.ghosts = 0;
                taken = Taken::Split(other);
            }
            queue.next(&mut self.place);
            if is_sync(entry.kind) {
                self.enter(entry.kind, context);
                return taken;
            }
            self.drop(entry.kind);
        }
    }

    /// An entry passes that gets no response.
    fn drop(&mut self, kind: Kind) {
        self.ready = self.ready.saturating_sub(gets_ready(kind).into());
        self.copies = self.copies.saturating_sub(may_copy(kind).into());
    }

    /// What a COPY takes.
    fn absorb<M>(&mut self, queue: &Queue<M>)
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        while let (true, Some(entry)) = (self.step.takes_data(), queue.get(self.place)) {
            match (self.step, entry.kind) {
                (_, Kind::CopyData | Kind::Flush) => {}
                (Step::CopyIn, Kind::Sync) => {
                    self.drop(entry.kind);
                    self.ghosts = self.ghosts.saturating_add(1);
                }
                (Step::CopyIn, Kind::MalformedSync | Kind::MalformedFlush) => {
                    self.drop(entry.kind);
                    self.odd = true;
                }
                (Step::CopyIn, Kind::CopyDone) => self.step = Step::CopyInDone,
                (Step::CopyIn, Kind::CopyFail) => self.step = Step::CopyInFailed,
                (Step::CopyIn, _) => {
                    self.step = Step::CopyInBroken;
                    return;
                }
                (Step::CopyBoth, Kind::CopyDone) => self.step = Step::CopyBothFrontendDone,
                (_, Kind::CopyDone) => self.step = Step::CopyBothDone,
                // This ends the connection, unless an error has ended the COPY before it.
                _ => return,
            }
            queue.next(&mut self.place);
        }
    }

    /// Whether both say the same from here on, but for the doubt about Syncs.
    pub(super) fn is_same<M>(&self, other: &Self, queue: &Queue<M>) -> bool
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let place = Place::ORIGIN;
        Self { place, ghosts: 0, ..*self } == Self { place, ghosts: 0, ..*other }
            && queue.is_same(self.place, other.place)
    }

    /// A message has come that fits nowhere: goes on where it fits, if that is near.
    pub(super) fn resume<M>(&mut self, tag: u8, queue: &Queue<M>, context: Context)
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let mut guess = *self;
        for _ in 0..NEAR {
            // The present response is taken for complete.
            let ready = !guess.extended && !matches!(guess.step, Step::Idle | Step::Skip);
            guess.ready = guess.ready.saturating_sub(ready.into());
            guess.ghosts = 0;
            guess.begin(queue, context);
            if ready && tag == b'Z' || guess.take(tag, queue, context) != Taken::No {
                *self = guess;
                return;
            }
            if guess.step == Step::Idle {
                return;
            }
        }
    }
}

/// How many messages may have been lost.
const NEAR: u8 = 8;

/// Whether it gets a ReadyForQuery of its own.
const fn gets_ready(kind: Kind) -> bool {
    is_sync(kind) || matches!(kind, Kind::Query | Kind::FunctionCall)
}

/// Whether it may begin a COPY.
const fn may_copy(kind: Kind) -> bool {
    matches!(kind, Kind::Query | Kind::Execute | Kind::ExecuteUpTo(_))
}

const fn is_sync(kind: Kind) -> bool {
    matches!(kind, Kind::Sync | Kind::MalformedSync)
}

const fn is_silent(kind: Kind) -> bool {
    matches!(kind, Kind::Flush | Kind::CopyData | Kind::CopyDone | Kind::CopyFail)
}

const fn is_extended(kind: Kind) -> bool {
    !gets_ready(kind)
}
