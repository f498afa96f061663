//! `passes CASE N`: N passes over one stream, for `../../callgrind` to count instructions in.
#![allow(missing_docs)]

use feedrate::rdp::packet::Lane;
use feedrate_benches::rdp::{Stream, exchange, gdb, packets, records};
use feedrate_benches::{connection, decode, encode, pipeline, streams, ws};

const CHUNK: usize = 16 * 1024;
/// What one packet of TCP brings over Ethernet.
const SEGMENT: usize = 1460;
const STREAM: usize = 1024 * 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, case, passes] = &arguments[..] else { panic!("usage: passes CASE N") };
    let passes: usize = passes.parse().expect("a number of passes");
    let (kind, contender) = case.split_once('/').expect("a case is KIND/CONTENDER");
    // The messages of one pass, for the script to divide by.
    println!("{}", run(kind, contender, passes));
}

fn run(kind: &str, contender: &str, passes: usize) -> usize {
    match kind.split('-').collect::<Vec<_>>()[..] {
        ["packet", payload] => return packets(payload, contender, passes),
        ["record", message] => return records(message, contender, passes),
        ["exchange", line] => return exchanges(line, contender, passes),
        ["ws", kind, size] => return ws::counted::passes(kind, size, contender, passes),
        ["io", rows] => return connections(rows, contender, passes),
        ["narrow", "cut"] => return cuts(true, contender, passes),
        ["narrow", "even"] => return cuts(false, contender, passes),
        _ => {}
    }
    let (kind, chunk) = match kind.split_once('-') {
        Some((kind, chunk)) => (kind, chunk.parse().expect("bytes in a chunk")),
        None => (kind, CHUNK),
    };
    type Decode = fn(&[u8], usize) -> feedrate_benches::Sum;
    let decode: Option<Decode> = match contender {
        "floor" => Some(decode::floor),
        "floor-fields" => Some(decode::floor_fields),
        "frames" if kind != "pipeline" => Some(decode::feedrate_frames),
        "fields" if kind != "pipeline" => Some(decode::feedrate_fields),
        "fields-checked" => Some(decode::feedrate_fields_checked),
        "postgres-protocol" if kind != "encode" => Some(decode::postgres_fields),
        "pgwire" if !matches!(kind, "encode" | "pipeline" | "rows") => Some(decode::pgwire_fields),
        #[cfg(feature = "pg-proto")]
        "pg-proto" => Some(feedrate_benches::pg_proto::fields),
        "frames" => Some(pipeline::feedrate_frames),
        "fields" => Some(pipeline::feedrate_fields),
        "pgwire" if kind == "pipeline" => Some(pipeline::pgwire_fields),
        _ => None,
    };
    if let Some(decode) = decode {
        let stream = match kind {
            "narrow" => streams::NARROW.stream(STREAM),
            "wide" => streams::WIDE.stream(STREAM),
            "bytea" => streams::BYTEA.stream(STREAM),
            _ => streams::pipelines(STREAM),
        };
        for _ in 0..passes {
            std::hint::black_box(decode(std::hint::black_box(&stream), chunk));
        }
        return messages(&stream);
    }
    const TIMES: usize = 1000;
    let mut vec = Vec::with_capacity(STREAM);
    let mut bytes = bytes::BytesMut::with_capacity(STREAM);
    for _ in 0..passes {
        vec.clear();
        bytes.clear();
        match (kind, contender) {
            ("encode", "Vec") => encode::feedrate_pipeline(&mut vec, TIMES),
            ("encode", "BytesMut") => encode::feedrate_pipeline(&mut bytes, TIMES),
            ("encode", "postgres-protocol") => encode::postgres_pipeline(&mut bytes, TIMES),
            ("encode", "pgwire") => encode::pgwire_pipeline(&mut bytes, TIMES),
            ("rows", "Vec") => encode::feedrate_rows(&mut vec, TIMES),
            ("rows", "BytesMut") => encode::feedrate_rows(&mut bytes, TIMES),
            ("rows", "pgwire") => encode::pgwire_rows(&mut bytes, TIMES),
            _ => panic!("no case {kind}/{contender}"),
        }
        std::hint::black_box((&vec, &bytes));
    }
    if kind == "encode" { 4 * TIMES } else { TIMES }
}

/// A server's rows, read through a connection.
fn connections(rows: &str, contender: &str, passes: usize) -> usize {
    let stream = match rows {
        "narrow" => streams::NARROW.stream(STREAM),
        "wide" => streams::WIDE.stream(STREAM),
        _ => streams::BYTEA.stream(STREAM),
    };
    let read = match contender {
        "hand" => connection::by_hand,
        "try_next" => connection::try_next,
        "next" => connection::next,
        _ => panic!("no contender {contender}"),
    };
    for _ in 0..passes {
        std::hint::black_box(read(std::hint::black_box(&stream)));
    }
    messages(&stream)
}

fn messages(stream: &[u8]) -> usize {
    lengths(stream).count()
}

fn lengths(mut stream: &[u8]) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let &[_, a, b, c, d] = stream.first_chunk::<5>()?;
        let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
        stream = &stream[length..];
        Some(length)
    })
}

/// Narrow rows in chunks of a segment or a little more, which all end where a message does. Or else every
/// other one ends inside the next message: there are as many chunks and the same messages then, so what it
/// takes more is what the cuts take. They go through all places of a message. Returns how many cuts there
/// are, or would be.
fn cuts(cut: bool, contender: &str, passes: usize) -> usize {
    let stream = streams::NARROW.stream(STREAM);
    let (mut chunks, mut cuts) = (Vec::new(), 0);
    // Of this chunk: where it starts, the end of the last message before it, and the end of the last message in it.
    let (mut start, mut before, mut end) = (0, 0, 0);
    for length in lengths(&stream) {
        if end - before >= SEGMENT {
            let mut inside = 0;
            if chunks.len() % 2 == 0 {
                cuts += 1;
                inside = if cut { 1 + cuts % (length - 1) } else { 0 };
            }
            chunks.push(&stream[start..end + inside]);
            (start, before) = (end + inside, end);
        }
        end += length;
    }
    chunks.push(&stream[start..]);
    for _ in 0..passes {
        let chunks = std::hint::black_box(&chunks[..]);
        std::hint::black_box(match contender {
            "floor" => decode::floor_chunks(chunks),
            "frames" => decode::feedrate_frames_chunks(chunks),
            _ => panic!("no contender {contender}"),
        });
    }
    cuts
}

/// Packets of RDPv3 in one buffer.
fn packets(payload: &str, contender: &str, passes: usize) -> usize {
    let payload = payload.parse().expect("bytes of payload");
    let stream = Stream::new(payload, 64 * 1024);
    let mut out = vec![0; STREAM];
    let bytes = match contender {
        "checksums" => stream.plain(),
        "gdbstub" => gdb::unknown(payload, stream.len()),
        "postcard" => {
            let length = packets::postcard_encode(&stream, &mut out);
            out[..length].to_vec()
        }
        _ => stream.packets(),
    };
    let mut copy = bytes.clone();
    for _ in 0..passes {
        if contender == "feedrate" {
            copy.copy_from_slice(&bytes);
        }
        let (bytes, copy, stream, out) = std::hint::black_box((&bytes, &mut copy, &stream, &mut out));
        let result = match contender {
            "feedrate" => packets::measured_feedrate(copy).0,
            "feedrate-ref" => packets::feedrate_ref(bytes).0,
            "checksums" => packets::checksums(bytes).0,
            "cobs+crc" => packets::by_hand(bytes).0,
            "postcard" => packets::postcard(bytes).0,
            "gdbstub" => gdb::packets(bytes).0,
            "encode" => packets::feedrate_encode(stream, out) as u64,
            "encode-cobs+crc" => packets::by_hand_encode(stream, out) as u64,
            "encode-postcard" => packets::postcard_encode(stream, out) as u64,
            _ => panic!("no contender {contender}"),
        };
        std::hint::black_box(result);
    }
    stream.len()
}

/// Records of RDPv3 in one buffer.
fn records(message: &str, contender: &str, passes: usize) -> usize {
    let message = message.parse().expect("bytes of a message");
    let stream = Stream::new(message, 64 * 1024);
    let mut out = vec![0; STREAM];
    let mut bytes = stream.records();
    for _ in 0..passes {
        let (bytes, stream, out) = std::hint::black_box((&mut bytes, &stream, &mut out));
        let result = match contender {
            "feedrate" => records::feedrate(bytes).0,
            "feedrate-ref" => records::feedrate_ref(bytes).0,
            "floor" => records::floor(bytes).0,
            "encode" => records::encode(stream, out) as u64,
            "floor-encode" => records::floor_encode(stream, out) as u64,
            _ => panic!("no contender {contender}"),
        };
        std::hint::black_box(result);
    }
    stream.len()
}

/// Requests with their answers. "agent" is the same as "feedrate": the script counts in the agent's functions alone.
fn exchanges(line: &str, contender: &str, passes: usize) -> usize {
    const TIMES: usize = 256;
    if contender == "gdbstub" {
        let questions = gdb::questions();
        for _ in 0..passes {
            std::hint::black_box(gdb::ask(std::hint::black_box(&questions), TIMES));
        }
    } else {
        let mut pair = match line {
            "uart" => exchange::Pair::serial(Lane::UART),
            "spi" => exchange::Pair::serial(Lane::SPI),
            "tcp" => exchange::Pair::stream(),
            _ => panic!("no line {line}"),
        };
        std::hint::black_box(pair.ask(TIMES * passes));
    }
    TIMES
}
