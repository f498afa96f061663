//! The ways in which messages are found on a line that loses bytes, by toy protocols, against plain loops
//! over the whole stream.
#![no_main]

use std::fmt;

use feedrate::{
    Array, Borrowed, Buffer, Decoder, Error, Extent, Fault, Grow, Lent, Protocol, Recovery, Storage,
};
use feedrate_fuzz::{Plan, pieces};

/// What all storages here hold at most.
const LIMIT: usize = 24;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    // The line falls silent behind each of these bytes, which is not a matter of how the others are cut.
    let quiet = if plan.flag(2) { 0x51 } else { 0xa5 };
    let silences = |byte: &u8| plan.flag(3) && *byte == quiet;
    let stretches: Vec<&[u8]> = plan.stream.split_inclusive(silences).collect();
    match plan.flags >> 4 & 7 {
        0 => check(Hunt { skips: false, skipped: 0 }, &plan, &stretches, &hunt(&stretches, false)),
        1 => check(Hunt { skips: true, skipped: 0 }, &plan, &stretches, &hunt(&stretches, true)),
        2 => check(Delimited::<0>, &plan, &stretches, &delimited(plan.stream, DELIMITERS[0])),
        3 => check(Delimited::<1>, &plan, &stretches, &delimited(plan.stream, DELIMITERS[1])),
        4 => check(Delimited::<2>, &plan, &stretches, &delimited(plan.stream, DELIMITERS[2])),
        5 => check(Silent::<true>::default(), &plan, &stretches, &silent_hunt(&stretches)),
        6 => check(Silent::<false>::default(), &plan, &stretches, &silent(&stretches)),
        _ => check(Claims::default(), &plan, &stretches, &claims(plan.stream)),
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

/// Any way of cutting the stream, and of feeding it, has the outcome that `found` says. The line falls
/// silent behind every stretch but the last.
fn check<P>(protocol: P, plan: &Plan<'_>, stretches: &[&[u8]], expected: &(Found, usize))
where
    P: for<'a> Protocol<Message<'a> = &'a [u8], Error = Wrong> + Clone + Given,
{
    for sizes in [&[][..], &[1], plan.sizes] {
        for way in [Way::Shared, Way::Mutable, Way::Pull] {
            let array = run(Decoder::new(protocol.clone(), Array::<LIMIT>::new()), stretches, sizes, way);
            assert_eq!(&array, expected);
        }
        let mut memory = [0; LIMIT];
        let borrowed = Decoder::new(protocol.clone(), Borrowed::new(&mut memory));
        assert_eq!(&run(borrowed, stretches, sizes, Way::Mutable), expected);
        let grow = Decoder::new(protocol.clone(), Grow::new(LIMIT));
        assert_eq!(&run(grow, stretches, sizes, Way::Shared), expected);
    }
}

/// How a stream is fed.
#[derive(Clone, Copy)]
enum Way {
    Shared,
    Mutable,
    Pull,
}

/// What was found, and how many bytes are left over.
fn run<P, S>(mut decoder: Decoder<P, S>, stretches: &[&[u8]], sizes: &[u8], way: Way) -> (Found, usize)
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
    let mut buffer = Buffer::new([0; 16]);
    for (index, stretch) in stretches.iter().enumerate() {
        for mut piece in pieces(stretch, sizes) {
            match way {
                Way::Shared => {
                    while see(decoder.feed(&mut piece)) {}
                    assert!(piece.is_empty());
                }
                Way::Mutable => {
                    let mut copy = piece.to_vec();
                    let mut piece = &mut copy[..];
                    while see(decoder.feed(&mut piece)) {}
                    assert!(piece.is_empty());
                }
                Way::Pull => {
                    for read in piece.chunks(16) {
                        buffer.space()[..read.len()].copy_from_slice(read);
                        buffer.filled(read.len());
                        while match decoder.ready(&mut buffer) {
                            Ok(None) => false,
                            Ok(Some(ready)) => see(decoder.take(ready, &mut buffer).map(Some)),
                            Err(error) => see(Err(error)),
                        } {}
                        assert!(buffer.unread().is_empty());
                    }
                }
            }
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
    type Bytes<'a> = &'a mut [u8];
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

    fn check(&self, frame: &[u8]) -> Result<(), Wrong> {
        if checks(frame) { Ok(()) } else { Err(Wrong::Checksum) }
    }

    /// Changes all bytes, so that it shows if that is done to none, or twice.
    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Wrong> {
        frame.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
        Ok(frame)
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
                        found.push(Ok(frame.iter().map(|byte| byte.wrapping_add(1)).collect()));
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

/// Some of these are found in their own beginnings.
const DELIMITERS: [&[u8]; 3] = [&[0], &[0, 0], &[MAGIC, 0, MAGIC, 1]];

/// Messages end in a delimiter. One that begins with 0xff is malformed.
#[derive(Clone)]
struct Delimited<const N: usize>;

impl<const N: usize> Protocol for Delimited<N> {
    type Bytes<'a> = Lent<'a>;
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Until(DELIMITERS[N]))
    }

    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), Wrong> {
        assert!(from < so_far.len() && so_far.len() <= LIMIT);
        Ok(())
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Wrong> {
        let frame = frame.into_bytes();
        if frame[0] == 0xff { Err(Wrong::Noise) } else { Ok(frame) }
    }
}

impl<const N: usize> Given for Delimited<N> {}

/// A malformed one costs itself. Silence means nothing.
fn delimited(stream: &[u8], delimiter: &[u8]) -> (Found, usize) {
    let mut found = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let at = rest.windows(delimiter.len()).position(|window| window == delimiter);
        match at.map(|at| at + delimiter.len()) {
            Some(end) if end <= LIMIT => {
                let frame = &rest[..end];
                found.push(if frame[0] == 0xff { Err(Wrong::Noise) } else { Ok(frame.to_vec()) });
                rest = &rest[end..];
            }
            Some(end) => {
                found.push(Err(too_long(LIMIT + 1)));
                rest = &rest[end..];
            }
            // Known by the byte that would have had to be the last.
            None if rest.len() >= LIMIT => {
                found.push(Err(too_long(LIMIT + 1)));
                rest = &[];
            }
            None => break,
        }
    }
    (found, rest.len())
}

/// Messages end in silence, have 4 bytes at least, and an XOR of 0, as those of Modbus RTU have a checksum.
#[derive(Clone, Default)]
struct Silent<const HUNTS: bool> {
    skipped: usize,
}

fn is_message(frame: &[u8]) -> bool {
    frame.len() >= 4 && checks(frame)
}

impl<const HUNTS: bool> Protocol for Silent<HUNTS> {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    const RECOVERY: Recovery = if HUNTS { Recovery::Hunt } else { Recovery::Silence };

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Silence)
    }

    fn check(&self, frame: &[u8]) -> Result<(), Wrong> {
        if is_message(frame) { Ok(()) } else { Err(Wrong::Checksum) }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Wrong> {
        Ok(frame)
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

impl<const HUNTS: bool> Given for Silent<HUNTS> {
    fn given(&self) -> Option<usize> {
        Some(self.skipped)
    }
}

/// The longest end of the stretch that is intact, if it fits.
fn silent_hunt(stretches: &[&[u8]]) -> (Found, usize) {
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
        while !rest.is_empty() && !is_message(rest) {
            found.push(Err(Wrong::Checksum));
            rest = &rest[1..];
        }
        if !rest.is_empty() {
            found.push(Ok(rest.to_vec()));
        }
    }
    (found, left)
}

/// A stretch is a message, or one error.
fn silent(stretches: &[&[u8]]) -> (Found, usize) {
    let mut found = Vec::new();
    let mut left = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        left = 0;
        match stretch.len() {
            0 => {}
            n if n > LIMIT => found.push(Err(too_long(LIMIT + 1))),
            n if index + 1 == stretches.len() => left = n,
            _ if is_message(stretch) => found.push(Ok(stretch.to_vec())),
            _ => found.push(Err(Wrong::Checksum)),
        }
    }
    (found, left)
}

/// A length of two bytes and as many bytes: what is too long, or begins with 0xff, is refused alone.
#[derive(Clone, Default)]
struct Claims {
    skipped: usize,
}

/// High byte: a quarter of it, so that a claim ends within the stream now and then.
fn claimed(a: u8, b: u8) -> usize {
    usize::from(a >> 6) * 64 + usize::from(b) + 2
}

impl Protocol for Claims {
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;

    fn extent(&self, head: &[u8]) -> Result<Extent, Wrong> {
        Ok(match head {
            [a, b, ..] => Extent::Message(claimed(*a, *b)),
            _ => Extent::Need(2),
        })
    }

    /// Of messages with an even length.
    fn glance(&self, head: &[u8]) -> Option<usize> {
        match head {
            [a, b, c, ..] if b % 2 == 0 && *b > 0 && *c != 0xff => Some(claimed(*a, *b)),
            _ => None,
        }
    }

    fn check(&self, frame: &[u8]) -> Result<(), Wrong> {
        if frame.get(2) == Some(&0xff) { Err(Wrong::Checksum) } else { Ok(()) }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Wrong> {
        frame.iter_mut().for_each(|byte| *byte ^= 0x55);
        Ok(frame)
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

impl Given for Claims {
    fn given(&self) -> Option<usize> {
        Some(self.skipped)
    }
}

fn claims(stream: &[u8]) -> (Found, usize) {
    let mut found = Vec::new();
    let mut rest = stream;
    while let [a, b, ..] = rest {
        let length = claimed(*a, *b);
        if length > LIMIT {
            found.push(Err(too_long(length)));
            rest = rest.get(length..).unwrap_or_default();
        } else if let Some((frame, behind)) = rest.split_at_checked(length) {
            found.push(match frame.get(2) {
                Some(0xff) => Err(Wrong::Checksum),
                _ => Ok(frame.iter().map(|byte| byte ^ 0x55).collect()),
            });
            rest = behind;
        } else {
            break;
        }
    }
    (found, rest.len())
}
