//! What the host asks for: made at random, each different from all others, so that no answer can be taken for
//! another's.

use feedrate::rdp::frame::{
    Access, Action, Breakpoint, Bytes, Force, Frame, GetStatus, Halt, List, ListVariables, PushPolicy,
    ReadAudit, ReadAxes, ReadCursor, ReadMap, ReadMemory, ReadMetrics, ReadPlc, ReadRegisters, Release,
    ReleaseAudit, Renew, Resume, Rule, SetAxis, SetWatchpoint, Step, StepRange, WriteMemory, WriteRegister,
};

use super::machine::{AXES, END, FATAL, FINGERPRINT, SECRET};
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
    Range { first: u64, last: u64, over: bool },
    Registers { changed: bool },
    Memory { addr: u64, length: u16 },
    Force { addr: u64, lease: u32, value: u64, safe: bool },
    Release { addr: u64 },
    Renew { addr: u64, lease: u32 },
    Write { addr: u64, value: u64 },
    WriteRegister { register: u8, value: u64 },
    Status,
    SetAxis { axis: u8, position: i64 },
    Axes,
    Plc { first: u16, count: u16 },
    Cursor,
    Audit { from: u32, count: u8 },
    ReleaseAudit { upto: u32, crc: u32 },
    Metrics,
    Policy { version: u32, replaces: u32, enabled: bool, rules: usize },
    Variables,
    Map,
}

/// The range in which no policy lets breakpoints be.
pub(super) const DENIED: (u64, u64) = (0x2000_0040, 0x2000_007F);

/// What the host has learnt, and needs to know for what it asks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Knows {
    /// Version of the policy that was pushed last.
    pub(super) policy: u32,
    /// The last record that was read and is no refusal: its index, and its CRC.
    pub(super) record: Option<(u32, u32)>,
}

impl Ask {
    /// `unique` is counted up by each command of a schedule.
    pub(super) fn random(random: &mut Random, unique: u32, fatal: bool, knows: &Knows) -> Self {
        let breakpoint = 0x2000_0000 + random.below(128) * 2 + u64::from(random.chance(300));
        let variable = 0x2000_1000 + random.below(6) * 8 + u64::from(random.chance(300));
        let secret = SECRET.0 + random.below(SECRET.1 - SECRET.0);
        let lease = random.pick(&[1, 20, 150, 700, 3_000, 20_000, u32::MAX]);
        match random.below(120) {
            0..8 => {
                Self::Set { kind: random.pick(&[1, 1, 4, 5]), addr: breakpoint, id: random.below(12) as u32 }
            }
            8..10 => Self::Watch { addr: breakpoint, id: random.below(12) as u32 },
            10..15 => Self::Clear { id: random.below(12) as u32 },
            15..18 => Self::List { from: random.below(6) as u32 },
            18..23 => Self::Halt,
            23..28 => Self::Resume,
            28..34 => {
                let count = random.pick(&[1, 1, 2, 5, 30, 300]);
                Self::Step { count, trace: count < 100 && random.chance(4_000) }
            }
            34..36 => {
                let first = random.pick(&[0, 0x8000_0000]);
                Self::Range { first, last: first | u64::from(unique), over: random.chance(5_000) }
            }
            36..42 => Self::Registers { changed: random.chance(6_000) },
            42..55 => {
                let length = random.pick(&[1, 4, 16, 60, 100, 200, 256, 256]);
                let addr = match random.below(20) {
                    0 => END + (u64::from(unique) << 12),
                    1 => END - u64::from(unique % 64) - 1,
                    2 => secret,
                    _ => 0x1_0000_0000 + (u64::from(unique) << 12),
                };
                Self::Memory { addr, length }
            }
            55..68 => {
                let addr = match random.below(60) {
                    0 if fatal => FATAL,
                    1 => secret,
                    _ => variable,
                };
                let value = u64::from(unique) << 20 | 0xF0_0000_0000_0000;
                Self::Force { addr, lease, value, safe: random.chance(5_000) }
            }
            68..73 => Self::Release { addr: variable },
            73..76 => Self::Renew { addr: variable, lease },
            76..79 => Self::Write { addr: variable, value: u64::from(unique) << 8 },
            79..81 => Self::WriteRegister { register: random.below(18) as u8, value: u64::from(unique) },
            81..85 => Self::Status,
            85..90 => Self::SetAxis {
                axis: random.below(AXES as u64 + 1) as u8,
                position: -(i64::from(unique) << 8) - 1,
            },
            90..93 => Self::Axes,
            93..96 => Self::Plc {
                first: random.pick(&[0, 17, 500, 980, 999, 1000]),
                count: random.between(1, 70) as u16,
            },
            96..99 => Self::Cursor,
            99..107 => Self::Audit {
                from: knows.record.map_or(0, |(index, _)| if random.chance(8_000) { index + 1 } else { 0 }),
                count: random.pick(&[1, 3, 8, 255]),
            },
            107..112 => {
                let (index, crc) = knows.record.unwrap_or((unique, unique));
                let wrong = random.chance(1_000);
                Self::ReleaseAudit { upto: index.saturating_add(1), crc: if wrong { !crc } else { crc } }
            }
            112..113 => Self::Metrics,
            113..116 => Self::Policy {
                version: unique + 1,
                replaces: if random.chance(8_000) { knows.policy } else { unique },
                enabled: random.chance(5_000),
                rules: random.pick(&[0, 1, 2, 16]),
            },
            116..118 => Self::Variables,
            _ => Self::Map,
        }
    }

    /// Its kind.
    pub(super) fn kind(&self) -> u8 {
        self.frame(|frame| frame.kind())
    }

    /// As the agent's log has it: kind, address and value. `None`: it touches nothing.
    pub(super) fn record(&self) -> Option<(u8, u64, u64)> {
        let (addr, value) = match *self {
            Self::Set { addr, id, .. } | Self::Watch { addr, id } => (addr, u64::from(id)),
            Self::Clear { id } => (0, u64::from(id)),
            Self::Halt | Self::Resume => (0, 0),
            Self::Step { count, .. } => (0, u64::from(count)),
            Self::Range { first, last, .. } => (first, last),
            Self::Force { addr, value, .. } | Self::Write { addr, value } => (addr, value),
            Self::Release { addr } => (addr, 0),
            Self::WriteRegister { register, value } => (u64::from(register), value),
            Self::SetAxis { axis, position } => (u64::from(axis), position as u64),
            Self::ReleaseAudit { upto, .. } => (0, u64::from(upto)),
            Self::Policy { version, .. } => (u64::from(version), 0),
            _ => return None,
        };
        Some((self.kind(), addr, value))
    }

    /// May be done though the log is full, and after the token has expired.
    pub(super) fn makes_safer(&self) -> bool {
        matches!(self, Self::Halt | Self::Release { .. })
    }

    /// Hands over the debug frame.
    pub(super) fn frame<R>(&self, with: impl FnOnce(Frame<'_>) -> R) -> R {
        let fingerprint = FINGERPRINT;
        let at = |addr, id| Breakpoint { addr, id };
        let frame = match *self {
            Self::Set { kind: 1, addr, id } => Frame::SetBreakpoint(at(addr, id)),
            Self::Set { kind: 4, addr, id } => Frame::SetHardwareBreakpoint(at(addr, id)),
            Self::Set { addr, id, .. } => Frame::SetSoftwareBreakpoint(at(addr, id)),
            Self::Watch { addr, id } => {
                Frame::SetWatchpoint(SetWatchpoint { addr, id, length: 4, access: Access::Write })
            }
            Self::Clear { id } => Frame::ClearBreakpoint(at(0, id)),
            Self::List { from } => Frame::ListBreakpoints(at(0, from)),
            Self::Halt => Frame::Halt(Halt),
            Self::Resume => Frame::Resume(Resume),
            Self::Step { count, trace } => Frame::Step(Step { count, trace }),
            Self::Range { first, last, over } => Frame::StepRange(StepRange { first, last, over }),
            Self::Registers { changed } => Frame::ReadRegisters(ReadRegisters { changed }),
            Self::Memory { addr, length } => Frame::ReadMemory(ReadMemory { addr, length }),
            Self::Force { addr, lease, value, safe } => {
                let value = value.to_be_bytes();
                let force = |safe| Force { addr, lease, fingerprint, value: Bytes::new(&value), safe };
                return with(Frame::Force(force(Bytes::new(if safe { &[7; 8] } else { &[] }))));
            }
            Self::Release { addr } => Frame::Release(Release { addr, fingerprint }),
            Self::Renew { addr, lease } => Frame::Renew(Renew { addr, lease, fingerprint }),
            Self::Write { addr, value } => {
                let data = value.to_be_bytes();
                return with(Frame::WriteMemory(WriteMemory { addr, fingerprint, data: Bytes::new(&data) }));
            }
            Self::WriteRegister { register, value } => {
                Frame::WriteRegister(WriteRegister { register, value, fingerprint })
            }
            Self::Status => Frame::GetStatus(GetStatus),
            Self::SetAxis { axis, position } => Frame::SetAxis(SetAxis { axis, position, fingerprint }),
            Self::Axes => Frame::ReadAxes(ReadAxes),
            Self::Plc { first, count } => Frame::ReadPlc(ReadPlc { first, count }),
            Self::Cursor => Frame::ReadCursor(ReadCursor),
            Self::Audit { from, count } => Frame::ReadAudit(ReadAudit { from, count }),
            Self::ReleaseAudit { upto, crc } => Frame::ReleaseAudit(ReleaseAudit { upto, crc }),
            Self::Metrics => Frame::ReadMetrics(ReadMetrics),
            Self::Policy { version, replaces, enabled, rules } => {
                let (first, last) = DENIED;
                let rules = vec![Rule { first, last, action: Action::Deny }; rules];
                let rules = List::new(&rules);
                return with(Frame::PushPolicy(PushPolicy { version, replaces, enabled, rules }));
            }
            Self::Variables => Frame::ListVariables(ListVariables { from: 0 }),
            Self::Map => Frame::ReadMap(ReadMap { from: 0 }),
        };
        with(frame)
    }
}
