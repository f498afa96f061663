//! Seals with keys, their handshakes, and what a checksum is not good enough for (SPEC section 5.5): finding S10, and
//! point 14 of the rules where the session meets the machine.

use std::cell::RefCell;
use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Domains, ErrorCode, Frame, GetStatus, Halt, Lifecycle, SealRecord, Secret};
use feedrate_rdp::Role;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::host::{Event, Host, HostConfig};
use feedrate_rdp::session::{Checksum, Seal, SessionState};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::Stream;
use feedrate_testkit::machine::Fake;
use feedrate_testkit::rdp::frames::set_axis;
use feedrate_testkit::rdp::peer::bytes;
use feedrate_testkit::rdp::rig::{Authority, CONFIG, OnStream, Rig, authority, token};
use feedrate_testkit::rdp::seal::{REFUSED, Toy};

const HALT: Frame<'_> = Frame::Halt(Halt);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);
const SUITE: u16 = Toy::SUITE;

fn rig(confirms: bool, pending: u32) -> Rig<Toy> {
    Rig::sealed(CONFIG.suite(SUITE), Toy::new(1, confirms, pending), Toy::new(2, confirms, 0))
}

/// Connects, and is before the seal's handshake.
fn connect(rig: &mut Rig<Toy>) {
    assert!(rig.connect());
    rig.peer.seal.bind(&[0; 16], &[0; 16]);
    rig.peer.seal.begin(Role::Host);
    rig.peer.sealed = false;
}

/// A record of the seal's handshake.
fn say(rig: &mut Rig<Toy>, suite: u16, record: &[u8]) {
    let record = SealRecord { suite, record: Secret::new(record) };
    let message = rig.peer.next(Channel::Urgent, &bytes(&Frame::SealRecord(record)));
    rig.put(Channel::Urgent, &message);
}

/// The host's next record.
fn next(rig: &mut Rig<Toy>) -> Vec<u8> {
    let mut out = [0; 64];
    let length = rig.peer.seal.next_record(&mut out).expect("it is its turn");
    out[..length].to_vec()
}

/// The records go to and fro, until both seals are ready; or returns what they are refused with.
fn exchange(rig: &mut Rig<Toy>) -> Result<(), (ErrorCode, u32)> {
    let mut records = 0;
    while rig.peer.seal.progress() == feedrate_rdp::session::Progress::Records {
        let record = next(rig);
        say(rig, SUITE, &record);
        if records == 0 || rig.peer.seal.progress() == feedrate_rdp::session::Progress::Records {
            let from = rig.said.len();
            for _ in 0..10_000 {
                rig.pass(10);
                if rig.said.len() > from {
                    break;
                }
            }
            match rig.said.get(from).map(|said| said.frame()) {
                Some(Frame::SealRecord(answer)) => {
                    assert_eq!(answer.suite, SUITE);
                    rig.peer.seal.take_record(answer.record.as_slice()).expect("a good one");
                }
                Some(Frame::Error(error)) => return Err((error.code, error.detail)),
                other => panic!("{other:?}"),
            }
        }
        records += 1;
    }
    // With the last record both are ready; sequences begin again.
    rig.peer.sealed = true;
    (rig.peer.next, rig.peer.last) = (0, [None; 2]);
    rig.pass(10);
    Ok(())
}

#[test]
fn two_or_three_records_and_then_everything_is_sealed() {
    for confirms in [false, true] {
        let mut rig = rig(confirms, 0);
        connect(&mut rig);
        exchange(&mut rig).expect("keys");
        rig.handshake(&token(Domains::ALL, 60)).expect("a session");
        let welcome = rig.welcome();
        assert_eq!((welcome.suite, welcome.suites.into_iter().collect::<Vec<_>>()), (SUITE, vec![SUITE]));
        rig.done(&set_axis(0, 5));
        assert_eq!((rig.last_record().suite, rig.machine.axes[0]), (SUITE, 5));
        rig.check();
    }
}

#[test]
fn what_the_seal_knows_of_its_peer_goes_to_whoever_checks_the_token() {
    thread_local! { static SEEN: RefCell<Vec<(u16, Vec<u8>)>> = const { RefCell::new(Vec::new()) }; }
    fn curious(claim: &Claim<'_>) -> Result<Grant, u32> {
        SEEN.with_borrow_mut(|seen| seen.push((claim.suite, claim.peer.to_vec())));
        authority(claim)
    }
    let mut rig = rig(false, 0);
    rig.agent = Agent::new(CONFIG, Stream::agent(), curious as Authority, Toy::new(1, false, 0));
    rig.run();
    connect(&mut rig);
    exchange(&mut rig).expect("keys");
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    assert_eq!(SEEN.take(), [(SUITE, vec![2])]);
}

#[test]
fn while_a_seal_computes_the_handshakes_time_stands_still() {
    let mut slow = rig(false, 4_000);
    connect(&mut slow);
    let began = slow.now;
    exchange(&mut slow).expect("keys");
    assert!(slow.now.saturating_since(began) > Duration::from_secs(6));
    slow.handshake(&token(Domains::ALL, 60)).expect("a session");
    // The same without anything to compute.
    let mut rig = rig(false, 0);
    connect(&mut rig);
    let record = next(&mut rig);
    say(&mut rig, SUITE, &record);
    rig.pass(5_200);
    assert!(rig.agent.is_finished());
}

#[test]
fn a_seal_that_computes_is_abandoned_with_its_line_and_evicts_nobody() {
    let mut rig = rig(false, 1_000_000);
    connect(&mut rig);
    let record = next(&mut rig);
    say(&mut rig, SUITE, &record);
    rig.pass(20_000);
    assert_eq!(rig.agent.state(), SessionState::Connecting);
    rig.agent.disconnect();
    rig.run();
    assert_ne!(rig.agent.state(), SessionState::Connecting);
    // A newer stream takes its place, too.
    connect(&mut rig);
    let record = next(&mut rig);
    say(&mut rig, SUITE, &record);
    rig.pass(1_000);
    connect(&mut rig);
    rig.run();
    assert_eq!(rig.agent.state(), SessionState::Idle);
}

#[test]
fn a_record_that_is_refused_ends_it_with_the_seals_code() {
    type Say = fn(&mut Rig<Toy>);
    let wrong: [(&str, Say, (ErrorCode, u32)); 4] = [
        ("nonsense", |rig| say(rig, SUITE, b"nonsense"), (ErrorCode::NoSeal, REFUSED)),
        ("nothing", |rig| say(rig, SUITE, b""), (ErrorCode::NoSeal, REFUSED)),
        (
            "another suite",
            |rig| {
                let record = next(rig);
                say(rig, 0xFF02, &record);
            },
            (ErrorCode::NoSeal, SUITE as u32),
        ),
        (
            "the same twice",
            |rig| {
                let record = next(rig);
                say(rig, SUITE, &record);
                say(rig, SUITE, &record);
            },
            (ErrorCode::NoSeal, REFUSED),
        ),
    ];
    for (what, wrong, expected) in wrong {
        let mut rig = rig(true, 0);
        connect(&mut rig);
        wrong(&mut rig);
        rig.run();
        let error = rig.said.iter().find_map(|said| match said.frame() {
            Frame::Error(error) => Some((error.code, error.detail)),
            _ => None,
        });
        assert_eq!((error, rig.agent.state()), (Some(expected), SessionState::Closed), "{what}");
    }
}

#[test]
fn a_hello_without_keys_is_refused_where_keys_are_wanted() {
    let mut rig = rig(false, 0);
    connect(&mut rig);
    let token = token(Domains::ALL, 60);
    let mut plain = feedrate_testkit::rdp::peer::Peer::new(Checksum::new(), [9; 16]);
    let hello = plain.hello(&token);
    rig.put(Channel::Urgent, &hello);
    rig.run_unheard();
    let mut out = [0; 512];
    let length = rig.agent.poll_transmit(&mut out);
    let said = plain.read(&out[..length]);
    match said[0].frame() {
        Frame::Error(error) => assert_eq!((error.code, error.detail), (ErrorCode::NoSeal, SUITE.into())),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.agent.state(), SessionState::Closed);
}

#[test]
fn a_checksum_is_no_seal_in_production_nor_below_the_least_suite() {
    for (config, verdict) in [
        (CONFIG, Ok(())),
        (CONFIG.suite(3), Err((ErrorCode::NoSeal, 3))),
        (CONFIG.lifecycle(Lifecycle::Production), Err((ErrorCode::NoSeal, 1))),
        (CONFIG.lifecycle(Lifecycle::Production).suite(7), Err((ErrorCode::NoSeal, 7))),
    ] {
        let mut rig = Rig::with(config);
        rig.connect();
        assert_eq!(rig.handshake(&token(Domains::ALL, 60)), verdict);
        // It comes before the token.
        let mut rig = Rig::with(config);
        rig.connect();
        let before = rig.handshake(b"bad").unwrap_err().0;
        assert_eq!(before, if verdict.is_ok() { ErrorCode::BadToken } else { ErrorCode::NoSeal });
    }
    // An agent without any suite answers records so.
    let mut rig = Rig::new();
    rig.connect();
    let record = SealRecord { suite: SUITE, record: Secret::new(b"hello") };
    rig.tell(&Frame::SealRecord(record));
    rig.run();
    match rig.said[0].frame() {
        Frame::Error(error) => assert_eq!((error.code, error.detail), (ErrorCode::NoSeal, 0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_of_a_recorded_session_means_anything_in_the_next() {
    let mut rig = rig(false, 0);
    connect(&mut rig);
    let first = next(&mut rig);
    say(&mut rig, SUITE, &first);
    rig.pass(10);
    let answer = rig.said.last().expect("a record").clone();
    let Frame::SealRecord(record) = answer.frame() else { panic!("{answer:?}") };
    rig.peer.seal.take_record(record.record.as_slice()).expect("a good one");
    rig.peer.sealed = true;
    (rig.peer.next, rig.peer.last) = (0, [None; 2]);
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.run();
    rig.agree();
    let axis = rig.peer.next(Channel::Ordinary, &bytes(&set_axis(0, 9)));
    let halt = rig.peer.next(Channel::Urgent, &bytes(&HALT));
    rig.agent.disconnect();
    rig.run();
    // The whole of it again, on another line: the agent's share is another one.
    connect(&mut rig);
    say(&mut rig, SUITE, &first);
    rig.run_unheard();
    for (channel, message) in
        [(Channel::Urgent, &hello), (Channel::Ordinary, &axis), (Channel::Urgent, &halt)]
    {
        rig.put(channel, message);
        rig.run_unheard();
    }
    assert_ne!(rig.agent.state(), SessionState::Active);
    assert_eq!(rig.machine.axes[0], 0);
    rig.check();
}

#[test]
fn another_record_after_the_handshake_is_refused() {
    let mut rig = rig(false, 0);
    connect(&mut rig);
    exchange(&mut rig).expect("keys");
    rig.handshake(&token(Domains::ALL, 60)).expect("a session");
    let record = SealRecord { suite: SUITE, record: Secret::new(b"again") };
    assert_eq!(rig.refused(&Frame::SealRecord(record)).0, ErrorCode::Unexpected);
    assert!(rig.is_active());
    assert_eq!(rig.verdict(&STATUS).0, 0);
}

/// Both real ends, each of which computes for a while.
#[test]
fn host_and_agent_with_a_handshake_that_takes_its_time() {
    for confirms in [false, true] {
        let mut agent: OnStream<Toy> =
            Agent::new(config(), Stream::agent(), authority as Authority, Toy::new(1, confirms, 700));
        let mut host: Host<Stream<Desk>, Toy> =
            Host::new(HostConfig::new().suite(SUITE), Stream::host(), Toy::new(2, confirms, 700));
        let mut machine = Fake::new();
        let mut now = Instant::from_millis(5);
        agent.run(&mut machine, now);
        agent.connect().expect("nobody is there");
        host.connect(&token(Domains::ALL, 60), [4; 16], now).expect("a short token");
        let mut active = false;
        for _ in 0..4_000 {
            now = now.saturating_add(Duration::from_millis(10));
            let mut out = [0; 700];
            let length = host.poll_transmit(&mut out);
            agent.feed(&mut &out[..length], now).expect("records");
            agent.run(&mut machine, now);
            let length = agent.poll_transmit(&mut out);
            host.feed(&mut &out[..length], now).expect("records");
            while let Some(event) = host.poll_event(now) {
                active |= matches!(event, Event::Active);
                assert!(!matches!(event, Event::Closed(_)), "{event:?}");
            }
        }
        assert!(active, "{confirms}");
        assert_eq!(host.device().map(|device| device.suite), Some(SUITE));
    }
}

fn config() -> AgentConfig {
    CONFIG.suite(SUITE)
}
