//! What an attacker, a drifting clock, a dead host and a full log were able to do to an RDPv3 of earlier, and cannot
//! any more. The names are those of the findings, S1 to S10; S4 is in `heard.rs`, S5 in `serial.rs`, S11 in
//! `commands.rs`, S12 in `authority.rs`.

use std::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Bye, Cause, Domains, ErrorCode, Frame, GetStatus, Halt, Record, Resume};
use feedrate_rdp::session::SessionState;
use feedrate_rdp::target::{Act, Audit};
use feedrate_testkit::machine::{Deed, Extensions, Log};
use feedrate_testkit::rdp::frames::{
    VARIABLE, audit, force, heartbeat, policy, read, release, release_audit, renew, set, set_axis,
};
use feedrate_testkit::rdp::holding::forced;
use feedrate_testkit::rdp::peer::{bytes, crc_of};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const RESUME: Frame<'_> = Frame::Resume(Resume);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);

// --- S1: takeover

#[test]
fn s1_a_second_stream_is_refused_while_a_session_is_active_which_does_not_notice() {
    let mut rig = forced();
    assert!(rig.agent.connect().is_err());
    rig.pass(10_000);
    assert!(rig.is_active() && rig.machine.held.contains_key(&VARIABLE));
    rig.done(&STATUS);
    // Nor when it says goodbye.
    rig.lives = false;
    while rig.agent.state() == SessionState::Active {
        rig.pass(10);
    }
    assert_eq!(rig.agent.state(), SessionState::Disconnecting);
    assert!(rig.agent.connect().is_err());
    rig.pass(1_100);
    assert!(rig.agent.connect().is_ok());
}

/// Whoever has heard all that was said can make every tag of suite 0. On a line of his own it is worth nothing.
#[test]
fn s1_the_next_line_inherits_nothing_of_the_session_before() {
    for gap in [1, 400] {
        let mut rig = forced();
        // He knows nonces and sequences.
        let mut thief = rig.peer.clone();
        thief.next += 10;
        let recorded = [HALT, set_axis(0, 77), force(VARIABLE, 9), heartbeat(0)].map(|frame| {
            (frame.channel().expect("a host's"), thief.next(frame.channel().unwrap(), &bytes(&frame)))
        });
        rig.agent.disconnect();
        // Until it has run, the agent keeps the old one's last commands.
        assert!(rig.agent.connect().is_err());
        rig.stall(gap);
        rig.run_as_it_is();
        assert!(rig.agent.connect().is_ok());
        for (channel, message) in &recorded {
            rig.put(*channel, message);
        }
        rig.pass(100);
        let deeds = rig.machine.journal.take();
        let done = |deed: &Deed| matches!(deed, Deed::Halted | Deed::AxisSet(..) | Deed::Forced(..));
        assert!(!deeds.iter().any(done), "{deeds:?}");
        assert!(!rig.is_active() && rig.machine.is_left_alone());
        assert!(deeds.contains(&Deed::Reacted(Some(Cause::LineLost), true)), "{deeds:?}");
        rig.check();
    }
}

#[test]
fn s1_a_session_after_another_has_its_own_grant_order_and_time() {
    let mut rig = forced();
    rig.pass(20_000);
    // Nor is what a Halt and a Release have overtaken there.
    rig.peer.next += 1_000;
    rig.done(&release(0x9999));
    rig.done(&HALT);
    rig.agent.disconnect();
    rig.run();
    assert!(rig.connect());
    rig.handshake(&token(Domains(Domains::OBSERVE.0 | Domains::CONTROL.0), 60)).expect("a session");
    // Its sequences are small again, its time begins again, and what it is not granted is denied.
    assert!(rig.peer.heard < 10);
    rig.done(&STATUS);
    rig.done(&set(0x300, 9));
    assert_eq!(rig.refused(&force(VARIABLE, 100)).0, ErrorCode::Denied);
    rig.check();
}

// --- S2: a drifting clock

/// The host has no clock in the protocol: whatever the agent's does, its commands are as old as what they echo.
#[test]
fn s2_a_drifting_clock_makes_no_command_stale() {
    for (real, shown) in [(10_000, 10_100), (10_000, 9_900), (10_000, 12_000), (10_000, 8_000)] {
        let mut rig = Rig::active();
        for second in 0..1_200 {
            for _ in 0..10 {
                // A tenth of a second, as the agent sees it.
                rig.now = rig.now.saturating_add(Duration::from_micros(100_000 * shown / real));
                rig.run_as_it_is();
            }
            if second % 100 == 99 {
                assert_eq!(rig.verdict(&STATUS), ErrorCode(0), "after {second} s of {shown}/{real}");
            }
        }
        rig.machine.stopped = false;
        rig.done(&HALT);
        assert!(rig.machine.stopped);
        rig.check();
    }
}

#[test]
fn s2_what_is_older_than_the_tolerance_is_stale_on_arrival_and_at_execution() {
    let config = CONFIG.heartbeat(500).loss(2_000).tolerance(2_000);
    let mut rig = Rig::active_with(config, &token(Domains::ALL, 3_600));
    rig.pass(10_000);
    let clock = rig.peer.heard;
    for (age, verdict) in [(0, 0), (190, 0), (220, 8), (900, 8)] {
        let now = rig.peer.heard;
        let sequence = rig.peer.next;
        rig.peer.next += 1;
        rig.put_as(Channel::Ordinary, sequence, now.saturating_sub(age), &STATUS);
        let code = match rig.answer(sequence).frame() {
            Frame::Error(error) => error.code.0,
            _ => 0,
        };
        assert_eq!(code, verdict, "{age} from {clock}");
    }
    // From the future: nobody can have heard that.
    let sequence = rig.peer.next;
    rig.peer.next += 1;
    rig.put_as(Channel::Ordinary, sequence, rig.peer.heard + 500, &STATUS);
    assert!(matches!(rig.answer(sequence).frame(), Frame::Error(error) if error.code == ErrorCode::Stale));
    // It arrived in time, and the agent was away until it was too late.
    rig.machine.stopped = false;
    let (axis, halt) = (rig.tell(&set_axis(0, 5)), rig.tell(&HALT));
    rig.lives = false;
    rig.stall(2_300);
    rig.run();
    rig.run();
    rig.said.iter().find(|said| said.frame().request() == Some(halt)).expect("Halt is answered");
    assert!(rig.machine.stopped || rig.machine.pending.is_some(), "Halt arrived in time");
    assert_eq!(rig.machine.axes[0], 0, "{axis}");
    rig.check();
}

// --- S3: what wraps

/// A day and a minute is what a session lasts at most. With intervals of a minute that is quickly simulated.
#[test]
fn s3_a_grant_of_a_day_ends_once_and_nothing_comes_back() {
    let config = CONFIG.heartbeat(16_000).loss(60_000).tolerance(60_000).stall(60_000);
    let mut rig = Rig::active_with(config, &token(Domains::ALL, u32::MAX));
    let began = rig.now;
    rig.machine.stopped = false;
    let step = Duration::from_secs(8);
    while rig.now.saturating_since(began) < Duration::from_secs(86_390) {
        rig.now = rig.now.saturating_add(step);
        rig.run_as_it_is();
    }
    rig.done(&HALT);
    assert!(rig.machine.stopped);
    assert_eq!(rig.verdict(&set_axis(0, 1)), ErrorCode(0));
    let mut denied = 0;
    while rig.is_active() {
        rig.now = rig.now.saturating_add(step);
        rig.run_as_it_is();
        let code = if rig.is_active() { rig.verdict(&set_axis(0, 2)) } else { break };
        assert!(code == ErrorCode::Denied || denied == 0, "{code:?} after Denied");
        denied += u32::from(code == ErrorCode::Denied);
    }
    let lasted = rig.now.saturating_since(began).as_secs();
    assert!((86_440..=86_480).contains(&lasted), "{lasted} s");
    assert_eq!((rig.bye(), denied > 3), (Some(Cause::SessionExpired), true));
    rig.check();
}

// --- S6: the interlock

#[test]
fn s6_the_interlock_is_asked_when_the_program_goes_on_with_something_forced() {
    let mut rig = Rig::active();
    rig.done(&force(VARIABLE, 60_000));
    rig.machine.permits = |machine, act| !matches!(act, Act::Resume | Act::Step) || machine.held.is_empty();
    assert_eq!(rig.refused(&RESUME).0, ErrorCode::Interlock);
    assert!(rig.machine.stopped);
    rig.done(&release(VARIABLE));
    rig.done(&RESUME);
    assert!(!rig.machine.stopped);
    rig.check();
}

#[test]
fn s6_without_a_hook_nothing_is_forced_written_or_set() {
    let mut rig = Rig::new();
    rig.machine.has = Extensions { interlock: false, ..Extensions::ALL };
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    for frame in [
        force(VARIABLE, 100),
        set_axis(0, 1),
        feedrate_testkit::rdp::frames::write(0, &[1]),
        feedrate_testkit::rdp::frames::write_register(0, 1),
    ] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Unsupported, "{frame:?}");
    }
    // That comes before the device that is meant.
    rig.machine.fingerprint[0] ^= 1;
    let frames = feedrate_testkit::rdp::frames::write(0, &[1]);
    let register = feedrate_testkit::rdp::frames::write_register(0, 1);
    for frame in [force(VARIABLE, 100), set_axis(0, 1), frames, register] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Unsupported, "{frame:?}");
    }
    rig.machine.fingerprint[0] ^= 1;
    // It has axes, and a trap or a Halt would stop the program alone.
    assert_eq!(rig.refused(&set(0x100, 1)).0, ErrorCode::Interlock);
    rig.done(&RESUME);
    assert_eq!(rig.refused(&HALT).0, ErrorCode::Interlock);
    rig.machine.axes.clear();
    rig.done(&set(0x100, 1));
    rig.done(&HALT);
    rig.check();
}

// --- S7: the log

#[test]
fn s7_reading_releases_nothing_and_releasing_needs_an_authority_and_proof() {
    let mut rig = Rig::active_with(CONFIG, &token(Domains(Domains::ALL.0 & !Domains::AUDIT.0), 60));
    rig.machine.log = Log::of::<4, 2>();
    for i in 0..4 {
        rig.done(&set_axis(0, i));
    }
    assert_eq!(rig.refused(&set_axis(0, 9)).0, ErrorCode::AuditFull);
    for from in [0, 3, 0x7FFF_FFFF, u32::MAX] {
        rig.done(&audit(from, 8));
    }
    assert_eq!(rig.refused(&set_axis(0, 9)).0, ErrorCode::AuditFull);
    let last = rig.machine.log.last_below(4).expect("a record");
    assert_eq!(rig.refused(&release_audit(4, crc_of(&last))).0, ErrorCode::Denied);
    assert_eq!(rig.machine.axes[0], 3);
    rig.check();

    let mut rig = Rig::active();
    rig.machine.log = Log::of::<4, 2>();
    for i in 0..4 {
        rig.done(&set_axis(0, i));
    }
    let last = rig.machine.log.last_below(4).expect("a record");
    for (upto, crc) in [(4, 0), (3, crc_of(&last)), (0, 0), (u32::MAX, crc_of(&last))] {
        assert_eq!(rig.refused(&release_audit(upto, crc)).0, ErrorCode::AuditMismatch, "{upto}");
        assert_eq!(rig.refused(&set_axis(0, 9)).0, ErrorCode::AuditFull);
    }
    rig.done(&release_audit(4, crc_of(&last)));
    rig.done(&set_axis(0, 10));
    assert_eq!(rig.machine.axes[0], 10);
    let records = rig.records();
    let released =
        records.iter().find(|record| record.kind == 0x35 && record.verdict == 0).expect("its record");
    assert_eq!((released.value, released.index), (4, rig.machine.log.bounds().1 - 2));
    rig.check();
}

#[test]
fn s7_leases_are_limited_and_a_policy_names_what_it_replaces() {
    let mut rig = Rig::active();
    for (lease, verdict) in [(60_000, 0), (60_001, 19), (u32::MAX, 19), (0, 19)] {
        assert_eq!(rig.verdict(&force(VARIABLE, lease)).0, verdict, "{lease}");
        assert_eq!(rig.verdict(&renew(VARIABLE, lease)).0, verdict, "{lease}");
    }
    for (version, replaces, verdict) in [
        (u32::MAX, 1, 20),
        (u32::MAX, 0, 0),
        (1, 0, 20),
        (u32::MAX, u32::MAX, 20),
        (1, u32::MAX, 0),
        (0, 1, 19),
    ] {
        assert_eq!(rig.verdict(&policy(version, replaces, &[])).0, verdict, "{version} {replaces}");
    }
    rig.check();
}

// --- S8: denial

#[test]
fn s8_a_silent_client_yields_to_the_next_one() {
    let mut rig = Rig::new();
    assert!(rig.connect());
    rig.pass(1_000);
    assert!(rig.connect());
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    assert!(rig.is_active());
    // And one that stops in the middle of its handshake.
    let mut rig = Rig::new();
    assert!(rig.connect());
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.pass(100);
    assert_eq!(rig.agent.state(), SessionState::Connecting);
    assert!(rig.connect());
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    rig.check();
}

#[test]
fn s8_whoever_gets_nowhere_is_hung_up_on_after_five_seconds() {
    for hello in [false, true] {
        let mut rig = Rig::new();
        assert!(rig.connect());
        if hello {
            let hello = rig.peer.hello(&token(Domains::ALL, 60));
            rig.put(Channel::Urgent, &hello);
        }
        rig.pass(4_900);
        assert!(!rig.agent.is_finished());
        rig.pass(200);
        assert!(rig.agent.is_finished(), "{hello}");
        assert!(!rig.said.iter().any(|said| matches!(said.frame(), Frame::Error(_))));
    }
}

// --- S9: Halt waits for nothing

#[test]
fn s9_halt_and_release_are_executed_at_the_next_run_whatever_waits_on_channel_1() {
    let mut rig = forced();
    // Answers fill the send queue of channel 1, as nobody takes them; and commands wait behind them.
    for i in 0..7 {
        rig.tell(&read(i * 256, 256));
    }
    let run = |rig: &mut Rig| {
        rig.now = rig.now.saturating_add(Duration::from_millis(1));
        rig.machine.pass_to(rig.now.as_millis());
        rig.agent.run(&mut rig.machine, rig.now);
    };
    for _ in 0..20 {
        run(&mut rig);
    }
    let reads = rig.machine.journal.take().iter().filter(|deed| matches!(deed, Deed::Read(..))).count();
    assert!(reads < 7, "nothing waits");
    rig.tell(&HALT);
    rig.tell(&release(VARIABLE));
    run(&mut rig);
    let deeds = rig.machine.journal.take();
    assert!(deeds.contains(&Deed::Halted) && deeds.contains(&Deed::LetGo(VARIABLE, true)), "{deeds:?}");
    rig.check();
}

/// Events leave room for the answers to four Halts and Releases, and no command goes before a stop that is to be told.
#[test]
fn s9_events_that_nobody_takes_keep_no_halt_back_but_commands_of_channel_1() {
    let mut rig = Rig::active();
    let Frame::Step(step) = feedrate_testkit::rdp::frames::step(1_000) else { unreachable!() };
    rig.tell(&Frame::Step(feedrate::rdp::frame::Step { trace: true, ..step }));
    let run = |rig: &mut Rig| {
        rig.now = rig.now.saturating_add(Duration::from_millis(1));
        rig.run_unheard();
    };
    // The answer to Step leaves, and nothing after it.
    run(&mut rig);
    rig.listen();
    let mut steps = 0;
    while rig.machine.instructions > steps || steps == 0 {
        steps = rig.machine.instructions;
        (0..10).for_each(|_| run(&mut rig));
        assert!(steps < 200, "there is always room");
    }
    rig.machine.journal.take();
    rig.tell(&read(0x5000, 4));
    let releases = [1, 2, 3].map(|addr| rig.tell(&release(addr)));
    let halt = rig.tell(&HALT);
    (0..20).for_each(|_| run(&mut rig));
    let deeds = rig.machine.journal.take();
    let recorded = |kind| {
        let of = |deed: &&Deed| matches!(deed, Deed::Recorded(record) if record.kind == kind);
        deeds.iter().filter(of).count()
    };
    assert_eq!((recorded(0x1B), recorded(0x10)), (3, 1), "{deeds:?}");
    assert!(!deeds.iter().any(|deed| matches!(deed, Deed::Read(..))), "{deeds:?}");
    // Once they are taken, everything comes.
    rig.listen();
    rig.pass(100);
    for request in releases.into_iter().chain([halt]) {
        assert!(rig.said.iter().any(|said| said.frame().request() == Some(request)), "{request}");
    }
    assert!(rig.machine.journal.take().contains(&Deed::Read(0x5000, 4)));
    assert_eq!(rig.stops().last().map(|stop| (stop.0, stop.2)), Some((halt, false)));
    rig.check();
}

#[test]
fn s9_halt_comes_in_front_of_commands_that_arrived_before_it_and_cancels_them() {
    let mut rig = forced();
    let axis = [rig.tell(&set_axis(0, 5)), rig.tell(&set_axis(1, 5)), rig.tell(&set(0x40, 1))];
    let status = rig.tell(&STATUS);
    rig.tell(&HALT);
    for request in axis {
        let answer = rig.answer(request);
        assert!(matches!(answer.frame(), Frame::Error(error) if error.code == ErrorCode::Disordered));
    }
    // What touches nothing is answered.
    assert!(matches!(rig.answer(status).frame(), Frame::Status(_)));
    assert!(rig.machine.stopped && rig.machine.axes == [0, 1]);
    // What is sent behind it is done.
    rig.done(&set_axis(0, 6));
    // Release overtakes Force and Renew, and nothing else.
    let (force, renew, axis) =
        (rig.tell(&force(0x2010, 100)), rig.tell(&renew(VARIABLE, 100)), rig.tell(&set_axis(0, 7)));
    rig.tell(&release(0x2020));
    for (request, code) in [(force, 9), (renew, 9), (axis, 0)] {
        let answer = rig.answer(request);
        let found = if let Frame::Error(error) = answer.frame() { error.code.0 } else { 0 };
        assert_eq!(found, code, "{:?}", answer.frame());
    }
    assert_eq!(rig.machine.axes[0], 7);
    rig.check();
}

// --- S10: one Welcome

#[test]
fn s10_a_hello_that_comes_again_is_not_answered_by_another_welcome() {
    let mut rig = Rig::new();
    rig.connect();
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.put(Channel::Urgent, &hello);
    rig.pass(50);
    let welcomes =
        |rig: &Rig| rig.said.iter().filter(|said| matches!(said.frame(), Frame::Welcome(_))).count();
    assert_eq!(welcomes(&rig), 1);
    // On another line it gets another session, with another nonce.
    let first = rig.peer.device_nonce;
    rig.agent.disconnect();
    rig.run();
    rig.connect();
    rig.peer.nonce = [1; 16];
    let again = rig.peer.hello(&token(Domains::ALL, 60));
    assert_eq!(again, hello);
    rig.put(Channel::Urgent, &again);
    rig.run();
    assert_ne!(rig.peer.device_nonce, first);
}

#[test]
fn a_goodbye_lets_go_of_everything() {
    let mut rig = forced();
    rig.done(&set(0x100, 1));
    rig.machine.journal.take();
    rig.tell(&Frame::Bye(Bye { reason: Cause::Asked }));
    rig.run();
    let deeds = rig.machine.journal.take();
    let at = |deed: &Deed| deeds.iter().position(|done| done == deed);
    let order = [
        at(&Deed::Reacted(Some(Cause::Asked), true)),
        at(&Deed::LetGo(VARIABLE, true)),
        at(&Deed::Disarmed(0x100, true)),
    ];
    assert!(order[0].is_some() && order[0] < order[1] && order[1] < order[2], "{deeds:?}");
    assert_eq!(rig.last_record().kind, Record::SESSION_ENDED);
    rig.run();
    assert!(rig.agent.is_finished());
    rig.check();
}
