//! An agent that is run when something has arrived, and when it says so, and at no other time, keeps its promises: what
//! [`Agent::deadline`](feedrate_rdp::agent::Agent::deadline) is for.

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Cause, Domains, Frame};
use feedrate_rdp::agent::Agent;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Event, Host, HostConfig};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::stream::Stream;
use feedrate_testkit::machine::{Deed, Fake};
use feedrate_testkit::rdp::frames::{VARIABLE, force, read, set_axis, step};
use feedrate_testkit::rdp::rig::{Authority, CONFIG, Rig, authority, token};

/// So many milliseconds pass, in which the agent runs at its deadlines alone. How often.
fn pass(rig: &mut Rig, milliseconds: u64) -> u32 {
    let end = rig.now.saturating_add(Duration::from_millis(milliseconds));
    let mut runs = 0;
    while let Some(deadline) = rig.agent.deadline().filter(|deadline| *deadline <= end) {
        assert!(runs < 100_000, "it spins");
        runs += 1;
        rig.now = rig.now.max(deadline);
        rig.run_as_it_is();
        // What a Heartbeat was answered with has arrived.
        rig.run_as_it_is();
    }
    rig.now = end;
    rig.machine.pass_to(end.as_millis());
    runs
}

fn running(config: feedrate_rdp::agent::AgentConfig, seconds: u32) -> Rig {
    let mut rig = Rig::active_with(config, &token(Domains::ALL, seconds));
    rig.machine.stopped = false;
    rig
}

#[test]
fn an_idle_session_runs_for_its_heartbeats_alone() {
    let mut rig = running(CONFIG, 3_600);
    let runs = pass(&mut rig, 60_000);
    assert!(rig.is_active() && (59..=62).contains(&runs), "{runs}");
}

#[test]
fn what_applies_forces_is_told_in_time_and_leases_end_in_time() {
    let mut rig = running(CONFIG, 3_600);
    rig.machine.stall = 500;
    rig.done(&force(VARIABLE, 12_345));
    let began = rig.now.as_millis();
    pass(&mut rig, 20_000);
    let ended = rig.machine.journal.entries.iter().find(|entry| entry.deed == Deed::LetGo(VARIABLE, true));
    let at = ended.expect("its lease has ended").at - began;
    assert!((12_340..=12_350).contains(&at), "{at}");
    assert!(!rig.machine.journal.deeds().any(|deed| matches!(deed, Deed::Dropped(_))));
    rig.check();
}

#[test]
fn a_host_is_lost_and_a_grant_expires_in_time() {
    let mut rig = running(CONFIG, 3_600);
    rig.lives = false;
    pass(&mut rig, 2_990);
    assert!(rig.is_active());
    pass(&mut rig, 30);
    assert_eq!(rig.bye(), Some(Cause::PeerLost));
    // And a goodbye ends, though nobody answers.
    assert_eq!(rig.agent.state(), SessionState::Disconnecting);
    pass(&mut rig, 1_010);
    assert!(rig.agent.is_finished());

    let mut rig = running(CONFIG.heartbeat(16_000).loss(60_000).tolerance(60_000), 20);
    rig.done(&force(VARIABLE, 60_000));
    let began = rig.now.as_millis();
    pass(&mut rig, 21_000);
    let ended = rig.machine.journal.entries.iter().find(|entry| entry.deed == Deed::LetGo(VARIABLE, true));
    assert!(ended.is_some_and(|entry| entry.at - began <= 20_001), "{ended:?}");
    rig.lives = true;
    rig.run();
    pass(&mut rig, 59_500);
    assert_eq!(rig.bye(), Some(Cause::SessionExpired));
}

#[test]
fn a_handshake_that_gets_nowhere_ends_in_time() {
    for hello in [false, true] {
        let mut rig = Rig::new();
        rig.connect();
        if hello {
            let hello = rig.peer.hello(&token(Domains::ALL, 60));
            rig.put(Channel::Urgent, &hello);
        }
        rig.run();
        pass(&mut rig, 4_990);
        assert!(!rig.agent.is_finished());
        pass(&mut rig, 20);
        assert!(rig.agent.is_finished(), "{hello}");
    }
}

#[test]
fn a_new_line_and_one_that_has_ended_are_looked_at_at_once() {
    let mut rig = running(CONFIG, 3_600);
    rig.done(&force(VARIABLE, 60_000));
    rig.agent.disconnect();
    pass(&mut rig, 1);
    assert!(rig.machine.is_left_alone() && !rig.is_active());
    assert!(rig.connect());
    assert!(rig.agent.deadline().is_some_and(|deadline| deadline <= rig.now));
}

#[test]
fn commands_that_wait_and_steps_that_are_due_are_run_for() {
    let mut rig = running(CONFIG, 3_600);
    for i in 0..5 {
        rig.tell(&set_axis(0, i));
    }
    rig.run();
    pass(&mut rig, 5);
    assert_eq!(rig.machine.axes[0], 4);
    rig.machine.stopped = true;
    rig.tell(&step(40));
    rig.run();
    for _ in 0..100 {
        // What has stopped is told.
        rig.run_as_it_is();
        pass(&mut rig, 1);
    }
    assert_eq!(rig.machine.instructions, 40);
}

/// No more memory than there has to be.
enum Least {}

impl feedrate_rdp::sizes::Sizes for Least {
    type Lane = [u8; 64];
    type Urgent = [u8; 514];
    type Ordinary = [u8; 514];
    type Send = [u8; 514];
    type Message = [u8; 512];
}

/// State has no room beside Welcome, and waits until that has left.
#[test]
fn a_session_begins_in_the_least_memory() {
    let mut agent: Agent<CortexM, Authority, Stream<Least>> =
        Agent::new(CONFIG, Stream::agent(), authority as Authority, Checksum::new());
    let mut host: Host = Host::new(HostConfig::new(), Stream::host(), Checksum::new());
    let mut machine = Fake { axes: vec![1; 16], ..Fake::new() };
    let mut now = Instant::from_millis(9);
    agent.run(&mut machine, now);
    agent.connect().expect("nobody is there");
    host.connect(&token(Domains::ALL, 60), [4; 16], now).expect("a short token");
    let mut active = false;
    for _ in 0..200 {
        let mut out = [0; 700];
        let length = host.poll_transmit(&mut out);
        agent.feed(&mut &out[..length], now).expect("records");
        if length > 0 || agent.deadline().is_some_and(|deadline| deadline <= now) {
            agent.run(&mut machine, now);
        }
        let length = agent.poll_transmit(&mut out);
        host.feed(&mut &out[..length], now).expect("records");
        while let Some(event) = host.poll_event(now) {
            active |= matches!(event, Event::Active);
        }
        now = now.saturating_add(Duration::from_millis(1));
    }
    assert!(active, "{agent:?}");
}

/// Answers that wait for room leave when there is some, without anything that arrives.
#[test]
fn room_is_run_for() {
    let mut rig = running(CONFIG, 3_600);
    for i in 0..7 {
        rig.tell(&read(i * 256, 256));
    }
    // Nobody takes what is said.
    for _ in 0..20 {
        rig.now = rig.now.saturating_add(Duration::from_millis(1));
        rig.run_unheard();
    }
    let reads = |rig: &Rig| rig.machine.journal.deeds().filter(|deed| matches!(deed, Deed::Read(..))).count();
    assert!(reads(&rig) < 7);
    for _ in 0..10 {
        rig.listen();
        pass(&mut rig, 2);
    }
    assert_eq!(reads(&rig), 7);
    let answers = rig.said.iter().filter(|said| matches!(said.frame(), Frame::Memory(_))).count();
    assert_eq!(answers, 7);
}
