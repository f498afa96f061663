//! WebSocket: the closing handshake, as scripts that two sides play to each other in memory, with the bytes
//! between them cut anywhere.

use std::time::Duration;

use feedrate::{Array, Grow, Instant};
use feedrate_testkit::ws::data::numbered;
use feedrate_testkit::ws::run::{Entry, Key, Log, feed, key};
use feedrate_testkit::ws::wire::{CLOSE, FIN, Frame, PING, PONG, TEXT, Wire, frames};
use feedrate_testkit::ws::{closed, ping, text};
use feedrate_ws::{Answer, CloseCode, Keys, Piece, Receiver, Role, SendError, Sender, StreamEvent, Unmasked};

const NORMAL: CloseCode = CloseCode::NORMAL;
/// In milliseconds.
const PATIENCE: u64 = 5_000;

/// One end of a connection.
struct End<K> {
    receiver: Receiver<Grow>,
    sender: Sender<Grow, K>,
    log: Log,
    /// What it has written.
    wrote: Vec<u8>,
    /// The time, in milliseconds.
    now: u64,
    /// All events so far.
    events: Vec<StreamEvent>,
}

/// What an end is to do with its stream.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Go on, but not beyond this time, in milliseconds.
    Closing(u64),
    /// Close the sending half, and wait for the peer's.
    Linger(u64),
    Drop,
}

impl<K: Keys> End<K> {
    fn new(sender: Sender<Grow, K>) -> Self {
        let receiver = Receiver::new(K::ROLE, Grow::new(10_000));
        Self { receiver, sender, log: Log::default(), wrote: Vec::new(), now: 0, events: Vec::new() }
    }

    fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.sender.close(code, reason, Instant::from_millis(self.now))
    }

    fn close_now(&mut self, code: CloseCode, reason: &str) -> Result<usize, SendError> {
        self.sender.close_now(code, reason, Instant::from_millis(self.now))
    }

    /// At this time, in milliseconds.
    fn at(&mut self, now: u64) -> State {
        self.now = now;
        self.sender.handle_timeout(Instant::from_millis(now));
        self.events.extend(std::iter::from_fn(|| self.sender.poll_event()));
        // Each comes once, and the end of the time last.
        let (all, late) = (&self.events[..], self.events.ends_with(&[StreamEvent::TimedOut]));
        assert!(all.iter().filter(|event| **event == StreamEvent::Finished).count() <= 1);
        assert!(all.iter().filter(|event| **event == StreamEvent::TimedOut).count() <= usize::from(late));
        let deadline = self.sender.deadline().map(Instant::as_millis);
        match (late, deadline) {
            (true, None) => State::Drop,
            (true, Some(_)) => panic!("a deadline behind the last"),
            (false, None) => State::Open,
            (false, Some(until)) if all.is_empty() => State::Closing(until),
            (false, Some(until)) => State::Linger(until),
        }
    }

    /// Writes at most `n` bytes.
    fn write(&mut self, n: usize) -> Vec<u8> {
        let now = self.sender.transmit()[..n.min(self.sender.transmit().len())].to_vec();
        self.sender.transmitted(now.len());
        self.wrote.extend_from_slice(&now);
        now
    }

    /// Reads, and leaves what it has to say to be written later.
    fn read(&mut self, bytes: &[u8]) {
        let mut chunk = bytes.to_vec();
        let mut input = &mut chunk[..];
        let now = Instant::from_millis(self.now);
        while self.log.fed(self.receiver.feed(&mut input, now, &mut self.sender)) {}
    }

    fn said(&self) -> Vec<Frame> {
        frames(K::ROLE, &self.wrote)
    }
}

fn server() -> End<Unmasked> {
    End::new(Sender::server(Grow::new(10_000)))
}

fn client() -> End<Key> {
    End::new(Sender::client(Grow::new(10_000), key as Key))
}

/// Carries bytes both ways, `n` at a time, until both have nothing more to say.
fn talk<A: Keys, B: Keys>(a: &mut End<A>, b: &mut End<B>, n: usize) {
    loop {
        let (from_a, from_b) = (a.write(n), b.write(n));
        b.read(&from_a);
        a.read(&from_b);
        if from_a.is_empty() && from_b.is_empty() {
            return;
        }
    }
}

fn close_frame(code: u16, reason: &str) -> Frame {
    (FIN | CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
}

const CUTS: [usize; 6] = [1, 2, 3, 7, 50, 100_000];

#[test]
fn one_side_closes_and_the_other_answers() {
    for n in CUTS {
        for server_first in [true, false] {
            let (mut s, mut c) = (server(), client());
            (s.now, c.now) = (10, 20);
            s.sender.text("before").expect("room");
            c.sender.text("also").expect("room");
            let close = CloseCode::new(4_000).expect("private");
            let result = if server_first { s.close(close, "bye") } else { c.close(close, "bye") };
            assert_eq!(result, Ok(()));
            talk(&mut s, &mut c, n);
            // What was said comes back.
            assert_eq!(s.log.entries, [text("also"), closed(4_000, "bye")]);
            assert_eq!(c.log.entries, [text("before"), closed(4_000, "bye")]);
            assert_eq!((s.receiver.end(), c.receiver.end()), (Ok(()), Ok(())));
            // The server ends the stream, the client waits for that.
            assert_eq!(s.at(10), State::Linger(10 + PATIENCE));
            assert_eq!(c.at(20), State::Closing(20 + PATIENCE));
            assert_eq!(c.at(20 + PATIENCE), State::Drop);
        }
    }
}

#[test]
fn closes_that_cross_need_no_answer() {
    for n in CUTS {
        let (mut s, mut c) = (server(), client());
        s.close(CloseCode::GOING_AWAY, "server").expect("room");
        c.close(NORMAL, "client").expect("room");
        talk(&mut s, &mut c, n);
        assert_eq!(s.log.entries, [closed(1_000, "client")]);
        assert_eq!(c.log.entries, [closed(1_001, "server")]);
        assert_eq!(s.said(), [close_frame(1_001, "server")]);
        assert_eq!(c.said(), [close_frame(1_000, "client")]);
        assert_eq!(s.at(0), State::Linger(PATIENCE));
        assert_eq!(c.at(0), State::Closing(PATIENCE));
    }
}

/// A close frame may come between two fragments, from either side, and the message never ends.
#[test]
fn a_close_inside_of_a_message() {
    for n in CUTS {
        let (mut s, mut c) = (server(), client());
        s.sender.piece(Piece::text("half", false)).expect("room");
        c.sender.piece(Piece::text("too", false)).expect("room");
        s.close(NORMAL, "").expect("room");
        assert_eq!(s.sender.piece(Piece::text("late", true)), Err(SendError::Closing));
        talk(&mut s, &mut c, n);
        assert_eq!(
            (&s.log.entries[..], &c.log.entries[..]),
            (&[closed(1_000, "")][..], &[closed(1_000, "")][..])
        );
        assert_eq!(c.sender.piece(Piece::text("late", true)), Err(SendError::Closing));
        assert_eq!(s.said(), [(TEXT, b"half".to_vec()), close_frame(1_000, "")]);
        assert_eq!((s.receiver.end(), c.receiver.end()), (Ok(()), Ok(())));
    }
}

/// One without a code is answered by one without: 1005 is never written.
#[test]
fn an_empty_close_frame() {
    let mut s = server();
    s.read(&Wire::new(Role::Client).frame(FIN | CLOSE, "").into_bytes());
    assert_eq!(s.log.entries, [Entry::Closed(None)]);
    s.write(100);
    assert_eq!(s.said(), [(FIN | CLOSE, vec![])]);
    let mut c = client();
    c.read(&Wire::new(Role::Server).frame(FIN | CLOSE, "").into_bytes());
    c.write(100);
    assert_eq!(c.said(), [(FIN | CLOSE, vec![])]);
}

#[test]
fn codes_that_no_frame_carries_cannot_be_made() {
    for number in 0..=u16::MAX {
        let may = matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999);
        assert_eq!(CloseCode::new(number).map(CloseCode::get), may.then_some(number));
    }
    for number in [1004, 1005, 1006, 1015] {
        let mut s = server();
        s.read(&Wire::new(Role::Client).close(number, "").into_bytes());
        s.write(100);
        assert_eq!(s.said(), [close_frame(1_002, "")]);
    }
}

#[test]
fn a_reason_ends_at_a_character() {
    for letter in ["a", "ß", "世", "🙂"] {
        for shift in 0..8 {
            for length in 110..140 {
                let reason: String = "x".repeat(shift) + &letter.repeat(length / letter.len());
                let mut s = server();
                s.close(NORMAL, &reason).expect("room");
                s.write(1_000);
                let (_, payload) = &s.said()[0];
                let said = std::str::from_utf8(&payload[2..]).expect("whole characters");
                assert!(reason.starts_with(said));
                let fits = reason.len() <= 123;
                assert!(if fits { said == reason } else { said.len() > 123 - letter.len() }, "{reason}");
                assert!(said.len() <= 123);
            }
        }
    }
}

#[test]
fn deadlines_are_by_the_callers_clock() {
    let mut s = End::new(Sender::server(Grow::new(10_000)).patience(Duration::from_millis(100)));
    assert_eq!(s.at(7), State::Open);
    // Time that passed before closing does not count.
    assert_eq!(s.at(1_000_000), State::Open);
    s.close(NORMAL, "").expect("room");
    // Known at once, whether anybody has asked for events or not.
    assert_eq!(s.sender.deadline(), Some(Instant::from_millis(1_000_100)));
    // A clock that stands still.
    for _ in 0..1_000 {
        assert_eq!(s.at(1_000_000), State::Closing(1_000_100));
    }
    s.write(100);
    assert_eq!(s.at(1_000_099), State::Closing(1_000_100));
    assert_eq!(s.at(1_000_100), State::Drop);
    // One that jumps.
    assert_eq!(s.at(u64::MAX), State::Drop);
    // At the end of time there is no more of it, and nothing wraps around.
    let mut s = server();
    let end = Instant::MAX.as_millis();
    s.now = end - 10;
    s.close(NORMAL, "").expect("room");
    assert_eq!(s.sender.deadline(), Some(Instant::MAX));
    assert_eq!(s.at(end - 10), State::Closing(end));
    assert_eq!(s.at(u64::MAX), State::Drop);

    // The client's waiting for the server to end the stream is part of the same time.
    let mut c = client();
    c.now = 10;
    c.close(NORMAL, "").expect("room");
    assert_eq!(c.at(10), State::Closing(5_010));
    c.write(100);
    assert_eq!(c.at(3_000), State::Closing(5_010));
    c.read(&Wire::new(Role::Server).close(1_000, "").into_bytes());
    assert_eq!(c.at(4_000), State::Closing(5_010));
    assert_eq!(c.at(5_010), State::Drop);
}

/// Nothing that begins the closing does so without a deadline.
#[test]
fn the_clock_runs_from_whatever_begins_the_closing() {
    let expected = Some(Instant::from_millis(7_000));
    let now = Instant::from_millis(2_000);
    let mut sender = Sender::server(Grow::new(10_000));
    sender.close_now(NORMAL, "", now).expect("nothing has been said");
    assert_eq!(sender.deadline(), expected);
    let mut sender = Sender::server(Grow::new(10_000));
    sender.close(NORMAL, "", now).expect("room");
    // It runs already.
    sender.close_now(NORMAL, "", Instant::from_millis(3_000)).expect("nothing has been written");
    assert_eq!(sender.deadline(), expected);
    let mut sender = Sender::server(Grow::new(10_000)).require_deflate(None, now);
    assert_eq!(sender.deadline(), expected);
    assert_eq!(sender.poll_event(), None);
}

/// A peer that closes and takes nothing any more, or that takes and never answers.
#[test]
fn a_peer_that_does_not_play_along() {
    let mut s = server();
    s.now = 1;
    s.sender.binary(&numbered(500)).expect("room");
    s.read(&Wire::new(Role::Client).close(1_000, "").into_bytes());
    assert_eq!(s.at(1), State::Closing(5_001));
    assert_eq!(s.write(100).len(), 100);
    assert_eq!(s.at(5_000), State::Closing(5_001));
    assert_eq!(s.at(5_001), State::Drop);
    let mut c = client();
    c.close(NORMAL, "").expect("room");
    c.write(100);
    // It goes on sending, which is its right, and heard.
    c.read(&Wire::new(Role::Server).text("still").ping("p").into_bytes());
    assert_eq!(c.log.entries, [text("still"), ping("p")]);
    assert_eq!(c.at(0), State::Closing(5_000));
    // Nothing goes behind the close frame, no pong either.
    assert!(c.sender.transmit().is_empty());
    assert_eq!(c.receiver.end().map_err(|end| end.inside), Err(false));
}

/// What waits behind a lot of data has not been said: a ping is answered before it. RFC 6455, section 5.5.2.
#[test]
fn a_ping_while_the_close_frame_waits() {
    for written in 0..=600 {
        let mut s = server();
        s.sender.binary(&numbered(500)).expect("room");
        s.close(NORMAL, "").expect("room");
        s.write(written);
        s.read(&Wire::new(Role::Client).ping("p").into_bytes());
        while !s.write(1_000).is_empty() {}
        let said = s.said();
        let pong = said.iter().position(|frame| *frame == (FIN | PONG, b"p".to_vec()));
        assert_eq!(said.last(), Some(&close_frame(1_000, "")));
        // Once it has begun, or stands next in line with its first byte on the wire, there is no room before it.
        assert_eq!(pong.is_some(), written <= 504, "{written}: {said:?}");
    }
    // When the peer has closed too, there is nobody to answer.
    let mut s = server();
    s.sender.binary(&numbered(500)).expect("room");
    s.read(&Wire::new(Role::Client).close(1_000, "").ping("p").into_bytes());
    s.sender.pong(b"p");
    while !s.write(1_000).is_empty() {}
    assert_eq!(s.said().len(), 2);
}

/// The one that is in a hurry drops what has not begun, and says how much.
#[test]
fn close_now_drops_what_has_not_begun() {
    for with_control in [false, true] {
        let fill = |s: &mut Sender<Grow, Unmasked>| {
            s.binary(&numbered(100)).expect("room");
            s.text("second").expect("room");
            s.piece(Piece::text("third", false)).expect("room");
            if with_control {
                s.ping(b"ping").expect("room");
                s.pong(b"pong");
            }
        };
        for written in 0..=140 {
            let mut s = server();
            fill(&mut s.sender);
            while s.wrote.len() < written && !s.write(written - s.wrote.len()).is_empty() {}
            let wrote = s.wrote.clone();
            let queued = s.sender.queued();
            let dropped = s.close_now(CloseCode::GOING_AWAY, "now").expect("not said");
            assert_eq!(s.sender.queued(), queued - dropped + 2 + 5, "{written}");
            assert_eq!(s.close_now(NORMAL, ""), Err(SendError::Closing));
            assert_eq!(s.sender.text("more"), Err(SendError::Closing));
            while !s.write(1_000).is_empty() {}
            assert!(s.wrote.starts_with(&wrote));
            let said = s.said();
            assert_eq!(said.last(), Some(&close_frame(1_001, "now")));
            let control = said.iter().filter(|frame| frame.0 == FIN | PING || frame.0 == FIN | PONG).count();
            assert_eq!(control, if with_control { 2 } else { 0 });
            // Of the data, the frames that had begun.
            let data = said.iter().filter(|frame| frame.0 & 8 == 0).map(|(_, payload)| payload.len() + 2);
            assert_eq!(data.sum::<usize>() + dropped, 102 + 8 + 7, "{written}");
        }
    }
    // It takes the place of a close frame that waits, but not of one that has begun.
    let mut s = server();
    s.sender.text("data").expect("room");
    s.close(NORMAL, "later").expect("room");
    assert_eq!(s.close_now(CloseCode::GOING_AWAY, "now").map(|dropped| dropped >= 6), Ok(true));
    s.write(1_000);
    assert_eq!(s.said(), [close_frame(1_001, "now")]);
    for written in 1..=9 {
        let mut s = server();
        s.close(NORMAL, "later").expect("room");
        s.write(written);
        assert_eq!(s.close_now(CloseCode::GOING_AWAY, "now"), Err(SendError::Closing));
        s.write(1_000);
        assert_eq!(s.said(), [close_frame(1_000, "later")]);
    }
}

/// A violation, with a close frame that waits, that is written in part, or that is gone: one is written,
/// and it is whole.
#[test]
fn a_violation_while_closing() {
    for data in [false, true] {
        for written in 0..30 {
            let mut s = server();
            if data {
                s.sender.text("0123456789").expect("room");
            }
            s.close(NORMAL, "bye").expect("room");
            s.write(written);
            s.read(&Wire::new(Role::Client).frame(FIN | 3, "").into_bytes());
            let before = s.wrote.clone();
            while !s.write(1_000).is_empty() {}
            assert!(s.wrote.starts_with(&before));
            let said = s.said();
            let closes: Vec<_> = said.iter().filter(|frame| frame.0 == FIN | CLOSE).collect();
            let begun = written > if data { 12 } else { 0 };
            let expected = if begun { close_frame(1_000, "bye") } else { close_frame(1_002, "") };
            assert_eq!(closes, [&expected], "{written}");
            assert_eq!(said.last(), Some(&expected));
            // The peer may still send: it is given the time to read why.
            assert_eq!(s.at(0), State::Linger(PATIENCE));
        }
    }
}

/// After a violation both sides linger, and a close frame from a peer that is written off counts no more.
#[test]
fn after_a_violation() {
    for n in CUTS {
        let (mut s, mut c) = (server(), client());
        c.read(
            &Wire::new(Role::Server).text("ok").frame(FIN | 0x70 | TEXT, "x").close(1_000, "").into_bytes(),
        );
        assert!(matches!(c.log.entries[..], [_, Entry::Failed(_)]));
        assert!(matches!(c.at(0), State::Closing(_)));
        s.now = 1;
        talk(&mut s, &mut c, n);
        assert_eq!(s.log.entries, [closed(1_002, "")]);
        assert_eq!(c.log.entries.len(), 2);
        let end = |since| State::Linger(since + PATIENCE);
        assert_eq!((s.at(1), c.at(1)), (end(1), end(0)));
    }
}

/// In the least memory that a sender can have.
#[test]
fn without_room_for_data_there_is_room_to_close() {
    let mut sender = Sender::client(Array::<524>::new(), key as Key);
    assert!(matches!(sender.text("x"), Err(SendError::TooLong { .. })));
    sender.ping(&[1; 125]).expect("room");
    sender.pong(&[2; 125]);
    sender.transmitted(1);
    sender.pong(&[3; 125]);
    sender.close(NORMAL, &"r".repeat(200), Instant::ZERO).expect("room");
    let mut receiver = Receiver::new(Role::Server, Array::<125>::new());
    let mut first = vec![FIN | PING];
    first.extend_from_slice(sender.transmit());
    let mut log = Log::default();
    let mut listener = Sender::server(Grow::new(10_000));
    feed(&mut receiver, false, &first, &mut listener, &mut log);
    sender.transmitted(first.len() - 1);
    let rest = sender.transmit().to_vec();
    feed(&mut receiver, false, &rest, &mut listener, &mut log);
    assert_eq!(log.entries.last(), Some(&closed(1_000, &"r".repeat(123))));
    assert!(log.entries.contains(&Entry::Pong(vec![3; 125])));
}
