//! What the host was told, held against what the machine was made to do.

use std::collections::{BTreeMap, BTreeSet};

use feedrate::rdp::frame::{Cause, ErrorCode, Frame, Record, SetAs, Stopped, Values};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::audit::crc_of;

use super::ask::{Ask, DENIED, Knows};
use super::checked::{Checked, ensure};
use super::ledger::{Executed, Key, Ledger};
use super::machine::{END, PLC, POSITIONS, SECRET, SLOTS, memory, plc};
use crate::machine::{Fake, Registers};

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
    /// When the program asked.
    pub(super) at: u64,
}

/// A session, as the host sees it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Start of the agent, and number since then, once they are known.
    pub(super) key: Option<Key>,
    pub(super) token: &'static [u8],
    pub(super) nonce: [u8; 16],
    pub(super) began: u64,
    /// When the host's loop has run last.
    pub(super) polled: u64,
    pub(super) sent: BTreeMap<u32, Sent>,
    pub(super) active_at: Option<u64>,
    pub(super) state_seen: bool,
    pub(super) closed: bool,
    /// The host has begun another one, or is dead.
    pub(super) abandoned: bool,
    pub(super) knows: Knows,
    /// Registers that were told: capture, mask and values.
    told: Vec<(u32, u64, Registers)>,
    order: [u32; 2],
    cursors: BTreeSet<u32>,
    steps: BTreeMap<u32, u32>,
}

impl Session {
    pub(super) fn new(token: &'static [u8], nonce: [u8; 16], began: u64) -> Self {
        Self { token, nonce, began, polled: began, ..Self::default() }
    }

    pub(super) fn waiting(&self) -> usize {
        self.sent.values().filter(|sent| sent.outcome == Outcome::Waiting).count()
    }

    fn key(&self) -> Result<Key, String> {
        self.key.ok_or_else(|| "a session without a device".to_string())
    }

    /// The host was given an answer.
    pub(super) fn answered(
        &mut self,
        request: u32,
        frame: &Frame<'_>,
        machine: &Fake,
        ledger: &Ledger,
    ) -> Checked {
        ensure!(self.active_at.is_some() && !self.closed, "an answer out of time: {frame:?}");
        let waiting = self.sent.get(&request).copied();
        let Some(Sent { ask, outcome: Outcome::Waiting, at }) = waiting else {
            return Err(format!("{frame:?} answers {waiting:?}"));
        };
        let outcome = match frame {
            Frame::Error(refused) => Outcome::Refused(refused.code),
            _ => Outcome::Done,
        };
        self.sent.insert(request, Sent { ask, outcome, at });
        let last = &mut self.order[usize::from(!ask.makes_safer())];
        ensure!(*last < request, "{request} is answered after {last}");
        *last = request;
        let content = self.content(request, ask, frame, machine, ledger);
        content.map_err(|error| format!("{request} {ask:?}: {error}"))
    }

    fn content(
        &mut self,
        request: u32,
        ask: Ask,
        frame: &Frame<'_>,
        machine: &Fake,
        ledger: &Ledger,
    ) -> Checked {
        let key = self.key()?;
        // What was done before on its channel, wherever it came from.
        let precedes = |a: &&Executed| a.key() < key || (a.key() == key && a.record.sequence < request);
        let done = ledger.executed.iter().filter(precedes);
        let done = done.filter(|executed| executed.record.verdict == 0);
        // Of which traps the host can know, if none was taken away.
        let whole = !ledger.disarmed.iter().any(|at| *at >= self.began);
        let set = || {
            let mut set = BTreeMap::new();
            for Executed { record, .. } in done.clone().filter(|executed| executed.key() == key) {
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
        let policy = || done.clone().rfind(|executed| executed.boot == key.0 && executed.record.kind == 0x32);
        match (ask, *frame) {
            (_, Frame::Error(refused)) => {
                ensure!(possible(&ask).contains(&refused.code.0), "refused with {refused:?}");
            }
            (Ask::Set { addr, id, .. } | Ask::Watch { addr, id }, Frame::BreakpointSet(answer)) => {
                ensure!(answer.id == id && answer.slot < SLOTS, "{answer:?}");
                // The last policy of this start of the agent, if it is of this session.
                let denies = policy().is_some_and(|executed| {
                    self.sent.get(&executed.record.sequence).is_some_and(|sent| {
                        executed.record.session == key.1
                            && matches!(sent.ask, Ask::Policy { enabled: true, rules: 1.., .. })
                    })
                });
                ensure!(!denies || !(DENIED.0..=DENIED.1).contains(&addr), "the policy denies it");
            }
            (Ask::List { from }, Frame::Breakpoints(answer)) => {
                let expected: Vec<_> = set().into_iter().filter(|(id, _)| *id >= from).collect();
                let kind = |trap| match trap {
                    SetAs::Any => 1,
                    SetAs::Hardware => 4,
                    SetAs::Software => 5,
                    SetAs::Watch => 6,
                    // No command sets it.
                    _ => 0,
                };
                let listed: Vec<_> = answer
                    .breakpoints
                    .into_iter()
                    .map(|listed| (listed.id, (listed.addr, kind(listed.trap))))
                    .collect();
                ensure!(!whole || (listed == expected && !answer.more), "{listed:?} instead of {expected:?}");
            }
            (Ask::Memory { addr, length }, Frame::Memory(answer)) => {
                let there = (END - addr).min(u64::from(length));
                let there = if addr < SECRET.0 { there.min(SECRET.0 - addr) } else { there };
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
                let there = usize::from(answer.breakpoints);
                ensure!(!whole || there == set().len(), "{answer:?}, {:?} are set", set());
                let policy = policy().map_or(0, |executed| executed.record.addr);
                ensure!(u64::from(answer.policy) == policy, "{answer:?}, the policy is {policy}");
                ensure!(answer.forces <= 8, "{answer:?}");
            }
            (Ask::Axes, Frame::Axes(answer)) => {
                let mut axes = POSITIONS;
                for Executed { record, .. } in done.filter(|executed| executed.record.kind == 0x29) {
                    *axes.get_mut(record.addr as usize).ok_or("an axis that is not there")? =
                        record.value as i64;
                }
                let positions: Vec<_> = answer.positions.into_iter().collect();
                ensure!(positions == axes, "{answer:?} instead of {axes:?}");
            }
            (Ask::Plc { first, count }, Frame::Plc(answer)) => {
                let last = (first + count.min(64)).min(PLC);
                let registers: Vec<_> = answer.registers.into_iter().collect();
                let expected: Vec<_> = (first..last).map(plc).collect();
                ensure!(answer.first == first && registers == expected, "{answer:?}");
            }
            (Ask::Cursor, Frame::Cursor(answer)) => {
                let line = answer.cursor.line;
                ensure!(answer.cursor == Fake::location(line), "{answer:?}");
                ensure!(line <= machine.cursors && self.cursors.insert(line), "{answer:?} came before");
            }
            (Ask::Audit { from, count }, Frame::Audit(answer)) => {
                let records: Vec<Record> = answer.records.into_iter().collect();
                ensure!(records.len() <= usize::from(count), "{answer:?}");
                let rise = records.windows(2).all(|pair| pair[0].index < pair[1].index);
                ensure!(rise && records.iter().all(|record| record.index >= from), "{answer:?}");
                for record in records {
                    let expected =
                        ledger.history.get(record.boot as usize).and_then(|of| of.get(&record.index));
                    let same = expected.is_some_and(|expected| {
                        record.count <= expected.count
                            && record == Record { count: record.count, ..*expected }
                    });
                    ensure!(same, "{record:?} instead of {expected:?}");
                    if record.cause != Cause::Refused {
                        self.knows.record = Some((record.index, crc_of(&record)));
                    }
                }
            }
            (Ask::Metrics, Frame::Metrics(answer)) => {
                ensure!((13..=27).contains(&answer.metrics.len()), "{answer:?}");
            }
            (Ask::Variables, Frame::Variables(answer)) => {
                ensure!((answer.total, answer.variables.len()) == (2, 2), "{answer:?}");
            }
            (Ask::Map, Frame::Map(answer)) => ensure!(answer.total == 2, "{answer:?}"),
            (Ask::Renew { .. }, Frame::Done(_)) => {}
            (ask, Frame::Done(_))
                if ask.record().is_some() && !matches!(ask, Ask::Set { .. } | Ask::Watch { .. }) =>
            {
                match ask {
                    Ask::Step { .. } | Ask::Range { .. } => _ = self.steps.entry(request).or_default(),
                    Ask::Policy { version, .. } => self.knows.policy = version,
                    _ => {}
                }
            }
            _ => return Err(format!("is answered by {frame:?}")),
        }
        Ok(())
    }

    /// The host was told that the program stands.
    pub(super) fn stopped(&mut self, stopped: &Stopped<'_>, machine: &Fake) -> Checked {
        ensure!(self.active_at.is_some() && !self.closed, "out of time: {stopped:?}");
        if stopped.request == 0 {
            ensure!(!stopped.more, "{stopped:?}");
        } else {
            let (count, trace) = match self.sent.get(&stopped.request).map(|sent| sent.ask) {
                Some(Ask::Halt) => (u32::MAX, false),
                Some(Ask::Range { .. }) => (1, false),
                Some(Ask::Step { count, trace }) => (if trace { count } else { 1 }, trace),
                other => return Err(format!("{stopped:?} comes from {other:?}")),
            };
            let told = self.steps.entry(stopped.request).or_default();
            *told += 1;
            ensure!(*told <= count && (!stopped.more || trace), "{stopped:?}, {told} of {count}");
        }
        self.registers(stopped.capture, &stopped.values, machine)
    }

    fn registers(&mut self, capture: u32, values: &Values<'_>, machine: &Fake) -> Checked {
        let (boot, _) = self.key()?;
        let mut received = CortexM::ZERO;
        ensure!(CortexM::unpack(values, &mut received), "values of another architecture");
        let captured = machine.journal.captures[boot as usize].get((capture as usize).wrapping_sub(1));
        let Some(captured) = captured else { return Err(format!("there is no capture {capture}")) };
        for (i, (received, captured)) in received.iter().zip(captured).enumerate() {
            ensure!(
                values.mask() >> i & 1 == 0 || received == captured,
                "register {i} of capture {capture}: {received:#x}, not {captured:#x}"
            );
        }
        self.told.push((capture, values.mask(), received));
        Ok(())
    }

    /// Everything that was told has arrived: what was left out has not changed.
    pub(super) fn registers_left_out(&mut self, machine: &Fake) -> Checked {
        self.told.sort_by_key(|(capture, ..)| *capture);
        let Some((boot, _)) = self.key else { return Ok(()) };
        let mut known: [Option<u64>; 17] = [None; 17];
        // What is told of one capture may come in several messages.
        for told in self.told.chunk_by(|a, b| a.0 == b.0) {
            for (_, mask, values) in told {
                for (i, known) in known.iter_mut().enumerate().filter(|(i, _)| mask >> i & 1 == 1) {
                    *known = Some(values[i]);
                }
            }
            let capture = told[0].0;
            let captured = machine.journal.captures[boot as usize][capture as usize - 1];
            for (i, (known, captured)) in known.iter().zip(captured).enumerate() {
                let right = known.is_none_or(|known| known == captured);
                ensure!(
                    right,
                    "register {i} was left out of capture {capture}: {known:x?}, not {captured:#x}"
                );
            }
        }
        Ok(())
    }
}

/// What a command can be refused with. Whatever the session may be denied is the plan's.
fn possible(ask: &Ask) -> Vec<u16> {
    let own: &[u16] = match ask {
        Ask::Set { .. } | Ask::Watch { .. } => &[11, 13, 14, 15, 16, 20, 21, 27],
        Ask::Clear { .. } => &[12, 15, 17, 21, 27],
        Ask::Halt => &[14],
        Ask::Resume => &[10, 14, 15, 21, 27],
        Ask::Step { .. } => &[3, 10, 14, 15, 21, 27],
        Ask::Range { .. } => &[3, 10, 14, 15, 21, 27],
        Ask::Registers { .. } => &[10],
        Ask::Memory { .. } => &[11, 25],
        Ask::Plc { .. } => &[11],
        Ask::Force { .. } => &[11, 13, 14, 15, 19, 21, 22, 25, 27],
        Ask::Release { .. } => &[12],
        Ask::Renew { .. } => &[17, 19, 27],
        Ask::Write { .. } => &[10, 11, 14, 15, 21, 27],
        Ask::WriteRegister { .. } => &[10, 11, 14, 15, 21, 27],
        Ask::SetAxis { .. } => &[11, 14, 15, 21, 27],
        Ask::Policy { .. } => &[15, 20, 21, 27],
        Ask::ReleaseAudit { .. } => &[21, 27, 29],
        _ => &[],
    };
    // Denied, Stale, Disordered, ProgramChanged.
    own.iter().copied().chain([5, 8, 9, 28]).collect()
}
