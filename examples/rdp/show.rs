//! How things look.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use feedrate::rdp::frame::{
    Cause, Class, Durability, ErrorCode, Lifecycle, Listed, Location, Metric, Reason, Record, Region,
    RunState, SetAs, Standing, Status, StopEffect, Type,
};
use feedrate_examples::escape::escaped;
use feedrate_rdp::host::{Device, RegisterSet};

use crate::client::{MachineState, Stop};
use crate::digits::hex;
use crate::names::{Names, Variable};

/// Prints. Nobody may be listening any more (`rdp ... | head`), which is no reason to leave a machine alone.
pub(crate) fn say(text: &str) {
    if text.is_empty() {
        return;
    }
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = out.write_all(format!("{text}{end}").as_bytes());
}

pub(crate) const fn run(run: RunState) -> &'static str {
    match run {
        RunState::Running => "running",
        RunState::Stopped => "stopped",
        RunState::Stepping => "stepping",
        _ => "in another state",
    }
}

pub(crate) fn status(status: &Status) -> String {
    let policy = match (status.policy, status.enabled) {
        (0, _) => "none".into(),
        (version, true) => format!("version {version}, in force"),
        (version, false) => format!("version {version}, not in force"),
    };
    let steps = if status.steps == u32::MAX { "a range".into() } else { status.steps.to_string() };
    let last = status.last.map_or("none".into(), |reason| cause_of_stop(reason, None));
    let modified = if status.modified { "memory or registers were written to" } else { "no" };
    let (program, breakpoints, forces, uptime) =
        (run(status.run), status.breakpoints, status.forces, status.uptime);
    let mut text = format!(
        "program      {program}\nlast stop    {last}\nbreakpoints  {breakpoints}\nforces       {forces}\n\
         steps left   {steps}\npolicy       {policy}\nmodified     {modified}\nuptime       {uptime} s\n"
    );
    if status.stuck > 0 {
        let _ = writeln!(text, "STUCK        {} forces or traps could not be taken back", status.stuck);
    }
    text
}

/// Four in a row, and the program counter by itself.
pub(crate) fn registers(registers: &RegisterSet, mask: u64, names: &Names) -> String {
    let digits = 2 * registers.width();
    let mut text = String::new();
    for (i, (name, value)) in registers.of_mask(mask & !(1 << registers.pc_index())).enumerate() {
        let end = if i % 4 == 3 { "\n" } else { "  " };
        let _ = write!(text, "{name:<4} 0x{value:0digits$x}{end}");
    }
    let text = text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    format!("{text}pc   {}\n", names.show(registers.pc().unwrap_or_default()))
}

/// What a device is called, and which program it runs.
pub(crate) fn name(device: &Device) -> String {
    format!("{} ({})", escaped(device.name()), hex(&device.fingerprint))
}

/// What Welcome says.
pub(crate) fn device(device: &Device) -> String {
    let effect = |effect| match effect {
        StopEffect::Nothing => "does nothing",
        StopEffect::Program => "stops the program only",
        StopEffect::FeedHold => "holds the feed first",
        StopEffect::DrivesOff => "takes power off the drives first",
        _ => "does something else",
    };
    let life = match device.lifecycle {
        Lifecycle::Development => "in development",
        Lifecycle::Production => "in production",
        Lifecycle::Decommissioned => "decommissioned",
        _ => "in another part of its life",
    };
    let log = match device.durability {
        Durability::None => "none",
        Durability::Memory => "in memory that a reset loses",
        Durability::Kept => "in memory that keeps",
        _ => "of another kind",
    };
    format!(
        "device   {}\nlife     {life}, boot {}, program of generation {}\nhalt     {}\ntraps    {}\n\
         loss     {}\nlog      {log}\n",
        name(device),
        device.boot,
        device.generation,
        effect(device.halt),
        effect(device.trap),
        effect(device.lost),
    )
}

/// What State said when the session began.
pub(crate) fn began(state: &MachineState, names: &Names) -> String {
    let mut text = String::new();
    if state.cause != Cause::None {
        let _ = writeln!(text, "before   the last session ended: {}", state.cause);
    }
    for addr in &state.ended {
        let _ = writeln!(text, "before   the force of {} ended with it", names.show(*addr));
    }
    if let Some(reason) = state.last {
        let _ = writeln!(text, "before   it stopped: {}", cause_of_stop(reason, Some(state.detail)));
    }
    if state.modified {
        text.push_str("before   memory or registers were written to\n");
    }
    if state.stuck > 0 {
        let _ = writeln!(text, "STUCK    {} forces or traps could not be taken back", state.stuck);
    }
    text
}

/// A step of many in one line, any other stop with its reason.
pub(crate) fn stop(stop: &Stop, names: &Names) -> String {
    let registers = &stop.registers;
    let digits = 2 * registers.width();
    let mut text = format!("pc {}", names.show(stop.pc));
    if stop.axes == Standing::Move {
        text.push_str("  axes MOVE");
    }
    if stop.reason == Reason::Step {
        for (name, value) in registers.of_mask(stop.mask & !(1 << registers.pc_index())) {
            let _ = write!(text, "  {name} 0x{value:0digits$x}");
        }
        return text;
    }
    format!("stopped: {}  {text}", cause_of_stop(stop.reason, Some(stop.detail)))
}

/// What a stop is called. Without its detail it is not known which breakpoint it was.
fn cause_of_stop(reason: Reason, detail: Option<u64>) -> String {
    let known = |text: &str| detail.map(|detail| format!("{text} {detail}")).unwrap_or_else(|| text.into());
    match (reason, detail) {
        (Reason::Step, _) => "stepped".into(),
        (Reason::Breakpoint, _) => known("breakpoint"),
        (Reason::Watch, Some(detail)) => {
            format!("watchpoint {} at {:#010x}", detail >> 32, detail & 0xFFFF_FFFF)
        }
        (Reason::Watch, None) => "watchpoint".into(),
        (Reason::Halted, _) => "halted".into(),
        (Reason::Fault, detail) => detail.map_or("fault".into(), |detail| format!("fault {detail:#x}")),
        (Reason::Interlock, _) => "an interlock".into(),
        (Reason::Reset, _) => "reset".into(),
        (other, _) => format!("stopped for reason {}", other.number()),
    }
}

pub(crate) fn breakpoint(listed: &Listed, names: &Names) -> String {
    let kind = match listed.trap {
        SetAs::Any => "breakpoint",
        SetAs::Hardware => "hardware breakpoint",
        SetAs::Software => "software breakpoint",
        SetAs::Watch => "watchpoint",
        _ => "breakpoint of another kind",
    };
    format!("{kind} {} at {}, hits {}", listed.id, names.show(listed.addr), listed.hits)
}

pub(crate) fn variables(variables: &[Variable]) -> String {
    let each = variables.iter().map(|variable| {
        let kind = match variable.kind {
            Type::Bytes => "bytes",
            Type::Unsigned => "unsigned",
            Type::Signed => "signed",
            Type::Float => "float",
            Type::Boolean => "boolean",
            _ => "of another type",
        };
        let forceable = if variable.flags & 1 != 0 { "  forceable" } else { "" };
        let (name, addr, length) = (escaped(&variable.name), variable.addr, variable.length);
        format!("{name:<32}  {addr:#010x}  {kind} {length}{forceable}\n")
    });
    each.collect()
}

pub(crate) fn map(regions: &[Region]) -> String {
    let each = regions.iter().map(|region| {
        let class = match region.class {
            Class::Plain => "plain",
            Class::SideEffects => "reading has side effects",
            Class::Protected => "protected",
        };
        format!("{:#010x} to {:#010x}  {class}\n", region.first, region.last)
    });
    each.collect()
}

/// Sixteen bytes in a row.
pub(crate) fn dump(addr: u64, bytes: &[u8]) -> String {
    let mut text = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        let columns = row.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
        let shown = row.iter().map(|byte| if (0x20..0x7F).contains(byte) { char::from(*byte) } else { '.' });
        let shown = shown.collect::<String>();
        let _ = writeln!(text, "{:#010x}  {columns:<48} {shown}", addr + 16 * i as u64);
    }
    text
}

/// A variable: as a number if it can be one, with the lowest byte first.
pub(crate) fn value(bytes: &[u8]) -> String {
    let number = bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    match bytes.len() {
        1 | 2 | 4 | 8 => format!("{} = {number:#x} = {number}", hex(bytes)),
        _ => hex(bytes),
    }
}

pub(crate) fn axes(positions: &[i64]) -> String {
    let millimetres = |position: i64| {
        let (sign, size) = (if position < 0 { "-" } else { "" }, position.unsigned_abs());
        format!("{sign}{}.{:06} mm", size / 1_000_000, size % 1_000_000)
    };
    let each = positions.iter().enumerate();
    each.map(|(axis, position)| format!("axis {axis}   {}\n", millimetres(*position))).collect()
}

pub(crate) fn plc(first: u16, registers: &[u16]) -> String {
    let values = registers.iter().map(|register| format!(" {register}")).collect::<String>();
    format!("plc {first:<5}{values}\n")
}

pub(crate) fn cursor(cursor: &Location) -> String {
    format!("cursor   O{} line {}, byte {}\n", cursor.program, cursor.line, cursor.offset)
}

pub(crate) const AUDIT: &str =
    "index session  seq       time      uptime operator what                  verdict";

pub(crate) fn record(record: &Record, session: u32, names: &Names) -> String {
    let end = record.operator.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let operator = escaped(&record.operator[..end]);
    let here = match record.session {
        0 => "none".into(),
        number if number == session => "this".into(),
        number => format!("{number:08x}"),
    };
    let verdict = match record.verdict {
        0 => "done",
        Record::PENDING => "not known",
        code => ErrorCode(code).name(),
    };
    let (addr, value) = (names.show(record.addr), record.value);
    let mut what = match record.kind {
        0x01..=0x06 => format!("{addr}, id {value}"),
        0x12 => format!("{value} times"),
        0x13 => format!("{addr} to {value:#010x}"),
        0x19 | 0x1B | 0x1C => addr,
        0x1A | 0x1D | Record::FORCE_ENDED => format!("{addr} = {}...", hex(&value.to_be_bytes())),
        0x1E => format!("register {} = {value:#x}", record.addr),
        0x29 => format!("axis {} = {} nm", record.addr, i64::from_be_bytes(value.to_be_bytes())),
        0x32 => format!("version {}", record.addr),
        0x35 => format!("below {value}"),
        Record::STUCK => addr,
        Record::STOP_WITHOUT_SESSION => format!("pc {addr}"),
        _ => String::new(),
    };
    // Of a refusal the verdict says it.
    if !matches!(record.cause, Cause::None | Cause::Refused) {
        let _ = write!(what, "{}{}", if what.is_empty() { "" } else { ": " }, record.cause);
    }
    match (record.kind, record.count) {
        (Record::FORCE_ENDED, count) => drop(write!(what, ", renewed {count} times")),
        (_, 0 | 1) => {}
        (_, count) => drop(write!(what, ", {count} times in a row")),
    }
    // The header's time is in units of 10 ms.
    let (index, sequence, time, uptime) =
        (record.index, record.sequence, u64::from(record.time) * 10, record.uptime);
    let name = kind(record.kind);
    let text = format!(
        "{index:5} {here:8} {sequence:3} {time:7} ms {uptime:8} ms {operator:8} {name:21} {verdict:9} {what}"
    );
    text.trim_end().to_owned()
}

/// What the audit log tells of (SPEC sections 6.2 and 6.5).
fn kind(kind: u8) -> String {
    let name = match kind {
        0x01 => "SetBreakpoint",
        0x02 => "ClearBreakpoint",
        0x03 => "ListBreakpoints",
        0x04 => "SetHardwareBreakpoint",
        0x05 => "SetSoftwareBreakpoint",
        0x06 => "SetWatchpoint",
        0x10 => "Halt",
        0x11 => "Resume",
        0x12 => "Step",
        0x13 => "StepRange",
        0x18 => "ReadRegisters",
        0x19 => "ReadMemory",
        0x1A => "Force",
        0x1B => "Release",
        0x1C => "Renew",
        0x1D => "WriteMemory",
        0x1E => "WriteRegister",
        0x28 => "GetStatus",
        0x29 => "SetAxis",
        0x2A => "ReadAxes",
        0x2B => "ReadPlc",
        0x2C => "ReadCursor",
        0x30 => "ReadAudit",
        0x31 => "ReadMetrics",
        0x32 => "PushPolicy",
        0x33 => "ListVariables",
        0x34 => "ReadMap",
        0x35 => "ReleaseAudit",
        Record::FORCE_ENDED => "ForceEnded",
        Record::STUCK => "Stuck",
        Record::STOP_WITHOUT_SESSION => "StopWithoutSession",
        Record::SESSION_ENDED => "SessionEnded",
        _ => return format!("kind {kind:#04x}"),
    };
    name.into()
}

/// By name.
pub(crate) fn metrics(metrics: &[Metric]) -> String {
    let name = |number| metric(number).unwrap_or_else(|| format!("metric {number:#x}"));
    metrics.iter().map(|metric| format!("{:<34} {}\n", name(metric.metric), metric.value)).collect()
}

/// What a metric is (SPEC section 8.13), if this version knows its number.
pub(crate) fn metric(number: u16) -> Option<String> {
    const COMMON: [&str; 15] = [
        "uptime, s",
        "sessions",
        "commands executed",
        "commands refused",
        "messages replayed",
        "messages stale or disordered",
        "messages with a wrong tag",
        "receive queue 0 at most, bytes",
        "receive queue 1 at most, bytes",
        "send queue 0 at most, bytes",
        "send queue 1 at most, bytes",
        "packets stray or unknown",
        "bulk lane became damaged",
        "challenges that came back",
        "longest time between runs, ms",
    ];
    const OF_LANE: [&str; 6] = [
        "packets received",
        "packets sent",
        "header failures",
        "CRC failures",
        "packets sent again",
        "packets overlong",
    ];
    let lane = match number & 0xFFF0 {
        0x000 => return COMMON.get(usize::from(number.checked_sub(1)?)).map(|name| (*name).into()),
        0x100 => "signal",
        0x110 => "bulk",
        _ => return None,
    };
    OF_LANE.get(usize::from(number & 0xF)).map(|name| format!("{lane} lane: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_call_themselves_is_escaped() {
        let variable = Variable { addr: 16, kind: Type::Float, length: 4, flags: 0, name: "a\x1b[2J".into() };
        assert!(variables(&[variable]).starts_with(r"a\u{1b}[2J "));
        let operator = *b"a\x1b[2J\x9b\0\0";
        let entry = Record {
            version: Record::VERSION,
            index: 0,
            boot: 1,
            session: 1,
            sequence: 1,
            time: 0,
            uptime: 0,
            operator,
            suite: 0,
            kind: 1,
            cause: Cause::None,
            verdict: 0,
            count: 1,
            addr: 16,
            value: 1,
        };
        let line = record(&entry, 1, &Names::default());
        assert!(line.contains(r"a\u{1b}[2J\x9b "), "{line}");
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
    }
}
