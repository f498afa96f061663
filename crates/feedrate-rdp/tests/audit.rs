//! The audit log: what is recorded, that it is recorded before the effect, and what happens when there is no room (SPEC
//! section 8.8). Point 13 of the rules where the session meets the machine.

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Cause, Domains, Durability, ErrorCode, Frame, GetStatus, Halt, Record, Resume};
use feedrate_rdp::target::{Audit, Refusal};
use feedrate_testkit::machine::{Deed, Extensions, Log};
use feedrate_testkit::rdp::frames::{
    VARIABLE, audit, clear, force, policy, read, registers, release, release_audit, renew, set, set_axis,
    step, step_range, watch, write, write_register,
};
use feedrate_testkit::rdp::holding::holding;
use feedrate_testkit::rdp::peer::{bytes, crc_of};
use feedrate_testkit::rdp::rig::{CONFIG, Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const RESUME: Frame<'_> = Frame::Resume(Resume);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);

/// Every command of column A, with the record that it makes: kind, address and value.
fn commands() -> Vec<(Frame<'static>, (u8, u64, u64))> {
    vec![
        (set(0x100, 1), (0x01, 0x100, 1)),
        (watch(0x200, 2), (0x06, 0x200, 2)),
        (force(VARIABLE, 500), (0x1A, VARIABLE, 0x0102_0304_0000_0000)),
        (write(0x400, &[1, 2, 3, 4, 5, 6, 7, 8, 9]), (0x1D, 0x400, 0x0102_0304_0506_0708)),
        (write_register(3, 0x77), (0x1E, 3, 0x77)),
        (set_axis(1, -2), (0x29, 1, u64::MAX - 1)),
        (policy(6, 0, &[]), (0x32, 6, 0)),
        (step(2), (0x12, 0, 2)),
        (step_range(0x40, 0x50, true), (0x13, 0x40, 0x50)),
        (RESUME, (0x11, 0, 0)),
        (HALT, (0x10, 0, 0)),
        (release(VARIABLE), (0x1B, VARIABLE, 0)),
        (clear(1), (0x02, 0, 1)),
    ]
}

#[test]
fn every_effect_has_its_record_before_it_and_the_verdict_after_it() {
    let mut rig = Rig::active();
    rig.pass(1_230);
    for (frame, (kind, addr, value)) in commands() {
        rig.machine.journal.take();
        let request = rig.tell(&frame);
        rig.answer(request);
        let deeds = rig.machine.journal.take();
        let recorded = deeds.iter().position(|deed| matches!(deed, Deed::Recorded(_))).expect("a record");
        let Deed::Recorded(record) = &deeds[recorded] else { unreachable!() };
        assert_eq!((record.kind, record.addr, record.value), (kind, addr, value), "{frame:?}");
        assert_eq!((record.sequence, record.verdict, record.count), (request, Record::PENDING, 1));
        let concluded =
            deeds.iter().position(|deed| *deed == Deed::Concluded(record.index, 0)).expect("done");
        let effect = |deed: &Deed| {
            !matches!(deed, Deed::Asked(..) | Deed::Recorded(_) | Deed::Refused(_) | Deed::Concluded(..))
        };
        let effects: Vec<_> = (0..deeds.len()).filter(|i| effect(&deeds[*i])).collect();
        assert!(effects.iter().take(1).all(|at| (recorded..concluded).contains(at)), "{frame:?}: {deeds:?}");
        // But for the policy, which is the agent's own, and what has no effect any more.
        assert!(!effects.is_empty() || [0x32].contains(&kind), "{frame:?}");
        rig.pass(20);
    }
    rig.check();
}

#[test]
fn a_record_says_who_when_and_in_which_session() {
    let mut rig = Rig::active();
    rig.pass(2_000);
    let (uptime, heard) = (rig.now.as_millis() - 1_000_000, rig.peer.heard);
    let request = rig.tell(&set_axis(0, 5));
    rig.answer(request);
    let record = rig.last_record();
    let expected = Record {
        version: 1,
        index: 0,
        boot: 815,
        session: 1,
        sequence: request,
        time: heard,
        uptime: record.uptime,
        operator: *b"operator",
        suite: 0,
        kind: 0x29,
        cause: Cause::None,
        verdict: 0,
        count: 1,
        addr: 0,
        value: 5,
    };
    assert_eq!(record, expected);
    assert!((uptime.saturating_sub(2)..=uptime + 2).contains(&record.uptime), "{} {uptime}", record.uptime);
    rig.again(&token(Domains::ALL, 60)).expect("a session");
    rig.done(&set_axis(0, 6));
    assert_eq!((rig.last_record().session, rig.last_record().index), (2, 2));
}

#[test]
fn m13_welcome_says_what_the_log_is_worth() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.machine.log.lose();
    }
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    let welcome = rig.welcome();
    assert_eq!(
        (welcome.boot, welcome.record, welcome.durability, welcome.records_lost),
        (815, 1, Durability::Memory, 3)
    );
    let mut rig = Rig::new();
    rig.machine.has = Extensions { audit: false, ..Extensions::ALL };
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    let welcome = rig.welcome();
    assert_eq!((welcome.record, welcome.durability), (0, Durability::None));
}

#[test]
fn without_a_log_some_commands_are_not_done_and_others_are_without_a_record() {
    let mut rig = Rig::active();
    rig.machine.has = Extensions { audit: false, ..Extensions::ALL };
    let unsupported = [0x1A, 0x1D, 0x1E, 0x29, 0x32];
    for (frame, (kind, ..)) in commands() {
        let verdict = if unsupported.contains(&kind) { ErrorCode::Unsupported } else { ErrorCode(0) };
        assert_eq!(rig.verdict(&frame), verdict, "{frame:?}");
        rig.pass(20);
    }
    assert_eq!(rig.refused(&audit(0, 1)).0, ErrorCode::Unsupported);
    assert_eq!(rig.refused(&release_audit(0, 0)).0, ErrorCode::Unsupported);
    rig.check();
}

#[test]
fn with_a_full_log_nothing_is_done_but_halt_and_release_which_are_counted_as_lost() {
    for (frame, (kind, ..)) in commands() {
        let mut rig = Rig::active();
        rig.machine.log = Log::of::<3, 2>();
        rig.done(&set(0x100, 1));
        rig.done(&set_axis(0, 1));
        rig.done(&set_axis(0, 2));
        rig.machine.stopped = kind != 0x10;
        rig.machine.journal.take();
        let always = matches!(kind, 0x10 | 0x1B);
        let frame = if kind == 0x01 { set(0x300, 9) } else { frame };
        let verdict = if always { ErrorCode(0) } else { ErrorCode::AuditFull };
        assert_eq!(rig.verdict(&frame), verdict, "{frame:?}");
        rig.run();
        let deeds = rig.machine.journal.take();
        let effect = |deed: &&Deed| !matches!(deed, Deed::Asked(..) | Deed::Lost | Deed::Refused(_));
        let effects: Vec<_> = deeds.iter().filter(effect).collect();
        if always {
            assert!(deeds.contains(&Deed::Lost) && rig.machine.log.lost() == 1, "{deeds:?}");
            assert_eq!(effects.len(), usize::from(kind == 0x10), "{effects:?}");
        } else {
            assert!(effects.is_empty(), "{frame:?}: {effects:?}");
            // The refusal itself has its place.
            assert_eq!((rig.last_record().kind, rig.last_record().verdict), (kind, 15));
        }
        rig.check();
    }
}

#[test]
fn release_lets_go_with_a_full_log() {
    let mut rig = Rig::active();
    rig.machine.log = Log::of::<3, 2>();
    rig.done(&force(VARIABLE, 60_000));
    rig.done(&set_axis(0, 1));
    assert_eq!(rig.refused(&set_axis(0, 2)).0, ErrorCode::AuditFull);
    rig.done(&release(VARIABLE));
    assert!(rig.machine.held.is_empty());
    rig.check();
}

/// Force is refused if there would be no room for the ends of all forces that are held then.
#[test]
fn the_end_of_each_force_has_its_room_from_the_beginning() {
    for room in 2..7_usize {
        let mut rig = Rig::active_with(CONFIG, &token(Domains::ALL, 3_600));
        rig.machine.log = Log::of::<7, 2>();
        for i in 0..7 - room {
            rig.done(&set_axis(0, i as i64));
        }
        let mut forced = 0;
        while rig.verdict(&force(0x1000 + forced * 16, 60_000)).0 == 0 {
            forced += 1;
        }
        assert_eq!(forced as usize, room / 2, "{room}");
        // To force one of them again takes one record: its end has its room already.
        let again = if room % 2 == 1 { 0 } else { ErrorCode::AuditFull.0 };
        assert_eq!(rig.verdict(&force(0x1000, 60_000)).0, again, "{room}");
        // All ends are recorded.
        rig.agent.disconnect();
        rig.run();
        let ended = rig.records().iter().filter(|record| record.kind == Record::FORCE_ENDED).count();
        assert_eq!(ended, forced as usize);
        rig.check();
    }
}

#[test]
fn what_the_target_refuses_is_recorded_as_what_was_tried() {
    for (refusal, code) in [
        (Refusal::Unmapped, 11),
        (Refusal::ReadOnly, 12),
        (Refusal::NoSlot, 13),
        (Refusal::WrongState, 10),
        (Refusal::Interlock, 14),
        (Refusal::Unsupported, 3),
    ] {
        for frame in [
            set(0x300, 3),
            force(0x4000, 100),
            write(0, &[1]),
            write_register(0, 1),
            set_axis(0, 1),
            step(1),
            RESUME,
        ] {
            let mut rig = Rig::active();
            rig.machine.refuses = Some(refusal);
            assert_eq!(rig.refused(&frame).0, ErrorCode(code), "{frame:?}");
            let record = rig.last_record();
            assert_eq!((record.kind, record.verdict), (frame.kind(), code), "{frame:?}");
            let deeds = rig.machine.journal.take();
            assert!(deeds.contains(&Deed::Concluded(record.index, code)), "{deeds:?}");
            assert_eq!(rig.records().len(), 1, "it is recorded once");
            rig.check();
        }
    }
}

#[test]
fn a_target_that_fails_ends_the_session() {
    let mut rig = holding(CONFIG, 60);
    rig.machine.refuses = Some(Refusal::Fatal(0xABCD));
    assert_eq!(rig.refused(&set_axis(0, 1)), (ErrorCode::Fatal, 0xABCD));
    assert_eq!(rig.bye(), Some(Cause::TargetFailed));
    assert!(rig.machine.is_left_alone());
    rig.check();
}

// --- refusals

#[test]
fn equal_refusals_in_a_row_are_one_record_and_they_take_a_quarter_of_the_log() {
    let mut rig = Rig::active_with(CONFIG, &token(Domains(Domains::OBSERVE.0 | Domains::CONTROL.0), 3_600));
    rig.machine.log = Log::of::<6, 2>();
    rig.done(&set(0x100, 1));
    for _ in 0..40 {
        assert_eq!(rig.refused(&set_axis(0, 1)).0, ErrorCode::Denied);
    }
    let record = rig.last_record();
    assert_eq!((rig.records().len(), record.count, record.verdict), (2, 40, 5));
    for i in 0..40 {
        rig.refused(&set_axis(0, i));
    }
    // The oldest make room for the newest, and what was done stays.
    let records = rig.records();
    assert_eq!(records.len(), 3);
    assert_eq!((records[0].kind, records[0].verdict, records[2].value), (1, 0, 39));
    assert_eq!(rig.machine.log.lost(), 39);
    for id in 2..4 {
        rig.done(&set(0x100 + u64::from(id) * 8, id));
    }
    rig.check();
}

#[test]
fn what_is_refused_and_touches_nothing_is_recorded_if_it_was_denied_or_protected() {
    let mut rig = Rig::active_with(CONFIG, &token(Domains::CONTROL, 3_600));
    let before = rig.records().len();
    for frame in [STATUS, read(0, 1), registers(false), audit(0, 1)] {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Denied);
        let record = rig.last_record();
        assert_eq!((record.kind, record.verdict), (frame.kind(), 5));
    }
    assert_eq!(rig.records().len(), before + 4);
    // What is wrong before the session is looked at is not.
    let mut rig = Rig::active();
    let nothing = |rig: &mut Rig, frame: &Frame<'_>, code| {
        assert_eq!(rig.refused(frame).0, code, "{frame:?}");
        assert_eq!(rig.records().len(), 0, "{frame:?}");
    };
    nothing(&mut rig, &step(0), ErrorCode::Limit);
    nothing(&mut rig, &force(VARIABLE, 0), ErrorCode::Limit);
    nothing(&mut rig, &renew(0x77, 5), ErrorCode::UnknownId);
    nothing(&mut rig, &read(0, 0), ErrorCode::Limit);
    rig.machine.map = &[];
    nothing(&mut rig, &read(0, 1), ErrorCode::Unmapped);
    rig.check();
}

#[test]
fn a_refusal_is_recorded_from_the_order_on() {
    let mut rig = Rig::active();
    // The wrong channel.
    let sequence = rig.peer.next;
    let message = rig.peer.next(Channel::Urgent, &bytes(&set_axis(0, 1)));
    rig.put(Channel::Urgent, &message);
    let answer = rig.answer(sequence);
    assert_eq!(answer.channel, Channel::Urgent);
    assert_eq!((rig.last_record().kind, rig.last_record().verdict), (0x29, 4));
    // Too old.
    rig.pass(10_000);
    let sequence = rig.peer.next;
    rig.peer.next += 1;
    rig.put_as(Channel::Ordinary, sequence, 0, &set_axis(0, 2));
    rig.answer(sequence);
    assert_eq!((rig.last_record().value, rig.last_record().verdict), (2, 8));
    // Overtaken.
    let axis = rig.tell(&set_axis(0, 3));
    rig.tell(&HALT);
    rig.answer(axis);
    assert_eq!((rig.last_record().value, rig.last_record().verdict), (3, 9));
    // A replay is none.
    let before = rig.records().len();
    rig.put_as(Channel::Ordinary, sequence, rig.peer.heard, &set_axis(0, 4));
    rig.pass(100);
    assert_eq!((rig.records().len(), rig.machine.axes[0]), (before, 0));
    rig.check();
}

// --- reading and releasing

#[test]
fn the_log_is_read_from_any_index_in_rising_order() {
    let mut rig = Rig::active();
    for i in 0..20 {
        rig.done(&set_axis(0, i));
    }
    for (from, count, expected) in
        [(0, 255, 0..7), (18, 9, 18..20), (5, 2, 5..7), (20, 1, 20..20), (u32::MAX, 1, 20..20)]
    {
        match rig.ask(&audit(from, count)).frame() {
            Frame::Audit(answer) => {
                let indices: Vec<_> = answer.records.into_iter().map(|record| record.index).collect();
                assert_eq!(indices, expected.collect::<Vec<_>>(), "{from}");
                assert_eq!((answer.oldest, answer.next, answer.lost), (0, 20, 0));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rig.refused(&audit(0, 0)).0, ErrorCode::Limit);
    assert_eq!(rig.records().len(), 20);
}

#[test]
fn the_end_of_every_session_is_recorded_with_its_cause() {
    let mut rig = Rig::active();
    rig.lives = false;
    rig.pass(3_100);
    let record = rig.last_record();
    assert_eq!((record.kind, record.cause, record.session), (Record::SESSION_ENDED, Cause::PeerLost, 1));
    assert!((300..=302).contains(&record.time), "{record:?}");
    // A handshake that gets nowhere is none.
    rig.pass(1_100);
    rig.agent.disconnect();
    rig.run();
    rig.connect();
    let before = rig.records().len();
    assert!(rig.handshake(b"no token").is_err());
    rig.pass(6_000);
    assert_eq!(rig.records().len(), before);
}

#[test]
fn an_event_without_room_counts_as_lost() {
    let mut rig = Rig::active();
    rig.machine.log = Log::of::<3, 2>();
    for i in 0..3 {
        rig.done(&set_axis(0, i));
    }
    rig.agent.disconnect();
    rig.run();
    assert_eq!(rig.machine.log.lost(), 1);
    assert!(rig.machine.journal.take().contains(&Deed::Lost));
    rig.check();
}

#[test]
fn a_log_that_is_released_goes_on() {
    let mut rig = Rig::active();
    rig.machine.log = Log::of::<4, 2>();
    for i in 0..50 {
        if rig.verdict(&set_axis(0, i)) == ErrorCode::AuditFull {
            let (_, next) = rig.machine.log.bounds();
            let last = rig.machine.log.last_below(next).expect("a record");
            rig.done(&release_audit(next, crc_of(&last)));
            rig.done(&set_axis(0, i));
        }
    }
    assert_eq!(rig.machine.axes[0], 49);
    assert_eq!(rig.machine.log.lost(), 0);
    rig.check();
}
