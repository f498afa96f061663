//! WebSocket: whatever a program does with a sender, and however the peer takes it, what is written are
//! whole frames that say what was said, in order. Against a model that keeps lists. And what is sent is
//! received, whatever it is.

use feedrate::{Array, Grow, Storage};
use feedrate_testkit::ws::binary;
use feedrate_testkit::ws::data::numbered;
use feedrate_testkit::ws::run::{
    Entry, How, Key, NOW, agreed, key, transcript, understood, write, write_some,
};
use feedrate_testkit::ws::wire::{CLOSE, FIN, frames, peer};
use feedrate_ws::deflate::Params;
use feedrate_ws::{Answer, CloseCode, Keys, Kind, Message, Piece, SendError, Sender, Unmasked, mask};
use proptest::collection::vec;
use proptest::prelude::*;

fn server(limit: usize) -> Sender<Grow, Unmasked> {
    Sender::server(Grow::new(limit + 524))
}

fn client(limit: usize) -> Sender<Grow, Key> {
    Sender::client(Grow::new(limit + 524), key as Key)
}

#[derive(Debug, Clone)]
enum Step {
    Send(Kind, usize),
    /// And what is written of it at once.
    Vectored(Kind, usize, usize),
    Piece(usize, bool),
    Ping(u8),
    Pong(u8),
    Close,
    CloseNow,
    Failed,
    Sent(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    prop_oneof![
        6 => (kind.clone(), 0..400_usize).prop_map(|(kind, length)| Step::Send(kind, length)),
        3 => (kind, 0..400_usize, 0..900_usize).prop_map(|(kind, length, n)| Step::Vectored(kind, length, n)),
        6 => (0..300_usize, any::<bool>()).prop_map(|(length, last)| Step::Piece(length, last)),
        2 => (0..=125_u8).prop_map(Step::Ping),
        3 => (0..=125_u8).prop_map(Step::Pong),
        12 => (0..300_usize).prop_map(Step::Sent),
        1 => prop_oneof![
            8 => Just(Step::Sent(5_000)),
            1 => Just(Step::Close),
            1 => Just(Step::CloseNow),
            1 => Just(Step::Failed),
        ],
    ]
}

/// Text that can be cut anywhere, and that deflate can do something with.
fn letters(length: usize) -> String {
    "what goes in comes out. ".chars().cycle().skip(length % 24).take(length).collect()
}

/// A socket that takes `n` bytes.
fn take(parts: [&[u8]; 3], n: usize, out: &mut Vec<u8>) -> usize {
    let all = parts.concat();
    let taken = &all[..n.min(all.len())];
    out.extend_from_slice(taken);
    taken.len()
}

/// What has been accepted, beside what was written.
#[derive(Default)]
struct Model {
    data: Vec<Entry>,
    begun: Option<Vec<u8>>,
    pings: Vec<Entry>,
    pongs: Vec<Entry>,
    certain: usize,
    dropped: bool,
    out: Vec<u8>,
}

fn run<K: Keys>(mut sender: Sender<impl Storage, K>, steps: &[Step], compressed: bool) {
    let mut model = Model::default();
    for (i, step) in steps.iter().enumerate() {
        let (before, closing) = (sender.queued(), sender.is_closing());
        let result = match *step {
            Step::Send(kind, length) | Step::Vectored(kind, length, _) => {
                let text = letters(length);
                let message = match kind {
                    Kind::Text => Message::from(&text[..]),
                    Kind::Binary => Message::from(text.as_bytes()),
                };
                let result = match *step {
                    Step::Vectored(.., n) => {
                        let written = model.out.len();
                        let result = sender.send_vectored(message, |parts| take(parts, n, &mut model.out));
                        assert!(result.is_ok() || model.out.len() == written);
                        result
                    }
                    _ => sender.send(message),
                };
                assert_eq!(result == Err(SendError::Unfinished), model.begun.is_some() && !closing);
                if result.is_ok() {
                    model.data.push(Entry::Message(kind, text.into_bytes()));
                }
                result
            }
            Step::Piece(length, last) => {
                let bytes = numbered(length);
                let result = sender.piece(Piece::binary(&bytes, last));
                if result.is_ok() {
                    let mut message = model.begun.take().unwrap_or_default();
                    message.extend(bytes);
                    if last { model.data.push(binary(message)) } else { model.begun = Some(message) }
                }
                result
            }
            Step::Ping(n) => {
                let result = sender.ping(&vec![i as u8; n.into()]);
                if result.is_ok() {
                    model.pings.push(Entry::Ping(vec![i as u8; n.into()]));
                }
                result
            }
            Step::Pong(n) => {
                let payload = [&(i as u32).to_be_bytes()[..], &vec![0; usize::from(n).min(121)]].concat();
                sender.pong(&payload);
                model.pongs.push(Entry::Pong(payload));
                // One that comes when the close frame waits goes before that, but not behind it.
                model.certain = if closing { model.certain } else { model.pongs.len() };
                continue;
            }
            Step::Close => sender.close(CloseCode::NORMAL, "done", NOW),
            Step::CloseNow => {
                let result = sender.close_now(CloseCode::GOING_AWAY, "now", NOW);
                model.dropped |= result.is_ok();
                result.map(|dropped| assert!(dropped <= before))
            }
            Step::Failed => {
                sender.failed(CloseCode::PROTOCOL, NOW);
                model.dropped = true;
                continue;
            }
            Step::Sent(n) => {
                write_some(&mut sender, n, &mut model.out);
                continue;
            }
        };
        if result.is_err() {
            assert_eq!(sender.queued(), before, "{step:?} changed something: {result:?}");
        }
    }
    write(&mut sender, &mut model.out);
    let deflate = compressed.then(agreed);
    let found = understood(K::ROLE, &model.out, deflate).entries;
    let of = |wanted: fn(&Entry) -> bool| found.iter().filter(|e| wanted(e)).cloned().collect::<Vec<_>>();
    let data = of(|entry| matches!(entry, Entry::Message(..)));
    assert!(if model.dropped { model.data.starts_with(&data) } else { model.data == data }, "{found:?}");
    assert_eq!(of(|entry| matches!(entry, Entry::Ping(_))), model.pings);
    let pongs = of(|entry| matches!(entry, Entry::Pong(_)));
    let mut all = model.pongs.iter();
    assert!(pongs.iter().all(|pong| all.any(|other| other == pong)), "{pongs:?}");
    // The latest, or one that came after it.
    assert!(model.pongs.len() - all.len() >= model.certain, "{pongs:?}");
    assert!(!found.iter().any(|entry| matches!(entry, Entry::Failed(_))), "{found:?}");
    assert_eq!(sender.is_closing(), matches!(found.last(), Some(Entry::Closed(_))));
    // Nothing behind the close frame.
    let raw = frames(K::ROLE, &model.out);
    assert_eq!(raw.iter().filter(|frame| frame.0 == FIN | CLOSE).count(), usize::from(sender.is_closing()));
    assert!(raw.iter().rev().skip(1).all(|frame| frame.0 != FIN | CLOSE));
}

/// RFC 6455, section 5.3: at every address, of long and of short, in one go and in two.
#[test]
fn masking_is_its_definition() {
    let key = [0x12, 0x34, 0x56, 0x78];
    let plain = numbered(9_000);
    let expected: Vec<u8> = plain.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    for length in (0..70).chain([1_000, 4_095, 4_096, 4_097, 4_130, 8_191, 8_900]) {
        for at in (0..66).filter(|at| length < 70 || at % 5 < 2) {
            let mut bytes = plain[..at].to_vec();
            bytes.extend_from_slice(&plain[..length]);
            let (whole, mut cut) = (&mut bytes.clone()[at..], bytes);
            mask::apply(whole, key);
            assert!(*whole == expected[..length], "{length} bytes at {at}");
            let (start, rest) = cut[at..].split_at_mut(length / 2);
            mask::apply(start, key);
            mask::apply(rest, mask::advance(key, length / 2));
            assert!(cut[at..] == expected[..length], "{length} bytes at {at}, in two");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(steps in vec(step(), 0..60), fragment in prop_oneof![Just(37_u32), Just(1 << 16)]) {
        run(server(1_500).fragments(fragment), &steps, false);
        run(client(1_500).fragments(fragment), &steps, false);
        run(Sender::server(Array::<1_400>::new()).fragments(fragment), &steps, false);
        run(server(1_500).fragments(fragment).deflate(Some(agreed())), &steps, true);
        run(client(1_500).fragments(fragment).deflate(Some(agreed().threshold(0))), &steps, true);
    }

    /// What is sent is received: any text, any bytes, in any fragments and pieces, with any cuts on the way.
    #[test]
    fn what_is_sent_is_received(
        messages in vec((any::<String>(), vec(any::<u8>(), 0..300), 0..3_usize, any::<bool>()), 0..12),
        fragment in 1..400_u32,
        cuts in vec(1..500_usize, 1..9),
        deflate in any::<bool>(),
    ) {
        let agreed = deflate.then(|| agreed().threshold(9));
        let server = server(100_000).fragments(fragment).deflate(agreed);
        let client = client(100_000).fragments(fragment).deflate(agreed);
        inverse(server, &messages, &cuts, agreed);
        inverse(client, &messages, &cuts, agreed);
    }
}

fn inverse<K: Keys>(
    mut sender: Sender<Grow, K>,
    messages: &[(String, Vec<u8>, usize, bool)],
    cuts: &[usize],
    deflate: Option<Params>,
) {
    let mut sent = Vec::new();
    for (text, bytes, pieces, is_text) in messages {
        let (kind, bytes) = if *is_text { (Kind::Text, text.as_bytes()) } else { (Kind::Binary, &bytes[..]) };
        sent.push(Entry::Message(kind, bytes.to_vec()));
        let result = match (pieces, kind) {
            (0, Kind::Text) => sender.text(text.as_str()),
            (0, Kind::Binary) => sender.binary(bytes),
            (_, Kind::Text) => {
                let parts = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
                parts.for_each(|part| sender.piece(Piece::text(part, false)).expect("room"));
                sender.piece(Piece::text("", true))
            }
            (n, Kind::Binary) => {
                let parts = bytes.chunks(n * 40);
                parts.for_each(|part| sender.piece(Piece::binary(part, false)).expect("room"));
                sender.piece(Piece::binary(b"", true))
            }
        };
        result.expect("room");
    }
    let mut wire = Vec::new();
    write(&mut sender, &mut wire);
    let (mut chunks, mut rest, mut cuts) = (Vec::new(), &wire[..], cuts.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(*cuts.next().expect("some")));
        chunks.push(now);
        rest = later;
    }
    for how in How::with(peer(K::ROLE), 1 << 20, deflate) {
        assert_eq!(transcript(how, Grow::new(1 << 20), &chunks).entries, sent);
    }
}
