//! The protocols of examples/protocols, cut and silent at random, in every kind of memory, against plain loops over the
//! whole stream.
#![no_main]

use std::fmt::Debug;

use feedrate::{Array, Buffer, Decoder, Error, Fault, Grow, Input, Protocol, Storage};
use feedrate_fuzz::{Plan, pieces};

#[path = "../../examples/protocols/mod.rs"]
mod protocols;

use protocols::dlt645::{self, Dlt645};
use protocols::lines::{self, Lines};
use protocols::modbus_rtu::{self, ModbusRtu};

/// What the storages hold at most when they are small: no frame's header is longer.
const SMALL: usize = 24;
/// And when they are large: longer than any frame.
const LARGE: usize = 300;
const _: () = assert!(modbus_rtu::LONGEST < LARGE && dlt645::LONGEST < LARGE);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    // The distances between silences lie in front of the stream: they must not move with the cuts.
    let Some((&count, rest)) = plan.stream.split_first() else { return };
    let Some((distances, mut stream)) = rest.split_at_checked(usize::from(count % 8)) else { return };
    let mut stretches = Vec::new();
    for distance in distances {
        let (stretch, behind) = stream.split_at(usize::from(*distance).min(stream.len()));
        stretches.push(stretch);
        stream = behind;
    }
    // Behind which the line stays open.
    stretches.push(stream);
    let limit = if plan.flag(2) { SMALL } else { LARGE };
    match plan.flags % 3 {
        0 => check(ModbusRtu, own_modbus, &plan, &stretches, limit, modbus(&stretches, limit)),
        1 => check(Dlt645, own_meter, &plan, &stretches, limit, meter(&stretches, limit)),
        _ => check(Lines, own_line, &plan, &stretches, limit, text(&stretches.concat(), limit)),
    }
});

/// Everything that comes out, how many bytes are given up, and which are left over.
#[derive(Debug, PartialEq)]
struct Seen<T, E> {
    entries: Vec<Result<T, E>>,
    skipped: usize,
    left: usize,
}

type Owned = (Vec<u8>, u8, Vec<u8>);

fn own_modbus(frame: modbus_rtu::Frame<'_>) -> Owned {
    (vec![frame.address], frame.function, frame.data.to_vec())
}

fn own_meter(frame: dlt645::Frame<'_>) -> Owned {
    (frame.address.to_vec(), frame.control, frame.data.to_vec())
}

fn own_line(line: &str) -> String {
    line.to_owned()
}

fn check<P, T>(
    protocol: P,
    own: impl for<'a> Fn(P::Message<'a>) -> T + Copy,
    plan: &Plan<'_>,
    stretches: &[&[u8]],
    limit: usize,
    expected: Seen<T, P::Error>,
) where
    P: Protocol<Error: PartialEq + Debug> + Copy,
    T: PartialEq + Debug,
{
    for sizes in [&[][..], &[1], plan.sizes] {
        for memory in [Memory::Shared, Memory::Mutable, Memory::Pulled] {
            let grow = Decoder::new(Counted::new(protocol), Grow::new(limit));
            assert_eq!(run(grow, memory, own, stretches, sizes), expected, "{memory:?} {sizes:?}");
        }
    }
    let seen = match limit {
        SMALL => {
            let array = Decoder::new(Counted::new(protocol), Array::<SMALL>::new());
            run(array, Memory::Mutable, own, stretches, plan.sizes)
        }
        _ => {
            let array = Decoder::new(Counted::new(protocol), Array::<LARGE>::new());
            run(array, Memory::Mutable, own, stretches, plan.sizes)
        }
    };
    assert_eq!(seen, expected);
}

#[derive(Debug, Clone, Copy)]
enum Memory {
    Shared,
    Mutable,
    Pulled,
}

fn run<P, S, T>(
    mut decoder: Decoder<Counted<P>, S>,
    memory: Memory,
    own: impl for<'a> Fn(P::Message<'a>) -> T,
    stretches: &[&[u8]],
    sizes: &[u8],
) -> Seen<T, P::Error>
where
    P: Protocol<Error: PartialEq + Debug>,
    S: Storage,
{
    let mut entries = Vec::new();
    let mut buffer = Buffer::new(vec![0; stretches.concat().len().max(1)]);
    for (index, stretch) in stretches.iter().enumerate() {
        for mut piece in pieces(stretch, sizes) {
            match memory {
                Memory::Shared => feed(&mut decoder, &mut piece, &own, &mut entries),
                Memory::Mutable => feed(&mut decoder, &mut &mut piece.to_vec()[..], &own, &mut entries),
                Memory::Pulled => {
                    buffer.space()[..piece.len()].copy_from_slice(piece);
                    buffer.filled(piece.len());
                    loop {
                        // Every other one at a glance, where that finds it.
                        let glanced = decoder.glance(&buffer).filter(|_| entries.len() % 2 == 1);
                        let ready =
                            glanced.map_or_else(|| decoder.ready(&mut buffer), |ready| Ok(Some(ready)));
                        let seen = match ready {
                            Ok(None) => break,
                            Ok(Some(ready)) => decoder.take(ready, &mut buffer).map(&own),
                            Err(error) => Err(error),
                        };
                        entries.push(seen.map_err(message));
                    }
                    assert!(buffer.unread().is_empty());
                }
            }
        }
        if index + 1 < stretches.len() {
            while let Some(seen) = decoder.gap().map(|message| message.map(&own)).transpose() {
                entries.push(seen.map_err(message));
            }
        }
    }
    Seen { entries, skipped: decoder.protocol().skipped, left: decoder.pending().len() }
}

fn feed<'i, P, S, T, I: Input<'i>>(
    decoder: &mut Decoder<Counted<P>, S>,
    input: &mut I,
    own: &impl for<'a> Fn(P::Message<'a>) -> T,
    entries: &mut Vec<Result<T, P::Error>>,
) where
    P: Protocol<Error: Debug>,
    S: Storage,
{
    while let Some(seen) = decoder.feed(input).map(|message| message.map(own)).transpose() {
        entries.push(seen.map_err(message));
    }
    assert!(input.bytes().is_empty());
}

/// None of the three ever loses its stream.
fn message<E: Debug>(error: Error<E>) -> E {
    assert!(!error.is_lost(), "{error:?}");
    error.into_inner()
}

/// Counts what is given up, for protocols that need nothing but the following.
struct Counted<P> {
    inner: P,
    skipped: usize,
}

impl<P> Counted<P> {
    fn new(inner: P) -> Self {
        Self { inner, skipped: 0 }
    }
}

impl<P: Protocol> Protocol for Counted<P> {
    type Bytes<'a> = P::Bytes<'a>;
    type Message<'a> = P::Message<'a>;
    type Error = P::Error;
    const RECOVERY: feedrate::Recovery = P::RECOVERY;

    fn extent(&self, head: &[u8]) -> Result<feedrate::Extent, P::Error> {
        self.inner.extent(head)
    }

    fn check(&self, frame: &[u8]) -> Result<(), P::Error> {
        self.inner.check(frame)
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<P::Message<'a>, P::Error> {
        self.inner.parse(frame)
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

fn too_long(declared: usize, limit: usize) -> Fault {
    Fault::TooLong { declared, limit }
}

/// Each stretch is a frame, or one error.
fn modbus(stretches: &[&[u8]], limit: usize) -> Seen<Owned, modbus_rtu::Error> {
    use modbus_rtu::Error as E;
    let (mut entries, mut skipped, mut left) = (Vec::new(), 0, 0);
    for (index, stretch) in stretches.iter().enumerate() {
        let open = index + 1 == stretches.len();
        let entry = match stretch {
            [] => continue,
            _ if stretch.len() > limit => Err(E::Fault(too_long(limit + 1, limit))),
            _ if open => {
                left = stretch.len();
                continue;
            }
            [address, function, data @ .., low, high] if stretch.len() <= 256 => {
                // The remainder of a division, highest power first: what the bits of each byte are not sent as.
                let bits =
                    stretch[..stretch.len() - 2].iter().flat_map(|byte| (0..8).map(move |n| byte >> n & 1));
                let crc = bits.fold(0xffff_u16, |crc, bit| {
                    (crc << 1) ^ if (crc >> 15) as u8 ^ bit == 1 { 0x8005 } else { 0 }
                });
                let same = crc.reverse_bits() == u16::from_le_bytes([*low, *high]);
                if same { Ok((vec![*address], *function, data.to_vec())) } else { Err(E::Crc) }
            }
            _ => Err(E::Length(stretch.len())),
        };
        skipped += if entry.is_err() { stretch.len() } else { 0 };
        entries.push(entry);
    }
    Seen { entries, skipped, left }
}

/// Every frame that is intact and does not begin inside of another is found, whatever is before it.
fn meter(stretches: &[&[u8]], limit: usize) -> Seen<Owned, dlt645::Error> {
    use dlt645::Error as E;
    let (mut entries, mut skipped, mut left) = (Vec::new(), 0, 0);
    for (index, stretch) in stretches.iter().enumerate() {
        let mut rest = *stretch;
        while !rest.is_empty() {
            let length = rest.get(9).map(|length| usize::from(*length));
            let noise = rest[0] != 0x68
                || rest.get(7).is_some_and(|byte| *byte != 0x68)
                || length.is_some_and(|length| length > 200);
            match length.map(|length| length + 12) {
                _ if noise => {}
                Some(length) if length > limit => entries.push(Err(E::Fault(too_long(length, limit)))),
                Some(length) if length <= rest.len() => {
                    let (frame, behind) = rest.split_at(length);
                    let sum = frame[..length - 2].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                    if frame[length - 1] != 0x16 {
                        entries.push(Err(E::End(frame[length - 1])));
                    } else if sum != frame[length - 2] {
                        entries.push(Err(E::Checksum));
                    } else {
                        let data = frame[10..length - 2].iter().map(|byte| byte.wrapping_sub(0x33)).collect();
                        entries.push(Ok((frame[1..7].to_vec(), frame[8], data)));
                        rest = behind;
                        continue;
                    }
                }
                // Unfinished: the silence says that it stays so.
                _ if index + 1 < stretches.len() => {}
                _ => break,
            }
            skipped += 1;
            rest = &rest[1..];
        }
        left = rest.len();
    }
    Seen { entries, skipped, left }
}

/// One that is too long costs itself. Silence means nothing.
fn text(stream: &[u8], limit: usize) -> Seen<String, lines::Error> {
    let (mut entries, mut skipped, mut left) = (Vec::new(), 0, 0);
    let mut rest = stream;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n");
        let (line, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 2));
        rest = behind;
        match line.strip_suffix(b"\r\n") {
            // Known by the byte that would have had to be the last.
            Some(_) if line.len() > limit => {}
            None if line.len() >= limit => {}
            None => {
                left = line.len();
                continue;
            }
            Some(text) => {
                entries.push(std::str::from_utf8(text).map(str::to_owned).map_err(lines::Error::Text));
                continue;
            }
        }
        skipped += line.len();
        entries.push(Err(too_long(limit + 1, limit).into()));
    }
    Seen { entries, skipped, left }
}
