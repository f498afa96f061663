//! Whether the host is there (SPEC section 5.7): an echoed challenge says so, and nothing else. Finding S4.

use std::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Cause, Frame, GetStatus, Heartbeat};
use feedrate_testkit::rdp::frames::{heartbeat, read, release};
use feedrate_testkit::rdp::holding::forced;
use feedrate_testkit::rdp::peer::bytes;
use feedrate_testkit::rdp::rig::Rig;

const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);

/// How long a session lives whose host does no more than this every 100 ms, in milliseconds.
fn lives(mut act: impl FnMut(&mut Rig, &Option<Vec<u8>>)) -> u64 {
    let mut rig = forced();
    rig.pass(5_000);
    rig.lives = false;
    // One Heartbeat and its answer are recorded.
    let (mut recorded, began) = (None, rig.now);
    rig.said.clear();
    while rig.is_active() && rig.now.saturating_since(began) < Duration::from_secs(60) {
        rig.pass(100);
        act(&mut rig, &recorded);
        let beat = rig.said.iter().find_map(|said| match said.frame() {
            Frame::Heartbeat(beat) => Some(beat.challenge),
            _ => None,
        });
        if let (None, Some(challenge)) = (&recorded, beat) {
            recorded = Some(rig.peer.echo(challenge));
        }
    }
    assert_eq!(rig.machine.held.is_empty(), !rig.is_active());
    rig.check();
    rig.now.saturating_since(began).as_millis() as u64
}

#[test]
fn s4_nothing_but_an_echoed_challenge_says_that_the_host_is_there() {
    let lost = lives(|_, _| {});
    assert!((2_000..=3_200).contains(&lost), "{lost}");
    let by = [
        (
            "one recorded answer, again and again",
            lives(|rig, recorded| {
                if let Some(recorded) = recorded {
                    rig.put(Channel::Urgent, recorded);
                }
            }),
        ),
        (
            "commands on channel 1",
            lives(|rig, _| {
                rig.tell(&STATUS);
            }),
        ),
        (
            "commands on channel 0",
            lives(|rig, _| {
                rig.tell(&release(0x9999));
            }),
        ),
        (
            "Heartbeats with a challenge that nobody sent",
            lives(|rig, _| {
                rig.tell(&heartbeat(0x1234));
            }),
        ),
        (
            "the same with those of long ago",
            lives(|rig, _| {
                rig.tell(&heartbeat(0));
            }),
        ),
        (
            "an answer on the wrong channel",
            lives(|rig, recorded| {
                if recorded.is_some() {
                    return;
                }
                let challenge = rig.said.iter().find_map(|said| match said.frame() {
                    Frame::Heartbeat(Heartbeat { challenge, .. }) => Some(challenge),
                    _ => None,
                });
                if let Some(challenge) = challenge {
                    let message = rig.peer.next(Channel::Ordinary, &bytes(&heartbeat(challenge)));
                    rig.put(Channel::Ordinary, &message);
                }
            }),
        ),
        (
            "a stale answer",
            lives(|rig, _| {
                let challenge = rig.said.iter().rev().find_map(|said| match said.frame() {
                    Frame::Heartbeat(Heartbeat { challenge, .. }) => Some(challenge),
                    _ => None,
                });
                let sequence = rig.peer.next;
                rig.peer.next += 1;
                if let Some(challenge) = challenge {
                    rig.put_as(Channel::Urgent, sequence, 0, &heartbeat(challenge));
                }
            }),
        ),
    ];
    for (what, lived) in by {
        let most = if what.starts_with("one recorded") { 4_100 } else { 3_200 };
        assert!((2_000..=most).contains(&lived), "{what}: {lived} ms");
    }
    // The control.
    assert_eq!(lives(|rig, _| rig.lives = true), 60_000);
}

#[test]
fn s4_commands_that_wait_do_not_keep_a_dead_host_alive() {
    let mut rig = forced();
    for i in 0..7 {
        rig.tell(&read(i * 256, 256));
    }
    rig.lives = false;
    // Nobody takes the answers, so that the others wait for room.
    let began = rig.now;
    while rig.is_active() {
        rig.now = rig.now.saturating_add(Duration::from_millis(10));
        rig.machine.pass_to(rig.now.as_millis());
        rig.agent.run(&mut rig.machine, rig.now);
        assert!(rig.now.saturating_since(began) < Duration::from_millis(3_100));
    }
    assert!(rig.machine.held.is_empty());
    rig.check();
}

#[test]
fn s4_what_the_host_heard_last_is_as_old_as_the_challenge_and_not_as_its_answer() {
    let mut rig = forced();
    rig.pass(10_000);
    rig.lives = false;
    rig.said.clear();
    rig.pass(1_000);
    let beat = rig.said.iter().find_map(|said| match said.frame() {
        Frame::Heartbeat(beat) => Some((beat.challenge, said.time)),
        _ => None,
    });
    let (challenge, sent_at) = beat.expect("a Heartbeat");
    // It is answered late.
    rig.pass(1_500);
    rig.tell(&heartbeat(challenge));
    let mut clock = 0;
    while rig.is_active() {
        rig.pass(10);
        clock = rig.said.last().map_or(clock, |said| said.time);
    }
    let bye = rig.said.iter().find(|said| matches!(said.frame(), Frame::Bye(_))).expect("a goodbye");
    assert!((300..=302).contains(&(bye.time - sent_at)), "{} {sent_at}", bye.time);
    assert_eq!(rig.bye(), Some(Cause::PeerLost));
}
