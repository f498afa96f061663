//! Streams, fed to a receiver and its sender in any cut, and everything that comes of them.

use feedrate::{Buffer, Grow, Instant, Storage};
use feedrate_ws::deflate::{Config, Offer, Params};
use feedrate_ws::{
    Close, Error, Event, InPieces, Input, Keys, Kind, Message, Piece, Ready, Receiver, Role, Sender,
    Truncated,
};

use super::wire::{Frame, frames, peer};

/// When everything happens, where time does not matter.
pub const NOW: Instant = Instant::ZERO;

/// One thing that came out of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message, put together if it came in pieces.
    Message(Kind, Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// The peer's close frame.
    Closed(Option<(u16, String)>),
    /// The peer broke a rule.
    Failed(Error),
}

/// Everything that came out of a receiver, and what its sender said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// In order.
    pub entries: Vec<Entry>,
    /// What [`Receiver::end`] said behind the last byte.
    pub end: Result<(), Truncated>,
    /// The frames that the sender wrote.
    pub said: Vec<Frame>,
}

/// How a stream is read.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// The receiver's side.
    pub role: Role,
    /// Not whole.
    pub pieces: bool,
    /// From `&[u8]`.
    pub shared: bool,
    /// Pulled from a buffer, with `ready` and `take`.
    pub pulled: bool,
    /// Compression has been agreed upon.
    pub deflate: Option<Params>,
    /// The longest message, of a receiver in pieces.
    pub limit: u64,
}

impl How {
    /// Every way there is.
    pub fn all(role: Role, limit: u64) -> Vec<Self> {
        let mut all = Vec::new();
        for deflate in [None, Some(agreed())] {
            all.extend(Self::with(role, limit, deflate));
        }
        all
    }

    /// Every way there is, with this agreed upon.
    pub fn with(role: Role, limit: u64, deflate: Option<Params>) -> [Self; 6] {
        let fed = [(false, false), (false, true), (true, false), (true, true)];
        let [a, b, c, d] = fed.map(|(pieces, shared)| (pieces, shared, false));
        [a, b, c, d, (false, false, true), (true, false, true)].map(|(pieces, shared, pulled)| Self {
            role,
            pieces,
            shared,
            pulled,
            deflate,
            limit,
        })
    }
}

/// What two sides agree on that want nothing special.
pub fn agreed() -> Params {
    Config::default().accept(&Offer::default())
}

/// Keys for tests.
pub type Key = fn() -> [u8; 4];

/// A key that shows where it was not undone.
pub fn key() -> [u8; 4] {
    [0x5a, 0x01, 0xc3, 0x7e]
}

/// Feeds `chunks`, one after the other, and writes down what comes out. What the sender has to say is
/// written after each event.
pub fn transcript(how: How, storage: impl Storage, chunks: &[&[u8]]) -> Transcript {
    let queue = Grow::new(8 << 20);
    match how.role {
        Role::Server => with_sender(how, storage, Sender::server(queue), chunks),
        Role::Client => with_sender(how, storage, Sender::client(queue, key as Key), chunks),
    }
}

fn with_sender<K: Keys>(
    how: How,
    storage: impl Storage,
    mut sender: Sender<Grow, K>,
    chunks: &[&[u8]],
) -> Transcript {
    let receiver = Receiver::new(how.role, storage).deflate(how.deflate);
    let mut log = Log::default();
    let end = if how.pieces {
        let mut receiver = receiver.in_pieces(how.limit);
        for chunk in chunks {
            read(&mut receiver, how, chunk, &mut sender, &mut log);
        }
        receiver.end()
    } else {
        let mut receiver = receiver;
        for chunk in chunks {
            read(&mut receiver, how, chunk, &mut sender, &mut log);
        }
        receiver.end()
    };
    Transcript { entries: log.entries, end, said: frames(how.role, &log.said) }
}

/// Both kinds of receiver.
pub trait Reads {
    /// What it calls a message.
    type Data<'a>: Data
    where
        Self: 'a;

    /// Its `feed`.
    fn feed<'a, 'i: 'a, I: Input<'i>, S: Storage, K: Keys>(
        &'a mut self,
        input: &mut I,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Self::Data<'a>>>, Error>;

    /// Its `ready`.
    fn ready<S: Storage, K: Keys>(
        &mut self,
        buffer: &mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Ready>, Error>;

    /// Its `take`.
    fn take<'a, S: Storage, K: Keys>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Self::Data<'a>>>, Error>;

    /// Its `release`.
    fn release(&mut self);
}

impl<R: Storage> Reads for Receiver<R> {
    type Data<'a>
        = Message<'a>
    where
        Self: 'a;

    fn feed<'a, 'i: 'a, I: Input<'i>, S: Storage, K: Keys>(
        &'a mut self,
        input: &mut I,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Message<'a>>>, Error> {
        Receiver::<R>::feed(self, input, NOW, sender)
    }

    fn ready<S: Storage, K: Keys>(
        &mut self,
        buffer: &mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Ready>, Error> {
        Receiver::<R>::ready(self, buffer, NOW, sender)
    }

    fn take<'a, S: Storage, K: Keys>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Message<'a>>>, Error> {
        Receiver::<R>::take(self, ready, buffer, NOW, sender)
    }

    fn release(&mut self) {
        Receiver::<R>::release(self);
    }
}

impl<R: Storage> Reads for Receiver<R, InPieces> {
    type Data<'a>
        = Piece<'a>
    where
        Self: 'a;

    fn feed<'a, 'i: 'a, I: Input<'i>, S: Storage, K: Keys>(
        &'a mut self,
        input: &mut I,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Piece<'a>>>, Error> {
        Receiver::<R, InPieces>::feed(self, input, NOW, sender)
    }

    fn ready<S: Storage, K: Keys>(
        &mut self,
        buffer: &mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Ready>, Error> {
        Receiver::<R, InPieces>::ready(self, buffer, NOW, sender)
    }

    fn take<'a, S: Storage, K: Keys>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<Vec<u8>>,
        sender: &mut Sender<S, K>,
    ) -> Result<Option<Event<'a, Piece<'a>>>, Error> {
        Receiver::<R, InPieces>::take(self, ready, buffer, NOW, sender)
    }

    fn release(&mut self) {
        Receiver::<R, InPieces>::release(self);
    }
}

/// A message, or a piece of one.
pub trait Data: std::fmt::Debug {
    /// Kind, bytes, and whether a message begins and ends here.
    fn parts(&self) -> (Kind, &[u8], bool, bool);
}

impl Data for Message<'_> {
    fn parts(&self) -> (Kind, &[u8], bool, bool) {
        if let Message::Text(text) = self {
            assert_eq!(text.as_str().as_bytes(), text.as_bytes());
        }
        (self.kind(), self.as_bytes(), true, true)
    }
}

impl Data for Piece<'_> {
    fn parts(&self) -> (Kind, &[u8], bool, bool) {
        assert!(!self.as_bytes().is_empty() || self.is_last(), "an empty piece in the middle");
        (self.kind(), self.as_bytes(), self.is_first(), self.is_last())
    }
}

/// What has come out so far.
#[derive(Debug, Default)]
pub struct Log {
    /// In order.
    pub entries: Vec<Entry>,
    /// The pieces of a message that has not ended.
    pub begun: Option<(Kind, Vec<u8>)>,
    /// What the sender wrote.
    pub said: Vec<u8>,
}

impl Log {
    /// Writes down what `feed` returned: `false`, if that was nothing.
    pub fn fed<D: Data>(&mut self, fed: Result<Option<Event<'_, D>>, Error>) -> bool {
        match fed {
            Ok(None) => return false,
            Ok(Some(event)) => self.event(event),
            Err(error) => self.entry(Entry::Failed(error)),
        }
        true
    }

    fn event(&mut self, event: Event<'_, impl Data>) {
        let entry = match event {
            Event::Message(data) => {
                let (kind, bytes, first, last) = data.parts();
                assert_eq!(first, self.begun.is_none(), "the first piece is the one that says so");
                let (begun, held) = self.begun.get_or_insert((kind, Vec::new()));
                assert_eq!(*begun, kind);
                held.extend_from_slice(bytes);
                if !last {
                    return;
                }
                let (kind, bytes) = self.begun.take().expect("begun");
                Entry::Message(kind, bytes)
            }
            Event::Ping(payload) => Entry::Ping(payload.to_vec()),
            Event::Pong(payload) => Entry::Pong(payload.to_vec()),
            Event::Closed(close) => {
                Entry::Closed(close.map(|Close { code, reason }| (code.get(), reason.to_owned())))
            }
            event => panic!("{event:?}"),
        };
        self.entry(entry);
    }

    fn entry(&mut self, entry: Entry) {
        if let Some(Entry::Closed(_) | Entry::Failed(_)) = self.entries.last() {
            panic!("something after the last event: {:?}", self.entries);
        }
        self.entries.push(entry);
    }
}

/// Reads a chunk, whichever way, and has the sender write what it has to say after each event.
pub fn read<R: Reads, K: Keys, S: Storage>(
    receiver: &mut R,
    how: How,
    chunk: &[u8],
    sender: &mut Sender<S, K>,
    log: &mut Log,
) {
    if how.pulled {
        pull(receiver, chunk, sender, log);
    } else {
        feed(receiver, how.shared, chunk, sender, log);
    }
}

/// What is ready is found twice before it is taken, and once taken is not there any more.
fn pull<R: Reads, K: Keys, S: Storage>(
    receiver: &mut R,
    chunk: &[u8],
    sender: &mut Sender<S, K>,
    log: &mut Log,
) {
    let mut buffer = Buffer::new(chunk.to_vec());
    buffer.filled(chunk.len());
    loop {
        let stale = match receiver.ready(&mut buffer, sender) {
            Ok(ready) => ready,
            Err(error) => {
                log.fed::<Message<'_>>(Err(error));
                None
            }
        };
        receiver.release();
        let again = receiver.ready(&mut buffer, sender).expect("an error is returned once");
        assert_eq!(stale.is_some(), again.is_some());
        let (Some(stale), Some(ready)) = (stale, again) else { break };
        let (message, left) = (ready.is_message(), buffer.unread().len() - ready.in_buffer());
        let fed = receiver.take(ready, &mut buffer, sender);
        assert!(!matches!(fed, Ok(None)), "it was ready, and is not there");
        assert!(fed.is_err() || matches!(fed, Ok(Some(Event::Message(_)))) == message);
        log.fed(fed);
        assert_eq!(buffer.unread().len(), left);
        assert!(matches!(receiver.take(stale, &mut buffer, sender), Ok(None)), "it is there twice");
        write(sender, &mut log.said);
    }
    write(sender, &mut log.said);
    assert!(buffer.unread().is_empty(), "None with {} bytes left", buffer.unread().len());
}

/// Feeds a chunk, whichever way, and has the sender write what it has to say after each event.
pub fn feed<R: Reads, K: Keys, S: Storage>(
    receiver: &mut R,
    shared: bool,
    chunk: &[u8],
    sender: &mut Sender<S, K>,
    log: &mut Log,
) {
    if shared {
        feed_input(receiver, chunk, sender, log);
    } else {
        feed_input(receiver, &mut chunk.to_vec()[..], sender, log);
    }
}

fn feed_input<'i, R: Reads, K: Keys, S: Storage, I: Input<'i> + AsRef<[u8]>>(
    receiver: &mut R,
    mut input: I,
    sender: &mut Sender<S, K>,
    log: &mut Log,
) {
    while log.fed(receiver.feed(&mut input, sender)) {
        write(sender, &mut log.said);
    }
    assert!(input.as_ref().is_empty(), "None with {} bytes left", input.as_ref().len());
}

/// Writes all that the sender has to say.
pub fn write<S: Storage, K: Keys>(sender: &mut Sender<S, K>, out: &mut Vec<u8>) {
    loop {
        let n = sender.transmit().len();
        if n == 0 {
            return;
        }
        out.extend_from_slice(sender.transmit());
        sender.transmitted(n);
    }
}

/// Writes `n` bytes, or as many as there are.
pub fn write_some<S: Storage, K: Keys>(sender: &mut Sender<S, K>, mut n: usize, out: &mut Vec<u8>) {
    while n > 0 && !sender.transmit().is_empty() {
        let now = sender.transmit().len().min(n);
        out.extend_from_slice(&sender.transmit()[..now]);
        sender.transmitted(now);
        n -= now;
    }
}

/// What a side of this role writes.
pub fn said(role: Role, params: Params, say: impl Fn(&mut dyn Say)) -> Vec<u8> {
    fn all<K: Keys>(mut sender: Sender<Grow, K>, say: impl Fn(&mut dyn Say)) -> Vec<u8> {
        let mut out = Vec::new();
        say(&mut sender);
        write(&mut sender, &mut out);
        out
    }
    let queue = Grow::new(4 << 20);
    match role {
        Role::Server => all(Sender::server(queue).deflate(Some(params)), say),
        Role::Client => all(Sender::client(queue, key as Key).deflate(Some(params)), say),
    }
}

/// Senders of either role.
pub trait Say {
    /// A message.
    fn binary(&mut self, bytes: &[u8]);
    /// Some of one.
    fn piece(&mut self, bytes: &[u8], last: bool);
}

impl<K: Keys> Say for Sender<Grow, K> {
    fn binary(&mut self, bytes: &[u8]) {
        Sender::binary(self, bytes).expect("room");
    }
    fn piece(&mut self, bytes: &[u8], last: bool) {
        Sender::piece(self, Piece::binary(bytes, last)).expect("room");
    }
}

/// What the peer of `role` understands of these bytes.
pub fn understood(role: Role, bytes: &[u8], deflate: Option<Params>) -> Transcript {
    let how = How { role: peer(role), pieces: false, shared: true, pulled: false, deflate, limit: u64::MAX };
    transcript(how, Grow::new(64 << 20), &[bytes])
}

impl Transcript {
    /// Whether there is nothing to come.
    pub fn is_over(&self) -> bool {
        matches!(self.entries.last(), Some(Entry::Closed(_) | Entry::Failed(_)))
    }
}
