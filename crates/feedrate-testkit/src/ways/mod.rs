//! The first promise, as one call: [`Ways`] gives a decoder the same bytes in all the ways there are, and
//! asserts that what comes out is the same.
//!
//! The ways are the product of how the bytes lie (`&[u8]`, `&mut [u8]`, a [`Buffer`] that is pulled from) and
//! how they are cut (not at all, before every byte, in reads of seven, and at every place in two).
//!
//! ```
//! use feedrate::{Array, pg::Backend};
//! use feedrate_testkit::ways::Ways;
//!
//! let ways = Ways::new(Backend::established(), Array::<64>::new);
//! let seen = ways.check(b"Z\0\0\0\x05IZ\0\0\0\x05T", |frame| frame.raw().to_vec());
//! assert_eq!((seen.entries.len(), seen.end), (2, Ok(())));
//! ```

mod counted;
#[cfg(test)]
mod tests;

use std::fmt::{self, Debug};

use feedrate::{Buffer, Decoder, Error, Input, Protocol, Storage};

use self::counted::Counted;
use crate::chunks;

/// What came out of a decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T, E> {
    /// Messages and errors, in order. Nothing follows an [`Error::Lost`].
    pub entries: Vec<Result<T, Error<E>>>,
    /// How many bytes [`Protocol::skipped`] was told of.
    pub skipped: usize,
    /// The bytes at the end that belong to nothing that came out: of an unfinished message, or from the
    /// malformed header on.
    pub left: Vec<u8>,
    /// What [`Decoder::end`] said behind the last byte.
    pub end: Result<(), Error<E>>,
}

impl<T, E> Seen<T, E> {
    /// The messages.
    pub fn messages(&self) -> Vec<&T> {
        self.entries.iter().filter_map(|entry| entry.as_ref().ok()).collect()
    }
}

/// How the bytes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// [`Decoder::feed`] from `&[u8]`.
    Shared,
    /// [`Decoder::feed`] from `&mut [u8]`.
    Mutable,
    /// [`Decoder::ready`] and [`Decoder::take`] from a [`Buffer`].
    Pulled,
}

/// A protocol, a storage, and where the line falls silent.
#[derive(Debug, Clone)]
pub struct Ways<P, N> {
    protocol: P,
    storage: N,
    silences: Vec<usize>,
}

impl<P, S, N> Ways<P, N>
where
    P: Protocol<Error: Debug + PartialEq> + Clone,
    S: Storage,
    N: Fn() -> S,
{
    /// Every way begins with this protocol, as it is, and a new storage.
    pub fn new(protocol: P, storage: N) -> Self {
        Self { protocol, storage, silences: Vec::new() }
    }

    /// [`Decoder::gap`] is called behind so many bytes of the stream, wherever it is cut. For protocols that
    /// need silence, the last place is the end of the stream, as a rule.
    #[must_use]
    pub fn silent_at(mut self, places: impl IntoIterator<Item = usize>) -> Self {
        self.silences = places.into_iter().collect();
        self
    }

    /// All ways give the same, which is returned. `own` makes of a message what can be kept and compared.
    pub fn check<T>(&self, bytes: &[u8], own: impl for<'a> Fn(P::Message<'a>) -> T) -> Seen<T, P::Error>
    where
        T: Debug + PartialEq,
    {
        self.check_reacting(bytes, own, |_, _| {})
    }

    /// As [`check`](Self::check). After every message `react` may tell the protocol what the bytes alone do
    /// not say.
    pub fn check_reacting<T>(
        &self,
        bytes: &[u8],
        own: impl for<'a> Fn(P::Message<'a>) -> T,
        react: impl Fn(&mut P, &T),
    ) -> Seen<T, P::Error>
    where
        T: Debug + PartialEq,
    {
        let first = self.run(Memory::Shared, bytes, &[bytes], &own, &react);
        self.each(bytes, |way, memory, chunks| {
            let seen = self.run(memory, bytes, chunks, &own, &react);
            assert_eq!(seen, first, "{way}, of {}", Shown(bytes));
        });
        first
    }

    /// What comes out, way by way: for bodies that are handed out in pieces, which are cut where the input
    /// is. The caller puts them together, and compares.
    pub fn all<T>(
        &self,
        bytes: &[u8],
        own: impl for<'a> Fn(P::Message<'a>) -> T,
    ) -> Vec<(String, Seen<T, P::Error>)> {
        let mut all = Vec::new();
        self.each(bytes, |way, memory, chunks| {
            all.push((way, self.run(memory, bytes, chunks, &own, &|_, _| {})));
        });
        all
    }

    fn each(&self, bytes: &[u8], mut visit: impl FnMut(String, Memory, &[&[u8]])) {
        for memory in [Memory::Shared, Memory::Mutable, Memory::Pulled] {
            chunks::every_way(bytes, |way, chunks| visit(format!("{memory:?}, {way}"), memory, chunks));
        }
    }

    fn run<T>(
        &self,
        memory: Memory,
        bytes: &[u8],
        chunks: &[&[u8]],
        own: &impl for<'a> Fn(P::Message<'a>) -> T,
        react: &impl Fn(&mut P, &T),
    ) -> Seen<T, P::Error> {
        let protocol = Counted { inner: self.protocol.clone(), skipped: 0 };
        let mut decoder = Decoder::new(protocol, (self.storage)());
        let most = chunks.iter().map(|chunk| chunk.len()).max().unwrap_or(0);
        let mut buffer = Buffer::new(vec![0; most.max(1)]);
        let (mut entries, mut at, mut unread) = (Vec::new(), 0, 0);
        // A silence cuts too.
        let places =
            |from: usize, to: usize| self.silences.iter().filter(move |at| (from + 1..to).contains(at));
        'stream: for chunk in chunks {
            let mut ends: Vec<usize> = places(at, at + chunk.len()).copied().collect();
            ends.push(at + chunk.len());
            for end in ends {
                let piece = &bytes[at..end];
                let silent = end > at && self.silences.contains(&end);
                at = end;
                let mut out = Out { entries: &mut entries, own, react };
                unread = match memory {
                    Memory::Shared => out.feed(&mut decoder, piece),
                    Memory::Mutable => out.feed(&mut decoder, &mut piece.to_vec()[..]),
                    Memory::Pulled => out.pull(&mut decoder, &mut buffer, piece),
                };
                if silent && !decoder.is_lost() {
                    out.silence(&mut decoder);
                }
                if decoder.is_lost() {
                    // Not a byte from the malformed header on goes away.
                    unread += decoder.pending().len();
                    break 'stream;
                }
                assert_eq!(unread, 0, "Ok(None) with {unread} bytes left");
                unread = decoder.pending().len();
            }
        }
        assert!(decoder.needed() >= 1);
        // What is unread at a loss is where it was fed; what was never fed belongs to it.
        let left = bytes[at - unread..].to_vec();
        assert!(left.starts_with(decoder.pending()), "the bytes held are not those at the end of the stream");
        Seen { entries, skipped: decoder.protocol().skipped, left, end: decoder.end() }
    }
}

/// Where everything goes.
struct Out<'o, T, E, O, R> {
    entries: &'o mut Vec<Result<T, Error<E>>>,
    own: &'o O,
    react: &'o R,
}

impl<T, E: Clone, O, R> Out<'_, T, E, O, R> {
    /// Returns how many bytes were not taken.
    fn feed<'i, P, S, I>(&mut self, decoder: &mut Decoder<Counted<P>, S>, mut input: I) -> usize
    where
        P: Protocol<Error = E>,
        S: Storage,
        O: for<'a> Fn(P::Message<'a>) -> T,
        R: Fn(&mut P, &T),
        I: Input<'i>,
    {
        loop {
            let seen = match decoder.feed(&mut input) {
                Ok(None) => return input.bytes().len(),
                Ok(Some(message)) => Ok((self.own)(message)),
                Err(error) => Err(error),
            };
            if !self.note(decoder, seen) {
                return input.bytes().len();
            }
        }
    }

    /// As `feed`, by way of a buffer.
    fn pull<P, S>(
        &mut self,
        decoder: &mut Decoder<Counted<P>, S>,
        buffer: &mut Buffer<Vec<u8>>,
        piece: &[u8],
    ) -> usize
    where
        P: Protocol<Error = E>,
        S: Storage,
        O: for<'a> Fn(P::Message<'a>) -> T,
        R: Fn(&mut P, &T),
    {
        buffer.space()[..piece.len()].copy_from_slice(piece);
        buffer.filled(piece.len());
        loop {
            let seen = match decoder.ready(buffer) {
                Ok(None) => return buffer.unread().len(),
                Ok(Some(ready)) => decoder.take(ready, buffer).map(self.own),
                Err(error) => Err(error),
            };
            if !self.note(decoder, seen) {
                return buffer.unread().len();
            }
        }
    }

    fn silence<P, S>(&mut self, decoder: &mut Decoder<Counted<P>, S>)
    where
        P: Protocol<Error = E>,
        S: Storage,
        O: for<'a> Fn(P::Message<'a>) -> T,
        R: Fn(&mut P, &T),
    {
        loop {
            let seen = match decoder.gap() {
                Ok(None) => return,
                Ok(Some(message)) => Ok((self.own)(message)),
                Err(error) => Err(error),
            };
            if !self.note(decoder, seen) {
                return;
            }
        }
    }

    /// Whether more may follow.
    fn note<P, S>(&mut self, decoder: &mut Decoder<Counted<P>, S>, seen: Result<T, Error<E>>) -> bool
    where
        P: Protocol<Error = E>,
        S: Storage,
        R: Fn(&mut P, &T),
    {
        if let Ok(message) = &seen {
            (self.react)(&mut decoder.protocol_mut().inner, message);
        }
        self.entries.push(seen);
        assert!(self.entries.len() < 1 << 22, "it does not end");
        !decoder.is_lost()
    }
}

/// Bytes as text, or how many they are.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= 300 {
            write!(f, "{}", self.0.escape_ascii())
        } else {
            write!(f, "{} bytes", self.0.len())
        }
    }
}
