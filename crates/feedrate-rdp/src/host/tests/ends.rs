//! SPEC section 5.8: how sessions end.

use feedrate::rdp::frame::{GetStatus, Halt, Heartbeat};

use super::*;
use crate::session::seal::Context;

fn bye(reason: Cause) -> Vec<u8> {
    let mut out = [0; 16];
    let mut out = feedrate::SliceOutput::new(&mut out);
    feedrate::rdp::frame::write(&Bye { reason }, &mut out).unwrap();
    out.as_bytes().to_vec()
}

#[test]
fn a_host_that_has_enough() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.end(peer.now);
    assert_eq!(peer.host.state(), SessionState::Disconnecting);
    let [said] = &peer.said()[..] else { panic!() };
    assert_eq!((said.channel, &said.frame), (Channel::Urgent, &bye(Cause::Asked)));
    // What is left of the session does not matter any more, whatever its tag.
    peer.deliver(&[0; 20], Channel::Urgent);
    peer.say(&Done { request: 3 }, Channel::Ordinary, 3);
    assert_eq!(peer.events(), []);
    peer.say(&Bye { reason: Cause::Asked }, Channel::Urgent, 3);
    assert_eq!(peer.events(), [Told::Closed(Closed::Ended(Cause::Asked))]);
    // The agent closes the stream.
    assert!(!peer.host.is_finished());
    peer.host.disconnect();
    assert!(peer.host.is_finished() && peer.events().is_empty());
}

#[test]
fn a_stream_that_nobody_closes() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.end(peer.now);
    peer.said();
    peer.wait(400);
    peer.say(&Bye { reason: Cause::Asked }, Channel::Urgent, 3);
    assert_eq!(peer.events().len(), 1);
    assert_eq!(peer.host.deadline(), Some(Instant::from_millis(1000)));
    peer.wait(600);
    assert!(!peer.host.is_finished());
    assert_eq!(peer.events(), []);
    assert!(peer.host.is_finished() && peer.host.deadline().is_none());
}

#[test]
fn an_agent_that_does_not_answer_goodbyes() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.end(peer.now);
    peer.wait(999);
    assert_eq!(peer.events(), []);
    peer.wait(1);
    assert_eq!(peer.events(), [Told::Closed(Closed::Ended(Cause::Asked))]);
}

#[test]
fn an_agent_that_says_goodbye() {
    for reason in [Cause::TargetFailed, Cause::ProgramChanged, Cause(200)] {
        let mut peer = Peer::active(HostConfig::new());
        peer.host.request(&GetStatus, peer.now).unwrap();
        peer.host.request(&Halt, peer.now).unwrap();
        peer.said();
        peer.say(&Bye { reason }, Channel::Urgent, 3);
        // Not over before its own has been sent.
        assert_eq!((peer.events(), peer.host.state()), (std::vec![], SessionState::Disconnecting));
        let [said] = &peer.said()[..] else { panic!() };
        assert_eq!(said.frame, bye(reason));
        assert_eq!(peer.host.deadline(), Some(Instant::ZERO));
        let over = [Told::Unknown(2), Told::Unknown(3), Told::Closed(Closed::Ended(reason))];
        assert_eq!(peer.events(), over);
        // It is this side that closes the stream.
        assert!(peer.host.is_finished());
    }
}

#[test]
fn an_agent_that_is_not_heard() {
    let mut peer = Peer::active(HostConfig::new());
    peer.wait(2000);
    peer.say(&Heartbeat { run: None, challenge: 1 }, Channel::Urgent, 3);
    assert_eq!(peer.events(), []);
    assert_eq!(peer.host.deadline(), Some(Instant::from_millis(5000)));
    peer.wait(2999);
    assert_eq!((peer.events(), peer.said().len()), (std::vec![], 1));
    peer.wait(1);
    assert_eq!(peer.events(), []);
    assert_eq!(peer.said()[0].frame, bye(Cause::PeerLost));
    peer.wait(1000);
    assert_eq!(peer.events(), [Told::Closed(Closed::Ended(Cause::PeerLost))]);
}

#[test]
fn a_host_that_slept_looks_at_what_has_arrived_first() {
    let mut peer = Peer::active(HostConfig::new());
    peer.say(&Heartbeat { run: None, challenge: 1 }, Channel::Urgent, 3);
    peer.wait(60_000);
    assert_eq!((peer.events(), peer.host.state()), (std::vec![], SessionState::Active));
}

#[test]
fn a_message_that_is_not_of_the_session() {
    for (channel, break_it) in [(Channel::Urgent, 3), (Channel::Ordinary, 9), (Channel::Ordinary, 17)] {
        let mut peer = Peer::active(HostConfig::new());
        let mut message = peer.message(&Done { request: 9 }, channel, 3);
        message[break_it] ^= 1;
        peer.deliver(&message, channel);
        assert_eq!(peer.events(), []);
        assert_eq!(peer.said()[0].frame, bye(Cause::IntegrityLost));
        peer.say(&Bye { reason: Cause::IntegrityLost }, Channel::Urgent, 3);
        assert_eq!(peer.events(), [Told::Closed(Closed::Ended(Cause::IntegrityLost))]);
    }
}

/// Another protocol, with a right tag.
#[test]
fn a_wrong_magic_is_no_malformed_frame() {
    let mut peer = Peer::active(HostConfig::new());
    let mut message = peer.message(&Done { request: 9 }, Channel::Ordinary, 3);
    let (header, rest) = message.split_first_chunk_mut::<8>().unwrap();
    let (frame, tag) = rest.split_at_mut(10);
    frame[3] = b'Q';
    let context = Context { sender: Role::Agent, channel: Channel::Ordinary, header: *header };
    peer.session.seal().seal(&context, frame, tag);
    peer.deliver(&message, Channel::Ordinary);
    assert_eq!(peer.events(), []);
    assert_eq!(peer.said()[0].frame, bye(Cause::IntegrityLost));
}

#[test]
fn a_line_that_ends() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.request(&GetStatus, peer.now).unwrap();
    peer.say(&Heartbeat { run: None, challenge: 1 }, Channel::Urgent, 3);
    peer.host.disconnect();
    let over = [Told::Unknown(2), Told::Closed(Closed::Line(LineEnd::Gone))];
    assert_eq!(peer.events(), over);

    let mut peer = Peer::active(HostConfig::new());
    let mut nonsense = &b"SSH-2.0-OpenSSH_9.9\r\n"[..];
    assert!(peer.host.feed(&mut nonsense, peer.now).is_err());
    assert!(peer.host.is_finished());
    assert_eq!(peer.events(), [Told::Closed(Closed::Line(LineEnd::Lost))]);
}

#[test]
fn a_command_that_nobody_answers() {
    let patience = core::time::Duration::from_millis(1500);
    let mut peer = Peer::active(HostConfig::new().patience(patience));
    peer.host.request(&GetStatus, peer.now).unwrap();
    peer.said();
    assert_eq!(peer.host.deadline(), Some(Instant::from_millis(1500)));
    peer.wait(1500);
    assert_eq!(peer.events(), []);
    assert_eq!(peer.said()[0].frame, bye(Cause::Asked));
    peer.say(&Bye { reason: Cause::Asked }, Channel::Urgent, 3);
    assert_eq!(peer.events(), [Told::Unknown(2), Told::Closed(Closed::Patience)]);
}

#[test]
fn a_host_that_changes_its_mind() {
    let mut peer = Peer::new(HostConfig::new());
    peer.host.end(peer.now);
    assert_eq!(peer.host.deadline(), Some(Instant::ZERO));
    assert_eq!(peer.events(), [Told::Closed(Closed::Ended(Cause::Asked))]);
    // Hello has been said.
    assert_eq!(peer.said().len(), 1);
    assert!(peer.host.is_finished());
}
