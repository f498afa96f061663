//! What comes out is a function of the bytes, never of how they were cut: of messages, of errors and
//! limits, of the stream's end, and of messages that are streamed.

use feedrate::pg::stream::{Event, Part};
use feedrate::pg::{Backend, Frontend, Problem};
use feedrate::{Array, Borrowed, Error, Fault, Grow, Storage};
use feedrate_testkit::chunks::{bytewise, cuts};
use feedrate_testkit::pg::streamed::{self, Piece, rebuild};
use feedrate_testkit::pg::vectors::{self, Bad, Expected, Good};
use feedrate_testkit::pg::{Entry, Side, Transcript, message, transcript};

/// Where each begins, and its bytes.
type Streams<D> = Vec<(D, Vec<u8>)>;

/// Streams that are not one message each: conversations, and what has no vector of its own.
fn streams() -> (Streams<Backend>, Streams<Frontend>) {
    let ready = |row: &Good<Backend, _>| row.start.is_authenticated() && row.bytes.len() < 500;
    let established: Vec<_> =
        vectors::backend().into_iter().filter(ready).flat_map(|row| row.bytes).collect();
    let connecting: Vec<_> = vectors::backend()
        .into_iter()
        .filter(|row| {
            !row.start.is_authenticated() && matches!(row.bytes[0], b'R' | b'v' | b'S') && row.bytes.len() > 5
        })
        .flat_map(|row| row.bytes)
        .collect();
    let bad = |bytes: &[u8]| [vectors::READY, bytes, vectors::READY].concat();
    let asked = || vectors::asked(feedrate::pg::Encryption::Ssl);
    let backend = vec![
        (Backend::established().allow_unknown(100), established),
        (Backend::new(), connecting),
        (Backend::new(), [vectors::OK, vectors::READY, b"v\0\0\0\x04"].concat()),
        (Backend::new(), b"Esorry\n\0N\0\0\0\x05\0".to_vec()),
        (Backend::new(), b"E\0\0\0\0\0\0\0".to_vec()),
        (asked(), b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I".to_vec()),
        (asked(), b"SR\0\0\0\x08\0\0\0\0".to_vec()),
        (asked(), b"E\0\0\0\x08Mx\0\0Z\0\0\0\x05I".to_vec()),
        (asked(), b"Ecould not fork\n\0E\0".to_vec()),
        (Backend::established(), bad(b"Z\0\0\0\x04")),
        (Backend::established(), bad(b"D\0\0\0\x06\0\x01D\0\0\0\x0a\0\x01\xff\xff\xff\xfe")),
        (Backend::established(), bad(b"Z\0\0\0\x03")),
    ];
    let opening = [b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x30", vectors::STARTUP].concat();
    let asking = b"p\0\0\0\x05\0Q\0\0\0\x0dselect 1\0X\0\0\0\x04";
    let ready =
        |row: &Good<Frontend, _>| row.start.needs_nothing() && row.bytes.len() < 500 && row.bytes[0] != b'X';
    let established: Vec<_> =
        vectors::frontend().into_iter().filter(ready).flat_map(|row| row.bytes).collect();
    let frontend = vec![
        (Frontend::established(), established),
        (Frontend::new(), [&opening[..], asking].concat()),
        (Frontend::new(), [&opening[..], asking, b"S"].concat()),
        (Frontend::new(), [&opening[..], asking, vectors::TERMINATE].concat()),
        (Frontend::new(), [&opening[..8], &opening[..8]].concat()),
        (Frontend::new(), b"\x16\x03\x01\x02\0".to_vec()),
        (Frontend::new(), [&opening[..8], b"\x16\x03\x01\x02\0"].concat()),
        (Frontend::established(), b"Q\0\0\0\x07abcX\0\0\0\x04".to_vec()),
        (Frontend::established(), b"S\0\0\0\x07abcS\0\0\0\x04\xff".to_vec()),
    ];
    (backend, frontend)
}

/// Whether the vector's messages can follow each other in an established session.
trait NeedsNothing {
    fn needs_nothing(&self) -> bool;
}

impl NeedsNothing for Frontend {
    fn needs_nothing(&self) -> bool {
        transcript(self, Grow::new(10), &[vectors::SYNC]).names() == ["Sync"]
            && transcript(self, Grow::new(10), &[b"z\0\0\0\x04"]).names() == ["-"]
    }
}

/// Feeds `bytes` whole, byte by byte, and cut in two everywhere, and returns the transcript that all of
/// these have in common.
fn always<E: Eq + std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[&[u8]]) -> Transcript<E>) -> Transcript<E> {
    let whole = read(&[bytes]);
    let shown = || bytes[..bytes.len().min(80)].escape_ascii();
    let single = read(&bytewise(bytes));
    assert!(whole == single, "{}\n whole: {whole:?}\nsingle: {single:?}", shown());
    assert!(whole == read(&[&[], bytes, &[]]), "{}: nothing at the ends", shown());
    for at in cuts(bytes) {
        let cut = read(&[&bytes[..at], &bytes[at..]]);
        assert!(whole == cut, "{} cut at {at}\nwhole: {whole:?}\n  cut: {cut:?}", shown());
    }
    whole
}

fn one_message(found: &Transcript, bytes: &[u8]) {
    assert!(matches!(&found.entries[..], [Entry::Message { raw, .. }] if raw == bytes), "{found:?}");
    assert_eq!(found.end, Ok(()));
}

#[test]
fn one_message_in_a_storage_of_its_own_length() {
    fn check<D: Side>(rows: &[Good<D, D::Owned>]) {
        for Good { start, bytes, .. } in rows {
            // What follows a one-byte answer has a header again.
            let mut memory = vec![0; bytes.len().max(5)];
            let memory = std::cell::RefCell::new(&mut memory);
            let found =
                always(bytes, |chunks| transcript(start, Borrowed::new(&mut memory.borrow_mut()), chunks));
            one_message(&found, bytes);
            one_message(
                &always(bytes, |chunks| transcript(start, Grow::new(bytes.len().max(5)), chunks)),
                bytes,
            );
        }
    }
    check(&vectors::backend());
    check(&vectors::frontend());
}

#[test]
fn one_message_in_an_array_of_its_own_length() {
    fn exactly<const N: usize, D: Side>(rows: &[Good<D, D::Owned>]) {
        let mut fit = rows.iter().filter(|row| row.bytes.len() == N).peekable();
        assert!(fit.peek().is_some(), "no vector of {N} bytes");
        for Good { start, bytes, .. } in fit {
            one_message(&always(bytes, |chunks| transcript(start, Array::<N>::new(), chunks)), bytes);
        }
    }
    let (backend, frontend) = (vectors::backend(), vectors::frontend());
    exactly::<5, Backend>(&backend);
    exactly::<9, Backend>(&backend);
    exactly::<30, Backend>(&backend);
    exactly::<5, Frontend>(&frontend);
    exactly::<8, Frontend>(&frontend);
    exactly::<9, Frontend>(&frontend);
    exactly::<20, Frontend>(&frontend);
}

/// The message twice; behind a startup packet, which comes once, an answer that is as long.
fn twice(bytes: &[u8]) -> Vec<u8> {
    let answer = || message(b'p', vec![0; bytes.len() - 5]);
    [bytes, &if bytes[0] == 0 { answer() } else { bytes.to_vec() }].concat()
}

/// Also where the storage cannot hold a header, and wherever the message's bytes lie. It alone is refused
/// where its length is known, and what follows is intact.
#[test]
fn a_storage_that_is_too_small_refuses_at_once() {
    fn check<D: Side>(rows: &[Good<D, D::Owned>]) {
        for Good { start, bytes, .. } in rows {
            for limit in (0..10).chain([bytes.len() - 1]).filter(|limit| *limit < bytes.len()) {
                let found = always(&twice(bytes), |chunks| transcript(start, Grow::new(limit), chunks));
                // A header that does not fit, or a text that has no length.
                let header = if bytes[0] == 0 { 8 } else { 5.min(bytes.len()) };
                let text = bytes.starts_with(b"Es");
                let error = match &found.entries[..] {
                    [Entry::Lost(error)] if limit < header || text => error,
                    [Entry::Bad(error), Entry::Bad(again)] if error == again || bytes[0] == 0 => error,
                    _ => panic!("{limit}: {found:?}"),
                };
                let Problem::Fault(Fault::TooLong { declared, limit: said }) = error.problem() else {
                    panic!("{found:?}")
                };
                assert_eq!(said, limit);
                assert!(limit < declared && declared <= bytes.len(), "{found:?}");
                // The error is about the message, from its header on.
                assert!(limit < 8 || text || declared == bytes.len(), "{found:?}");
                let lost = matches!(found.entries[0], Entry::Lost(_));
                assert_eq!(found.end, if lost { Err(Error::Lost(*error)) } else { Ok(()) });
            }
        }
    }
    check(&vectors::backend());
    check(&vectors::frontend());
}

#[test]
fn malformed_bytes_with_a_message_behind_them() {
    fn check<D: Side>(rows: &[Bad<D>]) {
        for Bad { start, bytes, next, .. } in rows {
            let stream = [bytes, *next].concat();
            let grown = always(&stream, |chunks| transcript(start, Grow::new(1 << 20), chunks));
            let array = always(&stream, |chunks| transcript(start, Array::<512>::new(), chunks));
            let long = matches!(grown.entries[0], Entry::Lost(_)) || stream.len() > 512;
            assert!(long || grown == array);
        }
    }
    check(&vectors::backend_bad());
    check(&vectors::frontend_bad());
}

#[test]
fn conversations() {
    fn check<D: Side>(streams: &[(D, Vec<u8>)]) -> Vec<usize> {
        let counts = streams.iter().map(|(start, bytes)| {
            let found = always(bytes, |chunks| transcript(start, Array::<512>::new(), chunks));
            assert_eq!(found, always(bytes, |chunks| transcript(start, Grow::new(512), chunks)));
            found.entries.len()
        });
        counts.collect()
    }
    let (backend, frontend) = streams();
    // As many as there are in each, the last error included: none of them ends early. Nothing follows Terminate.
    assert_eq!(check(&backend)[2..], [3, 2, 2, 3, 2, 2, 2, 3, 4, 2]);
    assert_eq!(check(&frontend)[1..], [6, 6, 6, 2, 2, 2, 2, 3]);
}

#[test]
fn a_stream_that_ends_early() {
    fn check<D: Side>(rows: &[Good<D, D::Owned>]) {
        for Good { start, bytes, .. } in rows.iter().filter(|row| row.bytes.len() < 300) {
            for n in 1..bytes.len() {
                let found = transcript(start, Grow::new(bytes.len()), &[&bytes[..n]]);
                assert_eq!(found, transcript(start, Grow::new(bytes.len()), &bytewise(&bytes[..n])));
                assert_eq!(found.entries, []);
                let Err(Error::Lost(error)) = found.end else { panic!("{found:?}") };
                let Problem::Fault(Fault::Truncated { held, missing }) = error.problem() else {
                    panic!("{found:?}")
                };
                assert_eq!(held, n);
                // Of the rest, what the header says, or what is missing in it; a text up to a NUL does not say.
                let text = bytes.starts_with(b"Es") && n >= 5;
                let header = missing <= 7 && n < 8;
                assert!(missing == bytes.len() - n || header || (text && missing == 1), "{found:?} of {n}");
            }
        }
    }
    check(&vectors::backend());
    check(&vectors::frontend());
}

/// Whether what is too long for the storage comes in pieces: not before authentication has ended.
trait Streamed {
    fn streams(&self) -> bool;
}

impl Streamed for Backend {
    fn streams(&self) -> bool {
        self.is_authenticated()
    }
}

impl Streamed for Frontend {
    fn streams(&self) -> bool {
        transcript(self, Grow::new(10), &[vectors::SYNC]).names() == ["Sync"]
    }
}

/// In a storage of `N` bytes, everything that is longer comes in pieces, whatever it is.
fn streams_in<const N: usize, D: Side + Streamed>(rows: &[Good<D, D::Owned>], told_apart: &[u8]) {
    // Those of 65535 elements once.
    for Good { start, bytes, .. } in rows.iter().filter(|row| N == 8 || row.bytes.len() < 5_000) {
        let long = bytes.len() > N;
        if long && !start.streams() {
            let found =
                always(&twice(bytes), |chunks| streamed::transcript(start, Array::<N>::new(), chunks));
            let lost = N < 8 && bytes[0] == 0 || bytes.starts_with(b"Es");
            match &found.entries[..] {
                [Piece::Entry(Entry::Lost(_))] if lost => {}
                [Piece::Entry(Entry::Bad(_)), Piece::Entry(Entry::Bad(_))] => assert_eq!(found.end, Ok(())),
                _ => panic!("{}: {found:?}", bytes.escape_ascii()),
            }
            continue;
        }
        let found = always(bytes, |chunks| streamed::transcript(start, Array::<N>::new(), chunks));
        assert_eq!(long, matches!(found.entries[0], Piece::Begin(_)), "{found:?}");
        assert_eq!(long, found.entries.last() == Some(&Piece::End), "{found:?}");
        let opaque = found.entries.contains(&Piece::Part(Part::Body));
        assert_eq!(opaque, long && !told_apart.contains(&bytes[0]), "{found:?}");
        assert!(rebuild(&found.entries) == *bytes, "{}: {found:?}", bytes.escape_ascii());
        assert_eq!(found.end, Ok(()));
    }
}

const BACKEND_LONG: &[u8] = b"DdV";
const FRONTEND_LONG: &[u8] = b"BdFPQ";

#[test]
fn streamed_messages_are_the_whole_ones() {
    let (backend, frontend) = (vectors::backend(), vectors::frontend());
    streams_in::<5, _>(&backend, BACKEND_LONG);
    streams_in::<8, _>(&backend, BACKEND_LONG);
    streams_in::<16, _>(&backend, BACKEND_LONG);
    streams_in::<5, _>(&frontend, FRONTEND_LONG);
    streams_in::<8, _>(&frontend, FRONTEND_LONG);
    streams_in::<16, _>(&frontend, FRONTEND_LONG);
}

#[test]
fn streamed_conversations() {
    fn check<D: Side, S: Storage>(streams: &[(D, Vec<u8>)], storage: impl Fn() -> S) {
        for (start, bytes) in streams {
            always(bytes, |chunks| streamed::transcript(start, storage(), chunks));
        }
    }
    let (backend, frontend) = streams();
    check(&backend, Array::<8>::new);
    check(&backend, Array::<16>::new);
    check(&backend, || Grow::new(64));
    check(&frontend, Array::<8>::new);
    check(&frontend, Array::<16>::new);
    check(&frontend, || Grow::new(64));
}

#[test]
fn streamed_and_malformed() {
    fn check<const N: usize, D: Side + Streamed>(rows: &[Bad<D>], streamable: &[u8]) -> usize {
        let mut streamed = 0;
        for Bad { start, bytes, expected, next } in rows {
            let stream = [bytes, *next].concat();
            let found = always(&stream, |chunks| streamed::transcript(start, Array::<N>::new(), chunks));
            let Expected::Message(name, ..) = *expected else { continue };
            if bytes.len() <= N || !start.streams() {
                continue;
            }
            // Terminate is read whole, or refused: it ends the phase.
            if bytes[0] == b'X' {
                assert!(matches!(found.entries[0], Piece::Entry(Entry::Bad(_))), "{found:?}");
                continue;
            }
            if !streamable.contains(&bytes[0]) {
                // Its fields are not looked at, and it goes by as it is.
                assert_eq!(rebuild(&found.entries), stream);
                continue;
            }
            streamed += 1;
            let [
                Piece::Begin(_),
                ..,
                Piece::Entry(Entry::Bad(error)),
                Piece::Entry(Entry::Message { raw, .. }),
            ] = &found.entries[..]
            else {
                panic!("{}: {found:?}", bytes.escape_ascii())
            };
            assert_eq!((error.message(), raw.as_slice()), (name, *next));
            assert!(error.at() <= bytes.len(), "{error}");
            assert!(!found.entries.contains(&Piece::End), "{found:?}");
        }
        streamed
    }
    // Their bodies have up to a dozen bytes: in storages that hold no more than a header, most of them are streamed.
    assert!(check::<6, _>(&vectors::backend_bad(), BACKEND_LONG) > 12);
    check::<8, _>(&vectors::backend_bad(), BACKEND_LONG);
    assert!(check::<6, _>(&vectors::frontend_bad(), FRONTEND_LONG) > 20);
    check::<8, _>(&vectors::frontend_bad(), FRONTEND_LONG);
}

/// What is longer than its frame allows is refused when it is claimed, not when the frame's end comes.
#[test]
fn a_claim_beyond_the_frame_is_refused_at_once() {
    use feedrate::{Decoder, pg::stream::Streaming};

    let mut decoder = Decoder::new(Streaming::new(Backend::established()), Array::<8>::new());
    let mut input = &b"D\0\x01\0\0\0\x01\x7f\xff\xff\xff"[..];
    let mut errors = 0;
    for _ in 0..3 {
        errors += u32::from(matches!(decoder.feed(&mut input), Err(Error::Message(_))));
    }
    assert_eq!(errors, 1);
    // The rest of the frame is passed over.
    let rest = [&vec![0; 0x1_0000 - 10][..], vectors::READY].concat();
    let mut input = &rest[..];
    let event = decoder.feed(&mut input);
    assert!(matches!(event, Ok(Some(Event::Whole(frame))) if frame.raw() == vectors::READY));
}

#[test]
fn a_stream_that_ends_inside_of_a_streamed_message() {
    let row = b"D\0\0\0\x1d\0\x04\0\0\0\x011\xff\xff\xff\xff\0\0\0\0\0\0\0\x06a\0b\xffDE";
    let bind = b"B\0\0\0\x28p1\0s1\0\0\x03\0\0\0\x01\xff\xff\0\x03\0\0\0\x0242\xff\xff\xff\xff\0\0\0\0\0\x02\0\x01\0\0";
    fn check<D: Side>(start: &D, bytes: &[u8]) {
        for n in 1..bytes.len() {
            let found = always(&bytes[..n], |chunks| streamed::transcript(start, Array::<8>::new(), chunks));
            assert!(
                matches!(found.end, Err(Error::Lost(error))
                if matches!(error.problem(), Problem::Fault(Fault::Truncated { .. }))),
                "{found:?}"
            );
        }
    }
    check(&Backend::established(), row);
    check(&Frontend::established(), bind);
}
