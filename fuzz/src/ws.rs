//! What the targets for WebSocket share: all the ways to receive, a reference that knows only one, and
//! frames as the other side writes them.

use feedrate::{Array, Buffer, Decoder, Encode, Error as Bad, Grow, Instant, Storage};
use feedrate_ws::deflate::{Config, Offer, Params};
use feedrate_ws::frame::{FrameError, Frames, HEADER, Header, Opcode, Part};
use feedrate_ws::{
    CloseCode, Error, Event, InPieces, Kind, Message, Piece, Receiver, Role, Sender, Truncated, Violation,
    mask,
};

use crate::pieces;

/// When everything happens, where time does not matter.
pub const NOW: Instant = Instant::ZERO;
/// The longest message.
pub const LIMIT: usize = 1024;
/// A control frame's payload.
const CONTROL: usize = 125;

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub role: Role,
    pub deflate: Option<Params>,
}

/// How its bytes are fed.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Messages are handed out in pieces.
    pub in_pieces: bool,
    /// The input cannot be changed.
    pub shared: bool,
    pub memory: Memory,
    pub sizes: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
pub enum Memory {
    Array,
    Grow,
    /// What a control frame needs. Only for pieces.
    Least,
}

impl Way<'_> {
    /// The shortest.
    pub const PLAIN: Self = Self { in_pieces: false, shared: false, memory: Memory::Grow, sizes: &[] };
}

/// Every way there is, with these cuts.
pub fn ways(sizes: &[u8]) -> impl Iterator<Item = Way<'_>> {
    use Memory::{Array, Grow, Least};
    let cuts = [&[][..], &[1], sizes];
    cuts.into_iter().flat_map(|sizes| {
        [(false, Array), (false, Grow), (true, Array), (true, Grow), (true, Least)].into_iter().flat_map(
            move |(in_pieces, memory)| {
                [false, true].into_iter().map(move |shared| Way { in_pieces, shared, memory, sizes })
            },
        )
    })
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Closed(Option<(CloseCode, String)>),
    Failed(Error),
}

/// All that has happened.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub items: Vec<Item>,
    pub end: Result<(), Truncated>,
    /// What there is to be written.
    pub said: Vec<u8>,
}

/// Receives `stream`.
pub fn receive(side: Side, way: Way<'_>, stream: &[u8]) -> Outcome {
    match (way.in_pieces, way.memory) {
        (false, Memory::Grow) => whole(side, way, stream, Grow::new(LIMIT + CONTROL)),
        (false, _) => whole(side, way, stream, Array::<{ LIMIT + CONTROL }>::new()),
        (true, Memory::Grow) => piecewise(side, way, stream, Grow::new(LIMIT + CONTROL)),
        (true, Memory::Array) => piecewise(side, way, stream, Array::<200>::new()),
        (true, Memory::Least) => piecewise(side, way, stream, Array::<CONTROL>::new()),
    }
}

fn whole<S: Storage>(side: Side, way: Way<'_>, stream: &[u8], storage: S) -> Outcome {
    let mut receiver = Receiver::new(side.role, storage).deflate(side.deflate);
    let mut log = Log::default();
    let mut sender = sender();
    for chunk in pieces(stream, way.sizes) {
        let mut chunk = chunk.to_vec();
        if way.shared {
            let mut input = &chunk[..];
            while log.fed(receiver.feed(&mut input, NOW, &mut sender), Log::whole) {}
            assert!(input.is_empty());
        } else {
            let mut input = &mut chunk[..];
            while log.fed(receiver.feed(&mut input, NOW, &mut sender), Log::whole) {}
            assert!(input.is_empty());
        }
    }
    log.outcome(receiver.end(), sender)
}

fn piecewise<S: Storage>(side: Side, way: Way<'_>, stream: &[u8], storage: S) -> Outcome {
    let receiver = Receiver::new(side.role, storage).deflate(side.deflate);
    let mut receiver: Receiver<S, InPieces> = receiver.in_pieces(LIMIT as u64);
    let mut log = Log::default();
    let mut sender = sender();
    for chunk in pieces(stream, way.sizes) {
        let mut chunk = chunk.to_vec();
        if way.shared {
            let mut input = &chunk[..];
            while log.fed(receiver.feed(&mut input, NOW, &mut sender), Log::piece) {}
            assert!(input.is_empty());
        } else {
            let mut input = &mut chunk[..];
            while log.fed(receiver.feed(&mut input, NOW, &mut sender), Log::piece) {}
            assert!(input.is_empty());
        }
    }
    log.outcome(receiver.end(), sender)
}

type Answers = Sender<Array<8192>, fn() -> [u8; 4]>;

fn sender() -> Answers {
    Sender::client(Array::new(), || [1, 2, 3, 4])
}

/// All of what a sender has to say.
pub fn drain<S: Storage, K: feedrate_ws::Keys>(sender: &mut Sender<S, K>) -> Vec<u8> {
    let mut all = Vec::new();
    while !sender.transmit().is_empty() {
        let n = sender.transmit().len();
        all.extend_from_slice(sender.transmit());
        sender.transmitted(n);
    }
    assert_eq!(sender.queued(), 0);
    all
}

#[derive(Default)]
struct Log {
    items: Vec<Item>,
    /// The message so far.
    begun: Option<(Kind, Vec<u8>)>,
}

impl Log {
    /// `false`, if nothing came.
    fn fed<'e, M>(
        &mut self,
        fed: Result<Option<Event<'e, M>>, Error>,
        each: impl FnOnce(&mut Self, Event<'e, M>),
    ) -> bool {
        match fed {
            Ok(None) => return false,
            Ok(Some(event)) => each(self, event),
            Err(error) => self.item(Item::Failed(error)),
        }
        true
    }

    fn item(&mut self, item: Item) {
        let ended = matches!(self.items.last(), Some(Item::Closed(_) | Item::Failed(_)));
        assert!(!ended, "an event behind the last");
        self.items.push(item);
    }

    fn whole(&mut self, event: Event<'_, Message<'_>>) {
        if let Some(message) = self.other(event) {
            if let Message::Text(text) = message {
                assert_eq!(text.as_bytes(), text.as_str().as_bytes());
            }
            self.message(message.kind(), message.as_bytes().to_vec());
        }
    }

    fn piece(&mut self, event: Event<'_, Piece<'_>>) {
        let Some(piece) = self.other(event) else { return };
        assert_eq!(piece.is_first(), self.begun.is_none());
        assert!(piece.is_last() || !piece.as_bytes().is_empty(), "an empty piece in the middle");
        let (kind, mut bytes) = self.begun.take().unwrap_or((piece.kind(), Vec::new()));
        assert_eq!(kind, piece.kind());
        bytes.extend_from_slice(piece.as_bytes());
        assert!(bytes.len() <= LIMIT);
        if piece.is_last() {
            self.message(kind, bytes);
        } else {
            self.begun = Some((kind, bytes));
        }
    }

    fn message(&mut self, kind: Kind, bytes: Vec<u8>) {
        assert!(bytes.len() <= LIMIT);
        self.item(match kind {
            Kind::Text => Item::Text(String::from_utf8(bytes).expect("valid text")),
            Kind::Binary => Item::Binary(bytes),
        });
    }

    fn other<M>(&mut self, event: Event<'_, M>) -> Option<M> {
        self.item(match event {
            Event::Message(message) => return Some(message),
            Event::Ping(payload) => Item::Ping(payload.to_vec()),
            Event::Pong(payload) => Item::Pong(payload.to_vec()),
            Event::Closed(close) => Item::Closed(close.map(|close| (close.code, close.reason.to_string()))),
            _ => panic!("an event that nobody knows"),
        });
        None
    }

    fn outcome(self, end: Result<(), Truncated>, mut sender: Answers) -> Outcome {
        Outcome { items: self.items, end, said: drain(&mut sender) }
    }
}

/// The longest frame that is accepted whole.
const FRAME: usize = 600;

/// How frames are fed.
#[derive(Clone, Copy, Debug)]
pub enum Feed {
    Shared,
    Mutable,
    Pulled,
}

/// What comes of frames alone: the stream again, as it is written from what was read, where each frame
/// begins in that, and errors.
#[derive(Debug, Default, PartialEq)]
pub struct Written {
    pub bytes: Vec<u8>,
    pub frames: Vec<usize>,
    pub errors: Vec<Bad<FrameError>>,
    pub ends: bool,
}

/// Reads frames whole; those that are longer than [`FRAME`] are refused alone.
pub fn frames(side: Side, feed: Feed, sizes: &[u8], stream: &[u8]) -> Written {
    let protocol = Frames::new(side.role).compressed(side.deflate.is_some());
    let mut decoder = Decoder::new(protocol, Grow::new(FRAME));
    let mut written = Written::default();
    let mut buffer = Buffer::new([0; 64]);
    for chunk in pieces(stream, sizes) {
        let mut memory = chunk.to_vec();
        let (mut shared, mut mutable, mut unread) = (chunk, &mut memory[..], chunk);
        loop {
            let frame = match feed {
                Feed::Shared => decoder.feed(&mut shared),
                Feed::Mutable => decoder.feed(&mut mutable),
                Feed::Pulled => match decoder.ready(&mut buffer) {
                    Ok(Some(ready)) => decoder.take(ready, &mut buffer).map(Some),
                    Ok(None) if !unread.is_empty() => {
                        unread = fill(&mut buffer, unread);
                        continue;
                    }
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                },
            };
            match frame {
                Ok(Some(frame)) => {
                    written.frames.push(written.bytes.len());
                    frame.encode(&mut written.bytes).expect("what was read can be written");
                }
                Ok(None) => break,
                Err(error) => {
                    written.errors.push(error);
                    if error.is_lost() {
                        return written;
                    }
                }
            }
        }
    }
    written.ends = decoder.end().is_ok();
    written
}

/// Reads frames in pieces, of any length.
pub fn parts(side: Side, feed: Feed, sizes: &[u8], stream: &[u8]) -> Written {
    let protocol = Frames::new(side.role).compressed(side.deflate.is_some()).in_pieces();
    let mut decoder = Decoder::new(protocol, Array::<HEADER>::new());
    let mut written = Written::default();
    let mut buffer = Buffer::new([0; 64]);
    for chunk in pieces(stream, sizes) {
        let mut memory = chunk.to_vec();
        let (mut shared, mut mutable, mut unread) = (chunk, &mut memory[..], chunk);
        loop {
            let part = match feed {
                Feed::Shared => decoder.feed(&mut shared),
                Feed::Mutable => decoder.feed(&mut mutable),
                Feed::Pulled => match decoder.ready(&mut buffer) {
                    Ok(Some(ready)) => decoder.take(ready, &mut buffer).map(Some),
                    Ok(None) if !unread.is_empty() => {
                        unread = fill(&mut buffer, unread);
                        continue;
                    }
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                },
            };
            match part {
                Ok(Some(part)) => write_part(&part, &mut written),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.is_lost());
                    written.errors.push(error);
                    return written;
                }
            }
        }
    }
    written.ends = decoder.end().is_ok();
    written
}

fn write_part(part: &Part<'_>, written: &mut Written) {
    if let Some(header) = part.header {
        written.frames.push(written.bytes.len());
        let (bytes, n) = header.to_bytes();
        written.bytes.extend_from_slice(&bytes[..n]);
    } else {
        assert!(!part.payload.is_empty());
    }
    let at = written.bytes.len();
    part.payload.copy_to(&mut written.bytes);
    mask::apply(&mut written.bytes[at..], part.payload.key().unwrap_or_default());
    assert_eq!(&written.bytes[at..], part.payload.as_bytes());
    let begun = written.frames.last().expect("a header");
    let Ok(Some((header, n))) = Header::parse(&written.bytes[*begun..]) else { panic!("no header") };
    let so_far = (written.bytes.len() - begun - n) as u64;
    assert!(so_far <= header.length && part.last == (so_far == header.length));
}

fn fill<'c>(buffer: &mut Buffer<[u8; 64]>, unread: &'c [u8]) -> &'c [u8] {
    let space = buffer.space();
    let n = space.len().min(unread.len());
    space[..n].copy_from_slice(&unread[..n]);
    buffer.filled(n);
    &unread[n..]
}

/// Frames alone, however they are cut and fed.
pub fn check_frames(side: Side, sizes: &[u8], stream: &[u8]) {
    let whole = frames(side, Feed::Shared, &[], stream);
    let in_parts = parts(side, Feed::Shared, &[], stream);
    for cut in [&[][..], &[1], sizes] {
        for feed in [Feed::Shared, Feed::Mutable, Feed::Pulled] {
            assert_eq!(frames(side, feed, cut, stream), whole, "{feed:?}");
            assert_eq!(parts(side, feed, cut, stream), in_parts, "{feed:?}");
        }
    }
    assert!(stream.starts_with(&in_parts.bytes));
    if whole.errors.iter().all(Bad::is_lost) {
        assert!(in_parts.bytes.starts_with(&whole.bytes));
        assert_eq!(whole.errors, in_parts.errors);
    }
}

/// What has to happen without compression, by the letter of RFC 6455, with all the bytes at hand.
pub fn reference(role: Role, stream: &[u8]) -> (Vec<Item>, Result<(), Truncated>) {
    let mut items = Vec::new();
    let mut message: Option<(bool, Vec<u8>)> = None;
    let mut at = 0;
    loop {
        let failed = |violation| Item::Failed(Error { violation, offset: at as u64 });
        let so_far = message.as_ref().map(|(_, bytes)| bytes.len());
        let head = match head(role, &stream[at..], so_far) {
            Ok(Some(head)) => head,
            Ok(None) => {
                let inside = at < stream.len() || message.is_some();
                return (items, Err(Truncated { inside }));
            }
            Err(violation) => {
                items.push(failed(violation));
                return (items, Ok(()));
            }
        };
        let all = &stream[at + head.size..];
        let is_whole = head.length <= all.len() as u64;
        let mut payload = all[..all.len().min(usize::try_from(head.length).unwrap_or(usize::MAX))].to_vec();
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= head.key[i % 4];
        }
        if head.opcode >= 8 {
            if !is_whole {
                return (items, Err(Truncated { inside: true }));
            }
            match head.opcode {
                8 => {
                    items.push(close(&payload).map_or_else(failed, Item::Closed));
                    return (items, Ok(()));
                }
                9 => items.push(Item::Ping(payload)),
                _ => items.push(Item::Pong(payload)),
            }
        } else {
            let (is_text, bytes) = message.get_or_insert((head.opcode == 1, Vec::new()));
            bytes.extend_from_slice(&payload);
            let last = head.fin && is_whole;
            if *is_text && let Some(bad) = first_bad(bytes, last) {
                items.push(failed(Violation::Utf8 { at: bad as u64 }));
                return (items, Ok(()));
            }
            if !is_whole {
                return (items, Err(Truncated { inside: true }));
            }
            if last {
                let (is_text, bytes) = message.take().expect("a message");
                items.push(match is_text {
                    true => Item::Text(String::from_utf8(bytes).expect("checked")),
                    false => Item::Binary(bytes),
                });
            }
        }
        at += head.size + payload_length(head.length);
    }
}

fn payload_length(length: u64) -> usize {
    usize::try_from(length).expect("the payload is there")
}

struct Head {
    fin: bool,
    opcode: u8,
    key: [u8; 4],
    length: u64,
    size: usize,
}

/// `so_far`: bytes of the message that has begun.
fn head(role: Role, bytes: &[u8], so_far: Option<usize>) -> Result<Option<Head>, Violation> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let (fin, rsv, opcode) = (first & 0x80 != 0, first >> 4 & 7, first & 15);
    if rsv != 0 {
        return Err(Violation::Reserved { bits: rsv });
    }
    let known = Opcode::from_bits(opcode).ok_or(Violation::Opcode(opcode))?;
    match opcode {
        0 if so_far.is_none() => return Err(Violation::Continuation),
        1 | 2 if so_far.is_some() => return Err(Violation::Interrupted(known)),
        8.. if !fin => return Err(Violation::ControlFragmented(known)),
        _ => {}
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    match (role, second & 0x80 != 0) {
        (Role::Server, false) => return Err(Violation::Unmasked),
        (Role::Client, true) => return Err(Violation::Masked),
        _ => {}
    }
    if opcode >= 8 && second & 0x7f > 125 {
        return Err(Violation::ControlTooLong(known));
    }
    let (count, least) = match second & 0x7f {
        126 => (2, 126),
        127 => (8, 65536),
        _ => (0, 0),
    };
    if count == 8 && bytes.get(2).is_some_and(|byte| byte & 0x80 != 0) {
        return Err(Violation::LengthTopBit);
    }
    let Some(number) = bytes.get(2..2 + count) else { return Ok(None) };
    let length = match count {
        0 => u64::from(second & 0x7f),
        _ => number.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
    };
    if length < least {
        return Err(Violation::NotMinimal { length });
    }
    let (key, size) = match role {
        Role::Client => ([0; 4], 2 + count),
        Role::Server => match bytes.get(2 + count..6 + count) {
            Some(key) => (key.try_into().expect("four bytes"), 6 + count),
            None => return Ok(None),
        },
    };
    let total = length.saturating_add(so_far.unwrap_or(0) as u64);
    if opcode < 8 && total > LIMIT as u64 {
        return Err(Violation::TooLong { length: total, limit: LIMIT as u64 });
    }
    Ok(Some(Head { fin, opcode, key, length, size }))
}

fn close(payload: &[u8]) -> Result<Option<(CloseCode, String)>, Violation> {
    match payload {
        [] => Ok(None),
        [_] => Err(Violation::CloseLength),
        [a, b, reason @ ..] => {
            let number = u16::from_be_bytes([*a, *b]);
            let code = match number {
                1000..=1003 | 1007..=1014 | 3000..=4999 => CloseCode::new(number).expect("a good code"),
                _ => return Err(Violation::CloseCode(number)),
            };
            let reason = String::from_utf8(reason.to_vec()).map_err(|_| Violation::CloseReason)?;
            Ok(Some((code, reason)))
        }
    }
}

/// The first byte that no text has there.
fn first_bad(bytes: &[u8], ends: bool) -> Option<usize> {
    let good = std::str::from_utf8(bytes).err()?.valid_up_to();
    let is_bad =
        |at: &usize| std::str::from_utf8(&bytes[good..=*at]).is_err_and(|error| error.error_len().is_some());
    (good..bytes.len()).find(is_bad).or(ends.then_some(bytes.len()))
}

/// A frame as the other side writes it. `form`: of the length, 0 for the right one, else that of 16 or 64 bits.
pub fn frame(out: &mut Vec<u8>, first: u8, key: Option<[u8; 4]>, form: u8, claimed: u64, payload: &[u8]) {
    out.push(first);
    let bit = if key.is_some() { 0x80 } else { 0 };
    match (form, claimed) {
        (0, 0..=125) => out.push(bit | claimed as u8),
        (0, 0x1_0000..) | (2.., _) => {
            out.push(bit | 127);
            out.extend(claimed.to_be_bytes());
        }
        _ => {
            out.push(bit | 126);
            out.extend((claimed as u16).to_be_bytes());
        }
    }
    out.extend(key.unwrap_or_default().iter().take(if key.is_some() { 4 } else { 0 }));
    let at = out.len();
    out.extend_from_slice(payload);
    mask::apply(&mut out[at..], key.unwrap_or_default());
}

/// Anything that two sides can have agreed on, of ten bits.
pub fn params(bits: u16) -> Params {
    let flag = |n: u16| bits >> n & 1 == 1;
    let window = |n: u16| 8 + (bits >> n & 7) as u8;
    Config::new()
        .server_no_context(flag(0))
        .client_no_context(flag(1))
        .server_bits(window(2))
        .client_bits(window(5))
        .level(1 + (bits >> 8) as u8 % 9)
        .threshold(if flag(12) { 0 } else { 32 })
        .accept(&Offer::new())
}
