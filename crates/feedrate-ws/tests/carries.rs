//! WebSocket carries both protocols of the core: the pieces of binary messages go right into the inner
//! decoder, wherever the messages of the one and of the other begin and end, and what comes out is what
//! came of the bytes alone.

use feedrate::pg::{Backend, Frontend};
use feedrate::rdp::Channel;
use feedrate::rdp::record::{Message, Records};
use feedrate::{Array, Decoder, Encode, Grow, Storage};
use feedrate_testkit::pg::{Entry, Side, entry, transcript, vectors};
use feedrate_testkit::ws::run::{Key, NOW, agreed, key, write};
use feedrate_testkit::ws::wire::peer;
use feedrate_ws::deflate::Params;
use feedrate_ws::{Event, Input, Keys, Kind, Piece, Receiver, Role, Sender};

/// What reads the bytes that are carried.
trait Inner {
    fn feed(&mut self, bytes: &[u8]);
}

struct Postgres<D: Side, S> {
    decoder: Decoder<D, S>,
    entries: Vec<Entry>,
}

impl<D: Side, S: Storage> Inner for Postgres<D, S> {
    fn feed(&mut self, mut input: &[u8]) {
        while let Some(frame) = self.decoder.feed(&mut input).expect("good messages") {
            let name = frame.name();
            self.entries.push(entry(&frame));
            self.decoder.protocol_mut().react(name);
        }
    }
}

struct Rdp<S> {
    decoder: Decoder<Records, S>,
    messages: Vec<(Channel, Vec<u8>)>,
}

impl<S: Storage> Rdp<S> {
    fn new(storage: S) -> Self {
        Self { decoder: Decoder::new(Records::new(), storage), messages: Vec::new() }
    }
}

impl<S: Storage> Inner for Rdp<S> {
    fn feed(&mut self, mut input: &[u8]) {
        while let Some(message) = self.decoder.feed(&mut input).expect("good records") {
            self.messages.push((message.channel, message.as_bytes().to_vec()));
        }
    }
}

/// `bytes` in WebSocket messages, of which the n-th has the n-th of `lengths`: every other one whole, the
/// rest in pieces; with pings between.
fn carried(role: Role, deflate: Option<Params>, bytes: &[u8], lengths: &[usize]) -> Vec<u8> {
    fn with<K: Keys>(mut sender: Sender<Grow, K>, bytes: &[u8], lengths: &[usize]) -> Vec<u8> {
        let (mut rest, mut lengths, mut wire) = (bytes, lengths.iter().cycle(), Vec::new());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*lengths.next().expect("some")));
            if later.len() % 2 == 0 {
                sender.binary(now).expect("room");
            } else {
                let (a, b) = now.split_at(now.len() / 3);
                sender.piece(Piece::binary(a, false)).expect("room");
                _ = sender.ping(b"in the middle");
                sender.piece(Piece::binary(b, true)).expect("room");
            }
            write(&mut sender, &mut wire);
            rest = later;
        }
        wire
    }
    let queue = Grow::new(1 << 20);
    match role {
        Role::Server => with(Sender::server(queue).deflate(deflate), bytes, lengths),
        Role::Client => with(Sender::client(queue, key as Key).deflate(deflate), bytes, lengths),
    }
}

/// Reads a stream in chunks of so many bytes, and hands each piece on as it comes.
fn carry(
    role: Role,
    deflate: Option<Params>,
    wire: &[u8],
    chunk: usize,
    shared: bool,
    inner: &mut impl Inner,
) {
    let mut receiver = Receiver::new(role, Array::<125>::new()).deflate(deflate).in_pieces(u64::MAX);
    fn all<'i, I: Input<'i>>(
        receiver: &mut Receiver<Array<125>, feedrate_ws::InPieces>,
        mut input: I,
        inner: &mut impl Inner,
    ) {
        while let Some(event) = receiver.feed(&mut input, NOW, &mut ()).expect("good") {
            match event {
                Event::Message(piece) => {
                    assert_eq!(piece.kind(), Kind::Binary);
                    inner.feed(piece.as_bytes());
                }
                Event::Ping(_) => {}
                event => panic!("{event:?}"),
            }
        }
    }
    for chunk in wire.chunks(chunk) {
        if shared {
            all(&mut receiver, chunk, inner)
        } else {
            all(&mut receiver, &mut chunk.to_vec()[..], inner)
        }
    }
}

/// Cuts of both layers, in both directions, compressed and not.
fn everywhere<I: Inner>(bytes: &[u8], make: impl Fn() -> I, mut check: impl FnMut(I)) {
    let lengths: [&[usize]; 6] = [&[1], &[2, 3], &[5, 1, 11], &[100], &[1_000, 7], &[usize::MAX]];
    for role in [Role::Server, Role::Client] {
        for deflate in [None, Some(agreed())] {
            for lengths in lengths {
                let wire = carried(peer(role), deflate, bytes, lengths);
                for (chunk, shared) in
                    [(1, false), (1, true), (3, true), (64, false), (64, true), (1_448, false)]
                {
                    let mut inner = make();
                    carry(role, deflate, &wire, chunk, shared, &mut inner);
                    check(inner);
                }
            }
        }
    }
}

#[test]
fn postgres_through_websocket() {
    fn check<D: Side>(start: &D, bytes: &[u8]) {
        let direct = transcript(start, Grow::new(1 << 16), &[bytes]);
        assert!(direct.entries.len() > 5 && direct.end.is_ok());
        let make = || Postgres { decoder: Decoder::new(start.clone(), Grow::new(1 << 16)), entries: vec![] };
        everywhere(bytes, make, |inner| {
            assert!(inner.entries == direct.entries);
            assert_eq!(inner.decoder.end(), Ok(()));
        });
    }
    let established: Vec<u8> = vectors::backend()
        .into_iter()
        .filter(|row| row.start.is_authenticated() && row.bytes.len() < 500)
        .flat_map(|row| row.bytes)
        .collect();
    check(&Backend::established().allow_unknown(100), &established);
    let asking = [&b"Q\0\0\0\x0dselect 1\0"[..], b"P\0\0\0\x08\0\0\0\0", vectors::SYNC].concat().repeat(3);
    check(&Frontend::established(), &asking);
}

#[test]
fn rdp_through_websocket() {
    let mut bytes = Vec::new();
    for (n, channel) in (0..8).zip(Channel::ALL.into_iter().cycle()) {
        let message: Vec<u8> = (0..18 + 37 * n).map(|i: u16| (i * 3).to_be_bytes()[1]).collect();
        Message::new(channel, &message).encode(&mut bytes).expect("room");
    }
    let mut direct = Rdp::new(Array::<514>::new());
    direct.feed(&bytes);
    assert_eq!(direct.messages.len(), 8);
    everywhere(
        &bytes,
        || Rdp::new(Array::<514>::new()),
        |inner| {
            assert_eq!(inner.messages, direct.messages);
        },
    );
}
