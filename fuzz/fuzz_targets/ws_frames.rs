//! Frames that are right, and frames that are wrong in one way: however they are cut and fed, what happens
//! is what RFC 6455 says.
#![no_main]

use arbitrary::Arbitrary;
use feedrate_fuzz::ws::{Side, Way, check_frames, frame, params, receive, reference, ways};
use feedrate_ws::Role;

#[derive(Arbitrary, Debug)]
struct Plan<'a> {
    server: bool,
    deflate: Option<u16>,
    sizes: [u8; 6],
    frames: Vec<Frame<'a>>,
    /// Bytes behind them.
    tail: &'a [u8],
    /// Bytes that are missing at the end.
    cut: u8,
}

#[derive(Arbitrary, Debug)]
struct Frame<'a> {
    what: What,
    last: bool,
    key: [u8; 4],
    payload: &'a [u8],
    times: u8,
    odd: u8,
}

#[derive(Arbitrary, Debug)]
enum What {
    Text,
    Binary,
    Data,
    Ping,
    Pong,
    Close(u16),
}

libfuzzer_sys::fuzz_target!(|plan: Plan<'_>| {
    let role = if plan.server { Role::Server } else { Role::Client };
    let mut stream = Vec::new();
    let mut begun = false;
    for one in &plan.frames {
        write(&mut stream, role, one, &mut begun);
        if stream.len() > 8192 {
            break;
        }
    }
    stream.extend_from_slice(plan.tail);
    stream.truncate(stream.len().saturating_sub(usize::from(plan.cut)));
    let side = Side { role, deflate: plan.deflate.map(params) };
    let expected = receive(side, Way::PLAIN, &stream);
    if side.deflate.is_none() {
        let (items, end) = reference(role, &stream);
        assert_eq!((&expected.items, expected.end), (&items, end));
    }
    for way in ways(&plan.sizes) {
        assert_eq!(receive(side, way, &stream), expected, "{way:?}");
    }
    check_frames(side, &plan.sizes, &stream);
});

fn write(stream: &mut Vec<u8>, role: Role, one: &Frame<'_>, begun: &mut bool) {
    let mut payload = one.payload.repeat(1 + usize::from(one.times % 32));
    payload.truncate(1500);
    let opcode = match one.what {
        What::Ping => 9,
        What::Pong => 10,
        What::Close(code) => {
            // Codes that are good more often than not.
            let code = if code & 1 == 0 { 1000 + (code >> 1) % 16 } else { code };
            payload.splice(0..0, code.to_be_bytes());
            8
        }
        _ if *begun => 0,
        What::Text => 1,
        _ => 2,
    };
    let mut first = opcode;
    if opcode >= 8 {
        payload.truncate(125);
        first |= 0x80;
    } else {
        *begun = !one.last;
        first |= if one.last { 0x80 } else { 0 };
    }
    let mut key = (role == Role::Server).then_some(one.key);
    let (mut form, mut length) = (0, payload.len() as u64);
    match one.odd {
        // What is wrong with it.
        1 => first ^= 0x80,
        2 => first ^= 0x40,
        3 => first ^= 0x30,
        4 => first ^= 0x01,
        5 => first ^= 0x04,
        6 => key = if key.is_some() { None } else { Some(one.key) },
        7 => form = 1,
        8 => form = 2,
        9 => (form, length) = (2, length | 1 << 63),
        10 => length += 1,
        11 => length = length.saturating_sub(1),
        12 => length = u64::from_le_bytes([one.key, one.key].concat().try_into().expect("eight")),
        _ => {}
    }
    frame(stream, first, key, form, length, &payload);
}
