//! Anything that can be done to a sender, in any order: the peer receives what was accepted, in order, and
//! the queue keeps its bounds.
#![no_main]

use std::collections::VecDeque;
use std::time::Duration;

use arbitrary::Arbitrary;
use feedrate::{Array, Grow, Instant, SliceOutput, Storage};
use feedrate_fuzz::ws::{drain, params};
use feedrate_ws::deflate::Params;
use feedrate_ws::frame::{Header, Opcode};
use feedrate_ws::{
    Answer, Close, CloseCode, Event, Keys, Kind, Message, Piece, Receiver, Role, SendError, Sender,
    StreamEvent,
};

/// That closing may take.
const PATIENCE: Duration = Duration::from_millis(100);
/// Data, and what is kept for control frames.
const MEMORY: usize = 2048;

#[derive(Arbitrary, Debug)]
struct Plan<'a> {
    client: bool,
    grow: bool,
    deflate: Option<u16>,
    fragment: u16,
    acts: Vec<Act<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    Text(&'a str, u8),
    Binary(&'a [u8], u8),
    /// As text, and so many bytes are written at once.
    Vectored(&'a str, u8, u16),
    TextPiece(&'a str, bool),
    BinaryPiece(&'a [u8], bool),
    Ping(&'a [u8]),
    /// The peer pings.
    Pinged(&'a [u8]),
    Write(u8),
    WriteAll,
    /// Copied into so much room.
    Copy(u8),
    Close(u16, &'a str),
    CloseNow(u16, &'a str),
    /// The peer closes.
    Closed(Option<u16>),
    Failed,
    Release,
    Wait(u16),
}

libfuzzer_sys::fuzz_target!(|plan: Plan<'_>| {
    match (plan.client, plan.grow) {
        (false, false) => run(&plan, Sender::server(Array::<MEMORY>::new())),
        (false, true) => run(&plan, Sender::server(Grow::new(MEMORY))),
        (true, false) => run(&plan, Sender::client(Array::<MEMORY>::new(), keys())),
        (true, true) => run(&plan, Sender::client(Grow::new(MEMORY), keys())),
    }
});

fn keys() -> impl FnMut() -> [u8; 4] {
    let mut key = 0x0102_0304_u32;
    move || {
        key = key.wrapping_mul(0x01f3_5a7d).wrapping_add(77);
        key.to_be_bytes()
    }
}

#[derive(Default)]
struct Model {
    fragment: u64,
    /// Whole messages that were accepted.
    messages: Vec<(Kind, Vec<u8>)>,
    begun: Option<(Kind, Vec<u8>)>,
    pings: VecDeque<Vec<u8>>,
    /// What the peer asked to hear again.
    pinged: VecDeque<Vec<u8>>,
    /// The last of it came before there was a close frame.
    owes_pong: bool,
    /// Some data was dropped.
    cut: bool,
    /// The last write took less than there was.
    blocked: bool,
    close: Option<Option<(CloseCode, String)>>,
    heard: bool,
    /// The peer broke a rule: that goes before what we wanted to say.
    failed: bool,
    now: Instant,
    until: Option<Instant>,
    /// The end of the time has been reported.
    late: bool,
    /// All has been said, and that has been reported.
    finished: bool,
}

fn run<S: Storage, K: Keys>(plan: &Plan<'_>, sender: Sender<S, K>) {
    let agreed = plan.deflate.map(params);
    let fragment = u32::from(plan.fragment).max(1);
    let mut sender = sender.fragments(fragment).patience(PATIENCE).deflate(agreed);
    let mut model = Model { fragment: fragment.into(), ..Model::default() };
    let mut wire = Vec::new();
    for act in &plan.acts {
        step(act, &mut sender, &mut model, &mut wire);
        assert!(sender.storage().held().len() <= MEMORY);
        assert!(sender.queued() <= MEMORY);
        assert_eq!(sender.is_closing(), model.close.is_some());
        if model.close.is_some() {
            model.until.get_or_insert(model.now + PATIENCE);
        }
        assert_eq!(sender.deadline(), model.until.filter(|_| !model.late));
        assert_eq!(sender.queued() == 0, sender.transmit().is_empty());
    }
    wire.extend(drain(&mut sender));
    check(model, K::ROLE, agreed, &wire);
}

fn step<S: Storage, K: Keys>(
    act: &Act<'_>,
    sender: &mut Sender<S, K>,
    model: &mut Model,
    wire: &mut Vec<u8>,
) {
    let (closing, begun) = (model.close.is_some(), model.begun.is_some());
    let before = sender.queued();
    let unchanged = |sender: &Sender<S, K>| assert_eq!(sender.queued(), before);
    match *act {
        Act::Text(text, times) => {
            let text = text.repeat(1 + usize::from(times % 64));
            match sender.text(&text[..]) {
                Ok(()) => model.messages.push((Kind::Text, text.into_bytes())),
                Err(error) => {
                    data_refused(error, closing, begun);
                    unchanged(sender);
                }
            }
        }
        Act::Vectored(text, times, n) => {
            let text = text.repeat(1 + usize::from(times % 64));
            let (mut offered, mut taken) = (None, Vec::new());
            let result = sender.send_vectored(&text[..], |parts| {
                let all = parts.concat();
                taken.extend_from_slice(&all[..usize::from(n).min(all.len())]);
                offered = Some(all.len());
                taken.len()
            });
            match result {
                Ok(()) => model.messages.push((Kind::Text, text.into_bytes())),
                Err(error) => {
                    assert!(offered.is_none());
                    data_refused(error, closing, begun);
                    unchanged(sender);
                }
            }
            if let Some(offered) = offered {
                assert_eq!(sender.queued(), offered - taken.len());
                model.blocked = taken.len() < offered;
            }
            wire.extend(taken);
        }
        Act::Binary(bytes, times) => {
            let bytes = bytes.repeat(1 + usize::from(times % 64));
            // With this much room it has to be accepted.
            let fragments = 1 + bytes.len() as u64 / model.fragment;
            let fits = bytes.len() + 14 * fragments as usize <= sender.free();
            match sender.binary(&bytes) {
                Ok(()) => model.messages.push((Kind::Binary, bytes)),
                Err(error) => {
                    assert!(!fits || closing || begun);
                    data_refused(error, closing, begun);
                    unchanged(sender);
                }
            }
        }
        Act::TextPiece(text, last) => piece(sender, model, Piece::text(text, last), before),
        Act::BinaryPiece(bytes, last) => piece(sender, model, Piece::binary(bytes, last), before),
        Act::Ping(payload) => match sender.ping(payload) {
            Ok(()) => model.pings.push_back(payload.to_vec()),
            Err(SendError::ControlTooLong { length }) => assert!(length == payload.len() && length > 125),
            Err(SendError::Closing) => assert!(closing),
            Err(SendError::PingPending) => assert!(before > 0),
            Err(error) => panic!("{error}"),
        },
        Act::Pinged(payload) => {
            let payload = &payload[..payload.len().min(125)];
            sender.pong(payload);
            model.pinged.push_back(payload.to_vec());
            model.owes_pong = !closing;
        }
        Act::Write(n) => {
            let n = usize::from(n).min(sender.transmit().len());
            wire.extend_from_slice(&sender.transmit()[..n]);
            model.blocked = n < sender.transmit().len();
            sender.transmitted(n);
            assert_eq!(sender.queued(), before - n);
        }
        Act::Copy(room) => {
            let mut memory = vec![0; room.into()];
            let n = sender.poll_transmit(&mut SliceOutput::new(&mut memory));
            assert_eq!(n, memory.len().min(before));
            assert_eq!(sender.queued(), before - n);
            wire.extend_from_slice(&memory[..n]);
            model.blocked = n < before;
        }
        Act::WriteAll => {
            wire.extend(drain(sender));
            model.blocked = false;
        }
        Act::Close(code, reason) => {
            let Some(code) = CloseCode::new(code) else { return };
            match sender.close(code, reason, model.now) {
                Ok(()) => model.close = Some(Some((code, cut(reason)))),
                Err(SendError::Closing) => assert!(closing),
                Err(error) => panic!("{error}"),
            }
        }
        Act::CloseNow(code, reason) => {
            let Some(code) = CloseCode::new(code) else { return };
            match sender.close_now(code, reason, model.now) {
                Ok(dropped) => {
                    model.cut |= dropped > 0;
                    model.close = Some(Some((code, cut(reason))));
                }
                Err(SendError::Closing) => assert!(closing),
                Err(error) => panic!("{error}"),
            }
        }
        Act::Closed(code) => {
            let code = code.and_then(CloseCode::new);
            if !model.heard {
                model.heard = true;
                sender.closed(code.map(|code| Close { code, reason: "bye" }), model.now);
                model.close.get_or_insert(code.map(|code| (code, "bye".to_string())));
            }
        }
        Act::Failed => {
            if !model.heard {
                model.heard = true;
                model.failed = true;
                // The close frame waits for nobody who does not take what comes before it.
                model.cut |= model.blocked && before > 0;
                sender.failed(CloseCode::PROTOCOL, model.now);
                model.close.get_or_insert(Some((CloseCode::PROTOCOL, String::new())));
            }
        }
        Act::Release => {
            sender.release();
            unchanged(sender);
        }
        Act::Wait(time) => {
            model.now = model.now + Duration::from_millis(u64::from(time % 128));
            sender.handle_timeout(model.now);
            while let Some(event) = sender.poll_event() {
                assert!(closing && !model.late, "an event behind the last");
                match event {
                    StreamEvent::Finished => {
                        assert!(model.heard && before == 0 && !model.finished);
                        model.finished = true;
                    }
                    StreamEvent::TimedOut => {
                        assert!(model.until.is_some_and(|until| model.now >= until));
                        model.late = true;
                    }
                    _ => panic!("an event that nobody knows"),
                }
            }
            assert!(model.late || model.until.is_none_or(|until| model.now < until));
        }
    }
}

fn data_refused(error: SendError, closing: bool, begun: bool) {
    match error {
        SendError::Closing => assert!(closing),
        SendError::Unfinished => assert!(begun),
        SendError::Full { needed, free } => assert!(free < needed && needed <= MEMORY),
        SendError::TooLong { needed, limit } => assert!(needed > limit && limit < MEMORY),
        error => panic!("{error}"),
    }
}

fn piece<S: Storage, K: Keys>(sender: &mut Sender<S, K>, model: &mut Model, piece: Piece<'_>, before: usize) {
    match sender.piece(piece) {
        Ok(()) => {
            let (kind, mut bytes) = model.begun.take().unwrap_or((piece.kind(), Vec::new()));
            assert_eq!(kind, piece.kind());
            bytes.extend_from_slice(piece.as_bytes());
            if piece.is_last() {
                model.messages.push((kind, bytes));
            } else {
                model.begun = Some((kind, bytes));
            }
        }
        Err(error) => {
            data_refused(error, model.close.is_some(), model.begun.is_some());
            assert_eq!(sender.queued(), before);
        }
    }
}

/// 123 bytes at most.
fn cut(reason: &str) -> String {
    let mut reason = reason.to_string();
    while reason.len() > 123 {
        reason.pop();
    }
    reason
}

/// What the peer makes of it.
fn check(mut model: Model, role: Role, agreed: Option<Params>, wire: &[u8]) {
    let mut receiver = Receiver::new(role.peer(), Grow::new(1 << 20)).deflate(agreed);
    let mut copy = wire.to_vec();
    let mut input = &mut copy[..];
    let mut messages = model.messages.iter();
    let (mut closed, mut answered, asked) = (None, None, model.pinged.back().cloned());
    while let Some(event) = receiver.feed(&mut input, model.now, &mut ()).expect("good frames") {
        assert!(closed.is_none());
        match event {
            Event::Message(message) => {
                let (kind, bytes) = messages.next().expect("a message that was sent");
                assert!(message.kind() == *kind && message.as_bytes() == bytes);
                if let Message::Text(text) = message {
                    assert_eq!(text.as_bytes(), text.as_str().as_bytes());
                }
            }
            Event::Ping(payload) => assert_eq!(model.pings.pop_front().as_deref(), Some(payload)),
            Event::Pong(payload) => {
                // Some may have been left out.
                answered = Some(payload.to_vec());
                while model.pinged.pop_front().expect("a ping that was not answered") != payload {}
            }
            Event::Closed(close) => {
                closed = Some(close.map(|close| (close.code, close.reason.to_string())));
            }
            _ => panic!("an event that nobody knows"),
        }
    }
    let violated = Some(Some((CloseCode::PROTOCOL, String::new())));
    assert!(closed == model.close || (model.failed && closed == violated));
    if !model.cut {
        assert!(messages.next().is_none(), "a message was lost");
    }
    assert!(model.pings.is_empty(), "a ping was lost");
    if model.owes_pong && model.close.is_none() {
        assert_eq!(answered, asked, "the last ping was not answered");
    }
    frames(wire, model.fragment);
}

/// Nothing lies behind the close frame, and no frame is longer than it may be.
fn frames(mut wire: &[u8], fragment: u64) {
    while let Some((header, n)) = Header::parse(wire).expect("a good header") {
        let payload = usize::try_from(header.length).expect("a short one");
        assert!(header.opcode.is_control() || header.length <= fragment);
        wire = &wire[n + payload..];
        if header.opcode == Opcode::Close {
            assert!(wire.is_empty());
        }
    }
    assert!(wire.is_empty());
}
