//! What instructions are counted of: feedrate's receiver and sender, and nothing around them.
//!
//! `callgrind` counts in the functions `measured_*` and in what they call, and nowhere else. So it is not
//! counted that the bytes are put back before each pass, which they have to be after they were unmasked
//! where they lay. No `measured_*` may call another: the counting would stop there.

use std::hint::black_box;

use feedrate::{Grow, Instant};
use feedrate_ws::{Event, InPieces, Input, Keys, Receiver, Sender, Unmasked};

use super::end::{KEY, Role, Visited};
use super::streams::{Kind, Stream, message};

const CHUNK: usize = 16 * 1024;
/// The longest message, what is queued of them included.
const LIMIT: usize = 4 << 20;
/// Of payload in a pass.
const TOTAL: usize = 1 << 20;

/// Does the passes, and returns how many messages one has. `size` is a message's: `125`, `64K`, or `4x1K`
/// for four fragments.
pub fn passes(kind: &str, size: &str, contender: &str, passes: usize) -> usize {
    let kind = match kind {
        "text" => Kind::Ascii,
        "binary" => Kind::Binary,
        _ => panic!("no kind {kind}"),
    };
    let (fragments, size) = size.split_once('x').map_or((1, size), |(n, size)| (number(n), size));
    let size = size.strip_suffix('K').map_or_else(|| number(size), |size| number(size) * 1024);
    let (act, role) = contender.split_once('-').expect("ACT-ROLE");
    let role = match role {
        "server" => Role::Server,
        "client" => Role::Client,
        _ => panic!("no role {role}"),
    };
    if act == "encode" {
        return encode(role, &message(kind, size, 0), passes);
    }
    let stream = Stream::fragmented(role, kind, size, fragments, TOTAL);
    decode(&stream, act, passes);
    stream.messages
}

fn number(digits: &str) -> usize {
    digits.parse().expect("a number of bytes")
}

fn decode(stream: &Stream, act: &str, passes: usize) {
    let (mut whole, mut pieces) = (receiver(stream.reader), receiver(stream.reader).in_pieces(u64::MAX));
    let mut bytes = stream.bytes.clone();
    for _ in 0..passes {
        bytes.copy_from_slice(&stream.bytes);
        let bytes = black_box(&mut bytes[..]);
        let visited = match act {
            "mut" => measured_whole_mut(&mut whole, bytes),
            "ref" => measured_whole_ref(&mut whole, bytes),
            "pieces" => measured_pieces_mut(&mut pieces, bytes),
            _ => panic!("no act {act}"),
        };
        assert_eq!(visited, stream.visited);
    }
}

fn encode(role: Role, text: &[u8], passes: usize) -> usize {
    let (times, text) = (TOTAL / text.len(), str::from_utf8(text).expect("text"));
    let (mut server, mut client) = (Sender::server(Grow::new(LIMIT)), Sender::client(Grow::new(LIMIT), KEYS));
    for _ in 0..passes {
        let text = black_box(text);
        let written = match role {
            Role::Server => measured_encode_server(&mut server, text, times),
            Role::Client => measured_encode_client(&mut client, text, times),
        };
        assert!(written > times * text.len());
    }
    times
}

// --- what is counted

#[inline(never)]
fn measured_whole_mut(receiver: &mut Receiver<Grow>, bytes: &mut [u8]) -> Visited {
    let mut visited = Visited::default();
    bytes.chunks_mut(CHUNK).for_each(|input| whole(receiver, input, &mut visited));
    visited
}

#[inline(never)]
fn measured_whole_ref(receiver: &mut Receiver<Grow>, bytes: &[u8]) -> Visited {
    let mut visited = Visited::default();
    bytes.chunks(CHUNK).for_each(|input| whole(receiver, input, &mut visited));
    visited
}

#[inline(never)]
fn measured_pieces_mut(receiver: &mut Receiver<Grow, InPieces>, bytes: &mut [u8]) -> Visited {
    let mut visited = Visited::default();
    bytes.chunks_mut(CHUNK).for_each(|input| pieces(receiver, input, &mut visited));
    visited
}

#[inline(never)]
fn measured_encode_server(sender: &mut Sender<Grow, Unmasked>, text: &str, times: usize) -> usize {
    send(sender, text, times)
}

#[inline(never)]
fn measured_encode_client(sender: &mut Sender<Grow, KeySource>, text: &str, times: usize) -> usize {
    send(sender, text, times)
}

// --- the calls to the library

type KeySource = fn() -> [u8; 4];

/// Always the same key: where a program takes its keys from is not what is measured.
const KEYS: KeySource = || black_box(KEY);

fn receiver(role: Role) -> Receiver<Grow> {
    let role = match role {
        Role::Server => feedrate_ws::Role::Server,
        Role::Client => feedrate_ws::Role::Client,
    };
    Receiver::new(role, Grow::new(LIMIT))
}

/// Nothing is answered: there are no control frames in the streams.
#[inline(always)]
fn whole<'i>(receiver: &mut Receiver<Grow>, mut input: impl Input<'i>, visited: &mut Visited) {
    while let Some(event) = receiver.feed(&mut input, Instant::ZERO, &mut ()).expect("a good stream") {
        let Event::Message(message) = event else { panic!("{event:?}") };
        visited.message(message.as_bytes());
    }
}

#[inline(always)]
fn pieces<'i>(receiver: &mut Receiver<Grow, InPieces>, mut input: impl Input<'i>, visited: &mut Visited) {
    while let Some(event) = receiver.feed(&mut input, Instant::ZERO, &mut ()).expect("a good stream") {
        let Event::Message(piece) = event else { panic!("{event:?}") };
        visited.piece(piece.as_bytes(), piece.is_first(), piece.is_last());
    }
}

/// How many bytes there were to write. They go nowhere: a write is the system's work.
#[inline(always)]
fn send<K: Keys>(sender: &mut Sender<Grow, K>, text: &str, times: usize) -> usize {
    let mut written = 0;
    for i in 1..=times {
        sender.send(text).expect("room");
        if sender.queued() >= CHUNK || i == times {
            while let n @ 1.. = black_box(sender.transmit()).len() {
                sender.transmitted(n);
                written += n;
            }
        }
    }
    written
}
