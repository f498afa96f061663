//! What the host asks for: made at random, each different from all others, so that no answer can be taken for
//! another's.

use feedrate::rdp::frame::{
    Access, Action, Breakpoint, Bytes, Force, List, PushPolicy, ReadAudit, ReadMemory, ReadPlc,
    ReadRegisters, Release, Rule, SetAxis, SetWatchpoint, Step,
};
use feedrate_rdp::Millis;
use feedrate_rdp::host::Host;
use feedrate_rdp::host::command::{self, Command};
use feedrate_rdp::link::Sizes;
use feedrate_rdp::session::{Seal, SendError};

use super::machine::{AXES, END, FATAL, FINGERPRINT};
use crate::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Set { kind: u8, addr: u64, id: u32 },
    Watch { addr: u64, id: u32 },
    Clear { id: u32 },
    List { from: u32 },
    Halt,
    Resume,
    Step { count: u32, trace: bool },
    Registers { changed: bool },
    Memory { addr: u64, length: u16 },
    Force { addr: u64, lease: u32, value: u64 },
    Release { addr: u64 },
    Status,
    SetAxis { axis: u8, position: i64 },
    Axes,
    Plc { first: u16, count: u16 },
    Cursor,
    Audit { from: u32, count: u8 },
    Metrics,
    Policy { version: u32, enabled: bool, rules: usize },
}

/// The range in which no policy lets breakpoints be.
pub(super) const DENIED: (u64, u64) = (0x2000_0040, 0x2000_007F);

impl Ask {
    /// `unique` is counted up by each command of a schedule.
    pub(super) fn random(random: &mut Random, unique: u32, fatal: bool) -> Self {
        let breakpoint = 0x2000_0000 + random.below(128) * 2 + u64::from(random.chance(300));
        let force = 0x2000_1000 + random.below(6) * 4 + u64::from(random.chance(300));
        match random.below(100) {
            0..8 => {
                Self::Set { kind: random.pick(&[1, 1, 4, 5]), addr: breakpoint, id: random.below(12) as u32 }
            }
            8..10 => Self::Watch { addr: breakpoint, id: random.below(12) as u32 },
            10..15 => Self::Clear { id: random.below(12) as u32 },
            15..18 => Self::List { from: random.below(6) as u32 },
            18..23 => Self::Halt,
            23..27 => Self::Resume,
            27..34 => {
                let count = random.pick(&[1, 1, 2, 5, 30, 300]);
                Self::Step { count, trace: count < 100 && random.chance(4_000) }
            }
            34..40 => Self::Registers { changed: random.chance(6_000) },
            40..55 => {
                let length = random.pick(&[1, 4, 16, 60, 100, 200, 256, 256]);
                let addr = match random.below(20) {
                    0 => END + (u64::from(unique) << 12),
                    1 => END - u64::from(unique % 64) - 1,
                    _ => 0x10_0000 + (u64::from(unique) << 12),
                };
                Self::Memory { addr, length }
            }
            55..68 => {
                let lease = random.pick(&[1, 20, 150, 700, 3_000, 60_000, u32::MAX]);
                let addr = if fatal && random.chance(150) { FATAL } else { force };
                Self::Force { addr, lease, value: u64::from(unique) << 20 | 0xF0_0000_0000_0000 }
            }
            68..73 => Self::Release { addr: force },
            73..77 => Self::Status,
            77..82 => Self::SetAxis {
                axis: random.below(AXES as u64 + 1) as u8,
                position: -(i64::from(unique) << 8) - 1,
            },
            82..85 => Self::Axes,
            85..88 => Self::Plc {
                first: random.pick(&[0, 17, 500, 980, 999, 1000]),
                count: random.between(1, 70) as u16,
            },
            88..91 => Self::Cursor,
            // From the middle of what is unread: the log fills up otherwise.
            91..96 => Self::Audit {
                from: if random.chance(3_000) { 0 } else { unique / 2 },
                count: random.pick(&[1, 3, 8, 255]),
            },
            96..97 => Self::Metrics,
            _ => Self::Policy {
                version: unique,
                enabled: random.chance(5_000),
                rules: random.pick(&[0, 1, 2, 16]),
            },
        }
    }

    /// As the agent's log has it: kind, address and value. `None`: it touches nothing.
    pub(super) fn record(&self) -> Option<(u8, u64, u64)> {
        Some(match *self {
            Self::Set { kind, addr, id } => (kind, addr, u64::from(id)),
            Self::Watch { addr, id } => (6, addr, u64::from(id)),
            Self::Clear { id } => (2, 0, u64::from(id)),
            Self::Halt => (0x10, 0, 0),
            Self::Resume => (0x11, 0, 0),
            Self::Step { count, .. } => (0x12, 0, u64::from(count)),
            Self::Force { addr, value, .. } => (0x1A, addr, value),
            Self::Release { addr } => (0x1B, addr, 0),
            Self::SetAxis { axis, position } => (0x29, u64::from(axis), position as u64),
            Self::Policy { version, .. } => (0x32, u64::from(version), 0),
            _ => return None,
        })
    }

    /// May be done though the log is full, and after the token has expired.
    pub(super) fn makes_safer(&self) -> bool {
        matches!(self, Self::Halt | Self::Release { .. })
    }

    /// Asks. Answers the command's sequence.
    pub(super) fn send<S: Sizes, Z: Seal>(
        &self,
        host: &mut Host<S, Z>,
        now: Millis,
    ) -> Result<u32, SendError> {
        fn ask<S: Sizes, Z: Seal, C: Command>(
            host: &mut Host<S, Z>,
            command: &C,
            now: Millis,
        ) -> Result<u32, SendError> {
            host.request(command, now).map(|ticket| ticket.sequence())
        }
        let fingerprint = FINGERPRINT;
        match *self {
            Self::Set { kind, addr, id } => {
                let at = Breakpoint { addr, id };
                match kind {
                    1 => ask(host, &command::SetBreakpoint(at), now),
                    4 => ask(host, &command::SetHardwareBreakpoint(at), now),
                    _ => ask(host, &command::SetSoftwareBreakpoint(at), now),
                }
            }
            Self::Watch { addr, id } => {
                let watch = SetWatchpoint { addr, id, length: 4, access: Access::Write };
                ask(host, &command::SetWatchpoint(watch), now)
            }
            Self::Clear { id } => ask(host, &command::ClearBreakpoint(Breakpoint { addr: 0, id }), now),
            Self::List { from } => {
                ask(host, &command::ListBreakpoints(Breakpoint { addr: 0, id: from }), now)
            }
            Self::Halt => ask(host, &command::Halt, now),
            Self::Resume => ask(host, &command::Resume, now),
            Self::Step { count, trace } => ask(host, &command::Step(Step { count, trace }), now),
            Self::Registers { changed } => ask(host, &command::ReadRegisters(ReadRegisters { changed }), now),
            Self::Memory { addr, length } => {
                ask(host, &command::ReadMemory(ReadMemory { addr, length }), now)
            }
            Self::Force { addr, lease, value } => {
                let value = value.to_be_bytes();
                let value = Bytes::new(&value);
                ask(host, &command::Force(Force { addr, lease, fingerprint, value }), now)
            }
            Self::Release { addr } => ask(host, &command::Release(Release { addr, fingerprint }), now),
            Self::Status => ask(host, &command::GetStatus, now),
            Self::SetAxis { axis, position } => {
                ask(host, &command::SetAxis(SetAxis { axis, position, fingerprint }), now)
            }
            Self::Axes => ask(host, &command::ReadAxes, now),
            Self::Plc { first, count } => ask(host, &command::ReadPlc(ReadPlc { first, count }), now),
            Self::Cursor => ask(host, &command::ReadCursor, now),
            Self::Audit { from, count } => ask(host, &command::ReadAudit(ReadAudit { from, count }), now),
            Self::Metrics => ask(host, &command::ReadMetrics, now),
            Self::Policy { version, enabled, rules } => {
                let (first, last) = DENIED;
                let rules = vec![Rule { first, last, action: Action::Deny }; rules];
                let rules = List::new(&rules);
                ask(host, &command::PushPolicy(PushPolicy { version, enabled, rules }), now)
            }
        }
    }
}
