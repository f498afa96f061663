//! RDPv3 side by side with what is used in its place: `cargo bench -p feedrate-benches --bench rdp`.
//!
//! As for `pg`, what can be compared across machines is the table of ratios at the end, which goes by each one's
//! fastest sample.
#![allow(missing_docs)]

mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use feedrate::rdp::packet::{Framing, Line};
use feedrate_benches::Sum;
use feedrate_benches::rdp::exchange::Pair;
use feedrate_benches::rdp::{PAYLOADS, Stream, gdb, packets};

use crate::table::Table;

/// Bytes of payload in a pass: all of it fits into a core's own cache.
const TOTAL: usize = 64 * 1024;
/// Requests in a pass.
const TIMES: usize = 256;

/// May change the stream.
type Decode = fn(&mut [u8], Framing) -> Sum;
type Encode = fn(&Stream, Framing, &mut [u8]) -> usize;

const OURS: &str = "feedrate";
const COLUMNS: [&str; 6] = [OURS, "feedrate, &", "checksums", "cobs + crc", "postcard", "gdbstub"];
const ABOUT: &str = "\
\"feedrate\" reads packets where
they lie, in &mut [u8], \"feedrate, &\" from &[u8], by way of the decoder's storage. \
\"checksums\" is what CRC-16 and CRC-32 alone take, of
both framings: what a stream takes beyond that is parsing, and what serial takes beyond the stream is COBS. \
\"cobs + crc\" reads
the same packets by hand. \"postcard\" has a CRC-32 and no header check; its framing of a stream is two bytes of \
length by
hand. \"gdbstub\" reads a packet of as much text, byte by byte, with a sum of 8 bits, and answers it. \
An exchange is a read of
64 bytes of memory: of feedrate the host's half and the agent's, of gdbstub the stub's half alone.";

const DECODE: [(&str, Decode); 4] = [
    (OURS, packets::measured_feedrate),
    ("feedrate, &", |bytes, framing| packets::feedrate_ref(bytes, framing)),
    ("cobs + crc", |bytes, framing| packets::by_hand(bytes, framing)),
    ("postcard", |bytes, framing| packets::postcard(bytes, framing)),
];
const ENCODE: [(&str, Encode); 3] = [
    (OURS, packets::feedrate_encode),
    ("cobs + crc", packets::by_hand_encode),
    ("postcard", packets::postcard_encode),
];
const FRAMINGS: [(Framing, &str); 2] = [(Framing::Serial, "serial"), (Framing::Stream, "stream")];
const LINES: [(Line, &str); 3] = [(Line::UART, "UART"), (Line::SPI, "SPI's"), (Line::TCP, "TCP")];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let mut table = Table::default();
    for payload in PAYLOADS {
        let stream = Stream::new(payload, TOTAL);
        for (framing, name) in FRAMINGS {
            agree(&stream, framing);
            decode(&mut criterion, &mut table, &stream, framing, &format!("decode {payload} B, {name}"));
            encode(&mut criterion, &mut table, &stream, framing, &format!("encode {payload} B, {name}"));
        }
    }
    for (line, name) in LINES {
        exchange(&mut criterion, &mut table, line, &format!("exchange, {name} lane"));
    }
    criterion.final_summary();
    table.print(&COLUMNS, ABOUT);
}

/// All contenders do the same work, or comparing them says nothing.
fn agree(stream: &Stream, framing: Framing) {
    let bytes = stream.packets(framing);
    let mut out = vec![0; 4 * TOTAL];
    let length = packets::postcard_encode(stream, framing, &mut out);
    let sum = packets::by_hand(&bytes, framing);
    for (name, decode) in DECODE {
        let bytes = if name == "postcard" { &out[..length] } else { &bytes };
        assert_eq!(decode(&mut bytes.to_vec(), framing), sum, "{name}");
    }
    for encode in [packets::feedrate_encode, packets::by_hand_encode] {
        let length = encode(stream, framing, &mut out);
        assert!(out[..length] == bytes);
    }
}

fn decode(criterion: &mut Criterion, table: &mut Table, stream: &Stream, framing: Framing, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let bytes = stream.packets(framing);
    let mut theirs = vec![0; 4 * TOTAL];
    let length = packets::postcard_encode(stream, framing, &mut theirs);
    for (name, decode) in DECODE {
        let bytes = if name == "postcard" { &theirs[..length] } else { &bytes };
        let mut copy = bytes.to_vec();
        table.measure(&mut group, what, name, || {
            copy.copy_from_slice(bytes);
            time(|| decode(black_box(&mut copy), framing))
        });
    }
    let plain = stream.packets(Framing::Stream);
    table.measure(&mut group, what, "checksums", || {
        time(|| packets::checksums(black_box(&plain), Framing::Stream))
    });
    let unknown = gdb::unknown(stream.payload, stream.len());
    table.measure(&mut group, what, "gdbstub", || time(|| gdb::packets(black_box(&unknown))));
}

fn encode(criterion: &mut Criterion, table: &mut Table, stream: &Stream, framing: Framing, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(stream.len() as u64));
    let mut out = vec![0; 4 * TOTAL];
    for (name, encode) in ENCODE {
        table.measure(&mut group, what, name, || {
            time(|| encode(black_box(stream), framing, black_box(&mut out)))
        });
    }
    let plain = stream.packets(Framing::Stream);
    table.measure(&mut group, what, "checksums", || {
        time(|| packets::checksums(black_box(&plain), Framing::Stream))
    });
}

fn exchange(criterion: &mut Criterion, table: &mut Table, line: Line, what: &str) {
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Elements(TIMES as u64));
    let mut pair = Pair::new(line);
    table.measure(&mut group, what, OURS, || time(|| pair.ask(black_box(TIMES))));
    let questions = gdb::questions();
    table.measure(&mut group, what, "gdbstub", || time(|| gdb::ask(black_box(&questions), TIMES)));
}

fn time<R>(pass: impl FnOnce() -> R) -> Duration {
    let began = Instant::now();
    black_box(pass());
    began.elapsed()
}
