//! WebSocket: compression, to RFC 7692. What one side compresses the other, and an inflater of a page,
//! understand; what is agreed on is kept to; and what somebody else sends can be neither a bomb nor the end
//! of the next message.

use feedrate::{Array, Grow, Storage};
use feedrate_testkit::ws::data::{echoes, noise, numbered};
use feedrate_testkit::ws::inflate::inflate;
use feedrate_testkit::ws::run::{Entry, How, Key, Log, NOW, agreed, feed, key, said, transcript, write};
use feedrate_testkit::ws::wire::{BINARY, FIN, Frame, MORE, PING, RSV1, TEXT, Wire, frames, peer, stored};
use feedrate_testkit::ws::{binary, text};
use feedrate_ws::deflate::{Config, Offer, Params};
use feedrate_ws::{Error, Event, Piece, Receiver, Role, SendError, Sender, Violation};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn config(bits: u8, no_context: bool) -> Config {
    Config::new()
        .server_bits(bits)
        .client_bits(bits)
        .server_no_context(no_context)
        .client_no_context(no_context)
        .threshold(0)
}

fn params(config: Config) -> Params {
    config.accept(&Offer::default())
}

/// A message's frames put together, and the tail that was left out.
fn payloads(frames: Vec<Frame>) -> Vec<(bool, Vec<u8>)> {
    let mut messages: Vec<(bool, Vec<u8>)> = Vec::new();
    for (first, payload) in frames {
        if first & 0xf == MORE {
            assert_eq!(first & RSV1, 0, "RSV1 in a continuation");
            messages.last_mut().expect("begun").1.extend(payload);
        } else {
            messages.push((first & RSV1 != 0, payload));
        }
    }
    for (compressed, payload) in &mut messages {
        if *compressed {
            payload.extend([0, 0, 0xff, 0xff]);
        }
    }
    messages
}

/// RFC 7692, sections 7.2.3.1 and 7.2.3.2. (Those that only have to be understood are among the vectors of
/// `ws_splits`.)
#[test]
fn the_examples_of_the_rfc() {
    for level in 1..=9 {
        let hello = |params| said(Role::Server, params, |s| (0..2).for_each(|_| s.binary(b"Hello")));
        let first = (FIN | RSV1 | BINARY, b"\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec());
        // The second is understood by the window of the first, and no longer than the example's, `f2 00 11 00 00`.
        let taken_over = frames(Role::Server, &hello(params(config(15, false)).level(level)));
        assert_eq!(taken_over[0], first, "level {level}");
        assert!(taken_over[1].1.len() <= 5, "level {level}: {taken_over:x?}");
        let anew = frames(Role::Server, &hello(params(config(15, true)).level(level)));
        assert_eq!(anew, [first.clone(), first], "level {level}");
    }
    // Section 7.2.3.6: an empty message is an empty block.
    let empty = said(Role::Server, params(config(15, false)), |s| {
        s.binary(b"");
        s.binary(b"Hello");
        s.binary(b"");
    });
    let empty = frames(Role::Server, &empty);
    let lengths: Vec<_> = empty.iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!((lengths, &empty[0].1, &empty[2].1), (vec![1, 7, 1], &vec![0], &vec![0]));
}

/// All windows, both ways, with and without what came before: understood by the peer, and by an inflater
/// that sees how far back it refers.
#[test]
fn windows_and_contexts() {
    let long = if cfg!(debug_assertions) { 45_000 } else { 200 << 10 };
    let messages = [echoes(long), numbered(3_000), noise(5_000, 7), echoes(700), vec![], b"x".repeat(9_000)];
    for role in ROLES {
        for bits in 8..=15 {
            for no_context in [false, true] {
                let params = params(config(bits, no_context));
                assert_eq!((params.window_bits(role), params.no_context(role)), (bits, no_context));
                let wire = said(role, params, |s| messages.iter().for_each(|message| s.binary(message)));
                let mut farthest = 0;
                let mut window = Vec::new();
                let payloads = payloads(frames(role, &wire));
                for ((compressed, payload), message) in payloads.iter().zip(&messages) {
                    assert!(compressed);
                    let before = if no_context { 0 } else { window.len() };
                    let found = inflate(payload, window.split_off(window.len() - before));
                    assert!(found.out[before..] == message[..], "{role:?} {bits} {no_context}");
                    farthest = farthest.max(found.farthest);
                    window = found.out;
                }
                assert_eq!(payloads.len(), messages.len());
                assert!(farthest <= 1 << bits, "{role:?}: {farthest} bytes back, with {bits} bits");
                // It makes use of what it has.
                assert!(farthest * 4 > 1 << bits, "{role:?}: {farthest} bytes back, with {bits} bits");
                for how in How::with(peer(role), 1 << 20, Some(params)) {
                    let found = transcript(how, Grow::new(1 << 20), &wire.chunks(9_000).collect::<Vec<_>>());
                    assert!(found.entries.iter().eq(messages.iter().map(binary).collect::<Vec<_>>().iter()));
                }
            }
        }
    }
}

#[test]
fn payloads_of_all_kinds_and_sizes() {
    let most = if cfg!(debug_assertions) { 70_000 } else { 200 << 10 };
    let sizes = [
        0, 1, 2, 31, 32, 33, 125, 126, 1_000, 1_023, 1_024, 1_025, 4_095, 4_096, 4_097, 8_192, 16_384,
        65_535, 65_536, most,
    ];
    for role in ROLES {
        let mut messages = Vec::new();
        for size in sizes {
            messages.extend([noise(size, size as u64), numbered(size), vec![b'a'; size], echoes(size)]);
        }
        let params = agreed();
        let wire = said(role, params, |s| messages.iter().for_each(|message| s.binary(message)));
        let compressed = payloads(frames(role, &wire)).iter().filter(|(compressed, _)| *compressed).count();
        // All but those of fewer than 32 bytes.
        assert_eq!(compressed, messages.iter().filter(|message| message.len() >= 32).count());
        for how in How::with(peer(role), 1 << 20, Some(params)) {
            for chunk in [1_000, 4_096, wire.len()] {
                let found = transcript(how, Grow::new(1 << 20), &wire.chunks(chunk).collect::<Vec<_>>());
                assert!(
                    found.entries.iter().eq(messages.iter().map(binary).collect::<Vec<_>>().iter()),
                    "{how:?}"
                );
            }
        }
    }
}

#[test]
fn messages_in_pieces() {
    let parts: [&[u8]; 8] = [b"", b"a", &numbered(5_000), b"", &noise(3_000, 5), b"a", b"", &[0; 4_096]];
    for role in ROLES {
        for first in 0..parts.len() {
            for last in first..parts.len() {
                let parts = &parts[first..=last];
                let params = params(config(15, first % 2 == 0));
                let wire = said(role, params, |s| {
                    for _ in 0..2 {
                        for (i, part) in parts.iter().enumerate() {
                            s.piece(part, i + 1 == parts.len());
                        }
                    }
                    s.binary(b"behind them all");
                });
                let whole = binary(parts.concat());
                for how in How::with(peer(role), 1 << 20, Some(params)) {
                    let found = transcript(how, Grow::new(1 << 20), &[&wire]);
                    assert_eq!(
                        found.entries,
                        [whole.clone(), whole.clone(), binary("behind them all")],
                        "{parts:x?}"
                    );
                }
            }
        }
    }
}

/// The limit is that of what comes out, to the byte, and what is held does not grow beyond it.
#[test]
fn bombs() {
    let limit = 100_000;
    for role in ROLES {
        for length in [limit - 1, limit, limit + 1, 3_000_000] {
            let bomb = said(peer(role), agreed(), |s| s.binary(&vec![0; length]));
            assert!(bomb.len() < 4_000);
            for how in How::with(role, limit as u64, Some(agreed())) {
                let found = transcript(how, Grow::new(limit + 125), &[&bomb]);
                let error = Error {
                    violation: Violation::TooLong { length: limit as u64 + 1, limit: limit as u64 },
                    offset: 0,
                };
                let expected = if length <= limit { binary(vec![0; length]) } else { Entry::Failed(error) };
                assert!(found.entries == [expected], "{length} {how:?}");
            }
        }
        // Of a bomb in pieces, a byte of storage is enough, and none is more than that.
        let bomb = said(peer(role), agreed(), |s| s.binary(&[7; 5_000]));
        for how in How::with(role, u64::MAX, Some(agreed())).into_iter().filter(|how| how.pieces) {
            assert_eq!(transcript(how, Array::<1>::new(), &[&bomb]).entries, [binary([7; 5_000])]);
            // And with none there is no memory for it; at once.
            let found = transcript(how, Array::<0>::new(), &[&bomb]);
            assert!(
                matches!(found.entries[..], [Entry::Failed(Error { violation: Violation::Memory, .. })]),
                "{found:?}"
            );
        }
        let mut receiver = Receiver::new(role, Grow::new(limit + 125)).deflate(Some(agreed()));
        let bomb = said(peer(role), agreed(), |s| s.binary(&vec![0; 3_000_000]));
        for chunk in bomb.chunks(10) {
            _ = receiver.feed(&mut &*chunk, NOW, &mut ());
            assert!(
                receiver.storage().held().len() <= limit && receiver.storage().capacity() <= 2 * limit + 250
            );
        }
    }
}

/// A bomb whose fragments come one by one, and a message of nothing that does not end.
#[test]
fn endless_messages() {
    let packed = stored(&[1; 600]);
    let packed = &packed[..605];
    for how in How::with(Role::Server, 1_000, Some(agreed())) {
        let wire = Wire::new(Role::Client).frame(RSV1 | BINARY, packed).bad().frame(MORE, packed);
        let offset = wire.bad_at().expect("a mark") as u64;
        let found = transcript(how, Array::<1_125>::new(), &[&wire.frame(MORE, "").into_bytes()]);
        let violation = Violation::TooLong { length: 1_001, limit: 1_000 };
        assert_eq!(found.entries, [Entry::Failed(Error { violation, offset })]);
        let blocks = [0, 0, 0, 0xff, 0xff].repeat(2_000);
        let wire = Wire::new(Role::Client).frame(RSV1 | BINARY, &blocks).frame(MORE, &blocks).frame(FIN, [0]);
        assert_eq!(transcript(how, Array::<1_125>::new(), &[&wire.into_bytes()]).entries, [binary("")]);
    }
}

/// DEFLATE data that ends inside of a block is none, however little is missing; and what comes next does
/// not make up for it.
#[test]
fn a_message_that_ends_inside_of_a_block() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let next = |wire: Wire| wire.frame(FIN | RSV1 | TEXT, hello).text("next").into_bytes();
    let words = echoes(3_000);
    let dynamic = frames(Role::Server, &said(Role::Server, agreed(), |s| s.binary(&words)))[0].1.clone();
    let blocks = [hello.to_vec(), dynamic, stored(b"Hello"), b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00".to_vec()];
    let mut refused = 0;
    for block in &blocks {
        let cuts = (0..block.len()).filter(|n| block.len() < 50 || n % 37 == 0 || n + 20 > block.len());
        for n in cuts {
            // A final block needs nothing behind it, and has zeros at its end. And one zero is a message of nothing.
            if (block[0] == 0xf3 && n + 2 >= block.len()) || block[..n] == [0] {
                continue;
            }
            for how in How::with(Role::Client, 1 << 20, Some(agreed())) {
                let bytes = next(Wire::new(Role::Server).frame(FIN | RSV1 | BINARY, &block[..n]));
                let found = transcript(how, Grow::new(1 << 20), &[&bytes]);
                let deflate = |entry: &Entry| {
                    matches!(entry, Entry::Failed(Error { violation: Violation::Deflate, offset: 0 }))
                };
                assert!(
                    matches!(&found.entries[..], [entry] if deflate(entry)),
                    "{n} of {} bytes: {found:?}",
                    block.len()
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

/// RFC 7692, section 7.2.3.4: a block may say that it is the last, and more may follow (zlib's `Z_FINISH` in the middle
/// of a message). All of them are the message, and the next one begins anew; what is no block is none there either.
#[test]
fn several_last_blocks() {
    let (hel, lo) = (b"\xf3\x48\xcd\x01\x00", b"\xcb\xc9\x07\x00");
    let next = |wire: Wire| wire.frame(FIN | RSV1 | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00").into_bytes();
    let broken = Entry::Failed(Error { violation: Violation::Deflate, offset: 0 });
    let rows: [(&[&[u8]], Vec<Entry>); 5] = [
        (&[hel, lo], vec![text("Hello"), text("Hello")]),
        (&[hel, lo, b"\0"], vec![text("Hello"), text("Hello")]),
        (&[hel, b"\xca\xc9\x07\x00"], vec![text("Hello"), text("Hello")]),
        (&[hel, lo, b"\xff\xff"], vec![broken.clone()]),
        // Who does not leave the tail out.
        (&[hel, lo, b"\0\0\xff\xff"], vec![broken]),
    ];
    for (blocks, expected) in rows {
        let all = blocks.concat();
        for how in How::with(Role::Client, 1 << 20, Some(agreed())) {
            let one = next(Wire::new(Role::Server).frame(FIN | RSV1 | TEXT, &all));
            assert_eq!(transcript(how, Grow::new(1 << 20), &[&one]).entries, expected, "{how:?} {all:x?}");
        }
    }
}

/// A character may be cut anywhere, by frames that have nothing in them too, and control frames may come between.
#[test]
fn frames_of_nothing_within_characters() {
    let words = "aé漢👩";
    let packed =
        frames(Role::Client, &said(Role::Client, params(config(15, false)), |s| s.binary(words.as_bytes())));
    for (first, payload) in [(RSV1 | TEXT, &packed[0].1[..]), (TEXT, words.as_bytes())] {
        let nothing = |wire: Wire| wire.frame(MORE, b"").frame(FIN | PING, b"\xff").frame(MORE, b"");
        let mut wire = nothing(Wire::new(Role::Client).frame(first, b""));
        for byte in payload {
            wire = nothing(wire.frame(MORE, [*byte]));
        }
        let bytes = wire.frame(FIN | MORE, b"").text("next").into_bytes();
        let pings = vec![Entry::Ping(b"\xff".to_vec()); payload.len() + 1];
        let expected = [pings, vec![text(words), text("next")]].concat();
        for how in How::with(Role::Server, 1 << 20, Some(agreed())) {
            for chunk in [1, 2, 7, 1_000] {
                let chunks: Vec<&[u8]> = bytes.chunks(chunk).collect();
                assert_eq!(transcript(how, Grow::new(1 << 20), &chunks).entries, expected, "{how:?} {chunk}");
            }
        }
    }
}

/// Whatever is flipped, it is refused or it is another message; never a panic, nor more than the limit.
#[test]
fn broken_data() {
    let message = echoes(600);
    let wire = frames(Role::Server, &said(Role::Server, agreed(), |s| s.binary(&message)));
    let (packed, mut refused) = (&wire[0].1, 0);
    for at in 0..packed.len() {
        for bit in [0, 3, 7] {
            let mut broken = packed.clone();
            broken[at] ^= 1 << bit;
            let bytes = Wire::new(Role::Server).frame(FIN | RSV1 | BINARY, &broken).into_bytes();
            let all = How::with(Role::Client, 2_000, Some(agreed()))
                .map(|how| transcript(how, Grow::new(2_125), &[&bytes]).entries);
            assert!(all.windows(2).all(|two| two[0] == two[1]), "{all:?}");
            match &all[0][..] {
                [Entry::Message(_, bytes)] => assert!(bytes.len() <= 2_000),
                [Entry::Failed(_)] => refused += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(refused > 30, "{refused} of {} were refused", packed.len() * 3);
}

/// Whether a message has room depends on its length, not on what is in it, and one that has goes, even if compression
/// would make it longer than there is room for.
#[test]
fn room_is_for_the_message_as_it_is() {
    for (bytes, compressed) in [(noise(2_958, 1), false), (numbered(2_958), true)] {
        let mut sender = Sender::server(Grow::new(3_000 + 524)).fragments(1_000).deflate(Some(agreed()));
        sender.binary(&numbered(20)).expect("an empty queue");
        assert!(matches!(sender.binary(&bytes), Err(SendError::Full { needed: 3_000, .. })));
        assert!(matches!(sender.binary(&numbered(2_959)), Err(SendError::TooLong { needed: 3_001, .. })));
        let mut wire = Vec::new();
        write(&mut sender, &mut wire);
        let begin = wire.len();
        // Three frames, and no byte more.
        sender.binary(&bytes).expect("an empty queue");
        write(&mut sender, &mut wire);
        assert_eq!(wire[begin] & RSV1 != 0, compressed);
        assert_eq!(wire.len() < begin + bytes.len(), compressed);
        // The window is the one that the peer has.
        sender.binary(&bytes[..500]).expect("an empty queue");
        write(&mut sender, &mut wire);
        for how in How::with(Role::Client, 1 << 20, Some(agreed())) {
            let found = transcript(how, Grow::new(1 << 20), &[&wire]);
            assert_eq!(found.entries, [binary(numbered(20)), binary(&bytes), binary(&bytes[..500])]);
        }
    }
}

/// What is refused costs no window either: the message behind it is as short as if there had been none.
#[test]
fn a_refusal_leaves_the_window_as_it_was() {
    let again = |refused: bool| {
        let mut sender = Sender::server(Grow::new(10_000)).deflate(Some(agreed()));
        sender.binary(&noise(3_000, 5)).expect("room");
        sender.transmitted(sender.queued());
        if refused {
            sender.binary(&[1; 20_000]).expect_err("too long");
            sender.piece(Piece::binary(&[1; 20_000], false)).expect_err("too long");
        }
        sender.binary(&noise(3_000, 5)).expect("room");
        sender.queued()
    };
    assert!(again(false) < 100);
    assert_eq!(again(true), again(false));
}

/// A piece that compression makes longer than its length is put into blocks as it is.
#[test]
fn pieces_have_room_as_they_are() {
    for first in [true, false] {
        let length = 3_000;
        let mut sender = Sender::server(Grow::new(length + 14 + 6 + 524)).deflate(Some(agreed()));
        let mut wire = Vec::new();
        let mut all = Vec::new();
        if !first {
            sender.piece(Piece::binary(b"begun", false)).expect("room");
            all.extend_from_slice(b"begun");
            write(&mut sender, &mut wire);
        }
        let bytes = noise(length + 1, 3);
        assert!(matches!(sender.piece(Piece::binary(&bytes, false)), Err(SendError::TooLong { .. })));
        let bytes = &bytes[..length];
        sender.piece(Piece::binary(bytes, false)).expect("an empty queue");
        write(&mut sender, &mut wire);
        sender.piece(Piece::binary(&bytes[..100], true)).expect("an empty queue");
        write(&mut sender, &mut wire);
        all.extend_from_slice(bytes);
        all.extend_from_slice(&bytes[..100]);
        for how in How::with(Role::Client, 1 << 20, Some(agreed())) {
            assert_eq!(transcript(how, Grow::new(1 << 20), &[&wire]).entries, [binary(&all)]);
        }
    }
}

/// A message that did not fit was not sent, and the ones after it do not refer to it.
#[test]
fn what_was_refused_is_referred_to_by_nothing() {
    for no_context in [false, true] {
        for pieces in [false, true] {
            let params = params(config(15, no_context));
            let mut sender = Sender::client(Grow::new(2_000 + 524), key as Key).deflate(Some(params));
            let (mut out, mut sent, mut refused) = (Vec::new(), Vec::new(), 0);
            for i in 0..60_u64 {
                // Half of it is that of the message before, so that a wrong window shows.
                let message = [noise(700, i / 2), numbered(i as usize), noise(100, i)].concat();
                let mut say = |bytes: &[u8], last| loop {
                    let result =
                        if pieces { sender.piece(Piece::binary(bytes, last)) } else { sender.binary(bytes) };
                    match result {
                        Ok(()) => return,
                        Err(SendError::Full { .. }) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                    // Another message, that was not refused, in between.
                    if !pieces {
                        _ = sender.text("in between");
                    }
                    let n = sender.transmit().len().min(900);
                    out.extend_from_slice(&sender.transmit()[..n]);
                    sender.transmitted(n);
                };
                if pieces {
                    say(&message[..300], false);
                    say(&message[300..], true);
                } else {
                    say(&message, true);
                }
                sent.push(binary(&message));
            }
            write(&mut sender, &mut out);
            assert!(refused > 10, "{refused}");
            for how in How::with(Role::Server, 1 << 20, Some(params)) {
                let mut found = transcript(how, Grow::new(1 << 20), &[&out]).entries;
                found.retain(|entry| *entry != text("in between"));
                assert!(found == sent, "{no_context} {pieces}");
            }
        }
    }
}

/// Each side of the agreement has its own window and its own context.
#[test]
fn the_two_sides_are_independent() {
    let config = Config::new().server_bits(9).client_bits(14).server_no_context(true).threshold(0);
    let params = params(config);
    let messages = [echoes(30_000), echoes(30_000)];
    for role in ROLES {
        let wire = said(role, params, |s| messages.iter().for_each(|message| s.binary(message)));
        let payloads = payloads(frames(role, &wire));
        if role == Role::Server {
            assert_eq!(payloads[0], payloads[1]);
            assert!(inflate(&payloads[0].1, vec![]).farthest <= 512);
        } else {
            assert!(payloads[1].1.len() < payloads[0].1.len());
            assert!((513..=1 << 14).contains(&inflate(&payloads[0].1, vec![]).farthest));
        }
        let mut log = Log::default();
        let mut receiver = Receiver::new(peer(role), Grow::new(1 << 20)).deflate(Some(params));
        feed(&mut receiver, true, &wire, &mut Sender::server(Grow::new(1_000)), &mut log);
        assert!(log.entries.iter().eq(messages.iter().map(binary).collect::<Vec<_>>().iter()));
    }
}

/// A peer that refers farther back than was agreed: whatever comes of that, it is the same for every
/// receiver, and however it is cut.
#[test]
fn a_window_that_is_exceeded_gives_one_result() {
    for distance in [200, 257, 300, 513, 700, 1_500, 5_000, 20_000] {
        let echo = [noise(distance, 3), noise(40, 3)].concat();
        let wire = said(Role::Client, params(config(15, false)), |s| (0..2).for_each(|_| s.binary(&echo)));
        for bits in [8, 9, 11] {
            let agreed = params(config(bits, false));
            let mut found = Vec::new();
            for how in How::with(Role::Server, 1 << 20, Some(agreed)) {
                for chunk in [1, 100, 4_096, wire.len()] {
                    let chunks: Vec<_> = wire.chunks(chunk).collect();
                    found.push((transcript(how, Grow::new(1 << 20), &chunks).entries, how, chunk));
                    if how.pieces {
                        found.push((transcript(how, Array::<125>::new(), &chunks).entries, how, chunk));
                    }
                }
            }
            let other = found.iter().find(|(entries, ..)| *entries != found[0].0);
            let other = other.map(|(entries, how, chunk)| (entries.len(), how.pieces, how.shared, chunk));
            assert_eq!(other, None, "{distance} back, {bits} bits");
        }
    }
}

/// What a fragment becomes is there when the fragment is, however much that is, and not with the next one:
/// so it does not matter how much of it the storage takes at a time.
#[test]
fn nothing_waits_for_the_next_fragment() {
    fn length(role: Role, storage: impl Storage, mut bytes: Vec<u8>, shared: bool) -> usize {
        let mut receiver = Receiver::new(role, storage).deflate(Some(agreed())).in_pieces(u64::MAX);
        let (copy, mut length) = (bytes.clone(), 0);
        let (mut lent, mut mutable) = (&copy[..], &mut bytes[..]);
        loop {
            let fed = match shared {
                true => receiver.feed(&mut lent, NOW, &mut ()),
                false => receiver.feed(&mut mutable, NOW, &mut ()),
            };
            match fed {
                Ok(Some(Event::Message(piece))) => length += piece.as_bytes().len(),
                Ok(None) => return length,
                other => panic!("{other:?}"),
            }
        }
    }
    for role in [Role::Server, Role::Client] {
        let long = vec![b'x'; 100_000];
        let wire = said(peer(role), agreed(), |sender| sender.piece(&long, false));
        for shared in [true, false] {
            assert_eq!(length(role, Grow::new(1_000), wire.clone(), shared), long.len(), "{role:?} {shared}");
        }
        // Wherever the fragment ends: a byte of it can stand for thousands.
        let (_, payload) = frames(peer(role), &wire).remove(0);
        for end in 1..=payload.len() {
            let bytes = Wire::new(peer(role)).frame(RSV1 | BINARY, &payload[..end]).into_bytes();
            let all = length(role, Grow::new(1 << 20), bytes.clone(), true);
            for shared in [true, false] {
                assert_eq!(length(role, Array::<125>::new(), bytes.clone(), shared), all, "{end} bytes");
                assert_eq!(length(role, Array::<1_111>::new(), bytes.clone(), shared), all, "{end} bytes");
            }
        }
    }
}
