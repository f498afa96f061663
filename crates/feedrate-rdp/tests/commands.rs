//! What commands do: steps and their end, breakpoints, policies, registers, reading (SPEC sections 8.4, 8.5 and 8.13).
//! Finding S11: what the document was silent about.

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Action, Breakpoint, Domains, ErrorCode, Frame, GetStatus, Halt, ListVariables, ReadMap, ReadMetrics,
    Reason, Resume, Rule, RunState, Step, Variable,
};
use feedrate_rdp::agent::StopCause;
use feedrate_testkit::machine::{Deed, Fake, Registers, VARIABLES};
use feedrate_testkit::rdp::frames::{
    VARIABLE, clear, force, list, plc, policy, read, registers, release, renew, set, set_axis, step,
    step_range, watch, write,
};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const RESUME: Frame<'_> = Frame::Resume(Resume);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);
const TRACED: Frame<'_> = Frame::Step(Step { count: 5, trace: true });

fn running() -> Rig {
    let mut rig = Rig::active();
    rig.machine.stopped = false;
    rig
}

// --- Halt, Resume, Step

#[test]
fn halt_of_a_program_that_stands_has_no_effect_and_brings_no_stop() {
    let mut rig = Rig::active();
    rig.machine.journal.take();
    rig.done(&HALT);
    rig.pass(100);
    assert_eq!(rig.stops(), []);
    let asked = |deed: &Deed| matches!(deed, Deed::Asked(..) | Deed::Halted);
    assert!(!rig.machine.journal.take().iter().any(asked));
    assert_eq!(rig.last_record().verdict, 0);
    // Nor has it to do with the next one.
    rig.done(&RESUME);
    rig.machine.stopped = true;
    rig.agent.stopped(&mut rig.machine, StopCause::Halted, rig.now);
    rig.pass(10);
    assert_eq!(rig.stops(), [(0, Reason::Halted, false)]);
}

#[test]
fn of_several_halts_the_one_stop_names_the_last() {
    let mut rig = running();
    rig.machine.slowness = 50;
    rig.ask(&HALT);
    rig.pass(20);
    let second = rig.tell(&HALT);
    rig.pass(100);
    assert_eq!(rig.stops(), [(second, Reason::Halted, false)]);
}

#[test]
fn a_program_that_runs_is_not_resumed_stepped_or_written_to() {
    let mut rig = running();
    for frame in [RESUME, step(1), step_range(0, 1, false), write(0, &[1])] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::WrongState, "{frame:?}");
    }
    // What a target allows while it runs is its own to say.
    rig.done(&set_axis(0, 1));
    rig.done(&registers(false));
    rig.machine.open_while_running = false;
    assert_eq!(rig.refused(&registers(false)).0, ErrorCode::WrongState);
    rig.check();
}

#[test]
fn steps_are_counted_and_told_as_asked() {
    let mut rig = Rig::active();
    let request = rig.tell(&TRACED);
    rig.pass(200);
    let more = [true, true, true, true, false];
    assert_eq!(rig.stops(), more.map(|more| (request, Reason::Step, more)));
    rig.said.clear();
    let request = rig.tell(&step(7));
    rig.pass(200);
    assert_eq!((rig.stops(), rig.machine.instructions), (vec![(request, Reason::Step, false)], 12));
    assert_eq!((rig.status().steps, rig.status().run), (0, RunState::Stopped));
    rig.check();
}

#[test]
fn halt_ends_steps_with_one_stop_of_its_own() {
    for slowness in [0, 30] {
        for trace in [false, true] {
            let mut rig = Rig::active();
            rig.machine.slowness = slowness;
            let request = rig.tell(&Frame::Step(Step { count: 1_000, trace }));
            rig.pass(100);
            assert_eq!(rig.status().run, RunState::Stepping);
            let steps = rig.machine.instructions;
            rig.said.clear();
            let halt = rig.tell(&HALT);
            rig.pass(200);
            // The one that is being executed is finished.
            assert!(rig.machine.instructions <= steps + 2, "{} {steps}", rig.machine.instructions);
            assert_eq!(rig.stops().iter().filter(|(_, _, more)| !more).count(), 1);
            assert_eq!(rig.stops().last(), Some(&(halt, Reason::Halted, false)), "{request}");
            assert_eq!(rig.status().last, Some(Reason::Halted));
            assert!(rig.machine.stopped);
            rig.check();
        }
    }
}

#[test]
fn while_steps_are_under_way_only_this_is_done() {
    let mut rig = Rig::active();
    rig.done(&force(VARIABLE, 60_000));
    rig.machine.slowness = 1_000_000;
    rig.ask(&step(1_000));
    for frame in [
        set(0x100, 1),
        clear(1),
        RESUME,
        step(1),
        step_range(0, 1, false),
        force(VARIABLE, 10),
        write(0, &[1]),
        set_axis(0, 1),
        policy(1, 0, &[]),
    ] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Busy, "{frame:?}");
    }
    for frame in [STATUS, renew(VARIABLE, 60_000), read(0, 4), list(), release(VARIABLE), HALT] {
        assert_eq!(rig.verdict(&frame).0, 0, "{frame:?}");
    }
    rig.check();
}

/// The one that is being executed is finished; the next session knows nothing of them (SPEC section 5.8).
#[test]
fn the_end_of_the_session_ends_steps() {
    for slowness in [0, 30] {
        let mut rig = Rig::active();
        rig.machine.slowness = slowness;
        rig.tell(&step(1_000));
        rig.pass(200);
        let steps = rig.machine.instructions;
        assert!((4..100).contains(&steps));
        rig.agent.disconnect();
        rig.pass(200);
        assert!(rig.machine.instructions <= steps + 1 && rig.machine.stopped);
        assert!(rig.connect());
        rig.handshake(&token(Domains::ALL, 60)).expect("a session");
        assert_eq!(rig.state().run, RunState::Stopped);
        rig.pass(200);
        assert_eq!((rig.stops(), rig.status().steps), (vec![], 0));
        assert!(rig.machine.instructions <= steps + 1);
        rig.done(&set_axis(0, 1));
        rig.check();
    }
}

#[test]
fn another_stop_ends_steps() {
    for (cause, reason) in [
        (StopCause::Fault(9), Reason::Fault),
        (StopCause::Interlock, Reason::Interlock),
        (StopCause::Reset, Reason::Reset),
        (StopCause::Breakpoint(0), Reason::Breakpoint),
    ] {
        let mut rig = Rig::active();
        rig.machine.slowness = 1_000_000;
        let request = rig.tell(&step(1_000));
        rig.pass(50);
        (rig.machine.stopped, rig.machine.pending) = (true, None);
        rig.agent.stopped(&mut rig.machine, cause, rig.now);
        rig.pass(50);
        assert_eq!(rig.stops(), [(request, reason, false)]);
        assert_eq!(rig.status().steps, 0);
    }
}

#[test]
fn commands_come_before_the_next_step() {
    let mut rig = Rig::active();
    rig.ask(&step(1_000));
    rig.machine.journal.take();
    for i in 0..4 {
        rig.tell(&read(i, 1));
    }
    rig.pass(300);
    let order: Vec<_> = rig
        .machine
        .journal
        .take()
        .into_iter()
        .filter_map(|deed| match deed {
            Deed::Stepped => Some('s'),
            Deed::Read(..) => Some('r'),
            _ => None,
        })
        .collect();
    let order: String = order.into_iter().collect();
    // No step begins as long as a command waits.
    assert!(order.starts_with("rrrr") && order.matches('s').count() > 10, "{order}");
}

// --- StepRange

/// Program counter, stack pointer and link register after each instruction.
fn follow(script: &'static [(u64, u64, u64)], machine: &Fake) -> Registers {
    let (pc, sp, lr) = script[(machine.instructions as usize).min(script.len() - 1)];
    let mut registers = [0; 17];
    (registers[15], registers[13], registers[14]) = (pc, sp, lr);
    registers
}

/// Range 100 to 109: two instructions; a call of 500, which calls itself once; back; out.
const CALLS: &[(u64, u64, u64)] = &[
    (100, 80, 0),
    (104, 80, 0),
    (500, 80, 109),
    (502, 72, 109),
    (500, 72, 505),
    (502, 64, 505),
    (108, 64, 505),
    (504, 72, 505),
    (108, 80, 505),
    (110, 80, 505),
    (112, 80, 505),
];

#[test]
fn step_range_goes_on_until_the_program_has_left_the_range() {
    let mut rig = Rig::active();
    rig.machine.registers = |machine| follow(CALLS, machine);
    let request = rig.tell(&step_range(100, 109, false));
    rig.pass(200);
    assert_eq!((rig.machine.instructions, rig.stops()), (2, vec![(request, Reason::Step, false)]));
    assert_eq!(rig.status().steps, 0);
}

#[test]
fn step_range_over_a_call_follows_it_until_it_has_returned_to_its_own_frame() {
    let mut rig = Rig::active();
    rig.machine.registers = |machine| follow(CALLS, machine);
    let request = rig.tell(&step_range(100, 109, true));
    rig.pass(300);
    assert_eq!((rig.machine.instructions, rig.stops()), (9, vec![(request, Reason::Step, false)]));
    rig.check();
}

#[test]
fn step_range_tells_that_it_is_one_and_executes_one_instruction_at_least() {
    let mut rig = Rig::active();
    rig.machine.slowness = 1_000;
    rig.ask(&step_range(0, 9, false));
    assert_eq!((rig.status().steps, rig.status().run), (u32::MAX, RunState::Stepping));
    // The program counter, 7, is not in it.
    let mut rig = Rig::active();
    let request = rig.tell(&step_range(20, 10, true));
    rig.pass(100);
    assert_eq!((rig.machine.instructions, rig.stops()), (1, vec![(request, Reason::Step, false)]));
}

#[test]
fn what_is_no_call_is_not_followed() {
    // It jumps, and the link register points elsewhere: too far behind, before, and where nothing is.
    const JUMPS: [&[(u64, u64, u64)]; 3] = [
        &[(100, 80, 105), (500, 80, 105), (502, 80, 105)],
        &[(100, 80, 99), (500, 80, 99), (502, 80, 99)],
        &[(100, 80, 100), (500, 80, 100), (502, 80, 100)],
    ];
    let scripts: [fn(&Fake) -> Registers; 3] = [
        |machine| follow(JUMPS[0], machine),
        |machine| follow(JUMPS[1], machine),
        |machine| follow(JUMPS[2], machine),
    ];
    for (i, script) in scripts.into_iter().enumerate() {
        let mut rig = Rig::active();
        rig.machine.registers = script;
        rig.tell(&step_range(100, 103, true));
        rig.pass(100);
        // 105 is 104 with the bit that says Thumb, 4 behind: that is a call.
        assert_eq!(rig.machine.instructions > 1, i == 0, "{i}");
    }
}

// --- breakpoints

#[test]
fn there_is_one_breakpoint_of_a_class_at_an_address_and_one_of_an_id() {
    let mut rig = Rig::active();
    rig.done(&set(0x100, 1));
    rig.done(&watch(0x100, 2));
    for (frame, present) in [
        (set(0x100, 3), 1),
        (Frame::SetHardwareBreakpoint(Breakpoint { addr: 0x100, id: 4 }), 1),
        (Frame::SetSoftwareBreakpoint(Breakpoint { addr: 0x100, id: 4 }), 1),
        (watch(0x100, 5), 2),
        (set(0x200, 1), 1),
        (watch(0x300, 2), 2),
        (set(0x300, 2), 2),
    ] {
        assert_eq!(rig.refused(&frame), (ErrorCode::DuplicateId, present), "{frame:?}");
    }
    assert_eq!(rig.machine.slots.iter().flatten().count(), 2);
    // With the address, it must be the one there.
    let at = |addr| Frame::ClearBreakpoint(Breakpoint { addr, id: 1 });
    assert_eq!(rig.refused(&at(0x104)).0, ErrorCode::UnknownId);
    rig.done(&at(0x100));
    assert_eq!(rig.refused(&clear(1)).0, ErrorCode::UnknownId);
    rig.done(&set(0x100, 1));
    assert_eq!(rig.status().breakpoints, 2);
    rig.check();
}

#[test]
fn breakpoints_are_listed_in_rising_order_with_their_hits() {
    let mut rig = Rig::active();
    rig.machine.slots = vec![None; 12];
    for id in [9, 3, 7, 1, 11, 5, 20, 18, 14, 12] {
        rig.done(&set(0x100 + u64::from(id) * 4, id));
    }
    let slot =
        rig.machine.slots.iter().position(|slot| slot.is_some_and(|(addr, _)| addr == 0x100 + 28)).unwrap();
    for _ in 0..3 {
        rig.agent.stopped(&mut rig.machine, StopCause::Breakpoint(slot as u16), rig.now);
    }
    let mut listed = Vec::new();
    for from in [0, 15] {
        match rig.ask(&Frame::ListBreakpoints(Breakpoint { addr: 0, id: from })).frame() {
            Frame::Breakpoints(answer) => {
                assert_eq!(answer.more, from == 0);
                listed.push(
                    answer.breakpoints.into_iter().map(|listed| (listed.id, listed.hits)).collect::<Vec<_>>(),
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(listed[0], [(1, 0), (3, 0), (5, 0), (7, 3), (9, 0), (11, 0), (12, 0), (14, 0)]);
    assert_eq!(listed[1], [(18, 0), (20, 0)]);
    let detail = rig.said.iter().find_map(|said| match said.frame() {
        Frame::Stopped(stopped) => Some((stopped.reason, stopped.detail)),
        _ => None,
    });
    assert_eq!(detail, Some((Reason::Breakpoint, 7)));
}

#[test]
fn slots_are_as_many_as_the_target_and_the_agent_have() {
    let mut rig = Rig::new();
    rig.machine.slots = vec![None; 2];
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    assert_eq!(rig.welcome().breakpoints, 2);
    rig.done(&set(0x100, 1));
    rig.done(&set(0x200, 2));
    assert_eq!(rig.refused(&set(0x300, 3)), (ErrorCode::NoSlot, 2));
    let mut rig = Rig::active();
    rig.machine.slots = vec![None; 40];
    for id in 0..16 {
        rig.done(&set(u64::from(id) * 8, id));
    }
    assert_eq!(rig.refused(&set(0x300, 30)), (ErrorCode::NoSlot, 16));
    rig.check();
}

/// SPEC section 8.5: a device may need a policy.
#[test]
fn where_a_policy_is_needed_there_are_no_breakpoints_before_there_is_one() {
    let mut rig = Rig::active_with(CONFIG.policy(true), &token(Domains::ALL, 60));
    for frame in [set(0x100, 1), watch(0x200, 2)] {
        assert_eq!(rig.refused(&frame), (ErrorCode::Policy, 0), "{frame:?}");
    }
    rig.done(&policy(3, 0, &[]));
    rig.done(&set(0x100, 1));
    rig.done(&watch(0x200, 2));
    rig.check();
}

#[test]
fn a_policy_applies_to_what_is_set_from_then_on_by_its_first_rule() {
    let rules = [
        Rule { first: 0x180, last: 0x18F, action: Action::Allow },
        Rule { first: 0x100, last: 0x1FF, action: Action::Deny },
        Rule { first: 0x300, last: 0x200, action: Action::Deny },
    ];
    let mut rig = Rig::active();
    rig.machine.slots = vec![None; 16];
    rig.done(&set(0x104, 1));
    rig.done(&policy(5, 0, &rules));
    for (addr, verdict) in
        [(0x100, 20), (0x1FF, 20), (0x180, 0), (0x18F, 0), (0x190, 20), (0x200, 0), (0x280, 0)]
    {
        assert_eq!(rig.verdict(&set(addr, addr as u32)).0, verdict, "{addr:#x}");
    }
    assert_eq!(rig.refused(&watch(0x140, 99)), (ErrorCode::Policy, 5));
    // What was there stays; later sessions have the same policy.
    assert!(rig.machine.slots.iter().flatten().any(|(addr, _)| *addr == 0x104));
    rig.again(&token(Domains::ALL, 60)).expect("a session");
    assert_eq!(rig.refused(&set(0x104, 1)), (ErrorCode::Policy, 5));
    assert_eq!((rig.status().policy, rig.status().enabled), (5, true));
    // One takes the other's place as a whole.
    rig.done(&policy(6, 5, &[]));
    rig.done(&set(0x104, 1));
    let many = [rules[0]; 17];
    assert_eq!(rig.refused(&policy(7, 6, &many)), (ErrorCode::Limit, 16));
    rig.check();
}

// --- forces

#[test]
fn forces_do_not_overlap_and_one_takes_its_own_place() {
    let mut rig = Rig::active();
    rig.done(&force(0x2000, 60_000));
    for addr in [0x1FFD, 0x2003, 0x2001] {
        assert_eq!(rig.refused(&force(addr, 100)).0, ErrorCode::Unmapped, "{addr:#x}");
    }
    rig.done(&force(0x2004, 60_000));
    // The lease is the new one's.
    rig.done(&force(0x2000, 100));
    rig.pass(150);
    assert_eq!(rig.machine.held.keys().copied().collect::<Vec<_>>(), [0x2004]);
    for i in 0..7 {
        rig.done(&force(0x3000 + i * 16, 60_000));
    }
    assert_eq!(rig.refused(&force(0x4000, 100)), (ErrorCode::NoSlot, 8));
    rig.done(&force(0x2004, 100));
    assert_eq!(rig.status().forces, 8);
    rig.check();
}

#[test]
fn release_of_what_is_not_forced_is_done() {
    let mut rig = Rig::active();
    rig.machine.journal.take();
    rig.done(&release(0x5555));
    assert!(!rig.machine.journal.take().iter().any(|deed| matches!(deed, Deed::LetGo(..))));
    assert_eq!((rig.last_record().kind, rig.last_record().verdict), (0x1B, 0));
    rig.check();
}

// --- registers

#[test]
fn registers_that_have_not_changed_are_left_out_unless_all_are_asked_for() {
    let mut rig = Rig::active();
    rig.machine.registers = |machine| {
        let mut registers = [5; 17];
        registers[3] = machine.instructions;
        registers
    };
    let read = |rig: &mut Rig, changed| match rig.ask(&registers(changed)).frame() {
        Frame::Registers(answer) => (answer.values.mask(), answer.capture),
        other => panic!("{other:?}"),
    };
    let all = (1 << 17) - 1;
    assert_eq!(read(&mut rig, true), (all, 1));
    assert_eq!(read(&mut rig, true), (0, 2));
    rig.machine.instructions = 9;
    assert_eq!(read(&mut rig, true), (1 << 3, 3));
    assert_eq!(read(&mut rig, false), (all, 4));
    // A stop always tells the program counter.
    rig.done(&step(1));
    let mask = rig.said.iter().find_map(|said| match said.frame() {
        Frame::Stopped(stopped) => Some(stopped.values.mask()),
        _ => None,
    });
    assert_eq!(mask, Some(1 << 3 | 1 << 15));
    // Another session knows nothing.
    rig.again(&token(Domains::ALL, 60)).expect("a session");
    assert_eq!(read(&mut rig, true).0, all);
}

// --- reading

#[test]
fn lists_come_in_parts_and_ends_are_short() {
    let mut rig = Rig::active();
    rig.machine.plc = |first, into| into.len().min(100_usize.saturating_sub(first.into()));
    for (first, count, there) in [(0, 500, 64), (90, 64, 10), (99, 1, 1)] {
        match rig.ask(&plc(first, count)).frame() {
            Frame::Plc(answer) => assert_eq!((answer.first, answer.registers.len()), (first, there)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rig.refused(&plc(100, 1)).0, ErrorCode::Unmapped);
    match rig.ask(&Frame::ListVariables(ListVariables { from: 1 })).frame() {
        Frame::Variables(answer) => {
            let names: Vec<Variable<'_>> = answer.variables.into_iter().collect();
            assert_eq!((answer.total, &names[..]), (2, &VARIABLES[1..]));
        }
        other => panic!("{other:?}"),
    }
    match rig.ask(&Frame::ReadMap(ReadMap { from: 0 })).frame() {
        Frame::Map(answer) => assert_eq!((answer.total, answer.regions.len()), (1, 1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.refused(&read(0, 257)), (ErrorCode::Limit, 256));
}

#[test]
fn metrics_count_what_happened() {
    let mut rig = Rig::active();
    rig.pass(5_000);
    rig.refused(&step(0));
    rig.put_as(Channel::Urgent, 0, rig.peer.heard, &HALT);
    let late = rig.peer.next;
    rig.peer.next += 1;
    rig.pass(6_000);
    rig.put_as(Channel::Ordinary, late, 0, &STATUS);
    rig.stall(321);
    rig.run();
    let answer = rig.ask(&Frame::ReadMetrics(ReadMetrics));
    let Frame::Metrics(metrics) = answer.frame() else { panic!("{:?}", answer.frame()) };
    let of = |number| {
        metrics.metrics.into_iter().find(|metric| metric.metric == number).map(|metric| metric.value)
    };
    assert_eq!([2, 4, 5, 6, 7].map(of), [1, 2, 1, 1, 0].map(Some));
    assert_eq!(of(15), Some(322));
    assert!((10..=12).contains(&of(14).unwrap_or_default()), "{:?}", of(14));
    assert!((11..=12).contains(&of(1).unwrap_or_default()));
    assert_eq!(
        metrics.metrics.into_iter().filter(|metric| metric.metric >= 12 && metric.metric != 14).count(),
        1
    );
}

#[test]
fn every_command_is_answered_once_in_the_order_of_its_channel() {
    let mut rig = Rig::active();
    let ordinary = [STATUS, read(0, 9), set_axis(0, 1), step(0), list()].map(|frame| rig.tell(&frame));
    let urgent = [release(1), HALT, release(2)].map(|frame| rig.tell(&frame));
    rig.pass(200);
    let answers = |channel| -> Vec<u32> {
        rig.said
            .iter()
            .filter(|said| said.channel == channel)
            .filter_map(|said| said.frame().request())
            .collect()
    };
    assert_eq!(answers(Channel::Ordinary), ordinary);
    assert_eq!(answers(Channel::Urgent), urgent);
}
