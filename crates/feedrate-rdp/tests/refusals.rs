//! All that a command can be refused with, for each command, and which refusal comes first (SPEC section 8.1); and that
//! each is recorded (SPEC section 8.8).

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Access, Action, Domains, ErrorCode, Frame, GetStatus, Halt, ListVariables, PushPolicy, ReadAxes,
    ReadCursor, ReadMap, ReadMetrics, Record, Resume, Rule, SetWatchpoint,
};
use feedrate_rdp::target::{Act, Refusal};
use feedrate_testkit::machine::{Fake, Log};
use feedrate_testkit::rdp::frames::{
    VARIABLE, audit, clear, force, list, plc, policy, read, registers, release, release_audit, renew, set,
    set_axis, set_hardware, set_software, step, step_range, watch, write, write_register,
};
use feedrate_testkit::rdp::peer::bytes;
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

/// What can be wrong, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Version,
    Body,
    Field,
    Channel,
    Late,
    Overtaken,
    Authority,
    Capability,
    Device,
    Program,
    Stuck,
    Steps,
    Runs,
    Id,
    Map,
    Policy,
    Slots,
    Interlock,
    Full,
    Target,
}

use Wrong::*;

const EVERY: [Wrong; 20] = [
    Version, Body, Field, Channel, Late, Overtaken, Authority, Capability, Device, Program, Stuck, Steps,
    Runs, Id, Map, Policy, Slots, Interlock, Full, Target,
];

/// Where breakpoints are forbidden.
const FORBIDDEN: u64 = 0x2000;
const RULES: [Rule; 1] = [Rule { first: 0x2000, last: 0x2FFF, action: Action::Deny }];

fn every() -> Vec<Frame<'static>> {
    vec![
        set(FORBIDDEN, 1),
        set_hardware(FORBIDDEN, 1),
        set_software(FORBIDDEN, 1),
        watch(FORBIDDEN, 1),
        clear(1),
        list(),
        Frame::Halt(Halt),
        Frame::Resume(Resume),
        step(1),
        step_range(0, 9, false),
        registers(false),
        read(VARIABLE, 4),
        force(VARIABLE, 100),
        release(VARIABLE),
        renew(VARIABLE, 100),
        write(VARIABLE, &[1, 2]),
        write_register(1, 2),
        Frame::GetStatus(GetStatus),
        set_axis(0, 1),
        Frame::ReadAxes(ReadAxes),
        plc(0, 1),
        Frame::ReadCursor(ReadCursor),
        audit(0, 1),
        Frame::ReadMetrics(ReadMetrics),
        policy(9, 0, &[]),
        Frame::ListVariables(ListVariables { from: 0 }),
        Frame::ReadMap(ReadMap { from: 0 }),
        release_audit(0, 0),
    ]
}

fn touches(kind: u8) -> bool {
    matches!(kind, 0x01 | 0x02 | 0x04..=0x06 | 0x10..=0x13 | 0x1A | 0x1B | 0x1D | 0x1E | 0x29 | 0x32 | 0x35)
}

fn always(kind: u8) -> bool {
    matches!(kind, 0x10 | 0x1B)
}

/// What a command is refused with, if this is wrong; `None`: it does not matter to it. The numbers are those of SPEC
/// sections 6.2 and 6.6.
fn code(kind: u8, wrong: Wrong) -> Option<u16> {
    let sets = matches!(kind, 0x01 | 0x04..=0x06);
    let code = match (wrong, kind) {
        (Version, _) => 24,
        (Body, _) => 2,
        (Field, 0x06 | 0x12 | 0x19 | 0x1A | 0x1C | 0x1D | 0x30 | 0x32) => 19,
        (Channel, _) => 4,
        (Late, _) => 8,
        (Overtaken, _) if touches(kind) && !always(kind) => 9,
        (Overtaken, 0x1C) => 9,
        (Authority, _) => 5,
        (Capability, 0x18 | 0x28 | 0x31 | 0x34) => return None,
        (Capability, _) => 3,
        (Device, 0x1A..=0x1E | 0x29) => 18,
        (Program, _) if touches(kind) && kind != 0x10 => 28,
        // ClearBreakpoint takes back, Renew holds on.
        (Stuck, _) if (touches(kind) && !always(kind) && kind != 0x02) || kind == 0x1C => 27,
        (Steps, _) if touches(kind) && !always(kind) => 21,
        (Runs, 0x11..=0x13 | 0x1D | 0x1E) => 10,
        (Id, _) if sets => 16,
        (Id, 0x02 | 0x1C) => 17,
        (Map, 0x19 | 0x1A | 0x1D) => 25,
        (Map, _) if sets => 25,
        (Policy, 0x32) => 20,
        (Policy, _) if sets => 20,
        (Slots, 0x1A) => 13,
        (Slots, _) if sets => 13,
        (Interlock, 0x10..=0x13 | 0x1A | 0x1D | 0x1E | 0x29) => 14,
        (Interlock, _) if sets => 14,
        (Full, 0x10 | 0x1B | 0x35) => return None,
        (Full, _) if touches(kind) => 15,
        (Target, 0x10..=0x13 | 0x19 | 0x1A | 0x1D | 0x1E | 0x29) => 12,
        (Target, _) if sets => 12,
        _ => return None,
    };
    Some(code)
}

fn with_field_of_zero(kind: u8) -> Frame<'static> {
    let watch = SetWatchpoint { addr: FORBIDDEN, id: 1, length: 0, access: Access::Read };
    match kind {
        0x06 => Frame::SetWatchpoint(watch),
        0x12 => step(0),
        0x19 => read(VARIABLE, 0),
        0x1A => force(VARIABLE, 0),
        0x1C => renew(VARIABLE, 0),
        0x1D => write(VARIABLE, &[]),
        0x30 => audit(0, 0),
        _ => policy(0, 0, &[]),
    }
}

fn without(machine: &mut Fake, kind: u8) {
    let has = &mut machine.has;
    match kind {
        0x01..=0x06 | 0x32 => has.breakpoints = false,
        0x10..=0x13 => has.stepping = false,
        0x19 => has.memory = false,
        0x1A..=0x1C => has.forcing = false,
        0x1D | 0x1E => has.writing = false,
        0x29..=0x2C => has.machine = false,
        0x33 => has.variables = false,
        _ => has.audit = false,
    }
}

/// Everything about a command that shall be wrong is wrong. What it is answered with, and the last record.
fn refused(frame: &Frame<'static>, wrong: &[Wrong]) -> (ErrorCode, Record, u32) {
    let kind = frame.kind();
    let is = |what: Wrong| wrong.contains(&what);
    let least = match kind {
        0x10 => Domains(Domains::ALL.0 & !Domains::CONTROL.0),
        0x1B => Domains(Domains::ALL.0 & !Domains::FORCE.0),
        _ => Domains::ALL,
    };
    let domains = if is(Authority) { least } else { Domains::ALL };
    let mut rig = Rig::active_with(CONFIG.observers(true), &token(domains, 3_600));
    let may_force = domains.contains(Domains::FORCE);
    rig.machine.stopped = true;
    // First what takes a session to be wrong.
    if is(Policy) {
        let rules = feedrate::rdp::frame::List::new(&RULES);
        rig.done(&Frame::PushPolicy(PushPolicy { version: 5, replaces: 0, enabled: true, rules }));
    }
    if domains.contains(Domains::CONTROL) {
        match kind {
            // One of this id, elsewhere, where no policy forbids it.
            0x01 | 0x04..=0x06 if is(Id) => drop(rig.done(&set(0x500, 1))),
            0x02 if !is(Id) => drop(rig.done(&set(0x500, 1))),
            _ => {}
        }
        if is(Slots) && kind != 0x1A {
            rig.machine.slots.truncate(usize::from(is(Id)));
        }
    }
    if may_force {
        if kind == 0x1C && !is(Id) {
            rig.done(&force(VARIABLE, 60_000));
        }
        if is(Slots) && kind == 0x1A {
            (0..8).for_each(|i| drop(rig.done(&force(0x9000 + i * 16, 60_000))));
        } else if is(Program) {
            // Something to hold, so that the program can change in the middle of a run.
            rig.done(&force(0x9000, 60_000));
        }
        if is(Stuck) && !(is(Slots) && kind == 0x1A) {
            rig.done(&force(0xA000, 60_000));
        }
    }
    if is(Steps) && domains.contains(Domains::CONTROL) {
        rig.machine.slowness = 1_000_000;
        rig.ask(&step(9));
    }
    if is(Stuck) && may_force {
        rig.machine.fails.release = Some(Refusal::WrongState);
        rig.refused(&release(if is(Slots) && kind == 0x1A { 0x9000 } else { 0xA000 }));
    }
    if is(Late) {
        rig.pass(10_000);
    }
    // Then the machine.
    let machine = &mut rig.machine;
    machine.stopped &= !is(Runs);
    if kind == 0x10 && !is(Steps) {
        machine.stopped = false;
    }
    if is(Authority) && !always(kind) {
        machine.permitted = Domains(0);
    }
    if is(Capability) {
        without(machine, kind);
    }
    if is(Device) {
        machine.fingerprint[0] ^= 1;
    }
    if is(Map) {
        const PROTECTED: &[feedrate::rdp::frame::Region] = &[feedrate::rdp::frame::Region {
            first: 0,
            last: u64::MAX,
            class: feedrate::rdp::frame::Class::Protected,
        }];
        machine.map = PROTECTED;
    }
    machine.permits = match (is(Interlock), is(Program)) {
        (false, false) => |_, _| true,
        (true, false) => |_, act| matches!(act, Act::Hold(_) | Act::KeepArmed(_)),
        (false, true) => |machine, act| {
            if matches!(act, Act::Hold(_) | Act::KeepArmed(_)) {
                machine.generation.set(9);
            }
            true
        },
        (true, true) => |machine, act| {
            if matches!(act, Act::Hold(_) | Act::KeepArmed(_)) {
                machine.generation.set(9);
            }
            matches!(act, Act::Hold(_) | Act::KeepArmed(_))
        },
    };
    if is(Full) {
        machine.log = Log::of::<1, 1>();
        let _ = feedrate_rdp::target::Audit::append(&mut machine.log, Record::EMPTY, 0);
    }
    machine.refuses = is(Target).then_some(Refusal::ReadOnly);
    if is(Program) && always(kind) && !is(Channel) {
        machine.generation.set(9);
    }
    // And the command.
    let body = if is(Field) { with_field_of_zero(kind) } else { *frame };
    let mut frame = bytes(&body);
    if is(Version) {
        frame[4] = 2;
    }
    if is(Body) {
        frame.push(0);
    }
    let channel = body.channel().expect("a host's");
    let other = if channel == Channel::Urgent { Channel::Ordinary } else { Channel::Urgent };
    let channel = if is(Channel) { other } else { channel };
    let time = if is(Late) { 0 } else { rig.peer.heard };
    let sequence = rig.peer.next;
    rig.peer.next += 1;
    let message = rig.peer.message(channel, sequence, time, &frame);
    if is(Overtaken) {
        // It goes first, whatever comes of it.
        let overtakes = if kind == 0x1C { release(0x7777) } else { Frame::Halt(Halt) };
        rig.tell(&overtakes);
    }
    rig.put(channel, &message);
    for _ in 0..3 {
        rig.run();
    }
    let answer = rig.said.iter().find_map(|said| match said.frame() {
        Frame::Error(error) if error.request == sequence => Some(error.code),
        frame if frame.request() == Some(sequence) => Some(ErrorCode(0)),
        _ => None,
    });
    let record = rig.records().into_iter().rfind(|record| record.sequence == sequence && record.kind == kind);
    rig.check();
    (answer.unwrap_or(ErrorCode(0xEEEE)), record.unwrap_or(Record::EMPTY), sequence)
}

#[test]
fn nothing_is_wrong_with_them() {
    for frame in every() {
        let (code, record, _) = refused(&frame, &[]);
        // The log's release says nothing that is true.
        let expected = if frame.kind() == 0x35 { 29 } else { 0 };
        assert_eq!(code.0, expected, "{frame:?}");
        assert_eq!(record.verdict == expected && record.kind != 0, touches(frame.kind()), "{frame:?}");
    }
}

#[test]
fn each_refusal_is_answered_and_recorded() {
    let mut count = 0;
    for frame in every() {
        for wrong in EVERY {
            let Some(expected) = code(frame.kind(), wrong) else { continue };
            let (found, record, _) = refused(&frame, &[wrong]);
            assert_eq!(found.0, expected, "{frame:?}, {wrong:?}");
            let noted = touches(frame.kind()) && wrong >= Channel || matches!(expected, 5 | 25);
            // Without a log there is no record.
            let there = wrong != Capability || !matches!(frame.kind(), 0x30 | 0x35);
            let recorded = record.kind == frame.kind() && record.verdict == expected;
            assert_eq!(recorded, noted && there, "{frame:?}, {wrong:?}: {record:?}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn the_first_of_two_answers() {
    let mut count = 0;
    for frame in every() {
        for (i, first) in EVERY.iter().enumerate() {
            let Some(expected) = code(frame.kind(), *first) else { continue };
            for second in EVERY[i + 1..].iter().filter(|second| code(frame.kind(), **second).is_some()) {
                // On the other channel nothing overtakes it, or all does.
                if (*first, *second) == (Channel, Overtaken) {
                    continue;
                }
                let (found, ..) = refused(&frame, &[*first, *second]);
                assert_eq!(found.0, expected, "{frame:?}: {first:?} and {second:?}");
                count += 1;
            }
        }
    }
    assert!(count > 1_000, "{count}");
}
