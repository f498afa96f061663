//! SPEC sections 5.6 and 5.7: what is sent when, and what is done about what arrives.

use feedrate::rdp::frame::{
    Axes, Error, ErrorCode, GetStatus, Halt, Heartbeat, Memory, ReadAxes, ReadMemory, Reason, Release,
    Standing, Status, Stopped, Values, WriteMemory,
};

use super::*;

fn status(request: u32) -> Status {
    Status {
        request,
        run: RunState::Running,
        breakpoints: 0,
        forces: 0,
        steps: 0,
        policy: 0,
        enabled: false,
        modified: false,
        stuck: 0,
        last: None,
        uptime: 0,
    }
}

fn stopped(request: u32) -> Stopped<'static> {
    Stopped {
        request,
        reason: Reason::Halted,
        more: false,
        axes: Standing::Stand,
        detail: 0,
        capture: 1,
        values: Values::new(0, &[], 4),
    }
}

#[test]
fn a_heartbeat_is_answered_at_once() {
    let mut peer = Peer::active(HostConfig::new());
    peer.say(&status(77), Channel::Ordinary, 300);
    peer.say(&Heartbeat { run: Some(RunState::Running), challenge: 0xDECA_FBAD }, Channel::Urgent, 200);
    assert_eq!(peer.events(), []);
    let [answer] = &peer.said()[..] else { panic!() };
    let heartbeat = Heartbeat { run: None, challenge: 0xDECA_FBAD };
    assert_eq!((answer.channel, answer.frame()), (Channel::Urgent, Frame::Heartbeat(heartbeat)));
    // Channel 0 is looked at first: of the later time nothing was known yet.
    assert_eq!(answer.time, 200);
    peer.say(&Heartbeat { run: Some(RunState::Running), challenge: 1 }, Channel::Urgent, 250);
    assert_eq!(peer.events(), []);
    assert_eq!(peer.said()[0].time, 300);
    // One on the wrong channel is none.
    peer.say(&Heartbeat { run: Some(RunState::Running), challenge: 2 }, Channel::Ordinary, 310);
    assert_eq!((peer.events(), peer.said()), (std::vec![], std::vec![]));
}

#[test]
fn commands_go_on_their_channels_and_so_do_answers() {
    let mut peer = Peer::active(HostConfig::new());
    let status_ticket = peer.host.request(&GetStatus, peer.now).unwrap();
    let halt = peer.host.request(&Halt, peer.now).unwrap();
    let release = Release { addr: 1, fingerprint: [0; 16] };
    let release = peer.host.request(&release, peer.now).unwrap();
    let said = peer.said();
    // What is urgent overtakes.
    let channels: Vec<_> = said.iter().map(|said| (said.sequence, said.channel, said.time)).collect();
    let (urgent, ordinary) = (Channel::Urgent, Channel::Ordinary);
    assert_eq!(channels, [(3, urgent, 2), (4, urgent, 2), (2, ordinary, 2)]);
    assert_eq!([status_ticket.sequence(), halt.sequence(), release.sequence()], [2, 3, 4]);

    peer.say(&status(2), Channel::Ordinary, 3);
    peer.say(&Done { request: 3 }, Channel::Ordinary, 3);
    peer.say(&Done { request: 3 }, Channel::Urgent, 3);
    peer.say(&stopped(3), Channel::Urgent, 3);
    let events = peer.events();
    assert_eq!(events, [Told::Answer(3, 0x80), Told::Stopped(3), Told::Answer(2, 0xA8)]);
    // The one on the wrong channel, which came too late there as well.
    assert_eq!(peer.host.ignored(), 1);
    peer.say(&Done { request: 3 }, Channel::Urgent, 3);
    peer.say(&stopped(3), Channel::Ordinary, 3);
    assert_eq!((peer.events(), peer.host.ignored()), (std::vec![], 3));
}

#[test]
fn a_ticket_reads_its_answer() {
    let mut peer = Peer::active(HostConfig::new());
    let first = peer.host.request(&GetStatus, peer.now).unwrap();
    let second = peer.host.request(&GetStatus, peer.now).unwrap();
    let mut read = |body: &dyn Body| {
        peer.say(body, Channel::Ordinary, 3);
        match peer.host.poll_event(peer.now) {
            Some(Event::Answer(answer)) => (first.read(&answer), second.read(&answer)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&status(2)), (Some(Ok(status(2))), None));
    let foreign = Error { request: 3, code: ErrorCode::Malformed, detail: 0x80 };
    assert_eq!(read(&Done { request: 3 }), (None, Some(Err(foreign))));
}

#[test]
fn a_host_keeps_to_its_credit() {
    let mut peer = Peer::active(HostConfig::new());
    for _ in 0..2 {
        peer.host.request(&GetStatus, peer.now).unwrap();
    }
    assert_eq!(peer.host.request(&GetStatus, peer.now).unwrap_err(), SendError::Credit);
    // Halt and Release need none.
    for _ in 0..4 {
        peer.host.request(&Halt, peer.now).unwrap();
    }
    assert_eq!(peer.host.request(&Halt, peer.now).unwrap_err(), SendError::Full);
    let refused = Error { request: 3, code: ErrorCode::Denied, detail: 1 };
    peer.say(&refused, Channel::Ordinary, 3);
    assert_eq!(peer.events(), [Told::Answer(3, 0xFF)]);
    peer.host.request(&GetStatus, peer.now).unwrap();
    assert_eq!(peer.host.request(&GetStatus, peer.now).unwrap_err(), SendError::Credit);
}

#[test]
fn no_longer_message_than_the_agent_takes() {
    let mut peer = Peer::active(HostConfig::new());
    let write = |bytes| WriteMemory { addr: 0, fingerprint: [0; 16], data: Bytes::new(bytes) };
    let data = [0; 600];
    // 8 of header, 6 of frame header, 26 of fields, 4 of tag.
    peer.host.request(&write(&data[..512 - 44]), peer.now).unwrap();
    let long = peer.host.request(&write(&data[..512 - 43]), peer.now).unwrap_err();
    let error = EncodeError::TooLarge { what: "message", size: 513, limit: 512 };
    assert_eq!(long, SendError::Encode(error));
    assert_eq!(peer.said().len(), 1);
}

#[test]
fn messages_as_long_as_the_host_has_said() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.request(&ReadMemory { addr: 0, length: 900 }, peer.now).unwrap();
    peer.say(&Memory { request: 2, addr: 0, data: Bytes::new(&[7; 900]) }, Channel::Ordinary, 3);
    assert_eq!(peer.events(), [Told::Answer(2, 0x99)]);
}

#[test]
fn before_and_after_a_session_there_are_no_commands() {
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    assert_eq!(peer.host.request(&Halt, peer.now).unwrap_err(), SendError::NotActive);
    let mut peer = Peer::active(HostConfig::new());
    peer.host.end(peer.now);
    assert_eq!(peer.host.request(&Halt, peer.now).unwrap_err(), SendError::NotActive);
}

#[test]
fn what_a_host_does_not_know_it_passes_over() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.request(&ReadAxes, peer.now).unwrap();
    let unknown = Frame::Unknown { kind: 0xEE, body: b"later" };
    let malformed = Frame::Unknown { kind: Done::KIND, body: b"more than four" };
    let axes = Frame::Axes(Axes { request: 2, positions: List::new(&[7; 17]) });
    let of_host = Frame::ReadMemory(ReadMemory { addr: 0, length: 1 });
    for frame in [unknown, malformed, axes, of_host] {
        peer.say(&frame, Channel::Ordinary, 3);
    }
    let replayed = peer.message(&stopped(0), Channel::Urgent, 3);
    for _ in 0..2 {
        peer.deliver(&replayed, Channel::Urgent);
    }
    assert_eq!(peer.events(), [Told::Stopped(0)]);
    assert_eq!((peer.host.ignored(), peer.host.state()), (5, SessionState::Active));
    let axes = Axes { request: 2, positions: List::new(&[7; 16]) };
    peer.say(&axes, Channel::Ordinary, 3);
    assert_eq!(peer.events(), [Told::Answer(2, 0xAA)]);
}
