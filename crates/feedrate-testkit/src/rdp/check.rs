//! What the host was told, held against what the machine was made to do.

use std::collections::{BTreeMap, BTreeSet};

use feedrate::rdp::frame::{ErrorCode, Frame, Record, SetAs, Stopped, Values};
use feedrate_rdp::arch::{Arch, CortexM};

use super::ask::{Ask, DENIED};
use super::machine::{END, PLC, POSITIONS, SLOTS, memory, plc};
use super::plan::BRIEF;
use super::tally::Tally;
use crate::machine::{Executed, Fake};

/// What became of a command, as far as the host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Waiting,
    Done,
    Refused(ErrorCode),
    Unknown,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) ask: Ask,
    pub(super) outcome: Outcome,
}

/// A session, as the host sees it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Start of the agent, and number since then, once they are known.
    pub(super) key: Option<(u32, u32)>,
    pub(super) token: &'static [u8],
    pub(super) sent: BTreeMap<u32, Sent>,
    pub(super) active_at: Option<u64>,
    pub(super) state_seen: bool,
    pub(super) closed: bool,
    /// The host has begun another one.
    pub(super) abandoned: bool,
    known: [Option<u64>; 17],
    /// Of the last message that told of registers.
    pub(super) capture: u32,
    shortest_due: u32,
    cursors: BTreeSet<u32>,
    steps: BTreeMap<u32, u32>,
    /// Messages that the host has passed over, so that what it knows may be too little.
    pub(super) ignored: bool,
}

/// Of an error: the host takes a register for another than it is.
pub(super) const UNAWARE: &str = "is not what the host takes it for";

pub(super) type Checked = Result<(), String>;

macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            return Err(format!($($message)*));
        }
    };
}
pub(super) use ensure;

/// Whether `a` was executed before anything that comes behind `before` in the session `key`.
fn precedes(a: &Executed, key: (u32, u32), before: u32) -> bool {
    let of = (a.boot, a.record.session);
    of < key || (of == key && a.record.sequence < before)
}

impl Session {
    pub(super) fn new(token: &'static [u8]) -> Self {
        Self { token, ..Self::default() }
    }

    pub(super) fn waiting(&self) -> usize {
        self.sent.values().filter(|sent| sent.outcome == Outcome::Waiting).count()
    }

    fn key(&self) -> Result<(u32, u32), String> {
        self.key.ok_or_else(|| "a session without a device".to_string())
    }

    /// The host was given an answer.
    pub(super) fn answered(&mut self, request: u32, frame: &Frame<'_>, machine: &Fake) -> Checked {
        ensure!(self.active_at.is_some() && !self.closed, "an answer out of time: {frame:?}");
        let waiting = self.sent.get(&request).copied();
        let Some(Sent { ask, outcome: Outcome::Waiting }) = waiting else {
            return Err(format!("{frame:?} answers {waiting:?}"));
        };
        let outcome = match frame {
            Frame::Error(refused) => Outcome::Refused(refused.code),
            _ => Outcome::Done,
        };
        self.sent.insert(request, Sent { ask, outcome });
        if !matches!(
            frame,
            Frame::Memory(_) | Frame::Breakpoints(_) | Frame::Metrics(_) | Frame::Plc(_) | Frame::Audit(_)
        ) {
            // What is short goes on one channel.
            ensure!(self.shortest_due <= request, "{request} is answered after {}", self.shortest_due);
            self.shortest_due = request;
        }
        self.content(request, ask, frame, machine).map_err(|error| format!("{request} {ask:?}: {error}"))
    }

    fn content(&mut self, request: u32, ask: Ask, frame: &Frame<'_>, machine: &Fake) -> Checked {
        let key = self.key()?;
        // What was done before, wherever it came from.
        let done = machine.journal.executed.iter().filter(|executed| precedes(executed, key, request));
        let done = done.filter(|executed| executed.record.verdict == 0);
        let mine = done.clone().filter(|executed| (executed.boot, executed.record.session) == key);
        let set = || {
            let mut set = BTreeMap::new();
            for Executed { record, .. } in mine.clone() {
                match record.kind {
                    1 | 4 | 5 | 6 => {
                        set.insert(record.value as u32, (record.addr, record.kind));
                    }
                    2 => {
                        set.remove(&(record.value as u32));
                    }
                    _ => {}
                }
            }
            set
        };
        match (ask, *frame) {
            (_, Frame::Error(refused)) => {
                let possible: &[u16] = match ask {
                    Ask::Set { .. } | Ask::Watch { .. } => &[11, 13, 15, 16, 20, 21],
                    Ask::Clear { .. } => &[15, 17, 21],
                    Ask::Halt => &[10],
                    Ask::Resume | Ask::Step { .. } => &[3, 10, 14, 15, 21],
                    Ask::Registers { .. } => &[10],
                    Ask::Memory { .. } | Ask::Plc { .. } => &[11],
                    Ask::Force { .. } => &[11, 13, 14, 15, 21, 22],
                    Ask::Release { .. } => &[11],
                    Ask::SetAxis { .. } => &[11, 14, 15, 21],
                    Ask::Policy { .. } => &[15, 20, 21],
                    _ => &[],
                };
                let denied = refused.code == ErrorCode::Denied && self.token != b"all";
                ensure!(
                    denied || refused.code == ErrorCode::Stale || possible.contains(&refused.code.0),
                    "refused with {refused:?}"
                );
            }
            (Ask::Set { addr, id, .. } | Ask::Watch { addr, id }, Frame::BreakpointSet(answer)) => {
                ensure!(answer.id == id && answer.slot < SLOTS, "{answer:?}");
                // The last policy of this start of the agent, if it is of this session.
                let policy =
                    done.rev().find(|executed| executed.boot == key.0 && executed.record.kind == 0x32);
                let denies = policy.is_some_and(|executed| {
                    self.sent.get(&executed.record.sequence).is_some_and(|sent| {
                        executed.record.session == key.1
                            && matches!(sent.ask, Ask::Policy { enabled: true, rules: 1.., .. })
                    })
                });
                ensure!(!denies || !(DENIED.0..=DENIED.1).contains(&addr), "the policy denies it");
            }
            (Ask::List { from }, Frame::Breakpoints(answer)) => {
                let expected: Vec<_> = set().into_iter().filter(|(id, _)| *id >= from).collect();
                let listed: Vec<_> = answer
                    .breakpoints
                    .map(|listed| {
                        let kind = match listed.trap {
                            SetAs::Any => 1,
                            SetAs::Hardware => 4,
                            SetAs::Software => 5,
                            SetAs::Watch => 6,
                            // No command sets it.
                            _ => 0,
                        };
                        (listed.id, (listed.addr, kind))
                    })
                    .collect();
                ensure!(listed == expected && !answer.more, "{listed:?} instead of {expected:?}");
            }
            (Ask::Memory { addr, length }, Frame::Memory(answer)) => {
                let there = (END - addr).min(u64::from(length));
                let expected: Vec<u8> = (0..there).map(|i| memory(addr + i)).collect();
                ensure!(
                    answer.addr == addr && answer.data.as_slice() == expected,
                    "other memory: {answer:?}"
                );
            }
            (Ask::Registers { changed }, Frame::Registers(answer)) => {
                ensure!(changed || answer.values.mask() == (1 << 17) - 1, "not all registers");
                self.registers(answer.capture, &answer.values, machine)?;
            }
            (Ask::Status, Frame::Status(answer)) => {
                ensure!(usize::from(answer.breakpoints) == set().len(), "{answer:?}, {:?} are set", set());
                let policy = done
                    .rev()
                    .find(|executed| executed.boot == key.0 && executed.record.kind == 0x32)
                    .map_or(0, |executed| executed.record.addr);
                ensure!(u64::from(answer.policy) == policy, "{answer:?}, the policy is {policy}");
                ensure!(answer.forces <= 8, "{answer:?}");
            }
            (Ask::Axes, Frame::Axes(answer)) => {
                let mut axes = POSITIONS;
                for Executed { record, .. } in done.filter(|executed| executed.record.kind == 0x29) {
                    *axes.get_mut(record.addr as usize).ok_or("an axis that is not there")? =
                        record.value as i64;
                }
                ensure!(answer.positions.eq(axes), "{answer:?} instead of {axes:?}");
            }
            (Ask::Plc { first, count }, Frame::Plc(answer)) => {
                let last = (first + count.min(64)).min(PLC);
                ensure!(answer.first == first && answer.registers.eq((first..last).map(plc)), "{answer:?}");
            }
            (Ask::Cursor, Frame::Cursor(answer)) => {
                let line = answer.cursor.line;
                ensure!(answer.cursor == Fake::location(line), "{answer:?}");
                ensure!(line <= machine.cursors && self.cursors.insert(line), "{answer:?} came before");
            }
            (Ask::Audit { from, count }, Frame::Audit(answer)) => {
                ensure!(answer.records.len() <= usize::from(count.min(8)), "{answer:?}");
                for (index, record) in (from.max(answer.oldest)..).zip(answer.records) {
                    let expected = machine.journal.history.get(index as usize);
                    let Some((boot, _)) = expected.filter(|(_, expected)| *expected == record) else {
                        return Err(format!("{record:?} instead of {expected:?}"));
                    };
                    let own = (*boot, record.session) == key && record.sequence >= request;
                    ensure!(!own && record.verdict != Record::PENDING, "{record:?} is of later");
                }
            }
            (Ask::Metrics, Frame::Metrics(answer)) => {
                ensure!(answer.metrics.len() == 25, "{answer:?}");
            }
            (ask, Frame::Done(_))
                if ask.record().is_some() && !matches!(ask, Ask::Set { .. } | Ask::Watch { .. }) =>
            {
                if let Ask::Step { .. } = ask {
                    self.steps.insert(request, 0);
                }
            }
            _ => return Err(format!("is answered by {frame:?}")),
        }
        Ok(())
    }

    /// The host was told that the program stands.
    pub(super) fn stopped(&mut self, stopped: &Stopped<'_>, machine: &Fake) -> Checked {
        ensure!(self.active_at.is_some() && !self.closed, "out of time: {stopped:?}");
        if stopped.request != 0 {
            match self.sent.get(&stopped.request).map(|sent| sent.ask) {
                Some(Ask::Halt) => ensure!(!stopped.more, "{stopped:?}"),
                Some(Ask::Step { count, trace }) => {
                    let told = self.steps.entry(stopped.request).or_default();
                    *told += 1;
                    ensure!(*told <= count && (!stopped.more || trace), "{stopped:?}, {told} of {count}");
                }
                other => return Err(format!("{stopped:?} comes from {other:?}")),
            }
        } else {
            ensure!(!stopped.more, "{stopped:?}");
        }
        self.registers(stopped.capture, &stopped.values, machine)
    }

    fn registers(&mut self, capture: u32, values: &Values<'_>, machine: &Fake) -> Checked {
        let (boot, _) = self.key()?;
        let mut received = [0; 17];
        ensure!(CortexM::unpack(values, &mut received), "values of another architecture");
        ensure!(capture >= self.capture, "capture {capture} after {}", self.capture);
        self.capture = capture;
        let captured = machine.journal.captures[boot as usize].get((capture as usize).wrapping_sub(1));
        let Some(captured) = captured else { return Err(format!("there is no capture {capture}")) };
        for (i, (known, (received, captured))) in
            self.known.iter_mut().zip(received.iter().zip(captured)).enumerate()
        {
            if values.mask() >> i & 1 == 1 {
                *known = Some(*received);
                ensure!(
                    received == captured,
                    "register {i} of capture {capture}: {received:#x}, not {captured:#x}"
                );
            }
            ensure!(
                known.is_none_or(|known| known == *captured),
                "register {i} {UNAWARE} after capture {capture}"
            );
        }
        Ok(())
    }
}

/// Everything, at the end.
pub(super) fn conclude(sessions: &[Session], machine: &Fake, tally: &mut Tally) -> Checked {
    let mut by_key = BTreeMap::new();
    for session in sessions {
        if let Some(key) = session.key {
            ensure!(by_key.insert(key, session).is_none(), "two sessions are {key:?}");
        }
    }
    let mut executed = BTreeMap::new();
    let mut last = None;
    for entry in &machine.journal.executed {
        let Executed { boot, record, .. } = entry;
        let key = (*boot, record.session);
        let show = || format!("executed in session {key:?}: {record:?}");
        let Some(session) = by_key.get(&key) else { return Err(format!("{}: no host's session", show())) };
        let Some(sent) = session.sent.get(&record.sequence) else {
            return Err(format!("{}: never sent", show()));
        };
        ensure!(
            sent.ask.record() == Some((record.kind, record.addr, record.value)),
            "{}: sent was {:?}",
            show(),
            sent.ask
        );
        ensure!(executed.insert((key, record.sequence), entry).is_none(), "{}: for the second time", show());
        ensure!(last < Some((key, record.sequence)), "{}: after {last:?}", show());
        last = Some((key, record.sequence));
        allowed(session, &sent.ask, entry).map_err(|error| format!("{}: {error}", show()))?;
        // A policy is the agent's own; what is not held need not be let go of, nor what stands between two steps be
        // stopped.
        let expected = match record.kind {
            0x32 => 0..1,
            0x10 | 0x1B => 0..2,
            _ => 1..2,
        };
        ensure!(
            expected.contains(&entry.effects) || (record.verdict != 0 && entry.effects == 0),
            "{}: was done {} times",
            show(),
            entry.effects
        );
        tally.add("commands", if record.verdict == 0 { "executed" } else { "recorded and refused" }, 1);
    }
    let mut unrecorded_done = 0;
    for session in sessions {
        for (sequence, Sent { ask, outcome }) in &session.sent {
            let entry = session.key.and_then(|key| executed.get(&(key, *sequence)));
            let verdict = entry.map(|entry| entry.record.verdict);
            let show = || format!("{sequence} {ask:?} of session {:?}, {outcome:?}", session.key);
            match outcome {
                Outcome::Done => {
                    tally.add("commands", "answered: done", 1);
                    if ask.record().is_some() {
                        let unrecorded = verdict.is_none() && ask.makes_safer();
                        ensure!(verdict == Some(0) || unrecorded, "{}: the verdict is {verdict:?}", show());
                        unrecorded_done += u32::from(unrecorded);
                    }
                }
                Outcome::Refused(code) => {
                    tally.add("commands", "answered: refused", 1);
                    tally.add("refused with", code.name(), 1);
                    ensure!(verdict.is_none_or(|verdict| verdict == code.0), "{}: {verdict:?}", show());
                }
                Outcome::Unknown => tally.add("commands", "unknown", 1),
                Outcome::Waiting if session.abandoned => tally.add("commands", "abandoned by the host", 1),
                Outcome::Waiting => return Err(format!("{}: nobody says what became of it", show())),
            }
            // Those at the very end of memory are not one of a kind.
            let Ask::Memory { addr, .. } = ask else { continue };
            if !(END - 64..END).contains(addr) {
                let reads = machine.journal.reads.get(addr).copied().unwrap_or_default();
                let (least, most) = match outcome {
                    Outcome::Done => (1, 1),
                    _ => (0, 1),
                };
                ensure!((least..=most).contains(&reads), "{}: was read {reads} times", show());
            }
        }
    }
    ensure!(
        unrecorded_done <= machine.journal.full,
        "{unrecorded_done} done without a record, the log was full {} times",
        machine.journal.full
    );
    Ok(())
}

/// Whether the token allowed it.
fn allowed(session: &Session, ask: &Ask, entry: &Executed) -> Checked {
    ensure!(session.token != b"look" && session.token != b"bad", "the token allows nothing of the kind");
    let late = session.active_at.is_some_and(|at| entry.at > at + BRIEF);
    ensure!(session.token != b"brief" || !late || ask.makes_safer(), "the token had expired");
    Ok(())
}
