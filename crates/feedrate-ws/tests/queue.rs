//! WebSocket: what is queued, under a peer that does not take it. Control frames pass data, the memory is
//! bounded, a full queue gives the message back, and whatever happens, what is written are whole frames in
//! the right order.

use feedrate::{Array, Grow, SliceOutput, Storage};
use feedrate_testkit::ws::data::numbered;
use feedrate_testkit::ws::run::{Entry, Key, NOW, key, understood, write, write_some};
use feedrate_testkit::ws::wire::{
    BINARY, CLOSE, FIN, Frame, MORE, PING, PONG, TEXT, Wire, frame, frames, peer,
};
use feedrate_ws::{Answer, CloseCode, Keys, Kind, Piece, Receiver, Role, SendError, Sender, Unmasked};

/// Kept for control frames, as the documentation says.
const RESERVED: usize = 524;
/// So many pings that come at once are answered one by one, if the peer takes what it is sent.
const PONGS: usize = 16;

fn server(limit: usize) -> Sender<Grow, Unmasked> {
    Sender::server(Grow::new(limit + RESERVED))
}

fn client(limit: usize) -> Sender<Grow, Key> {
    Sender::client(Grow::new(limit + RESERVED), key as Key)
}

/// The bytes of the frames that begin before byte `n`.
fn begun(role: Role, bytes: &[u8], n: usize) -> usize {
    let mut rest = bytes;
    while bytes.len() - rest.len() < n {
        rest = frame(role, rest).expect("whole").1;
    }
    bytes.len() - rest.len()
}

fn all<S: Storage, K: Keys>(sender: &mut Sender<S, K>) -> Vec<u8> {
    let mut out = Vec::new();
    write(sender, &mut out);
    assert_eq!(sender.queued(), 0);
    out
}

/// Wherever the writing has come to: the pong is the next frame, also of a long message that has begun.
#[test]
fn a_pong_goes_at_the_next_boundary() {
    fn check<K: Keys>(make: impl Fn() -> Sender<Grow, K>) {
        let fill = |sender: &mut Sender<Grow, K>| {
            sender.binary(&numbered(250)).expect("room");
            sender.text("short").expect("room");
            sender.piece(Piece::binary(b"begun", false)).expect("room");
        };
        let mut sender = make();
        fill(&mut sender);
        let plain = all(&mut sender);
        let whole = frames(K::ROLE, &plain);
        assert_eq!(whole.len(), 5);
        for n in 0..=plain.len() {
            let (mut sender, mut out) = (make(), Vec::new());
            fill(&mut sender);
            write_some(&mut sender, n, &mut out);
            sender.pong(b"first");
            sender.pong(b"pong");
            sender.ping(b"ping").expect("none before");
            assert_eq!(sender.ping(b"again"), Err(SendError::PingPending));
            assert!(sender.queued() < plain.len() - n + 36);
            write(&mut sender, &mut out);
            let boundary = begun(K::ROLE, &plain, n);
            let (before, rest) = out.split_at(boundary);
            assert_eq!(before, &plain[..boundary]);
            let mut rest = frames(K::ROLE, rest);
            // If the peer has not taken all that it was offered, the last ping alone is answered.
            let first = n == 0 || n == plain.len();
            assert_eq!(rest[0].1 == b"first", first, "{n}");
            rest.drain(..usize::from(first));
            let expected: [Frame; 2] = [(FIN | PONG, b"pong".to_vec()), (FIN | PING, b"ping".to_vec())];
            assert_eq!(rest[..2], expected, "{n}");
            assert_eq!(rest[2..], whole[whole.len() + 2 - rest.len()..]);
        }
    }
    check(|| server(1_000).fragments(100));
    check(|| client(1_000).fragments(100));
}

/// What has begun stays whole: at each byte that is written, another pong comes, and data.
#[test]
fn frames_are_never_cut_by_others() {
    fn check<K: Keys>(mut sender: Sender<impl Storage, K>) {
        let mut out = Vec::new();
        for i in 0..3_000_u16 {
            sender.pong(&i.to_be_bytes());
            if i % 50 == 0 {
                sender.binary(&numbered(40)).expect("room");
            }
            write_some(&mut sender, 1, &mut out);
        }
        write(&mut sender, &mut out);
        let pongs: Vec<_> = frames(K::ROLE, &out).into_iter().filter(|frame| frame.0 == FIN | PONG).collect();
        assert!(pongs.is_sorted() && pongs.len() > 300, "{}", pongs.len());
        assert_eq!(pongs.last(), Some(&(FIN | PONG, 2_999_u16.to_be_bytes().to_vec())));
        assert_eq!(frames(K::ROLE, &out).len() - pongs.len(), 60);
    }
    check(server(10_000));
    check(client(10_000));
    check(Sender::server(Array::<6_000>::new()));
    check(Sender::client(Array::<6_000>::new(), key as Key));
}

/// A hundred thousand pings to a peer that takes nothing, that takes a byte for each, or that takes nearly
/// as much as it asks for.
#[test]
fn a_ping_flood_takes_no_memory() {
    fn check<K: Keys>(mut sender: Sender<Grow, K>, takes: usize) {
        let pings = if cfg!(debug_assertions) && takes > 1 { 5_000 } else { 100_000 };
        let mut receiver = Receiver::new(K::ROLE, Grow::new(1_000));
        let wire = (0..100).fold(Wire::new(peer(K::ROLE)), |wire, i| wire.ping([i; 100])).into_bytes();
        let mut written = Vec::new();
        sender.binary(&numbered(700)).expect("room");
        for _ in 0..pings / 100 {
            let mut chunk = wire.clone();
            let mut input = &mut chunk[..];
            while receiver.feed(&mut input, NOW, &mut sender).expect("good").is_some() {
                write_some(&mut sender, takes, &mut written);
                // One that has begun, and one that waits; some more, if nothing tells that the peer does not take them.
                let pongs = if takes == 0 { PONGS } else { 2 };
                assert!(sender.queued() < 720 + pongs * 106, "{}", sender.queued());
                let used = sender.storage().held().len();
                assert!(
                    used <= 720 + pongs * 106 + 106,
                    "{takes} bytes for each ping: {used} bytes are held"
                );
            }
        }
        assert!(sender.storage().capacity() < 4_096, "{}", sender.storage().capacity());
        // And the close frame still finds its place.
        sender.failed(CloseCode::PROTOCOL, NOW);
        write(&mut sender, &mut written);
        let frames = frames(K::ROLE, &written);
        assert_eq!(frames.last(), Some(&(FIN | CLOSE, vec![0x03, 0xea])));
        assert!(frames.len() >= takes.min(100) * pings / 110);
    }
    for takes in [0, 1, 101, 102, 107, 150] {
        check(server(4_096), takes);
        check(client(4_096), takes);
    }
}

/// The same where the memory is fixed: no pong is lost for want of it, nor the close frame.
#[test]
fn a_ping_flood_in_an_array() {
    fn check<K: Keys>(mut sender: Sender<impl Storage, K>, takes: usize) {
        let mut written = Vec::new();
        while sender.binary(&numbered(60)).is_ok() {}
        let mut last = 0;
        for i in 0..5_000_u32 {
            sender.pong(&[&i.to_be_bytes()[..], &[0; 121]].concat());
            if i % 3 == 0 && sender.ping(&[1; 125]).is_ok() {
                last = i;
            }
            write_some(&mut sender, takes, &mut written);
        }
        assert!(last > 4_900);
        sender.failed(CloseCode::PROTOCOL, NOW);
        write(&mut sender, &mut written);
        let frames = frames(K::ROLE, &written);
        assert_eq!(frames.last(), Some(&(FIN | CLOSE, vec![0x03, 0xea])));
        let (first, payload) = &frames[frames.len() - 2];
        let last = [4_999_u32.to_be_bytes(), [0; 4]].concat();
        let found = frames.iter().rfind(|frame| frame.0 == FIN | PONG).expect("pongs");
        assert_eq!(found.1[..8], last, "the last frame but one is {first:x} {payload:x?}");
    }
    for takes in [100, 126, 127, 128, 131, 133, 200, 254, 262] {
        check(Sender::server(Array::<2_048>::new()), takes);
        check(Sender::client(Array::<2_048>::new(), key as Key), takes);
    }
}

/// Many pings in one read, and then a violation: in an array that has just enough room.
#[test]
fn pings_at_once_leave_room_for_the_close_frame() {
    fn check<K: Keys>(mut sender: Sender<impl Storage, K>, pings: u8) {
        let mut written = Vec::new();
        (0..pings).for_each(|i| sender.pong(&[i; 125]));
        sender.ping(&[1; 125]).expect("room for a ping");
        let sent = sender.binary(b"data").is_ok();
        sender.failed(CloseCode::PROTOCOL, NOW);
        write(&mut sender, &mut written);
        let frames = frames(K::ROLE, &written);
        assert_eq!(frames.last(), Some(&(FIN | CLOSE, vec![0x03, 0xea])), "{pings} {frames:?}");
        let pongs: Vec<_> = frames.iter().filter(|frame| frame.0 == FIN | PONG).collect();
        assert_eq!(pongs.last().map(|pong| pong.1[0]), Some(pings - 1));
        assert!(frames.contains(&(FIN | PING, vec![1; 125])), "{pings} {frames:?}");
        // Data may have to wait for the pongs, and is told so.
        assert_eq!(frames.contains(&(FIN | BINARY, b"data".to_vec())), sent);
    }
    for pings in 1..40 {
        check(Sender::server(Array::<600>::new()), pings);
        check(Sender::server(Array::<1_100>::new()), pings);
        check(Sender::client(Array::<1_400>::new(), key as Key), pings);
        check(Sender::client(Array::<2_600>::new(), key as Key), pings);
        check(Sender::client(Array::<4_000>::new(), key as Key), pings);
    }
}

#[test]
fn full_gives_the_message_back() {
    fn check<K: Keys>(mut sender: Sender<Grow, K>) {
        let message = numbered(300);
        let mut sent = 0;
        let (needed, free) = loop {
            let before = (sender.queued(), sender.transmit().to_vec());
            match sender.binary(&message) {
                Ok(()) => sent += 1,
                Err(SendError::Full { needed, free }) => {
                    assert_eq!(before, (sender.queued(), sender.transmit().to_vec()));
                    break (needed, free);
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert!(needed > free && needed <= 300 + 14 && sent == 3, "{needed} {free} {sent}");
        assert_eq!(sender.free(), free);
        assert!(matches!(sender.text("x".repeat(free).as_str()), Err(SendError::Full { .. })));
        // What it says is free, is.
        sender.binary(&message[..free - 14]).expect("as much as is free");
        // Never, however long one waits.
        let limit = sender.storage().limit() - RESERVED;
        let error = sender.binary(&numbered(limit)).expect_err("too long");
        assert!(matches!(error, SendError::TooLong { limit: said, .. } if said == limit), "{error:?}");
        // Once it has been taken.
        let mut out = Vec::new();
        while sender.binary(&message).is_err() {
            assert!(!sender.transmit().is_empty());
            write_some(&mut sender, 1, &mut out);
        }
        assert!(out.len() <= 1_000 / 4 + 400, "{} bytes had to go before there was room", out.len());
        write(&mut sender, &mut out);
        let lengths: Vec<_> = frames(K::ROLE, &out).iter().map(|(_, payload)| payload.len()).collect();
        assert_eq!(lengths, [300, 300, 300, free - 14, 300]);
        // All of it, when all is gone.
        sender.binary(&numbered(limit - 14)).expect("an empty queue");
        assert_eq!(frames(K::ROLE, &all(&mut sender)), [(FIN | BINARY, numbered(limit - 14))]);
    }
    check(server(1_000));
    check(client(1_000));
}

/// However much of it is written at once, and whatever waits before it: the same bytes as if all had been queued.
#[test]
fn what_is_written_from_where_it_lies_is_the_same() {
    fn check<K: Keys>(
        make: impl Fn() -> Sender<Grow, K>,
        before: impl Fn(&mut Sender<Grow, K>, &mut Vec<u8>),
    ) {
        let long = "x".repeat(300);
        let (mut sender, mut expected) = (make(), Vec::new());
        before(&mut sender, &mut expected);
        sender.text(long.as_str()).expect("room");
        sender.text("after").expect("room");
        write(&mut sender, &mut expected);
        for n in 0..=expected.len() {
            let (mut sender, mut out) = (make(), Vec::new());
            before(&mut sender, &mut out);
            let queued = sender.queued();
            let mut offered = 0;
            let write_now = |parts: [&[u8]; 3]| {
                let all = parts.concat();
                offered = all.len();
                out.extend(&all[..n.min(offered)]);
                n.min(offered)
            };
            sender.send_vectored(long.as_str(), write_now).expect("room");
            // A server writes its frame from where it lies, unless control frames wait.
            let direct = offered > 0;
            assert_eq!(direct, K::ROLE == Role::Server && !sender.storage().held().ends_with(b"pong"), "{n}");
            if direct {
                assert_eq!(offered, queued + 4 + 300);
                assert_eq!(sender.queued(), offered.saturating_sub(n));
                assert_eq!(sender.storage().held().is_empty(), n >= offered);
            }
            sender.text("after").expect("room");
            write(&mut sender, &mut out);
            assert_eq!(out, expected, "{n}");
        }
        // What has no room is not begun.
        let mut sender = make();
        before(&mut sender, &mut Vec::new());
        let queued = sender.queued();
        let refused = sender.send_vectored(&numbered(1_000)[..], |_| panic!("something was written"));
        assert!(matches!(refused, Err(SendError::TooLong { .. })));
        assert_eq!(sender.queued(), queued);
    }
    fn all<K: Keys>(make: &dyn Fn() -> Sender<Grow, K>) {
        check(make, |_, _| {});
        check(make, |sender, _| sender.text("before").expect("room"));
        check(make, |sender, out| {
            sender.text("one").expect("room");
            sender.text("two").expect("room");
            write_some(sender, 2, out);
        });
        check(make, |sender, _| {
            sender.text("before").expect("room");
            sender.pong(b"pong");
        });
        check(make, |sender, out| {
            sender.text(&*"y".repeat(200)).expect("room");
            write_some(sender, 150, out);
            sender.pong(b"pong");
        });
    }
    all(&|| server(1_000));
    all(&|| client(1_000));
}

/// The close frame for a peer that breaks a rule goes behind what came before, unless the peer does not take that.
#[test]
fn a_violation_is_not_stuck_behind_data() {
    for written in 0..220 {
        let mut sender = server(10_000);
        for _ in 0..20 {
            sender.binary(&numbered(100)).expect("room");
        }
        sender.pong(b"pong");
        let mut out = Vec::new();
        write_some(&mut sender, written, &mut out);
        sender.failed(CloseCode::PROTOCOL, NOW);
        write(&mut sender, &mut out);
        let written_frames = frames(Role::Server, &out);
        assert_eq!(written_frames.last(), Some(&(FIN | CLOSE, vec![0x03, 0xea])));
        // The pong, what had begun, and the close frame.
        let blocked = written > 0 && written != 6;
        let begun = written.saturating_sub(6).div_ceil(102);
        assert_eq!(written_frames.len(), if blocked { 1 + begun + 1 } else { 22 }, "{written}");
    }
    // The same, if what was not taken was written from where it lies.
    let (mut sender, mut out) = (server(10_000), Vec::new());
    let first = |parts: [&[u8]; 3]| {
        out.extend_from_slice(&parts.concat()[..50]);
        50
    };
    sender.send_vectored(&numbered(100)[..], first).expect("room");
    sender.text("after").expect("room");
    sender.failed(CloseCode::PROTOCOL, NOW);
    write(&mut sender, &mut out);
    let close = (FIN | CLOSE, vec![0x03, 0xea]);
    assert_eq!(frames(Role::Server, &out), [(FIN | BINARY, numbered(100)), close]);
}

#[test]
fn long_messages_go_in_fragments() {
    let parts = |length: usize| -> Vec<Frame> {
        let bytes = numbered(length);
        let parts: Vec<_> = if length == 0 { vec![&bytes[..]] } else { bytes.chunks(64).collect() };
        let n = parts.len();
        let first = |i| if i == 0 { BINARY } else { MORE } | if i + 1 == n { FIN } else { 0 };
        parts.into_iter().enumerate().map(|(i, part)| (first(i), part.to_vec())).collect()
    };
    for length in [0, 1, 63, 64, 65, 127, 128, 129, 640, 1000] {
        let mut sender = server(2_000).fragments(64);
        sender.binary(&numbered(length)).expect("room");
        assert_eq!(frames(Role::Server, &all(&mut sender)), parts(length));
        let mut sender = client(2_000).fragments(64);
        sender.binary(&numbered(length)).expect("room");
        assert_eq!(frames(Role::Client, &all(&mut sender)), parts(length));
    }
    // All of them, or none.
    let mut sender = server(400).fragments(10);
    sender.text("before").expect("room");
    assert!(matches!(sender.binary(&numbered(350)), Err(SendError::TooLong { .. })));
    assert_eq!(frames(Role::Server, &all(&mut sender)), [(FIN | TEXT, b"before".to_vec())]);
}

#[test]
fn pieces_are_one_message() {
    let mut sender = server(1_000);
    sender.piece(Piece::text("a", false)).expect("room");
    assert_eq!(sender.text("b"), Err(SendError::Unfinished));
    assert_eq!(sender.piece(Piece::binary(b"b", true)), Err(SendError::Unfinished));
    sender.ping(b"p").expect("room");
    sender.piece(Piece::text("", false)).expect("room");
    sender.piece(Piece::text("c", true)).expect("room");
    sender.text("d").expect("room");
    let said = understood(Role::Server, &all(&mut sender), None).entries;
    let text = |text: &str| Entry::Message(Kind::Text, text.into());
    assert_eq!(said, [Entry::Ping(b"p".to_vec()), text("ac"), text("d")]);
    // One that did not fit has not begun.
    let mut sender = server(100);
    assert!(sender.piece(Piece::binary(&numbered(200), false)).is_err());
    sender.text("e").expect("no message has begun");
    assert_eq!(sender.ping(&[0; 126]), Err(SendError::ControlTooLong { length: 126 }));
    assert_eq!(understood(Role::Server, &all(&mut sender), None).entries, [text("e")]);
}

/// `poll_transmit` is `transmit` and `transmitted`: whatever room there is, the same bytes leave in the same order, and
/// what has no room is what the peer does not take.
#[test]
fn bytes_that_are_copied_out_are_those_that_are_lent() {
    fn fill(sender: &mut Sender<Grow, Key>) {
        sender.binary(&numbered(300)).expect("room");
        sender.ping(b"ping").expect("room");
        sender.binary(&numbered(70)).expect("room");
        (0..3).for_each(|n| sender.pong(&[n; 20]));
    }
    let mut lent = client(2_000).fragments(64);
    fill(&mut lent);
    let expected = all(&mut lent);
    for room in (1..40).chain([100, 5_000]) {
        let mut sender = client(2_000).fragments(64);
        fill(&mut sender);
        let (mut memory, mut copied) = (vec![0; room], Vec::new());
        loop {
            let queued = sender.queued();
            let n = sender.poll_transmit(&mut SliceOutput::new(&mut memory));
            assert_eq!(n, room.min(queued));
            assert_eq!(sender.queued(), queued - n);
            if n == 0 {
                break;
            }
            copied.extend_from_slice(&memory[..n]);
        }
        assert_eq!(copied, expected, "{room}");
    }
    // One pong waits, the last, while there is no room.
    let mut sender = server(2_000);
    sender.binary(&numbered(300)).expect("room");
    assert_eq!(sender.poll_transmit(&mut SliceOutput::new(&mut [])), 0);
    (0..3).for_each(|n| sender.pong(&[n; 20]));
    let mut out = Vec::new();
    assert_eq!(sender.poll_transmit(&mut out), out.len());
    let said = frames(Role::Server, &out);
    assert_eq!(said.iter().filter(|frame| frame.0 == FIN | PONG).count(), 1);
    assert!(said.contains(&(FIN | PONG, vec![2; 20])));
}
