//! The host that the conformance suite drives: commands on standard input, one a line, and one line of JSON
//! for each on standard output (`tests/rdp-conformance/README.md`).

use std::fmt::Display;

use feedrate::rdp::frame::{
    self, Access, Action, Breakpoint, Bytes, Force, GetStatus, Halt, List, PushPolicy, ReadAudit, ReadAxes,
    ReadCursor, ReadMemory, ReadMetrics, ReadPlc, ReadRegisters, Release, ReleaseAudit, Renew, Resume, Rule,
    SetAxis, SetWatchpoint, Step, StepRange, WriteMemory, WriteRegister,
};
use feedrate_rdp::host::Closed;
use feedrate_rdp::host::command::{
    ClearBreakpoint, SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint,
};

use crate::client::Client;
use crate::digits::{bytes, hex, number};
use crate::failure::Failure;
use crate::lists;
use crate::options::Options;
use crate::show::{metric, say};

/// An answer's JSON, or why the command was not done.
type Answer = Result<String, frame::Error>;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let done = Client::connect(options, true).and_then(|mut client| {
        let done = converse(&mut client);
        if matches!(done, Ok(()) | Err(Failure::Interrupted)) {
            say(&format!(r#"{{"closed": {}}}"#, reason(&client.end())));
            return Ok(done);
        }
        done.map(Ok)
    });
    done.unwrap_or_else(|failure| {
        let reason = match &failure {
            Failure::Closed { why, .. } => reason(why),
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
            r#""generation": {}, "credit": {}, "name": {}, "state": {{"run": {}, "axes": [{}], "plc": [{}], "#,
            r#""program": {}, "line": {}, "offset": {}, "modified": {}, "stuck": {}, "last": {}, "#,
            r#""last_detail": {}, "cause": {}, "ended": [{}]}}}}"#,
        ),
        hex(&device.fingerprint),
        device.architecture,
        device.capabilities.0,
        device.authority.0,
        device.generation,
        device.credit,
        string(device.name()),
        state.run.number(),
        list(&state.axes),
        list(&state.plc),
        cursor.program,
        cursor.line,
        cursor.offset,
        u8::from(state.modified),
        state.stuck,
        state.last.map_or(0, |reason| reason.number()),
        state.detail,
        state.cause.0,
        list(&state.ended),
    ));
    Ok(())
}

/// What is printed for a line.
fn answer(client: &mut Client, words: &[&str]) -> Result<String, Failure> {
    let wrong = |what: String| format!(r#"{{"error": 0, "detail": 0, "why": {}}}"#, string(&what));
    let [word, rest @ ..] = words else { return Ok(wrong("there is no command".into())) };
    let answer = match with_bytes(client, word, rest).transpose()? {
        Some(answer) => answer,
        None => {
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

/// Commands whose arguments are not all natural numbers. `None`: there is none like this.
fn with_bytes(client: &mut Client, word: &str, rest: &[&str]) -> Option<Result<Answer, Failure>> {
    let fingerprint = match client.device() {
        Ok(device) => device.fingerprint,
        Err(failure) => return Some(Err(failure)),
    };
    Some(match (word, rest) {
        ("force", [addr, lease, value, safe @ ..]) if safe.len() <= 1 => {
            let (addr, lease, value) = (number(addr)?, narrow(lease)?, bytes(value)?);
            let safe = bytes(&safe.concat())?;
            let (value, safe) = (Bytes::new(&value), Bytes::new(&safe));
            client.ask(&Force { addr, lease, fingerprint, value, safe }, |_| done())
        }
        ("write", [addr, data]) => {
            let (addr, data) = (number(addr)?, bytes(data)?);
            client.ask(&WriteMemory { addr, fingerprint, data: Bytes::new(&data) }, |_| done())
        }
        ("setaxis", [axis, position]) => {
            let (axis, position) = (narrow(axis)?, position.parse().ok()?);
            client.ask(&SetAxis { axis, position, fingerprint }, |_| done())
        }
        _ => return None,
    })
}

/// Commands whose arguments are natural numbers. `None`: there is none like this.
fn simple(client: &mut Client, word: &str, numbers: &[u64]) -> Result<Option<Answer>, Failure> {
    let id = |id: u64| u32::try_from(id).ok();
    let fingerprint = client.device()?.fingerprint;
    Ok(Some(match (word, numbers) {
        ("status", []) => client.ask(&GetStatus, |status| {
            format!(
                concat!(
                    r#"{{"run": {}, "breakpoints": {}, "forces": {}, "steps": {}, "policy": {}, "#,
                    r#""enabled": {}, "modified": {}, "stuck": {}, "last": {}, "uptime": {}}}"#,
                ),
                status.run.number(),
                status.breakpoints,
                status.forces,
                status.steps,
                status.policy,
                u8::from(status.enabled),
                u8::from(status.modified),
                status.stuck,
                status.last.map_or(0, |reason| reason.number()),
                status.uptime,
            )
        })?,
        ("regs", []) => {
            let capture = client.ask(&ReadRegisters { changed: false }, |registers| registers.capture)?;
            let registers = pairs(client.registers()?.iter());
            capture.map(|capture| format!(r#"{{"capture": {capture}, "registers": {{{registers}}}}}"#))
        }
        ("setreg", [register, value]) => {
            let Ok(register) = u8::try_from(*register) else { return Ok(None) };
            client.ask(&WriteRegister { register, value: *value, fingerprint }, |_| done())?
        }
        ("read", [addr, length]) => {
            let Ok(length) = u16::try_from(*length) else { return Ok(None) };
            client.ask(&ReadMemory { addr: *addr, length }, |memory| {
                format!(r#"{{"addr": {}, "data": "{}"}}"#, memory.addr, hex(memory.data.as_slice()))
            })?
        }
        ("break" | "hbreak" | "sbreak", [addr, number]) => {
            let Some(id) = id(*number) else { return Ok(None) };
            let at = Breakpoint { addr: *addr, id };
            let set = match word {
                "break" => client.ask(&SetBreakpoint(at), |set| set)?,
                "hbreak" => client.ask(&SetHardwareBreakpoint(at), |set| set)?,
                _ => client.ask(&SetSoftwareBreakpoint(at), |set| set)?,
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
            client
                .ask(&SetWatchpoint { addr: *addr, id, length, access }, |set| slot(set.id, set.slot))?
        }
        ("clear", [number]) => {
            let Some(id) = id(*number) else { return Ok(None) };
            client.ask(&ClearBreakpoint(Breakpoint { addr: 0, id }), |_| done())?
        }
        ("breakpoints", []) => lists::breakpoints(client)?.map(|all| {
            let each = all.iter().map(|one| {
                let (id, addr, trap, hits) = (one.id, one.addr, one.trap.number(), one.hits);
                format!(r#"{{"id": {id}, "addr": {addr}, "trap": {trap}, "hits": {hits}}}"#)
            });
            format!(r#"{{"breakpoints": [{}]}}"#, list(&each.collect::<Vec<_>>()))
        }),
        ("halt", []) => client.ask(&Halt, |_| done())?,
        ("resume", []) => client.ask(&Resume, |_| done())?,
        ("step", [count, trace @ (0 | 1)]) => {
            let Some(count) = id(*count) else { return Ok(None) };
            client.ask(&Step { count, trace: *trace == 1 }, |_| done())?
        }
        ("range", [first, last, over @ (0 | 1)]) => {
            client.ask(&StepRange { first: *first, last: *last, over: *over == 1 }, |_| done())?
        }
        ("stopped", []) => Ok(stopped(client)?),
        ("release", [addr]) => client.ask(&Release { addr: *addr, fingerprint }, |_| done())?,
        ("renew", [addr, lease]) => {
            let Some(lease) = id(*lease) else { return Ok(None) };
            client.ask(&Renew { addr: *addr, lease, fingerprint }, |_| done())?
        }
        ("variables", []) => lists::variables(client)?.map(|(generation, variables)| {
            let each = variables.iter().map(|one| {
                let (addr, kind, length, flags) = (one.addr, one.kind.number(), one.length, one.flags);
                let name = string(&one.name);
                format!(
                    r#"{{"addr": {addr}, "type": {kind}, "length": {length}, "flags": {flags}, "name": {name}}}"#
                )
            });
            format!(
                r#"{{"generation": {generation}, "variables": [{}]}}"#,
                list(&each.collect::<Vec<_>>())
            )
        }),
        ("map", []) => lists::map(client)?.map(|regions| {
            let each = regions.iter().map(|one| {
                format!(r#"{{"first": {}, "last": {}, "class": {}}}"#, one.first, one.last, one.class.number())
            });
            format!(r#"{{"regions": [{}]}}"#, list(&each.collect::<Vec<_>>()))
        }),
        ("axes", []) => client.ask(&ReadAxes, |axes| {
            format!(r#"{{"axes": [{}]}}"#, list(&axes.positions.collect::<Vec<_>>()))
        })?,
        ("plc", [first, count]) => {
            let (Ok(first), Ok(count)) = (u16::try_from(*first), u16::try_from(*count)) else {
                return Ok(None);
            };
            client.ask(&ReadPlc { first, count }, |plc| {
                let registers = list(&plc.registers.collect::<Vec<_>>());
                format!(r#"{{"first": {}, "registers": [{registers}]}}"#, plc.first)
            })?
        }
        ("cursor", []) => client.ask(&ReadCursor, |at| {
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
        ("release-audit", [upto, crc]) => {
            let (Some(upto), Some(crc)) = (id(*upto), id(*crc)) else { return Ok(None) };
            client.ask(&ReleaseAudit { upto, crc }, |_| done())?
        }
        ("metrics", []) => client.ask(&ReadMetrics, |metrics| {
            let known = metrics.metrics.filter(|one| metric(one.metric).is_some());
            format!(
                r#"{{"metrics": {{{}}}}}"#,
                pairs(known.map(|metric| (metric.metric, u64::from(metric.value))))
            )
        })?,
        ("policy", [version, replaces, enabled @ (0 | 1), rules @ ..]) => {
            let (Some(version), Some(replaces)) = (id(*version), id(*replaces)) else { return Ok(None) };
            let rules = rules.chunks(3).map(|rule| match *rule {
                [first, last, 0] => Some(Rule { first, last, action: Action::Deny }),
                [first, last, 1] => Some(Rule { first, last, action: Action::Allow }),
                _ => None,
            });
            let Some(rules) = rules.collect::<Option<Vec<_>>>() else { return Ok(None) };
            let policy = PushPolicy { version, replaces, enabled: *enabled == 1, rules: List::new(&rules) };
            client.ask(&policy, |_| done())?
        }
        ("wait", [milliseconds]) => {
            let Some(time) = id(*milliseconds) else { return Ok(None) };
            client.wait(time)?;
            Ok(format!(r#"{{"waited": {time}}}"#))
        }
        _ => return Ok(None),
    }))
}

fn stopped(client: &mut Client) -> Result<String, Failure> {
    loop {
        let Some(stop) = client.stop(None)? else { continue };
        return Ok(format!(
            concat!(
                r#"{{"request": {}, "reason": {}, "more": {}, "axes": {}, "detail": {}, "pc": {}, "#,
                r#""registers": {{{}}}}}"#
            ),
            stop.request,
            stop.reason.number(),
            u8::from(stop.more),
            stop.axes.number(),
            stop.detail,
            stop.pc,
            pairs(stop.registers.iter()),
        ));
    }
}

fn audit(client: &mut Client, from: u32, count: u8) -> Result<Answer, Failure> {
    client.ask(&ReadAudit { from, count }, |audit| {
        let records = audit.records.map(|record| {
            format!(
                concat!(
                    r#"{{"index": {}, "boot": {}, "session": {}, "sequence": {}, "time": {}, "uptime": {}, "#,
                    r#""operator": "{}", "suite": {}, "kind": {}, "cause": {}, "verdict": {}, "count": {}, "#,
                    r#""addr": {}, "value": {}}}"#,
                ),
                record.index,
                record.boot,
                record.session,
                record.sequence,
                record.time,
                record.uptime,
                hex(&record.operator),
                record.suite,
                record.kind,
                record.cause.0,
                record.verdict,
                record.count,
                record.addr,
                record.value,
            )
        });
        let records = list(&records.collect::<Vec<_>>());
        let (oldest, next, lost) = (audit.oldest, audit.next, audit.lost);
        format!(r#"{{"oldest": {oldest}, "next": {next}, "lost": {lost}, "records": [{records}]}}"#)
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
    why.cause().map_or(0, |reason| reason.0)
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
