//! Where the session meets the machine: what a safety engineer added to the rules, point by point. 4 to 6 are in
//! `forces.rs`, 10 to 12 in `authority.rs`, 13 in `audit.rs`, 14 in `seals.rs`.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Cause, Class, Domains, ErrorCode, Frame, Halt, Reason, Record, Region, Resume, Standing, StopEffect,
};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::session::SessionState;
use feedrate_rdp::target::{Act, Refusal};
use feedrate_testkit::machine::{Deed, Failures, Journal};
use feedrate_testkit::rdp::frames::{
    VARIABLE, force, read, set, set_axis, step, step_range, watch, write, write_register,
};
use feedrate_testkit::rdp::holding::{done, events, holding, withdrawn};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const RESUME: Frame<'_> = Frame::Resume(Resume);
const ALL: u8 = Domains::ALL.0;

// --- 1: stopping the control program is a hazard too

#[test]
fn m01_a_trap_and_a_halt_of_the_program_alone_wait_for_the_hook() {
    let mut rig = Rig::active();
    rig.machine.stopped = false;
    rig.machine.standing = Standing::Move;
    rig.machine.permits = |machine, _| machine.standing == Standing::Stand;
    for frame in [HALT, set(0x100, 1), watch(0x200, 2)] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Interlock, "{frame:?}");
    }
    assert!(!rig.machine.stopped && rig.machine.is_left_alone());
    rig.machine.standing = Standing::Stand;
    rig.done(&set(0x100, 1));
    rig.done(&HALT);
    assert!(rig.machine.stopped);
    rig.check();
}

#[test]
fn m01_a_halt_that_holds_the_feed_is_not_asked_about() {
    for (effect, verdict) in
        [(StopEffect::Program, 14), (StopEffect::FeedHold, 0), (StopEffect::DrivesOff, 0)]
    {
        let mut rig = Rig::new();
        rig.machine.stopped = false;
        rig.machine.effects = [effect, StopEffect::Program, StopEffect::DrivesOff];
        rig.machine.permits = |_, _| false;
        rig.connect();
        rig.handshake(&token(Domains::ALL, 60)).expect("a session");
        let welcome = rig.welcome();
        let declared = (welcome.halt, welcome.trap, welcome.lost);
        assert_eq!(declared, (effect, StopEffect::Program, StopEffect::DrivesOff));
        assert_eq!(rig.verdict(&HALT).0, verdict, "{effect:?}");
        // A trap is asked about, whatever Halt does.
        assert_eq!(rig.verdict(&set(0x100, 1)).0, 14);
        rig.check();
    }
}

#[test]
fn m01_done_is_no_standstill_and_stopped_says_what_the_axes_do() {
    for standing in [Standing::Unknown, Standing::Stand, Standing::Move] {
        let mut rig = Rig::active();
        rig.machine.stopped = false;
        rig.machine.standing = standing;
        rig.done(&HALT);
        let axes = rig.said.iter().find_map(|said| match said.frame() {
            Frame::Stopped(stopped) => Some(stopped.axes),
            _ => None,
        });
        assert_eq!(axes, Some(standing));
    }
}

// --- 2: the hook gets the act

#[test]
fn a_register_that_is_not_there_is_not_asked_about() {
    let mut rig = Rig::active();
    rig.machine.journal.take();
    assert_eq!(rig.refused(&write_register(17, 9)).0, ErrorCode::Unmapped);
    let deeds = rig.machine.journal.take();
    assert!(!deeds.iter().any(|deed| matches!(deed, Deed::Asked(..) | Deed::Recorded(_))), "{deeds:?}");
    rig.check();
}

#[test]
fn m02_the_hook_is_told_the_act_and_where() {
    let mut rig = Rig::active();
    for (frame, act) in [
        (set(0x100, 1), Act::Arm(0x100)),
        (watch(0x200, 2), Act::Arm(0x200)),
        (force(VARIABLE, 60_000), Act::Force(VARIABLE)),
        (write(0x400, &[1, 2]), Act::Write(0x400)),
        (write_register(3, 9), Act::WriteRegister(3)),
        (set_axis(1, 9), Act::Axis(1)),
        (step(1), Act::Step),
        (step_range(0, 6, false), Act::Step),
        (RESUME, Act::Resume),
        (HALT, Act::Halt),
    ] {
        rig.machine.journal.take();
        rig.machine.stopped = !matches!(act, Act::Halt);
        rig.done(&frame);
        let asked = rig.machine.journal.take();
        let at = asked.iter().position(|deed| *deed == Deed::Asked(act, true));
        assert!(at.is_some(), "{frame:?}: {asked:?}");
        // It is asked again each time, and what it refuses has no effect.
        rig.machine.permits = |_, act| matches!(act, Act::Hold(_) | Act::KeepArmed(_));
        rig.machine.stopped = !matches!(act, Act::Halt);
        let frame = if let Act::Arm(addr) = act { set(addr + 8, 77) } else { frame };
        assert_eq!(rig.refused(&frame).0, ErrorCode::Interlock, "{frame:?}");
        let nothing = done(&rig.machine.journal.take());
        assert!(nothing.is_empty(), "{frame:?}: {nothing:?}");
        rig.machine.permits = |_, _| true;
    }
    rig.check();
}

#[test]
fn m02_the_hook_is_asked_at_each_run_while_something_is_forced_and_its_refusal_ends_all() {
    let mut rig = holding(CONFIG, 60);
    for _ in 0..3 {
        rig.machine.journal.take();
        rig.run();
        let asked = rig.machine.journal.take();
        for addr in [VARIABLE, 0x3000] {
            assert!(asked.contains(&Deed::Asked(Act::Hold(addr), true)), "{asked:?}");
        }
    }
    // One of them is enough.
    rig.machine.permits = |_, act| act != Act::Hold(0x3000);
    rig.run();
    let deeds = rig.machine.journal.take();
    assert_eq!(done(&deeds), withdrawn(Cause::InterlockRefused, true, false));
    let ended = |addr| (Record::FORCE_ENDED, Cause::InterlockRefused, addr);
    assert_eq!(events(&deeds), [ended(VARIABLE), ended(0x3000)]);
    assert!(rig.is_active());
    rig.check();
}

#[test]
fn m02_the_hook_is_asked_at_each_run_while_a_trap_is_set_and_its_refusal_clears_all() {
    let mut rig = holding(CONFIG, 60);
    rig.done(&set(0x200, 2));
    rig.machine.journal.take();
    rig.run();
    let asked = rig.machine.journal.take();
    for addr in [0x100, 0x200] {
        assert!(asked.contains(&Deed::Asked(Act::KeepArmed(addr), true)), "{asked:?}");
    }
    rig.machine.permits = |_, act| act != Act::KeepArmed(0x200);
    rig.run();
    let mut expected = withdrawn(Cause::InterlockRefused, false, true);
    expected.push(Deed::Disarmed(0x200, true));
    assert_eq!(done(&rig.machine.journal.take()), expected);
    assert_eq!((rig.status().breakpoints, rig.machine.held.len()), (0, 2));
    rig.check();
}

#[test]
fn m02_the_hook_is_asked_before_each_step_of_a_series() {
    let mut rig = Rig::active();
    rig.machine.permits = |machine, _| machine.instructions < 3;
    let request = rig.tell(&step(10));
    rig.pass(300);
    assert_eq!(rig.machine.instructions, 3);
    assert_eq!(rig.stops(), [(request, Reason::Interlock, false)]);
    let asked =
        rig.machine.journal.take().iter().filter(|deed| matches!(deed, Deed::Asked(Act::Step, _))).count();
    assert_eq!(asked, 4);
    rig.check();
}

// --- 3: protected memory

static MAP: [Region; 4] = [
    Region { first: 0x0, last: 0xFFF, class: Class::Plain },
    Region { first: 0x1000, last: 0x1FFF, class: Class::Protected },
    Region { first: 0x2000, last: 0x2FFF, class: Class::Plain },
    Region { first: 0x8000, last: 0x8FFF, class: Class::SideEffects },
];

#[test]
fn m03_nothing_reaches_a_protected_byte() {
    let mut rig = Rig::active();
    rig.machine.map = &MAP;
    rig.machine.journal.take();
    for at in [0x1000, 0x1FFF, 0x1800] {
        for frame in [set(at, 1), watch(at, 1), force(at, 100), write(at, &[1]), read(at, 1)] {
            assert_eq!(rig.refused(&frame).0, ErrorCode::Protected, "{frame:?}");
            assert_eq!(rig.last_record().verdict, ErrorCode::Protected.0, "{frame:?}");
        }
    }
    // What only touches one.
    for frame in [watch(0xFFD, 1), force(0xFFE, 100), write(0xFFF, &[1, 2])] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Protected, "{frame:?}");
    }
    // Where there is nothing, and across the end of a region.
    for frame in
        [set(0x3000, 1), force(0x2FFE, 100), write(0x2FFF, &[1, 2]), read(0x4000, 1), set(u64::MAX, 1)]
    {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Unmapped, "{frame:?}");
    }
    assert!(done(&rig.machine.journal.take()).is_empty());
    // Reading stops at the end of a region, and before a protected one.
    for (addr, length, there) in [(0x2FF0, 100, 16), (0xFFF, 2, 1), (0xF80, 256, 128), (0x8FFE, 9, 2)] {
        match rig.ask(&read(addr, length)).frame() {
            Frame::Memory(memory) => assert_eq!(memory.data.as_slice().len(), there, "{addr:#x}"),
            other => panic!("{other:?}"),
        }
    }
    rig.check();
}

/// Where a protected region overlaps another one, it is protected, whichever comes first in the map.
#[test]
fn m03_a_protected_region_within_another_one_is_protected() {
    const PLAIN: Region = Region { first: 0, last: 0xFFFF, class: Class::Plain };
    const SECRET: Region = Region { first: 0x1000, last: 0x1FFF, class: Class::Protected };
    static MAPS: [[Region; 2]; 2] = [[PLAIN, SECRET], [SECRET, PLAIN]];
    for map in &MAPS {
        let mut rig = Rig::active();
        rig.machine.map = map;
        for (addr, length, there) in [(0xFF0, 256, 16), (0xFFF, 2, 1), (0x2000, 256, 256)] {
            match rig.ask(&read(addr, length)).frame() {
                Frame::Memory(memory) => assert_eq!(memory.data.as_slice().len(), there, "{addr:#x}"),
                other => panic!("{other:?}"),
            }
        }
        for frame in
            [read(0x1000, 1), read(0x1FFF, 9), write(0xFFF, &[1, 2]), force(0x1FFE, 100), set(0x1800, 1)]
        {
            assert_eq!(rig.refused(&frame).0, ErrorCode::Protected, "{frame:?}");
        }
        rig.check();
    }
}

#[test]
fn m03_what_has_side_effects_is_read_with_control_only() {
    for (domains, verdict) in [(ALL, 0), (Domains::OBSERVE.0, 25), (ALL & !Domains::CONTROL.0, 25)] {
        let config = CONFIG.observers(true);
        let mut rig = Rig::active_with(config, &token(Domains(domains), 60));
        rig.machine.map = &MAP;
        assert_eq!(rig.verdict(&read(0x8000, 4)).0, verdict, "{domains}");
        assert_eq!(rig.verdict(&read(0, 4)).0, 0);
    }
}

#[test]
fn m03_a_write_is_remembered_until_the_program_starts_again() {
    for frame in [write(0x400, &[1]), write_register(2, 7)] {
        for fails in [None, Some(Refusal::ReadOnly)] {
            let mut rig = Rig::active();
            assert!(!rig.status().modified);
            rig.machine.refuses = fails;
            rig.ask(&frame);
            rig.machine.refuses = None;
            assert!(rig.status().modified, "{frame:?} {fails:?}");
            rig.again(&token(Domains::ALL, 60)).expect("a session");
            assert!(rig.state().modified);
            rig.machine.generation.set(2);
            rig.again(&token(Domains::ALL, 60)).expect("a session");
            assert!(!rig.state().modified && !rig.status().modified);
            rig.check();
        }
    }
    // What was refused before it was tried has changed nothing.
    let mut rig = Rig::active();
    rig.machine.permits = |_, _| false;
    rig.refused(&write(0x400, &[1]));
    assert!(!rig.status().modified);
}

// --- 7: clocks

#[test]
fn m07_a_small_step_back_is_no_step_and_a_large_one_ends_the_session() {
    for (back, ends) in [(1, false), (50, false), (99, false), (102, true), (10_000, true), (900_000, true)] {
        let mut rig = holding(CONFIG, 60);
        rig.pass(2_000);
        rig.now = Instant::from_millis(rig.now.as_millis() - back);
        rig.run();
        assert_eq!(!rig.is_active(), ends, "{back}");
        assert_eq!(rig.bye(), ends.then_some(Cause::ClockBroken), "{back}");
        assert_eq!(rig.machine.held.is_empty(), ends, "{back}");
        if !ends {
            rig.pass(3_000);
            assert!(rig.is_active());
        }
        rig.check();
    }
}

/// A lease ends when it was to end, whatever small steps the clock makes.
#[test]
fn m07_many_small_steps_back_do_not_prolong_a_lease() {
    let mut rig = Rig::active();
    rig.done(&force(VARIABLE, 2_000));
    let began = rig.now.as_millis();
    let mut clock = began;
    while rig.machine.held.contains_key(&VARIABLE) {
        clock += 7;
        // Every second reading is 90 ms old.
        let shown = if clock % 2 == 0 { clock } else { clock - 90 };
        rig.now = Instant::from_millis(shown);
        rig.run_as_it_is();
        assert!(clock < began + 2_120, "{}", clock - began);
    }
    assert!(rig.is_active());
}

/// Each step back is small, and together they are none that is tolerated.
#[test]
fn m07_a_clock_that_runs_backwards_ends_the_session() {
    let mut rig = holding(CONFIG, 60);
    rig.pass(2_000);
    let began = rig.now.as_millis();
    for back in 1..=5 {
        rig.now = Instant::from_millis(began - back * 30);
        rig.run_as_it_is();
    }
    assert_eq!((rig.bye(), rig.machine.held.len()), (Some(Cause::ClockBroken), 0));
}

#[test]
fn m07_a_clock_that_stands_still_ends_the_session() {
    let mut rig = holding(CONFIG.frozen(1_000), 60);
    rig.pass(2_000);
    for _ in 0..990 {
        rig.run_as_it_is();
    }
    assert!(rig.is_active());
    for _ in 0..20 {
        rig.run_as_it_is();
    }
    assert_eq!((rig.bye(), rig.machine.held.len()), (Some(Cause::ClockBroken), 0));
}

/// What waits for the end of a goodbye, or of a handshake, does not wait until the clock has come so far again.
#[test]
fn m07_a_step_back_prolongs_no_goodbye_and_no_handshake() {
    let mut rig = holding(CONFIG, 60);
    rig.lives = false;
    while rig.is_active() {
        rig.pass(10);
    }
    assert_eq!(rig.agent.state(), SessionState::Disconnecting);
    rig.now = Instant::from_millis(5_000);
    rig.pass(1_200);
    assert!(rig.connect(), "busy");
    rig.pass(100);
    rig.now = Instant::from_millis(100);
    rig.pass(5_200);
    assert!(rig.agent.is_finished());
}

/// Whatever a clock shows, the agent's run is over in no time.
#[test]
fn m07_a_clock_that_jumps_to_its_end_is_survived() {
    let mut rig = holding(CONFIG, 60);
    let began = std::time::Instant::now();
    rig.now = Instant::MAX;
    rig.run_as_it_is();
    assert!(rig.machine.is_left_alone() && !rig.is_active());
    rig.now = Instant::from_millis(77);
    rig.run_as_it_is();
    assert!(began.elapsed() < Duration::from_secs(5));
}

// --- 8: reset

#[test]
fn m08_nobody_gets_a_session_before_the_machine_has_recovered() {
    let mut rig = Rig::new();
    let mut fresh = Rig::new();
    std::mem::swap(&mut rig.agent, &mut fresh.agent);
    // An agent that has not run yet.
    rig.agent = feedrate_rdp::agent::Agent::new(
        CONFIG,
        feedrate_rdp::stream::Stream::agent(),
        feedrate_testkit::rdp::rig::authority as feedrate_testkit::rdp::rig::Authority,
        feedrate_rdp::session::Checksum::new(),
    );
    rig.machine.journal = Journal::kept();
    rig.machine.fails.recover = Some(Refusal::WrongState);
    // What a reset leaves in debug hardware.
    rig.machine.slots[1] = Some((0x100, feedrate_rdp::target::Trap::Any));
    // It is tried again, whether somebody comes or not.
    assert_eq!(rig.agent.deadline(), Some(Instant::ZERO));
    rig.run();
    assert_eq!(rig.agent.deadline(), Some(rig.now.saturating_add(Duration::from_millis(100))));
    rig.machine.journal.take();
    assert!(rig.connect());
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.pass(1_000);
    let deeds = rig.machine.journal.take();
    assert_eq!(deeds, vec![Deed::Recovered(false); 100]);
    assert!(rig.said.is_empty() && rig.agent.state() == SessionState::Idle);
    rig.machine.fails = Failures::NONE;
    rig.run();
    assert_eq!(rig.machine.journal.take()[0], Deed::Recovered(true));
    assert!(rig.machine.is_left_alone());
    rig.agree();
    assert!(rig.is_active());
    rig.pass(100);
    assert!(!rig.machine.journal.take().contains(&Deed::Recovered(true)), "once is enough");
    rig.check();
}

/// Before the machine has recovered, too, nobody waits for a clock that has stepped back.
#[test]
fn m08_a_silent_client_is_hung_up_on_before_the_machine_has_recovered() {
    let mut rig = Rig::new();
    rig.agent = feedrate_rdp::agent::Agent::new(
        CONFIG,
        feedrate_rdp::stream::Stream::agent(),
        feedrate_testkit::rdp::rig::authority as feedrate_testkit::rdp::rig::Authority,
        feedrate_rdp::session::Checksum::new(),
    );
    rig.machine.fails.recover = Some(Refusal::WrongState);
    rig.run();
    assert!(rig.connect());
    rig.run();
    rig.now = Instant::from_millis(1_000);
    rig.pass(4_900);
    assert!(!rig.agent.is_finished());
    rig.pass(200);
    assert!(rig.agent.is_finished());
}

// --- 9: a trap that races the session's end

#[test]
fn m09_a_trap_without_a_session_gets_the_reaction_and_a_record_and_state_tells() {
    for (cause, kind) in [(StopCause::Breakpoint(0), 2), (StopCause::Watch { slot: 0, addr: 0x123 }, 3)] {
        let mut rig = holding(CONFIG, 60);
        rig.agent.disconnect();
        rig.run();
        rig.machine.journal.take();
        rig.machine.stopped = true;
        rig.agent.stopped(&mut rig.machine, cause, rig.now);
        let deeds = rig.machine.journal.take();
        assert_eq!(done(&deeds), [Deed::Reacted(Some(Cause::LineLost), true)]);
        let record = rig.last_record();
        assert_eq!((record.kind, record.addr, record.value), (Record::STOP_WITHOUT_SESSION, 7, kind));
        assert_eq!((record.session, record.operator), (0, [0; 8]));
        assert!(rig.connect());
        rig.handshake(&token(Domains::ALL, 60)).expect("a session");
        let state = rig.state();
        let reason = if kind == 2 { Reason::Breakpoint } else { Reason::Watch };
        assert_eq!((state.last, state.cause), (Some(reason), Cause::LineLost));
        assert_eq!(state.ended.into_iter().collect::<Vec<_>>(), [VARIABLE, 0x3000]);
        // Nobody is told of it as if it was news.
        rig.pass(100);
        assert_eq!(rig.stops(), []);
        rig.check();
    }
}
