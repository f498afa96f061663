//! RDPv3 side by side with what is used in its place: `cargo bench -p feedrate-benches --bench rdp`.
//!
//! As for `pg`, what can be compared across machines is the table of ratios at the end, which goes by each one's
//! fastest sample.
#![allow(missing_docs)]

mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use feedrate::rdp::packet::Lane;
use feedrate_benches::Sum;
use feedrate_benches::rdp::exchange::Pair;
use feedrate_benches::rdp::{MESSAGES, PAYLOADS, Stream, gdb, packets, records};

use crate::table::Table;

/// Bytes of payload in a pass: all of it fits into a core's own cache.
const TOTAL: usize = 64 * 1024;
/// Requests in a pass.
const TIMES: usize = 256;

/// May change the stream.
type Decode = fn(&mut [u8]) -> Sum;
type Encode = fn(&Stream, &mut [u8]) -> usize;

const OURS: &str = "feedrate";
const COLUMNS: [&str; 7] = [OURS, "feedrate, &", "checksums", "cobs + crc", "postcard", "gdbstub", "floor"];
const ABOUT: &str = "\
\"feedrate\" reads packets where
they lie, in &mut [u8], \"feedrate, &\" from &[u8], by way of the decoder's storage. \
\"checksums\" is what CRC-16 and CRC-32 alone take:
what a packet takes beyond that is COBS and parsing. \
\"cobs + crc\" reads
the same packets by hand. \"postcard\" has a CRC-32 and no header check. \
\"gdbstub\" reads a packet of as much text, byte by byte, with a sum of 8 bits, and answers it. \
\"floor\" reads and writes the
lengths of records by hand. An exchange is a read of
64 bytes of memory: of feedrate the host's half and the agent's, of gdbstub the stub's half alone.";

const DECODE: [(&str, Decode); 4] = [
    (OURS, packets::measured_feedrate),
    ("feedrate, &", |bytes| packets::feedrate_ref(bytes)),
    ("cobs + crc", |bytes| packets::by_hand(bytes)),
    ("postcard", |bytes| packets::postcard(bytes)),
];
const ENCODE: [(&str, Encode); 3] = [
    (OURS, packets::feedrate_encode),
    ("cobs + crc", packets::by_hand_encode),
    ("postcard", packets::postcard_encode),
];
const DECODE_RECORDS: [(&str, Decode); 3] = [
    (OURS, records::feedrate),
    ("feedrate, &", |bytes| records::feedrate_ref(bytes)),
    ("floor", |bytes| records::floor(bytes)),
];
const ENCODE_RECORDS: [(&str, Encode); 2] = [(OURS, records::encode), ("floor", records::floor_encode)];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let mut table = Table::default();
    for payload in PAYLOADS {
        let stream = Stream::new(payload, TOTAL);
        agree(&stream);
        decode(&mut criterion, &mut table, &stream, &format!("decode {payload} B, packet"));
        encode(&mut criterion, &mut table, &stream, &format!("encode {payload} B, packet"));
    }
    for message in MESSAGES {
        let stream = Stream::new(message, TOTAL);
        agree_on_records(&stream);
        read_records(&mut criterion, &mut table, &stream, &format!("decode {message} B, record"));
        write_records(&mut criterion, &mut table, &stream, &format!("encode {message} B, record"));
    }
    for (pair, name) in [
        (Pair::serial(Lane::UART), "UART lane"),
        (Pair::serial(Lane::SPI), "SPI's lane"),
        (Pair::stream(), "TCP"),
    ] {
        exchange(&mut criterion, &mut table, pair, &format!("exchange, {name}"));
    }
    criterion.final_summary();
    table.print(&COLUMNS, ABOUT);
}

/// All contenders do the same work, or comparing them says nothing.
fn agree(stream: &Stream) {
    let bytes = stream.packets();
    let mut out = vec![0; 4 * TOTAL];
    let length = packets::postcard_encode(stream, &mut out);
    let sum = packets::by_hand(&bytes);
    for (name, decode) in DECODE {
        let bytes = if name == "postcard" { &out[..length] } else { &bytes };
        assert_eq!(decode(&mut bytes.to_vec()), sum, "{name}");
    }
    for encode in [packets::feedrate_encode, packets::by_hand_encode] {
        let length = encode(stream, &mut out);
        assert!(out[..length] == bytes);
    }
}

fn agree_on_records(stream: &Stream) {
    let mut bytes = stream.records();
    let mut out = vec![0; 4 * TOTAL];
    for (name, decode) in DECODE_RECORDS {
        assert_eq!(decode(&mut bytes), records::floor(&stream.records()), "{name}");
    }
    for (name, encode) in ENCODE_RECORDS {
        let length = encode(stream, &mut out);
        assert!(out[..length] == bytes, "{name}");
    }
}

fn decode(criterion: &mut Criterion, table: &mut Table, stream: &Stream, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let bytes = stream.packets();
    let mut theirs = vec![0; 4 * TOTAL];
    let length = packets::postcard_encode(stream, &mut theirs);
    for (name, decode) in DECODE {
        let bytes = if name == "postcard" { &theirs[..length] } else { &bytes };
        let mut copy = bytes.to_vec();
        table.measure(&mut group, what, name, || {
            copy.copy_from_slice(bytes);
            time(|| decode(black_box(&mut copy)))
        });
    }
    let plain = stream.plain();
    table.measure(&mut group, what, "checksums", || time(|| packets::checksums(black_box(&plain))));
    let unknown = gdb::unknown(stream.payload, stream.len());
    table.measure(&mut group, what, "gdbstub", || time(|| gdb::packets(black_box(&unknown))));
}

fn encode(criterion: &mut Criterion, table: &mut Table, stream: &Stream, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let mut out = vec![0; 4 * TOTAL];
    for (name, encode) in ENCODE {
        table.measure(&mut group, what, name, || time(|| encode(black_box(stream), black_box(&mut out))));
    }
    let plain = stream.plain();
    table.measure(&mut group, what, "checksums", || time(|| packets::checksums(black_box(&plain))));
}

fn read_records(criterion: &mut Criterion, table: &mut Table, stream: &Stream, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let mut bytes = stream.records();
    for (name, decode) in DECODE_RECORDS {
        table.measure(&mut group, what, name, || time(|| decode(black_box(&mut bytes))));
    }
}

fn write_records(criterion: &mut Criterion, table: &mut Table, stream: &Stream, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let mut out = vec![0; 4 * TOTAL];
    for (name, encode) in ENCODE_RECORDS {
        table.measure(&mut group, what, name, || time(|| encode(black_box(stream), black_box(&mut out))));
    }
}

fn exchange(criterion: &mut Criterion, table: &mut Table, mut pair: Pair, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(TIMES as u64));
    table.measure(&mut group, what, OURS, || time(|| pair.ask(black_box(TIMES))));
    let questions = gdb::questions();
    table.measure(&mut group, what, "gdbstub", || time(|| gdb::ask(black_box(&questions), TIMES)));
}

fn time<R>(pass: impl FnOnce() -> R) -> Duration {
    let began = Instant::now();
    black_box(pass());
    began.elapsed()
}
