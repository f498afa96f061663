//! Everything, at the end of a schedule: each command once and in order, or unknown, and never too late.

use std::collections::BTreeMap;

use feedrate::rdp::frame::{ErrorCode, Record};

use super::ask::Ask;
use super::check::{Outcome, Sent, Session};
use super::checked::{Checked, ensure};
use super::ledger::{Executed, Ledger};
use super::machine::END;
use super::plan::{Event, Plan};
use super::tally::Tally;

/// Everything, at the end.
pub(super) fn conclude(plan: &Plan, sessions: &[Session], ledger: &Ledger, tally: &mut Tally) -> Checked {
    let mut by_key = BTreeMap::new();
    for session in sessions {
        if let Some(key) = session.key {
            ensure!(by_key.insert(key, session).is_none(), "two sessions are {key:?}");
        }
    }
    let mut executed = BTreeMap::new();
    let mut last = BTreeMap::new();
    for entry in &ledger.executed {
        let (key, record) = (entry.key(), &entry.record);
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
        let before = last.insert((key, sent.ask.makes_safer()), record.sequence);
        ensure!(before < Some(record.sequence), "{}: after {before:?}", show());
        effects(entry).map_err(|error| format!("{}: {error}", show()))?;
        in_time(plan, sent, entry).map_err(|error| format!("{}: {error}", show()))?;
        halt_in_time(plan, session, sent, entry, tally).map_err(|error| format!("{}: {error}", show()))?;
        tally.add("commands", if record.verdict == 0 { "executed" } else { "recorded and refused" }, 1);
    }
    let refused: BTreeMap<_, _> = ledger
        .refused
        .iter()
        .map(|(boot, record)| ((*boot, record.session, record.sequence), record))
        .collect();
    for (key, session) in &by_key {
        for (sequence, sent) in &session.sent {
            let record = executed.get(&(*key, *sequence)).map(|executed| executed.record);
            let refusal = refused.get(&(key.0, key.1, *sequence)).copied();
            outcome(sent, record, refusal, ledger.lost > 0)
                .map_err(|error| format!("{sequence} of {key:?}, {sent:?}: {error}"))?;
            let unknown = match (sent.outcome, record) {
                (Outcome::Unknown, Some(_)) => "unknown, and executed",
                (Outcome::Unknown, None) if sent.ask.record().is_some() => "unknown, and not executed",
                _ => continue,
            };
            tally.add("commands", unknown, 1);
        }
    }
    for session in sessions {
        for sent in session.sent.values() {
            let (group, name) = match sent.outcome {
                Outcome::Waiting => ("commands", "of a host that died".to_string()),
                Outcome::Done => ("commands", "answered: done".to_string()),
                Outcome::Refused(code) => {
                    tally.add("refused", code.name(), 1);
                    ("commands", "answered: refused".to_string())
                }
                Outcome::Unknown => ("commands", "unknown".to_string()),
            };
            tally.add(group, name, 1);
            let waits = sent.outcome == Outcome::Waiting && !session.abandoned;
            ensure!(!waits, "nothing is said of {sent:?}");
        }
    }
    tally.add("machine", "stop reactions", ledger.reactions);
    tally.add("machine", "fail-safes", ledger.fail_safes);
    tally.add("machine", "records lost", ledger.lost);
    for kind in ledger.history.iter().flat_map(|of| of.values()).map(|record| record.kind) {
        let name = match kind {
            Record::FORCE_ENDED => "ForceEnded",
            Record::STUCK => "Stuck",
            Record::STOP_WITHOUT_SESSION => "StopWithoutSession",
            Record::SESSION_ENDED => "SessionEnded",
            _ => continue,
        };
        tally.add("events", name, 1);
    }
    for (addr, count) in &ledger.reads {
        // Those at the end of memory come again.
        let unique = (1 << 32..END - 64).contains(addr);
        ensure!(*count == 1 || !unique, "{addr:#x} was read {count} times");
    }
    Ok(())
}

/// A policy is the agent's own; what is not held need not be let go of, nor what stands be stopped.
fn effects(entry: &Executed) -> Checked {
    let expected = match entry.record.kind {
        0x32 | 0x35 => 0..1,
        0x10 | 0x1B => 0..2,
        _ => 1..2,
    };
    let n = entry.effects;
    ensure!(expected.contains(&n) || (entry.record.verdict != 0 && n <= 1), "was done {n} times");
    Ok(())
}

/// Nothing is executed that is older than the tolerance, by whatever clock.
fn in_time(plan: &Plan, sent: &Sent, entry: &Executed) -> Checked {
    let (percent, more) = plan.slack();
    let tolerance = u64::from(plan.times[2]) * 1_000;
    let age = entry.at.saturating_sub(sent.at);
    let most = tolerance * percent / 100 + more + 20_000;
    // What arrived in time and makes safer is executed whenever the agent runs again.
    ensure!(sent.ask.makes_safer() || age <= most, "is {age} us old, of {most}");
    Ok(())
}

/// Halt's bound on a signal lane that loses nothing (SPEC section 12), if no more than one message of channel 0 was
/// sent just before it.
fn halt_in_time(plan: &Plan, session: &Session, sent: &Sent, entry: &Executed, tally: &mut Tally) -> Checked {
    let calm = |event: &Event| {
        matches!(
            event,
            Event::Silence { lane: 1, .. }
                | Event::Interlock
                | Event::Permission
                | Event::Jam { .. }
                | Event::HostClockJumps { .. }
                | Event::ClockDrifts { .. }
        )
    };
    let lossless = !plan.stream && plan.faults.iter().all(|faults| !faults.any());
    if !lossless || sent.ask != Ask::Halt || !plan.events.iter().all(|(_, event)| calm(event)) {
        return Ok(());
    }
    let just_before =
        |other: &&Sent| other.ask.makes_safer() && (1..500_000).contains(&(sent.at - other.at.min(sent.at)));
    let together = |other: &&Sent| other.ask.makes_safer() && other.at == sent.at;
    if session.sent.values().any(|other| just_before(&other))
        || session.sent.values().filter(together).count() > 1
    {
        return Ok(());
    }
    let line = (3 * plan.signal.mtu() as u64 + 48) * 1_000_000 / plan.rates[0] + plan.latency + plan.jitter;
    let most = line + plan.agent_pace.max(plan.agent_period) + 1_000;
    let took = entry.at - sent.at;
    ensure!(took <= most, "Halt took {took} us, of {most}");
    tally.add("all", "Halts within their bound", 1);
    Ok(())
}

fn outcome(sent: &Sent, record: Option<Record>, refusal: Option<&Record>, lost: bool) -> Checked {
    let touches = sent.ask.record().is_some();
    match sent.outcome {
        Outcome::Done => {
            let always = sent.ask.makes_safer() || matches!(sent.ask, Ask::ReleaseAudit { .. });
            let without = !touches || (lost && always);
            ensure!(
                without || record.is_some_and(|record| record.verdict == 0),
                "done, and recorded is {record:?}"
            );
        }
        Outcome::Refused(code) => {
            let noted = touches || matches!(code, ErrorCode::Denied | ErrorCode::Protected);
            let early = matches!(code, ErrorCode::Limit | ErrorCode::Malformed);
            let verdict = record.or(refusal.copied()).map(|record| record.verdict);
            let right = verdict == Some(code.0) || (lost && sent.ask.makes_safer() && verdict.is_none());
            ensure!(!noted || early || right, "refused, and recorded is {record:?}, {refusal:?}");
            ensure!(
                record.is_none_or(|record| record.verdict == code.0),
                "refused, and executed: {record:?}"
            );
        }
        Outcome::Waiting | Outcome::Unknown => {}
    }
    let both = record.is_some() && refusal.is_some();
    ensure!(!both, "executed and refused: {record:?}, {refusal:?}");
    ensure!(record.is_none() || !matches!(sent.ask, Ask::Renew { .. }), "Renew is recorded");
    Ok(())
}
