//! How forces and traps end: with the reaction first, never forgotten, and when the agent stalls too. Points 4 to 6 of
//! the rules where the session meets the machine.

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Bye, Cause, Domains, ErrorCode, Frame, Halt, Record};
use feedrate_rdp::target::Refusal;
use feedrate_testkit::machine::{Deed, Failures};
use feedrate_testkit::rdp::frames::{VARIABLE, clear, force, release, renew, set, set_axis};
use feedrate_testkit::rdp::holding::{done, events, holding, safe, withdrawn};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);

// --- 4: the end of a force can start motion

#[test]
fn m04_the_reaction_comes_first_then_forces_then_traps_whatever_the_cause() {
    type Act = fn(&mut Rig);
    let ways: [(Cause, bool, bool, Act); 8] = [
        (Cause::Asked, true, true, |rig| {
            rig.tell(&Frame::Bye(Bye { reason: Cause::Asked }));
            rig.run();
        }),
        (Cause::LineLost, true, true, |rig| {
            rig.agent.disconnect();
            rig.run();
        }),
        (Cause::PeerLost, true, true, |rig| {
            rig.lives = false;
            rig.pass(3_100);
        }),
        (Cause::IntegrityLost, true, true, |rig| {
            rig.put(Channel::Ordinary, &[0; 30]);
            rig.run();
        }),
        (Cause::ProgramChanged, true, true, |rig| {
            rig.machine.generation.set(2);
            rig.run();
        }),
        (Cause::GrantExpired, true, true, |rig| {
            rig.pass(60_000);
        }),
        (Cause::Stalled, true, false, |rig| {
            rig.machine.stall = 0;
            rig.stall(600);
            rig.run();
        }),
        (Cause::ClockBroken, true, true, |rig| {
            rig.now = feedrate::Instant::from_millis(rig.now.as_millis() - 200);
            rig.run();
        }),
    ];
    for (cause, forces, traps, act) in ways {
        let mut rig = holding(CONFIG.lease(600_000), 60);
        for addr in [VARIABLE, 0x3000] {
            rig.done(&renew(addr, 600_000));
        }
        rig.machine.journal.take();
        act(&mut rig);
        let deeds = rig.machine.journal.take();
        assert_eq!(done(&deeds), withdrawn(cause, forces, traps), "{cause}");
        let ended: Vec<_> =
            events(&deeds).into_iter().filter(|(kind, ..)| *kind == Record::FORCE_ENDED).collect();
        let force = |addr| (Record::FORCE_ENDED, cause, addr);
        assert_eq!(ended, [force(VARIABLE), force(0x3000)], "{cause}");
        rig.check();
    }
}

#[test]
fn m04_the_end_of_a_lease_and_release() {
    let mut rig = holding(CONFIG, 60);
    rig.done(&force(0x4000, 100));
    rig.machine.journal.take();
    rig.pass(130);
    let deeds = rig.machine.journal.take();
    let expected = [Deed::Reacted(Some(Cause::LeaseEnded), true), Deed::LetGo(0x4000, true)];
    assert_eq!(done(&deeds), expected);
    assert_eq!(events(&deeds), [(Record::FORCE_ENDED, Cause::LeaseEnded, 0x4000)]);
    // Release is without the reaction, and with the safe value.
    rig.done(&release(VARIABLE));
    let deeds = rig.machine.journal.take();
    assert_eq!(done(&deeds), [safe(), Deed::LetGo(VARIABLE, true)]);
    assert_eq!((events(&deeds), rig.status().forces), (vec![], 1));
    rig.check();
}

#[test]
fn m04_who_holds_nothing_ends_without_the_reaction() {
    let mut rig = Rig::active();
    rig.done(&set_axis(0, 1));
    rig.machine.journal.take();
    rig.agent.disconnect();
    rig.run();
    let deeds = rig.machine.journal.take();
    assert_eq!(done(&deeds), []);
    assert_eq!(events(&deeds), [(Record::SESSION_ENDED, Cause::LineLost, 0)]);
    // A trap alone is something.
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    rig.done(&set(0x100, 1));
    rig.machine.journal.take();
    rig.agent.disconnect();
    rig.run();
    assert_eq!(done(&rig.machine.journal.take()), withdrawn(Cause::LineLost, false, true));
}

#[test]
fn m04_renewals_are_counted_with_the_end() {
    let mut rig = Rig::active();
    rig.done(&force(VARIABLE, 1_000));
    let before = rig.records().len();
    for _ in 0..7 {
        rig.pass(500);
        rig.done(&renew(VARIABLE, 1_000));
    }
    assert_eq!(rig.records().len(), before);
    assert!(rig.machine.held.contains_key(&VARIABLE));
    rig.pass(1_100);
    let record = rig.last_record();
    assert_eq!((record.kind, record.count, record.cause), (Record::FORCE_ENDED, 7, Cause::LeaseEnded));
    assert_eq!((record.addr, record.value), (VARIABLE, 0x0102_0304_0000_0000));
    assert_eq!(rig.refused(&renew(VARIABLE, 1_000)).0, ErrorCode::UnknownId);
    rig.check();
}

// --- 5: failures are not swallowed

#[test]
fn m05_what_cannot_be_taken_back_stays_listed_is_tried_recorded_and_blocks_control() {
    for traps in [false, true] {
        let refusal = Some(Refusal::Fatal(3));
        let mut rig = holding(CONFIG.observers(true), 60);
        rig.machine.fails = Failures {
            clear: refusal.filter(|_| traps),
            release: refusal.filter(|_| !traps),
            ..Failures::NONE
        };
        rig.agent.disconnect();
        rig.run();
        let deeds = rig.machine.journal.take();
        let stuck: Vec<_> = if traps { vec![0x100] } else { vec![VARIABLE, 0x3000] };
        let recorded: Vec<_> =
            events(&deeds).into_iter().filter(|(kind, ..)| *kind == Record::STUCK).collect();
        let expected: Vec<_> = stuck.iter().map(|addr| (Record::STUCK, Cause::LineLost, *addr)).collect();
        assert_eq!(recorded, expected);
        let count = |deeds: &[Deed]| deeds.iter().filter(|deed| matches!(deed, Deed::FailSafe(_))).count();
        assert_eq!(count(&deeds), stuck.len(), "{deeds:?}");
        let failed = |deed: &Deed| matches!(deed, Deed::LetGo(_, false) | Deed::Disarmed(_, false));
        // It is tried at every run, and nothing more is said.
        for _ in 0..3 {
            rig.run();
            let deeds = rig.machine.journal.take();
            assert_eq!(deeds.iter().filter(|deed| failed(deed)).count(), stuck.len(), "{deeds:?}");
            assert_eq!((events(&deeds), count(&deeds)), (vec![], 0));
        }
        assert!(rig.connect());
        assert_eq!(rig.handshake(&token(Domains::ALL, 60)), Err((ErrorCode::Stuck, 0)));
        rig.again(&token(Domains::OBSERVE, 60)).expect("one who only looks");
        assert_eq!(usize::from(rig.state().stuck), stuck.len());
        assert_eq!(usize::from(rig.status().stuck), stuck.len());
        // Once it is taken back, all is as before.
        rig.machine.fails = Failures::NONE;
        rig.run();
        assert!(rig.machine.is_left_alone());
        assert_eq!(rig.status().stuck, 0);
        rig.again(&token(Domains::ALL, 60)).expect("one who controls");
        rig.check();
    }
}

/// The record names what it is about, and the command that made it.
#[test]
fn m05_a_release_or_clear_that_fails_is_answered_and_stuck_and_nothing_but_halt_and_release_is_done() {
    let refusal = Some(Refusal::ReadOnly);
    for (frame, addr, made) in [(release(VARIABLE), VARIABLE, 1), (clear(1), 0x100, 0)] {
        let mut rig = holding(CONFIG, 60);
        let made = rig.records()[made].sequence;
        rig.pass(500);
        rig.machine.fails = Failures { clear: refusal, release: refusal, ..Failures::NONE };
        assert_eq!(rig.refused(&frame).0, ErrorCode::ReadOnly);
        let record = rig.records().into_iter().find(|record| record.kind == Record::STUCK).expect("a record");
        let about = (record.addr, record.sequence, record.cause, record.verdict);
        assert_eq!(about, (addr, made, Cause::Released, ErrorCode::ReadOnly.0));
        assert!(record.time >= 50);
        assert_eq!(rig.status().stuck, 1);
        let safe = |deed: &&Deed| matches!(deed, Deed::FailSafe(Cause::Released));
        assert_eq!(rig.machine.journal.take().iter().filter(safe).count(), 1);
        for frame in [force(VARIABLE, 100), set(0x300, 9), set_axis(0, 1), renew(VARIABLE, 100)] {
            assert_eq!(rig.refused(&frame).0, ErrorCode::Stuck, "{frame:?}");
        }
        // What lets go of something is not: it answers with what the target says.
        assert_eq!(rig.refused(&clear(1)).0, ErrorCode::ReadOnly);
        assert_eq!(rig.refused(&release(0x3000)).0, ErrorCode::ReadOnly);
        rig.done(&HALT);
        assert!(rig.machine.stopped);
        rig.machine.fails = Failures::NONE;
        rig.run();
        assert_eq!(rig.status().stuck, 0);
        rig.done(&force(VARIABLE, 100));
        rig.check();
    }
}

#[test]
fn m05_a_reaction_that_fails_triggers_the_fail_safe_before_anything_is_let_go_of() {
    let mut rig = holding(CONFIG, 60);
    rig.machine.fails.react = Some(Refusal::Fatal(1));
    rig.agent.disconnect();
    rig.run();
    let deeds = done(&rig.machine.journal.take());
    assert_eq!(deeds[..2], [Deed::Reacted(Some(Cause::LineLost), false), Deed::FailSafe(Cause::LineLost)]);
    assert!(matches!(deeds[2], Deed::Safe(..)), "{deeds:?}");
    rig.check();
}

// --- 6: a stall

#[test]
fn m06_what_applies_forces_drops_them_by_itself_and_the_agent_finds_out() {
    let mut rig = holding(CONFIG, 60);
    rig.machine.stall = 500;
    rig.pass(5_000);
    assert_eq!(rig.machine.held.len(), 2, "alive() is called");
    rig.machine.journal.take();
    rig.stall(499);
    assert_eq!(rig.machine.held.len(), 2);
    rig.stall(2);
    assert!(rig.machine.held.is_empty());
    let dropped = rig.machine.journal.take();
    let [first, second] = [VARIABLE, 0x3000].map(Deed::Dropped);
    assert_eq!(dropped, [Deed::Reacted(None, true), safe(), first, second]);
    rig.run();
    let deeds = rig.machine.journal.take();
    let ended = |addr| (Record::FORCE_ENDED, Cause::Stalled, addr);
    assert_eq!(events(&deeds), [ended(VARIABLE), ended(0x3000)]);
    assert!(rig.is_active());
    assert_eq!(rig.status().forces, 0);
    rig.check();
}

#[test]
fn m06_less_than_the_stall_time_ends_nothing() {
    let mut rig = holding(CONFIG, 60);
    rig.stall(490);
    rig.run();
    assert_eq!(rig.machine.held.len(), 2);
    rig.stall(500);
    rig.run();
    assert!(rig.machine.held.is_empty());
}

#[test]
fn m06_a_halt_that_was_received_comes_before_the_loss() {
    let mut rig = holding(CONFIG, 60);
    rig.lives = false;
    rig.pass(1_000);
    let halt = rig.tell(&HALT);
    // It is older than the tolerance when it is executed, and the host is lost by then.
    rig.stall(6_000);
    rig.machine.journal.take();
    rig.run();
    let deeds = rig.machine.journal.take();
    let at = |wanted: fn(&Deed) -> bool| deeds.iter().position(wanted).expect("it was done");
    let (halted, reacted) = (at(|deed| *deed == Deed::Halted), at(|deed| matches!(deed, Deed::Reacted(..))));
    assert!(halted < reacted, "{deeds:?}");
    assert!(events(&deeds).contains(&(Record::SESSION_ENDED, Cause::PeerLost, 0)));
    assert!(rig.said.iter().any(|said| said.frame().request() == Some(halt)));
    rig.check();
}

#[test]
fn m06_a_halt_just_before_the_end_of_the_line_is_executed() {
    let mut rig = holding(CONFIG, 60);
    rig.tell(&HALT);
    rig.agent.disconnect();
    rig.run();
    let deeds = rig.machine.journal.take();
    assert!(deeds.contains(&Deed::Halted) && rig.machine.is_left_alone(), "{deeds:?}");
    rig.check();
}
