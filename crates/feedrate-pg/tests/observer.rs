//! Conversations with real servers, recorded by `examples/conversations --record`: the observer says of each message
//! what
//! it said then, when no server contradicted it in more than 20,000 of them.

#[path = "../examples/conversations/golden.rs"]
#[allow(dead_code, reason = "what records them")]
mod golden;

use feedrate::pg::stream::Begin;
use feedrate_pg::observer::{Observer, Verdict};
use feedrate_pg::queue::Slot;

/// The bytes that `escape_ascii` has made a text of.
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        (bytes, rest) = match (first, behind) {
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digits = [*high, *low];
                let byte = u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap();
                ([&bytes[..], &[byte]].concat(), behind)
            }
            (b'\\', [escaped, behind @ ..]) => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                };
                ([&bytes[..], &[byte]].concat(), behind)
            }
            _ => ([&bytes[..], &[*first]].concat(), behind),
        };
    }
    bytes
}

#[test]
fn what_real_servers_said() {
    let (mut conversations, mut messages, mut unexpected) = (0, 0, 0);
    let mut observer = Observer::new(Vec::new());
    for (number, line) in include_str!("observer.txt").lines().enumerate() {
        if let Some(header) = line.strip_prefix("= ") {
            let slots = header.split(' ').next_back().unwrap().parse().unwrap();
            observer = Observer::new(vec![Slot::EMPTY; slots]);
            conversations += 1;
            continue;
        }
        let mut fields = line.split('\t');
        let (head, body, expected) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let (from_frontend, tag) = (head.starts_with('>'), head.as_bytes()[1]);
        let begin = Begin { tag: if tag == b'0' { 0 } else { tag }, length: head[2..].parse().unwrap() };
        let body = unescape(body);
        let verdict = match from_frontend {
            true => observer.frontend_begins(begin, &body).expect("room"),
            false => observer.backend_begins(begin, &body),
        };
        let fits = !matches!(verdict, Verdict::Unexpected { .. });
        assert_eq!(golden::golden(&observer, fits), expected, "line {}: {line}", number + 1);
        messages += 1;
        unexpected += usize::from(!fits);
    }
    assert!(
        conversations >= 35 && messages >= 1400 && unexpected >= 30,
        "{conversations} {messages} {unexpected}"
    );
}
