//! A connection beside a loop by hand: `cargo bench -p feedrate-benches --bench io`.
#![allow(missing_docs)]

mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use feedrate_benches::streams::{BYTEA, NARROW, WIDE};
use feedrate_benches::{Sum, connection};

use crate::table::Table;

type Read = fn(&[u8]) -> Sum;

const CONTENDERS: [(&str, Read); 5] = [
    ("loop by hand", connection::by_hand),
    ("try_next", connection::try_next),
    ("next", connection::next),
    ("Framed", connection::framed),
    ("postgres-protocol", connection::postgres_framed),
];
const ABOUT: &str = "\
It reads 64 KiB at a time out of memory, and feeds. \"postgres-protocol\" is tokio-util's Framed over its headers, as
tokio-postgres has it.";

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut table = Table::default();
    for rows in [NARROW, WIDE, BYTEA] {
        let stream = rows.stream(1 << 20);
        let sums: Vec<_> = CONTENDERS.iter().map(|(_, read)| read(&stream)).collect();
        assert!(sums.iter().all(|sum| *sum == sums[0]), "{}: {sums:?}", rows.name);
        let mut group = criterion.benchmark_group(rows.name);
        group.throughput(Throughput::Bytes(stream.len() as u64));
        for (name, read) in CONTENDERS {
            table.measure(&mut group, rows.name, name, || {
                let began = Instant::now();
                black_box(read(black_box(&stream)));
                began.elapsed()
            });
        }
    }
    criterion.final_summary();
    table.print(&CONTENDERS.map(|(name, _)| name), ABOUT);
}
