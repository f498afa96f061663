//! WebSocket: what breaks a rule is refused at the byte that shows it, with the right close code, and
//! nothing comes after that.

use feedrate::{Array, Grow};
use feedrate_testkit::storage::NoMemory;
use feedrate_testkit::ws::run::{Entry, How, Key, Log, NOW, agreed, feed, key, transcript, write};
use feedrate_testkit::ws::wire::{
    BINARY, CLOSE, FIN, MORE, PING, PONG, RSV1, TEXT, Wire, frames, peer, stored,
};
use feedrate_testkit::ws::{BAD_UTF8, bad};
use feedrate_ws::frame::{CONTROL, Header};
use feedrate_ws::{CloseCode, Error, Event, Receiver, Role, SendError, Sender, Utf8, Violation};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn failed(violation: Violation, offset: usize) -> Entry {
    Entry::Failed(Error { violation, offset: offset as u64 })
}

/// RFC 6455, section 7.4.1, and every rule that can be broken.
#[test]
fn every_violation_has_its_close_code() {
    let mut seen = Vec::new();
    for row in bad() {
        let deflate = row.deflate.unwrap_or(false).then(agreed);
        for how in How::with(row.role, 1 << 20, deflate) {
            let found = transcript(how, Grow::new(1 << 20), &[&row.bytes]);
            assert_eq!((&found.entries, &found.said), (&row.entries, &row.said), "{} {how:?}", row.name);
            let Some(Entry::Failed(error)) = found.entries.last() else { panic!("{}", row.name) };
            let code = match error.violation {
                Violation::Utf8 { .. } | Violation::CloseReason | Violation::Deflate => 1007,
                _ => 1002,
            };
            assert_eq!(found.said.last(), Some(&(FIN | CLOSE, u16::to_be_bytes(code).to_vec())));
            seen.push(std::mem::discriminant(&error.violation));
        }
    }
    seen.sort_by_key(|kind| format!("{kind:?}"));
    seen.dedup();
    // All but those that need a limit, or no memory.
    assert_eq!(seen.len(), 15);
    let limit = Violation::TooLong { length: 2, limit: 1 };
    assert_eq!((limit.close_code().get(), Violation::Memory.close_code().get()), (1009, 1011));
}

/// A frame is refused when the byte is there that shows it, and not one byte before.
#[test]
fn at_the_first_byte_that_shows_it() {
    for row in bad().iter().filter(|row| row.bytes.len() < 1_000) {
        for how in How::with(row.role, 1 << 20, row.deflate.unwrap_or(false).then(agreed)) {
            let Some(Entry::Failed(Error { violation, offset })) = row.entries.last() else { panic!() };
            let start = *offset as usize;
            let payload = start + 2 + if how.role == Role::Server { 4 } else { 0 };
            let shown = match violation {
                Violation::Reserved { .. } | Violation::Opcode(_) => start,
                Violation::Continuation | Violation::Interrupted(_) => start,
                Violation::ControlFragmented(_) => start,
                Violation::Masked | Violation::Unmasked | Violation::ControlTooLong(_) => start + 1,
                Violation::LengthTopBit => start + 2,
                Violation::NotMinimal { .. } if row.bytes[start + 1] & 0x7f == 126 => start + 3,
                Violation::NotMinimal { .. } => start + 9,
                Violation::CloseLength => payload,
                _ => continue,
            };
            let found = transcript(how, Grow::new(1 << 20), &[&row.bytes[..shown]]);
            assert!(!found.is_over(), "{} {how:?}: a byte too soon", row.name);
            let found = transcript(how, Grow::new(1 << 20), &[&row.bytes[..=shown]]);
            assert_eq!(found.entries, row.entries, "{} {how:?}: too late", row.name);
        }
    }
}

/// Alone, in a frame, in many, and inside of other text: not a byte later, and no byte before.
#[test]
fn utf8_at_the_first_bad_byte() {
    for (bytes, at) in BAD_UTF8 {
        let at = at as usize;
        let mut utf8 = Utf8::new();
        for (n, byte) in bytes.iter().enumerate().take(at + 1) {
            assert_eq!(utf8.feed(&[*byte]), if n == at { Err(0) } else { Ok(()) }, "{bytes:x?}");
        }
        assert!(at < bytes.len() || !utf8.is_whole());
        for role in ROLES {
            for (how, compressed) in How::with(role, u64::MAX, None)
                .map(|how| (how, false))
                .into_iter()
                .chain(How::with(role, u64::MAX, Some(agreed())).map(|how| (how, true)))
            {
                for before in [0, 1, 60, 4_090, 4_096] {
                    let text = [&b"x".repeat(before)[..], bytes].concat();
                    let (first, payload, head) = if compressed {
                        (FIN | RSV1 | TEXT, stored(&text), 5)
                    } else {
                        (FIN | TEXT, text, 0)
                    };
                    let wire = Wire::new(peer(role)).head(first, 100_000);
                    let stream = wire.masked(&payload).into_bytes();
                    // So many of them are good.
                    let good = stream.len() - payload.len() + head + before + at;
                    if at == bytes.len() {
                        continue;
                    }
                    let storage = || Grow::new(100_000 + CONTROL);
                    assert!(!transcript(how, storage(), &[&stream[..good]]).is_over());
                    let found = transcript(how, storage(), &[&stream[..good], &stream[good..=good]]);
                    let expected = failed(Violation::Utf8 { at: (before + at) as u64 }, 0);
                    assert_eq!(found.entries, [expected], "{bytes:x?} behind {before} {how:?}");
                    assert_eq!(found.said, [(FIN | CLOSE, vec![0x03, 0xef])]);
                }
            }
        }
    }
}

#[test]
fn limits_are_checked_on_what_is_declared() {
    for role in ROLES {
        let limit = 1_000;
        for declared in [1_001, 65_535, 65_536, 1 << 30, (1 << 63) - 1] {
            for how in How::with(role, limit, None) {
                let wire = Wire::new(peer(role)).text("a").bad().head(FIN | BINARY, declared);
                let (at, bytes) = (wire.bad_at().expect("a mark"), wire.into_bytes());
                let found = transcript(how, Array::<{ 1_000 + CONTROL }>::new(), &[&bytes]);
                let violation = Violation::TooLong { length: declared, limit };
                assert_eq!(found.entries[1..], [failed(violation, at)], "{how:?}");
                assert_eq!(found.said, [(FIN | CLOSE, vec![0x03, 0xf1])]);
            }
        }
        for how in How::with(role, limit, None) {
            // Just as many are good. Control frames do not count, nor do messages before.
            let thousand = vec![7; 1_000];
            let good = Wire::new(peer(role)).binary(&thousand).parts(BINARY, &[&thousand[..400], b""]);
            let good = good.frame(BINARY, &thousand[..500]).ping([1; 125]).frame(MORE, &thousand[500..]);
            let bytes = good.frame(FIN | MORE, "").bad().into_bytes();
            let found = transcript(how, Array::<{ 1_000 + CONTROL }>::new(), &[&bytes]);
            assert_eq!(found.entries.len(), 4);
            // The fragments count together, as soon as they are too many.
            let sum = Wire::new(peer(role)).frame(BINARY, &thousand[..600]).ping("x").bad();
            let sum = sum.head(MORE, 401);
            let (at, bytes) = (sum.bad_at().expect("a mark"), sum.into_bytes());
            let found = transcript(how, Array::<{ 1_000 + CONTROL }>::new(), &[&bytes]);
            assert_eq!(found.entries[1..], [failed(Violation::TooLong { length: 1_001, limit }, at)]);
            // The sum does not wrap around.
            let sum = Wire::new(peer(role)).frame(BINARY, "1").bad().head(MORE, (1 << 63) - 1);
            let (at, bytes) = (sum.bad_at().expect("a mark"), sum.into_bytes());
            let found = transcript(how, Grow::new(1_000 + CONTROL), &[&bytes]);
            assert_eq!(found.entries, [failed(Violation::TooLong { length: 1 << 63, limit }, at)]);
        }
    }
}

/// Nothing is put away for a claim: a length that would be accepted takes no memory before its bytes come.
#[test]
fn a_claim_takes_no_memory() {
    for role in ROLES {
        let mut head = Wire::new(peer(role)).head(FIN | BINARY, 1 << 40).into_bytes();
        let mut receiver = Receiver::new(role, Grow::new(1 << 50));
        assert!(receiver.feed(&mut &mut head[..], NOW, &mut ()) == Ok(None));
        assert_eq!(receiver.storage().capacity(), 0);
        assert!(receiver.feed(&mut &mut [0; 100][..], NOW, &mut ()) == Ok(None));
        assert!(receiver.storage().capacity() < 1_000);
    }
}

/// What comes behind the last event is dropped, and not answered.
#[test]
fn nothing_comes_after_the_last_event() {
    let rows = bad();
    for row in rows.iter().filter(|row| row.deflate != Some(true) && row.bytes.len() < 200) {
        for how in How::with(row.role, 1 << 20, None) {
            let more = Wire::new(peer(row.role)).ping("p").text("t").close(1000, "").into_bytes();
            let stream = [&row.bytes[..], &more, &more].concat();
            let found = transcript(how, Grow::new(1 << 20), &[&stream, &more, &more[..5], &more]);
            assert_eq!((&found.entries, &found.said), (&row.entries, &row.said), "{}", row.name);
        }
    }
}

/// The close frame is the last: whatever the program wants to say after it, it is told so.
#[test]
fn nothing_goes_after_our_close() {
    for (i, row) in bad().iter().enumerate().filter(|(i, row)| row.deflate != Some(true) && i % 7 == 0) {
        let mut receiver = Receiver::new(row.role, Grow::new(1 << 20));
        let mut log = Log::default();
        let queue = Grow::new(10_000);
        let after = |sender: &mut Sender<Grow, Key>, log: &mut Log| {
            assert!(sender.is_closing());
            assert_eq!(sender.text("more"), Err(SendError::Closing));
            assert_eq!(sender.ping(b"more"), Err(SendError::Closing));
            assert_eq!(sender.close(CloseCode::NORMAL, "", NOW), Err(SendError::Closing));
            assert_eq!(sender.close_now(CloseCode::NORMAL, "", NOW), Err(SendError::Closing));
            write(sender, &mut log.said);
        };
        let mut sender = Sender::client(queue, key as Key);
        feed(&mut receiver, i % 2 == 0, &row.bytes, &mut sender, &mut log);
        after(&mut sender, &mut log);
        assert_eq!(frames(Role::Client, &log.said), row.said, "{}", row.name);
    }
}

/// The receiver alone, for those who only listen in.
#[test]
fn a_listener_says_nothing_and_hears_everything() {
    let mut receiver = Receiver::new(Role::Client, Array::<256>::new());
    let bytes = Wire::new(Role::Server).ping("p").text("t").bad().frame(FIN | 3, "").into_bytes();
    let mut input = &bytes[..];
    assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Ok(Some(Event::Ping(b"p"))));
    assert!(matches!(receiver.feed(&mut input, NOW, &mut ()), Ok(Some(Event::Message(_)))));
    assert!(receiver.feed(&mut input, NOW, &mut ()).is_err());
    assert_eq!((receiver.feed(&mut input, NOW, &mut ()), input.len()), (Ok(None), 0));
}

/// The header alone, for those who have their own way with frames: what it shows by itself.
#[test]
fn headers_are_read_as_they_are_written() {
    for first in [TEXT, BINARY, MORE, FIN | TEXT, FIN | RSV1 | TEXT, FIN | PING, FIN | PONG, FIN | CLOSE] {
        for length in [0, 1, 125, 126, 65_535, 65_536, (1 << 63) - 1] {
            if first & 8 != 0 && length > 125 {
                continue;
            }
            for role in ROLES {
                let bytes = Wire::new(role).head(first, length).into_bytes();
                let Ok(Some((header, n))) = Header::parse(&bytes) else { panic!("{bytes:x?}") };
                let (again, m) = header.to_bytes();
                assert_eq!((n, &again[..m]), (bytes.len(), &bytes[..]));
                assert_eq!((header.length, header.mask.is_some()), (length, role == Role::Client));
                for cut in 0..n {
                    assert_eq!(Header::parse(&bytes[..cut]), Ok(None));
                }
            }
        }
    }
}

/// A storage that is full is not the peer's fault, and is said to be not.
#[test]
fn no_memory() {
    for role in ROLES {
        let how = How { role, pieces: false, shared: false, pulled: false, deflate: None, limit: 0 };
        let bytes = Wire::new(peer(role)).text("fits").text("does not").into_bytes();
        let found = transcript(
            how,
            NoMemory { limit: 1_000 },
            &[&bytes[..bytes.len() - 1], &bytes[bytes.len() - 1..]],
        );
        assert!(matches!(found.entries[1], Entry::Failed(Error { violation: Violation::Memory, .. })));
        assert_eq!(found.said, [(FIN | CLOSE, vec![0x03, 0xf3])]);
        // A sender that cannot queue says so.
        let mut sender = Sender::server(NoMemory { limit: 1_000 });
        assert!(matches!(sender.text("x"), Err(SendError::Full { .. })));
        let vectored = sender.send_vectored("x", |_| panic!("written, with no memory for the rest"));
        assert!(matches!(vectored, Err(SendError::Full { .. })));
        assert!(matches!(sender.ping(b"x"), Err(SendError::Full { .. })));
        assert!(matches!(sender.close(CloseCode::NORMAL, "", NOW), Err(SendError::Full { .. })));
        assert!(!sender.is_closing() && sender.transmit().is_empty());
    }
}
