//! One fault in what passed: a server's message lost, repeated, exchanged with the next, or from nowhere.

use std::collections::BTreeMap;

use feedrate::pg::stream::Begin;
use feedrate_pg::observer::{InStep, Observer, Situation, Verdict};
use feedrate_pg::queue::Slot;

use crate::play::{From, Passed};
use crate::random::Random;

/// By kind: how many were put in, and how many of these were found at their place, later, and never; and how many were
/// not found at their place although the message could not come there, or found although it could.
#[derive(Debug, Default, Clone)]
pub(crate) struct Found(pub(crate) BTreeMap<&'static str, [u64; 4]>);

impl Found {
    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, counts) in &other.0 {
            for (sum, count) in self.0.entry(kind).or_default().iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }
}

const TAGS: &[u8] = b"123CDGHITVWZcdnstRKv";

/// Puts one fault of each kind into the messages, at random places, and shows them to an observer.
pub(crate) fn inject(
    passed: &[Passed],
    slots: usize,
    random: &mut Random,
    found: &mut Found,
) -> Option<String> {
    // Messages of the server behind the first ReadyForQuery, but for those that may come at any time.
    let first = passed.iter().position(|its| its.from == From::Backend && its.bytes[0] == b'Z')?;
    let behind = passed.iter().enumerate().skip(first + 1);
    let sent = |its: &Passed| its.from == From::Backend && !matches!(its.bytes[0], b'A' | b'N' | b'S' | b'E');
    let places: Vec<usize> = behind.filter(|(_, its)| sent(its)).map(|(at, _)| at).collect();
    if places.is_empty() {
        return None;
    }
    let mut wrong = None;
    for kind in ["lost", "repeated", "exchanged", "from nowhere"] {
        let pick = usize::try_from(random.below(places.len() as u64)).unwrap();
        let at = places[pick];
        let next = places.get(pick + 1).copied();
        let may = |before: usize, tag: u8| passed[before].may.contains(char::from(tag));
        let mut stream: Vec<&Passed> = passed.iter().collect();
        // Where the fault shows, and whether it can.
        let (place, can) = match (kind, next) {
            ("lost", Some(next))
                if stream[at + 1..next]
                    .iter()
                    .all(|its| its.from == From::Backend && its.bytes[0] != b'E') =>
            {
                stream.remove(at);
                (next - 1, !may(at - 1, passed[next].bytes[0]))
            }
            ("repeated", _) => {
                stream.insert(at + 1, &passed[at]);
                (at + 1, !may(at, passed[at].bytes[0]))
            }
            ("exchanged", Some(next)) if next == at + 1 && passed[at].bytes[0] != passed[next].bytes[0] => {
                stream.swap(at, next);
                (at, !may(at - 1, passed[next].bytes[0]))
            }
            ("from nowhere", _) => {
                let tag = TAGS[usize::try_from(random.below(TAGS.len() as u64)).unwrap()];
                let strange = Passed {
                    from: From::Backend,
                    bytes: vec![tag, 0, 0, 0, 5, b'I'],
                    expected: true,
                    exact: false,
                    may: String::new(),
                    golden: String::new(),
                };
                // It lives for as long as the stream is looked at.
                let (seen, several) = look(
                    stream[..at].iter().copied().chain([&strange]).chain(stream[at..].iter().copied()),
                    slots,
                );
                count(found, kind, at, seen);
                // Where nobody can know what may come, a message may look as if it could.
                if passed[at - 1].exact && !several && (seen == Some(at)) == may(at - 1, tag) {
                    wrong = Some(format!("{kind} {} at {at}: found at {seen:?}", char::from(tag)));
                }
                continue;
            }
            _ => continue,
        };
        let (seen, several) = look(stream.iter().copied(), slots);
        count(found, kind, place, seen);
        // ReadyForQuery also shows by its status.
        if passed[at - 1].exact
            && !several
            && passed[at].exact
            && (seen == Some(place)) != can
            && stream[place].bytes[0] != b'Z'
        {
            wrong = Some(format!("{kind} at {place}: found at {seen:?}, though {can}"));
        }
    }
    wrong
}

fn count(found: &mut Found, kind: &'static str, place: usize, seen: Option<usize>) {
    let counts = found.0.entry(kind).or_default();
    counts[0] += 1;
    match seen {
        Some(at) if at == place => counts[1] += 1,
        Some(_) => counts[2] += 1,
        None => counts[3] += 1,
    }
}

/// The first message of the server that is found to be unexpected, and whether there were more doubts than are
/// followed.
fn look<'p>(stream: impl Iterator<Item = &'p Passed>, slots: usize) -> (Option<usize>, bool) {
    let mut several = false;
    let mut observer = Observer::new(vec![Slot::EMPTY; slots]);
    for (at, its) in stream.enumerate() {
        let untagged = its.bytes[0] == 0;
        let tag = its.bytes[0];
        let body = its.bytes.get(if untagged { 4 } else { 5 }..).unwrap_or_default();
        let length = u32::try_from(body.len() + 4).unwrap();
        let begin = Begin { tag, length };
        several |= observer.in_step() == InStep::Unknown(Situation::Several);
        match its.from {
            From::Frontend => {
                let _ = observer.frontend_begins(begin, body);
            }
            From::Backend => {
                if let Verdict::Unexpected { .. } = observer.backend_begins(begin, body) {
                    return (Some(at), several);
                }
            }
        }
    }
    (None, several)
}
