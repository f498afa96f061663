//! All of a WebSocket behind its handshake: both roles, whole messages and pieces, input that can be
//! changed and input that cannot, and everything that can be sent.
#![no_std]
#![no_main]

use feedrate::{Array, Instant, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_ws::{
    CloseCode, Error, Event, InPieces, Keys, Kind, Message, Piece, Receiver, SendError, Sender, StreamEvent,
    Truncated,
};

type Memory = Array<1024>;
type Random = fn() -> [u8; 4];

/// One side. Which, its receivers know, and nobody else.
#[allow(missing_debug_implementations)]
pub struct Side<K> {
    whole: Receiver<Memory>,
    pieces: Receiver<Memory, InPieces>,
    sender: Sender<Memory, K>,
    other: Receiver<Memory>,
}

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    server: &mut Side<feedrate_ws::Unmasked>,
    client: &mut Side<Random>,
    input: *mut u8,
    length: usize,
    now: u64,
) -> u32 {
    let mut sum = Sum::default();
    if command & 0x80 == 0 {
        // SAFETY: the caller's word.
        unsafe { run(command & 0x7f, server, input, length, now, &mut sum) };
    } else {
        // SAFETY: the caller's word.
        unsafe { run(command & 0x7f, client, input, length, now, &mut sum) };
    }
    sum.0
}

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
unsafe fn run<K: Keys>(
    command: u8,
    side: &mut Side<K>,
    input: *mut u8,
    length: usize,
    now: u64,
    sum: &mut Sum,
) {
    // SAFETY: the caller's word. Only one of the two is used.
    let (shared, mut changed) = unsafe { (bytes(input, length), bytes_mut(input, length)) };
    let mut input = shared;
    let (last, at) = (now & 1 != 0, Instant::from_micros(now));
    let Side { whole, pieces, sender, other } = side;
    match command {
        0 => while look(whole.feed(&mut changed, at, sender), sum, message) {},
        1 => while look(whole.feed(&mut input, at, sender), sum, message) {},
        2 => while look(pieces.feed(&mut changed, at, sender), sum, piece) {},
        3 => while look(pieces.feed(&mut input, at, sender), sum, piece) {},
        // Nobody answers.
        4 => while look(other.feed(&mut input, at, &mut ()), sum, message) {},
        5 => failed(sender.binary(input), sum),
        6 => match core::str::from_utf8(input) {
            Ok(text) if last => failed(sender.text(text), sum),
            Ok(text) => failed(sender.piece(Piece::text(text, now & 2 != 0)), sum),
            Err(_) => {}
        },
        7 => failed(sender.piece(Piece::binary(input, last)), sum),
        8 => failed(sender.ping(input), sum),
        9 | 10 => {
            let (Some(code), Ok(reason)) = (CloseCode::new(now as u16), core::str::from_utf8(input)) else {
                return;
            };
            if command == 9 {
                failed(sender.close(code, reason, at), sum);
            } else {
                match sender.close_now(code, reason, at) {
                    Ok(dropped) => sum.add(dropped as u32),
                    Err(error) => failed(Err(error), sum),
                }
            }
        }
        11 => sum.slice(sender.transmit()),
        12 => sender.transmitted(length),
        13 => {
            sender.handle_timeout(at);
            sum.add(sender.deadline().map_or(0, |until| until.as_micros() as u32));
            while let Some(event) = sender.poll_event() {
                sum.add((event == StreamEvent::Finished).into());
            }
        }
        14 => sum.add(sender.free() as u32),
        15 => sum.add(sender.queued() as u32),
        16 => sum.add(sender.is_closing().into()),
        17 => {
            whole.release();
            pieces.release();
            sender.release();
        }
        18 => match (whole.end(), pieces.end()) {
            (Ok(()), Ok(())) => {}
            (Err(Truncated { inside }), _) | (_, Err(Truncated { inside })) => sum.add(inside.into()),
        },
        // Copied over what came.
        20 => sum.add(sender.poll_transmit(&mut SliceOutput::new(changed)) as u32),
        // What has come in pieces is passed on as it is.
        19 => {
            while let Some(event) = pieces.feed(&mut changed, at, &mut ()).unwrap_or_default() {
                if let Event::Message(piece) = event {
                    failed(sender.piece(piece), sum);
                }
            }
        }
        _ => {
            while let Some(event) = whole.feed(&mut changed, at, &mut ()).unwrap_or_default() {
                if let Event::Message(message) = event {
                    failed(sender.send(message), sum);
                }
            }
        }
    }
}

/// Whether there may be more.
fn look<M>(fed: Result<Option<Event<'_, M>>, Error>, sum: &mut Sum, message: fn(&M, &mut Sum)) -> bool {
    match fed {
        Ok(Some(Event::Message(data))) => message(&data, sum),
        Ok(Some(Event::Ping(payload))) => sum.slice(payload),
        Ok(Some(Event::Pong(payload))) => {
            sum.add(1);
            sum.slice(payload);
        }
        Ok(Some(Event::Closed(None))) => sum.add(2),
        Ok(Some(Event::Closed(Some(close)))) => {
            sum.add(close.code.get().into());
            sum.slice(close.reason.as_bytes());
        }
        Ok(Some(_)) => {}
        Ok(None) => return false,
        Err(error) => {
            sum.add(error.offset as u32);
            sum.add(error.violation.close_code().get().into());
        }
    }
    true
}

fn message(message: &Message<'_>, sum: &mut Sum) {
    match message {
        Message::Text(text) => sum.slice(text.as_str().as_bytes()),
        Message::Binary(bytes) => sum.slice(bytes),
    }
}

fn piece(piece: &Piece<'_>, sum: &mut Sum) {
    sum.add((piece.kind() == Kind::Text).into());
    sum.add(piece.is_first().into());
    sum.add(piece.is_last().into());
    sum.slice(piece.as_bytes());
}

fn failed(result: Result<(), SendError>, sum: &mut Sum) {
    match result {
        Ok(()) => {}
        Err(SendError::Full { needed, free: more } | SendError::TooLong { needed, limit: more }) => {
            sum.add(needed as u32);
            sum.add(more as u32);
        }
        Err(SendError::ControlTooLong { length }) => sum.add(length as u32),
        Err(_) => sum.add(1),
    }
}
