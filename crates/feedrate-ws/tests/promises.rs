//! WebSocket: no memory is taken for a message in steady state, nor for its length when it is streamed;
//! what is idle is small. Counted, of the thread that asks for it.

use feedrate::{Array, Grow, Storage};
use feedrate_testkit::counting::{Counting, Taken, taken};
use feedrate_testkit::ws::data::numbered;
use feedrate_testkit::ws::run::{Key, NOW, Reads, agreed, key};
use feedrate_testkit::ws::wire::{BINARY, FIN, TEXT, Wire, peer};
use feedrate_ws::deflate::{Config, Params};
use feedrate_ws::{Answer, Event, InPieces, Keys, Receiver, Role, Sender, Unmasked, mask};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a chunk to its end, and returns how many bytes of data came out. `memory` is the program's buffer.
fn read<R: Reads, K: Keys, S: Storage>(
    receiver: &mut R,
    sender: &mut Sender<S, K>,
    memory: &mut [u8],
    chunk: &[u8],
    shared: bool,
) -> usize {
    use feedrate_testkit::ws::run::Data;
    let memory = &mut memory[..chunk.len()];
    memory.copy_from_slice(chunk);
    let (mut mutable, mut lent, mut length) = (memory, chunk, 0);
    loop {
        let event =
            if shared { receiver.feed(&mut lent, sender) } else { receiver.feed(&mut mutable, sender) };
        match event {
            Ok(Some(Event::Message(data))) => length += data.parts().1.len(),
            Ok(Some(_)) => {}
            Ok(None) => return length,
            Err(error) => panic!("{error}"),
        }
    }
}

/// What it takes to read a stream in chunks of so many bytes, again and again, once it has been read.
fn steady<R: Reads>(mut receiver: R, role: Role, wire: &[u8], chunk: usize, shared: bool) -> (usize, usize) {
    fn again<R: Reads, K: Keys>(
        receiver: &mut R,
        mut sender: Sender<Grow, K>,
        wire: &[u8],
        chunk: usize,
        shared: bool,
    ) -> (usize, usize) {
        let mut memory = vec![0; chunk];
        let mut length = 0;
        let mut round = || {
            length = 0;
            for chunk in wire.chunks(chunk) {
                length += read(receiver, &mut sender, &mut memory, chunk, shared);
                let n = sender.transmit().len();
                sender.transmitted(n);
            }
        };
        (0..3).for_each(|_| round());
        let used = taken(|| (0..4).for_each(|_| round())).0.allocations;
        (used, length)
    }
    match role {
        Role::Server => again(&mut receiver, Sender::server(Grow::new(1_000_000)), wire, chunk, shared),
        Role::Client => {
            again(&mut receiver, Sender::client(Grow::new(1_000_000), key as Key), wire, chunk, shared)
        }
    }
}

const SIZES: [usize; 6] = [0, 16, 126, 1_000, 16_384, 65_536];

/// Received: small, long, whole, cut, fragmented, with pings in between.
#[test]
fn messages_are_received_without_an_allocation() {
    for role in [Role::Server, Role::Client] {
        for size in SIZES {
            let bytes = numbered(size);
            let letters = "ö".repeat(size / 2);
            let (half, rest) = bytes.split_at(size / 2);
            let wire = Wire::new(peer(role)).binary(&bytes).text(&letters).ping("ping");
            let wire = wire.frame(BINARY, half).ping("between").frame(FIN, rest).binary(&bytes).into_bytes();
            let expected = bytes.len() * 3 + letters.len();
            for chunk in [100, 1_448, 65_536, wire.len()] {
                for shared in [true, false] {
                    let whole = Receiver::new(role, Grow::new(1 << 20));
                    let found = steady(whole, role, &wire, chunk, shared);
                    assert_eq!(found, (0, expected), "{role:?} {size} in {chunk}, shared {shared}");
                    let pieces = Receiver::new(role, Grow::new(1 << 20)).in_pieces(1 << 20);
                    let found = steady(pieces, role, &wire, chunk, shared);
                    assert_eq!(
                        found,
                        (0, expected),
                        "{role:?} {size} in {chunk}, shared {shared}, in pieces"
                    );
                }
            }
        }
    }
}

/// Sent, and taken in whole or in part.
#[test]
fn messages_are_sent_without_an_allocation() {
    fn check<K: Keys>(make: impl Fn() -> Sender<Grow, K>, deflate: Option<Params>) {
        for size in SIZES {
            let (bytes, letters) = (numbered(size), "ö".repeat(size / 2));
            for writes in [usize::MAX, 1_448, 65_536] {
                let mut sender = make().deflate(deflate);
                let mut round = || {
                    let drain = |sender: &mut Sender<Grow, K>| {
                        sender.pong(b"pong");
                        while !sender.transmit().is_empty() {
                            let n = sender.transmit().len().min(writes);
                            sender.transmitted(n);
                        }
                    };
                    sender.binary(&bytes).expect("room");
                    drain(&mut sender);
                    sender.text(letters.as_str()).expect("room");
                    drain(&mut sender);
                };
                (0..3).for_each(|_| round());
                let (used, ()) = taken(|| (0..10).for_each(|_| round()));
                let deflate = deflate.is_some();
                assert_eq!(used.allocations, 0, "{:?}, {size} bytes, {writes}, deflate {deflate}", K::ROLE);
            }
        }
    }
    for deflate in [None, Some(agreed())] {
        check(|| Sender::server(Grow::new(1 << 20)), deflate);
        check(|| Sender::client(Grow::new(1 << 20), key as Key), deflate);
    }
}

/// Compressed messages need their windows once.
#[test]
fn compressed_messages_are_received_without_an_allocation() {
    for size in SIZES {
        let mut sender = Sender::client(Grow::new(1 << 20), key as Key).deflate(Some(agreed()));
        // The window goes over from one message to the next, and from the last to the first.
        let bytes = numbered(size);
        let mut receiver = Receiver::new(Role::Server, Grow::new(1 << 20)).deflate(Some(agreed()));
        let mut round = |sender: &mut Sender<Grow, Key>| {
            for _ in 0..3 {
                sender.binary(&bytes).expect("room");
                let mut chunk = sender.transmit();
                let n = chunk.len();
                while receiver.feed(&mut chunk, NOW, &mut ()).expect("good").is_some() {}
                sender.transmitted(n);
            }
        };
        (0..3).for_each(|_| round(&mut sender));
        assert_eq!(taken(|| (0..10).for_each(|_| round(&mut sender))).0.allocations, 0, "{size}");
    }
}

/// A connection that is idle, with all that the crate does by default: 256 bytes, and none of the heap.
#[test]
fn an_idle_connection_is_small() {
    let server = size_of::<Receiver<Grow>>() + size_of::<Sender<Grow, Unmasked>>();
    let client = size_of::<Receiver<Grow, InPieces>>() + size_of::<Sender<Grow, Key>>();
    println!("server {server}, client {client}");
    assert!(server <= 256, "{server} bytes");
    assert!(client <= 264, "{client} bytes, of which 8 are the keys'");

    let mut kept = (None, None);
    let (used, ()) = taken(|| {
        let mut receiver = Receiver::new(Role::Server, Grow::new(1 << 20)).deflate(Some(agreed()));
        let mut sender = Sender::server(Grow::new(1 << 20)).deflate(Some(agreed()));
        assert_eq!(taken(|| ()).0.kept, 0);
        let wire = Wire::new(Role::Client).text("x".repeat(1_000)).ping("ping").into_bytes();
        for mut chunk in wire.chunks(100) {
            while receiver.feed(&mut chunk, NOW, &mut sender).expect("good").is_some() {}
        }
        sender.text("y".repeat(1_000).as_str()).expect("room");
        while !sender.transmit().is_empty() {
            let n = sender.transmit().len();
            sender.transmitted(n);
        }
        receiver.release();
        sender.release();
        kept = (Some(receiver), Some(sender));
    });
    assert_eq!(used.kept, 0, "{kept:?}");
    assert!(used.allocations > 0);
}

/// What compression takes, a side is told beforehand; once it has been agreed upon it takes nothing, before
/// the first message comes or goes.
#[test]
fn compression_takes_the_memory_that_it_says() {
    let long = "memory ".repeat(9_000);
    for bits in 8..=15 {
        let config = Config::new().server_bits(bits).client_bits(23 - bits);
        let params = config.accept(&Default::default());
        let mut peer = Sender::client(Grow::new(1 << 20), key as Key).deflate(Some(params));
        peer.text(long.as_str()).expect("room");
        let (before, (mut receiver, mut sender)) = taken(|| {
            let receiver = Receiver::new(Role::Server, Array::<512>::new()).in_pieces(u64::MAX);
            let sender = Sender::server(Array::<65_000>::new());
            (receiver.deflate(Some(params)), sender.deflate(Some(params)))
        });
        assert_eq!(before, Taken::NOTHING);
        let (used, length) = taken(|| {
            let (mut input, mut length) = (peer.transmit(), 0);
            while let Ok(Some(Event::Message(piece))) = receiver.feed(&mut input, NOW, &mut sender) {
                length += piece.as_bytes().len();
            }
            sender.text(long.as_str()).expect("room");
            length
        });
        assert_eq!(length, long.len());
        // What was made of the last message is kept too.
        let (kept, said) = (used.kept as usize, params.memory(Role::Server));
        assert!(
            (said - 8_192..=said + 10_000).contains(&kept),
            "{bits} bits: {kept} bytes, {said} were said"
        );
        assert!(used.peak as usize <= said + 10_000, "{bits} bits: {used:?}");
    }
}

/// `release` at any time loses nothing.
#[test]
fn released_at_any_time() {
    let config = Config::new().client_no_context(true);
    let fresh = config.accept(&Default::default());
    for deflate in [None, Some(agreed()), Some(fresh)] {
        let mut sender = Sender::client(Grow::new(1 << 20), key as Key).deflate(deflate);
        let mut receiver = Receiver::new(Role::Server, Grow::new(1 << 20)).deflate(deflate);
        let mut answers = Sender::server(Grow::new(1_000));
        let (message, mut wire) = ("and so on, ".repeat(30), Vec::new());
        for _ in 0..5 {
            sender.piece(feedrate_ws::Piece::text(&message, false)).expect("room");
            sender.release();
            sender.ping(b"ping").expect("room");
            sender.piece(feedrate_ws::Piece::text(&message, true)).expect("room");
            sender.release();
            sender.text(message.as_str()).expect("room");
            feedrate_testkit::ws::run::write(&mut sender, &mut wire);
            sender.release();
        }
        let (mut lengths, mut pings) = (Vec::new(), 0);
        for byte in &wire {
            let mut input = std::slice::from_ref(byte);
            while let Some(event) = receiver.feed(&mut input, NOW, &mut answers).expect("good") {
                match event {
                    Event::Message(text) => {
                        assert!(text.as_bytes().starts_with(message.as_bytes()));
                        lengths.push(text.as_bytes().len());
                    }
                    Event::Ping(payload) => pings += usize::from(payload == b"ping"),
                    event => panic!("{event:?}"),
                }
            }
            receiver.release();
            answers.release();
        }
        assert_eq!((lengths, pings), ([660, 330].repeat(5), 5));
        assert!(answers.queued() > 0);
    }
}

/// A message of a gigabyte, that is really fed, through less than a kilobyte. Of text, and without
/// optimization, less of it.
#[test]
fn messages_of_a_gigabyte_in_constant_memory() {
    fn stream<R: Reads>(mut receiver: R, role: Role, opcode: u8, length: u64, shared: bool) {
        // Of 251 numbers, or of ASCII and not, at no offset that anything could like; masked as a client does.
        let text = "gr\u{f6}\u{df}e 世界 ".repeat(2_800);
        let plain = if opcode == TEXT { text.into_bytes() } else { numbered(251 * 180) };
        let key = if role == Role::Server { [7, 1, 0x55, 9] } else { [0; 4] };
        let head = Wire::new(peer(role)).head(FIN | opcode, length).into_bytes();
        let head = if role == Role::Server { [&head[..head.len() - 4], &key].concat() } else { head };
        let mut masked: Vec<Vec<u8>> = vec![Vec::new(); 4];
        for (shift, masked) in masked.iter_mut().enumerate() {
            *masked = plain.clone();
            mask::apply(masked, mask::advance(key, shift));
        }
        let mut memory = vec![0; plain.len()];
        let mut sender = Sender::server(Grow::new(1_000));
        let (used, seen) = taken(|| {
            let mut seen = read(&mut receiver, &mut sender, &mut memory, &head, shared) as u64;
            let mut fed = 0;
            while fed < length {
                let chunk = &masked[(fed % 4) as usize];
                let n = chunk.len().min((length - fed) as usize);
                seen += read(&mut receiver, &mut sender, &mut memory, &chunk[..n], shared) as u64;
                fed += n as u64;
            }
            seen
        });
        assert_eq!(seen, length);
        assert!(used.peak < 2_000, "{used:?}");
    }
    let (long, short) = if cfg!(debug_assertions) { (1 << 24, 1 << 22) } else { (1 << 30, 1 << 28) };
    let pieces = |role| Receiver::new(role, Array::<512>::new()).in_pieces(u64::MAX);
    for role in [Role::Server, Role::Client] {
        stream(pieces(role), role, BINARY, long, false);
        stream(pieces(role), role, BINARY, short, true);
        // Whole characters.
        let letters = "gr\u{f6}\u{df}e 世界 ".len() as u64;
        stream(pieces(role), role, TEXT, short / letters * letters, false);
    }
}
