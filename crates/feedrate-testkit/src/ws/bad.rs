//! Streams that break a rule.

use feedrate_ws::Violation as V;
use feedrate_ws::frame::Opcode;

use super::wire::{BINARY, CLOSE, FIN, MORE, PING, PONG, RSV1, TEXT, Wire, stored};
use super::{BAD_UTF8, Table, Vector, binary, ping, text};

const PROTOCOL: u16 = 1002;
const PAYLOAD: u16 = 1007;

/// Every MUST of RFC 6455 and RFC 7692 that a stream can break, limits apart.
pub fn bad() -> Vec<Vector> {
    let mut table = Table::default();
    first_bytes(&mut table);
    lengths(&mut table);
    order(&mut table);
    masks(&mut table);
    closes(&mut table);
    utf8(&mut table);
    table.deflate = Some(true);
    compressed(&mut table);
    table.rows
}

fn first_bytes(table: &mut Table) {
    // RSV1 of a message has a meaning only where compression has been agreed upon.
    for bits in 1..8_u8 {
        let rsv = bits << 4;
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            table.deflate = (bits == 4 && opcode < CLOSE).then_some(false);
            let name = format!("3: reserved bits {bits:03b} with opcode {opcode}");
            let make = |w: Wire| w.text("a").bad().frame(FIN | rsv | opcode, "Hello").ping("no");
            table.bad(name, make, &[text("a")], V::Reserved { bits }, PROTOCOL);
        }
        table.deflate = None;
        let make = |w: Wire| w.frame(TEXT, "a").bad().frame(FIN | rsv | MORE, "b");
        let name = format!("3: reserved bits {bits:03b} in a continuation");
        table.bad(name, make, &[], V::Reserved { bits }, PROTOCOL);
    }
    for opcode in (3..8).chain(11..16) {
        for payload in ["", "payload"] {
            let make = |w: Wire| w.text("a").bad().frame(FIN | opcode, payload).ping("no");
            let name = format!("4: opcode {opcode} with {} bytes", payload.len());
            table.bad(name, make, &[text("a")], V::Opcode(opcode), PROTOCOL);
        }
        let make = |w: Wire| w.frame(TEXT, "a").bad().frame(opcode, "b");
        let name = format!("4: opcode {opcode} inside of a message, without FIN");
        table.bad(name, make, &[], V::Opcode(opcode), PROTOCOL);
    }
}

fn lengths(table: &mut Table) {
    for (opcode, which) in [(PING, Opcode::Ping), (PONG, Opcode::Pong), (CLOSE, Opcode::Close)] {
        let long = |w: Wire| w.text("a").bad().frame(FIN | opcode, [0x20; 126]);
        let name = format!("2.5: {which:?} of 126 bytes");
        table.bad(name, long, &[text("a")], V::ControlTooLong(which), PROTOCOL);
        let longer = |w: Wire| w.bad().head(FIN | opcode, 0x1_0000);
        table.bad(format!("{which:?} of 65536 bytes"), longer, &[], V::ControlTooLong(which), PROTOCOL);
        let cut = |w: Wire| w.bad().frame(opcode, "half").frame(FIN | MORE, "half");
        table.bad(format!("5.1: {which:?} cut"), cut, &[], V::ControlFragmented(which), PROTOCOL);
    }
    for length in [0, 1, 125_u16] {
        let make = |w: Wire| w.bad().lengths(FIN | TEXT, 126, &length.to_be_bytes()).raw(&[b'x'; 125]);
        let violation = V::NotMinimal { length: length.into() };
        table.bad(format!("5.2: {length} in 16 bits"), make, &[], violation, PROTOCOL);
    }
    for length in [0, 125, 126, 65_535_u64] {
        let make = |w: Wire| w.bad().lengths(FIN | BINARY, 127, &length.to_be_bytes()).raw(&[0; 300]);
        table.bad(format!("5.2: {length} in 64 bits"), make, &[], V::NotMinimal { length }, PROTOCOL);
    }
    for length in [1 << 63, (1 << 63) + 5, u64::MAX] {
        let make = |w: Wire| w.bad().lengths(FIN | BINARY, 127, &length.to_be_bytes()).raw(&[0; 30]);
        table.bad(format!("5.2: top bit of {length:#x}"), make, &[], V::LengthTopBit, PROTOCOL);
    }
}

fn order(table: &mut Table) {
    for first in [FIN, 0] {
        let make = |w: Wire| w.text("a").ping("b").bad().frame(first | MORE, "c").text("d");
        table.bad("5.9: nothing to continue", make, &[text("a"), ping("b")], V::Continuation, PROTOCOL);
        let make = |w: Wire| w.parts(TEXT, &[b"a", b"b"]).bad().frame(first | MORE, "c");
        table.bad("5.11: a message that had ended goes on", make, &[text("ab")], V::Continuation, PROTOCOL);
        for (opcode, which) in [(TEXT, Opcode::Text), (BINARY, Opcode::Binary)] {
            let make = |w: Wire| w.frame(TEXT, "a").ping("b").bad().frame(first | opcode, "c");
            let name = format!("5.18: {which:?} inside of a message");
            table.bad(name, make, &[ping("b")], V::Interrupted(which), PROTOCOL);
        }
    }
}

fn masks(table: &mut Table) {
    // What a mask must not, and must, be there for: from each side the other thing.
    for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
        let make = |w: Wire| w.text("a").bad().masked_wrongly().frame(FIN | opcode, "Hi").text("b");
        for server in [true, false] {
            let violation = if server { V::Unmasked } else { V::Masked };
            let mut both = Table::default();
            let name = format!("5.1: opcode {opcode}, {violation:?}");
            both.bad(name, make, &[text("a")], violation, PROTOCOL);
            let side = if server { feedrate_ws::Role::Server } else { feedrate_ws::Role::Client };
            table.rows.extend(both.rows.into_iter().filter(|row| row.role == side));
        }
    }
}

fn closes(table: &mut Table) {
    let short = |w: Wire| w.text("a").bad().frame(FIN | CLOSE, [3]);
    table.bad("7.3.2: a close frame of one byte", short, &[text("a")], V::CloseLength, PROTOCOL);
    let never = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 32_768, 65_535];
    for code in never {
        let make = |w: Wire| w.bad().close(code, "").ping("no");
        table.bad(format!("7.9: code {code}"), make, &[], V::CloseCode(code), PROTOCOL);
        let make = |w: Wire| w.frame(TEXT, "a").bad().close(code, "reason");
        table.bad(format!("7.9: code {code} with a reason"), make, &[], V::CloseCode(code), PROTOCOL);
    }
    for (bytes, _) in BAD_UTF8 {
        let make = |w: Wire| w.bad().close(1000, bytes).ping("no");
        table.bad(format!("7.5.1: reason {}", bytes.escape_ascii()), make, &[], V::CloseReason, PAYLOAD);
    }
}

fn utf8(table: &mut Table) {
    for (bytes, at) in BAD_UTF8 {
        let shown = bytes.escape_ascii();
        let make = |w: Wire| w.text("a").bad().text(bytes).ping("no");
        table.bad(format!("6: {shown}"), make, &[text("a")], V::Utf8 { at }, PAYLOAD);
        // With other text around it, long enough for vector instructions.
        let (before, behind) = ("é".repeat(40), "x".repeat(if at == bytes.len() as u64 { 0 } else { 80 }));
        let long = [before.as_bytes(), bytes, behind.as_bytes()].concat();
        let make = |w: Wire| w.bad().text(&long);
        table.bad(format!("6: {shown}, long"), make, &[], V::Utf8 { at: at + 80 }, PAYLOAD);
        // Every byte in a frame of its own: the one with the bad byte is refused, or the last.
        let n = at as usize;
        let make = |w: Wire| {
            let mut w = w.frame(TEXT, "");
            for byte in &bytes[..n] {
                w = w.frame(MORE, [*byte]);
            }
            let w = w.ping("p").bad();
            let w = if n < bytes.len() { w.frame(MORE, [bytes[n]]) } else { w.frame(FIN | MORE, "") };
            w.ping("no").text("no")
        };
        table.bad(format!("6: {shown}, in fragments"), make, &[ping("p")], V::Utf8 { at }, PAYLOAD);
        // A binary message is none of it.
        if n < bytes.len() {
            let make = |w: Wire| w.binary(bytes).bad().frame(TEXT, bytes).text("no");
            let name = format!("6: {shown}, behind binary");
            table.bad(name, make, &[binary(bytes)], V::Utf8 { at }, PAYLOAD);
            // The rest of the frame need not come.
            let make = |w: Wire| w.bad().head(FIN | TEXT, 1 << 12).masked(&bytes[..=n]);
            table.bad(format!("6.4: {shown}, at once"), make, &[], V::Utf8 { at }, PAYLOAD);
        }
    }
}

fn compressed(table: &mut Table) {
    for opcode in [CLOSE, PING, PONG] {
        let make = |w: Wire| w.bad().frame(FIN | RSV1 | opcode, "\x03\u{e8}");
        table.bad(format!("compressed opcode {opcode}"), make, &[], V::Reserved { bits: 4 }, PROTOCOL);
    }
    let make = |w: Wire| w.frame(RSV1 | TEXT, "\x00").bad().frame(FIN | RSV1 | MORE, "\x00");
    table.bad("RSV1 in the second frame", make, &[], V::Reserved { bits: 4 }, PROTOCOL);
    // A block of type 3; a length and its complement that do not match; a distance behind the beginning.
    let broken: [&[u8]; 4] =
        [b"\x06\0\0\0", b"\x00\x05\x00\xfa\xfeHello\x00", b"\xf2\x00\x11\x00\x00", b"\xff\xff\xff\xff"];
    for bytes in broken {
        let make = |w: Wire| w.text("a").bad().frame(FIN | RSV1 | BINARY, bytes).ping("no");
        table.bad(format!("no DEFLATE: {}", bytes.escape_ascii()), make, &[text("a")], V::Deflate, PAYLOAD);
    }
    for (bytes, at) in BAD_UTF8 {
        let packed = stored(bytes);
        let make = |w: Wire| w.bad().frame(FIN | RSV1 | TEXT, &packed).ping("no");
        table.bad(format!("compressed {}", bytes.escape_ascii()), make, &[], V::Utf8 { at }, PAYLOAD);
        if at < bytes.len() as u64 {
            // Of DEFLATE's stored block so much that its bad byte is there.
            let n = 5 + at as usize;
            let make = |w: Wire| w.bad().head(FIN | RSV1 | TEXT, 1 << 12).masked(&packed[..=n]);
            let name = format!("compressed {}, at once", bytes.escape_ascii());
            table.bad(name, make, &[], V::Utf8 { at }, PAYLOAD);
        }
    }
}
