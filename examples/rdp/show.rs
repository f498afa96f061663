//! How things look.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use feedrate::rdp::frame::{ErrorCode, Listed, Location, Metric, Reason, Record, RunState, SetAs, Status};

use crate::client::Stop;
use crate::registers::Registers;
use crate::symbols::Symbols;

/// Prints. Nobody may be listening any more (`rdp ... | head`), which is no reason to leave a machine alone.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = out.write_all(format!("{text}{end}").as_bytes());
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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
    let seconds = f64::from(status.uptime) / 1000.0;
    let (program, breakpoints, forces, steps) =
        (run(status.run), status.breakpoints, status.forces, status.steps);
    format!(
        "program      {program}\nbreakpoints  {breakpoints}\nforces       {forces}\n\
         steps left   {steps}\npolicy       {policy}\nuptime       {seconds:.3} s\n"
    )
}

/// Four in a row, and the program counter by itself.
pub(crate) fn registers(registers: &Registers, mask: u64, symbols: &Symbols) -> String {
    let digits = registers.digits();
    let mut text = String::new();
    for (i, (name, value)) in registers.others(mask).enumerate() {
        let end = if i % 4 == 3 { "\n" } else { "  " };
        let _ = write!(text, "{name:<4} 0x{value:0digits$x}{end}");
    }
    let text = text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    format!("{text}pc   {}\n", symbols.show(registers.pc()))
}

/// A step of many in one line, any other stop with its reason.
pub(crate) fn stop(stop: &Stop, symbols: &Symbols) -> String {
    let digits = stop.registers.digits();
    let mut text = format!("pc {}", symbols.show(stop.registers.pc()));
    if stop.reason == Reason::Step {
        for (name, value) in stop.registers.others(stop.mask) {
            let _ = write!(text, "  {name} 0x{value:0digits$x}");
        }
        return text;
    }
    format!("stopped: {}  {text}", reason(stop))
}

/// What a stop is called.
pub(crate) fn reason(stop: &Stop) -> String {
    match stop.reason {
        Reason::Step => "stepped".into(),
        Reason::Breakpoint => format!("breakpoint {}", stop.detail),
        Reason::Watch => format!("watchpoint {} at {:#010x}", stop.detail >> 32, stop.detail & 0xFFFF_FFFF),
        Reason::Halted => "halted".into(),
        Reason::Fault => format!("fault {:#x}", stop.detail),
        Reason::Interlock => "an interlock".into(),
        Reason::Reset => "reset".into(),
        other => format!("stopped for reason {}", other.number()),
    }
}

pub(crate) fn breakpoint(listed: &Listed, symbols: &Symbols) -> String {
    let kind = match listed.trap {
        SetAs::Any => "breakpoint",
        SetAs::Hardware => "hardware breakpoint",
        SetAs::Software => "software breakpoint",
        SetAs::Watch => "watchpoint",
        _ => "breakpoint of another kind",
    };
    format!("{kind} {} at {}, hits {}", listed.id, symbols.show(listed.addr), listed.hits)
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
    "index session  seq       time      uptime operator command               verdict";

pub(crate) fn record(record: &Record, session: u32, symbols: &Symbols) -> String {
    let operator = String::from_utf8_lossy(&record.operator);
    let operator = operator.trim_end_matches('\0').escape_debug();
    let here = if record.session == session { "this" } else { &format!("{:08x}", record.session) };
    let verdict = match record.verdict {
        0 => "done",
        Record::PENDING => "not known",
        code => ErrorCode(code).name(),
    };
    let (addr, value) = (symbols.show(record.addr), record.value);
    let what = match record.kind {
        0x01..=0x06 => format!("{addr}, id {value}"),
        0x12 => format!("{value} times"),
        0x1A => format!("{addr} = {}...", hex(&value.to_be_bytes())),
        0x1B => addr,
        0x29 => format!("axis {} = {} nm", record.addr, i64::from_be_bytes(value.to_be_bytes())),
        0x32 => format!("version {}", record.addr),
        _ => String::new(),
    };
    let (index, sequence, time, uptime) = (record.index, record.sequence, record.time, record.uptime);
    let name = command(record.kind);
    let text = format!(
        "{index:5} {here:8} {sequence:3} {time:7} ms {uptime:8} ms {operator:8} {name:21} {verdict:9} {what}"
    );
    text.trim_end().to_owned()
}

/// Commands that the audit log can tell of (SPEC section 6.2).
fn command(kind: u8) -> String {
    let name = match kind {
        0x01 => "SetBreakpoint",
        0x02 => "ClearBreakpoint",
        0x04 => "SetHardwareBreakpoint",
        0x05 => "SetSoftwareBreakpoint",
        0x06 => "SetWatchpoint",
        0x10 => "Halt",
        0x11 => "Resume",
        0x12 => "Step",
        0x1A => "Force",
        0x1B => "Release",
        0x29 => "SetAxis",
        0x32 => "PushPolicy",
        _ => return format!("kind {kind:#04x}"),
    };
    name.into()
}

/// By name.
pub(crate) fn metrics(metrics: &[Metric]) -> String {
    let name = |number| metric(number).unwrap_or_else(|| format!("metric {number:#x}"));
    metrics.iter().map(|metric| format!("{:<34} {}\n", name(metric.metric), metric.value)).collect()
}

/// What a metric is (SPEC section 8.8), if this version knows its number.
pub(crate) fn metric(number: u16) -> Option<String> {
    const COMMON: [&str; 13] = [
        "uptime, ms",
        "sessions",
        "commands executed",
        "commands refused",
        "messages replayed",
        "messages disordered or stale",
        "messages with a wrong tag",
        "receive queue now, bytes",
        "receive queue at most, bytes",
        "send queue 0 at most, bytes",
        "send queue 1 at most, bytes",
        "packets stray or unknown",
        "bulk lane became damaged",
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
