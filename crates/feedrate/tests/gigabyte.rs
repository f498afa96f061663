//! A message of a gigabyte goes through 256 bytes of storage, and the process does not grow.
//!
//! It is really fed, from one small buffer over and over. One test, so that nothing else moves the process's peak.

use std::iter;
use std::time::Instant;

use feedrate::pg::stream::{Event, Part, Streaming};
use feedrate::pg::{Backend, Direction, Frame, Frontend};
use feedrate::{Array, Decoder, Protocol};

const GIB: u32 = 1 << 30;
/// The longest that every server reads: `PQ_LARGE_MESSAGE_LIMIT`.
const LARGE: u32 = 0x3fff_fffe;

/// What came out of the decoder.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    begun: u32,
    ended: u32,
    whole: u32,
    parts: Vec<Part>,
}

/// Feeds `before`, then `count` bytes, then `behind`; 64 KiB at a time, at no offset that a field could like.
fn feed<D>(direction: D, before: &[u8], count: u32, behind: &[u8]) -> Seen
where
    D: Direction
        + for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = Frame<'a, D>, Error = feedrate::pg::Error>,
{
    let block: Vec<u8> = (0..=250).cycle().take(64 << 10).map(|byte: u8| byte + 1).collect();
    let mut decoder = Decoder::new(Streaming::new(direction), Array::<256>::new());
    let mut seen = Seen::default();
    let mut left = count as usize;
    let middle = iter::from_fn(|| {
        let chunk = &block[..left.min(block.len())];
        left -= chunk.len();
        (!chunk.is_empty()).then_some(chunk)
    });
    // A read of everything that is missing, and not more, is far more than is kept.
    for mut chunk in iter::once(before).chain(middle).chain(iter::once(behind)) {
        while let Some(event) = decoder.feed(&mut chunk).expect("good") {
            match event {
                Event::Bytes(bytes) => seen.bytes += bytes.len() as u64,
                Event::Part(part) => seen.parts.push(part),
                Event::Begin(_) => seen.begun += 1,
                Event::End => seen.ended += 1,
                Event::Whole(_) => seen.whole += 1,
            }
        }
    }
    assert_eq!(decoder.end(), Ok(()));
    seen
}

/// The most memory that the process ever had, in KiB. Only Linux says so here.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}

fn length(length: u32) -> [u8; 4] {
    length.to_be_bytes()
}

#[test]
fn messages_of_a_gigabyte() {
    let before = peak();
    let began = Instant::now();

    // A row of a gigabyte and three columns more.
    let total = 4 + 2 + 4 + 1 + 4 + 4 + GIB + 4 + 2;
    let head = [b"D", &length(total)[..], b"\0\x04\0\0\0\x011\xff\xff\xff\xff", &length(GIB)].concat();
    let row = feed(Backend::established(), &head, GIB, b"\0\0\0\x02zzZ\0\0\0\x05I");
    let value = |index, length| Part::Value { index, length };
    let parts = vec![
        Part::Values { count: 4 },
        value(0, Some(1)),
        value(1, None),
        value(2, Some(GIB)),
        value(3, Some(2)),
    ];
    assert_eq!(row, Seen { bytes: u64::from(GIB) + 3, begun: 1, ended: 1, whole: 1, parts });

    let head = [b"d", &length(GIB + 4)[..]].concat();
    let copy = feed(Backend::established(), &head, GIB, b"c\0\0\0\x04");
    assert_eq!(copy, Seen { bytes: GIB.into(), begun: 1, ended: 1, whole: 1, parts: vec![Part::Data] });

    let size = LARGE - 4;
    let copy = feed(Frontend::established(), &[b"d", &length(LARGE)[..]].concat(), size, b"c\0\0\0\x04");
    assert_eq!(copy, Seen { bytes: size.into(), begun: 1, ended: 1, whole: 1, parts: vec![Part::Data] });

    let size = LARGE - (4 + 1 + 3 + 2 + 2 + 4 + 2 + 4);
    let head = [b"B", &length(LARGE)[..], b"\0s1\0\0\0\0\x01", &length(size)].concat();
    let bind = feed(Frontend::established(), &head, size, b"\0\x02\0\x01\0\0S\0\0\0\x04");
    let parts = vec![
        Part::Portal,
        Part::Statement,
        Part::ParameterFormats { count: 0 },
        Part::Values { count: 1 },
        value(0, Some(size)),
        Part::ResultFormats { count: 2 },
    ];
    // The statement's name, the value, and two format codes.
    assert_eq!(bind, Seen { bytes: u64::from(size) + 2 + 4, begun: 1, ended: 1, whole: 1, parts });

    // Of text, every byte has to be looked at for its end: less of it, or it would take its time without optimization.
    let size = 64 << 20;
    let head = [b"Q", &length(4 + size + 1)[..]].concat();
    let query = feed(Frontend::established(), &head, size, b"\0S\0\0\0\x04");
    assert_eq!(query, Seen { bytes: size.into(), begun: 1, ended: 1, whole: 1, parts: vec![Part::Sql] });

    println!("4 GiB in {:.2} s", began.elapsed().as_secs_f64());
    if let (Some(before), Some(after)) = (before, peak()) {
        println!("peak memory {before} KiB before, {after} KiB after");
        assert!(after - before < 8 * 1024, "grew by {} KiB", after - before);
    }
}
