//! SPEC section 5.4.

use feedrate::rdp::crc;
use feedrate::rdp::frame::{Error, ErrorCode};

use super::*;

#[test]
fn a_session_begins() {
    let mut peer = Peer::new(HostConfig::new());
    assert_eq!(peer.host.deadline(), Some(Instant::from_millis(5000)));
    let hello = peer.hello();
    assert_eq!((hello.channel, hello.sequence, hello.time), (Channel::Urgent, 0, 0));
    let Frame::Hello(said) = hello.frame() else { panic!("{hello:?}") };
    assert_eq!((said.lowest, said.highest, said.nonce, said.longest), (3, 3, NONCE, 4096));
    assert!(said.suites.eq([0]));
    assert_eq!(said.token.as_slice(), b"token");

    peer.welcome(&welcome());
    assert_eq!(peer.events(), []);
    let device = *peer.host.device().unwrap();
    assert_eq!((device.generation, device.credit, device.name()), (9, 2, "servo"));
    assert_eq!(device.session, u32::from_be_bytes(*b"once"));

    let state = peer.message(&STATE, Channel::Urgent, 1);
    let body = &state[HEADER + feedrate::rdp::frame::HEADER..state.len() - 4];
    let crc = crc::crc_32(&[body]);
    peer.deliver(&state, Channel::Urgent);
    assert_eq!(peer.events(), [Told::State]);
    let [agree] = &peer.said()[..] else { panic!() };
    assert_eq!((agree.channel, agree.sequence, agree.time, agreed(agree).crc), (Channel::Urgent, 1, 1, crc));
    assert_eq!(peer.host.state(), SessionState::Connecting);
    peer.say(&Done { request: 1 }, Channel::Urgent, 2);
    assert_eq!(peer.events(), [Told::Active]);
    assert_eq!(peer.host.state(), SessionState::Active);
}

/// Why a host does not take this Welcome.
fn refuses(config: HostConfig, change: impl FnOnce(&mut Welcome<'_>)) -> Option<Closed> {
    let mut peer = Peer::new(config);
    peer.hello();
    let mut welcome = welcome();
    change(&mut welcome);
    peer.welcome(&welcome);
    let events = peer.events();
    assert!(peer.said().is_empty());
    match events[..] {
        [] => None,
        [Told::Closed(why)] => {
            assert!(peer.host.is_finished() && peer.host.device().is_none());
            Some(why)
        }
        ref events => panic!("{events:?}"),
    }
}

#[test]
fn what_is_wrong_with_a_welcome() {
    let any = HostConfig::new();
    assert_eq!(refuses(any, |_| {}), None);
    assert_eq!(refuses(any, |welcome| welcome.host_nonce[15] ^= 1), Some(Closed::WrongWelcome));
    assert_eq!(refuses(any, |welcome| welcome.version = 4), Some(Closed::WrongVersion(4)));
    let wrong = Closed::WrongSuite { named: 7, used: 0 };
    assert_eq!(refuses(any, |welcome| welcome.suite = 7), Some(wrong));
    let weak = Closed::WeakSuite { used: 0, least: 1 };
    assert_eq!(refuses(any.suite(1), |_| {}), Some(weak));
    // A malformed one is passed over.
    let mut peer = Peer::new(any);
    peer.hello();
    peer.welcome(&Welcome { name: Bytes::new(&[b'x'; 33]), ..welcome() });
    assert_eq!((peer.events(), peer.host.ignored()), (std::vec![], 1));
    assert_eq!(peer.host.device(), None);
}

#[test]
fn a_better_suite_that_was_struck_out_is_found() {
    let both = HostConfig::new().offers(&[3, 0, 7, 9]);
    let there = |suites: &'static [u16]| refuses(both, |welcome| welcome.suites = List::new(suites));
    assert_eq!((there(&[0]), there(&[3, 0]), there(&[0, 8])), (None, None, None));
    assert_eq!(there(&[0, 7]), Some(Closed::Downgraded { used: 0, better: 7 }));
    assert_eq!(there(&[9, 7, 0]), Some(Closed::Downgraded { used: 0, better: 9 }));
    // What a host has not offered it has no right to.
    assert_eq!(refuses(HostConfig::new(), |welcome| welcome.suites = List::new(&[0, 7])), None);

    let mut peer = Peer::new(both);
    let hello = peer.hello();
    assert!(matches!(hello.frame(), Frame::Hello(hello) if hello.suites.eq([3, 0, 7, 9])));
}

#[test]
fn another_device_or_program_than_the_one_that_is_meant() {
    let device = *b"servo 7, fw 1.02";
    assert_eq!(refuses(HostConfig::new().device(Some(device)).generation(Some(9)), |_| {}), None);
    let wrong = Closed::WrongDevice(device);
    assert_eq!(refuses(HostConfig::new().device(Some([7; 16])), |_| {}), Some(wrong));
    let wrong = Closed::WrongProgram { found: 9, expected: 8 };
    assert_eq!(refuses(HostConfig::new().generation(Some(8)), |_| {}), Some(wrong));
}

#[test]
fn a_welcome_that_is_not_the_first_message() {
    for (sequence, time) in [(1, 0), (0, 1)] {
        let mut peer = Peer::new(HostConfig::new());
        peer.hello();
        for _ in 0..sequence {
            peer.message(&Done { request: 0 }, Channel::Urgent, 0);
        }
        peer.say(&welcome(), Channel::Urgent, time);
        assert_eq!(peer.events(), [Told::Closed(Closed::WrongWelcome)]);
    }
}

#[test]
fn an_agent_refuses() {
    let refused = Error { request: 0, code: ErrorCode::BadToken, detail: 1 };
    for read in [true, false] {
        let mut peer = Peer::new(HostConfig::new());
        peer.said();
        if read {
            peer.session.set_host_nonce(NONCE);
        }
        peer.say(&refused, Channel::Urgent, 0);
        // It has said why, and so it does not matter that it hangs up.
        peer.host.disconnect();
        assert_eq!(peer.events(), [Told::Closed(Closed::Refused(refused))], "{read}");
    }
    // Only an Error may be without the nonce.
    let mut peer = Peer::new(HostConfig::new());
    peer.said();
    peer.say(&welcome(), Channel::Urgent, 0);
    assert_eq!(peer.events(), [Told::Closed(Closed::NotOfSession)]);
    // State can be refused too.
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.welcome(&welcome());
    let mismatch = Error { request: 1, code: ErrorCode::StateMismatch, detail: 0 };
    peer.say(&mismatch, Channel::Urgent, 1);
    assert_eq!(peer.events(), [Told::Closed(Closed::Refused(mismatch))]);
}

#[test]
fn an_answer_to_another_hello() {
    let mut peer = Peer::new(HostConfig::new());
    peer.said();
    peer.session.set_host_nonce([9; 16]);
    peer.say(&welcome(), Channel::Urgent, 0);
    assert_eq!(peer.events(), [Told::Closed(Closed::NotOfSession)]);
    assert_eq!(Closed::NotOfSession.cause(), Some(Cause::IntegrityLost));
}

#[test]
fn what_does_not_belong_to_the_handshake_is_passed_over() {
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.say(&STATE, Channel::Urgent, 0);
    peer.say(&Done { request: 0 }, Channel::Urgent, 0);
    let mut other = Peer::new(HostConfig::new());
    other.hello();
    other.say(&welcome(), Channel::Ordinary, 0);
    assert_eq!((peer.events(), peer.host.ignored()), (std::vec![], 2));
    assert_eq!((other.events(), other.host.ignored()), (std::vec![], 1));
    assert!(peer.host.device().is_none() && other.host.device().is_none());
}

#[test]
fn an_agent_that_says_nothing() {
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.wait(4999);
    assert_eq!(peer.events(), []);
    peer.wait(1);
    assert_eq!(peer.events(), [Told::Closed(Closed::HandshakeTimeout)]);
    assert!(peer.host.is_finished());

    // Neither does it do to go half-way.
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.wait(3000);
    peer.welcome(&welcome());
    assert_eq!(peer.events(), []);
    peer.wait(2000);
    assert_eq!(peer.events(), [Told::Closed(Closed::HandshakeTimeout)]);
}

#[test]
fn an_agent_that_hangs_up() {
    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.host.disconnect();
    assert_eq!(peer.host.deadline(), Some(Instant::ZERO));
    assert_eq!(peer.events(), [Told::Closed(Closed::HungUp)]);

    let mut peer = Peer::new(HostConfig::new());
    peer.hello();
    peer.welcome(&welcome());
    peer.host.disconnect();
    assert_eq!(peer.events(), [Told::Closed(Closed::Line(LineEnd::Gone))]);
}

#[test]
fn a_token_has_a_greatest_length() {
    let mut host: Host = Host::new(HostConfig::new(), Stream::host(), Checksum::new());
    assert_eq!(host.connect(&[0; 385], NONCE, Instant::ZERO), Err(TokenTooLong(385)));
    assert_eq!(host.state(), SessionState::Idle);
    assert_eq!(host.connect(&[0; 384], NONCE, Instant::ZERO), Ok(()));
    // With as many suites as there can be it is still no longer than a message may be.
    let config = HostConfig::new().offers(&[5; 40]);
    let mut host: Host = Host::new(config, Stream::host(), Checksum::new());
    assert_eq!(host.connect(&[0; 384], NONCE, Instant::ZERO), Ok(()));
    let mut bytes = [0; 600];
    assert_eq!(host.poll_transmit(&mut bytes), 2 + 8 + 6 + 21 + 32 + 2 + 384 + 4);
}

#[test]
fn another_connection_begins_with_nothing() {
    let mut peer = Peer::active(HostConfig::new());
    peer.host.request(&feedrate::rdp::frame::GetStatus, peer.now).unwrap();
    peer.host.connect(b"again", NONCE, peer.now).unwrap();
    assert_eq!((peer.host.state(), peer.host.device()), (SessionState::Connecting, None));
    peer.session.renew();
    let hello = peer.hello();
    assert_eq!((hello.sequence, hello.time), (0, 0));
    peer.host.disconnect();
    assert_eq!(peer.events(), [Told::Closed(Closed::HungUp)]);
}
