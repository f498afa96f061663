//! PostgreSQL's messages, pushed and pulled, from `&[u8]` and `&mut [u8]`, cut everywhere: always the same.

use feedrate::pg::Frame;
use feedrate::pg::stream::{Event, Streaming};
use feedrate::{Array, Grow, Protocol};
use feedrate_testkit::pg::streamed::{Piece, rebuild};
use feedrate_testkit::pg::vectors::{self, Bad, Good};
use feedrate_testkit::pg::{Entry, Side, entry};
use feedrate_testkit::ways::{Seen, Ways};

/// All of 65535 elements come as those of a few do.
const SHORT: usize = 600;

fn opened<D: Side>(frame: Frame<'_, D>) -> (&'static str, Entry) {
    (frame.name(), entry(&frame))
}

fn streams<D: Side>(good: &[Good<D, D::Owned>], bad: &[Bad<D>]) -> Vec<(D, Vec<u8>)> {
    let good = good.iter().map(|row| (row.start.clone(), [&row.bytes[..], &row.bytes].concat()));
    let bad = bad.iter().map(|row| (row.start.clone(), [&row.bytes[..], row.next].concat()));
    good.chain(bad).filter(|(_, bytes)| bytes.len() < SHORT).collect()
}

#[test]
fn whole_messages() {
    fn check<D: Side>(streams: &[(D, Vec<u8>)]) {
        for (start, bytes) in streams {
            let react = |protocol: &mut D, (name, _): &(&str, Entry)| protocol.react(name);
            let grow = Ways::new(start.clone(), || Grow::new(1 << 20));
            let seen = grow.check_reacting(bytes, opened::<D>, react);
            assert!(!seen.entries.is_empty() || seen.end.is_err());
            // What does not fit is refused alone, or loses the stream: in all ways, too.
            Ways::new(start.clone(), Array::<12>::new).check_reacting(bytes, opened::<D>, react);
        }
    }
    check(&streams(&vectors::backend(), &vectors::backend_bad()));
    check(&streams(&vectors::frontend(), &vectors::frontend_bad()));
}

/// What comes of an event, as far as it can be kept.
fn piece<D: Side>(event: Event<'_, D>) -> Piece {
    match event {
        Event::Whole(frame) => Piece::Entry(entry(&frame)),
        Event::Begin(begin) => Piece::Begin(begin),
        Event::Part(part) => Piece::Part(part),
        Event::Bytes(bytes) => Piece::Bytes(bytes.to_vec()),
        Event::End => Piece::End,
    }
}

/// Pieces are cut where the input is: those of one field are put together.
fn joined<E: Clone>(seen: &Seen<Piece, E>) -> Vec<Result<Piece, feedrate::Error<E>>> {
    let mut joined = Vec::<Result<Piece, feedrate::Error<E>>>::new();
    for entry in &seen.entries {
        match (joined.last_mut(), entry) {
            (Some(Ok(Piece::Bytes(before))), Ok(Piece::Bytes(bytes))) => before.extend_from_slice(bytes),
            _ => joined.push(entry.clone()),
        }
    }
    joined
}

#[test]
fn messages_in_pieces() {
    fn check<D: Side>(streams: &[(D, Vec<u8>)]) -> usize
    where
        Streaming<D>: for<'a> Protocol<Message<'a> = Event<'a, D>, Error = feedrate::pg::Error> + Clone,
    {
        let mut begun = 0;
        for (start, bytes) in streams {
            let ways = Ways::new(Streaming::new(start.clone()), Array::<8>::new).all(bytes, piece::<D>);
            let (_, first) = &ways[0];
            let expected = joined(first);
            for (way, seen) in &ways {
                assert_eq!(joined(seen), expected, "{way}, of {}", bytes.escape_ascii());
                assert_eq!((seen.skipped, &seen.left, seen.end), (first.skipped, &first.left, first.end));
            }
            let pieces: Option<Vec<Piece>> = expected.into_iter().map(Result::ok).collect();
            if let (Some(pieces), Ok(())) = (pieces, first.end) {
                begun += pieces.iter().filter(|piece| matches!(piece, Piece::Begin(_))).count();
                let good = pieces.iter().all(|piece| !matches!(piece, Piece::Entry(Entry::Bad(_))));
                // What follows Terminate or CancelRequest is passed over.
                let read = &bytes[..bytes.len() - first.skipped];
                assert!(!good || rebuild(&pieces) == read, "{}", bytes.escape_ascii());
            }
        }
        begun
    }
    assert!(check(&streams(&vectors::backend(), &vectors::backend_bad())) > 50);
    assert!(check(&streams(&vectors::frontend(), &vectors::frontend_bad())) > 20);
}
