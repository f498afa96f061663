//! A handshake that goes wrong, and messages that are not of the session (SPEC sections 5.4 to 5.6).

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Agree, Bye, Cause, Domains, ErrorCode, Frame, GetStatus, Halt, Hello, List, Secret,
};
use feedrate_rdp::session::SessionState;
use feedrate_testkit::machine::Deed;
use feedrate_testkit::rdp::frames::{heartbeat, set_axis};
use feedrate_testkit::rdp::peer::{bytes, record};
use feedrate_testkit::rdp::rig::{Rig, token};

const HALT: Frame<'_> = Frame::Halt(Halt);
const STATUS: Frame<'_> = Frame::GetStatus(GetStatus);

#[test]
fn hello_is_checked_in_this_order() {
    let ok = Hello {
        lowest: 3,
        highest: 3,
        nonce: [1; 16],
        longest: 512,
        suites: List::new(&[0]),
        token: Secret::new(&[31, 0, 0, 0, 60]),
    };
    let long = [31; 385];
    let short = Hello { longest: 511, ..ok };
    let wordy = Hello { token: Secret::new(&long), ..ok };
    for (hello, code, detail) in [
        (short, ErrorCode::Malformed, 0x40),
        (Hello { longest: 511, ..wordy }, ErrorCode::Malformed, 0x40),
        (wordy, ErrorCode::Limit, 384),
        (Hello { lowest: 4, highest: 9, ..wordy }, ErrorCode::Limit, 384),
        (Hello { lowest: 4, highest: 9, ..ok }, ErrorCode::NoVersion, 3),
        (Hello { lowest: 1, highest: 2, token: Secret::new(b"x"), ..ok }, ErrorCode::NoVersion, 3),
        (Hello { token: Secret::new(b"x"), ..ok }, ErrorCode::BadToken, 7),
    ] {
        let mut rig = Rig::new();
        rig.connect();
        let message = rig.peer.hello_of(&Frame::Hello(hello));
        rig.put(Channel::Urgent, &message);
        rig.run();
        match rig.said[0].frame() {
            Frame::Error(error) => assert_eq!((error.code, error.detail), (code, detail), "{hello:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(rig.agent.state(), SessionState::Closed);
        rig.run();
        assert!(rig.agent.is_finished());
    }
    // A host that speaks more is welcome.
    let mut rig = Rig::new();
    rig.connect();
    let message = rig.peer.hello_of(&Frame::Hello(Hello { lowest: 0, highest: 255, ..ok }));
    rig.put(Channel::Urgent, &message);
    rig.run();
    assert_eq!(rig.welcome().version, 3);
}

#[test]
fn what_is_not_expected_in_a_handshake_ends_it() {
    type Say = fn(&mut Rig);
    let say: [(&str, Say, ErrorCode); 8] = [
        ("a command instead of Hello", |rig| _ = rig.tell(&STATUS), ErrorCode::Unexpected),
        ("a Heartbeat", |rig| _ = rig.tell(&heartbeat(1)), ErrorCode::Unexpected),
        ("Agree", |rig| _ = rig.tell(&Frame::Agree(Agree { crc: 0 })), ErrorCode::Unexpected),
        (
            "Hello on channel 1",
            |rig| {
                let hello = Frame::Hello(Hello {
                    lowest: 3,
                    highest: 3,
                    nonce: rig.peer.nonce,
                    longest: 512,
                    suites: List::new(&[0]),
                    token: Secret::new(&[31, 0, 0, 0, 60]),
                });
                let message = rig.peer.message(Channel::Ordinary, 0, 0, &bytes(&hello));
                rig.peer.seal = {
                    let mut seal = rig.peer.seal;
                    feedrate_rdp::session::Seal::bind(&mut seal, &rig.peer.nonce, &[0; 16]);
                    seal
                };
                rig.put(Channel::Ordinary, &message);
            },
            ErrorCode::Unexpected,
        ),
        (
            "another frame version",
            |rig| {
                let mut frame = bytes(&STATUS);
                frame[4] = 9;
                let message = rig.peer.next(Channel::Urgent, &frame);
                rig.put(Channel::Urgent, &message);
            },
            ErrorCode::FrameVersion,
        ),
        (
            "an unknown kind",
            |rig| {
                let message = rig.peer.next(Channel::Urgent, b"GDBP\x01\x7F");
                rig.put(Channel::Urgent, &message);
            },
            ErrorCode::UnknownKind,
        ),
        (
            "a kind of the agent's",
            |rig| {
                let message = rig.peer.next(Channel::Urgent, b"GDBP\x01\x80\0\0\0\0");
                rig.put(Channel::Urgent, &message);
            },
            ErrorCode::Unexpected,
        ),
        (
            "a malformed body",
            |rig| {
                let message = rig.peer.next(Channel::Urgent, b"GDBP\x01\x40\x03");
                rig.put(Channel::Urgent, &message);
            },
            ErrorCode::Malformed,
        ),
    ];
    for (what, say, code) in say {
        let mut rig = Rig::new();
        rig.connect();
        say(&mut rig);
        rig.run();
        match rig.said.first().map(|said| said.frame()) {
            Some(Frame::Error(error)) => assert_eq!(error.code, code, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(rig.agent.state(), SessionState::Closed, "{what}");
    }
}

/// What has arrived in front of what lost the line is nobody's, and nothing waits for its time to pass.
#[test]
fn nobody_begins_a_session_on_a_line_that_is_lost() {
    for with_command in [false, true] {
        let mut rig = Rig::new();
        rig.connect();
        let mut lost = record(Channel::Urgent, &rig.peer.hello(&token(Domains::ALL, 60)));
        if with_command {
            lost.extend(record(Channel::Ordinary, &rig.peer.next(Channel::Ordinary, &bytes(&STATUS))));
        }
        lost.extend([0xFF; 2]);
        assert!(rig.agent.feed(&mut &lost[..], rig.now).is_err());
        rig.run();
        rig.agent.disconnect();
        rig.run();
        assert_eq!((rig.agent.state(), rig.agent.deadline()), (SessionState::Idle, None));
        assert!(rig.connect());
        rig.handshake(&token(Domains::ALL, 60)).unwrap();
    }
}

#[test]
fn a_state_that_was_not_sent_is_not_agreed_to() {
    let mut rig = Rig::new();
    rig.connect();
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.run();
    assert_eq!(rig.refused(&Frame::Agree(Agree { crc: 1 })).0, ErrorCode::StateMismatch);
    rig.run();
    assert!(rig.agent.is_finished() && rig.machine.journal.take().len() == 1);
}

#[test]
fn another_hello_is_not_expected_and_changes_no_nonce() {
    let mut rig = Rig::new();
    rig.connect();
    let hello = rig.peer.hello(&token(Domains::ALL, 60));
    rig.put(Channel::Urgent, &hello);
    rig.run();
    let other = Hello {
        lowest: 3,
        highest: 3,
        nonce: [9; 16],
        longest: 512,
        suites: List::new(&[0]),
        token: Secret::new(&[31, 0, 0, 0, 60]),
    };
    // The tag of what refuses it is still this session's: the peer looks at it.
    assert_eq!(rig.refused(&Frame::Hello(other)).0, ErrorCode::Unexpected);
    assert_eq!(rig.agent.state(), SessionState::Closed);
}

#[test]
fn a_tag_that_is_wrong_ends_the_session_and_what_comes_then_is_discarded() {
    let mut rig = Rig::active();
    let mut message = rig.peer.message(Channel::Ordinary, 9, rig.peer.heard, &bytes(&set_axis(0, 1)));
    *message.last_mut().expect("a tag") ^= 1;
    rig.put(Channel::Ordinary, &message);
    rig.tell(&set_axis(0, 2));
    rig.pass(50);
    rig.tell(&HALT);
    rig.pass(50);
    assert_eq!((rig.bye(), rig.machine.axes[0]), (Some(Cause::IntegrityLost), 0));
    assert!(!rig.machine.journal.take().contains(&Deed::Halted));
    // Nor is anything answered but the goodbye, whatever its tag.
    let from = rig.said.len();
    rig.tell(&STATUS);
    rig.put(Channel::Ordinary, &[7; 60]);
    rig.tell(&HALT);
    rig.pass(50);
    assert_eq!((rig.said.len(), rig.agent.state()), (from, SessionState::Disconnecting));
    rig.tell(&Frame::Bye(Bye { reason: Cause::IntegrityLost }));
    // The host closes the stream; if it does not, the agent does after a second.
    rig.pass(900);
    assert!(rig.agent.state() == SessionState::Closed && !rig.agent.is_finished());
    rig.pass(200);
    assert!(rig.agent.is_finished());
    // In a handshake nothing is said.
    let mut rig = Rig::new();
    rig.connect();
    rig.put(Channel::Urgent, &[7; 60]);
    rig.run();
    rig.run();
    assert!(rig.said.is_empty() && rig.agent.is_finished());
}
