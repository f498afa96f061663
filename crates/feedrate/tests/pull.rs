//! Pulling: `ready` and `take` over a `Buffer` hand out what `feed` does, from either kind of input, for
//! protocols that look and for those that change their bytes.

use feedrate::{
    Array, Borrowed, Buffer, Decoder, Error, Extent, Fault, Grow, Input, Lent, Protocol, Recovery, Storage,
};
use feedrate_testkit::chunks::{bytewise, cuts};

/// A length, a key, and a payload under that key. `0xff` in place of the length begins nothing, and a
/// payload longer than the storage comes in pieces.
macro_rules! masked {
    ($Name:ident, $Bytes:ty, $recovery:expr, $unmask:expr) => {
        #[derive(Debug, Default)]
        struct $Name {
            left: usize,
            key: u8,
            skipped: usize,
        }

        impl Protocol for $Name {
            type Bytes<'a> = $Bytes;
            type Message<'a> = Vec<u8>;
            type Error = Fault;
            const RECOVERY: Recovery = $recovery;

            fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
                match *head {
                    _ if self.left > 0 => Ok(Extent::Piece(self.left)),
                    [0xff, ..] => Err(Fault::Memory { needed: 0xff }),
                    [length, ..] => Ok(Extent::Message(usize::from(length) + 2)),
                    [] => Ok(Extent::Need(1)),
                }
            }

            fn check(&self, frame: &[u8]) -> Result<(), Fault> {
                if frame.get(2) == Some(&0) { Err(Fault::Memory { needed: 0 }) } else { Ok(()) }
            }

            fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Fault> {
                let unmask: fn(Self::Bytes<'a>, usize, u8) -> Vec<u8> = $unmask;
                if self.left > 0 {
                    let piece = unmask(frame, 0, self.key);
                    self.left -= piece.len();
                    return Ok(piece);
                }
                let whole = unmask(frame, 2, 0);
                Ok(match whole[..] {
                    // The head of one that comes in pieces.
                    [length, key] if length > 0 => {
                        (self.left, self.key) = (length.into(), key);
                        vec![]
                    }
                    _ => whole[2..].iter().map(|byte| byte ^ whole[1]).collect(),
                })
            }

            fn glance(&self, head: &[u8]) -> Option<usize> {
                match *head {
                    // Even ones only, so that both ways are gone.
                    [length @ 2..8, _, 1..=255, ..] if self.left == 0 && length % 2 == 0 => {
                        Some(usize::from(length) + 2)
                    }
                    _ => None,
                }
            }

            fn head(&self, _: &[u8], _: usize) -> Option<usize> {
                Some(2)
            }

            fn inside(&self) -> bool {
                self.left > 0
            }

            fn skipped(&mut self, n: usize) {
                self.skipped += n;
            }
        }
    };
}

masked!(Looks, &'a [u8], Recovery::Close, |frame, _, key| frame.iter().map(|byte| byte ^ key).collect());
masked!(Changes, &'a mut [u8], Recovery::Close, |frame, from, key| {
    // The bytes are changed where they lie, and it shows if it happens twice.
    frame[from..].iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
    let bytes =
        frame.iter().enumerate().map(|(i, byte)| if i < from { *byte } else { byte.wrapping_sub(1) ^ key });
    bytes.collect()
});
masked!(Either, Lent<'a>, Recovery::Close, |frame, _, key| frame
    .into_bytes()
    .iter()
    .map(|byte| byte ^ key)
    .collect());
masked!(Hunts, &'a mut [u8], Recovery::Hunt, |frame, _, key| frame.iter().map(|byte| byte ^ key).collect());

type Out = (Vec<Result<Vec<u8>, Error<Fault>>>, Result<(), Error<Fault>>, usize);

trait Counts {
    fn skipped(&self) -> usize;
}

macro_rules! counts {
    ($($Name:ident),*) => { $( impl Counts for $Name { fn skipped(&self) -> usize { self.skipped } } )* };
}

counts!(Looks, Changes, Either, Hunts);

/// Pieces are cut wherever the input is: those of one message are put together, its empty head included.
fn push(out: &mut Vec<Result<Vec<u8>, Error<Fault>>>, inside: bool, result: Result<Vec<u8>, Error<Fault>>) {
    match (out.last_mut(), result) {
        (Some(Ok(last)), Ok(piece)) if inside => last.extend(piece),
        (_, result) => out.push(result),
    }
}

fn by_shared<P, S>(mut decoder: Decoder<P, S>, chunks: &[&[u8]]) -> Out
where
    P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts,
    S: Storage,
{
    let mut out = Vec::new();
    for mut chunk in chunks.iter().copied() {
        fed(&mut decoder, &mut chunk, &mut out);
    }
    (out, decoder.end(), decoder.protocol().skipped())
}

fn by_mutable<P, S>(mut decoder: Decoder<P, S>, chunks: &[&[u8]]) -> Out
where
    P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts,
    S: Storage,
{
    let mut out = Vec::new();
    for chunk in chunks {
        fed(&mut decoder, &mut &mut chunk.to_vec()[..], &mut out);
    }
    (out, decoder.end(), decoder.protocol().skipped())
}

/// All of one chunk. A stream that is lost takes nothing more.
fn fed<'i, P, S, I>(decoder: &mut Decoder<P, S>, input: &mut I, out: &mut Vec<Result<Vec<u8>, Error<Fault>>>)
where
    P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts,
    S: Storage,
    I: Input<'i>,
{
    while !decoder.is_lost() {
        let inside = decoder.protocol().inside();
        match decoder.feed(input) {
            Ok(Some(message)) => push(out, inside, Ok(message)),
            Ok(None) => return assert!(input.bytes().is_empty()),
            Err(error) => push(out, inside, Err(error)),
        }
    }
}

/// The chunks are what the reads bring; none is longer than the buffer. `glances`: it does before it asks.
fn by_pull<P, S>(mut decoder: Decoder<P, S>, chunks: &[&[u8]], glances: bool) -> Out
where
    P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts,
    S: Storage,
{
    let mut out = Vec::new();
    let mut buffer = Buffer::new([0xee; 16]);
    'all: for chunk in chunks.iter().flat_map(|chunk| chunk.chunks(16)) {
        let space = buffer.space();
        assert_eq!(space.len(), 16);
        space[..chunk.len()].copy_from_slice(chunk);
        buffer.filled(chunk.len());
        loop {
            let inside = decoder.protocol().inside();
            if let Some(ready) = decoder.glance(&buffer).filter(|_| glances) {
                push(&mut out, inside, decoder.take(ready, &mut buffer));
                continue;
            }
            match decoder.ready(&mut buffer) {
                Ok(Some(ready)) => {
                    // Not taken, it is found again.
                    drop(ready);
                    let ready = decoder.ready(&mut buffer).expect("again").expect("as before");
                    push(&mut out, inside, decoder.take(ready, &mut buffer));
                }
                Ok(None) => break,
                Err(error) => push(&mut out, inside, Err(error)),
            }
            if decoder.is_lost() {
                break 'all;
            }
        }
        assert_eq!(buffer.unread(), b"");
    }
    (out, decoder.end(), decoder.protocol().skipped())
}

fn always<P>(bytes: &[u8]) -> Out
where
    P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts + Default,
{
    fn check<P, S: Storage>(bytes: &[u8], new: impl Fn() -> Decoder<P, S>) -> Out
    where
        P: for<'a> Protocol<Message<'a> = Vec<u8>, Error = Fault> + Counts,
    {
        let whole = by_shared(new(), &[bytes]);
        let mut ways = vec![vec![bytes], bytewise(bytes), vec![&[], bytes, &[]]];
        ways.extend(cuts(bytes).map(|at| vec![&bytes[..at], &bytes[at..]]));
        for chunks in ways {
            assert_eq!(by_shared(new(), &chunks), whole, "shared: {chunks:x?}");
            assert_eq!(by_mutable(new(), &chunks), whole, "mutable: {chunks:x?}");
            assert_eq!(by_pull(new(), &chunks, false), whole, "pulled: {chunks:x?}");
            assert_eq!(by_pull(new(), &chunks, true), whole, "glanced at: {chunks:x?}");
        }
        whole
    }
    let array = check(bytes, || Decoder::new(P::default(), Array::<10>::new()));
    assert_eq!(check(bytes, || Decoder::new(P::default(), Grow::new(10))), array);
    assert_eq!(check(bytes, || Decoder::new(P::default(), heapless::Vec::<u8, 10>::new())), array);
    array
}

#[test]
fn whichever_way_the_bytes_come_the_messages_are_the_same() {
    let ok = |text: &[u8]| Ok(text.to_vec());
    let bad = |needed| Err(Error::Message(Fault::Memory { needed }));
    let lost = |needed| Err(Error::Lost(Fault::Memory { needed }));
    let streams: [(&[u8], Vec<_>); 7] = [
        (b"\x03\x20abc\x02\x20xy\x00\x01\x01\x20q", vec![ok(b"ABC"), ok(b"XY"), ok(b""), ok(b"Q")]),
        (b"\x08\x2012345678\x04\x20abcd", vec![ok(b"\x11\x12\x13\x14\x15\x16\x17\x18"), ok(b"ABCD")]),
        // Longer than the storage: in pieces.
        (b"\x0c\x20abcdefghijkl\x02\x20xy", vec![ok(b"ABCDEFGHIJKL"), ok(b"XY")]),
        // Refused by `check`: it alone.
        (b"\x02\x20\0y\x03\x20abc\x03\x20\0bc\x01\x20q", vec![bad(0), ok(b"ABC"), bad(0), ok(b"Q")]),
        (b"\x02\x20xy\xff\x02\x20xy", vec![ok(b"XY"), lost(0xff)]),
        (b"\x02\x20xy\x03\x20a", vec![ok(b"XY")]),
        (b"\x09\x20abcdefghi\x20\x20abcdefghijklmnop", vec![ok(b"ABCDEFGHI"), ok(b"ABCDEFGHIJKLMNOP")]),
    ];
    for (bytes, expected) in streams {
        let found = always::<Looks>(bytes);
        assert_eq!(found.0, expected, "{bytes:x?}");
        assert_eq!(always::<Changes>(bytes), found);
        assert_eq!(always::<Either>(bytes), found);
    }
}

/// What was looked at, and changed, is not looked at again; what `check` refuses is, but for its first byte.
#[test]
fn bytes_that_were_refused_have_not_been_changed() {
    let (found, end, skipped) =
        always::<Hunts>(b"\x06\xff\0\xff\x02\x20xy\x04\x20abcd\xff\x03\x20abc\x02\xff\0\xff\x01\x20q");
    let bad = |needed| Err(Error::Message(Fault::Memory { needed }));
    let ok = |text: &[u8]| Ok(text.to_vec());
    let expected = [
        // The one behind those that are held does not overtake them.
        vec![bad(0), bad(0xff), ok(b""), ok(b"XY"), ok(b"ABCD"), bad(0xff), ok(b"ABC")],
        vec![bad(0), bad(0xff), ok(b""), ok(b"Q")],
    ];
    assert_eq!((found, end, skipped), (expected.concat(), Ok(()), 5));
}

#[test]
fn a_message_that_was_taken_is_not_ready() {
    let mut decoder = Decoder::new(Looks::default(), Array::<16>::new());
    let mut buffer = Buffer::new(vec![0; 32]);
    let fill = |buffer: &mut Buffer<Vec<u8>>, bytes: &[u8]| {
        buffer.space()[..bytes.len()].copy_from_slice(bytes);
        buffer.filled(bytes.len());
    };
    let gone = Err(Error::Message(Fault::NotReady));
    fill(&mut buffer, b"\x03\x20abc\x02\x20xy\x05");
    let first = decoder.ready(&mut buffer).expect("good").expect("whole");
    let again = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(first, &mut buffer), Ok(b"ABC".to_vec()));
    assert_eq!(decoder.take(again, &mut buffer), gone);
    // Nothing was lost by that.
    let second = decoder.ready(&mut buffer).expect("good").expect("whole");
    let mut other = Buffer::new(vec![0; 4]);
    assert_eq!(decoder.take(second, &mut other), gone);
    let second = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(second, &mut buffer), Ok(b"XY".to_vec()));
    // From the storage.
    assert!(decoder.ready(&mut buffer).expect("good").is_none());
    fill(&mut buffer, b"\x20vwxyz\x01");
    let held = decoder.ready(&mut buffer).expect("good").expect("whole");
    let stale = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(held, &mut buffer), Ok(b"VWXYZ".to_vec()));
    assert_eq!(decoder.take(stale, &mut buffer), gone);
    // At a glance. One that is not whole is not seen, nor what has to wait for what is held.
    fill(&mut buffer, b"\x20q\x04\x20abcd\x04\x20efgh\x04\x20ijk");
    assert!(decoder.glance(&buffer).is_none());
    let one = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(one, &mut buffer), Ok(b"Q".to_vec()));
    let [seen, stale, strange] = [(); 3].map(|()| decoder.glance(&buffer).expect("whole"));
    assert_eq!(decoder.take(seen, &mut buffer), Ok(b"ABCD".to_vec()));
    assert_eq!(decoder.take(stale, &mut buffer), gone);
    assert_eq!(decoder.take(strange, &mut other), gone);
    let seen = decoder.glance(&buffer).expect("whole");
    assert_eq!(decoder.take(seen, &mut buffer), Ok(b"EFGH".to_vec()));
    assert!(decoder.glance(&buffer).is_none());
    assert!(decoder.ready(&mut buffer).expect("good").is_none());
    fill(&mut buffer, b"l\x04\x20mnop");
    assert!(decoder.glance(&buffer).is_none());
    let held = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(held, &mut buffer), Ok(b"IJKL".to_vec()));
    let seen = decoder.glance(&buffer).expect("whole");
    assert_eq!(decoder.take(seen, &mut buffer), Ok(b"MNOP".to_vec()));
    fill(&mut buffer, b"\x01");
    let mut same = Buffer::new(vec![0; 32]);
    fill(&mut same, b"\x04\x20qrst");
    let strange = decoder.glance(&same).expect("whole");
    assert_eq!(decoder.take(strange, &mut Buffer::new(vec![0; 4])), gone);
    // Nor if another one has begun meanwhile.
    let stale = decoder.glance(&same).expect("whole");
    assert_eq!(decoder.feed(&mut &b"\x04\x20uv"[..]), Ok(None));
    assert_eq!(decoder.take(stale, &mut same), gone);
    // The rest is there for whoever is next.
    assert_eq!(buffer.unread(), b"\x01");
    let (memory, unread) = buffer.into_parts();
    assert_eq!(&memory[unread], b"\x01");
}

/// A buffer that is read into before all of it has been decoded moves what is left to its front.
#[test]
fn a_buffer_keeps_what_is_unread() {
    let mut decoder = Decoder::new(Changes::default(), Array::<16>::new());
    let mut memory = [0; 8];
    let mut buffer = Buffer::new(&mut memory[..]);
    buffer.space().copy_from_slice(b"\x01\x20a\x02\x20bc\x01");
    buffer.filled(usize::MAX);
    let ready = decoder.ready(&mut buffer).expect("good").expect("whole");
    assert_eq!(decoder.take(ready, &mut buffer), Ok(b"A".to_vec()));
    assert_eq!(buffer.space().len(), 3);
    buffer.space()[..2].copy_from_slice(b"\x20d");
    buffer.filled(2);
    assert_eq!(buffer.unread(), b"\x02\x20bc\x01\x20d");
    for expected in [&b"BC"[..], b"D"] {
        let ready = decoder.ready(&mut buffer).expect("good").expect("whole");
        assert_eq!(decoder.take(ready, &mut buffer), Ok(expected.to_vec()));
    }
    assert!(decoder.ready(&mut buffer).expect("good").is_none());
    assert_eq!(buffer.space().len(), 8);
    assert_eq!(format!("{buffer:?}"), "Buffer { unread: 0, .. }");
}

/// What is told the protocol in the middle of a message counts for that message.
#[test]
fn a_message_that_has_begun_is_measured_anew_when_the_protocol_changes() {
    let mut decoder = Decoder::new(Looks::default(), Array::<16>::new());
    assert_eq!(decoder.feed(&mut &b"\x04\x20a"[..]), Ok(None));
    decoder.protocol_mut().left = 3;
    // Now they are three bytes of a body.
    assert_eq!(decoder.feed(&mut &b"bc"[..]), Ok(Some(b"\x04\x20a".to_vec())));
}

/// Refused alone: what is still to come of it is passed over, and the stream must not end there.
#[test]
fn what_is_longer_than_the_storage_is_passed_over() {
    #[derive(Debug, Default)]
    struct Long {
        skipped: usize,
    }
    impl Protocol for Long {
        type Bytes<'a> = &'a [u8];
        type Message<'a> = &'a [u8];
        type Error = Fault;
        fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
            match head.first_chunk() {
                Some(&[255, _]) => Ok(Extent::Message(usize::MAX)),
                Some(&[high, low]) => Ok(Extent::Message(usize::from(high) * 256 + usize::from(low) + 2)),
                None => Ok(Extent::Need(2)),
            }
        }
        fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Fault> {
            Ok(&frame[2..])
        }
        fn skipped(&mut self, n: usize) {
            self.skipped += n;
        }
    }
    let mut memory = [0; 8];
    let mut decoder = Decoder::new(Long::default(), Borrowed::new(&mut memory));
    let refused = Err(Error::Message(Fault::TooLong { declared: 1002, limit: 8 }));
    for first in 2..9 {
        let stream = [&[3, 0xe8][..], &[b'x'; 1000], b"\0\x02ok"].concat();
        let (mut start, mut rest) = stream.split_at(first);
        assert_eq!(decoder.feed(&mut start), refused);
        assert_eq!(decoder.feed(&mut start), Ok(None));
        assert_eq!((decoder.needed(), decoder.pending()), (1002 - first, &b""[..]));
        let end = Fault::Truncated { held: 0, missing: 1002 - first };
        assert_eq!(decoder.end(), Err(Error::Lost(end)));
        assert_eq!(decoder.gap(), Ok(None));
        assert_eq!(decoder.feed(&mut rest), Ok(Some(&b"ok"[..])));
        assert_eq!((rest, decoder.end()), (&b""[..], Ok(())));
    }
    assert_eq!(decoder.protocol().skipped, 7 * 1002);
    // A reset forgets it.
    assert_eq!(decoder.feed(&mut &[3, 0xe8][..]), refused);
    decoder.reset();
    assert_eq!(decoder.feed(&mut &b"\0\x01a"[..]), Ok(Some(&b"a"[..])));
    // A length that nothing can have cannot be passed over.
    let lost = Err(Error::Lost(Fault::TooLong { declared: usize::MAX, limit: 8 }));
    assert_eq!(decoder.feed(&mut &b"\xff\xff"[..]), lost);
}
