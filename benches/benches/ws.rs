//! WebSocket side by side with the peers: `cargo bench -p feedrate-benches --bench ws`.
//!
//! As for `pg`, what can be compared across machines is the tables of ratios at the end, which go by each
//! one's fastest sample. What a connection costs in memory is counted by `cargo run --release -p
//! feedrate-benches --bin ws_memory`.
#![allow(missing_docs)]

mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use feedrate_benches::ws::streams::{Kind, Stream, assert_written, message};
use feedrate_benches::ws::unmask::{self, Payloads};
use feedrate_benches::ws::{CONTENDERS, Pass, Role};

use crate::table::Table;

/// Of payload in a pass, or four messages if that is more.
const TOTAL: usize = 1 << 20;
/// Fits into a core's first cache.
const CACHED: usize = 16 * 1024;
/// A pass over what is in memory is over one of these; all of them together are larger than the cache of
/// the last level.
const SEGMENT: usize = 16 << 20;
const SEGMENTS: usize = 20;

const UNMASK: [usize; 8] = [16, 64, 125, 512, 1 << 10, 16 << 10, 256 << 10, 4 << 20];
const DECODE: [(Kind, &str, &[usize]); 4] = [
    (Kind::Ascii, "ASCII", &[16, 32, 64, 125, 256, 512, 64 << 10, 1 << 20]),
    (Kind::Binary, "binary", &[1 << 10, 4 << 10, 64 << 10]),
    (Kind::Mixed, "mixed script", &[125, 1 << 10, 16 << 10]),
    (Kind::Cjk, "CJK", &[125, 1 << 10, 16 << 10]),
];
const ENCODE: [usize; 4] = [16, 125, 1 << 10, 64 << 10];
const ROLES: [(Role, &str); 2] = [(Role::Server, "server"), (Role::Client, "client")];

const ABOUT: &str = "\
A server reads masked
frames, a client plain ones, both in reads of at most 16 KiB (or WS_READ bytes); every message is seen as a whole. What
is written goes to a socket that is a buffer, in as few writes as each one makes of many messages. A round trip is a
client's message, echoed by a server.
\"tungstenite\" comes with a read buffer of 128 KiB, \"4K\" has one of 4 KiB. embedded-websocket does not check that \
text
is UTF-8, and answers nothing; \"feedrate, frames\" is the frame layer alone, which does as little, but with no second
buffer for a message.";
const ABOUT_UNMASK: &str = "\
One payload after the
other, each six bytes behind the start of a line. tungstenite's loop is the one of fastwebsockets, but private; those of
tokio-websockets and embedded-websocket are private too: see a server's decoding against a client's.";

fn main() {
    // With `--test` every benchmark runs once, to see that it does.
    let test = std::env::args().any(|argument| argument == "--test");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let (mut table, mut alone) = (Table::default(), Table::default());
    unmasking(&mut criterion, &mut alone, if test { 1 } else { SEGMENTS });
    for (kind, name, sizes) in DECODE {
        for size in sizes {
            for (role, reader) in ROLES {
                let stream = Stream::new(role, kind, *size, TOTAL.max(4 * size));
                let what = format!("decode {name}, {}, {reader}", unit(*size));
                decode(&mut criterion, &mut table, &stream, &what);
            }
        }
    }
    for size in ENCODE {
        let text = String::from_utf8(message(Kind::Ascii, size, 0)).expect("it is text");
        for (role, writer) in ROLES {
            encode(&mut criterion, &mut table, role, &text, &format!("encode {}, {writer}", unit(size)));
        }
        round_trip(&mut criterion, &mut table, &text, &format!("round trip {}", unit(size)));
    }
    criterion.final_summary();
    if test {
        return;
    }
    let columns: Vec<_> = CONTENDERS.iter().map(|contender| contender.name).collect();
    table.print(&columns, ABOUT);
    let columns: Vec<_> = unmask::CONTENDERS.iter().map(|(name, _)| *name).collect();
    alone.print(&columns, ABOUT_UNMASK);
}

fn unmasking(criterion: &mut Criterion, table: &mut Table, segments: usize) {
    for size in UNMASK {
        // All of them twice: the payload is then what it was.
        let mut checked = Payloads::new(size, 0);
        let before = checked.first().to_vec();
        let (_, first) = unmask::CONTENDERS[0];
        for (name, unmask) in unmask::CONTENDERS {
            checked.pass(first);
            assert!(checked.first() != before, "{name}");
            checked.pass(unmask);
            assert!(checked.first() == before, "{name}");
        }
        let cached = vec![Payloads::new(size, CACHED)];
        unmask_with(criterion, table, &format!("unmask {}, cache", unit(size)), cached);
        let memory = (0..segments).map(|_| Payloads::new(size, SEGMENT)).collect();
        unmask_with(criterion, table, &format!("unmask {}, memory", unit(size)), memory);
    }
}

fn unmask_with(criterion: &mut Criterion, table: &mut Table, what: &str, mut payloads: Vec<Payloads>) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Bytes(payloads[0].bytes() as u64));
    let count = payloads.len();
    let mut next = 0;
    for (name, unmask) in unmask::CONTENDERS {
        table.measure(&mut group, what, name, || {
            next = (next + 1) % count;
            let payloads = black_box(&mut payloads[next]);
            let began = Instant::now();
            payloads.pass(unmask);
            began.elapsed()
        });
    }
}

fn decode(criterion: &mut Criterion, table: &mut Table, stream: &Stream, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Bytes(stream.bytes.len() as u64));
    for contender in CONTENDERS {
        let mut pass = (contender.decode)(stream);
        assert_eq!(pass(), stream.visited, "{what}, {}", contender.name);
        table.measure(&mut group, what, contender.name, || time(&mut pass));
    }
}

fn encode(criterion: &mut Criterion, table: &mut Table, role: Role, text: &str, what: &str) {
    let times = (TOTAL / 4).div_ceil(text.len());
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Bytes((times * text.len()) as u64));
    for contender in CONTENDERS {
        assert_written(role, text.as_bytes(), times, &(contender.written)(role, text, times));
        let mut pass = (contender.encode)(role, text, times);
        table.measure(&mut group, what, contender.name, || time(&mut pass));
    }
}

fn round_trip(criterion: &mut Criterion, table: &mut Table, text: &str, what: &str) {
    let times = (TOTAL / 4).div_ceil(text.len()).min(1000);
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(times as u64));
    let mut right = feedrate_benches::ws::Visited::default();
    (0..times).for_each(|_| right.message(text.as_bytes()));
    for contender in CONTENDERS {
        let mut pass = (contender.round_trip)(text, times);
        assert_eq!(pass(), right, "{what}, {}", contender.name);
        table.measure(&mut group, what, contender.name, || time(&mut pass));
    }
}

fn time(pass: &mut Pass) -> Duration {
    let began = Instant::now();
    black_box(pass());
    began.elapsed()
}

fn unit(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}
