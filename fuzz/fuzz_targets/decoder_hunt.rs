//! The ways in which messages are found on a line that loses bytes, by toy protocols, against plain loops over the whole stream.
#![no_main]

use std::fmt;

use feedrate::{Array, Borrowed, Decoder, Error, Extent, Fault, Grow, Protocol, Recovery, Storage};
use feedrate_fuzz::{Plan, pieces};

/// What all storages here hold at most.
const LIMIT: usize = 24;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    // The line falls silent behind each of these bytes, which is not a matter of how the others are cut.
    let quiet = if plan.flag(2) { 0x51 } else { 0xa5 };
    let silences = |byte: &u8| plan.flag(3) && *byte == quiet;
    let stretches: Vec<&[u8]> = plan.stream.split_inclusive(silences).collect();
    match plan.flags & 3 {
        0 => check(Hunt { skips: false, skipped: 0 }, &plan, &stretches, &hunt(&stretches, false)),
        1 => check(Hunt { skips: true, skipped: 0 }, &plan, &stretches, &hunt(&stretches, true)),
        2 => check(Delimited, &plan, &stretches, &delimited(plan.stream)),
        _ => check(Silent, &plan, &stretches, &silent(&stretches)),
    }
});

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Fault(Fault),
    Noise,
    Checksum,
}

/// Longer than any storage.
fn too_long(declared: usize) -> Wrong {
    Wrong::Fault(Fault::TooLong { declared, limit: LIMIT })
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Wrong {}

/// Good and bad messages, in order.
type Found = Vec<Result<Vec<u8>, Wrong>>;

/// Any way of cutting the stream has the outcome that `found` says. The line falls silent behind every stretch but the last.
fn check<P>(protocol: P, plan: &Plan<'_>, stretches: &[&[u8]], expected: &(Found, usize))
where
    P: for<'a> Protocol<Message<'a> = &'a [u8], Error = Wrong> + Clone + Given,
{
    for sizes in [&[][..], &[1], plan.sizes] {
        let array = run(Decoder::new(protocol.clone(), Array::<LIMIT>::new()), stretches, sizes);
        assert_eq!(&array, expected);
        let mut memory = [0; LIMIT];
        let borrowed = run(Decoder::new(protocol.clone(), Borrowed::new(&mut memory)), stretches, sizes);
        assert_eq!(&borrowed, expected);
        let grow = run(Decoder::new(protocol.clone(), Grow::new(LIMIT)), stretches, sizes);
        assert_eq!(&grow, expected);
    }
}

/// What was found, and how many bytes are left over.
fn run<P, S>(mut decoder: Decoder<P, S>, stretches: &[&[u8]], sizes: &[u8]) -> (Found, usize)
where
    P: for<'a> Protocol<Message<'a> = &'a [u8], Error = Wrong> + Given,
    S: Storage,
{
    let mut found = Vec::new();
    let mut see = |seen: Result<Option<&[u8]>, Error<Wrong>>| {
        match seen {
            Ok(None) => return false,
            Ok(Some(message)) => found.push(Ok(message.to_vec())),
            Err(Error::Message(wrong)) => found.push(Err(wrong)),
            Err(Error::Lost(wrong)) => panic!("lost: {wrong}"),
        }
        true
    };
    for (index, stretch) in stretches.iter().enumerate() {
        for mut piece in pieces(stretch, sizes) {
            while see(decoder.feed(&mut piece)) {}
            assert!(piece.is_empty());
        }
        if index + 1 < stretches.len() {
            while see(decoder.gap()) {}
        }
    }
    let left = decoder.pending().len();
    if let Some(given) = decoder.protocol().given() {
        let all: usize = stretches.iter().map(|stretch| stretch.len()).sum();
        let taken: usize = found.iter().flatten().map(Vec::len).sum();
        assert_eq!(given + taken + left, all, "every byte is in a message, given up, or held");
    }
    match decoder.end() {
        Ok(()) => assert_eq!(left, 0),
        Err(Error::Lost(Wrong::Fault(Fault::Truncated { held, missing }))) => {
            assert_eq!((held, missing), (left, decoder.needed()));
        }
        Err(other) => panic!("{other}"),
    }
    (found, left)
}

/// How many bytes were given up, where that is counted.
trait Given {
    fn given(&self) -> Option<usize> {
        None
    }
}

/// A magic byte, the length of the payload, the payload, and a byte that makes the XOR of all of them 0.
#[derive(Clone)]
struct Hunt {
    /// Noise is passed over at once and without a word, in place of one error for each byte.
    skips: bool,
    skipped: usize,
}

const MAGIC: u8 = 0xa5;

fn checks(frame: &[u8]) -> bool {
    frame.iter().fold(0, |sum, byte| sum ^ byte) == 0
}

impl Protocol for Hunt {
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    const RECOVERY: Recovery = Recovery::Hunt;

    fn extent(&self, head: &[u8]) -> Result<Extent, Wrong> {
        match head {
            [] | [MAGIC] => Ok(Extent::Need(2)),
            [MAGIC, length, ..] => Ok(Extent::Message(usize::from(*length) + 3)),
            _ if self.skips => {
                Ok(Extent::Skip(head.iter().position(|byte| *byte == MAGIC).unwrap_or(head.len())))
            }
            _ => Err(Wrong::Noise),
        }
    }

    fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<&'a [u8], Wrong> {
        if checks(frame) { Ok(frame) } else { Err(Wrong::Checksum) }
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

impl Given for Hunt {
    fn given(&self) -> Option<usize> {
        Some(self.skipped)
    }
}

/// Every frame that is intact and does not begin inside of another is found, whatever is before it.
fn hunt(stretches: &[&[u8]], skips: bool) -> (Found, usize) {
    let mut found = Vec::new();
    let mut left = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        let mut rest = *stretch;
        while let [first, behind @ ..] = rest {
            match behind.first().map(|length| usize::from(*length) + 3) {
                _ if *first != MAGIC => {
                    if !skips {
                        found.push(Err(Wrong::Noise));
                    }
                }
                Some(length @ LIMIT..) if length > LIMIT => found.push(Err(too_long(length))),
                Some(length) if length <= rest.len() => {
                    let (frame, after) = rest.split_at(length);
                    if checks(frame) {
                        found.push(Ok(frame.to_vec()));
                        rest = after;
                        continue;
                    }
                    found.push(Err(Wrong::Checksum));
                }
                // Unfinished: the silence says that it stays so.
                _ if index + 1 < stretches.len() => {}
                _ => break,
            }
            rest = behind;
        }
        left = rest.len();
    }
    (found, left)
}

/// Messages end in a 0. One that begins with 0xff is bad.
#[derive(Clone)]
struct Delimited;

impl Protocol for Delimited {
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Until(0))
    }

    fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<&'a [u8], Wrong> {
        if frame[0] == 0xff { Err(Wrong::Noise) } else { Ok(frame) }
    }
}

impl Given for Delimited {}

/// A bad one costs itself. Silence means nothing.
fn delimited(stream: &[u8]) -> (Found, usize) {
    let mut found = Vec::new();
    let mut left = 0;
    for frame in stream.split_inclusive(|byte| *byte == 0) {
        left = 0;
        let whole = frame.ends_with(&[0]);
        match frame.len() {
            // Known by the byte that would have had to be the last.
            LIMIT.. if frame.len() > LIMIT || !whole => found.push(Err(too_long(LIMIT + 1))),
            _ if !whole => left = frame.len(),
            _ if frame[0] == 0xff => found.push(Err(Wrong::Noise)),
            _ => found.push(Ok(frame.to_vec())),
        }
    }
    (found, left)
}

/// Messages end in silence, have 4 bytes at least, and an XOR of 0, as those of Modbus RTU have a checksum.
#[derive(Clone)]
struct Silent;

impl Protocol for Silent {
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    const RECOVERY: Recovery = Recovery::Hunt;

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Need(4))
    }

    fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<&'a [u8], Wrong> {
        if checks(frame) { Ok(frame) } else { Err(Wrong::Checksum) }
    }

    fn silence(&self, held: &[u8]) -> Option<usize> {
        (held.len() >= 4).then_some(held.len())
    }
}

impl Given for Silent {}

/// The longest end of the stretch that is intact, if it fits.
fn silent(stretches: &[&[u8]]) -> (Found, usize) {
    let mut found = Vec::new();
    let mut left = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        let mut rest = *stretch;
        while rest.len() > LIMIT {
            found.push(Err(too_long(LIMIT + 1)));
            rest = &rest[1..];
        }
        left = rest.len();
        if index + 1 == stretches.len() {
            break;
        }
        while rest.len() >= 4 && !checks(rest) {
            found.push(Err(Wrong::Checksum));
            rest = &rest[1..];
        }
        if rest.len() >= 4 {
            found.push(Ok(rest.to_vec()));
        }
    }
    (found, left)
}
