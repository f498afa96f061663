//! What comes out of a lane: the same packets and errors, however the bytes get to the decoder and wherever they are
//! cut.

use feedrate::rdp::packet::{Header, Packet, PacketError, Packets};
use feedrate::{Buffer, Decoder, Error, Grow, Input};

use super::vectors::shown;

/// What came out of a lane, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Packets and errors, in order.
    pub items: Vec<Result<(Header, Vec<u8>), PacketError>>,
    /// What the end of the stream was, or what it was lost with.
    pub end: Result<(), Error<PacketError>>,
}

impl Outcome {
    /// The packets.
    pub fn packets(&self) -> Vec<&(Header, Vec<u8>)> {
        self.items.iter().flatten().collect()
    }

    /// The errors that the stream goes on after.
    pub fn errors(&self) -> Vec<PacketError> {
        self.items.iter().filter_map(|item| item.as_ref().err().copied()).collect()
    }
}

/// How bytes get to the decoder.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// From `&[u8]`.
    Shared,
    /// From `&mut [u8]`, in which they are changed.
    Mutable,
    /// From a [`Buffer`].
    Pull,
}

/// All of them.
pub const WAYS: [Way; 3] = [Way::Shared, Way::Mutable, Way::Pull];

/// A decoder that holds what a lane with this MTU can carry. (Any MTU: tests have some that no lane has.)
pub fn decoder(mtu: usize) -> Decoder<Packets, Grow> {
    // The zero in front is none of what has to be held.
    Decoder::new(Packets, Grow::new(mtu - 1))
}

type Items = Vec<Result<(Header, Vec<u8>), PacketError>>;

/// What comes out of these bytes.
pub fn read<'c>(mtu: usize, chunks: impl IntoIterator<Item = &'c [u8]>, way: Way) -> Outcome {
    let mut decoder = decoder(mtu);
    let mut items = Vec::new();
    let mut buffer = Buffer::new(vec![0; 700]);
    for chunk in chunks {
        let lost = match way {
            Way::Shared => push(&mut decoder, chunk, &mut items),
            Way::Mutable => push(&mut decoder, &mut chunk.to_vec()[..], &mut items),
            Way::Pull => pull(&mut decoder, chunk, &mut buffer, &mut items),
        };
        if let Some(error) = lost {
            return Outcome { items, end: Err(error) };
        }
    }
    Outcome { items, end: decoder.end() }
}

/// What comes out, whole, byte by byte and cut in two anywhere, every way.
#[track_caller]
pub fn always(mtu: usize, bytes: &[u8]) -> Outcome {
    let whole = read(mtu, [bytes], Way::Shared);
    for way in WAYS {
        assert_eq!(whole, read(mtu, [bytes], way), "{way:?}: {}", shown(bytes));
        assert_eq!(whole, read(mtu, bytes.chunks(1), way), "{way:?}, byte by byte: {}", shown(bytes));
        for at in 0..=bytes.len() {
            let (front, behind) = bytes.split_at(at);
            assert_eq!(whole, read(mtu, [front, behind], way), "{way:?}, cut at {at}: {}", shown(bytes));
        }
    }
    whole
}

fn owned(packet: Packet<'_>) -> (Header, Vec<u8>) {
    (packet.header, packet.payload().to_vec())
}

/// The error, if the stream is lost.
fn push<'i>(
    decoder: &mut Decoder<Packets, Grow>,
    mut input: impl Input<'i>,
    items: &mut Items,
) -> Option<Error<PacketError>> {
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(packet)) => items.push(Ok(owned(packet))),
            Ok(None) => {
                assert!(input.bytes().is_empty(), "None before the input was empty");
                return None;
            }
            Err(Error::Message(error)) => items.push(Err(error)),
            Err(lost) => return Some(lost),
        }
    }
}

fn pull(
    decoder: &mut Decoder<Packets, Grow>,
    mut chunk: &[u8],
    buffer: &mut Buffer<Vec<u8>>,
    items: &mut Items,
) -> Option<Error<PacketError>> {
    loop {
        match decoder.ready(buffer) {
            Ok(Some(ready)) => match decoder.take(ready, buffer) {
                Ok(packet) => items.push(Ok(owned(packet))),
                Err(Error::Message(error)) => items.push(Err(error)),
                Err(lost) => return Some(lost),
            },
            Ok(None) if chunk.is_empty() => return None,
            Ok(None) => {
                let space = buffer.space();
                let n = space.len().min(chunk.len());
                space[..n].copy_from_slice(&chunk[..n]);
                buffer.filled(n);
                chunk = &chunk[n..];
            }
            Err(Error::Message(error)) => items.push(Err(error)),
            Err(lost) => return Some(lost),
        }
    }
}
