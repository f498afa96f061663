//! The knobs on standard input (`tests/rdp-conformance/README.md`).

use std::str::FromStr;
use std::time::Duration;

use crate::machine::Machine;
use crate::world::hex;

/// A line of standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knob {
    Permit(u8),
    Generation(u32),
    Interlock(bool),
    Moving(bool),
    ReleaseFails(bool),
    RecoveryFails(bool),
    Stall(Duration),
    Clock(i64),
    Freeze(bool),
    Reset,
    Trap,
    Journal,
}

impl FromStr for Knob {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let knob = match words[..] {
            ["permit", bits] => bits.parse().ok().map(Self::Permit),
            ["generation", number] => number.parse().ok().map(Self::Generation),
            ["interlock", on] => switch(on).map(Self::Interlock),
            ["moving", on] => switch(on).map(Self::Moving),
            ["release-fails", on] => switch(on).map(Self::ReleaseFails),
            ["recovery-fails", on] => switch(on).map(Self::RecoveryFails),
            ["stall", span] => span.parse().ok().map(|span| Self::Stall(Duration::from_millis(span))),
            ["clock", step] => step.parse().ok().map(Self::Clock),
            ["freeze", on] => switch(on).map(Self::Freeze),
            ["reset"] => Some(Self::Reset),
            ["trap"] => Some(Self::Trap),
            ["journal"] => Some(Self::Journal),
            _ => None,
        };
        knob.ok_or_else(|| format!("no such knob: {line}"))
    }
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// What was done to the machine since this was last asked, and what is forced and armed now, as JSON.
pub(crate) fn journal(machine: &mut Machine) -> String {
    // Neither has anything in it that JSON would want escaped.
    let lines: Vec<String> = machine.world.take_journal().iter().map(|line| format!("\"{line}\"")).collect();
    let mut forced = machine.forced.clone();
    forced.sort_by_key(|forced| forced.addr);
    let forces: Vec<String> =
        forced.iter().map(|forced| format!("\"{}\": \"{}\"", forced.addr, hex(&forced.value))).collect();
    let traps = machine.slots.iter().flatten().count();
    format!(
        "{{\"journal\": [{}], \"forces\": {{{}}}, \"traps\": {traps}}}",
        lines.join(", "),
        forces.join(", ")
    )
}
