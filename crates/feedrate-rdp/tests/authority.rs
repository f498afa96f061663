//! Who may do what, until when, and who waits for whom (SPEC section 8.2): finding S12, and points 10 to 12 of the
//! rules where the session meets the machine.

use std::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Bye, Cause, Domains, ErrorCode, Frame, GetStatus, Halt, ListVariables, Resume};
use feedrate_rdp::agent::Observer;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::sizes::Board;
use feedrate_rdp::stream::Stream;
use feedrate_testkit::machine::Deed;
use feedrate_testkit::rdp::frames::{
    FINGERPRINT, VARIABLE, audit, clear, force, list, policy, read, registers, release, release_audit, renew,
    set, set_axis, step, write,
};
use feedrate_testkit::rdp::holding::{done, events, holding, withdrawn};
use feedrate_testkit::rdp::peer::{Peer, bytes, crc_of_body, record};
use feedrate_testkit::rdp::rig::{Authority, CONFIG, Rig, authority, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const RESUME: Frame<'_> = Frame::Resume(Resume);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);
const ALL: u8 = Domains::ALL.0;

// --- S12: who may halt and release

#[test]
fn s12_an_expired_controller_may_halt_and_release_and_nothing_else() {
    let mut rig = Rig::active_with(CONFIG, &token(Domains::ALL, 10));
    rig.machine.stopped = false;
    rig.pass(10_100);
    assert_eq!(rig.refused(&STATUS), (ErrorCode::Denied, 1));
    assert_eq!(rig.refused(&set_axis(0, 1)), (ErrorCode::Denied, 4));
    rig.done(&release(VARIABLE));
    rig.done(&HALT);
    assert!(rig.machine.stopped);
    rig.check();
}

#[test]
fn s12_an_observer_may_not_expired_or_not() {
    for seconds in [10, 3_600] {
        let mut rig = Rig::active_with(CONFIG.observers(true), &token(Domains::OBSERVE, seconds));
        rig.machine.stopped = false;
        rig.pass(10_100);
        assert_eq!(rig.refused(&HALT), (ErrorCode::Denied, 2));
        assert_eq!(rig.refused(&release(VARIABLE)), (ErrorCode::Denied, 4));
        assert!(!rig.machine.stopped);
        rig.check();
    }
}

#[test]
fn s12_release_needs_force_and_halt_needs_control() {
    for (domains, halt, let_go) in [
        (Domains::CONTROL, 0, 5),
        (Domains(Domains::CONTROL.0 | Domains::FORCE.0), 0, 0),
        (Domains(Domains::CONTROL.0 | Domains::POLICY.0 | Domains::AUDIT.0), 0, 5),
        (Domains::FORCE, 5, 0),
    ] {
        let config = CONFIG.observers(true);
        let mut rig = Rig::active_with(config, &token(Domains(domains.0 | Domains::OBSERVE.0), 60));
        rig.machine.stopped = false;
        assert_eq!(rig.verdict(&release(VARIABLE)).0, let_go, "{domains:?}");
        assert_eq!(rig.verdict(&HALT).0, halt, "{domains:?}");
        rig.check();
    }
}

// --- 10: people

#[test]
fn m10_what_the_machine_does_not_permit_any_more_is_withdrawn_and_the_session_goes_on() {
    for (gone, forces, traps) in [
        (Domains::FORCE.0, true, false),
        (Domains::CONTROL.0, false, true),
        (Domains::FORCE.0 | Domains::CONTROL.0, true, true),
    ] {
        let mut rig = holding(CONFIG, 600);
        rig.machine.permitted = Domains(ALL & !gone);
        rig.run();
        let deeds = rig.machine.journal.take();
        let (let_go, disarmed) =
            (deeds.contains(&Deed::LetGo(VARIABLE, true)), deeds.contains(&Deed::Disarmed(0x100, true)));
        assert_eq!((let_go, disarmed), (forces, traps), "{deeds:?}");
        assert_eq!(done(&deeds)[0], Deed::Reacted(Some(Cause::PermissionWithdrawn), true));
        assert!(rig.is_active());
        assert_eq!(rig.verdict(&force(VARIABLE, 100)).0, if forces { 5 } else { 0 });
        assert_eq!(rig.verdict(&set(0x300, 5)).0, if traps { 5 } else { 0 });
        // Whoever may hold something may let go of it.
        rig.done(&release(VARIABLE));
        rig.done(&HALT);
        assert!(rig.machine.stopped);
        // It comes back.
        rig.machine.permitted = Domains::ALL;
        rig.done(&force(VARIABLE, 100));
        rig.check();
    }
}

#[test]
fn m10_steps_end_when_control_is_not_permitted_any_more() {
    for slowness in [0, 50] {
        let mut rig = Rig::active();
        rig.machine.slowness = slowness;
        let request = rig.tell(&step(1_000));
        rig.pass(200);
        let before = rig.machine.instructions;
        assert!((2..100).contains(&before));
        rig.machine.permitted = Domains::OBSERVE;
        rig.pass(200);
        assert!(rig.machine.instructions <= before + 1);
        assert_eq!(rig.stops().len(), 1);
        assert_eq!((rig.stops()[0].0, rig.stops()[0].2), (request, false));
        assert_eq!(rig.status().steps, 0);
        rig.check();
    }
}

// --- 11: the program's generation

#[test]
fn m11_a_program_that_changes_ends_the_session_before_anything_is_done_to_the_new_one() {
    let mut rig = holding(CONFIG, 60);
    assert_eq!(rig.refused(&set_axis(7, 1)).0, ErrorCode::Unmapped);
    let change = rig.tell(&set_axis(0, 5));
    rig.tell(&release(VARIABLE));
    rig.machine.generation.set(9);
    rig.machine.journal.take();
    rig.run();
    let deeds = rig.machine.journal.take();
    assert!(!deeds.iter().any(|deed| matches!(deed, Deed::AxisSet(..))), "{deeds:?}");
    assert_eq!(done(&deeds), withdrawn(Cause::ProgramChanged, true, true));
    assert_eq!(rig.bye(), Some(Cause::ProgramChanged));
    // The command that found out is told so.
    let refused = rig.said.iter().find_map(|said| match said.frame() {
        Frame::Error(error) if error.request != change => Some((error.code, error.detail)),
        _ => None,
    });
    assert_eq!(refused, Some((ErrorCode::ProgramChanged, 9)));
    rig.check();
}

#[test]
fn m11_a_program_that_has_changed_can_be_halted_all_the_same() {
    let mut rig = holding(CONFIG, 60);
    let (release, halt) = (rig.tell(&release(VARIABLE)), rig.tell(&HALT));
    rig.machine.generation.set(9);
    rig.run();
    assert!(rig.machine.journal.take().contains(&Deed::Halted));
    // What came before it is refused, and keeps it from nothing.
    let answers = rig.said.iter().filter_map(|said| match said.frame() {
        Frame::Error(error) => Some((error.request, error.code)),
        Frame::Done(done) => Some((done.request, ErrorCode(0))),
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers, [(release, ErrorCode::ProgramChanged), (halt, ErrorCode(0))]);
    assert_eq!(rig.bye(), Some(Cause::ProgramChanged));
    rig.check();
}

#[test]
fn m11_what_touches_nothing_is_answered_and_the_run_finds_out() {
    let mut rig = Rig::active();
    rig.machine.generation.set(2);
    rig.tell(&STATUS);
    rig.run();
    assert_eq!(rig.bye(), Some(Cause::ProgramChanged));
    assert_eq!(rig.last_record().cause, Cause::ProgramChanged);
}

#[test]
fn m11_welcome_and_lists_of_variables_carry_the_generation() {
    let mut rig = Rig::new();
    rig.machine.generation.set(0x0102_0304);
    rig.connect();
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    assert_eq!(rig.welcome().generation, 0x0102_0304);
    match rig.ask(&Frame::ListVariables(ListVariables { from: 0 })).frame() {
        Frame::Variables(list) => {
            assert_eq!((list.generation, list.total, list.variables.len()), (0x0102_0304, 2, 2));
        }
        other => panic!("{other:?}"),
    }
}

// --- 12: occupation

#[test]
fn m12_expiry_ends_forces_and_traps_at_once_and_the_session_after_a_minute() {
    let mut rig = holding(CONFIG, 20);
    rig.pass(19_900);
    assert!(!rig.machine.is_left_alone());
    rig.machine.journal.take();
    rig.pass(200);
    let deeds = rig.machine.journal.take();
    assert_eq!(done(&deeds), withdrawn(Cause::GrantExpired, true, true));
    assert!(rig.is_active());
    for frame in
        [STATUS, RESUME, force(VARIABLE, 100), renew(VARIABLE, 100), set(0x100, 1), audit(0, 1), list()]
    {
        assert_eq!(rig.refused(&frame).0, ErrorCode::Denied, "{frame:?}");
    }
    rig.pass(59_500);
    assert!(rig.is_active());
    rig.pass(600);
    assert_eq!(rig.bye(), Some(Cause::SessionExpired));
    rig.check();
}

#[test]
fn m12_expiry_ends_steps() {
    for slowness in [0, 50] {
        let mut rig = Rig::active_with(CONFIG, &token(Domains::ALL, 2));
        rig.machine.slowness = slowness;
        let request = rig.tell(&step(100_000));
        rig.pass(1_900);
        let before = rig.machine.instructions;
        rig.pass(200);
        let after = rig.machine.instructions;
        assert!(before > 10 && after <= before + 100);
        rig.pass(500);
        assert!(rig.machine.instructions <= after + 1 && rig.is_active());
        assert_eq!(
            rig.stops().iter().map(|(of, _, more)| (*of, *more)).collect::<Vec<_>>(),
            [(request, false)]
        );
        rig.check();
    }
}

#[test]
fn m12_a_grant_lasts_24_hours_at_most() {
    for (seconds, expires) in [(60, 60), (86_400, 86_400), (86_401, 86_400), (u32::MAX, 86_400)] {
        let mut rig = Rig::new();
        rig.connect();
        rig.handshake(&token(Domains::ALL, seconds)).expect("a session");
        assert_eq!(rig.welcome().expires, expires);
    }
}

#[test]
fn m12_an_operators_line_needs_control() {
    let mut rig = Rig::new();
    rig.connect();
    for domains in [Domains::OBSERVE.0, ALL & !Domains::CONTROL.0, 0] {
        assert_eq!(rig.handshake(&token(Domains(domains), 60)), Err((ErrorCode::Denied, 2)));
        rig.run();
        assert!(rig.agent.is_finished());
        rig.agent.disconnect();
        rig.run();
        rig.connect();
    }
    rig.handshake(&token(Domains::CONTROL, 60)).expect("a session");
}

#[test]
fn m12_a_run_executes_all_of_channel_0_and_one_command_of_channel_1() {
    let mut rig = Rig::active();
    rig.machine.stopped = false;
    for i in 0..5 {
        rig.tell(&set_axis(0, i));
    }
    rig.tell(&release(0x10));
    rig.tell(&release(0x20));
    rig.tell(&release(0x30));
    rig.machine.journal.take();
    for i in 0..5 {
        rig.run();
        let deeds = rig.machine.journal.take();
        let count = |kind: u8| {
            deeds.iter().filter(|deed| matches!(deed, Deed::Recorded(record) if record.kind == kind)).count()
        };
        assert_eq!((count(0x29), count(0x1B)), (1, if i == 0 { 3 } else { 0 }), "{deeds:?}");
    }
    rig.check();
}

/// An observer on a line of its own, by hand.
struct Watcher {
    observer: Observer<CortexM, Authority, Stream<Board>>,
    peer: Peer,
    said: Vec<feedrate_testkit::rdp::peer::Said>,
    lives: bool,
}

impl Watcher {
    fn new(rig: &mut Rig, token: &[u8]) -> Self {
        let observer = Observer::new(Stream::agent(), authority as Authority, Checksum::new());
        let peer = Peer::new(Checksum::new(), [0x77; 16]);
        let mut watcher = Self { observer, peer, said: Vec::new(), lives: true };
        watcher.observer.connect().expect("nobody is there");
        let hello = watcher.peer.hello(token);
        watcher.put(rig, Channel::Urgent, &hello);
        watcher.run(rig);
        let state = watcher.said.last().expect("State").bytes.clone();
        let agree = Frame::Agree(feedrate::rdp::frame::Agree { crc: crc_of_body(&state) });
        watcher.tell(rig, &agree);
        watcher.run(rig);
        watcher
    }

    fn put(&mut self, rig: &Rig, channel: Channel, message: &[u8]) {
        let bytes = record(channel, message);
        self.observer.feed(&mut &bytes[..], rig.now).expect("records");
    }

    fn tell(&mut self, rig: &Rig, frame: &Frame<'_>) -> u32 {
        let channel = frame.channel().expect("a host's");
        let message = self.peer.next(channel, &bytes(frame));
        self.put(rig, channel, &message);
        self.peer.next - 1
    }

    /// Both run, the agent first.
    fn run(&mut self, rig: &mut Rig) {
        rig.run();
        self.observer.run(&mut rig.agent, &mut rig.machine, rig.now);
        let mut out = [0; 256];
        while let length @ 1.. = self.observer.poll_transmit(&mut out) {
            for said in self.peer.read(&out[..length]) {
                if let (Frame::Heartbeat(beat), true) = (said.frame(), self.lives) {
                    let echo = self.peer.echo(beat.challenge);
                    self.put(rig, Channel::Urgent, &echo);
                }
                self.said.push(said);
            }
        }
    }

    fn pass(&mut self, rig: &mut Rig, milliseconds: u64) {
        for _ in 0..milliseconds / 10 {
            rig.now = rig.now.saturating_add(Duration::from_millis(9));
            self.run(rig);
        }
    }

    fn verdict(&mut self, rig: &mut Rig, frame: &Frame<'_>) -> ErrorCode {
        let request = self.tell(rig, frame);
        for _ in 0..10 {
            self.run(rig);
            let answer = self.said.iter().find(|said| said.frame().request() == Some(request));
            if let Some(answer) = answer {
                return if let Frame::Error(error) = answer.frame() { error.code } else { ErrorCode(0) };
            }
        }
        panic!("no answer to {frame:?}");
    }
}

#[test]
fn m12_an_observers_line_grants_looking_and_no_more_whatever_the_token_says() {
    let mut rig = holding(CONFIG, 600);
    let mut watcher = Watcher::new(&mut rig, &token(Domains::ALL, 60));
    assert_eq!(watcher.observer.state(), SessionState::Active);
    rig.machine.journal.take();
    for frame in [STATUS, read(0, 4), registers(false), list(), audit(0, 1)] {
        assert_eq!(watcher.verdict(&mut rig, &frame).0, 0, "{frame:?}");
    }
    for frame in [
        HALT,
        RESUME,
        step(1),
        set(0x200, 2),
        clear(1),
        force(0x4000, 100),
        release(VARIABLE),
        renew(VARIABLE, 100),
        write(0, &[1]),
        set_axis(0, 1),
        policy(1, 0, &[]),
        release_audit(1, 0),
    ] {
        assert_eq!(watcher.verdict(&mut rig, &frame), ErrorCode::Denied, "{frame:?}");
        assert_eq!(rig.last_record().verdict, ErrorCode::Denied.0, "{frame:?}");
    }
    let deeds = done(&rig.machine.journal.take());
    assert!(deeds.iter().all(|deed| matches!(deed, Deed::Read(..))), "{deeds:?}");
    assert!(rig.is_active() && rig.machine.held.len() == 2);
    rig.check();
}

#[test]
fn m12_an_observers_session_comes_and_goes_and_nothing_changes() {
    type Ends = fn(&mut Rig, &mut Watcher);
    let ways: [Ends; 5] = [
        |_, watcher| watcher.observer.disconnect(),
        |rig, watcher| {
            watcher.tell(rig, &Frame::Bye(Bye { reason: Cause::Asked }));
        },
        |rig, watcher| {
            watcher.lives = false;
            watcher.pass(rig, 3_200);
        },
        |rig, watcher| watcher.put(rig, Channel::Ordinary, &[0; 40]),
        |rig, watcher| watcher.pass(rig, 90_000),
    ];
    for (i, way) in ways.into_iter().enumerate() {
        let mut rig = holding(CONFIG.lease(600_000), 600);
        rig.done(&renew(VARIABLE, 600_000));
        rig.done(&renew(0x3000, 600_000));
        let mut watcher = Watcher::new(&mut rig, &token(Domains::ALL, 20));
        rig.machine.journal.take();
        way(&mut rig, &mut watcher);
        watcher.pass(&mut rig, 50);
        assert_ne!(watcher.observer.state(), SessionState::Active, "{i}");
        let deeds = rig.machine.journal.take();
        assert_eq!(done(&deeds), [], "{i}");
        // Nor in the log, which those who only look could fill by coming and going.
        assert_eq!(events(&deeds), [], "{i}");
        assert!(rig.is_active() && rig.machine.held.len() == 2, "{i}");
        rig.check();
    }
}

/// A step back ends an observer's session, too: else a dead one kept the line until the clock has come so far again.
#[test]
fn m12_an_observers_session_ends_when_the_clock_steps_back() {
    let mut rig = holding(CONFIG, 600);
    let mut watcher = Watcher::new(&mut rig, &token(Domains::OBSERVE, 600));
    watcher.pass(&mut rig, 5_000);
    rig.now = feedrate::Instant::from_millis(500_000);
    watcher.run(&mut rig);
    assert_eq!(watcher.observer.state(), SessionState::Disconnecting);
    watcher.lives = false;
    watcher.pass(&mut rig, 1_200);
    assert!(watcher.observer.connect().is_ok(), "busy");
}

/// The operator's command comes first in each run; an observer is told of no stops.
/// SPEC section 8.11: who looks at another program with the names of the last one sees nothing but nonsense.
#[test]
fn m11_an_observers_session_ends_when_the_program_changes() {
    let mut rig = Rig::active();
    let mut watcher = Watcher::new(&mut rig, &token(Domains::OBSERVE, 60));
    rig.machine.generation.set(9);
    watcher.run(&mut rig);
    let bye = watcher.said.iter().find_map(|said| match said.frame() {
        Frame::Bye(bye) => Some(bye.reason),
        _ => None,
    });
    assert_eq!(bye, Some(Cause::ProgramChanged));
}

#[test]
fn m12_observers_come_last_and_are_told_no_stops() {
    let mut rig = holding(CONFIG, 600);
    let mut watcher = Watcher::new(&mut rig, &token(Domains::OBSERVE, 60));
    rig.machine.journal.take();
    for i in 0..3 {
        watcher.tell(&rig, &read(0x900 + i, 1));
        rig.tell(&read(0x100 + i, 1));
    }
    for i in 0..3 {
        watcher.run(&mut rig);
        let reads: Vec<_> = done(&rig.machine.journal.take());
        assert_eq!(reads, [Deed::Read(0x100 + i, 1), Deed::Read(0x900 + i, 1)]);
    }
    rig.done(&HALT);
    watcher.pass(&mut rig, 100);
    assert!(rig.machine.stopped && rig.stops().len() == 1);
    assert!(!watcher.said.iter().any(|said| matches!(said.frame(), Frame::Stopped(_))));
    let request = watcher.tell(&rig, &STATUS);
    watcher.run(&mut rig);
    let last = watcher.said.iter().find_map(|said| match said.frame() {
        Frame::Status(status) if status.request == request => status.last,
        _ => None,
    });
    assert_eq!(last, Some(feedrate::rdp::frame::Reason::Halted));
}

// --- 15: what checks the token

#[test]
fn m15_what_checks_the_token_is_told_all_and_its_code_is_handed_on() {
    fn curious(claim: &Claim<'_>) -> Result<Grant, u32> {
        assert_eq!((claim.suite, claim.peer, *claim.device), (0, &[][..], FINGERPRINT));
        match claim.token {
            b"good" => Ok(Grant::new(*b"maria\0\0\0", Domains::CONTROL, Duration::from_secs(9))),
            other => Err(other.len() as u32),
        }
    }
    let mut rig = Rig::new();
    rig.agent =
        feedrate_rdp::agent::Agent::new(CONFIG, Stream::agent(), curious as Authority, Checksum::new());
    rig.run();
    rig.connect();
    for token in [&[][..], &[1; 17], &[2; 384]] {
        assert_eq!(rig.handshake(token), Err((ErrorCode::BadToken, token.len() as u32)));
        rig.agent.disconnect();
        rig.run();
        rig.connect();
    }
    assert_eq!(rig.handshake(&[2; 385]), Err((ErrorCode::Limit, 384)));
    rig.again(b"good").expect("a session");
    assert_eq!((rig.welcome().authority, rig.welcome().expires), (Domains::CONTROL, 9));
    rig.done(&HALT);
    assert_eq!(rig.last_record().operator, *b"maria\0\0\0");
}

// --- 16: one session, one agent

#[test]
fn m16_an_axis_that_is_coupled_is_the_targets_to_refuse() {
    let mut rig = Rig::active();
    rig.machine.refuses = Some(feedrate_rdp::target::Refusal::WrongState);
    assert_eq!(rig.refused(&set_axis(0, 1)).0, ErrorCode::WrongState);
    let record = rig.last_record();
    assert_eq!((record.kind, record.verdict, record.addr, record.value), (0x29, 10, 0, 1));
    rig.check();
}
