//! The host that the conformance suite drives: commands on standard input, one a line, and one line of JSON
//! for each on standard output (`tests/rdp-conformance/README.md`).

use std::fmt::Display;

use feedrate::rdp::frame::{
    self, Access, Action, Breakpoint, Bytes, Force, List, PushPolicy, ReadAudit, ReadMemory, ReadPlc,
    ReadRegisters, Release, Rule, SetAxis, SetWatchpoint, Step,
};
use feedrate_rdp::host::{Closed, command};

use crate::client::Client;
use crate::command::{bytes, number};
use crate::failure::Failure;
use crate::options::Options;
use crate::show::{hex, metric, say};
use crate::tool::listed;

/// An answer's JSON, or why the command was not done.
type Answer = Result<String, frame::Error>;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let done = Client::connect(options, true).and_then(|mut client| {
        let done = converse(&mut client);
        if matches!(done, Ok(()) | Err(Failure::Interrupted)) {
            say(&format!(r#"{{"closed": {}}}"#, reason(&client.bye())));
            return Ok(done);
        }
        done.map(Ok)
    });
    done.unwrap_or_else(|failure| {
        let reason = match &failure {
            Failure::Closed { why, .. } => reason(why),
            Failure::Gone { .. } => 3,
            _ => 0,
        };
        say(&format!(r#"{{"closed": {reason}, "why": {}}}"#, string(&failure.to_string())));
        Err(failure)
    })
}

/// Line by line, until `bye` or the end.
fn converse(client: &mut Client) -> Result<(), Failure> {
    greet(client)?;
    while let Some(line) = client.line(|_| {})? {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] => {}
            ["bye"] => break,
            words => say(&answer(client, words)?),
        }
    }
    Ok(())
}

/// The first line.
fn greet(client: &Client) -> Result<(), Failure> {
    let (device, state) = (client.device()?, client.state()?);
    let cursor = state.cursor;
    say(&format!(
        concat!(
            r#"{{"active": true, "fingerprint": "{}", "architecture": {}, "capabilities": {}, "authority": {}, "#,
            r#""name": {}, "state": {{"run": {}, "axes": [{}], "plc": [{}], "program": {}, "line": {}, "#,
            r#""offset": {}}}}}"#,
        ),
        hex(&device.fingerprint),
        device.architecture,
        device.capabilities.0,
        device.authority.0,
        string(device.name()),
        state.run.number(),
        list(&state.axes),
        list(&state.plc),
        cursor.program,
        cursor.line,
        cursor.offset,
    ));
    Ok(())
}

/// What is printed for a line.
fn answer(client: &mut Client, words: &[&str]) -> Result<String, Failure> {
    let wrong = |what: String| format!(r#"{{"error": 0, "detail": 0, "why": {}}}"#, string(&what));
    let [word, rest @ ..] = words else { return Ok(wrong("there is no command".into())) };
    let answer = match (*word, rest) {
        ("force", [addr, lease, value]) => match (number(addr), narrow(lease), bytes(value)) {
            (Some(addr), Some(lease), Some(value)) => force(client, addr, lease, &value)?,
            _ => return Ok(wrong(format!("{words:?}: expected ADDR LEASE HEX"))),
        },
        ("setaxis", [axis, position]) => match (narrow(axis), position.parse()) {
            (Some(axis), Ok(position)) => {
                let fingerprint = client.device()?.fingerprint;
                let set = SetAxis { axis, position, fingerprint };
                client.ask(&command::SetAxis(set), |_| done())?
            }
            _ => return Ok(wrong(format!("{words:?}: expected AXIS POSITION"))),
        },
        _ => {
            let numbers = rest.iter().map(|word| number(word)).collect::<Option<Vec<_>>>();
            match numbers.map(|numbers| simple(client, word, &numbers)).transpose()?.flatten() {
                Some(answer) => answer,
                None => return Ok(wrong(format!("{words:?} is no command, or not with these numbers"))),
            }
        }
    };
    Ok(answer.unwrap_or_else(|refused| {
        format!(r#"{{"error": {}, "detail": {}}}"#, refused.code.0, refused.detail)
    }))
}

/// Commands whose arguments are natural numbers. `None`: there is none like this.
fn simple(client: &mut Client, word: &str, numbers: &[u64]) -> Result<Option<Answer>, Failure> {
    let id = |id: u64| u32::try_from(id).ok();
    Ok(Some(match (word, numbers) {
        ("status", []) => client.ask(&command::GetStatus, |status| {
            format!(
                concat!(
                    r#"{{"run": {}, "breakpoints": {}, "forces": {}, "steps": {}, "policy": {}, "#,
                    r#""enabled": {}, "uptime": {}}}"#,
                ),
                status.run.number(),
                status.breakpoints,
                status.forces,
                status.steps,
                status.policy,
                u8::from(status.enabled),
                status.uptime,
            )
        })?,
        ("regs", []) => {
            let read = command::ReadRegisters(ReadRegisters { changed: false });
            let capture = client.ask(&read, |registers| registers.capture)?;
            let registers = pairs(client.registers()?.all());
            capture.map(|capture| format!(r#"{{"capture": {capture}, "registers": {{{registers}}}}}"#))
        }
        ("read", [addr, length]) => {
            let Ok(length) = u16::try_from(*length) else { return Ok(None) };
            let read = command::ReadMemory(ReadMemory { addr: *addr, length });
            client.ask(&read, |memory| {
                format!(r#"{{"addr": {}, "data": "{}"}}"#, memory.addr, hex(memory.data.as_slice()))
            })?
        }
        ("break" | "hbreak" | "sbreak", [addr, number]) => {
            let Some(id) = id(*number) else { return Ok(None) };
            let at = Breakpoint { addr: *addr, id };
            let set = match word {
                "break" => client.ask(&command::SetBreakpoint(at), |set| set)?,
                "hbreak" => client.ask(&command::SetHardwareBreakpoint(at), |set| set)?,
                _ => client.ask(&command::SetSoftwareBreakpoint(at), |set| set)?,
            };
            set.map(|set| slot(set.id, set.slot))
        }
        ("watch", [addr, number, length, access]) => {
            let access = match access {
                1 => Access::Read,
                2 => Access::Write,
                3 => Access::Any,
                _ => return Ok(None),
            };
            let (Some(id), Some(length)) = (id(*number), id(*length)) else { return Ok(None) };
            let watch = command::SetWatchpoint(SetWatchpoint { addr: *addr, id, length, access });
            client.ask(&watch, |set| slot(set.id, set.slot))?
        }
        ("clear", [number]) => {
            let Some(id) = id(*number) else { return Ok(None) };
            client.ask(&command::ClearBreakpoint(Breakpoint { addr: 0, id }), |_| done())?
        }
        ("breakpoints", []) => listed(client)?.map(|all| {
            let each = all.iter().map(|one| {
                let (id, addr, trap, hits) = (one.id, one.addr, one.trap.number(), one.hits);
                format!(r#"{{"id": {id}, "addr": {addr}, "trap": {trap}, "hits": {hits}}}"#)
            });
            format!(r#"{{"breakpoints": [{}]}}"#, list(&each.collect::<Vec<_>>()))
        }),
        ("halt", []) => client.ask(&command::Halt, |_| done())?,
        ("resume", []) => client.ask(&command::Resume, |_| done())?,
        ("step", [count, trace @ (0 | 1)]) => {
            let Ok(count) = u32::try_from(*count) else { return Ok(None) };
            client.ask(&command::Step(Step { count, trace: *trace == 1 }), |_| done())?
        }
        ("stopped", []) => Ok(stopped(client)?),
        ("release", [addr]) => {
            let fingerprint = client.device()?.fingerprint;
            client.ask(&command::Release(Release { addr: *addr, fingerprint }), |_| done())?
        }
        ("axes", []) => client.ask(&command::ReadAxes, |axes| {
            format!(r#"{{"axes": [{}]}}"#, list(&axes.positions.collect::<Vec<_>>()))
        })?,
        ("plc", [first, count]) => {
            let (Ok(first), Ok(count)) = (u16::try_from(*first), u16::try_from(*count)) else {
                return Ok(None);
            };
            client.ask(&command::ReadPlc(ReadPlc { first, count }), |plc| {
                let registers = list(&plc.registers.collect::<Vec<_>>());
                format!(r#"{{"first": {}, "registers": [{registers}]}}"#, plc.first)
            })?
        }
        ("cursor", []) => client.ask(&command::ReadCursor, |at| {
            let cursor = at.cursor;
            format!(
                r#"{{"program": {}, "line": {}, "offset": {}}}"#,
                cursor.program, cursor.line, cursor.offset
            )
        })?,
        ("audit", [from, count]) => {
            let (Some(from), Ok(count)) = (id(*from), u8::try_from(*count)) else { return Ok(None) };
            audit(client, from, count)?
        }
        ("metrics", []) => client.ask(&command::ReadMetrics, |metrics| {
            let known = metrics.metrics.filter(|one| metric(one.metric).is_some());
            format!(
                r#"{{"metrics": {{{}}}}}"#,
                pairs(known.map(|metric| (metric.metric, u64::from(metric.value))))
            )
        })?,
        ("policy", [version, enabled @ (0 | 1), rules @ ..]) => {
            let Some(version) = id(*version) else { return Ok(None) };
            let rules = rules.chunks(3).map(|rule| match *rule {
                [first, last, 0] => Some(Rule { first, last, action: Action::Deny }),
                [first, last, 1] => Some(Rule { first, last, action: Action::Allow }),
                _ => None,
            });
            let Some(rules) = rules.collect::<Option<Vec<_>>>() else { return Ok(None) };
            let policy = PushPolicy { version, enabled: *enabled == 1, rules: List::new(&rules) };
            client.ask(&command::PushPolicy(policy), |_| done())?
        }
        ("wait", [milliseconds]) => {
            let Some(time) = id(*milliseconds) else { return Ok(None) };
            client.wait(time)?;
            Ok(format!(r#"{{"waited": {time}}}"#))
        }
        _ => return Ok(None),
    }))
}

fn force(client: &mut Client, addr: u64, lease: u32, value: &[u8]) -> Result<Answer, Failure> {
    let fingerprint = client.device()?.fingerprint;
    let force = Force { addr, lease, fingerprint, value: Bytes::new(value) };
    client.ask(&command::Force(force), |_| done())
}

fn stopped(client: &mut Client) -> Result<String, Failure> {
    loop {
        let Some(stop) = client.stop(None)? else { continue };
        return Ok(format!(
            r#"{{"request": {}, "reason": {}, "more": {}, "detail": {}, "pc": {}, "registers": {{{}}}}}"#,
            stop.request,
            stop.reason.number(),
            u8::from(stop.more),
            stop.detail,
            stop.registers.pc(),
            pairs(stop.registers.all()),
        ));
    }
}

fn audit(client: &mut Client, from: u32, count: u8) -> Result<Answer, Failure> {
    client.ask(&command::ReadAudit(ReadAudit { from, count }), |audit| {
        let records = audit.records.map(|record| {
            format!(
                concat!(
                    r#"{{"index": {}, "session": {}, "sequence": {}, "time": {}, "uptime": {}, "operator": "{}", "#,
                    r#""kind": {}, "verdict": {}, "addr": {}, "value": {}}}"#,
                ),
                record.index,
                record.session,
                record.sequence,
                record.time,
                record.uptime,
                hex(&record.operator),
                record.kind,
                record.verdict,
                record.addr,
                record.value,
            )
        });
        let records = list(&records.collect::<Vec<_>>());
        format!(r#"{{"oldest": {}, "next": {}, "records": [{records}]}}"#, audit.oldest, audit.next)
    })
}

fn narrow<T: TryFrom<u64>>(word: &str) -> Option<T> {
    number(word).and_then(|number| T::try_from(number).ok())
}

fn done() -> String {
    r#"{"done": true}"#.into()
}

fn slot(id: u32, slot: u16) -> String {
    format!(r#"{{"id": {id}, "slot": {slot}}}"#)
}

fn reason(why: &Closed) -> u8 {
    why.reason().map_or(0, |reason| reason.0)
}

fn list(values: &[impl Display]) -> String {
    values.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

fn pairs<K: Display>(pairs: impl Iterator<Item = (K, u64)>) -> String {
    pairs.map(|(key, value)| format!(r#""{key}": {value}"#)).collect::<Vec<_>>().join(", ")
}

/// A string as JSON has it.
fn string(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.into(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
