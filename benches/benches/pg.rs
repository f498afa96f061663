//! Side by side with the peers: `cargo bench -p feedrate-benches --bench pg`.
//!
//! Criterion shows each one's own time. What can be compared across machines is the table of ratios at the
//! end: how long each takes for the same work, where feedrate takes 1.0. It goes by each one's fastest
//! sample, which is the one that was least disturbed.
#![allow(missing_docs)]

mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use feedrate_benches::streams::{self, Rows};
use feedrate_benches::{Sum, decode, encode, pipeline};

use crate::table::Table;

/// Fits into a core's own cache, together with the copy that some peers make.
const CACHED: usize = 512 * 1024;
/// A pass is over one of these; all of them together are larger than the cache of the last level, so that
/// the next one is never in it.
const SEGMENT: usize = 16 << 20;
const SEGMENTS: usize = 16;
/// A packet's payload, a usual read buffer, a large one.
const CHUNKS: [(usize, &str); 3] = [(1460, "1460 B"), (16 << 10, "16 KiB"), (64 << 10, "64 KiB")];

type Decode = fn(&[u8], usize) -> Sum;
type Encode = fn(&mut BytesMut, usize);
type DecodeWhole = fn(BytesMut) -> Sum;

const OURS: &str = "feedrate";
const FIELDS: &[(&str, Decode)] = &[
    (OURS, decode::feedrate_fields),
    ("feedrate, checked", decode::feedrate_fields_checked),
    ("feedrate, copy", decode::feedrate_fields_read),
    ("floor", decode::floor_fields),
    ("postgres-protocol", decode::postgres_fields),
    ("pgwire", decode::pgwire_fields),
    #[cfg(feature = "pg-proto")]
    ("pg-proto", feedrate_benches::pg_proto::fields),
];
/// feedrate reads its chunks where they are: it has no use for the whole.
const WHOLE: [(&str, DecodeWhole); 2] =
    [("postgres-protocol", decode::postgres_fields_whole), ("pgwire", decode::pgwire_fields_whole)];
const FRAMES: [(&str, Decode); 5] = [
    (OURS, decode::feedrate_frames),
    ("feedrate, copy", decode::feedrate_frames_read),
    ("floor", decode::floor),
    ("postgres-protocol", decode::postgres_frames),
    ("pgwire", decode::pgwire_frames),
];
const PIPELINE: [(&str, Decode); 2] =
    [(OURS, pipeline::feedrate_fields), ("pgwire", pipeline::pgwire_fields)];
const PIPELINE_FRAMES: [(&str, Decode); 2] = [(OURS, pipeline::feedrate_frames), ("floor", decode::floor)];

const COLUMNS: [&str; 6] = [OURS, "feedrate, copy", "floor", "postgres-protocol", "pgwire", "pg-proto"];
const ABOUT: &str = "\
\"feedrate, copy\" copies as the peers do: each chunk into a buffer first, messages into a BytesMut. The floor is a
loop by hand that checks nothing: of type bytes and lengths for frames, over a row's values too for fields.";

fn main() {
    // With `--test` every benchmark runs once, to see that it does.
    let test = std::env::args().any(|argument| argument == "--test");
    let (segment, segments) = if test { (CACHED, 2) } else { (SEGMENT, SEGMENTS) };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let mut table = Table::default();
    for rows in [streams::NARROW, streams::WIDE, streams::BYTEA] {
        agree(rows);
        let cached = [rows.stream(CACHED)];
        decode_rows(&mut criterion, &mut table, rows.name, "cache", &cached);
        decode_whole(&mut criterion, &mut table, rows.name, &cached[0]);
        let memory: Vec<_> = (0..segments).map(|_| rows.stream(segment)).collect();
        decode_rows(&mut criterion, &mut table, rows.name, "memory", &memory);
    }
    let stream = [streams::pipelines(CACHED)];
    for (chunk, name) in CHUNKS {
        let what = format!("pipeline, fields, {name}, cache");
        decode_with(&mut criterion, &mut table, &what, &stream, chunk, &PIPELINE);
        let what = format!("pipeline, frames, {name}, cache");
        decode_with(&mut criterion, &mut table, &what, &stream, chunk, &PIPELINE_FRAMES);
    }
    encoding(&mut criterion, &mut table);
    criterion.final_summary();
    table.print(&COLUMNS, ABOUT);
}

/// The contenders of a kind do the same work, or comparing them says nothing.
fn agree(rows: Rows) {
    let stream = rows.stream(100_000);
    let fields: Vec<_> = FIELDS.iter().map(|(_, decode)| decode(&stream, 1460)).collect();
    let whole = WHOLE.iter().map(|(_, decode)| decode(streams::whole(&stream)));
    assert!(fields.iter().copied().chain(whole).all(|sum| sum == fields[0]), "{}: {fields:?}", rows.name);
    for chunk in [1, 7, 1460, stream.len()] {
        assert_eq!(decode::feedrate_fields(&stream, chunk), fields[0]);
        assert_eq!(decode::feedrate_frames(&stream, chunk), decode::floor(&stream, chunk));
    }
    assert_eq!(decode::postgres_frames(&stream, 1460), decode::pgwire_frames(&stream, 1460));

    let stream = streams::pipelines(10_000);
    assert_eq!(pipeline::feedrate_fields(&stream, 7), pipeline::pgwire_fields(&stream, 1460));
    assert_eq!(pipeline::feedrate_frames(&stream, 7), decode::floor(&stream, 1460));

    let (mut ours, mut theirs) = (Vec::new(), BytesMut::new());
    encode::feedrate_pipeline(&mut ours, 3);
    encode::postgres_pipeline(&mut theirs, 3);
    assert_eq!(ours, theirs);
    theirs.clear();
    encode::pgwire_pipeline(&mut theirs, 3);
    assert_eq!(ours, theirs);
    ours.clear();
    theirs.clear();
    encode::feedrate_rows(&mut ours, 3);
    encode::pgwire_rows(&mut theirs, 3);
    assert_eq!(ours, theirs);
}

fn decode_rows(criterion: &mut Criterion, table: &mut Table, rows: &str, place: &str, streams: &[Vec<u8>]) {
    for (chunk, name) in CHUNKS {
        decode_with(criterion, table, &format!("{rows}, fields, {name}, {place}"), streams, chunk, FIELDS);
        decode_with(criterion, table, &format!("{rows}, frames, {name}, {place}"), streams, chunk, &FRAMES);
    }
}

fn decode_with(
    criterion: &mut Criterion,
    table: &mut Table,
    what: &str,
    streams: &[Vec<u8>],
    chunk: usize,
    contenders: &[(&'static str, Decode)],
) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Bytes(streams[0].len() as u64));
    for (name, decode) in contenders {
        let mut next = streams.iter().cycle();
        table.measure(&mut group, what, name, || {
            let stream = next.next().expect("a cycle has no end");
            let began = Instant::now();
            black_box(decode(black_box(stream), chunk));
            began.elapsed()
        });
    }
}

/// Against feedrate in the chunks of the middle size.
fn decode_whole(criterion: &mut Criterion, table: &mut Table, rows: &str, stream: &[u8]) {
    let what = format!("{rows}, fields, whole, cache");
    let mut group = criterion.benchmark_group(&what);
    group.throughput(Throughput::Bytes(stream.len() as u64));
    table.measure(&mut group, &what, OURS, || {
        let began = Instant::now();
        black_box(decode::feedrate_fields(black_box(stream), CHUNKS[1].0));
        began.elapsed()
    });
    for (name, decode) in WHOLE {
        table.measure(&mut group, &what, name, || {
            let whole = streams::whole(stream);
            let began = Instant::now();
            black_box(decode(black_box(whole)));
            began.elapsed()
        });
    }
}

fn encoding(criterion: &mut Criterion, table: &mut Table) {
    const TIMES: usize = 1000;
    let mut vec = Vec::with_capacity(CACHED);
    let mut bytes = BytesMut::with_capacity(CACHED);
    let (pipeline, row) = ("encode Parse, Bind, Execute, Sync", "encode DataRow");
    let mut group = criterion.benchmark_group(pipeline);
    group.throughput(Throughput::Elements(4 * TIMES as u64));
    table.measure(&mut group, pipeline, OURS, || {
        write(&mut vec, Vec::clear, |out| encode::feedrate_pipeline(out, TIMES))
    });
    let to_bytes: [(&str, Encode); 3] = [
        ("feedrate, copy", encode::feedrate_pipeline),
        ("postgres-protocol", encode::postgres_pipeline),
        ("pgwire", encode::pgwire_pipeline),
    ];
    for (name, encode) in to_bytes {
        table.measure(&mut group, pipeline, name, || {
            write(&mut bytes, BytesMut::clear, |out| encode(out, TIMES))
        });
    }
    drop(group);
    let mut group = criterion.benchmark_group(row);
    group.throughput(Throughput::Elements(TIMES as u64));
    table.measure(&mut group, row, OURS, || {
        write(&mut vec, Vec::clear, |out| encode::feedrate_rows(out, TIMES))
    });
    let to_bytes: [(&str, Encode); 2] =
        [("feedrate, copy", encode::feedrate_rows), ("pgwire", encode::pgwire_rows)];
    for (name, encode) in to_bytes {
        table.measure(&mut group, row, name, || write(&mut bytes, BytesMut::clear, |out| encode(out, TIMES)));
    }
}

fn write<O>(out: &mut O, clear: fn(&mut O), encode: impl FnOnce(&mut O)) -> Duration {
    clear(out);
    let began = Instant::now();
    encode(out);
    black_box(out);
    began.elapsed()
}
