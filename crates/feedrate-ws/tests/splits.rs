//! WebSocket: what comes out, and what the sender says, is a function of the bytes, never of how they were
//! cut. Of every vector, for both sides, with and without compression, whole and in pieces, from input that
//! can be unmasked where it lies and from other, fed and pulled.

use feedrate::{Array, Borrowed, Grow, Storage};
use feedrate_testkit::chunks::bytewise;
use feedrate_testkit::ws::run::{How, Transcript, agreed, transcript};
use feedrate_testkit::ws::wire::{Wire, peer, stored};
use feedrate_testkit::ws::{Vector, bad, good};
use feedrate_ws::Role;
use feedrate_ws::frame::CONTROL;
use proptest::collection::vec;
use proptest::prelude::*;

/// The longest message of all vectors, and room for a control frame behind it.
const ROOM: usize = 70_000 + CONTROL;

/// Feeds `bytes` whole, byte by byte, in two everywhere, and in three, if they are few; and returns what
/// all of these have in common.
fn always(name: &str, bytes: &[u8], read: impl Fn(&[&[u8]]) -> Transcript) -> Transcript {
    let whole = read(&[bytes]);
    let check = |chunks: &[&[u8]]| {
        let found = read(chunks);
        let lengths = || chunks.iter().map(|chunk| chunk.len()).take(9).collect::<Vec<_>>();
        assert!(whole == found, "{name}, cut {:?}\n whole: {whole:?}\n   cut: {found:?}", lengths());
    };
    check(&bytewise(bytes));
    check(&[&[], bytes, &[]]);
    let few = bytes.len() <= 200;
    let ends = |at: &usize| few || [1, 4, 9, 13, 14, 15, bytes.len() / 2, bytes.len() - 1].contains(at);
    for at in (0..=bytes.len()).filter(ends) {
        check(&[&bytes[..at], &bytes[at..]]);
    }
    if bytes.len() <= 12 {
        for first in 1..bytes.len() {
            for second in first + 1..bytes.len() {
                check(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
            }
        }
    }
    for size in [7, 4096] {
        check(&bytes.chunks(size).collect::<Vec<_>>());
    }
    whole
}

fn expected(row: &Vector, how: How, found: &Transcript) {
    assert_eq!(found.entries, row.entries, "{} {how:?}", row.name);
    assert_eq!(found.said, row.said, "{} {how:?}", row.name);
}

fn ways(row: &Vector) -> impl Iterator<Item = How> + '_ {
    // Long ones in two ways.
    let long = row.bytes.len() > 10_000;
    let deflate = row.deflate.or(long.then_some(false));
    let fits = move |how: &How| match deflate {
        Some(deflate) => deflate == how.deflate.is_some() && (!long || how.pieces == how.shared),
        // With compression that is not made use of, half the ways will do.
        None => how.deflate.is_none() || how.pieces == how.shared,
    };
    How::all(row.role, u64::MAX).into_iter().filter(fits)
}

fn everywhere<S: Storage>(rows: &[Vector], mut storage: impl FnMut(&Vector, How) -> Option<S>) -> usize {
    let mut read = 0;
    for row in rows {
        for how in ways(row) {
            if storage(row, how).is_none() {
                continue;
            }
            read += 1;
            let storage = std::cell::RefCell::new(&mut storage);
            let found = always(&row.name, &row.bytes, |chunks| {
                let storage = (storage.borrow_mut())(row, how).expect("one");
                transcript(how, storage, chunks)
            });
            expected(row, how, &found);
        }
    }
    read
}

#[test]
fn good_streams_in_a_storage_that_grows() {
    let rows = good();
    let read = everywhere(&rows, |_, _| Some(Grow::new(ROOM)));
    assert!(read > rows.len() * 4 && rows.len() > 150, "{read} of {}", rows.len());
}

#[test]
fn bad_streams_in_a_storage_that_grows() {
    let rows = bad();
    let read = everywhere(&rows, |_, _| Some(Grow::new(ROOM)));
    assert!(read > rows.len() * 4 && rows.len() > 700, "{read} of {}", rows.len());
}

/// In pieces, 125 bytes are enough for everything.
#[test]
fn streams_in_an_array_of_125_bytes() {
    let rows: Vec<_> = good().into_iter().chain(bad()).filter(|row| row.bytes.len() < 300).collect();
    let read = everywhere(&rows, |_, how| how.pieces.then(Array::<CONTROL>::new));
    assert!(read > rows.len() * 2, "{read} of {}", rows.len());
}

/// Whole messages in just the memory that the longest of them needs.
#[test]
fn streams_in_a_borrowed_storage_of_their_own_length() {
    let rows: Vec<_> = good().into_iter().chain(bad()).filter(|row| row.bytes.len() < 120).collect();
    for row in &rows {
        for how in ways(row).filter(|how| !how.pieces) {
            // A bad message counts with what it claims to have.
            let memory = std::cell::RefCell::new(vec![0; row.longest() + CONTROL]);
            let found = always(&row.name, &row.bytes, |chunks| {
                transcript(how, Borrowed::new(&mut memory.borrow_mut()), chunks)
            });
            expected(row, how, &found);
        }
    }
}

/// What the last byte of a stream left behind: inside of a message, between two, behind a close frame.
#[test]
fn a_stream_that_ends_early() {
    for row in good().into_iter().filter(|row| row.bytes.len() < 90) {
        let (storage, how) = (|| Grow::new(ROOM), How::with(row.role, u64::MAX, Some(agreed()))[0]);
        let mut before = 0;
        for n in 0..=row.bytes.len() {
            let found = always(&row.name, &row.bytes[..n], |chunks| transcript(how, storage(), chunks));
            assert!(row.entries.starts_with(&found.entries), "{} {found:?}", row.name);
            assert!(row.said.starts_with(&found.said), "{} {found:?}", row.name);
            assert!(found.entries.len() >= before);
            before = found.entries.len();
            let expected = (!found.is_over()).then(|| !row.message_ends(n));
            assert_eq!(found.end.err().map(|end| end.inside), expected, "{} at {n}", row.name);
        }
    }
}

/// Frames of any kind, with bytes in them changed: whatever comes of that, it is the same for every
/// receiver, and however it is cut.
fn frames() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x00_u8, 0x01, 0x02, 0x80, 0x81, 0x82, 0x89, 0x8a, 0xc1, 0xc2, 0x41]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => vec(any::<u8>(), 0..20),
        3 => "[a-zä世🙂]{0,50}".prop_map(String::into_bytes),
        1 => vec(0x20_u8..0x7f, 120..140),
        1 => Just(vec![0x03, 0xe8]),
        2 => vec(any::<u8>(), 0..90).prop_map(|bytes| stored(&bytes)),
        1 => Just(vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
    ];
    vec((first, payload), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes(
        frames in frames(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        for role in [Role::Server, Role::Client] {
            let wire = frames.iter().fold(Wire::new(peer(role)), |w, (first, payload)| w.frame(*first, payload));
            let mut bytes = wire.into_bytes();
            if bytes.is_empty() {
                continue;
            }
            flips.iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte);
            let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
            at.sort_unstable();
            let chunks: Vec<_> = at.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
            for deflate in [None, Some(agreed())] {
                let ways = How::with(role, 200, deflate);
                let whole = transcript(ways[0], Grow::new(200 + CONTROL), &[&bytes]);
                for how in ways {
                    prop_assert_eq!(&whole, &transcript(how, Array::<{ 200 + CONTROL }>::new(), &chunks));
                    prop_assert_eq!(&whole, &transcript(how, Grow::new(200 + CONTROL), &bytewise(&bytes)));
                }
            }
        }
    }
}
