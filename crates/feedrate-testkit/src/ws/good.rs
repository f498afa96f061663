//! Streams that break no rule.

use feedrate_ws::{Kind, Role};

use super::data::numbered;
use super::run::Entry;
use super::wire::{BINARY, CLOSE, FIN, MORE, PONG, RSV1, TEXT, Wire, stored};
use super::{GOOD_UTF8, Table, Vector, binary, closed, ping, pong, text};

/// Messages and control frames as they should be: groups 1, 2, 5, 6, 7, 9 and 10, with the examples of RFC
/// 6455, section 5.7, and of RFC 7692, section 7.2.3.
pub fn good() -> Vec<Vector> {
    let mut table = Table::default();
    messages(&mut table);
    control(&mut table);
    fragments(&mut table);
    utf8(&mut table);
    closes(&mut table);
    table.deflate = Some(true);
    compressed(&mut table);
    let mut rows = table.rows;
    rows.extend(examples());
    rows
}

fn messages(table: &mut Table) {
    let lengths = [0, 1, 3, 4, 7, 125, 126, 127, 128, 300];
    for length in lengths.into_iter().chain([65_535, 70_000]) {
        let letters = "*".repeat(length);
        table.good(format!("1.1: text of {length}"), |w| w.text(&letters), &[text(&letters)]);
    }
    for length in lengths.into_iter().chain([65_536]) {
        let bytes = numbered(length);
        table.good(format!("1.2: binary of {length}"), |w| w.binary(&bytes), &[binary(&bytes)]);
    }
    let two = |w: Wire| w.text("a").binary([0xff, 0]).text("").text("bc");
    table.good("several", two, &[text("a"), binary([0xff, 0]), text(""), text("bc")]);
    table.good("nothing", |w| w, &[]);
}

fn control(table: &mut Table) {
    for payload in [&b""[..], b"Hello, world!", b"\0\xff\xfe\xfd\xfc\xfb\0\xff", &[0xfe; 125]] {
        let name = format!("2: ping of {}", payload.len());
        table.good(name, |w| w.ping(payload).text("x"), &[ping(payload), text("x")]);
        let name = format!("2: unasked pong of {}", payload.len());
        table.good(name, |w| w.pong(payload).text("x"), &[pong(payload), text("x")]);
    }
    let pings: Vec<_> = (0..10).map(|i| format!("payload {i}")).collect();
    let all = |w| pings.iter().fold(w, |w: Wire, payload| w.ping(payload));
    table.good("2.10: ten pings", all, &pings.iter().map(ping).collect::<Vec<_>>());
}

fn fragments(table: &mut Table) {
    let hello = |w: Wire| w.parts(TEXT, &[b"Hel", b"lo"]);
    table.good("5.3: two fragments", hello, &[text("Hello")]);
    table.good(
        "5.6: a ping between two fragments",
        |w| w.frame(TEXT, "Hel").ping("p").pong("q").frame(FIN | MORE, "lo"),
        &[ping("p"), pong("q"), text("Hello")],
    );
    let long = [b'p'; 125];
    table.good(
        "5.8: long pings between many fragments",
        |w| {
            let w = w.frame(BINARY, "").ping(long).frame(MORE, [1]).ping("").frame(MORE, "").ping("z");
            w.frame(MORE, [2, 3]).pong(long).frame(FIN | MORE, "").text("next")
        },
        &[ping(long), ping(""), ping("z"), pong(long), binary([1, 2, 3]), text("next")],
    );
    table.good("6.1: empty fragments", |w| w.parts(TEXT, &[b"", b"", b""]), &[text("")]);
    let around = |w: Wire| w.parts(TEXT, &[b"", b"middle", b""]).parts(BINARY, &[b"", b""]);
    table.good("6.1.3: something between two of nothing", around, &[text("middle"), binary("")]);
    for each in [64, 256, 1300, 4096] {
        let bytes = numbered(16_384);
        let parts: Vec<_> = bytes.chunks(each).collect();
        table.good(format!("9/10: in fragments of {each}"), |w| w.parts(BINARY, &parts), &[binary(&bytes)]);
        let words = "schön, ".repeat(2_000);
        let parts: Vec<_> = words.as_bytes().chunks(each).collect();
        table.good(format!("9/10: text in fragments of {each}"), |w| w.parts(TEXT, &parts), &[text(&words)]);
    }
    let unended = |w: Wire| w.text("a").frame(TEXT, "Hel").ping("");
    table.good("5: a message that does not end", unended, &[text("a"), ping("")]);
    table.good("5: a header that does not end", |w| w.text("a").raw(&[0x82]), &[text("a")]);
}

fn utf8(table: &mut Table) {
    for good in GOOD_UTF8 {
        table.good(format!("6: {good:?}"), |w| w.text(good), &[text(good)]);
        if good.len() < 40 {
            let parts: Vec<_> = good.as_bytes().chunks(1).collect();
            let w = |w: Wire| if parts.is_empty() { w } else { w.parts(TEXT, &parts) };
            table.good(
                format!("6: {good:?} bytewise"),
                w,
                &parts.first().map_or(vec![], |_| vec![text(good)]),
            );
        }
        let long = good.repeat(150);
        if (64..5_000).contains(&long.len()) {
            table.good(format!("6: {good:?} over and over"), |w| w.text(&long), &[text(&long)]);
        }
    }
    let any: Vec<u8> = (0..=255).collect();
    table.good("6: binary is not text", |w| w.binary(&any).text("é"), &[binary(&any), text("é")]);
}

fn closes(table: &mut Table) {
    let end = Entry::Closed(None);
    table.good("7.1.1: close", |w| w.text("a").frame(FIN | CLOSE, ""), &[text("a"), end.clone()]);
    table.good(
        "7.1.3: what comes behind a close frame does not count",
        |w| w.close(1000, "").ping("p").text("late").frame(0xff, "x").close(1001, ""),
        &[closed(1000, "")],
    );
    table.good(
        "7.1.5: close inside of a message",
        |w| w.frame(TEXT, "frag").close(1001, "bye").frame(FIN | MORE, "ment"),
        &[closed(1001, "bye")],
    );
    let reason = "*".repeat(123);
    table.good("7.3.5: the longest reason", |w| w.close(1000, &reason), &[closed(1000, &reason)]);
    let reason = "ß".repeat(61);
    table.good("7.3: a reason in German", |w| w.close(4999, &reason), &[closed(4999, &reason)]);
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        table.good(format!("7.7: code {code}"), |w| w.close(code, "x"), &[closed(code, "x")]);
    }
}

fn compressed(table: &mut Table) {
    let first = FIN | RSV1 | TEXT;
    // RFC 7692, section 7.2.3.1 to 7.2.3.6.
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    table.good("13: one block", |w| w.frame(first, hello), &[text("Hello")]);
    let parts = |w: Wire| w.parts(RSV1 | TEXT, &[&hello[..3], &hello[3..]]);
    table.good("13: fragments", parts, &[text("Hello")]);
    let between =
        |w: Wire| w.frame(RSV1 | TEXT, &hello[..3]).ping("p").frame(MORE, "").frame(FIN | MORE, &hello[3..]);
    table.good("13: a ping between", between, &[ping("p"), text("Hello")]);
    let twice = |w: Wire| w.frame(first, hello).text("raw").frame(first, b"\xf2\x00\x11\x00\x00");
    table.good("13: taking the window over", twice, &[text("Hello"), text("raw"), text("Hello")]);
    let uncompressed = b"\x00\x05\x00\xfa\xffHello\x00";
    let again = |w: Wire| w.frame(first, uncompressed).frame(first, uncompressed);
    table.good("13: a block without compression", again, &[text("Hello"), text("Hello")]);
    let last = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    let final_block = |w: Wire| w.frame(first, last).frame(first, last).frame(first, hello);
    table.good("13: BFINAL", final_block, &[text("Hello"), text("Hello"), text("Hello")]);
    let two_blocks = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    table.good("13: two blocks", |w| w.frame(first, two_blocks), &[text("Hello")]);
    let empty = |w: Wire| w.frame(first, [0]).frame(FIN | RSV1 | BINARY, [0]).frame(first, hello);
    table.good("13: empty", empty, &[text(""), binary(""), text("Hello")]);
    let tail = |w: Wire| w.parts(RSV1 | TEXT, &[b"", hello, b"", b""]);
    table.good("13: empty fragments at both ends", tail, &[text("Hello")]);
    let bytes = numbered(300);
    let one = |w: Wire| w.frame(FIN | RSV1 | BINARY, stored(&bytes)).close(1000, "");
    table.good("13: 300 bytes", one, &[binary(&bytes), closed(1000, "")]);
    let smiles = "🙂ü".repeat(8);
    let packed = stored(smiles.as_bytes());
    let parts: Vec<_> = packed.chunks(1).collect();
    table.good("13: UTF-8 in many fragments", |w| w.parts(RSV1 | TEXT, &parts), &[text(&smiles)]);
    let bytes = numbered(70_000);
    let packed = stored(&bytes);
    let parts: Vec<_> = packed.chunks(1_000).collect();
    table.good("13: 70000 bytes", |w| w.parts(RSV1 | BINARY, &parts), &[binary(&bytes)]);
}

/// RFC 6455, section 5.7, to the letter.
fn examples() -> Vec<Vector> {
    let hello = Entry::Message(Kind::Text, b"Hello".to_vec());
    let long = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], &numbered(65_536)].concat();
    let short = [&[0x82, 0x7e, 1, 0][..], &numbered(256)].concat();
    let pong_said = |payload: &[u8]| vec![(FIN | PONG, payload.to_vec())];
    let masked = b"\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let row = |name: &str, role, bytes: &[u8], entries: Vec<Entry>, said| Vector {
        name: format!("RFC 6455, 5.7: {name}"),
        role,
        bytes: bytes.to_vec(),
        entries,
        said,
        deflate: None,
    };
    vec![
        row("unmasked text", Role::Client, b"\x81\x05Hello", vec![hello.clone()], vec![]),
        row("masked text", Role::Server, &[b"\x81\x85", &masked[..]].concat(), vec![hello.clone()], vec![]),
        row("fragments", Role::Client, b"\x01\x03Hel\x80\x02lo", vec![hello], vec![]),
        row("ping", Role::Client, b"\x89\x05Hello", vec![ping("Hello")], pong_said(b"Hello")),
        row("masked pong", Role::Server, &[b"\x8a\x85", &masked[..]].concat(), vec![pong("Hello")], vec![]),
        row("256 bytes", Role::Client, &short, vec![binary(numbered(256))], vec![]),
        row("64 KiB", Role::Client, &long, vec![binary(numbered(65_536))], vec![]),
    ]
}
