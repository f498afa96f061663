//! [`Observer`]: both directions, from the first packet to the last message.

use core::fmt;
use core::num::NonZeroU32;

use feedrate::pg::backend::TransactionStatus;
use feedrate::pg::stream::Begin;
use feedrate::pg::{backend, frontend};

use super::expected::{ENCRYPTION, Expected, Set, Side, Verdict};
use super::machines::{Machines, Outcome};
use super::report::{InStep, Owed, Phase, Situation};
use super::session::Session;
use super::startup::{Startup, is_fatal, is_replication};
use super::step::{Context, Step};
use crate::queue::{Full, Kind, Queue, Slot};

/// What an observer knows of a connection. `M` is the memory for what is owed: an array, slice or `Vec` of
/// [`Slot`]s.
///
/// ```
/// use feedrate::pg::{backend, frontend};
/// use feedrate_pg::observer::Observer;
/// use feedrate_pg::queue::Slot;
///
/// let mut observer = Observer::established([Slot::EMPTY; 16]);
/// observer.frontend(&frontend::Frame::from_bytes(b"Q\0\0\0\x0bcommit\0")?)?;
/// assert_eq!(observer.ready_owed().exact(), Some(1));
///
/// assert!(observer.backend(&backend::Frame::from_bytes(b"C\0\0\0\x0bCOMMIT\0")?).is_expected());
/// assert!(!observer.is_idle());
/// assert!(observer.backend(&backend::Frame::from_bytes(b"Z\0\0\0\x05I")?).is_expected());
/// assert!(observer.is_idle());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Observer<M> {
    queue: Queue<M>,
    machines: Machines,
    phase: Phase,
    startup: Startup,
    context: Context,
    terminated: bool,
    status: TransactionStatus,
    /// An error has come since the last ReadyForQuery.
    failed: bool,
    /// It was the last message, but for those that come at any time.
    just_failed: bool,
    /// The frontend may not have seen an error yet that ended a COPY, or that prevented it.
    late: bool,
    /// An extended query has been sent, and no Sync.
    batch: bool,
    session: Session,
    lost: Lost,
    /// The number of the first message behind which the step can be found again.
    lost_at: u64,
    situation: Situation,
}

/// Whether the accounts can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    No,
    /// A message has come that fits none of them.
    Fault,
    /// There have been too many.
    Several,
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> Observer<M> {
    /// A new connection, before its startup packets.
    pub const fn new(memory: M) -> Self {
        Self::starting_with(memory, Phase::Startup)
    }

    /// A connection on which the first ReadyForQuery has passed, and nothing since. It must not be one for replication.
    pub const fn established(memory: M) -> Self {
        Self::starting_with(memory, Phase::Ready)
    }

    const fn starting_with(memory: M, phase: Phase) -> Self {
        Self {
            queue: Queue::new(memory),
            machines: Machines::ONE,
            phase,
            startup: Startup::NEW,
            context: Context { replication: false, stray: false, eats: true },
            terminated: false,
            status: TransactionStatus::Idle,
            failed: false,
            just_failed: false,
            late: false,
            batch: false,
            session: Session::NONE,
            lost: Lost::No,
            lost_at: 0,
            situation: Situation::SyncInCopy,
        }
    }

    /// The frontend sends this message.
    ///
    /// # Errors
    ///
    /// [`Full`]: nothing has been counted. Do not forward it and read no more from the frontend, until messages of the
    /// server have made room. The server may keep them back until a Sync or Flush comes, which may be behind what you
    /// have
    /// stopped reading: give the memory room for a batch, or send the server a Flush of your own (not on a replication
    /// connection, which needs none).
    #[inline]
    pub fn frontend(&mut self, frame: &frontend::Frame<'_>) -> Result<Verdict, Full> {
        let length = u32::try_from(frame.raw().len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.frontend_head(frame.tag(), length, frame.body())
    }

    /// The frontend begins to send a long message: its head, and as much of its body as there is.
    ///
    /// The body matters in these alone: startup packets (all of it), Execute (the portal's name and the limit behind
    /// it),
    /// Describe (the first byte) and Parse (the first byte). Without it the observer has to admit more.
    ///
    /// # Errors
    ///
    /// As [`frontend`](Self::frontend).
    pub fn frontend_begins(&mut self, begin: Begin, body: &[u8]) -> Result<Verdict, Full> {
        self.frontend_head(begin.tag, begin.length, body)
    }

    /// The server sends this message.
    #[inline]
    pub fn backend(&mut self, frame: &backend::Frame<'_>) -> Verdict {
        self.backend_head(frame.tag(), frame.body())
    }

    /// The server begins to send a long message: its head, and as much of its body as there is.
    ///
    /// The body matters in these alone: Authentication (four bytes), ReadyForQuery (one), ErrorResponse (up to the
    /// field
    /// `V`, which is the second), CommandComplete and ParameterStatus.
    pub fn backend_begins(&mut self, begin: Begin, body: &[u8]) -> Verdict {
        self.backend_head(begin.tag, body)
    }

    #[inline]
    fn frontend_head(&mut self, tag: u8, length: u32, body: &[u8]) -> Result<Verdict, Full> {
        let takes = tag == b'd' && self.machines.is_one() && self.machines.first().step.takes_data();
        if takes && !self.terminated {
            return Ok(Verdict::Expected);
        }
        self.frontend_other(tag, length, body)
    }

    #[inline(never)]
    fn frontend_other(&mut self, tag: u8, length: u32, body: &[u8]) -> Result<Verdict, Full> {
        let tag = if tag == 0 { Startup::packet(body) } else { tag };
        let set = self.frontend_set();
        let verdict = judge(Side::Frontend, set, tag);
        match self.phase {
            Phase::Startup | Phase::Encrypting => {
                if set.contains(tag) {
                    self.phase = self.startup.packet_sent(tag);
                    self.context.replication = self.phase == Phase::Authenticating && is_replication(body);
                }
                return Ok(verdict);
            }
            _ if tag < b'1' || self.terminated || self.phase == Phase::Over => return Ok(verdict),
            _ => {}
        }
        let kind = match tag {
            b'p' => {
                self.startup.answered();
                return Ok(verdict);
            }
            b'X' => {
                self.terminated = true;
                return Ok(verdict);
            }
            // Silent wherever they are; only a COPY that has not begun yet could read them.
            b'd' => {
                let takes = self.machines.all().iter().any(|machine| machine.step.takes_data());
                self.context.stray |= self.context.replication && !takes;
                return Ok(verdict);
            }
            b'H' if length == 4 => return Ok(verdict),
            _ => match kind(tag, length, body) {
                Some(kind) => kind,
                // The server ends the connection.
                None => return Ok(verdict),
            },
        };
        if let Err(full) = self.queue.push(kind.into()) {
            // In doubt the server may be waiting for just this message.
            if self.machines.is_one() || !self.machines.abandon(&mut self.queue) {
                return Err(full);
            }
            self.queue.push(kind.into())?;
            self.lose(Lost::Several);
        }
        match kind {
            Kind::Sync | Kind::MalformedSync => self.batch &= self.machines.first().step == Step::CopyIn,
            Kind::CopyDone | Kind::CopyFail => {
                self.context.stray |= self.context.replication && quiet_copy(&self.machines)
            }
            Kind::Query | Kind::FunctionCall => {}
            _ => self.batch = true,
        }
        if !matches!(
            kind,
            Kind::Sync | Kind::MalformedSync | Kind::CopyDone | Kind::CopyFail | Kind::MalformedFlush
        ) {
            self.late = false;
        }
        if kind == Kind::Parse && body.first().is_some_and(|first| *first != 0) {
            self.session.prepared_statements = true;
        }
        let context = self.context;
        let outcome =
            self.machines.each(&mut self.queue, |machine, queue| machine.pushed(kind, queue, context));
        self.doubt(outcome, Situation::SkippedAfterCopy);
        Ok(verdict)
    }

    #[inline]
    fn backend_head(&mut self, tag: u8, body: &[u8]) -> Verdict {
        if self.machines.is_one() && self.machines.first().quick(tag) {
            return Verdict::Expected;
        }
        self.backend_other(tag, body)
    }

    #[inline(never)]
    fn backend_other(&mut self, tag: u8, body: &[u8]) -> Verdict {
        match self.phase {
            Phase::Ready => self.response(tag, body),
            _ => self.start(tag, body),
        }
    }

    /// A message before the first ReadyForQuery, or after the end.
    fn start(&mut self, tag: u8, body: &[u8]) -> Verdict {
        let tag = if tag == 0 { ENCRYPTION } else { tag };
        let set = self.backend_set();
        let mut verdict = judge(Side::Backend, set, tag);
        if !verdict.is_expected() {
            return verdict;
        }
        let next = match tag {
            ENCRYPTION => self.startup.encryption(body).then_some(Phase::Startup),
            b'E' => Some(Phase::Over),
            b'R' => self.startup.request(body),
            b'Z' => {
                self.status = status(body);
                Some(Phase::Ready)
            }
            b'S' => {
                self.parameter(body);
                Some(self.phase)
            }
            b'v' => {
                self.startup.negotiated();
                Some(self.phase)
            }
            _ => Some(self.phase),
        };
        match next {
            Some(phase) => self.phase = phase,
            None => verdict = Verdict::Unexpected { expected: Expected::new(Side::Backend, set) },
        }
        verdict
    }

    /// A message after the first ReadyForQuery.
    fn response(&mut self, tag: u8, body: &[u8]) -> Verdict {
        match tag {
            b'A' | b'N' => return Verdict::Expected,
            b'S' => {
                self.session.reported_settings = true;
                self.parameter(body);
                return Verdict::Expected;
            }
            b'C' => self.session.completed(body),
            _ => {}
        }
        let fatal = if tag == b'E' { is_fatal(body) } else { Some(false) };
        if fatal == Some(true) {
            self.phase = Phase::Over;
            return Verdict::Expected;
        }
        let context = self.context;
        let expected = self.backend_set();
        let query = tag == b'Z' && self.machines.first().step == Step::Next;
        let outcome = self.machines.each(&mut self.queue, |machine, queue| machine.take(tag, queue, context));
        if outcome == Outcome::None {
            if fatal.is_none() {
                self.phase = Phase::Over;
                return Verdict::Expected;
            }
            return self.unexpected(tag, expected);
        }
        let situation = if self.machines.first().step == Step::Failed {
            Situation::MessageInCopy
        } else {
            Situation::SkippedAfterCopy
        };
        self.doubt(outcome, situation);
        let possible = tag != b'Z' || self.ready(status(body));
        self.just_failed = tag == b'E';
        self.failed |= self.just_failed;
        self.late |= self.just_failed;
        // What else could be owed came before the response to this Query, and was expected.
        if query && self.lost != Lost::No && self.is_quiet() && self.queue.popped() > self.lost_at {
            self.lost = Lost::No;
        }
        if possible { Verdict::Expected } else { self.fault(tag, expected) }
    }

    /// ReadyForQuery has come; `false`: its status is one that it cannot have.
    fn ready(&mut self, status: TransactionStatus) -> bool {
        let possible = match status {
            TransactionStatus::Idle => true,
            TransactionStatus::InTransaction => !self.just_failed,
            TransactionStatus::Failed => self.failed || self.status == TransactionStatus::Failed,
            _ => false,
        };
        self.status = status;
        self.failed = false;
        possible
    }

    /// A message that fits nowhere. What it belongs to is guessed, so that the next ones fit again.
    #[cold]
    fn unexpected(&mut self, tag: u8, expected: Set) -> Verdict {
        let context = self.context;
        self.machines.collapse();
        self.machines.first().resume(tag, &self.queue, context);
        self.machines.trim(&mut self.queue);
        self.fault(tag, expected)
    }

    #[cold]
    fn fault(&mut self, tag: u8, expected: Set) -> Verdict {
        let several = self.lost == Lost::Several;
        self.lose(if several { Lost::Several } else { Lost::Fault });
        if several && expected.contains(tag) {
            return Verdict::Expected;
        }
        Verdict::Unexpected { expected: Expected::new(Side::Backend, expected) }
    }

    const fn lose(&mut self, lost: Lost) {
        if !matches!(self.lost, Lost::Fault) {
            self.lost = lost;
        }
        self.lost_at = self.queue.pushed();
    }

    /// Notes which doubt there is.
    fn doubt(&mut self, outcome: Outcome, situation: Situation) {
        match outcome {
            Outcome::Split => self.situation = situation,
            Outcome::TooMany => self.lose(Lost::Several),
            _ => {}
        }
    }

    fn parameter(&mut self, body: &[u8]) {
        let Some(version) = body.strip_prefix(b"server_version\0") else { return };
        let digits = version.iter().map_while(|byte| char::from(*byte).to_digit(10));
        let major = digits.fold(0_u32, |major, digit| major.saturating_mul(10).saturating_add(digit));
        self.context.eats = major < 14;
    }

    fn frontend_set(&self) -> Set {
        match self.phase {
            _ if self.terminated => Set::NONE,
            Phase::Ready => {
                let late = if self.late { Set::of(b"dcf") } else { Set::NONE };
                let sets = self.machines.all().iter().map(|machine| machine.may_be_sent(self.context));
                sets.fold(late, Set::with)
            }
            phase => self.startup.frontend(phase),
        }
    }

    fn backend_set(&self) -> Set {
        match self.phase {
            Phase::Ready => self.response_set(),
            Phase::Over => Set::NONE,
            phase => self.startup.backend(phase).with(Set::of(b"E")),
        }
    }

    fn response_set(&self) -> Set {
        const TAGS: &[u8] = b"123CDGHITVWZcdnst";
        // Of several doubts not all are followed: none of these would be reported.
        let any = self.lost == Lost::Several;
        let may =
            |tag: &u8| any || self.machines.all().iter().any(|machine| machine.may_send(*tag, self.context));
        TAGS.iter().filter(|tag| may(tag)).fold(Set::of(b"AENS"), |set, tag| set.with(Set::of(&[*tag])))
    }

    /// Whether the server has responded to everything that has passed, and waits; or skips up to a Sync.
    pub fn nothing_owed(&self) -> bool {
        let mut all = self.machines.all().iter();
        all.all(|machine| matches!(machine.step, Step::Idle | Step::Skip) && machine.ghosts == 0)
    }

    /// Nothing is owed, and nothing doubtful.
    fn is_quiet(&self) -> bool {
        self.machines.is_one() && self.machines.all().iter().all(|machine| machine.step == Step::Idle)
    }

    /// What the frontend may send now.
    pub fn expected_frontend(&self) -> Expected {
        Expected::new(Side::Frontend, self.frontend_set())
    }

    /// What the server may send now. ErrorResponse is always in it: a fatal one may come at any time, others only in
    /// response to something.
    pub fn expected_backend(&self) -> Expected {
        Expected::new(Side::Backend, self.backend_set())
    }

    /// How far the connection has come.
    pub const fn phase(&self) -> Phase {
        match self.phase {
            Phase::Over => Phase::Over,
            _ if self.terminated => Phase::Terminated,
            phase => phase,
        }
    }

    /// Whether it is a connection for replication, by its startup parameters.
    pub const fn is_replication(&self) -> bool {
        self.context.replication
    }

    /// The transaction's status, by the last ReadyForQuery: never by tags, because a server since 18 can open a
    /// transaction block without BEGIN.
    pub const fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    /// How many ReadyForQuery the server owes. The first one of the connection is not counted.
    pub fn ready_owed(&self) -> Owed {
        let all = self.machines.all().iter();
        let least = all.clone().map(|machine| machine.ready).min().unwrap_or_default();
        let most = all.map(|machine| machine.ready.saturating_add(machine.ghosts)).max().unwrap_or_default();
        match self.lost {
            Lost::No => Owed { least, most },
            Lost::Fault => Owed { least: 0, most },
            // What is not followed may be owed as well.
            Lost::Several => Owed { least: 0, most: u32::MAX },
        }
    }

    /// Whether what is owed is known.
    pub fn in_step(&self) -> InStep {
        match self.lost {
            Lost::Fault => InStep::No,
            Lost::Several => InStep::Unknown(Situation::Several),
            Lost::No if !self.machines.is_one() => InStep::Unknown(self.situation),
            Lost::No if self.machines.all().iter().any(|machine| machine.ghosts > 0) => {
                InStep::Unknown(Situation::SyncInCopy)
            }
            Lost::No => InStep::Yes,
        }
    }

    /// Whether nothing is owed, for certain, and no transaction or batch is open.
    pub fn is_idle(&self) -> bool {
        self.phase() == Phase::Ready
            && self.in_step().is_yes()
            && self.is_quiet()
            && !self.batch
            && self.status == TransactionStatus::Idle
    }

    /// Whether the server discards what the frontend sends, up to a Sync.
    pub fn is_skipping(&self) -> bool {
        self.machines.all().iter().all(|machine| machine.step == Step::Skip)
    }

    /// The COPY that runs, if one does for certain.
    pub fn copy(&self) -> Option<Copy> {
        let mut all = self.machines.all().iter().map(|machine| match machine.step {
            Step::CopyIn | Step::CopyInDone | Step::CopyInFailed | Step::CopyInBroken => Some(Copy::In),
            Step::CopyOut | Step::CopyOutDone => Some(Copy::Out),
            Step::CopyBoth | Step::CopyBothFrontendDone | Step::CopyBothBackendDone | Step::CopyBothDone => {
                Some(Copy::Both)
            }
            _ => None,
        });
        let first = all.next().flatten();
        first.filter(|_| all.all(|other| other == first))
    }

    /// Hints at what the session keeps.
    pub const fn session(&self) -> Session {
        self.session
    }

    /// What is owed, in order, behind what the server responds to now.
    pub const fn owed(&self) -> &Queue<M> {
        &self.queue
    }
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> fmt::Debug for Observer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("phase", &self.phase())
            .field("status", &self.status)
            .field("ready_owed", &self.ready_owed())
            .field("in_step", &self.in_step())
            .field("accounts", &self.machines.all())
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// The direction in which data flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Copy {
    /// From the frontend.
    In,
    /// To the frontend.
    Out,
    /// In both, for replication.
    Both,
}

fn judge(side: Side, set: Set, tag: u8) -> Verdict {
    if set.contains(tag) {
        Verdict::Expected
    } else {
        Verdict::Unexpected { expected: Expected::new(side, set) }
    }
}

/// Whether no COPY takes data.
fn quiet_copy(machines: &Machines) -> bool {
    !machines.all().iter().any(|machine| machine.step.takes_data())
}

fn status(body: &[u8]) -> TransactionStatus {
    match body {
        [b'I', ..] => TransactionStatus::Idle,
        [b'T', ..] => TransactionStatus::InTransaction,
        [b'E', ..] => TransactionStatus::Failed,
        [other, ..] => TransactionStatus::Unknown(*other),
        [] => TransactionStatus::Unknown(0),
    }
}

/// What the queue keeps of a message; `None` if it is not one that may come after the startup.
fn kind(tag: u8, length: u32, body: &[u8]) -> Option<Kind> {
    Some(match tag {
        b'P' => Kind::Parse,
        b'B' => Kind::Bind,
        b'C' => Kind::Close,
        b'D' if body.first() == Some(&b'P') => Kind::DescribePortal,
        b'D' => Kind::DescribeStatement,
        b'E' => execute(body),
        b'F' => Kind::FunctionCall,
        b'H' => Kind::MalformedFlush,
        b'Q' => Kind::Query,
        b'S' if length == 4 => Kind::Sync,
        b'S' => Kind::MalformedSync,
        b'c' => Kind::CopyDone,
        b'f' => Kind::CopyFail,
        _ => return None,
    })
}

/// By the limit behind the portal's name. Zero and less are none.
fn execute(body: &[u8]) -> Kind {
    let name = body.iter().position(|byte| *byte == 0);
    let limit = name.and_then(|name| body.get(name..)?.get(1..)?.first_chunk());
    match limit.map(|limit| i32::from_be_bytes(*limit)) {
        Some(limit) => match u32::try_from(limit).ok().and_then(NonZeroU32::new) {
            Some(limit) => Kind::ExecuteUpTo(Some(limit)),
            None => Kind::Execute,
        },
        None => Kind::ExecuteUpTo(None),
    }
}
