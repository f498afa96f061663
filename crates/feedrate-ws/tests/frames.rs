//! WebSocket's frames alone, behind a decoder: whole and in pieces, pushed and pulled, from input that can
//! be unmasked where it lies and from other, what comes out is a function of the bytes. And what comes out
//! can be written again, byte for byte.

use feedrate::{Array, Buffer, Decoder, Encode, EncodeError, Error, Grow, Input, Output, Storage};
use feedrate_testkit::chunks::bytewise;
use feedrate_testkit::ws::run::{Entry, NOW};
use feedrate_testkit::ws::wire::{BINARY, FIN, MORE, RSV1, TEXT, Wire, frame, peer};
use feedrate_testkit::ws::{Vector, bad, good};
use feedrate_ws::frame::{CONTROL, Frame, FrameError, Frames, HEADER, Header, Opcode, Part};
use feedrate_ws::{InPieces, Kind, Role, Violation, Whole, mask};

/// What came out: the stream again, as it was written from what was decoded; how it ended; and whether it may
/// end there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    again: Vec<u8>,
    /// Of each frame.
    payloads: Vec<Vec<u8>>,
    errors: Vec<Error<FrameError>>,
    ends: bool,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Shared,
    Mutable,
    /// Through a buffer of this size.
    Pulled(usize),
}

const HOWS: [How; 5] = [How::Shared, How::Mutable, How::Pulled(1), How::Pulled(7), How::Pulled(4096)];

impl Seen {
    fn new() -> Self {
        Self { again: Vec::new(), payloads: Vec::new(), errors: Vec::new(), ends: false }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        frame.encode(&mut self.again).expect("what was decoded can be encoded");
        self.payloads.push(frame.payload.to_vec());
    }

    fn part(&mut self, part: Part<'_>) {
        if let Some(header) = part.header {
            let (bytes, n) = header.to_bytes();
            self.again.extend_from_slice(&bytes[..n]);
            self.payloads.push(Vec::new());
        } else {
            assert!(!part.payload.is_empty(), "a part of nothing");
        }
        // As they came, and as they are meant.
        self.again.extend_from_slice(part.payload.as_bytes());
        let payload = self.payloads.last_mut().expect("a header comes first");
        let key = part.payload.key();
        let mut plain = part.payload.as_bytes().to_vec();
        if let Some(key) = key {
            mask::apply(&mut plain, key);
        }
        let before = payload.len();
        part.payload.copy_to(payload);
        assert_eq!(payload[before..], plain);
        match part.payload.unmask() {
            Ok(bytes) => assert_eq!(bytes, plain),
            Err(payload) => assert!(key.is_some() && payload.len() == plain.len()),
        }
    }
}

/// Both ways to have frames.
trait Mode: Sized {
    fn next<'i, S: Storage, I: Input<'i>>(
        decoder: &mut Decoder<Frames<Self>, S>,
        input: &mut I,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>>
    where
        Frames<Self>: feedrate::Protocol<Error = FrameError>;

    fn pull<S: Storage>(
        decoder: &mut Decoder<Frames<Self>, S>,
        buffer: &mut Buffer<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>>
    where
        Frames<Self>: feedrate::Protocol<Error = FrameError>;
}

impl Mode for Whole {
    fn next<'i, S: Storage, I: Input<'i>>(
        decoder: &mut Decoder<Frames, S>,
        input: &mut I,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>> {
        Ok(decoder.feed(input)?.map(|frame| seen.frame(&frame)).is_some())
    }

    fn pull<S: Storage>(
        decoder: &mut Decoder<Frames, S>,
        buffer: &mut Buffer<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>> {
        let Some(ready) = decoder.ready(buffer)? else { return Ok(false) };
        seen.frame(&decoder.take(ready, buffer)?);
        Ok(true)
    }
}

impl Mode for InPieces {
    fn next<'i, S: Storage, I: Input<'i>>(
        decoder: &mut Decoder<Frames<InPieces>, S>,
        input: &mut I,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>> {
        Ok(decoder.feed(input)?.map(|part| seen.part(part)).is_some())
    }

    fn pull<S: Storage>(
        decoder: &mut Decoder<Frames<InPieces>, S>,
        buffer: &mut Buffer<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<bool, Error<FrameError>> {
        let Some(ready) = decoder.ready(buffer)? else { return Ok(false) };
        seen.part(decoder.take(ready, buffer)?);
        Ok(true)
    }
}

fn read<M: Mode>(frames: Frames<M>, storage: impl Storage, how: How, chunks: &[&[u8]]) -> Seen
where
    Frames<M>: feedrate::Protocol<Error = FrameError>,
{
    let mut decoder = Decoder::new(frames, storage);
    let (mut seen, mut lost) = (Seen::new(), false);
    let mut buffer = Buffer::new(match how {
        How::Pulled(size) => vec![0; size],
        _ => Vec::new(),
    });
    for chunk in chunks {
        let mut memory = chunk.to_vec();
        let (mut shared, mut mutable, mut unread) = (*chunk, &mut memory[..], *chunk);
        while !lost {
            let result = match how {
                How::Shared => M::next(&mut decoder, &mut shared, &mut seen),
                How::Mutable => M::next(&mut decoder, &mut mutable, &mut seen),
                How::Pulled(_) => M::pull(&mut decoder, &mut buffer, &mut seen),
            };
            match (result, how) {
                (Ok(true), _) => {}
                (Ok(false), How::Pulled(_)) if !unread.is_empty() => {
                    assert!(buffer.unread().is_empty());
                    let space = buffer.space();
                    let n = space.len().min(unread.len());
                    space[..n].copy_from_slice(&unread[..n]);
                    unread = &unread[n..];
                    buffer.filled(n);
                }
                (Ok(false), _) => break,
                (Err(error), _) => {
                    lost = error.is_lost();
                    seen.errors.push(error);
                }
            }
        }
    }
    seen.ends = decoder.end().is_ok();
    seen
}

/// The same whole, byte by byte, and cut in two everywhere, whichever way the bytes come.
fn always<M: Mode>(
    name: &str,
    frames: &Frames<M>,
    storage: impl Fn() -> Grow,
    bytes: &[u8],
    same: impl Fn(&Seen) -> Seen,
) -> (Seen, usize)
where
    Frames<M>: feedrate::Protocol<Error = FrameError>,
{
    let whole = read(frames.clone(), storage(), How::Shared, &[bytes]);
    let mut runs = 0;
    let mut check = |how, chunks: &[&[u8]]| {
        let found = read(frames.clone(), storage(), how, chunks);
        let cut = chunks.first().map(|chunk| chunk.len());
        let (whole, found) = (same(&whole), same(&found));
        assert!(whole == found, "{name} {how:?} cut {cut:?}: {:?}, {:?}", whole.errors, found.errors);
        runs += 1;
    };
    let (few, long) = (bytes.len() <= 200, bytes.len() > 5_000);
    for how in HOWS {
        if !long {
            check(how, &[bytes]);
            check(how, &bytewise(bytes));
        }
    }
    let places = [1, 2, 4, 9, 10, 13, 14, 15, bytes.len() / 2, bytes.len().saturating_sub(1)];
    let ends = |at: &usize| few || places[if long { 7 } else { 0 }..].contains(at);
    for how in [How::Shared, How::Mutable, How::Pulled(7)] {
        for at in (0..=bytes.len()).filter(ends) {
            check(how, &[&bytes[..at], &bytes[at..]]);
        }
    }
    (whole, runs)
}

/// What a header can show.
fn is_of_the_frame(violation: &Violation) -> bool {
    use Violation as V;
    matches!(
        violation,
        V::Reserved { .. }
            | V::Opcode(_)
            | V::ControlFragmented(_)
            | V::Continuation
            | V::Interrupted(_)
            | V::Unmasked
            | V::Masked
            | V::ControlTooLong(_)
            | V::NotMinimal { .. }
            | V::LengthTopBit
    )
}

/// The frames up to the first that is not whole, by the definition.
fn defined(row: &Vector, bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut rest, mut payloads) = (bytes, Vec::new());
    while let Some(((_, payload), behind)) = frame(peer(row.role), rest) {
        payloads.push(payload);
        rest = behind;
    }
    (payloads, bytes.len() - rest.len())
}

#[test]
fn every_vector_at_every_split() {
    let mut runs = 0;
    for row in good().into_iter().chain(bad()) {
        // What Violation::TooLong would be, has no limit here.
        let frames = Frames::new(row.role).compressed(row.deflate == Some(true));
        let violation = match row.entries.last() {
            Some(Entry::Failed(error)) if is_of_the_frame(&error.violation) => Some(*error),
            _ => None,
        };
        let (whole, n) = always(&row.name, &frames, || Grow::new(1 << 17), &row.bytes, Seen::clone);
        // In pieces a frame that does not end comes out as far as it is here.
        let pieces = frames.clone().in_pieces();
        let (parts, m) = always(&row.name, &pieces, || Grow::new(HEADER), &row.bytes, Seen::clone);
        runs += n + m;
        assert_eq!(whole.errors, parts.errors, "{}", row.name);
        assert!(parts.payloads.len() - whole.payloads.len() <= 1 && parts.again.starts_with(&whole.again));
        match violation {
            Some(error) => {
                let at = error.offset as usize;
                let (payloads, n) = defined(&row, &row.bytes[..at]);
                assert_eq!((whole.errors.len(), n), (1, at), "{}", row.name);
                assert_eq!(whole.errors[0], Error::Lost(error.violation.into()), "{}", row.name);
                assert_eq!((&whole.payloads, &whole.again[..]), (&payloads, &row.bytes[..at]));
                assert!(!whole.ends);
            }
            None if whole.errors.is_empty() => {
                let (payloads, n) = defined(&row, &row.bytes);
                assert_eq!((&whole.payloads, &whole.again[..]), (&payloads, &row.bytes[..n]), "{}", row.name);
                assert!(row.bytes.starts_with(&parts.again));
                assert_eq!((whole.ends, parts.ends), (row.message_ends(row.bytes.len()), whole.ends));
            }
            // Behind what only a receiver refuses, a frame may follow that is refused here.
            None => assert!(matches!(row.entries.last(), Some(Entry::Failed(_) | Entry::Closed(_)))),
        }
    }
    assert!(runs > 200_000, "{runs} runs");
    println!("{runs} runs");
}

/// A header is refused when the byte is there that shows it, and not one byte before.
#[test]
fn at_the_first_byte_that_shows_it() {
    let mut seen = 0;
    for row in bad().iter().filter(|row| row.bytes.len() < 1_000) {
        let Some(Entry::Failed(error)) = row.entries.last() else { panic!("{}", row.name) };
        if !is_of_the_frame(&error.violation) {
            continue;
        }
        let at = error.offset as usize;
        let shown = at
            + match error.violation {
                Violation::Masked | Violation::Unmasked | Violation::ControlTooLong(_) => 1,
                Violation::LengthTopBit => 2,
                Violation::NotMinimal { .. } if row.bytes[at + 1] & 0x7f == 126 => 3,
                Violation::NotMinimal { .. } => 9,
                _ => 0,
            };
        let frames = Frames::new(row.role).compressed(row.deflate == Some(true));
        for how in HOWS {
            for n in [shown, shown + 1] {
                let bytes = &row.bytes[..n];
                let whole = read(frames.clone(), Grow::new(9_999), how, &[bytes]);
                let parts = read(frames.clone().in_pieces(), Array::<HEADER>::new(), how, &bytewise(bytes));
                let errors = usize::from(n > shown);
                assert_eq!((whole.errors.len(), parts.errors.len()), (errors, errors), "{} {n}", row.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 2_000, "{seen}");
}

/// One that is longer than the storage costs itself and not the next, whole; and in pieces there is none too
/// long.
#[test]
fn a_frame_that_is_longer_than_the_storage() {
    for role in [Role::Server, Role::Client] {
        for (first, behind) in [(FIN | BINARY, FIN | BINARY), (BINARY, FIN | MORE)] {
            let long = vec![9; 1_000];
            let wire = Wire::new(peer(role)).text("a").frame(first, &long).ping("p").frame(behind, "b");
            let bytes = wire.text("c").into_bytes();
            let header = if role == Role::Server { 8 } else { 4 };
            for limit in [20, 999, 999 + header] {
                let same = |seen: &Seen| seen.clone();
                let (seen, _) = always("long", &Frames::new(role), || Grow::new(limit), &bytes, same);
                let error = FrameError::TooLong { declared: 1_000 + header, limit };
                assert_eq!(seen.errors, [Error::Message(error)]);
                assert_eq!(seen.payloads, [&b"a"[..], b"p", b"b", b"c"]);
            }
            let whole = read(Frames::new(role), Grow::new(1_000 + header), How::Mutable, &bytewise(&bytes));
            assert_eq!((whole.errors.len(), whole.payloads.len()), (0, 5));
            let pieces = Frames::new(role).in_pieces();
            let (seen, _) = always("long", &pieces, || Grow::new(HEADER), &bytes, Seen::clone);
            assert_eq!((seen.errors.len(), seen.payloads[1].len(), &seen.again), (0, 1_000, &bytes));
        }
    }
}

/// 2^63 - 1 bytes are a length like any other: nothing is reserved for it.
#[test]
fn the_longest_frame() {
    let mut bytes = Wire::new(Role::Client).head(FIN | BINARY, (1 << 63) - 1).masked(b"begun").into_bytes();
    let mut decoder = Decoder::new(Frames::new(Role::Server).in_pieces(), Array::<HEADER>::new());
    let mut input = &mut bytes[..];
    let part = decoder.feed(&mut input).expect("a header").expect("a header");
    assert_eq!((part.header.map(|header| header.length), part.last), (Some((1 << 63) - 1), false));
    let part = decoder.feed(&mut input).expect("a payload").expect("a payload");
    assert_eq!(part.payload.unmask(), Ok(&b"begun"[..]));
    assert_eq!(decoder.protocol().remaining(), (1 << 63) - 6);
    assert!(decoder.end().is_err());
    // Anew.
    decoder.reset();
    assert!(decoder.end().is_ok());
    let mut decoder = Decoder::new(Frames::new(Role::Server), Grow::new(usize::MAX - 1));
    let mut input = &bytes[..];
    assert_eq!(decoder.feed(&mut input), Ok(None));
    assert!(decoder.storage().capacity() < 100);
}

/// To read so many bytes never takes one that belongs to what comes after, nor one that comes after a byte
/// that can show a violation.
#[test]
fn what_is_needed() {
    for (length, sizes) in [(5, &[1, 2, 6, 11][..]), (300, &[1, 2, 4, 8, 308]), (1 << 16, &[1, 2, 3, 10, 14])]
    {
        let bytes =
            Wire::new(Role::Client).head(FIN | BINARY, length).masked(&vec![0; length as usize]).into_bytes();
        let mut whole = Decoder::new(Frames::new(Role::Server), Grow::new(1 << 17));
        let mut parts = Decoder::new(Frames::new(Role::Server).in_pieces(), Array::<HEADER>::new());
        let mut fed = 0;
        for end in sizes {
            assert_eq!((whole.needed(), fed + whole.needed()), (end - fed, *end), "of {length}");
            assert_eq!(
                parts.needed(),
                if fed < HEADER && *end <= HEADER.min(bytes.len() - length as usize) { end - fed } else { 1 }
            );
            let (mut one, mut other) = (&bytes[fed..*end], &bytes[fed..*end]);
            assert_eq!(whole.feed(&mut one).expect("no error").is_some(), *end == bytes.len());
            while parts.feed(&mut other).expect("no error").is_some() {}
            // Of a whole frame nothing is to come.
            assert_eq!(whole.protocol().remaining(), 0);
            fed = *end;
        }
    }
}

/// One kind only, and compression only if it has been agreed on.
#[test]
fn what_was_agreed_on() {
    let only = |kind| Frames::new(Role::Client).only(kind);
    let text = Wire::new(Role::Server).binary("a").frame(BINARY, "b").frame(FIN | MORE, "c").text("d");
    for how in HOWS {
        for chunks in [
            vec![text.clone().into_bytes()],
            text.clone().into_bytes().chunks(1).map(<[u8]>::to_vec).collect(),
        ] {
            let chunks: Vec<_> = chunks.iter().map(|chunk| &chunk[..]).collect();
            let seen = read(only(Kind::Binary), Grow::new(100), how, &chunks);
            assert_eq!(seen.payloads, [b"a", b"b", b"c"]);
            assert_eq!(seen.errors, [Error::Lost(Violation::Unsupported(Kind::Text).into())]);
            let seen = read(only(Kind::Text).in_pieces(), Grow::new(14), how, &chunks);
            assert_eq!(seen.errors, [Error::Lost(Violation::Unsupported(Kind::Binary).into())]);
        }
    }
    let packed =
        Wire::new(Role::Server).frame(RSV1 | TEXT, "a").frame(MORE, "b").frame(FIN | MORE, "c").text("d");
    let packed = packed.into_bytes();
    for how in HOWS {
        let agreed = Frames::new(Role::Client).compressed(true);
        let seen = read(agreed.clone(), Grow::new(100), how, &[&packed]);
        assert_eq!((seen.errors.len(), &seen.again), (0, &packed));
        let seen = read(agreed.clone().in_pieces(), Grow::new(14), how, &bytewise(&packed));
        assert_eq!((seen.errors.len(), &seen.again), (0, &packed));
        let seen = read(Frames::new(Role::Client), Grow::new(100), how, &[&packed]);
        assert_eq!(seen.errors, [Error::Lost(Violation::Reserved { bits: 4 }.into())]);
    }
}

/// Counts what it is given.
#[derive(Default)]
struct Strict(Vec<u8>, usize);

impl Output for Strict {
    fn written(&mut self) -> &mut [u8] {
        &mut self.0
    }
    fn length(&self) -> usize {
        self.0.len()
    }
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.1 += 1;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }
}

/// Before the first byte.
#[test]
fn what_cannot_be_encoded_is_refused() {
    let long = [0; CONTROL + 1];
    let mask = Some([1, 2, 3, 4]);
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        for frame in [
            Frame { fin: false, ..Frame::new(opcode, b"") },
            Frame::new(opcode, &long),
            Frame { mask, ..Frame::new(opcode, &long) },
            Frame { rsv1: true, ..Frame::new(opcode, b"") },
        ] {
            let mut out = Strict::default();
            assert!(frame.encode(&mut out).is_err(), "{frame:?}");
            assert_eq!(out.1, 0, "{frame:?}");
        }
        // Just as much is good.
        assert!(Frame::new(opcode, &long[1..]).encode(&mut Strict::default()).is_ok());
    }
    let continued = Frame { rsv1: true, ..Frame::new(Opcode::Continuation, b"") };
    let mut out = Strict::default();
    assert!(continued.encode(&mut out).is_err());
    assert_eq!(out.1, 0);
}

/// Under the same limits, and the other way round: what is encoded is decoded.
#[test]
fn what_is_encoded_is_decoded() {
    for role in [Role::Server, Role::Client] {
        let mask = (role == Role::Server).then_some([0x5a, 0x01, 0xc3, 0x7e]);
        for opcode in [Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong] {
            for length in [0, 1, 2, 124, 125, 126, 127, 65_535, 65_536] {
                let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
                for (fin, rsv1) in [(true, false), (true, true), (false, false), (false, true)] {
                    let frame = Frame { fin, rsv1, opcode, mask, payload: &payload };
                    let mut bytes = Vec::new();
                    let control = opcode.is_control();
                    let encoded = frame.encode(&mut bytes);
                    assert_eq!(
                        encoded.is_ok(),
                        !control || (fin && !rsv1 && length <= CONTROL),
                        "{opcode:?}"
                    );
                    let header = Header { fin, rsv1, opcode, mask, length: length as u64 };
                    let (start, n) = header.to_bytes();
                    // What is not written would not be read.
                    let refused = if control && rsv1 { true } else { Header::parse(&start[..n]).is_err() };
                    assert_eq!(encoded.is_err(), refused, "{header:?}");
                    if encoded.is_err() {
                        continue;
                    }
                    let mut decoder = Decoder::new(Frames::new(role).compressed(true), Grow::new(1 << 17));
                    let mut input = &bytes[..];
                    assert_eq!(decoder.feed(&mut input), Ok(Some(frame)));
                    assert!(input.is_empty());
                }
            }
        }
    }
}

/// Close frames: whatever code and reason a peer may send, a sender can send.
#[test]
fn close_frames_that_are_read_can_be_written() {
    use feedrate_ws::{CloseCode, Event, Receiver, SendError, Sender};
    for number in 0..=u16::MAX {
        let wire = Wire::new(Role::Server).close(number, "").into_bytes();
        let event_is_closed = {
            let mut receiver = Receiver::new(Role::Client, Array::<200>::new());
            matches!(receiver.feed(&mut &wire[..], NOW, &mut ()), Ok(Some(Event::Closed(_))))
        };
        assert_eq!(event_is_closed, CloseCode::new(number).is_some(), "{number}");
        if let Some(code) = CloseCode::new(number) {
            let mut sender = Sender::server(Array::<1_000>::new());
            sender.close(code, "", NOW).expect("room");
            assert_eq!(sender.transmit(), wire);
        }
    }
    for length in [0, 1, 122, 123] {
        let reason = "r".repeat(length);
        let wire = Wire::new(Role::Server).close(1000, &reason).into_bytes();
        let mut sender = Sender::server(Array::<1_000>::new());
        sender.close(CloseCode::NORMAL, &reason, NOW).expect("room");
        assert_eq!(sender.transmit(), wire);
    }
    // And the sender refuses before it queues anything.
    let mut sender = Sender::server(Array::<1_000>::new());
    assert_eq!(sender.ping(&[0; 126]), Err(SendError::ControlTooLong { length: 126 }));
    assert!(matches!(sender.binary(&[0; 1_000]), Err(SendError::TooLong { .. })));
    assert_eq!(sender.queued(), 0);
    sender.binary(&[0; 400]).expect("room");
    let queued = sender.queued();
    assert!(matches!(sender.binary(&[0; 400]), Err(SendError::Full { .. })));
    assert_eq!(sender.queued(), queued);
}
