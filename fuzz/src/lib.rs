//! What the fuzz targets share: how an input is cut up, how a decoder is driven, how messages are looked at.

pub mod pg;
pub mod rdp;
pub mod ws;

use std::fmt::{self, Debug, Write};

use feedrate::{Array, Decoder, Encode, Error, Fault, Protocol, Storage};

/// An input of the targets that take raw bytes: a byte of choices, the sizes of the pieces behind their
/// number, the stream.
pub struct Plan<'i> {
    pub flags: u8,
    /// Of the pieces, over and over. None: all at once.
    pub sizes: &'i [u8],
    pub stream: &'i [u8],
}

impl<'i> Plan<'i> {
    pub fn new(input: &'i [u8]) -> Option<Self> {
        let (&[flags, count], rest) = input.split_first_chunk::<2>()?;
        let (sizes, stream) = rest.split_at_checked(usize::from(count % 16))?;
        Some(Self { flags, sizes, stream })
    }

    /// Bit `n` of the choices.
    pub fn flag(&self, n: u8) -> bool {
        self.flags >> n & 1 == 1
    }
}

/// Cuts `stream` into pieces of these sizes, over and over. A size of 0 counts as 1; no size at all, and it
/// stays whole.
pub fn pieces<'s>(stream: &'s [u8], sizes: &[u8]) -> impl Iterator<Item = &'s [u8]> {
    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let size = sizes.next().map_or(rest.len(), |size| usize::from(*size).clamp(1, rest.len()));
        let (piece, behind) = rest.split_at(size);
        rest = behind;
        Some(piece)
    })
}

/// How a stream ended.
#[derive(Debug, PartialEq)]
pub struct Outcome<E> {
    pub end: Result<(), Error<E>>,
    /// Where in the stream the bytes begin that have not been read: an unfinished message, or what follows
    /// a bad header.
    pub at: usize,
}

/// Feeds `stream` in pieces. `see` is given all that comes out and where in the stream it began; `act` then
/// tells the protocol what the bytes alone do not, and is given what is left of the piece.
pub fn drive<P, S, A>(
    decoder: &mut Decoder<P, S>,
    stream: &[u8],
    sizes: &[u8],
    mut see: impl for<'m> FnMut(usize, Result<P::Message<'m>, P::Error>) -> A,
    mut act: impl FnMut(&mut P, A, &[u8]),
) -> Outcome<P::Error>
where
    P: Protocol<Error: PartialEq>,
    S: Storage,
{
    let mut fed = 0;
    for piece in pieces(stream, sizes) {
        fed += piece.len();
        let mut rest = piece;
        loop {
            // What is still to come of a refused message is passed over first.
            let passing =
                decoder.pending().is_empty() && decoder.end().is_err() && !decoder.protocol().inside();
            let passed = if passing { decoder.needed().min(rest.len()) } else { 0 };
            let at = fed - rest.len() - decoder.pending().len() + passed;
            // `decoder` is lent to the message, so that the error has to leave first.
            let seen = match decoder.feed(&mut rest) {
                Ok(Some(message)) => Ok(Some(see(at, Ok(message)))),
                Ok(None) => Ok(None),
                Err(Error::Message(error)) => Ok(Some(see(at, Err(error)))),
                Err(error) => Err(error),
            };
            match seen {
                Ok(Some(action)) => act(decoder.protocol_mut(), action, rest),
                Ok(None) => {
                    assert!(rest.is_empty(), "None before the input was empty");
                    assert!(decoder.needed() >= 1);
                    break;
                }
                Err(error) => {
                    // What was left of a bad message may have been given up in the same call.
                    let at = fed - rest.len() - decoder.pending().len();
                    check_lost(decoder, &error, rest, &stream[at..fed]);
                    return Outcome { end: Err(error), at };
                }
            }
        }
    }
    Outcome { end: decoder.end(), at: fed - decoder.pending().len() }
}

/// A lost stream stays lost, with the same error, and not a byte of it goes away.
fn check_lost<P, S>(decoder: &mut Decoder<P, S>, error: &Error<P::Error>, mut rest: &[u8], tail: &[u8])
where
    P: Protocol<Error: PartialEq>,
    S: Storage,
{
    for _ in 0..2 {
        assert!([decoder.pending(), rest].concat() == tail, "bytes were lost with the stream");
        assert!(decoder.feed(&mut rest).err().as_ref() == Some(error));
        assert!(decoder.gap().err().as_ref() == Some(error));
        assert!(decoder.end().as_ref() == Err(error));
    }
}

/// A storage that finds no memory, once, after some pieces.
pub struct Flaky {
    bytes: Array<512>,
    pieces: u8,
}

impl Flaky {
    pub fn new(pieces: u8) -> Self {
        Self { bytes: Array::new(), pieces }
    }
}

impl Storage for Flaky {
    fn limit(&self) -> usize {
        self.bytes.limit()
    }

    fn held(&self) -> &[u8] {
        self.bytes.held()
    }

    fn held_mut(&mut self) -> &mut [u8] {
        self.bytes.held_mut()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.pieces = self.pieces.wrapping_sub(1);
        if self.pieces == u8::MAX {
            Err(Fault::Memory { needed: bytes.len() })
        } else {
            self.bytes.append(bytes)
        }
    }

    fn discard(&mut self, n: usize) {
        self.bytes.discard(n);
    }

    fn truncate(&mut self, n: usize) {
        Storage::truncate(&mut self.bytes, n);
    }

    fn clear(&mut self) {
        Storage::clear(&mut self.bytes);
    }
}

/// Has everything in `value` looked at.
pub fn show(value: impl Debug) {
    struct Sink;

    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            std::hint::black_box(text);
            Ok(())
        }
    }

    write!(Sink, "{value:?}").unwrap();
}

/// `message` is written as exactly these bytes, and says so beforehand.
#[track_caller]
pub fn check_encoding(message: &impl Encode, raw: &[u8]) {
    let mut out = Vec::new();
    assert_eq!(message.encode(&mut out), Ok(raw.len()));
    assert_eq!(out, raw);
    assert_eq!(message.encoded_length(), Ok(raw.len()));
}
