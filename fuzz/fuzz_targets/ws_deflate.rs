//! Compression. Any bytes as compressed messages: the same is made of them however they are cut, and never
//! more than allowed, and where another DEFLATE understands them it understands the same. And what is sent
//! arrives.
#![no_main]

use feedrate::{Array, Grow, Storage};
use feedrate_fuzz::ws::{Item, LIMIT, NOW, Side, Way, drain, frame, params, receive, ways};
use feedrate_fuzz::{Plan, pieces};
use feedrate_ws::deflate::Params;
use feedrate_ws::{Event, Kind, Message, Piece, Receiver, Role, SendError, Sender, Violation};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let Some((bits, stream)) = plan.stream.split_first_chunk() else { return };
    let agreed = params(u16::from_le_bytes(*bits));
    let role = if plan.flag(0) { Role::Server } else { Role::Client };
    if plan.flag(1) {
        round_trip(role, agreed, stream, plan.flag(2));
    } else {
        inflate(Side { role, deflate: Some(agreed) }, stream, plan.sizes, plan.flag(2));
    }
});

/// `parts`: messages, each behind a byte of its length and one of choices.
fn split(mut parts: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let ([length, flags], rest) = parts.split_first_chunk::<2>()?;
        let (part, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        parts = rest;
        Some((*flags, part))
    })
}

fn inflate(side: Side, stream: &[u8], sizes: &[u8], one: bool) {
    let mut wire = Vec::new();
    let key = (side.role == Role::Server).then_some([1, 2, 3, 4]);
    if one {
        frame(&mut wire, 0xc2, key, 0, stream.len() as u64, stream);
    } else {
        let mut begun = false;
        for (flags, part) in split(stream) {
            let first = if begun { 0 } else { 1 + (flags >> 1 & 1) | if flags & 4 == 0 { 0x40 } else { 0 } };
            begun = flags & 1 != 0;
            let fin = if begun { 0 } else { 0x80 };
            frame(&mut wire, fin | first, key, 0, part.len() as u64, part);
        }
    }
    let expected = receive(side, Way::PLAIN, &wire);
    for way in ways(sizes) {
        assert_eq!(receive(side, way, &wire), expected, "{way:?}");
    }
    if one {
        compare(&expected.items, stream);
    }
    let expected = long(side, &wire, &[]);
    for sizes in [&[1][..], sizes] {
        assert_eq!(long(side, &wire, sizes), expected);
    }
}

/// With room for what a few bytes can stand for: how long the messages are, and what ended them. Of one that has not
/// ended, no more is held than what has come allows.
fn long(side: Side, wire: &[u8], sizes: &[u8]) -> Vec<Result<usize, Violation>> {
    let mut receiver = Receiver::new(side.role, Grow::new(1 << 20)).deflate(side.deflate);
    let (mut items, mut came) = (Vec::new(), 0);
    for mut input in pieces(wire, sizes) {
        came += input.len();
        loop {
            match receiver.feed(&mut input, NOW, &mut ()) {
                Ok(None) => break,
                Ok(Some(Event::Message(message))) => items.push(Ok(message.as_bytes().len())),
                Ok(Some(_)) => {}
                Err(error) => items.push(Err(error.violation)),
            }
        }
        if !matches!(items.last(), Some(Err(_))) {
            assert!(receiver.storage().held().len() <= (64 << 10) + 4 * came);
        }
    }
    items
}

/// The first message, with what the other one makes of it.
fn compare(items: &[Item], message: &[u8]) {
    let input = [message, &[0, 0, 0xff, 0xff]].concat();
    let mut out = vec![0; LIMIT + 1];
    let mut state = DecompressorOxide::new();
    let flags =
        inflate_flags::TINFL_FLAG_HAS_MORE_INPUT | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, consumed, n) = decompress(&mut state, &input, &mut out, 0, flags);
    // It stops at a final block.
    let is_all =
        status == TINFLStatus::NeedsMoreInput || (status == TINFLStatus::Done && consumed >= message.len());
    match &items[..] {
        [Item::Binary(bytes)] if is_all => assert_eq!(bytes, &out[..n]),
        [Item::Binary(bytes)] => {
            assert_eq!(status, TINFLStatus::Done);
            assert!(bytes.starts_with(&out[..n]));
        }
        [Item::Failed(error)] => match error.violation {
            Violation::TooLong { .. } => assert!(n > LIMIT || status == TINFLStatus::Done),
            // Something farther back than the window is one for us alone.
            Violation::Deflate => {}
            _ => panic!("{error}"),
        },
        other => panic!("{other:?}"),
    }
}

/// What one side sends, the other receives.
fn round_trip(role: Role, agreed: Params, stream: &[u8], in_pieces: bool) {
    let mut key = [1, 2, 3, 4_u8];
    let keys = || {
        key = [key[1], key[2] ^ 0x5a, key[3], key[0].wrapping_add(3)];
        key
    };
    match role {
        Role::Server => send(Sender::server(Array::<1500>::new()), role, agreed, stream, in_pieces),
        Role::Client => send(Sender::client(Array::<1500>::new(), keys), role, agreed, stream, in_pieces),
    }
}

fn send<K: feedrate_ws::Keys>(
    sender: Sender<Array<1500>, K>,
    role: Role,
    agreed: Params,
    stream: &[u8],
    in_pieces: bool,
) {
    let mut sender = sender.deflate(Some(agreed)).fragments(200);
    let mut receiver = Receiver::new(role.peer(), Grow::new(1 << 20)).deflate(Some(agreed));
    let mut message = Vec::new();
    for (flags, part) in split(stream) {
        let part = part.repeat(1 + usize::from(flags >> 2 & 15));
        let last = flags & 1 == 0 || !in_pieces;
        let piece = Piece::binary(&part, last);
        let mut result = sender.piece(piece);
        if matches!(result, Err(SendError::Full { .. })) {
            hear(&mut sender, &mut receiver, None);
            result = sender.piece(piece);
        }
        match result {
            Ok(()) => {
                message.extend_from_slice(&part);
                if last {
                    let expected = std::mem::take(&mut message);
                    hear(&mut sender, &mut receiver, Some(&expected));
                }
            }
            // It is still ours, and the connection goes on.
            Err(SendError::TooLong { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        if flags & 2 != 0 {
            sender.release();
            receiver.release();
        }
    }
}

fn hear<K: feedrate_ws::Keys>(
    sender: &mut Sender<Array<1500>, K>,
    receiver: &mut Receiver<Grow>,
    expected: Option<&[u8]>,
) {
    let mut wire = drain(sender);
    let mut input = &mut wire[..];
    match receiver.feed(&mut input, NOW, &mut ()) {
        Ok(Some(Event::Message(message))) => {
            assert_eq!(message.kind(), Kind::Binary);
            assert_eq!(Some(message), expected.map(Message::Binary));
        }
        Ok(None) => assert!(expected.is_none()),
        event => panic!("{event:?}"),
    }
    assert!(input.is_empty());
}
