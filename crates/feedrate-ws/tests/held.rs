//! WebSocket: what is held of compressed messages that have begun and not ended. A byte of one can stand for a thousand
//! others, and who sends it can take as long as it likes: so memory is in proportion to what has come, and what
//! happens, and when, is a function of the bytes all the same.

use feedrate::{Grow, Storage};
use feedrate_testkit::counting::{Counting, live};
use feedrate_testkit::ws::binary;
use feedrate_testkit::ws::data::{echoes, noise};
use feedrate_testkit::ws::run::{Entry, How, NOW, agreed, said, transcript};
use feedrate_testkit::ws::wire::{BINARY, FIN, MORE, PING, RSV1, TEXT, Wire, frames};
use feedrate_ws::{Error, Receiver, Role, Violation};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What is held without further ado, and for each byte that has come.
const FREE: usize = 64 * 1024;
const FACTOR: usize = 4;
const LIMIT: usize = 64 << 20;

/// A message's payload, compressed.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let count = bytes.chunks(1 << 20).count();
    let wire = said(Role::Server, agreed(), |sender| {
        bytes.chunks(1 << 20).enumerate().for_each(|(i, piece)| sender.piece(piece, i + 1 == count));
    });
    frames(Role::Server, &wire).into_iter().flat_map(|(_, payload)| payload).collect()
}

/// As a client sends it, in a frame that begins a message.
fn begun(opcode: u8, payload: &[u8]) -> Vec<u8> {
    Wire::new(Role::Client).frame(RSV1 | opcode, payload).into_bytes()
}

/// Messages that are put together, from every kind of input.
fn whole() -> [How; 3] {
    let [a, b, .., c, _] = How::with(Role::Server, LIMIT as u64, Some(agreed()));
    assert!(!a.pieces && !b.pieces && !c.pieces);
    [a, b, c]
}

fn events(how: How, limit: usize, bytes: &[u8], chunk: usize) -> Vec<Entry> {
    transcript(how, Grow::new(limit + 125), &bytes.chunks(chunk).collect::<Vec<_>>()).entries
}

/// The same, however it is cut.
fn cut(limit: usize, bytes: &[u8]) -> Vec<Entry> {
    let expected = events(whole()[0], limit, bytes, bytes.len().max(1));
    for how in whole() {
        for chunk in [1, 7, 1_000, 1_024, 1_025, 4_096, 40_000, usize::MAX] {
            assert!(events(how, limit, bytes, chunk) == expected, "{how:?} {chunk}");
        }
    }
    expected
}

#[test]
fn memory_is_in_proportion_to_what_has_come() {
    let bomb = packed(&vec![0; LIMIT]);
    assert!(bomb.len() > 65_000);
    for (name, payload) in [("zeros", &bomb), ("text", &packed(&echoes(300_000))), ("noise", &noise_packed())]
    {
        for chunk in [1, 100, 1_024, 16_384] {
            let payload = &payload[..payload.len().min(if chunk < 100 { 20_000 } else { 65_536 })];
            let wire = begun(BINARY, payload);
            let head = wire.len() - payload.len();
            let before = live();
            let mut receiver = Receiver::new(Role::Server, Grow::new(LIMIT + 125)).deflate(Some(agreed()));
            let mut fed = 0;
            for chunk in wire.chunks(chunk) {
                fed += chunk.len();
                assert_eq!(receiver.feed(&mut &*chunk, NOW, &mut ()), Ok(None));
                let received = fed.saturating_sub(head);
                assert!(receiver.storage().held().len() <= FREE + FACTOR * received, "{name}: {fed}");
                // Memory grows by doubling, and an inflater takes what it takes.
                let most = 2 * (FREE + (FACTOR + 1) * received) + 60_000;
                assert!(
                    (live() - before) as usize <= most,
                    "{name}: {} of {most}, {fed} came",
                    live() - before
                );
            }
            // The zeros use all that they may: nobody waits for longer than must be.
            if name == "zeros" {
                assert_eq!(receiver.storage().held().len(), FREE + FACTOR * payload.len());
            }
        }
    }
}

/// What has come of a message counts for that message alone, and what waited for one is given back with it.
#[test]
fn each_message_begins_anew() {
    let bomb = packed(&vec![0; LIMIT / 2]);
    let whole = Wire::new(Role::Client).frame(FIN | RSV1 | BINARY, noise_packed()).into_bytes();
    let waited = Wire::new(Role::Client).frame(RSV1 | BINARY, &bomb).frame(FIN | MORE, b"").into_bytes();
    for first in [whole, waited] {
        let before = live();
        let mut receiver = Receiver::new(Role::Server, Grow::new(LIMIT + 125)).deflate(Some(agreed()));
        for _ in 0..3 {
            assert!(matches!(receiver.feed(&mut &first[..], NOW, &mut ()), Ok(Some(_))));
            assert_eq!(receiver.feed(&mut &b""[..], NOW, &mut ()), Ok(None));
            receiver.release();
            // An inflater, and nothing else.
            assert!(live() - before < 52_000, "{}", live() - before);
        }
        assert_eq!(receiver.feed(&mut &begun(BINARY, &bomb[..1_000])[..], NOW, &mut ()), Ok(None));
        assert_eq!(receiver.storage().held().len(), FREE + FACTOR * 1_000);
    }
}

fn noise_packed() -> Vec<u8> {
    packed(&noise(300_000, 3))
}

/// Messages of which a lot waits for the end: whole, in fragments, and with pings in between that are answered.
#[test]
fn what_waits_comes_with_the_end() {
    let messages =
        [vec![0; 3_000_000], echoes(200_000), [vec![1; 500_000], noise(9_000, 1), vec![2; 500_000]].concat()];
    for message in messages {
        let payload = packed(&message);
        let once = Wire::new(Role::Client).frame(FIN | RSV1 | BINARY, &payload).into_bytes();
        assert!(cut(LIMIT, &once) == [binary(&message)]);
        let mut wire = Wire::new(Role::Client).frame(RSV1 | BINARY, &payload[..payload.len() / 3]);
        wire =
            wire.frame(FIN | PING, b"1").frame(MORE, &payload[payload.len() / 3..]).frame(FIN | PING, b"2");
        let wire = wire.frame(MORE, b"").frame(FIN | MORE, b"").text("next").into_bytes();
        let found = cut(LIMIT, &wire);
        assert_eq!(found.len(), 4);
        assert!(found[2] == binary(&message));
    }
}

/// What is wrong behind what may be held is told when enough has come, or the message ends: at the same byte, however
/// the bytes came.
#[test]
fn violations_wait_too() {
    // 100,000 bytes of almost nothing, something bad, and enough behind it.
    let bad = 100_000;
    let text = |bad: &[u8]| packed(&[&vec![b'a'; 100_000], bad, &noise(20_000, 9)].concat());
    let mut broken = packed(&vec![b'a'; bad]);
    // A block of the reserved kind.
    broken.extend([0x06; 20_000]);
    let cases = [
        (LIMIT, text(b"\xff"), Violation::Utf8 { at: bad as u64 }),
        (bad, text(b"a"), Violation::TooLong { length: bad as u64 + 1, limit: bad as u64 }),
        (LIMIT, broken, Violation::Deflate),
    ];
    for (limit, payload, violation) in cases {
        let wire = begun(TEXT, &payload);
        let head = wire.len() - payload.len();
        // The first byte at which one more than the good ones may be held.
        let told = (bad - FREE) / FACTOR + 1;
        let failed = [Entry::Failed(Error { violation, offset: 0 })];
        assert_eq!(cut(limit, &wire[..head + told - 1]), [], "{violation}");
        assert_eq!(cut(limit, &wire[..head + told]), failed, "{violation}");
        // With the end of the message at once.
        let short = payload[..2_000].to_vec();
        let ended = begun(TEXT, &short);
        assert_eq!(cut(limit, &ended), []);
        let ended = Wire::new(Role::Client).frame(RSV1 | TEXT, &short).frame(FIN | MORE, b"").into_bytes();
        let offset = (ended.len() - 6) as u64;
        match &cut(limit, &ended)[..] {
            [Entry::Failed(error)] => assert_eq!(*error, Error { violation, offset }),
            other => panic!("{other:?}"),
        }
    }
}
