//! Sessions on serial lines: noise, foreign OPENs, RESETs, and what was recorded (SPEC sections 4 and 5.3). Finding S5,
//! and S1, S8 and S9 where there are packets.

use feedrate::rdp::frame::{Cause, Frame, GetStatus, Halt, ReadMemory, SetAxis};
use feedrate::rdp::packet::{Header, Lane, PacketType, Packets};
use feedrate::{Array, Decoder, Instant};
use feedrate_rdp::agent::{Agent, Observer};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::Closed;
use feedrate_rdp::line::LineEnd;
use feedrate_rdp::link::{LaneId, Link, LinkStatus};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::target::Refusal;
use feedrate_testkit::machine::{Deed, Fake};
use feedrate_testkit::random::Random;
use feedrate_testkit::rdp::frames::{FINGERPRINT, VARIABLE, force};
use feedrate_testkit::rdp::lanes::Lanes;
use feedrate_testkit::rdp::packets::framed;
use feedrate_testkit::rdp::rig::{Authority, CONFIG, authority};
use feedrate_testkit::rdp::seal::Toy;

fn lanes(bulk: bool) -> Lanes {
    Lanes::new(CONFIG, bulk, [Checksum::new(); 2])
}

/// A session that forces something.
fn forced() -> Lanes {
    let mut lanes = lanes(true);
    lanes.open(7);
    let Frame::Force(force) = force(VARIABLE, 60_000) else { unreachable!() };
    lanes.host.request(&force, lanes.now).expect("there is room");
    lanes.pass(100);
    assert!(lanes.machine.held.contains_key(&VARIABLE));
    lanes
}

fn open(cookie: u32, payload: &[u8]) -> Vec<u8> {
    framed(Header::new(PacketType::Open, 0, cookie), payload)
}

// --- S5

#[test]
fn s5_an_idle_session_lives_on_a_noisy_line() {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let mut lanes = lanes(seed % 2 == 0);
        lanes.open(7);
        let mut spoilt = 0;
        for _ in 0..60_000 {
            // One packet in five has a bit flipped.
            lanes.turn(&mut |_, _, packet| {
                if !packet.is_empty() && random.chance(2_000) {
                    let at = random.index(packet.len());
                    packet[at] ^= 1 << random.below(8);
                    spoilt += 1;
                }
            });
            assert!(lanes.is_active() && lanes.closed.is_none(), "{seed}: {:?}", lanes.closed);
        }
        assert!(spoilt > 100);
        lanes.host.request(&GetStatus, lanes.now).expect("there is room");
        lanes.pass(500);
        assert_eq!(lanes.answers, 1);
    }
}

#[test]
fn a_seal_with_keys_is_told_of_crc_failures() {
    let toys = [Toy::new(1, false, 0), Toy::new(2, false, 0)];
    let told = toys.each_ref().map(|toy| toy.crc_failures.clone());
    let mut lanes = Lanes::new(CONFIG.suite(0xFF01), false, toys);
    lanes.open(7);
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        lanes.turn(&mut |_, _, packet| {
            if packet.len() > 20 && random.chance(1_000) {
                let at = packet.len() - 3;
                packet[at] = packet[at].wrapping_add(1).max(1);
            }
        });
    }
    assert!(lanes.is_active());
    lanes.host.request(&SetAxis { axis: 0, position: 8, fingerprint: FINGERPRINT }, lanes.now).expect("room");
    lanes.pass(3_000);
    assert_eq!(lanes.machine.axes[0], 8);
    assert!(told.iter().all(|told| told.get() > 3), "{told:?}");
}

// --- S8, and who comes first

#[test]
fn s8_a_foreign_open_during_a_session_is_told_busy_and_changes_nothing() {
    let mut lanes = forced();
    lanes.sent.clear();
    let connection = lanes.connection();
    for turn in 0..1_000 {
        if turn % 10 == 0 {
            lanes.agent.feed(LaneId::Signal, &open(0x5000 + turn, &[4, 1]), lanes.now);
        }
        lanes.pass(1);
    }
    assert!(lanes.is_active() && lanes.machine.held.contains_key(&VARIABLE));
    assert_eq!(lanes.connection(), connection);
    let resets = lanes.sent_of(PacketType::Reset);
    assert!((4..=6).contains(&resets.len()), "once in 200 ms: {resets:?}");
    assert!(resets.iter().all(|(connection, cookie, payload)| {
        *connection == 0 && (0x5000..0x6000).contains(cookie) && payload == &[6]
    }));
    // The bulk lane is no place for it.
    lanes.sent.clear();
    let stray = lanes.agent.line().counts().stray;
    lanes.agent.feed(LaneId::Bulk, &open(0x7777, &[4, 1]), lanes.now);
    lanes.pass(300);
    assert_eq!((lanes.sent_of(PacketType::Reset).len(), lanes.agent.line().counts().stray), (0, stray + 1));
    assert!(lanes.is_active());
    assert_eq!(lanes.machine.misuse, None);
}

#[test]
fn an_open_of_another_generation_is_refused_and_the_session_goes_on() {
    let mut lanes = forced();
    for (payload, cookie) in [(&[3, 1][..], 1), (&[5, 3], 2), (&[4], 3), (&[], 4)] {
        lanes.sent.clear();
        lanes.agent.feed(LaneId::Signal, &open(cookie, payload), lanes.now);
        lanes.pass(20);
        assert_eq!(lanes.sent_of(PacketType::Reset), [(0, cookie, vec![2])], "{payload:?}");
    }
    assert!(lanes.is_active());
}

#[test]
fn who_has_no_session_yet_yields_to_the_next_one() {
    let mut lanes = lanes(false);
    for cookie in [1, 2, 3] {
        lanes.agent.feed(LaneId::Signal, &open(cookie, &[4, 1]), lanes.now);
        lanes.pass(20);
    }
    let accepted: Vec<_> = lanes.sent_of(PacketType::Accept).iter().map(|(_, cookie, _)| *cookie).collect();
    assert_eq!(accepted, [1, 2, 3]);
    // The real one comes, and one after it is told that it is busy.
    lanes.open(9);
    lanes.sent.clear();
    lanes.agent.feed(LaneId::Signal, &open(4, &[4, 1]), lanes.now);
    lanes.pass(20);
    assert_eq!(lanes.sent_of(PacketType::Reset), [(0, 4, vec![6])]);
}

#[test]
fn nobody_is_let_in_before_the_machine_has_recovered() {
    let mut lanes = lanes(false);
    let link = Link::agent(Lane::UART, None);
    lanes.agent = Agent::new(CONFIG, link, authority as Authority, Checksum::new());
    lanes.machine.fails.recover = Some(Refusal::WrongState);
    lanes.connect(5);
    lanes.pass(3_000);
    assert_eq!(lanes.agent.line().status(), LinkStatus::Idle);
    let resets = lanes.sent_of(PacketType::Reset);
    assert!(!resets.is_empty() && resets.iter().all(|reset| *reset == (0, 5, vec![6])), "{resets:?}");
    lanes.machine.fails.recover = None;
    lanes.pass(1_000);
    assert!(lanes.is_active());
}

/// SPEC section 8.12.
#[test]
fn an_observers_line_waits_for_the_recovery_too() {
    let link = || Link::agent(Lane::UART, None);
    let mut agent: Agent<CortexM, Authority, Link> =
        Agent::new(CONFIG, link(), authority as Authority, Checksum::new());
    let mut observer: Observer<CortexM, Authority, Link> =
        Observer::new(link(), authority as Authority, Checksum::new());
    let mut machine = Fake::default();
    machine.fails.recover = Some(Refusal::WrongState);
    let mut answer = |recovers: bool, millis: u64| {
        let now = Instant::from_millis(millis);
        machine.fails.recover = (!recovers).then_some(Refusal::WrongState);
        agent.run(&mut machine, now);
        observer.run(&mut agent, &mut machine, now);
        observer.feed(LaneId::Signal, &open(5, &[4, 1]), now);
        let mut out = [0; 64];
        let length = observer.poll_transmit(LaneId::Signal, &mut out, now);
        let mut decoder = Decoder::new(Packets, Array::<64>::new());
        decoder.feed(&mut &out[..length]).expect("intact").expect("a packet").header.kind
    };
    assert_eq!(answer(false, 1_000), PacketType::Reset);
    assert_eq!(answer(true, 1_300), PacketType::Accept);
}

/// It tries for longer than the agent needs to lose its last session.
#[test]
fn a_host_that_was_restarted_gets_in_when_its_last_session_is_lost() {
    let mut lanes = forced();
    let began = lanes.now;
    lanes.connect(0x9999);
    while lanes.host.state() != SessionState::Active {
        lanes.pass(1);
        assert_eq!(lanes.closed, None);
    }
    let waited = lanes.now.saturating_since(began).as_millis();
    assert!((1_900..5_000).contains(&waited), "{waited}");
    assert!(lanes.machine.held.is_empty());
}

#[test]
fn a_host_that_is_always_told_busy_says_so() {
    let mut lanes = lanes(false);
    lanes.connect(1);
    for _ in 0..8_000 {
        lanes.turn(&mut |to_agent, _, packet| {
            // The agent is somebody else, who answers each OPEN so.
            let busy = framed(Header::new(PacketType::Reset, 0, 1), &[6]);
            let asks = to_agent && !packet.is_empty();
            packet.clear();
            if !asks && !to_agent {
                *packet = busy;
            }
        });
    }
    assert_eq!(lanes.closed, Some(Closed::Line(LineEnd::Busy)));
}

// --- S1, on packets

#[test]
fn s1_a_reset_ends_the_session_with_all_it_holds_and_nothing_recorded_means_anything_then() {
    let mut lanes = lanes(true);
    let mut recorded = Vec::new();
    lanes.connect(7);
    for turn in 0..600 {
        lanes.turn(&mut |to_agent, lane, packet| {
            if to_agent && !packet.is_empty() {
                recorded.push((lane, packet.clone()));
            }
        });
        let Frame::Force(force) = force(VARIABLE, 60_000) else { unreachable!() };
        match turn {
            300 => _ = lanes.host.request(&force, lanes.now),
            400 => {
                _ = lanes.host.request(&SetAxis { axis: 0, position: 9, fingerprint: FINGERPRINT }, lanes.now)
            }
            500 => _ = lanes.host.request(&Halt, lanes.now),
            _ => {}
        }
    }
    assert!(lanes.machine.stopped && lanes.machine.axes[0] == 9);
    let connection = lanes.connection();
    lanes.machine.journal.take();
    lanes.agent.feed(LaneId::Signal, &framed(Header::new(PacketType::Reset, connection, 0), &[5]), lanes.now);
    lanes.run();
    let deeds = lanes.machine.journal.take();
    assert!(deeds.contains(&Deed::Reacted(Some(Cause::LineLost), true)) && lanes.machine.is_left_alone());
    // Now everything that was recorded, at once and again.
    lanes.machine.axes[0] = 0;
    for _ in 0..2 {
        for (lane, packet) in &recorded {
            lanes.agent.feed(*lane, packet, lanes.now);
            lanes.run();
            let mut out = [0; 512];
            while lanes.agent.poll_transmit(LaneId::Signal, &mut out, lanes.now) > 0 {}
        }
    }
    assert!(!lanes.is_active() && lanes.machine.axes[0] == 0 && lanes.machine.is_left_alone());
    let done = lanes.machine.journal.take();
    assert!(
        !done.iter().any(|deed| matches!(deed, Deed::AxisSet(..) | Deed::Forced(..) | Deed::Halted)),
        "{done:?}"
    );
    assert_eq!(lanes.machine.misuse, None);
}

#[test]
fn what_was_recorded_of_this_session_means_nothing_in_it() {
    let mut lanes = forced();
    let mut recorded = Vec::new();
    for position in 1..40 {
        lanes
            .host
            .request(&SetAxis { axis: 0, position, fingerprint: FINGERPRINT }, lanes.now)
            .expect("room");
        for _ in 0..60 {
            lanes.turn(&mut |to_agent, lane, packet| {
                if to_agent && !packet.is_empty() {
                    recorded.push((lane, packet.clone()));
                }
            });
            let again = recorded[(position as usize * 7) % recorded.len()].clone();
            lanes.agent.feed(again.0, &again.1, lanes.now);
        }
        assert_eq!(lanes.machine.axes[0], position);
    }
    assert!(lanes.is_active());
    assert_eq!(lanes.machine.misuse, None);
}

// --- S9, on packets

#[test]
fn s9_a_bulk_lane_that_is_cut_keeps_no_halt_back() {
    let mut lanes = forced();
    let mut addr = 0;
    let mut halted = None;
    for turn in 0..3_000 {
        while lanes.host.request(&ReadMemory { addr, length: 256 }, lanes.now).is_ok() {
            addr += 256;
        }
        if turn == 2_000 {
            lanes.host.request(&Halt, lanes.now).expect("there is always room for it");
        }
        lanes.turn(&mut |_, lane, packet| {
            if lane == LaneId::Bulk {
                packet.clear();
            }
        });
        if halted.is_none() && lanes.machine.stopped {
            halted = Some(turn);
        }
    }
    // A packet a millisecond: the one that is being sent, an ACK, one that was before it, its own.
    assert!(halted.is_some_and(|turn| turn <= 2_005), "{halted:?}");
    assert!(lanes.answers > 10 && lanes.is_active());
}

/// The agent's connection is counted from another number after another boot, whichever of its bytes has changed.
#[test]
fn another_boot_counts_connections_from_another_number() {
    let first = |boot: [u8; 12]| {
        let config = feedrate_rdp::agent::AgentConfig::new(boot, 1, "servo");
        let mut lanes = Lanes::new(config, false, [Checksum::new(); 2]);
        lanes.open(1);
        lanes.connection()
    };
    let boot = *b"boot no. 815";
    for changed in 0..boot.len() {
        let mut other = boot;
        other[changed] += 1;
        assert_ne!(first(boot), first(other), "byte {changed}");
    }
}

#[test]
fn a_cable_that_is_pulled_ends_the_session_and_another_one_begins() {
    let mut lanes = forced();
    lanes.agent.disconnect(LaneId::Signal, lanes.now);
    lanes.run();
    assert!(lanes.machine.is_left_alone() && !lanes.is_active());
    lanes.agent.reconnect(LaneId::Signal);
    lanes.host.disconnect(LaneId::Signal, lanes.now);
    lanes.host.reconnect(LaneId::Signal);
    lanes.open(0x1234);
    // The bulk lane's end is none of the session's.
    lanes.agent.disconnect(LaneId::Bulk, lanes.now);
    lanes.pass(2_000);
    assert!(lanes.is_active());
}
